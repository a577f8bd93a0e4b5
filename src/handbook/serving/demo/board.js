"use strict";
// The board to draw on: what is drawn, scaled as the data were, and what the model says of it.

async function look() {
  const home = $("#look"), form = $("form", home), board = $("#board"), pen = board.getContext("2d");
  const known = {};
  const what = () => form.elements.what.value;
  const cursor = { x: 140, y: 140, down: false };
  let turns = 0;

  const clear = () => {
    pen.fillStyle = "black";
    pen.fillRect(0, 0, 280, 280);
  };
  const line = (from, to) => {
    Object.assign(pen, { strokeStyle: "white", lineCap: "round", lineJoin: "round", lineWidth: $("#width").value });
    pen.beginPath();
    pen.moveTo(from.x, from.y);
    pen.lineTo(to.x + 0.01, to.y);
    pen.stroke();
  };
  const place = (event) => {
    const box = board.getBoundingClientRect();
    return { x: (event.clientX - box.left) * 280 / box.width, y: (event.clientY - box.top) * 280 / box.height };
  };
  let last = null;
  board.addEventListener("pointerdown", (event) => {
    board.setPointerCapture(event.pointerId);
    last = place(event);
    line(last, last);
  });
  board.addEventListener("pointermove", (event) => {
    if (!last) return;
    const here = place(event);
    line(last, here);
    last = here;
  });
  for (const end of ["pointerup", "pointercancel"]) board.addEventListener(end, () => { last = null; });

  const marked = () => {
    const mark = $("#pen");
    mark.hidden = document.activeElement !== board;
    mark.style.left = cursor.x + "px";
    mark.style.top = cursor.y + "px";
    mark.classList.toggle("down", cursor.down);
  };
  board.addEventListener("focus", marked);
  board.addEventListener("blur", marked);
  board.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, -10], ArrowDown: [0, 10] }[event.key];
    if (!step && event.key !== " ") return;
    event.preventDefault();
    const before = { ...cursor };
    if (step) {
      cursor.x = Math.min(280, Math.max(0, cursor.x + step[0]));
      cursor.y = Math.min(280, Math.max(0, cursor.y + step[1]));
    } else {
      cursor.down = !cursor.down;
    }
    if (cursor.down) line(before, cursor);
    marked();
  });

  // As the data were made: what is drawn fills 20 x 20 (a garment 26 x 26) and its centre of mass lies in the middle.
  const scaled = () => {
    const light = pen.getImageData(0, 0, 280, 280).data;
    let [left, top, right, bottom, mass, x0, y0] = [280, 280, -1, -1, 0, 0, 0];
    for (let y = 0; y < 280; y++) for (let x = 0; x < 280; x++) {
      const value = light[4 * (280 * y + x)];
      if (value < 32) continue;
      left = Math.min(left, x); right = Math.max(right, x); top = Math.min(top, y); bottom = Math.max(bottom, y);
      mass += value; x0 += value * x; y0 += value * y;
    }
    const small = $("#given").getContext("2d", { willReadFrequently: true });
    small.fillStyle = "black";
    small.fillRect(0, 0, 28, 28);
    if (right < 0) return small.getImageData(0, 0, 28, 28);
    const [width, height] = [right - left + 1, bottom - top + 1];
    const factor = (what() === "digit" ? 20 : 26) / Math.max(width, height);
    const middle = what() === "digit" ? [x0 / mass, y0 / mass] : [(left + right) / 2, (top + bottom) / 2];
    small.imageSmoothingQuality = "high";
    small.drawImage(board, left, top, width, height, 14 - (middle[0] - left) * factor,
      14 - (middle[1] - top) * factor, width * factor, height * factor);
    return small.getImageData(0, 0, 28, 28);
  };
  let example = null; // an example is asked about as it is; a stroke makes it a drawing
  board.addEventListener("pointerdown", () => { example = null; });
  board.addEventListener("keydown", () => { if (cursor.down) example = null; });

  const answer = () => during(home, async () => {
    let pixels = example;
    if (!pixels) {
      const data = scaled().data;
      pixels = Array.from({ length: 28 }, (_, y) => Array.from({ length: 28 }, (_, x) => data[4 * (28 * y + x)]));
    }
    const found = await ask(what(), { pixels });
    introduce(home, found);
    say(home, `${what() === "digit" ? "The digit" : "It is"}: ${found.name}, ${percent(found.probability)} sure.`);
    note(home, found.note);
    $("#why").src = found.overlay;
    $("#why").alt = `The pixels that speak for ${found.name}, and those against it`;
    $(".relative", home).textContent = `Relative to ${found.relative_to}; what is not drawn is credited with nothing.`;
    $(".pictures", home).hidden = false;
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); answer(); });
  $("#clear").addEventListener("click", () => {
    clear();
    example = null;
    $(".pictures", home).hidden = true;
    note(home, "");
    $(".relative", home).textContent = "";
    say(home, "Nothing is drawn yet.");
  });
  $("#example").addEventListener("click", () => during(home, async () => {
    const { examples } = known[what()] ??= await ask(what());
    if (!examples.length) throw new Error("The record keeps no example. Draw one.");
    example = examples[turns++ % examples.length];
    const small = $("#given").getContext("2d", { willReadFrequently: true });
    const data = example.flat().flatMap((value) => [value, value, value, 255]);
    small.putImageData(new ImageData(new Uint8ClampedArray(data), 28, 28), 0, 0);
    pen.imageSmoothingEnabled = false;
    pen.drawImage($("#given"), 0, 0, 280, 280);
    await answer();
  }));
  const show = () => during(home, async () => introduce(home, known[what()] ??= await ask(what())));
  for (const each of form.elements.what) each.addEventListener("change", () => { $("#clear").click(); show(); });
  clear();
  await show();
}

"use strict";
// The page asks its own server for what a model says, and shows it. Nothing is loaded from anywhere else.

const $ = (selector, home = document) => home.querySelector(selector);
const made = (name, more = {}, ...children) => {
  const element = Object.assign(document.createElement(name), more);
  element.append(...children);
  return element;
};
const drawn = (name, attributes) => {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
};
const percent = (share) => share > 0.999 ? "more than 99.9 %" : share < 0.001 ? "less than 0.1 %"
  : (100 * share).toFixed(1) + " %";
const short = (value) => (typeof value === "number" ? String(Number(value.toPrecision(5))) : value);

async function ask(name, body) {
  const post = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const answer = await fetch("sections/" + name, body ? post : {});
  const found = await answer.json().catch(() => ({ error: "The server does not answer as expected." }));
  if (!answer.ok) throw new Error(found.error);
  return found;
}

function say(home, text, error = false) {
  const said = $(".said", home);
  said.textContent = text;
  said.classList.toggle("error", error);
}

function note(home, text) {
  const place = $(".note", home);
  place.hidden = !text;
  place.textContent = text ? "Doubtful: " + text : "";
}

// Wait with the buttons, show what went wrong in its section.
async function during(home, work) {
  const buttons = home.querySelectorAll("button");
  for (const each of buttons) each.disabled = true;
  home.setAttribute("aria-busy", "true");
  try {
    await work();
  } catch (error) {
    say(home, error.message, true);
  } finally {
    for (const each of buttons) each.disabled = false;
    home.removeAttribute("aria-busy");
  }
}

const samples = new Set();
function introduce(home, known) {
  $(".by", home).textContent = `${known.title} answers` + (known.data === "sample" ? ", made from samples." : ".");
  if (known.data !== "sample") return;
  samples.add(known.case);
  const banner = $("#banner");
  banner.hidden = false;
  banner.textContent = "Made from samples, not from real data: these answers show how it works, and are no results " +
    `(${[...samples].sort().join(", ")}).`;
}

function reasons(home, found) {
  const most = Math.max(...found.parts.map((part) => Math.abs(part.effect)), 1e-12);
  const table = made("table", {}, made("caption", {
    textContent: `What counts most: what each adds to ${found.effect_on}, relative to ${found.relative_to}`,
  }));
  for (const part of found.parts) {
    const bar = drawn("svg", { viewBox: "-100 0 200 14", preserveAspectRatio: "none", "aria-hidden": "true" });
    const length = 98 * Math.abs(part.effect) / most;
    const up = part.effect > 0;
    bar.append(
      drawn("line", { x1: 0, x2: 0, y1: 0, y2: 14, stroke: "#7b8794" }),
      drawn("rect", { x: up ? 0 : -length, y: 2, width: length, height: 10, fill: up ? "#d9731a" : "white",
        stroke: up ? "#d9731a" : "#1f6fb2", "stroke-width": 2, "vector-effect": "non-scaling-stroke" }),
    );
    const number = (up ? "+" : "−") + Math.abs(part.effect).toPrecision(2);
    table.append(made("tr", {}, made("th", { scope: "row", textContent: part.name }),
      made("td", { textContent: short(part.value) }), made("td", { className: "number", textContent: number }),
      made("td", { className: "bar" }, bar)));
  }
  $(".reasons", home).replaceChildren(table);
}

// ---- a form of a row's columns, and examples to begin with
function fill(home, known) {
  const fields = known.fields.map((field) => {
    const input = field.words
      ? made("select", { name: field.name }, ...field.words.map((word) => made("option", { textContent: word })))
      : made("input", { name: field.name, type: "number", step: field.whole ? "1" : "any", required: true });
    const range = field.low === null ? "" : `${field.low} to ${field.high}`;
    return made("label", { title: range }, field.name, input);
  });
  $(".fields", home).replaceChildren(...fields);
  let turn = 0;
  const show = () => {
    const row = known.examples.length ? known.examples[turn++ % known.examples.length] : {};
    for (const [name, value] of Object.entries(row)) $("form", home).elements[name].value = value;
  };
  show();
  $(".next", home).addEventListener("click", show);
  $("form", home).noValidate = true; // the server says what is wrong with a value, as it does for `predict`
}

function row(home, known) {
  const values = {};
  for (const { name, words } of known.fields) {
    const text = $("form", home).elements[name].value;
    values[name] = words ? text : text.trim() === "" ? null : Number(text);
  }
  return { values };
}

// ---- the sections; `look` is in board.js
async function drawing() {
  const home = $("#drawing"), form = $("form", home), slider = $("#between");
  const known = await ask("drawing");
  introduce(home, known);
  form.elements.digit.append(...Array.from({ length: known.digits }, (_, k) => made("option", { textContent: k })));
  form.elements.digit.value = 7;
  let frames = [];
  const show = () => {
    const k = Number(slider.value), share = Math.round(100 * k / (frames.length - 1));
    const where = `${share} % of the way from seed ${form.elements.seed.value} to ${form.elements.other.value}`;
    $("#drawn").src = frames[k];
    $("#drawn").alt = `A ${form.elements.digit.value} as the network draws it, ${where}`;
    $("#drawn-where").textContent = where;
    slider.setAttribute("aria-valuetext", where);
    [...$("#strip").children].forEach((each, place) => each.classList.toggle("here", place === k));
  };
  slider.addEventListener("input", show);
  form.noValidate = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    during(home, async () => {
      const [digit, seed, other] = ["digit", "seed", "other"].map((name) => {
        const text = form.elements[name].value;
        return text === "" ? null : Number(text);
      });
      ({ frames } = await ask("drawing", { digit, seed, other }));
      $("#strip").replaceChildren(...frames.map((src) => made("img", { src, alt: "" })));
      slider.max = frames.length - 1;
      slider.value = 0;
      $(".pictures", home).hidden = false;
      say(home, `A ${digit}, drawn from noise.`);
      show();
    });
  });
}

async function writing() {
  const home = $("#writing"), form = $("form", home);
  const known = await ask("writing");
  introduce(home, known);
  form.elements.prompt.value = known.prompt;
  form.noValidate = true;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    during(home, async () => {
      const prompt = form.elements.prompt.value, seed = form.elements.seed.value;
      const { texts } = await ask("writing", { prompt, seed: seed === "" ? null : Number(seed) });
      say(home, "Three temperatures, one seed:");
      $(".texts", home).replaceChildren(...texts.map(({ temperature, text }) => made("article", {},
        made("h3", { textContent: `Temperature ${temperature}` }),
        made("pre", {}, made("b", { textContent: text.slice(0, prompt.length) }), text.slice(prompt.length)))));
    });
  });
}

async function client() {
  const home = $("#client");
  const known = await ask("client");
  introduce(home, known);
  fill(home, known);
  $("form", home).addEventListener("submit", (event) => {
    event.preventDefault();
    during(home, async () => {
      const found = await ask("client", row(home, known));
      const called = found.name === found.classes[1] ? "worth a call" : "not worth a call";
      say(home, `${percent(found.probability)} likely to say ${found.classes[1]}; ${called}, since calls pay from ` +
        `${percent(found.threshold)} on.`);
      note(home, found.note);
      reasons(home, found);
    });
  });
}

function shade(share) { // cividis, which colour-blind readers see as others do
  const stops = [[0, 34, 78], [87, 92, 109], [166, 157, 117], [253, 231, 55]], at = Math.min(0.9999, share) * 3;
  const k = Math.floor(at), rest = at - k;
  return `rgb(${stops[k].map((low, j) => Math.round(low + rest * (stops[k + 1][j] - low))).join(",")})`;
}

async function transaction() {
  const home = $("#transaction");
  const known = await ask("transaction");
  introduce(home, known);
  fill(home, known);
  const [xs, ys] = [0, 1].map((k) => known.places.map((each) => each[k]));
  const svg = drawn("svg", { role: "img", "aria-label": "The map", viewBox:
    `-1 -1 ${Math.max(...xs) + 2} ${Math.max(...ys) + 2}` });
  const corners = known.hexagonal ? 6 : 4, radius = known.hexagonal ? 1 / Math.sqrt(3) : Math.SQRT1_2;
  const ordered = [...known.distances].sort((a, b) => a - b), rank = new Map(ordered.map((each, k) => [each, k]));
  known.places.forEach(([x, y], k) => {
    const points = Array.from({ length: corners }, (_, j) => {
      const angle = (known.hexagonal ? Math.PI / 6 : Math.PI / 4) + j * 2 * Math.PI / corners;
      return `${(x + radius * Math.cos(angle)).toFixed(3)},${(y + radius * Math.sin(angle)).toFixed(3)}`;
    });
    const fill = shade(rank.get(known.distances[k]) / ordered.length);
    svg.append(drawn("polygon", { points: points.join(" "), fill, stroke: fill, "stroke-width": 0.03 }));
  });
  const marks = [["black", 0.32], ["white", 0.14]].map(([stroke, width]) =>
    drawn("circle", { r: 0.8, fill: "none", stroke, "stroke-width": width, visibility: "hidden" }));
  svg.append(...marks);
  $("#map").replaceChildren(svg);
  $("form", home).addEventListener("submit", (event) => {
    event.preventDefault();
    during(home, async () => {
      const found = await ask("transaction", row(home, known));
      const [x, y] = known.places[found.row * known.columns + found.column];
      for (const each of marks) {
        for (const [key, value] of Object.entries({ cx: x, cy: y, visibility: "visible" })) each.setAttribute(key, value);
      }
      const where = `row ${found.row}, column ${found.column}`;
      svg.setAttribute("aria-label", `The map, the payment at ${where}`);
      say(home, `${found.suspicious ? "Suspicious" : "Not suspicious"}: its outlier score is ` +
        `${found.score.toFixed(3)}, and from ${found.threshold.toFixed(3)} on a payment is called so. It lies at ` +
        `${where}, in the ring.`);
      note(home, found.note);
      reasons(home, found);
    });
  });
}

for (const [name, section] of Object.entries({ look, drawing, writing, client, transaction })) {
  section().catch((error) => {
    const home = document.getElementById(name);
    say(home, error.message, true);
    for (const each of home.querySelectorAll("button")) each.disabled = true;
  });
}

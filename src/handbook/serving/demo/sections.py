"""What each section of the page shows of its model, and what it answers: plain types in, plain types out.

All that comes in passes the checks of `predict`; what these refuse is a HandbookError, what they doubt a note.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

import numpy as np

from handbook.errors import HandbookError
from handbook.serving import inputs
from handbook.serving.choice import Chosen, columns_of, form_of, settings_of
from handbook.serving.demo.models import known
from handbook.serving.inputs import Batch
from handbook.serving.prediction import predicted
from handbook.serving.reasons import Reason, explain

TEMPERATURES = (0.4, 0.8, 1.2)  # surer than the text that was learnt from, about as sure, bolder
LENGTH, LONGEST = 240, 400  # characters that are written, and that a prompt may have: a second or two on two cores
FRAMES = 9  # from one seed to the other
SHOWN = 8  # attributes whose part in an answer is listed

Body = dict[str, Any]


def describe(section: str, chosen: Chosen) -> Body:
    """What the page needs to show the section."""
    return known(chosen) | DESCRIBED[section](chosen)


def answer(section: str, chosen: Chosen, body: Body) -> Body:
    """The answer to what was brought; HandbookError says what is wrong with it."""
    return known(chosen) | ANSWERED[section](chosen, body)


def _classes(chosen: Chosen) -> Body:
    """A few pictures to begin with, for whoever cannot or will not draw."""
    examples = [] if chosen.example is None else chosen.example[:4].tolist()
    return {"classes": list(chosen.model.facts["classes"]), "examples": examples}


def _digits(chosen: Chosen) -> Body:
    return {"digits": int(chosen.model.facts["classes"]), "frames": FRAMES}


def _temperatures(_: Chosen) -> Body:
    return {"temperatures": list(TEMPERATURES), "longest": LONGEST, "prompt": "Enter Macbeth. "}


def _fields(chosen: Chosen) -> Body:
    """The columns that the model needs, what each may hold, and rows to begin with."""
    columns = columns_of(chosen)
    fields = [
        {"name": name, "words": sorted(each.words) if each.words is not None else None, "whole": each.kind is int,
         "low": each.low, "high": each.high}
        for name, each in sorted(columns.items(), key=_counted)
    ]  # fmt: skip
    rows = [] if chosen.example is None else chosen.example[list(columns)].to_dict("records")
    return {"fields": fields, "examples": [{name: _plain(value) for name, value in row.items()} for row in rows]}


def _counted(item: tuple[str, Any]) -> tuple[str, int]:
    """V2 before V10, as people count."""
    word = item[0].rstrip("0123456789")
    return word, int(item[0][len(word) :] or 0)


def _map(chosen: Chosen) -> Body:
    """The fields, and the map: how far each unit lies from its neighbours, (units,), and where it is drawn."""
    from handbook.cases.self_organising_map import maps

    grid, nodes = chosen.model.grid, chosen.model.nodes.cpu()
    far = maps.u_matrix(nodes, grid)
    return _fields(chosen) | {
        "places": grid.positions().tolist(), "distances": far.tolist(), "hexagonal": grid.hexagonal,
        "columns": grid.columns,
    }  # fmt: skip


def see(chosen: Chosen, body: Body) -> Body:
    """What a picture shows, how sure that is, and which of its pixels speak for it."""
    from handbook.serving.reasons.gradients import overlay

    batch = inputs.array([_list(body, "pixels")], form_of(chosen), ["your drawing"])
    row, note = _one(chosen, batch)
    (reason,) = explain(chosen, batch)
    assert reason.pixels is not None  # of a picture it has them
    return {
        "name": str(row["name"]), "probability": float(row["probability"]), "note": note,
        "overlay": _png(overlay(batch.data[0], reason.pixels)), "relative_to": reason.relative_to,
    }  # fmt: skip


def draw(chosen: Chosen, body: Body) -> Body:
    """What the generator draws of a digit for a seed, for another, and between the two."""
    import pandas as pd
    import torch

    from handbook.evaluation.likeness import great_circle
    from handbook.training import adversarial

    seeds = [body.get("seed"), body.get("other")]
    table = pd.DataFrame({"seed": seeds, "label": [body.get("digit")] * 2}, dtype=object)
    batch = inputs.requested(table, "seed", settings_of(chosen))
    _, _, refused = predicted(chosen, batch)
    _refuse([*batch.faults, *refused])
    start, end = torch.from_numpy(adversarial.latents(np.array(seeds, dtype=np.int64), chosen.model.params.latent))
    way = great_circle(start, end, FRAMES) if seeds[0] != seeds[1] else start.expand(FRAMES, -1)
    wanted = pd.DataFrame({"latent": way.tolist(), "label": int(body["digit"])})
    return {"frames": [_png(each) for each in chosen.case.page.predict(chosen.model, wanted)]}


def write(chosen: Chosen, body: Body) -> Body:
    """How the model goes on from a prompt at each temperature, by one seed."""
    import pandas as pd

    prompt = body.get("prompt")
    if isinstance(prompt, str) and len(prompt) > LONGEST:
        raise HandbookError(f"the prompt is too long: expected {LONGEST} characters at most, found {len(prompt):,}")
    table = pd.DataFrame(
        {"prompt": [prompt] * 3, "temperature": TEMPERATURES, "length": [LENGTH] * 3, "seed": [body.get("seed", 0)] * 3}
    ).astype({"prompt": object, "seed": object})
    batch = inputs.requested(table, "prompt")
    kept, found, refused = predicted(chosen, batch)
    _refuse([*batch.faults, *refused])
    texts = dict(zip(kept, found["text"], strict=True))
    return {"texts": [{"temperature": each, "text": texts[k]} for k, each in enumerate(TEMPERATURES)]}


def judge(chosen: Chosen, body: Body) -> Body:
    """What a client will probably answer, and what each attribute adds to the probability."""
    batch = _row(chosen, body)
    row, note = _one(chosen, batch)
    return {
        "name": str(row["name"]), "probability": float(row["probability"]), "note": note,
        "classes": list(chosen.model.facts["classes"]), "threshold": float(chosen.model.facts["threshold"]),
    } | _why(explain(chosen, batch)[0])  # fmt: skip


def place(chosen: Chosen, body: Body) -> Body:
    """Where a row lies on the map, how outlying it is, and the attributes that make it so."""
    batch = _row(chosen, body)
    row, note = _one(chosen, batch)
    return {
        "score": float(row["outlier_score"]), "threshold": float(chosen.model.facts["threshold"]),
        "suspicious": bool(row["suspicious"]), "row": int(row["map_row"]), "column": int(row["map_column"]),
        "note": note,
    } | _why(explain(chosen, batch)[0])  # fmt: skip


def _row(chosen: Chosen, body: Body) -> Batch:
    import pandas as pd

    values = body.get("values")
    if not isinstance(values, dict):
        raise HandbookError(f"expected an object `values` with the columns, found {type(values).__name__}")
    return inputs.frame(pd.DataFrame([values], dtype=object), columns_of(chosen))


def _one(chosen: Chosen, batch: Batch) -> tuple[Any, str]:
    """The answer to a batch of one, and the note on it; HandbookError if it was refused."""
    _, found, refused = predicted(chosen, batch)
    _refuse([*batch.faults, *refused])
    return found.iloc[0], batch.notes[0]


def _refuse(faults: list[inputs.Fault]) -> None:
    problems = [f"{fault.column}: {fault.problem}" if fault.column else fault.problem for fault in faults]
    if problems:
        raise HandbookError("; ".join(dict.fromkeys(problems)))


def _why(reason: Reason) -> Body:
    parts = [{"name": part.name, "value": _plain(part.value), "effect": part.effect} for part in reason.parts[:SHOWN]]
    return {"parts": parts, "effect_on": reason.number, "relative_to": reason.relative_to}


def _list(body: Body, name: str) -> list[Any]:
    if not isinstance(body.get(name), list):
        raise HandbookError(f"expected a list `{name}`, found {type(body.get(name)).__name__}")
    return list(body[name])


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def _png(pixels: Any) -> str:
    """Pixels as an address that holds the picture itself."""
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode()


DESCRIBED: dict[str, Callable[[Chosen], Body]] = {
    "digit": _classes, "garment": _classes, "drawing": _digits, "writing": _temperatures, "client": _fields,
    "transaction": _map,
}  # fmt: skip
ANSWERED: dict[str, Callable[[Chosen, Body], Body]] = {
    "digit": see, "garment": see, "drawing": draw, "writing": write, "client": judge, "transaction": place,
}  # fmt: skip

"""python -m handbook export: a case's champion as one ONNX file, which answers without Python, torch or this package.

Inputs are as a user has them: pictures of 0-255, or a typed column each attribute. Outputs are the columns that
`predict` answers with, and all probabilities beside them. What scales and encodes the inputs, and the temperature that
the probabilities are calibrated by, is inside. A file is only written once ONNX Runtime has answered as the model does.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import handbook
from handbook.errors import HandbookError
from handbook.files.fresh import write_bytes
from handbook.project import Project
from handbook.serving import choice
from handbook.serving.answers import refuse_place
from handbook.serving.choice import Chosen
from handbook.serving.export import agreement
from handbook.serving.export.cases import graph_of

NEEDED = ("onnx", "onnxruntime", "skl2onnx")


def export(project: Project, name: str, to: Path, version: str = "", force: bool = False) -> str:
    """Write a model as an ONNX file; says what it is, and by how many inputs it was checked.

    The model is the one that `predict` takes. HandbookError, and no file, where the place is taken, a library is
    missing, the model cannot be a graph, or ONNX Runtime does not answer as it does.
    """
    refuse_place(to, (), folder=False)
    if to.exists() and not force:
        raise HandbookError(f"{to} is there already. Name another file, or replace it: --force")
    if missing := [each for each in NEEDED if importlib.util.find_spec(each) is None]:
        raise HandbookError(
            f"export needs {', '.join(missing)}, which the extra `onnx` brings: sh requirements/setup.sh add onnx"
        )
    chosen = choice.choose(project, name, version)
    content = written(chosen)
    ready = agreement.session(content)
    checked = agreement.check(chosen, ready)
    write_bytes(to, content)
    return (
        f"{chosen.title} is in {to} ({len(content):,} bytes): ONNX Runtime answers {checked} inputs as it does.\n"
        f"Inputs and outputs: {agreement.signature(ready)}"
    )


def written(chosen: Chosen) -> bytes:
    """The file of a model; the same for the same model."""
    content: bytes = graph_of(chosen).model(_described(chosen), facts_of(chosen)).SerializeToString(deterministic=True)
    return content


def _described(chosen: Chosen) -> str:
    first = (chosen.case.page.__doc__ or "").strip().partition("\n")[0]
    return f"{chosen.title}: {first}"


def facts_of(chosen: Chosen) -> dict[str, str]:
    """What the file says of itself, a text each: which model it is, and what its classes are called."""
    entry, facts = chosen.entry, chosen.model.facts
    known: dict[str, Any] = {
        "case": chosen.case.name,
        "version": chosen.title.rpartition(" ")[2] if entry else "",
        "content": entry.get("content", ""),  # the hash that the registry names it by
        "dataset": chosen.case.dataset,
        "data": entry.get("data", ""),
        "classes": json.dumps(facts.get("dex") or facts.get("classes") or []),
        "handbook": handbook.__version__,
    }
    if "threshold" in facts:
        known["threshold"] = repr(facts["threshold"])
    if "temperature" in facts:
        known["temperature"] = repr(facts["temperature"])
    return {key: str(value) for key, value in known.items()}

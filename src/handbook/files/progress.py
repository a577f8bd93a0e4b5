"""How far a long step has come, for whoever shows it: a small file, replaced as the step goes on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from handbook.files.formats import write_json


@dataclass(frozen=True)
class Progress:
    """What is done of a step: `done` of `of`, epochs or trials, 1 or more."""

    done: int
    of: int

    @property
    def percent(self) -> float:
        return 100 * self.done / self.of


def place(cache: Path, step: str) -> Path:
    """Where a step such as `train@lenet` says how far it is."""
    return cache / "progress" / f"{step}.json"


def write(path: Path, done: int, of: int) -> None:
    write_json(path, {"done": done, "of": of})


def read(path: Path) -> Progress | None:
    """How far the step is; None where it has said nothing yet, or nothing that can be read."""
    try:
        said = json.loads(path.read_text())
        return Progress(int(said["done"]), max(1, int(said["of"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None

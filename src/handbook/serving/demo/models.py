"""The models that the page asks, each loaded when its section is first looked at, and asked by one at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from handbook.data.provenance import is_sample
from handbook.errors import HandbookError
from handbook.project import Project
from handbook.serving import choice
from handbook.serving.choice import Chosen

# The case whose champion answers in each section. Of the bank's models, one that knows nothing of the call itself.
CASES = {
    "digit": "digits",
    "garment": "cnn",
    "drawing": "gan_conditional",
    "writing": "char_lstm",
    "client": "boosting_before_call",
    "transaction": "som_transactions",
}


class Models:
    """Champions by section. A network keeps its state between two calls, so it is asked by one at a time."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.chosen: dict[str, Chosen] = {}
        self.locks = {section: threading.Lock() for section in CASES}

    def ask(self, section: str, what: Callable[[Chosen], dict[str, Any]]) -> dict[str, Any]:
        """What `what` says of the section's model; HandbookError, with what to type, where there is none."""
        with self.locks[section]:
            if section not in self.chosen:
                self.chosen[section] = self._champion(CASES[section])
            return what(self.chosen[section])

    def _champion(self, name: str) -> Chosen:
        if name not in self.project.cases():
            raise HandbookError(f"params.yaml has no case {name!r}, so nobody answers here. Put its block back")
        return choice.choose(self.project, name)


def known(chosen: Chosen) -> dict[str, Any]:
    """Which version answers, and whether it was made from real data or from samples."""
    data = chosen.entry.get("data") or ("sample" if chosen.data and is_sample(chosen.data) else "real")
    return {"title": chosen.title, "data": data, "case": chosen.case.name}

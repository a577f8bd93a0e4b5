"""A served model's answers by ONNX Runtime, where that is there and answers as the model does.

A picture, or a row, takes it between a fifth and a twenty-eighth of the processor's time that the page's own way takes,
most of which goes to tables. Whatever it cannot answer the page does: it never refuses, and nothing depends on it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from handbook.errors import HandbookError
from handbook.serving.choice import Chosen

ALL = "probabilities"  # the one output of a file that `predict` does not answer with


def answering(chosen: Chosen) -> Callable[[Any], Any]:
    """What answers to inputs (N) of a model: ONNX Runtime, by columns (N), or, where it cannot, the page itself."""

    def by_the_page(data: Any) -> Any:
        return chosen.case.page.predict(chosen.model, data)

    session = _session(chosen)
    if session is None:
        return by_the_page
    from handbook.serving.export import agreement

    order = [each.name for each in session.get_outputs() if each.name != ALL]

    def quickly(data: Any) -> Any:
        with contextlib.suppress(Exception):  # whatever is wrong with the inputs, the page says it
            found = agreement.answers(session, data)
            return {name: found[name] for name in order}
        return by_the_page(data)

    return quickly


def _session(chosen: Chosen) -> Any:
    """The model as a graph that was held against it; None without the extra `onnx`, or for what is no graph."""
    try:
        from handbook.serving import export
        from handbook.serving.export import agreement

        session = agreement.session(export.written(chosen))
        agreement.check(chosen, session)
        return session
    except (HandbookError, ImportError):
        return None

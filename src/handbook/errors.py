"""Errors as a person needs them: what went wrong, where, what was expected, what was found, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class HandbookError(Exception):
    """An error whose message is the whole story; shown without a traceback."""


def unknown(kind: str, name: str, choices: Iterable[str]) -> HandbookError:
    """`no case 'lenett'; choose from lenet, digits (did you mean lenet?)`."""
    names = sorted(choices)
    near = get_close_matches(name, names, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    return HandbookError(f"no {kind} {name!r}; choose from {', '.join(names) or 'none'}{hint}")

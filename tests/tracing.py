"""Which definitions of this package run."""

from __future__ import annotations

import ast
import functools
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import handbook
from handbook.sources import Module, Name, Package

HOME = Path(handbook.__file__).parent


@contextmanager
def traced() -> Iterator[set[Name]]:
    """The definitions of this package that run inside of the block, in whichever thread."""
    ran: set[Name] = set()
    codes: dict[Any, None] = {}

    def note(frame: FrameType, *_: Any) -> None:
        codes[frame.f_code] = None  # and nothing back: of a call all that is asked is which code it runs

    threading.settrace(note)
    sys.settrace(note)
    try:
        yield ran
    finally:
        sys.settrace(None)
        threading.settrace(None)  # type: ignore[arg-type]
        ran |= _definitions(codes)


@functools.cache
def _modules() -> dict[str, Module]:
    """The modules of this package by their files, read once."""
    return {str(module.path): module for module in Package(HOME).modules.values()}


def _definitions(codes: Any) -> set[Name]:
    found = set()
    for code in codes:
        module = _modules().get(code.co_filename)
        if module is None or code.co_name == "<module>":
            continue
        for name, statements in module.definitions.items():
            if any(_first(each) <= code.co_firstlineno <= (each.end_lineno or 0) for each in statements):
                found.add((module.name, name))
    return found


def _first(statement: ast.stmt) -> int:
    return min([statement.lineno, *(each.lineno for each in getattr(statement, "decorator_list", []))])

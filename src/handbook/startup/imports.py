"""Imports that cost less: what a verb waits for is mostly its libraries."""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any


def calm_collector() -> None:
    """Let the garbage collector look hardly ever, and not at the end: what imports make stays.

    At its usual threshold of 700 objects it takes a third of an import's time, at 100,000 a tenth. What is counted is
    what was made and not freed, so work that frees what it makes comes no nearer to a million. As the process ends
    Python would look through everything again, for half a second to a second.
    """
    gc.set_threshold(1_000_000, 50, 100)
    atexit.register(gc.freeze)


@contextlib.contextmanager
def absent(*names: str) -> Iterator[None]:
    """Libraries that are optional to who imports in here are not there for it, unless they are loaded already."""
    hidden = [name for name in names if name not in sys.modules]
    known: dict[str, ModuleType | None] = sys.modules  # type: ignore[assignment]
    known |= dict.fromkeys(hidden)  # None is what an import takes for absent
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


class _Later(ModuleType):
    """Stands in for a module until something in it is asked for. `importlib.util.LazyLoader` loads at any look."""

    def __getattr__(self, name: str) -> Any:
        own = self.__name__
        if sys.modules.get(own) is self:
            del sys.modules[own]
        return getattr(importlib.import_module(own), name)


def later(name: str) -> None:
    """Load a module when something in it is first asked for, not when it is imported."""
    spec = importlib.util.find_spec(name)
    if name in sys.modules or spec is None:
        return
    module = _Later(name)
    module.__spec__ = spec
    sys.modules[name] = module
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, module)

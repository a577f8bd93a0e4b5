"""A page (or a folder of pages) a worked chapter without a model to keep. Found by looking; to add one, write it.

A lab has `figures() -> dict[str, Figure]`, `checks() -> dict[str, float | bool]`, and, where something has to move,
`animations() -> dict[str, Callable[[Path], None]]`: each writes a GIF to the path it is given. A lab that shows real
pictures names them, `DATASET = "fashion_mnist"`, and all of its functions are given what that dataset's `load` returns.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from types import ModuleType

from handbook.errors import unknown


def names() -> list[str]:
    """The labs there are, without importing any."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def page(name: str) -> ModuleType:
    """The lab of that name; a HandbookError lists the labs there are."""
    if name not in names():
        raise unknown("lab", name, names())
    return import_module(f"{__name__}.{name}")

"""A page a model. Pages are found by looking; to add one, write it."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from types import ModuleType

from handbook.errors import unknown


def names() -> list[str]:
    """The pages there are, without importing any."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def page(name: str) -> ModuleType:
    """The page of that name; a HandbookError lists the pages there are."""
    if name not in names():
        raise unknown("case page", name, names())
    return import_module(f"{__name__}.{name}")

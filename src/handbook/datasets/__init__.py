"""A page a dataset. Pages are found by looking; to add one, write it."""

from __future__ import annotations

from types import ModuleType

from handbook import contract


def names() -> list[str]:
    """The pages there are, without importing any."""
    return contract.names(__path__)


def page(name: str) -> ModuleType:
    """The page of that name; a HandbookError lists the pages there are."""
    return contract.page("dataset", __name__, __path__, name)

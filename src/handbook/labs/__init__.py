"""A page (or a folder of pages) a worked chapter without a model to keep. Found by looking; to add one, write it.

What a lab offers, `contract.LabPage` and `contract.Lab` say.
"""

from __future__ import annotations

from types import ModuleType

from handbook import contract


def names() -> list[str]:
    """The labs there are, without importing any."""
    return contract.names(__path__)


def page(name: str) -> ModuleType:
    """The lab of that name; a HandbookError lists the labs there are."""
    return contract.page("lab", __name__, __path__, name)

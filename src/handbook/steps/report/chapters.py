"""The book's chapters, and which of them a page belongs to: the one that its docstring names first."""

from __future__ import annotations

import re
from collections.abc import Callable

from handbook import labs
from handbook.project import Project

CHAPTERS = {
    1: "Introduction",
    2: "Machine learning",
    3: "Neural networks",
    4: "Convolutional networks",
    5: "Recurrent networks",
    6: "Generative adversarial networks",
    7: "Radial basis function networks",
    8: "Self-organising maps",
}
OUTSIDE = 0  # of a page that names none
NAMED = re.compile(r"\b(?:chapters?|sections?) (\d+)")


def named(docstring: str | None) -> int:
    """The chapter that a docstring names first, as in "(section 3.13; LeCun 1998)"; OUTSIDE if it names none."""
    found = NAMED.search(docstring or "")
    return int(found[1]) if found and int(found[1]) in CHAPTERS else OUTSIDE


def title(chapter: int) -> str:
    """The heading of what belongs to a chapter."""
    return f"Chapter {chapter} · {CHAPTERS[chapter]}" if chapter in CHAPTERS else "Not in the book"


def cases(project: Project) -> dict[int, list[str]]:
    """The cases by chapter, in the book's order; inside a chapter in that of params.yaml."""
    return _grouped(project.cases(), lambda name: project.case(name).page.__doc__)


def worked(project: Project) -> dict[int, list[str]]:
    """The labs likewise."""
    return _grouped(project.labs(), lambda name: labs.page(name).__doc__)


def _grouped(names: list[str], docstring: Callable[[str], str | None]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for name in names:
        found.setdefault(named(docstring(name)), []).append(name)
    return {chapter: found[chapter] for chapter in (*CHAPTERS, OUTSIDE) if chapter in found}

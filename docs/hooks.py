"""What MkDocs calls while it builds: the pages that are made, and their places in the navigation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from docs import claims, reference
from docs import map as book_map
from handbook.project import Project

ROOT = Path(__file__).parent.parent
MAP, CLAIMS = "book.md", "claims.md"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Decisions and reference stand in the navigation, a line a page."""
    decisions = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("2*.md"))
    for section in config.nav or []:
        if "Decisions" in section:
            section["Decisions"] = ["decisions/index.md", *(f"decisions/{name}" for name in decisions)]
        if "Reference" in section:
            section["Reference"] = _reference()
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The book's map, its claims and the reference, as if they were written down."""
    made = {MAP: book_map.page(Project(ROOT)), CLAIMS: claims.page(Project(ROOT))}
    made |= {f"reference/{name}": text for name, text in _pages().items()}
    for name, text in made.items():
        files.append(File.generated(config, name, content=text))
    return files


def _pages() -> dict[str, str]:
    return reference.pages(ROOT / "src" / "handbook")


def _reference() -> list[Any]:
    """Rooms by name; those of pages as folders."""
    nav: list[Any] = ["reference/index.md"]
    folders: dict[str, list[str]] = {}
    for name in sorted(set(_pages()) - {"index.md"}):
        room, _, page = name.partition("/")
        if page:
            folders.setdefault(room, []).append(f"reference/{name}")
        else:
            nav.append({room.removesuffix(".md"): f"reference/{name}"})
    nav += [{room: sorted(pages, key=lambda each: not each.endswith("/index.md"))} for room, pages in folders.items()]
    return nav

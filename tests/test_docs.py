"""The documentation: the book's map names what there is, links lead somewhere, the site loads nothing from afar."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from docs import claims as claims_page
from docs import map as book_map
from docs import reference
from handbook import claims
from handbook.errors import HandbookError
from handbook.project import Project
from handbook.steps.report import readme
from tests.conftest import ROOT
from tests.test_requirements import INSTALLED, needed, pins

DOCS = ROOT / "docs"
DECISIONS = sorted(path.name for path in (DOCS / "decisions").glob("2*.md"))
MARKDOWN = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "mlruns" / "README.md", *sorted(DOCS.rglob("*.md"))]
RUNS = ("book.md", "claims.md", "reference/")  # pages that only the site has
LINK = re.compile(r"\]\(([^)\s#]+)")
EXTERNAL = re.compile(r"^(https?:)?//")


def named(kind: str) -> list[str]:
    return [name for section in book_map.sections() for name in section.get(kind, [])]


def test_the_map_names_every_case_lab_and_dataset_and_nothing_that_is_not_there() -> None:
    project = Project(ROOT)
    assert set(named("cases")) == set(project.cases())
    assert set(named("labs")) == set(project.labs())
    assert set(named("datasets")) == set(project.datasets())
    rooms = {path.parent.name for path in (ROOT / "src" / "handbook").glob("*/__init__.py")}
    assert set(named("rooms")) <= rooms


def test_the_map_has_a_line_for_every_thing_and_every_figure_that_it_names() -> None:
    text = book_map.page(Project(ROOT))
    assert text.count("| `lab@") == len(named("labs"))
    assert text.count("| `train@") == len(named("cases"))
    assert "84.12 %" in text


def test_the_map_says_of_its_sections_how_many_claims_they_print() -> None:
    counted = book_map.claimed()
    assert sum(counted.values()) == len(list(claims.claims()))
    unplaced = set(counted) - {each["section"] for each in book_map.sections()}
    assert unplaced <= {"7"}  # what a chapter says before its first section
    text = book_map.page(Project(ROOT))
    assert f"| 8.5.1 | Credit card fraud: the data that the text describes ([{counted['8.5.1']} printed claims]" in text
    assert text.count(" printed claim") == len(set(counted) - unplaced)


def test_a_map_that_names_what_was_not_measured_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = tmp_path / "book.yaml"
    section = "{section: '3.2', words: units, labs: [units], check: no such fact}"
    book.write_text(f"chapters:\n  - {{chapter: 3, words: networks, sections: [{section}]}}\n")
    chapters = book_map.book(book)
    monkeypatch.setattr(book_map, "book", lambda: chapters)
    with pytest.raises(HandbookError, match=r"3\.2: the lab units measures no 'no such fact'"):
        book_map.page(Project(ROOT))


def test_the_page_of_claims_has_every_row_and_counts_them_by_chapter() -> None:
    text = claims_page.page(Project(ROOT))
    for chapter, rows in claims.LEDGER.items():
        lines = text.partition(f"\n## {chapter} · ")[2].partition("\n## ")[0].splitlines()
        assert [line.split(" | ")[0] for line in lines if line.startswith("| ")][1:] == [f"| {r.section}" for r in rows]
        assert f" | {len(rows)} | {' | '.join(map(str, claims.counted(chapter).values()))} |" in text


def test_the_page_of_claims_has_every_setting_of_the_books_recipes() -> None:
    text = claims_page.page(Project(ROOT)).partition("\n## The recipes' settings\n")[2]
    lines = [line for line in text.splitlines() if line.startswith("| ")][1:]
    assert [line.split(" | ")[:2] for line in lines] == [[f"| {r.section}", f"`{r.case}`"] for r in claims.SETTINGS]
    assert all(line.count(" | ") == 5 for line in lines)


@pytest.fixture(scope="module")
def pages() -> Any:
    """The pages of the reference, by their paths: all of the package is read for them."""
    return reference.pages(ROOT / "src" / "handbook")


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_of_a_document_leads_to_a_file(path: Path, pages: Any) -> None:
    for link in LINK.findall(path.read_text(encoding="utf-8")):
        if EXTERNAL.match(link):
            continue
        if link.startswith(RUNS):
            assert link in ("book.md", "claims.md") or link.removeprefix("reference/") in pages, link
        else:
            assert (path.parent / link).exists(), link


def test_the_readme_has_its_marks_once_each() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.count(readme.START) == text.count(readme.END) == 1
    assert text.index(readme.START) < text.index(readme.END)


def test_the_readme_names_no_path_that_is_not_there_or_made() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    created = ("data", "models", "reports", "site", ".venv", ".sample")
    paths = [each for each in re.findall(r"`([\w.-]+/[\w./-]*)`", text) if not each.startswith(created)]
    assert [each for each in paths if not (ROOT / each).exists()] == []


def test_every_decision_is_a_file_of_its_own_that_the_index_lists_under_its_title() -> None:
    index = (DOCS / "decisions" / "index.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^- \[(.+)\]\((2.+\.md)\)", index, re.MULTILINE))
    titles = {name: (DOCS / "decisions" / name).read_text(encoding="utf-8").splitlines()[0][2:] for name in DECISIONS}
    assert {name: title for title, name in listed.items()} == titles
    for name in DECISIONS:
        assert (DOCS / "decisions" / name).read_text(encoding="utf-8").splitlines()[2] == name[:10]


def test_the_index_marks_the_decisions_that_say_they_no_longer_hold() -> None:
    index = (DOCS / "decisions" / "index.md").read_text(encoding="utf-8")
    for name in DECISIONS:
        first = (DOCS / "decisions" / name).read_text(encoding="utf-8").split("\n\n")[2]
        mark = re.match(r"\*\*(In part no longer so|No longer so|Not so)", first)
        line = next(each for each in index.splitlines() if f"({name})" in each)
        assert bool(mark) == line.endswith("no longer so)*"), name


def test_the_pins_of_the_documentation_are_all_that_it_needs() -> None:
    always = {*pins("build"), *pins("torch"), *pins("cuda"), *pins("handbook")}
    assert set(pins("docs")) == needed(*INSTALLED, "docs") - always


class Loads(HTMLParser):
    """What a page loads: scripts, styles, pictures, frames; not what it links to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        wanted = "href" if tag == "link" else "src"
        if tag != "a" and given.get("rel") != "canonical" and given.get(wanted):
            self.found.append(str(given[wanted]))


@pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="needs the extra `docs`: make docs")
def test_the_site_is_built_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(tmp_path / "site")]
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": path},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    pages = sorted((tmp_path / "site").rglob("*.html"))
    assert len(pages) > len(DECISIONS)
    for page in pages:
        loads = Loads()
        loads.feed(page.read_text(encoding="utf-8"))
        assert [each for each in loads.found if EXTERNAL.match(each)] == [], page
    for style in (tmp_path / "site").rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*['\"]?(https?:)?//", style.read_text(encoding="utf-8")), style

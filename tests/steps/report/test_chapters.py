"""Chapters: a page belongs to the one that its docstring names first, which is one where the map has it."""

from __future__ import annotations

import pytest

from docs import map as book_map
from handbook import labs
from handbook.project import Project
from handbook.steps.report import chapters
from tests.conftest import ROOT

PROJECT = Project(ROOT)


@pytest.mark.parametrize(
    ("docstring", "chapter"),
    [
        ("LeNet (section 3.13; LeCun 1998). Chapter 4 goes on.", 3), ("The classifiers of chapter 2, compared.", 2),
        ("Few labels (sections 1.2.2 and 4.2).", 1), ("Of chapter 12.", chapters.OUTSIDE), ("Ours.", chapters.OUTSIDE),
        (None, chapters.OUTSIDE),
    ],
)  # fmt: skip
def test_the_first_chapter_that_a_docstring_names_is_the_pages(docstring: str | None, chapter: int) -> None:
    assert chapters.named(docstring) == chapter


@pytest.mark.parametrize("kind", ["cases", "labs"])
def test_every_case_and_lab_stands_in_the_map_in_the_chapter_that_its_page_names(kind: str) -> None:
    grouped = chapters.cases(PROJECT) if kind == "cases" else chapters.worked(PROJECT)
    for chapter, names in grouped.items():
        sections = [each for part in book_map.book() if part["chapter"] == chapter for each in part["sections"]]
        mapped = {name for section in sections for name in section.get(kind, [])}
        for name in names:
            page = PROJECT.case(name).page if kind == "cases" else labs.page(name)
            assert name in mapped, (
                f"{name}: the docstring of {page.__name__} names {chapters.title(chapter)!r} first, "
                f"and docs/book.yaml has {name} in no section of it. Name the chapter in the docstring's title, "
                '"(section 5.6)", or add the section to the map'
            )


def test_the_groups_hold_everything_once_in_the_books_order() -> None:
    for grouped, known in ((chapters.cases(PROJECT), PROJECT.cases()), (chapters.worked(PROJECT), PROJECT.labs())):
        assert sorted(name for names in grouped.values() for name in names) == sorted(known)
        assert list(grouped) == sorted(grouped)


def test_the_chapters_are_those_of_the_map_and_what_is_outside_of_them_comes_last() -> None:
    assert [each["chapter"] for each in book_map.book()] == list(chapters.CHAPTERS)
    found = chapters._grouped(["ours", "lenet"], {"ours": "Ours.", "lenet": "LeNet (section 3.13)."}.get)
    assert list(found.items()) == [(3, ["lenet"]), (chapters.OUTSIDE, ["ours"])]
    assert chapters.title(chapters.OUTSIDE) == "Not in the book"

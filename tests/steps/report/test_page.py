"""The report's page: chapters, a table of contents that leads everywhere, what is new, and sources beside figures."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
import yaml

from handbook.files.formats import write_json
from handbook.project import Project
from handbook.steps.report import differences, page
from handbook.steps.report.table import shown
from tests.conftest import ROOT
from tests.toys import TRAINED

FIRST = {"first": True}


class Anchors(HTMLParser):
    """Every place of a page, and every link to one."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.scripts = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.scripts += tag == "script"
        if place := found.get("id"):
            self.ids.append(place)
        if (link := found.get("href")) and link.startswith("#"):
            self.links.append(link[1:])


@pytest.fixture
def few(project: Project) -> Project:
    """A checkout with three cases as evaluated, and one lab."""
    numbers = project.numbers()
    numbers["cases"] = {name: numbers["cases"][name] for name in ("lenet", "cnn", "char_lstm_book")}
    numbers["labs"] = ["units"]
    (project.root / "params.yaml").write_text(yaml.safe_dump(numbers, sort_keys=False))
    for name in numbers["cases"]:
        metrics = json.loads((ROOT / "reports" / name / "metrics.json").read_text(encoding="utf-8"))
        write_json(project.reports(name) / "metrics.json", metrics)
        write_json(project.reports(name) / "training.json", TRAINED)
    write_json(project.reports("labs") / "units" / "checks.json", {"one": 1.0, "two": True})
    (project.reports("labs") / "units" / "figures").mkdir()
    return project


def build(project: Project, changes: dict[str, Any] = FIRST) -> str:
    return page.build(project, changes)


def test_every_link_inside_the_page_leads_to_one_place_and_no_script_is_needed(few: Project) -> None:
    found = Anchors(build(few))
    assert len(found.ids) == len(set(found.ids))
    assert set(found.links) <= set(found.ids)
    assert found.scripts == 0


def test_the_contents_name_every_chapter_case_and_lab_in_the_order_of_the_page(few: Project) -> None:
    text = build(few)
    contents = text.partition('<nav class="contents"')[2].partition("</nav>")[0]
    listed = re.findall(r'href="#([^"]+)"', contents)
    assert listed == [
        "top", "chapter-3", "lenet", "lab-units", "chapter-4", "cnn", "chapter-5", "char_lstm_book", "claims", "data",
    ]  # fmt: skip
    places = [text.index(f' id="{each}"') for each in listed]
    assert places == sorted(places)
    assert re.search(r"\.contents \{ position: sticky", text)


def test_published_figures_lead_to_their_sources_and_a_leak_to_what_saw_test_rows(few: Project) -> None:
    text = build(few)
    assert '95.4 %<sup><a href="#source-3">3</a></sup>' in text
    assert '<li id="source-3">DenseNet-BC, 768,000 weights: <a href="https://github.com/zalandoresearch/' in text
    assert text.count('<a href="#leak-') == text.count('<li id="leak-') == text.count("Saw test rows.") == 1
    assert "<li>– for char_lstm_book: " in text


def test_the_first_sentence_says_real_data_only_where_all_are_real(few: Project) -> None:
    assert "rebuilt on real data by" in build(few)
    path = few.reports("lenet") / "metrics.json"
    path.write_text(path.read_text().replace('"data": "real"', '"data": "sample"'))
    text = build(few)
    assert "rebuilt on real data" not in text
    assert "some of it or all of it on samples" in text
    assert 'role="alert">SAMPLE DATA' in text


def test_what_is_new_is_said_at_the_top(few: Project) -> None:
    assert "No earlier build is known here" in build(few)
    now = differences.today(few)
    assert "Nothing else than before." in build(few, differences.changes(few, now, now))
    earlier = json.loads(json.dumps(now))
    earlier["cases"]["lenet"]["figures"]["accuracy"] = 0.9
    earlier["cases"]["gone_case"] = earlier["cases"].pop("cnn")
    earlier["labs"] = {}
    top = build(few, differences.changes(few, now, earlier)).partition('id="chapter-3"')[0]
    assert 'New cases: <a href="#cnn">cnn</a>.' in top
    assert "Gone cases: gone_case." in top
    assert 'New labs: <a href="#lab-units">units</a>.' in top
    found = re.escape(shown("accuracy", now["cases"]["lenet"]["figures"]["accuracy"]))
    assert re.search(rf'90\.00 %</td><td class="n best">{found}</td><td class="word">better', top)

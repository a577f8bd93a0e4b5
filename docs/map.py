"""The book's map: every section, what stands for it here, by which stages it is made, and what came out.

`book.yaml` says what belongs where; every figure is read from `reports/` when the page is made.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from handbook import claims
from handbook.errors import HandbookError
from handbook.project import Project
from handbook.registry import outlines
from handbook.steps.report.chapters import CHAPTERS
from handbook.steps.report.table import shown

BOOK = Path(__file__).with_name("book.yaml")
HEAD = """---
hide: [navigation]
---

# The book's map

The sections of the *Handbook of Deep Learning Models, Volume One*, in words of our own; the page of code that stands
for each; the stages that make its results; and the result as it stands in `reports/`. A section with "–" has no
counterpart here; what the book prints in it stands in [a ledger](claims.md), beside what comes out here. Case names
that end in `_book` follow the book's recipe; the others are ours. The page is rebuilt by `make docs`.

Scores of chapter 2 are means over folds where an algorithm is named, and on test rows otherwise. `dvc repro train@NAME`
and the like bring one stage up to date, with what it needs.
"""
COLUMNS = "| section | what | page | stages | result |\n|---|---|---|---|---|\n"
NOTHING = "–"


@dataclass(frozen=True)
class Row:
    """A line of the map: a thing that stands for a section."""

    page: str = NOTHING
    stages: str = NOTHING
    result: str = NOTHING


def book(path: Path = BOOK) -> list[dict[str, Any]]:
    """The chapters, each with its sections."""
    return list(yaml.safe_load(path.read_text(encoding="utf-8"))["chapters"])


def sections(path: Path = BOOK) -> Iterator[dict[str, Any]]:
    """The sections of all chapters, in order."""
    for chapter in book(path):
        yield from chapter["sections"]


def page(project: Project) -> str:
    """The map as Markdown."""
    parts, printed = [HEAD], claimed()
    for chapter in book():
        parts.append(f"## {chapter['chapter']} · {CHAPTERS[chapter['chapter']]}\n")
        lines = [
            line
            for each in chapter["sections"]
            for line in _lines(project, each, printed.pop(each["section"], 0))  # of several rows the first has them
        ]
        parts.append(COLUMNS + "\n".join(lines) + "\n")
    return "\n".join(parts)


def claimed() -> Counter[str]:
    """How many claims of the ledger each section of the map holds: the longest that a claim's own begins with."""
    known = sorted({each["section"] for chapter in book() for each in chapter["sections"]}, key=len, reverse=True)
    return Counter(
        next((each for each in known if f"{row.section}.".startswith(f"{each}.")), row.section)
        for row in claims.claims()
    )


def _lines(project: Project, section: dict[str, Any], printed: int) -> Iterator[str]:
    """A line for each thing that a section names; section, words and what it prints stand on the first."""
    rows = list(_rows(project, section)) or [Row()]
    note = f"; {section['note']}" if "note" in section else ""
    note += f" ([{printed} printed {'claim' if printed == 1 else 'claims'}](claims.md))" if printed else ""
    before = f"{section['section']} | {section['words']}{note}"
    for row in rows:
        yield f"| {before} | {row.page} | {row.stages} | {row.result} |"
        before = " | "


def _rows(project: Project, section: dict[str, Any]) -> Iterator[Row]:
    for name in section.get("datasets", []):
        yield Row(f"[`datasets/{name}`](reference/datasets/{name}.md)", f"`validate@{name}`", _rows_of(project, name))
    for name in section.get("cases", []):
        source = project.block(name)["page"]
        stages = f"`train@{name}` `evaluate@{name}`"
        yield Row(f"[`cases/{source}`](reference/cases/{source}.md)", stages, _score(project, name, section))
    for name in section.get("labs", []):
        yield Row(f"[`labs/{name}`](reference/labs/{name}.md)", f"`lab@{name}`", _fact(project, name, section))
    if rooms := section.get("rooms"):
        yield Row(", ".join(f"[`{name}`](reference/{name}.md)" for name in rooms))


def _rows_of(project: Project, dataset: str) -> str:
    """How many rows passed the gate; nothing before the data were validated."""
    found = _json(project.reports(dataset) / "validation.json", f"validate@{dataset}")
    return f"{found['rows']:,} rows, {len(found['expectations'])} expectations" + _kind(found)


def _score(project: Project, name: str, section: dict[str, Any]) -> str:
    """The primary metric of a case, or of one algorithm that it compares, beside what the book reports."""
    case = project.case(name, outlines.page)
    found = _json(project.reports(name) / "metrics.json", f"evaluate@{name}")
    primary, wanted = case.page.PRIMARY, section.get("algorithm")
    if wanted:
        algorithms = found.get("algorithms", {})
        if wanted not in algorithms:
            raise HandbookError(
                f"{BOOK}, {section['section']}: {name} compares no {wanted!r}, but {sorted(algorithms)}"
            )
        return f"`{name}`: {primary} {shown(primary, algorithms[wanted][primary])}" + _kind(found)
    said = f"`{name}`: {primary} **{shown(primary, found[primary])}**"
    for metric, value in found["book"].items():
        ours = "" if metric == primary else f", {metric} {shown(metric, found[metric])}"
        said += f"{ours} (the book {shown(metric, value)})"
    return said + _kind(found)


def _fact(project: Project, name: str, section: dict[str, Any]) -> str:
    """The measured fact that a section names, of its lab."""
    wanted = section.get("check")
    if wanted is None:
        return "figures and facts in the report"
    found = _json(project.reports("labs") / name / "checks.json", f"lab@{name}")
    if wanted not in found:
        raise HandbookError(f"{BOOK}, {section['section']}: the lab {name} measures no {wanted!r}")
    value = found[wanted]
    plain = ("no", "yes")[value] if isinstance(value, bool) else f"{value:.6g}"
    return f"{wanted.replace('|', chr(92) + '|')}: {plain}" + _kind(found)


def _kind(found: dict[str, Any]) -> str:
    return " (sample)" if found.get("data", "real") != "real" else ""


def _json(path: Path, stage: str) -> dict[str, Any]:
    if not path.exists():
        raise HandbookError(f"{path} is missing. Make it: dvc repro {stage}")
    return dict(json.loads(path.read_text(encoding="utf-8")))

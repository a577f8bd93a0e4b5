"""The README's tables: a chapter of the book a table, made from the metrics alone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from handbook.errors import HandbookError
from handbook.project import Project
from handbook.steps.report import chapters, published
from handbook.steps.report.table import NONE, Notes, cited, row

START, END = "<!-- results: made by `make report`, from reports/*/metrics.json -->", "<!-- end of results -->"
# Data and metric stand below the case, the interval below the value: ten columns are more than GitHub's page is wide.
HEAD = """| case | here | seeds | the book | its kind | best | baseline |
|---|---:|---:|---:|---:|---:|---:|"""


def results(project: Project) -> str:
    """What stands between the README's marks: for each chapter a heading, a table, and its notes."""
    return "\n\n".join(_chapter(project, chapter, names) for chapter, names in chapters.cases(project).items())


def with_results(readme: str, table: str) -> str:
    """The README with this table between its marks."""
    before, mark, rest = readme.partition(START)
    _, end, after = rest.partition(END)
    if not mark or not end:
        raise HandbookError(f"README.md lacks the marks of its table, which goes between\n  {START}\n  {END}")
    return f"{before}{START}\n{table}\n{END}{after}"


def _chapter(project: Project, chapter: int, names: list[str]) -> str:
    rows, notes = [row(project, name) for name in names], Notes()
    lines = [line for each in rows for line in _lines(each, notes)]
    below = "\n".join(f"- {note}" for note in _below(rows, notes))
    return f"### {chapters.title(chapter)}\n\n{HEAD}\n" + "\n".join(lines) + (f"\n\n{below}" if below else "")


def _lines(each: dict[str, Any], notes: Notes) -> Iterator[str]:
    """A case's line, and one for each further metric."""
    less = f"<br>{each['shortened']}" if each["shortened"] else ""
    mark = " †" if each["leak"] else ""
    for first, line in ((True, each), *((False, more) for more in each["more"])):
        value = f"**{line['ours']}**{mark}" if first else line["ours"]
        interval = "" if line["interval"] == NONE else f"<br>{line['interval']}"
        cells = [
            f"[`{each['case']}`]({each['source']})<br>{each['dataset']}{less}<br>{line['metric']}"
            if first
            else line["metric"],
            value + interval,
            each["seeds"] if first else "",
            line["book"],
            *(_cell(line["published"][column], notes) for column in published.COLUMNS),
            line["baseline"],
        ]
        yield f"| {' | '.join(cells)} |"


def _cell(result: published.Published | None, notes: Notes) -> str:
    if result is None:
        return NONE
    value = cited(result) if result.checked else f"*{cited(result)}*"
    return f"{value} <sup>{notes.number(result)}</sup>"


def _below(rows: list[dict[str, Any]], notes: Notes) -> Iterator[str]:
    """The sources of what is published, why some cases have none, and which choices saw test rows."""
    for number, result in enumerate(notes.results, 1):
        unseen = "" if result.checked else "; not checked"
        note = f"; {result.note}" if result.note else ""
        yield f"<sup>{number}</sup> {result.what}: [{result.source}]({result.address}){unseen}{note}."
    for column, names, reason in published.remarks({each["case"]: published.entry(each["case"]) for each in rows}):
        under = f" under *{published.COLUMNS[column]}*" if column else ""
        yield f"–{under} for {', '.join(f'`{name}`' for name in names)}: {reason}."
    for each in rows:
        if each["leak"]:
            yield f"† `{each['case']}` saw test rows: {each['leak']}."

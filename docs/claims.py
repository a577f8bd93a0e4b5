"""The ledger's page: what the book prints, chapter by chapter, beside what comes out here.

The rows are the package's (`handbook.claims`); ours is computed, or read from `reports/`, when the page is made.
"""

from __future__ import annotations

from handbook import claims
from handbook.claims.claim import JUDGEMENTS, Claim
from handbook.project import Project
from handbook.steps import claims as verb
from handbook.steps.report.chapters import CHAPTERS

HEAD = """---
hide: [navigation]
---

# What the book prints

Numbers, shapes, tables and statements of the *Handbook of Deep Learning Models, Volume One* that can be checked, in
words of our own, by section; beside each, what comes out here, computed when this page is made. **Another problem's**
is an answer to a question other than the one that stands beside it. A statement in words stands as "yes" or "no", or as
the range that it comes to ("0 to 1", "below 0.1"; such bounds are ours). Where "ours" is "–", nothing that is printed
allows to compute it, or the data are not in this checkout.

`handbook claims SECTION` prints the rows of a section; a test a row holds the judgement against the value. What stands
here for each section, cases and labs, says [the book's map](book.md).

"""
SETTINGS = """## The recipes' settings

Every setting that the book prints of a recipe that a block whose name ends in `_book` follows, and ours, read from the
block and from the networks that it makes. **The same in full** is what `preset: book` has.

| section | block | setting | printed | ours | the same, or why not |
|---|---|---|---|---|---|
"""
COLUMNS = "| section | claim | printed | ours | verdict | why |\n|---|---|---|---|---|---|\n"


def page(project: Project) -> str:
    """The ledger as Markdown."""
    parts = [HEAD + _counts()]
    for chapter, rows in claims.LEDGER.items():
        lines = "\n".join(_line(project, row) for row in rows)
        parts.append(f"## {chapter} · {CHAPTERS[chapter]}\n\n{COLUMNS}{lines}\n")
    return "\n".join([*parts, _settings(project)])


def _settings(project: Project) -> str:
    """What the book prints of its recipes' settings, beside the blocks that follow them."""
    lines = [
        f"| {row.section} | `{row.case}` | {' | '.join(_plain(each) for each in (row.what, row.printed, ours, why))} |"
        for row, ours, why in verb.compared(project)
    ]
    return SETTINGS + "\n".join(lines) + "\n"


def _counts() -> str:
    """How many claims of each chapter hold."""
    head = f"| chapter | claims | {' | '.join(JUDGEMENTS)} |\n|---|{'---:|' * (1 + len(JUDGEMENTS))}\n"
    lines = []
    for chapter in claims.LEDGER:
        found = claims.counted(chapter)
        cells = [sum(found.values()), *found.values()]
        lines.append(f"| {chapter} · {CHAPTERS[chapter]} | {' | '.join(map(str, cells))} |")
    return head + "\n".join(lines) + "\n"


def _line(project: Project, row: Claim) -> str:
    cells = (row.section, row.what, row.printed, row.shown(project.root / "reports"), row.verdict, row.reason)
    return f"| {' | '.join(_plain(each) for each in cells)} |"


def _plain(text: str) -> str:
    """Text that Markdown leaves as it is."""
    return text.replace("|", "\\|").replace("*", "\\*").replace("_", "\\_")

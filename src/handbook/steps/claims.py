"""The ledger of printed claims on the command line: a table, or a section's rows with their reasons; and settings."""

from __future__ import annotations

from handbook import claims as ledger
from handbook.claims.claim import Claim
from handbook.claims.setting import Setting
from handbook.errors import HandbookError
from handbook.project import Project

HEAD = ("section", "claim", "printed", "ours", "verdict")
WIDEST = 60  # characters of a claim in the table; the whole of it stands beside its reason


def claims(project: Project, section: str = "") -> None:
    """Print the rows of a section, of a chapter, or of all with how many hold. HandbookError for one without claims.

    Below them, the settings that are printed there, beside those of the block that follows them.
    """
    rows = list(ledger.claims(section))
    if not rows:
        known = ", ".join(dict.fromkeys(each.section for each in ledger.claims()))
        raise HandbookError(f"the ledger has no claim of section {section!r}. Those that have one: {known}")
    if section:
        for row in rows:
            print(f"{row.section} {row.what}")
            print(f"    printed {row.printed}, ours {_ours(project, row)}: {row.verdict}; {row.reason}")
        print("\n".join(settings(project, section)))
    else:
        print(table(project, rows))
        print("\n".join(f"chapter {chapter}: {summary(chapter)}" for chapter in ledger.LEDGER))
        print("\n".join(["", *settings(project)]))


def settings(project: Project, section: str = "") -> list[str]:
    """A line for each setting of a section's recipe, or of all: printed, ours, the same or why not."""
    return [
        f"{row.section} {row.case}, {row.what}: printed {row.printed}, ours {ours}: {verdict}"
        for row, ours, verdict in compared(project, section)
    ]


def compared(project: Project, section: str = "") -> list[tuple[Setting, str, str]]:
    """Each setting with ours and the judgement, by the preset of params.yaml."""
    found = []
    for row in ledger.settings(section):
        params, full = (project.case(row.case, preset=preset).params for preset in (None, "book"))
        found.append((row, row.shown(params), row.why(params, full)))
    return found


def table(project: Project, rows: list[Claim]) -> str:
    """The rows in columns, each as wide as its widest cell."""
    cells = [HEAD]
    for row in rows:
        what = row.what if len(row.what) <= WIDEST else f"{row.what[: WIDEST - 1]}…"
        cells.append((row.section, what, row.printed, _ours(project, row), row.verdict))
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEAD))]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in cells)


def summary(chapter: int) -> str:
    """How many of a chapter's claims are right, wrong, and so on."""
    found = ledger.counted(chapter)
    return f"{sum(found.values())} claims, " + ", ".join(f"{number} {verdict}" for verdict, number in found.items())


def _ours(project: Project, row: Claim) -> str:
    return row.shown(project.root / "reports")

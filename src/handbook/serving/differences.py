"""Where a challenger in the champion's shadow has answered otherwise: what `challenger.py` kept, added up and shown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from handbook.errors import HandbookError, unknown
from handbook.files import documents
from handbook.project import Project

SHOWN = 12  # pairs of answers in a table, the commonest
FIELDS: dict[str, documents.Kind] = {
    "case": str, "champion": str, "challenger": str, "champion_version": int, "challenger_version": int, "since": str,
    "until": str, "inputs": int, "differ": int, "failed": int, "passed": int, "requests": int, "numbers": int,
    "apart": documents.NUMBER, "most": documents.NUMBER, "pairs": list,
}  # fmt: skip
WAY = "Remove it: what it counted is lost, and nothing else"
SUMS = ("inputs", "differ", "failed", "passed", "requests", "numbers", "apart")


@dataclass
class Compared:
    """All that was found of a champion and one challenger."""

    champion: int  # the versions' numbers
    challenger: int
    since: str
    until: str
    counts: Counter[str] = field(default_factory=Counter)
    most: float = 0.0  # that two numbers lay apart
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def otherwise(self) -> list[tuple[str, str, int]]:
        """What the champion answered, what the challenger did, and how often, where that differs; commonest first."""
        found = sorted(self.pairs.items(), key=lambda each: (-each[1], each[0]))
        return [(one, other, count) for (one, other), count in found if one != other]

    @property
    def said(self) -> str:
        """How often they differ, in a sentence."""
        counts = self.counts
        share = f" ({counts['differ'] / counts['inputs']:.2%})" if counts["inputs"] else ""
        text = (
            f"Version {self.challenger} in the shadow of version {self.champion}, {self.since[:16].replace('T', ' ')} "
            f"to {self.until[:16].replace('T', ' ')}: {counts['differ']:,} of {counts['inputs']:,} inputs answered "
            f"otherwise{share}"
        )
        if counts["numbers"]:
            mean = counts["apart"] / counts["numbers"]
            text += f"; their numbers lie {mean:.4g} apart on average, {self.most:.4g} at most"
        for key, what in (("failed", "could not be answered"), ("passed", "were passed over")):
            text += f"; {counts[key]:,} requests {what}" if counts[key] else ""
        return text


def home(project: Project, name: str) -> Path:
    """Where what is found of a case is kept."""
    return project.root / "reports" / "monitor" / name / "shadow"


def found(project: Project, name: str) -> list[Compared]:
    """All pairs of versions that were compared, the last first; HandbookError for a file that is damaged."""
    known: dict[tuple[str, str], Compared] = {}
    folder = home(project, name)
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        run = _run(path)
        both = known.setdefault(
            (run["champion"], run["challenger"]),
            Compared(run["champion_version"], run["challenger_version"], run["since"], run["until"]),
        )
        both.until, both.most = max(both.until, run["until"]), max(both.most, run["most"])
        both.counts.update({key: run[key] for key in SUMS})
        both.pairs.update({(one, other): count for one, other, count in run["pairs"]})
    return sorted(known.values(), key=lambda each: each.until, reverse=True)


def _run(path: Path) -> dict[str, Any]:
    run = documents.json_object(path, WAY, FIELDS)
    for each in run["pairs"]:
        if not (
            isinstance(each, list) and len(each) == 3 and isinstance(each[0], str) and isinstance(each[1], str)
            and documents.is_a(each[2], int)
        ):  # fmt: skip
            raise documents.damaged(path, f"expected two answers and a count in `pairs`, found {each!r:.60}", WAY)
    return run


def summary(project: Project, name: str) -> str:
    """What was found, for a person; HandbookError where nothing was compared."""
    if name not in project.cases():
        raise unknown("case", name, project.cases())
    if not (pairs := found(project, name)):
        raise HandbookError(
            f"no challenger of {name} has run in the champion's shadow. Start one: handbook serve {name} --shadow"
        )
    return "\n\n".join(_block(each) for each in pairs) + f"\n\nEach such input: {home(project, name)}/differences.csv"


def _block(both: Compared) -> str:
    lines, shown = [both.said], both.otherwise[:SHOWN]
    if shown:
        rows = [("champion", "challenger", "inputs"), *((one, other, f"{count:,}") for one, other, count in shown)]
        wide = [max(len(row[k]) for row in rows) for k in range(3)]
        lines += [f"  {one:{wide[0]}}  {other:{wide[1]}}  {count:>{wide[2]}}" for one, other, count in rows]
    more = len(both.otherwise) - len(shown)
    return "\n".join(lines + [f"  and {more:,} further pairs of answers"] * (more > 0))

"""What is said of a batch: a record for files and machines, a page and a sentence for people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Record = dict[str, Any]  # what reports/monitor/CASE/BATCH.json holds
STEADY, DRIFTED, REFUSED = "steady", "drifted", "refused"


def printable(text: str) -> str:
    """A text of several lines without what moves a terminal's cursor: a batch may hold anything."""
    return "".join(each if each.isprintable() or each == "\n" else repr(each)[1:-1] for each in text)


def fenced(text: str) -> list[str]:
    """Lines of Markdown that show a text as it is, whatever marks are in it."""
    longest = max((len(each) for each in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence, text, fence]


def page_of(record: Record) -> str:
    """A batch's record as a person reads it, in Markdown: for reports/monitor, Prefect and MLflow alike."""
    lines = [f"# {record['case']}, batch {record['batch']}: {record['outcome']}", ""]
    if record["data"] == "sample":
        lines += ["**Held against sample data: not a result.**", ""]
    if record["outcome"] == REFUSED:
        lines += ["The batch is refused:", "", *fenced(record["reason"]), ""]
    else:
        lines += [*_what_was_found(record), ""]
    lines += [
        f"Files {', '.join(record['files'])}; sha256 `{record['sha256']}`; judged {record['judged']} beside champion"
        f" `{record['champion']}`.",
        "",
    ]
    return "\n".join(lines)


def _what_was_found(record: Record) -> Iterator[str]:
    drifted = [each["column"] for each in record["columns"] if each["drifted"]]
    limits = record["limits"]
    yield f"{record['rows']:,} rows meet all {record['expectations']} expectations that a part of the data inherits."
    yield (
        f"Beside {record['reference_rows']:,} training rows "
        + (f"these columns have drifted: {', '.join(drifted)}." if drifted else "no column has drifted.")
        + f" A column has if p is below {limits['alpha']:g} and at least {limits['moved']:.0%} of its rows have moved;"
        f" so many rows can show a move of {record['detectable']:.1%} or more."
    )
    yield ""
    if record["score"]:
        score = record["score"]
        yield (
            f"The champion's {score['metric']} is {score['value']:.4f} ({score['low']:.4f} to {score['high']:.4f}) here"
            f" and {score['before']:.4f} on its test rows" + (": it fell." if score["fell"] else ".")
        )
    else:
        yield f"Not scored: {record['no_score']}."
    yield from ("", "| column | kind | rows moved | p | |", "| --- | --- | ---: | ---: | --- |")
    for each in record["columns"]:
        mark = "drifted" if each["drifted"] else ""
        yield f"| {each['column']} | {each['kind']} | {each['moved']:.1%} | {each['p']:.2g} | {mark} |"
    yield from _by_group(record.get("groups") or [])


def _by_group(groups: list[dict[str, Any]]) -> Iterator[str]:
    """How the champion does in each group of rows that is large enough."""
    if not groups:
        return
    yield from ("", "By group, with 95 % intervals:", "")
    yield "| column | group | rows | sought | called | recall | precision | accuracy |"
    yield "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for each in groups:
        shares = " | ".join(share_of(each, name) for name in ("recall", "precision", "accuracy"))
        group = f"{each['column']} | {each['group']} | {each['rows']:,}"
        yield f"| {group} | {each['sought']:.1%} | {each['called']:.1%} | {shares} |"


def share_of(group: dict[str, Any], name: str) -> str:
    """A share of a group with its interval; of nothing, a dash."""
    if group[name] is None:
        return "–"
    low, high = group["interval"][name]
    return f"{group[name]:.0%} ({low:.0%} to {high:.0%})"


def sentence(record: Record, new: bool) -> str:
    """What became of a batch, in a line."""
    before = "" if new else f" (these bytes were judged {record['judged']} and are not judged again)"
    if record["outcome"] == REFUSED:
        return f"{record['batch']}: refused{before}, {record['reason']}"
    moved = ", ".join(f"{each['column']} {each['moved']:.0%}" for each in record["columns"] if each["drifted"])
    score = record["score"]
    scored = f", {score['metric']} {score['value']:.4f} (was {score['before']:.4f})" if score else ""
    return f"{record['batch']}: {record['outcome']}{f' ({moved})' if moved else ''}{scored}{before}"

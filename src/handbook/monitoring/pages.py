"""The page of a case in service: its batches over time, drift by column, the score with its interval, what was done.

A view of the records and the ledger, made again after each run of `monitor`; it needs nothing but itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from handbook.errors import HandbookError
from handbook.files.fresh import write_text
from handbook.monitoring import archive
from handbook.monitoring.journal import REFUSED, Record, share_of
from handbook.project import Project
from handbook.registry import ledger, standings
from handbook.serving import differences
from handbook.serving.differences import Compared

WIDTH, HEIGHT, MARGIN = 720, 220, 34  # of the drawing of scores, in its own units
SHOWN = 60  # batches in the drawing and the table of columns, the newest


def write(project: Project, name: str) -> Path:
    """Make the page of a case, and the list of all such pages; returns the former."""
    page = archive.folder(project, name) / "index.html"
    ordered = sorted(archive.records(project, name), key=lambda each: (each["judged"], each["batch"]))
    write_text(page, build(name, ordered, _versions(project, name), *_shadows(project, name)))
    watched = sorted(each.parent.name for each in archive.home(project).glob("*/index.html"))
    write_text(archive.home(project) / "index.html", _rendered("index.html.j2", names=watched))
    return page


def _shadows(project: Project, name: str) -> tuple[list[Compared], str]:
    """What was found of challengers in the shadow, and what is wrong with the files of it: no batch is kept back."""
    try:
        return differences.found(project, name), ""
    except HandbookError as error:
        return [], str(error)


def build(
    name: str, records: list[Record], versions: list[dict[str, Any]], shadows: Sequence[Compared] = (), fault: str = ""
) -> str:
    """The page as HTML; `records` by time, the oldest first."""
    recent = records[-SHOWN:]
    accepted = [each for each in recent if each["outcome"] != REFUSED]
    last = next((each for each in reversed(accepted) if each.get("groups")), None)
    return _rendered(
        "case.html.j2",
        name=name,
        records=[*reversed(records)],
        recent=accepted,
        columns=_columns(accepted),
        scores=_scores(accepted),
        versions=versions,
        shadows=shadows,
        shadow_fault=fault,
        pairs=differences.SHOWN,
        grouped=last,
        groups=[_group(each) for each in last["groups"]] if last else [],
        sample=any(each["data"] != "real" for each in records),
        size={"width": WIDTH, "height": HEIGHT},
        words={"done": "kept in done/", "refused": "kept in refused/"},
    )


def _rendered(template: str, **values: Any) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    environment = Environment(
        loader=PackageLoader("handbook.monitoring", ""),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
    )
    return environment.get_template(template).render(**values)


def _columns(records: list[Record]) -> list[dict[str, Any]]:
    """A line a column that was compared, a cell a batch: how much of it has moved; what drifted most comes first."""
    moved: dict[str, dict[str, Any]] = {}
    for record in records:
        for each in record["columns"]:
            moved.setdefault(each["column"], {})[record["batch"]] = each
    lines = [
        {
            "name": name,
            "drifted": sum(bool(each["drifted"]) for each in cells.values()),
            "cells": [cells.get(record["batch"]) for record in records],
        }
        for name, cells in moved.items()
    ]
    return sorted(lines, key=lambda line: (-line["drifted"], line["name"]))


def _scores(records: list[Record]) -> dict[str, Any] | None:
    """The scores of the batches as places in a drawing, the older to the left; None if none was scored."""
    scored = [each for each in records if each.get("score")]
    if not scored:
        return None
    values: list[float] = [each["score"][key] for each in scored for key in ("low", "high", "before")]
    low, high = min(values), max(values)
    spread = (high - low) or 1.0

    def height(value: float) -> float:
        return round(float(HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (value - low) / spread), 1)

    step = (WIDTH - 2 * MARGIN) / max(len(scored), 1)
    return {
        "metric": scored[-1]["score"]["metric"],
        "low": low,
        "high": high,
        "points": [_point(each, round(MARGIN + step * (k + 0.5), 1), height) for k, each in enumerate(scored)],
    }


def _point(record: Record, x: float, height: Any) -> dict[str, Any]:
    score = record["score"]
    said = f"{record['batch']}: {score['value']:.4f} ({score['low']:.4f} to {score['high']:.4f})"
    places = {key: height(score[key]) for key in ("value", "low", "high", "before")}
    return {"x": x, "said": said, "fell": score["fell"], **places}


def _group(group: dict[str, Any]) -> dict[str, str]:
    shares = {name: share_of(group, name) for name in ("recall", "precision", "accuracy")}
    return {**{key: str(group[key]) for key in ("column", "group")}, "rows": f"{group['rows']:,}", **shares}


def _versions(project: Project, name: str) -> list[dict[str, Any]]:
    """What is registered of a case, the newest first: what each learnt of batches, and what it is now."""
    store = ledger.store(project, name)
    state = standings.opened(store) or standings.blank()
    return [*_described(store, state)][::-1]


def _described(store: Path, state: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for number, content in enumerate(state["versions"], start=1):
        entry = ledger.read(store / content / "entry.json") or {}
        roles = [alias for alias in standings.ALIASES if state.get(alias) == content]
        roles += ["rolled back"] if content in state.get("rejected", []) else []
        yield {
            "number": number,
            "content": content,
            "roles": ", ".join(roles) or "–",
            "batches": sorted(entry.get("batches", {})),
            "rows": entry.get("batch_rows", 0),
        }

"""The records of batches: reports/monitor/CASE/BATCH.json, beside each its page. Read back, they are checked."""

from __future__ import annotations

from pathlib import Path

from handbook.files import documents
from handbook.files.fresh import write_json, write_text
from handbook.monitoring.journal import REFUSED, Record, page_of
from handbook.project import Project

# What every record holds, and what more if the batch was judged or refused.
WORDS = ("batch", "folder", "sha256", "case", "data", "outcome", "champion", "dataset", "judged")
RECORD: dict[str, documents.Kind] = {**dict.fromkeys(WORDS, str), "files": list}
VERDICT: dict[str, documents.Kind] = {
    "labelled": bool,
    "rows": int,
    "columns": list,
    "limits": dict,
    "reference_rows": int,
}
REFUSAL: dict[str, documents.Kind] = {"reason": str}
COLUMN: dict[str, documents.Kind] = {
    "column": str,
    "kind": str,
    "p": documents.NUMBER,
    "moved": documents.NUMBER,
    "drifted": bool,
}
SCORE: dict[str, documents.Kind] = {
    "metric": str,
    **dict.fromkeys(("value", "low", "high", "before"), documents.NUMBER),
    "fell": bool,
}
LIMITS: dict[str, documents.Kind] = {"alpha": documents.NUMBER, "moved": documents.NUMBER}
GROUP: dict[str, documents.Kind] = {"column": str, "group": str, "rows": int, "interval": dict}


def home(project: Project) -> Path:
    """The folder of all cases' records and pages."""
    return project.root / "reports" / "monitor"


def folder(project: Project, name: str) -> Path:
    """Where the records and pages of a case's batches lie."""
    return home(project) / name


def tidy(project: Project, name: str) -> None:
    """Take away what a run that was cut off had not yet moved into its place; for who is alone with the case."""
    for left in folder(project, name).glob(".*.new"):
        left.unlink(missing_ok=True)


def write(project: Project, name: str, record: Record) -> Path:
    """Keep what was said of a batch, the page first: where the record is, nothing is missing. Returns the page."""
    page = folder(project, name) / f"{record['batch']}.md"
    write_text(page, page_of(record))
    write_json(folder(project, name) / f"{record['batch']}.json", record)
    return page


def records(project: Project, name: str) -> list[Record]:
    """What was said of every batch of a case so far, by name."""
    place = folder(project, name)
    return [_record(path) for path in sorted(place.glob("*.json"))] if place.is_dir() else []


def _record(path: Path) -> Record:
    """What was said of a batch; HandbookError that names the file, if it is not as it was written."""
    way = (
        "Bring it back from a backup; or remove it, and move the batch's files from done/ or refused/ back to where "
        "they came in: they are judged again"
    )
    found = documents.json_object(path, way, RECORD)
    kind = REFUSAL if found["outcome"] == REFUSED else VERDICT
    fault = documents.misshapen(found, kind)
    for each in found.get("columns") or () if not fault else ():
        fault = fault or documents.misshapen(each, COLUMN, " in `columns`")
    for key, fields in (("score", SCORE), ("limits", LIMITS)):
        if not fault and found.get(key):
            fault = documents.misshapen(found[key], fields, f" in `{key}`")
    if not fault and found["outcome"] != REFUSED and not found.get("score"):
        fault = documents.misshapen(found, {"no_score": str})
    for each in found.get("groups") or () if not fault else ():
        fault = fault or documents.misshapen(each, GROUP, " in `groups`")
    if fault:
        raise documents.damaged(path, fault, way)
    return found

"""What is found in a batch: whether it meets what its dataset's parts meet, whether it has drifted, how it scores."""

from __future__ import annotations

import datetime
import html
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handbook import contract
from handbook.data import validation
from handbook.data.validation import Finding
from handbook.errors import HandbookError
from handbook.evaluation.report import Report
from handbook.monitoring import champions, drift, groups, inbox, reading, suites
from handbook.monitoring.inbox import Batch
from handbook.monitoring.journal import DRIFTED, REFUSED, STEADY, Record, printable
from handbook.monitoring.reading import Content
from handbook.steps.evaluate import judges

if TYPE_CHECKING:
    import pandas as pd

    from handbook.monitoring.reference import Watch


def judged(watch: Watch, batch: Batch, scratch: Path) -> Record:
    """All that is to be said of a batch, of which our copy is looked at; `scratch` is an empty folder of ours."""
    record: Record = {
        "batch": batch.name,
        "files": [copy.name for copy in batch.held],
        "came_as": [inbox.shown(path.name) for path in batch.files],
        "folder": _within(watch.project.root, batch.files[0].parent),
        "sha256": batch.sha256,
        "case": watch.name,
        "dataset": watch.champion.case.dataset,
        "data": watch.kind,
        "champion": watch.champion.content,
        "limits": asdict(watch.params) | {"drifted_of": list(watch.params.drifted_of)},
        "judged": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    try:
        content = reading.read(watch.page, watch.project.data(record["dataset"]), batch.held, scratch)
        record |= {"rows": len(content.facts), "labelled": content.loaded is not None}
        record["expectations"] = _validated(watch, content)
    except HandbookError as error:
        return record | {"outcome": REFUSED, "reason": printable(str(error))}
    record |= _compared(watch, content)
    scored, report = _scored(watch, content)
    return record | scored | {"new_rows": _new_rows(watch, content), "groups": groups.judged(watch, content, report)}


def _within(root: Path, folder: Path) -> str:
    """The folder as seen from the project, if it lies there."""
    return str(folder.relative_to(root) if folder.is_relative_to(root) else folder)


def _validated(watch: Watch, content: Content) -> int:
    """How many expectations of the dataset a batch has met; a HandbookError lists those that it has not."""
    sample, answers = watch.kind == "sample", "" if content.loaded is not None else reading.target(watch.page)
    expectations = suites.suite(watch.page.expectations(sample), answers, watch.ignored)
    dataset = watch.champion.case.dataset
    suite = f"{dataset}_batch" + "_unlabelled" * bool(answers) + "_sample" * sample
    found = validation.check(suite, _escaped(content.facts, expectations), expectations, watch.project.gx)
    failed = [_plain(finding) for finding in found if not finding.success]
    if failed:
        sentences = "\n  ".join(finding.sentence() for finding in failed)
        raise HandbookError(
            f"{len(failed)} of the {len(found)} expectations of a batch of {dataset} are not met\n  {sentences}"
        )
    return len(found)


def _escaped(facts: pd.DataFrame, expectations: list[Any]) -> pd.DataFrame:
    """The facts as Data Docs may show them: words that the suite does not know are text of a page, not part of it."""
    from pandas.api.types import is_numeric_dtype

    known = {value for each in expectations for value in getattr(each, "value_set", None) or ()}

    def escape(word: Any) -> Any:
        return word if word in known or not isinstance(word, str) else html.escape(word)

    words = [name for name in facts if not is_numeric_dtype(facts[name].dtype)]
    return facts.assign(**{str(name): facts[name].map(escape).astype(facts[name].dtype) for name in words})


def _plain(finding: Finding) -> Finding:
    """A finding that speaks of the words as the batch has them."""

    def unescape(value: Any) -> Any:
        if isinstance(value, str):
            return html.unescape(value)
        if isinstance(value, list):
            return [unescape(each) for each in value]
        if isinstance(value, dict):
            return {key: unescape(each) for key, each in value.items()}
        return value

    return replace(finding, found=unescape(finding.found))


def _compared(watch: Watch, content: Content) -> Record:
    """The outcome, and how each column compares with the training rows."""
    batch = reading.compared(watch.page, content.facts, watch.ignored)
    columns = drift.compare(watch.reference, batch, reading.words(watch.page, batch), watch.params)
    drifted = any(column.drifted for column in columns)
    least = drift.detectable(len(watch.reference), len(batch), len(columns), watch.params.alpha)
    return {
        "outcome": DRIFTED if drifted else STEADY,
        "columns": drift.plain(columns),
        "reference_rows": len(watch.reference),
        "detectable": least,
    }


def _scored(watch: Watch, content: Content) -> tuple[Record, Report | None]:
    """The champion's primary metric on the batch beside that on its test rows, or why there is none; and its report.

    A batch on which the champion does clearly worse has drifted, even if no column has: what follows from the columns
    has changed.
    """
    why = _no_score(watch, content)
    if why:
        return {"score": None, "no_score": why}, None
    assert content.loaded is not None  # else there was a reason
    case = watch.champion.case
    primary = case.page.PRIMARY
    try:
        judge = judges(watch.project, case)
        report = champions.report(case, watch.model, watch.split, content.loaded, *judge)
        value, (low, high) = champions.score(case, report)
    except (HandbookError, ValueError, ArithmeticError, LookupError) as error:
        return {"score": None, "no_score": f"the page cannot judge so few rows, or rows so alike: {error}"}, None
    before = float(watch.champion.metrics[primary])
    lower = contract.case(case.page).lower_is_better
    fell = low - before > watch.params.fall if lower else before - high > watch.params.fall
    score = {"metric": primary, "value": value, "low": low, "high": high, "before": before, "fell": fell}
    return {"score": score} | ({"outcome": DRIFTED} if fell else {}), report


def _no_score(watch: Watch, content: Content) -> str:
    if content.loaded is None:
        return "the batch has no answers"
    if len(content.facts) < watch.params.least_rows:
        return f"the batch has fewer than {watch.params.least_rows} rows"
    if len(set(content.loaded.answers.tolist())) < 2:  # most metrics say nothing then
        return "all rows of the batch have the same answer"
    return ""


def _new_rows(watch: Watch, content: Content) -> int:
    """How many rows of the batch could be learnt from: those with answers that the pinned data do not hold."""
    if content.loaded is None:
        return 0
    pinned: Any = reading.whole(watch.data)
    return len(pinned.unknown(content.loaded))

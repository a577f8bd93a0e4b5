"""Validation: a Great Expectations suite and checkpoint for each dataset, and Data Docs that can be read offline.

`gx/` is Great Expectations' own project folder. Its suites, checkpoints and configuration are generated from the
dataset pages and kept in git; what a run leaves there (`gx/uncommitted`) is not.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handbook.errors import HandbookError
from handbook.files import locks
from handbook.startup.imports import absent, later

DATASOURCE, ASSET, BATCH = "pandas", "facts", "whole"
OUTSIDE = re.compile(r"<link[^>]+https?://[^>]*>|<script[^>]+src=\"https?://[^>]*>\s*</script>")
# What Data Docs show of a batch is whatever somebody put there, and Great Expectations writes it into the page as it
# is: so nothing of a page runs, is fetched or is sent.
POLICY = (
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; form-action 'none'; base-uri 'none'\">"
)
STORE = re.compile(rb"store_backend_id = [0-9a-f-]{36}")
OUTSIDE_IMAGE = re.compile(r"<img[^>]+src=\"https?://[^>]*>|url\('https?://[^']*'\)")


@dataclass(frozen=True)
class Finding:
    """One expectation and what became of it."""

    expectation: str  # its type in Great Expectations
    meaning: str  # what its page says of it, in words
    expected: dict[str, Any]
    found: dict[str, Any]
    success: bool

    def sentence(self) -> str:
        return f"{self.meaning} ({self.expectation})\n    expected {self.expected}\n    found    {self.found}"


def load() -> None:
    """Import Great Expectations in half the time: without SQL, statistics and charts that no suite of ours asks for.

    For a process that validates and nothing else: what it imports later finds the same libraries, whole.
    """
    for name in ("scipy.stats", "altair", "jsonschema"):
        later(name)
    with absent("sqlalchemy", "pyspark", "google", "psycopg2"):
        import great_expectations  # noqa: F401


def check(name: str, table: Any, expectations: list[Any], gx_folder: Path) -> list[Finding]:
    """Run a dataset's checkpoint over the table of its facts, and bring the Data Docs up to date."""
    with _alone(gx_folder), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own deprecations, of libraries that it calls
        _drop_damaged(gx_folder)
        checkpoint = _checkpoint(_context(gx_folder), name, expectations)
        outcome = checkpoint.run(batch_parameters={"dataframe": table})
        make_offline(data_docs(gx_folder))
    return [_finding(result) for run in outcome.run_results.values() for result in run.results]


def refuse(name: str, findings: list[Finding], docs: Path) -> None:
    """Raise a HandbookError that lists every expectation that was not met."""
    failed = [finding for finding in findings if not finding.success]
    if failed:
        listing = "\n  ".join(finding.sentence() for finding in failed)
        raise HandbookError(
            f"the {name} data are refused: {len(failed)} of {len(findings)} expectations are not met\n  {listing}\n"
            f"Look at {docs}, and at the data's page, src/handbook/datasets/{name}.py"
        )


def data_docs(gx_folder: Path) -> Path:
    """Where great_expectations.yml puts the site."""
    return gx_folder.parent / "reports" / "data_docs"


@contextlib.contextmanager
def _alone(gx_folder: Path) -> Iterator[None]:
    """One writer at a time: every run brings the same index page up to date."""
    with locks.alone(gx_folder / "uncommitted" / ".lock"):
        yield


def _drop_damaged(gx_folder: Path) -> None:
    """Take away what was cut off as Great Expectations wrote it, on a full disk say: it reads all of its files.

    Nothing is lost: suites and checkpoints are made again from the pages, and what was found from the data.
    """
    for path in gx_folder.rglob("*.json"):
        try:
            json.loads(path.read_bytes())
        except ValueError:
            path.unlink()
    for path in gx_folder.rglob(".ge_store_backend_id"):
        if not STORE.match(path.read_bytes()):
            path.unlink()


def _context(gx_folder: Path) -> Any:
    os.environ.setdefault("DO_NOT_TRACK", "true")
    import great_expectations as gx

    return gx.get_context(mode="file", project_root_dir=str(gx_folder.parent))


def _checkpoint(context: Any, name: str, expectations: list[Any]) -> Any:
    """The dataset's checkpoint, made again only if its page says something else than before."""
    import great_expectations as gx

    suite = gx.ExpectationSuite(name=name, expectations=expectations)
    if _same_suite(context, suite):
        return context.checkpoints.get(name)
    suite = context.suites.add_or_update(suite)
    definition = context.validation_definitions.add_or_update(
        gx.ValidationDefinition(name=name, data=_batch(context), suite=suite)
    )
    return context.checkpoints.add_or_update(
        gx.Checkpoint(
            name=name,
            validation_definitions=[definition],
            actions=[gx.checkpoint.UpdateDataDocsAction(name="data_docs")],
            result_format="SUMMARY",
        )
    )


def _same_suite(context: Any, suite: Any) -> bool:
    """Whether the stored suite holds just these expectations; Great Expectations gives each a new id when stored."""
    suites = {stored.name: stored for stored in context.suites.all()}
    checkpoints = {stored.name for stored in context.checkpoints.all()}
    return suite.name in suites and suite.name in checkpoints and _plain(suites[suite.name]) == _plain(suite)


def _plain(suite: Any) -> list[Any]:
    return [
        {key: value for key, value in expectation.configuration.to_json_dict().items() if key != "id"}
        for expectation in suite.expectations
    ]


def _batch(context: Any) -> Any:
    try:
        return context.data_sources.get(DATASOURCE).get_asset(ASSET).get_batch_definition(BATCH)
    except (KeyError, LookupError, ValueError):
        asset = context.data_sources.add_or_update_pandas(DATASOURCE).add_dataframe_asset(ASSET)
        return asset.add_batch_definition_whole_dataframe(BATCH)


def _finding(result: Any) -> Finding:
    config = result.expectation_config
    expected = {key: value for key, value in config.kwargs.items() if key not in ("batch_id", "row_condition")}
    keys = ("observed_value", "unexpected_count", "unexpected_percent", "partial_unexpected_counts")
    found = {key: _jsonable(result.result[key]) for key in keys if result.result.get(key) is not None}
    if result.exception_info and result.exception_info.get("raised_exception"):
        found["error"] = result.exception_info.get("exception_message")
    meaning = config.description or f"{config.type} on {expected.get('column', 'the table')}"
    return Finding(config.type, meaning, expected, found, bool(result.success))


def _jsonable(value: Any) -> Any:
    """NumPy's values as plain ones."""
    return value.tolist() if hasattr(value, "tolist") else value


def make_offline(site: Path) -> None:
    """Take every address of the outside world out of the pages that still have one; our own style takes their place.

    Great Expectations' pages ask six content networks for their style and scripts: without a network they are bare,
    and with one they tell those networks who reads them. Its index is drawn by those scripts; ours needs none.
    """
    style = (Path(__file__).parent / "data_docs.css").read_text()
    for page in [*site.glob("expectations/*.html"), *site.glob("validations/**/*.html")]:
        html = page.read_text()
        if OUTSIDE.search(html):
            html = OUTSIDE_IMAGE.sub("", OUTSIDE.sub("", html)).replace("<head>", f"<head>\n{POLICY}", 1)
            page.write_text(html.replace("</head>", f"<style>\n{style}</style>\n</head>", 1))
    (site / "index.html").write_text(_index(site, style))


def _index(site: Path, style: str) -> str:
    """The suites and the validations, newest first."""
    suites = sorted(site.glob("expectations/*.html"))
    runs = sorted(site.glob("validations/*/*/*/*.html"), key=lambda page: page.parts[-2], reverse=True)
    suite_lines = "".join(f'<li><a href="{page.relative_to(site)}">{page.stem}</a></li>' for page in suites)
    run_lines = "".join(
        f"<tr><td>{_mark(page)}</td><td>{page.parts[-4]}</td><td>{_moment(page.parts[-2])}</td>"
        f'<td><a href="{page.relative_to(site)}">what was found</a></td></tr>'
        for page in runs
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Data Docs</title>'
        f"<style>\n{style}</style></head><body>\n<h1>Data Docs</h1>\n"
        "<p>What is expected of the data, and what was found, by Great Expectations.</p>\n"
        f"<h4>Expectations</h4><ul>{suite_lines}</ul>\n<h4>Validations, newest first</h4>"
        f"<table><tr><th>met</th><th>suite</th><th>when (UTC)</th><th></th></tr>{run_lines}</table>\n"
        '<p><a href="../index.html">The report</a></p></body></html>\n'
    )


def _mark(page: Path) -> str:
    status = re.search(r"Status:.*?(Succeeded|Failed)", page.read_text(), re.DOTALL)
    met = status is not None and status[1] == "Succeeded"
    return f'<i class="fas {"fa-check-circle" if met else "fa-times-circle"}"></i> {"yes" if met else "no"}'


def _moment(run: str) -> str:
    """20261122T220348.980247Z as people write it."""
    return f"{run[:4]}-{run[4:6]}-{run[6:8]} {run[9:11]}:{run[11:13]}:{run[13:15]}"

"""The verbs: data, validate, train, evaluate, register, lab, report. Files in, files out; pages in between compute."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from handbook import datasets, fetch, imports, labs, ledger, samples
from handbook.errors import HandbookError, unknown
from handbook.evaluation import Judge
from handbook.project import Case, Own, Project, plain
from handbook.runs import FLOW_RUN, Row, Run, first
from handbook.storage import load, read_rows, save, write_json, write_rows, write_text

BANNER = """
{line}
!!  SAMPLES: {why}
!!  Stand-ins were drawn for all datasets, in a checkout of their own: {place}
!!  What is built there is marked `sample`, and none of it is a result. For the real thing: set
!!  HANDBOOK_MIRROR to a folder or http address laid out like data/, and run again.
{line}
"""


def data(project: Project, names: list[str], source: str, or_sample: bool) -> None:
    """Put the datasets in place, by default all that the pipeline uses; say what each of them is.

    Samples go to a checkout of their own: those that are asked for, or, `or_sample`, all of them if any dataset cannot
    be fetched, so that whatever is built there is built from samples alone.
    """
    _refuse_file_for_link(project.root / "raw")
    chosen = names or project.datasets()
    if source == "sample" or samples.inside(project):
        _draw_samples(project, chosen, "asked for")
        return
    search, missing = fetch.Search(source, project.cache), []
    for name in chosen:
        page, directory = datasets.page(name), project.data(name)
        try:
            origin = fetch.obtain(page, directory, search)
        except HandbookError as error:
            if not or_sample or fetch.damaged(page, directory):
                raise
            print(f"{name:<24} cannot be fetched", flush=True)
            missing.append(error)
            continue
        files = f"{len(origin['files'])} files in data/{name}, {search.came[name]}"
        print(f"{name:<24} {origin['kind']:<7} {files}", flush=True)
    if missing:
        print("\n".join(map(str, missing)), file=sys.stderr)
        _draw_samples(project, project.datasets(), f"{len(missing)} of {len(chosen)} datasets could not be fetched")


def _refuse_file_for_link(raw: Path) -> None:
    """HandbookError where git has written the link that stages read the data through as a file with its target."""
    if raw.is_file() and not raw.is_symlink():
        raise HandbookError(
            f"{raw} must be a link to data, and is a file: git could not make links here (core.symlinks is false).\n"
            "On Windows, clone inside WSL, in a folder of its own file system. Elsewhere: "
            "git config core.symlinks true && rm raw && git checkout raw"
        )


def _draw_samples(project: Project, names: list[str], why: str) -> None:
    apart = samples.draw(project, names)
    for name in names:
        print(f"{name:<24} sample  in {apart.data(name).relative_to(project.root)}")
    print(BANNER.format(line="!" * 90, why=why, place=apart.root), file=sys.stderr, flush=True)


def where(project: Project) -> None:
    """Print the checkout that is built and looked at: this one, or while its data are not there that for samples."""
    print(samples.where(project).root)


def validate(project: Project, name: str) -> None:
    """The gate: the bytes are the pinned ones, and the facts of the data are as the page expects."""
    page = datasets.page(name)
    origin = fetch.verify(page, project.data(name))
    sample = origin["kind"] == "sample"
    from handbook import validation

    validation.load()
    table = page.facts(project.data(name))
    findings = validation.check(f"{name}_sample" if sample else name, table, page.expectations(sample), project.gx)
    validation.refuse(name, findings, validation.data_docs(project.gx) / "index.html")
    write_json(
        project.reports(name) / "validation.json",
        {
            "data": origin["kind"],
            "dataset": name,
            "files": {file: facts["sha256"] for file, facts in origin["files"].items()},
            "rows": len(table),
            "expectations": [finding.meaning for finding in findings],
            "success": True,
        },
    )
    print(f"{name} ({origin['kind']}): all {len(findings)} expectations are met by {len(table):,} rows")


def train(project: Project, name: str) -> None:
    """Train a case; a run that was cut off goes on where its last checkpoint is.

    Under torchrun its processes train one model together, and the first of them writes it.
    """
    case = project.case(name)
    fit(project, case, *_load(project, case))


def fit(project: Project, case: Case, loaded: Any, origin: dict[str, Any]) -> None:
    """Train a case on data of that origin; the model, its history and what it cost are files at the end."""
    name = case.name
    key = training_key(case, origin)
    checkpoint = project.cache / "checkpoints" / name / f"{key}.ckpt"
    model = case.page.fit(loaded, case.params, Run(checkpoint, _listener(project, case, key)))
    if not first():
        return
    save(model, project.models(name))
    write_rows(project.reports(name) / "history.csv", model.history_)
    flow_run = {"flow_run": os.environ[FLOW_RUN]} if os.environ.get(FLOW_RUN) else {}
    write_json(project.reports(name) / "training.json", {"key": key, **model.training_, **flow_run})
    shutil.rmtree(checkpoint.parent, ignore_errors=True)
    print(
        f"{name}: {model.training_['seconds']:.0f} s, {model.training_['samples_per_second']:,} samples/s"
        f" on {model.training_['device']}"
    )


def _listener(project: Project, case: Case, key: str) -> Callable[[Row], None] | None:
    """Who is told of each epoch as it ends: a log, where no progress bar is shown, and MLflow, where that is asked."""
    if not first():
        return None
    listeners: list[Callable[[Row], None]] = []
    if not sys.stderr.isatty():
        of = f"/{case.params.epochs}" if hasattr(case.params, "epochs") else ""
        listeners.append(lambda row: print(f"epoch {row['epoch']:.0f}{of}: {_scores(row)}", flush=True))
    if os.environ.get("HANDBOOK_LIVE"):
        from handbook import tracking

        listeners.append(tracking.live(project, case, key))

    def tell(row: Row) -> None:
        for listener in listeners:
            listener(row)

    return tell


def _scores(row: Row) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in row.items() if name.startswith(("train_", "valid_")))


def training_key(case: Case, origin: dict[str, Any]) -> str:
    """What a training run is determined by: parameters, data, and code. Names its checkpoint."""
    files = {file: facts["sha256"] for file, facts in origin["files"].items()}
    loop = sorted(Path(__file__).with_name("training").glob("*.py"))
    what = {
        "params": plain(case.params),
        "files": files,
        "code": [inspect.getsource(case.page), *(path.read_text() for path in loop)],
    }
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]


def _load(project: Project, case: Case) -> tuple[Any, dict[str, Any]]:
    """A case's data, their bytes checked, and their provenance."""
    page = datasets.page(case.dataset)
    if isinstance(project, Own):
        return _load_own(page, case, project.file)
    origin = fetch.verify(page, project.data(case.dataset))
    return page.load(project.data(case.dataset)), origin


def _load_own(page: ModuleType, case: Case, file: Path | None) -> tuple[Any, dict[str, Any]]:
    """A file of one's own, read as the case's dataset; only a page that offers `read` takes one."""
    if not hasattr(page, "read"):
        raise HandbookError(f"{case.name} learns from {case.dataset}, which no single file can stand in for")
    assert file is not None, "the command line sees to it"
    return page.read(file), {"kind": "own", "files": {file.name: {"sha256": fetch.sha256(file)}}}


def evaluate(project: Project, name: str) -> None:
    """Judge a trained case: metrics.json, figures and tables, each saying whether its data are real."""
    imports.later("scipy.stats")  # scikit-learn imports it, for what few of its parts use
    case = project.case(name)
    loaded, origin = _load(project, case)
    model = _model(project, case)
    model.history_ = read_rows(project.reports(name) / "history.csv")
    report = case.page.evaluate(model, loaded, *_judge(project, case))
    write_json(project.reports(name) / "example.json", ledger.exemplify(case, model, loaded))
    form = {"form": origin["form"]} if origin.get("form") else {}
    _draw(report.figures, project.reports(name) / "figures", origin["kind"] == "sample", case.dataset, **form)
    tables = project.reports(name) / "tables"
    shutil.rmtree(tables, ignore_errors=True)
    tables.mkdir(parents=True)
    for table, rows in report.tables.items():
        write_rows(tables / f"{table}.csv", rows)
    metrics = _rounded(
        {
            **report.metrics,
            "baseline": report.baseline,
            "book": case.book,
            "interval": {key: list(bounds) for key, bounds in report.interval.items()},
            **({"finding": report.finding} if report.finding else {}),
        }
    )
    write_json(
        project.reports(name) / "metrics.json", {**metrics, "data": origin["kind"], "dataset": case.dataset, **form}
    )
    primary = case.page.PRIMARY
    book = f", the book {case.book[primary]:.4f}" if primary in case.book else ""
    print(f"{name}: {primary} {metrics[primary]:.4f}{book}, the baseline {report.baseline[primary]:.4f}")


def _judge(project: Project, case: Case) -> tuple[Judge, ...]:
    """The judge that a case's page asks for, or nothing."""
    if case.judge is None:
        return ()
    judge = project.case(case.judge)
    return (Judge(judge.page, load(judge.page, judge.params, project.models(case.judge))),)


def _model(project: Project, case: Case) -> Any:
    """A trained case's model."""
    place = project.models(case.name)
    if isinstance(project, Own) and not place.exists():
        raise HandbookError(
            f"{project.folder} holds no model. Make it: python -m handbook train {case.name} --data FILE "
            f"--to {project.folder}"
        )
    return load(case.page, case.params, place)


def _draw(figures: dict[str, Any], directory: Path, sample: bool, dataset: str = "", form: str = "") -> None:
    """Write the figures, each saying whether it shows a sample, or which form of data published in several."""
    from handbook.figures import mark_form, mark_sample

    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for title, figure in figures.items():
        if sample:
            mark_sample(figure)
        elif form:
            mark_form(figure, dataset, form)
        figure.savefig(directory / f"{title}.png", dpi=110, metadata={"Software": None})


def _rounded(value: Any) -> Any:
    """Six significant digits: what differs below that is the processor's, not the model's."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def generate(project: Project, name: str, asked: dict[str, Any]) -> None:
    """Print what a trained text model writes: `asked` holds the prompt and any of the settings of `texts.Request`."""
    import pandas as pd

    case = project.case(name)
    if not hasattr(case.page, "continued"):
        raise HandbookError(f"{name} writes no text: generate needs a case of the page char_lstm")
    model = _model(project, case)
    try:
        print(case.page.predict(model, pd.DataFrame([asked]))["text"].iloc[0])
    except ValueError as error:
        raise HandbookError(str(error)) from None


def register(project: Project, name: str) -> None:
    """Bring a judged case into the registry, once for the same content, and move its aliases."""
    from handbook import outlines, tracking

    print(tracking.register(project, project.case(name, outlines.page)))


def lab(project: Project, name: str) -> None:
    """Work a chapter through: checks.json and figures, marked if they show sample data."""
    page, home = labs.page(name), project.reports("labs") / name
    given, kind = _given(project, page)
    checks = _rounded(page.checks(*given))
    _draw(page.figures(*given), home / "figures", kind == "sample")
    moving = page.animations(*given) if hasattr(page, "animations") else {}
    for title, write in moving.items():
        write(home / "figures" / f"{title}.gif")
    write_json(home / "checks.json", checks | ({"data": kind} if kind else {}))
    print(f"{name}: {len(checks)} checks, {len(list((home / 'figures').iterdir()))} figures in reports/labs/{name}")


def _given(project: Project, page: ModuleType) -> tuple[tuple[Any, ...], str]:
    """What a lab's functions are called with, its dataset or nothing, and of which kind those data are."""
    if not hasattr(page, "DATASET"):
        return (), ""
    origin = fetch.verify(datasets.page(page.DATASET), project.data(page.DATASET))
    return (datasets.page(page.DATASET).load(project.data(page.DATASET)),), str(origin["kind"])


def report(project: Project) -> None:
    """Build reports/index.html, and the README's table if everything is real."""
    from handbook import report as pages

    write_text(project.root / "reports" / "index.html", pages.build(project))
    print(f"reports/index.html shows {len(project.cases())} cases and {len(project.labs())} labs")
    if pages.all_real(project):
        readme = project.root / "README.md"
        write_text(readme, pages.with_results(readme.read_text(), pages.results(project)))
    else:
        print("README.md is left as it is: its table holds results from real data only")


def check(project: Project) -> None:
    """Refuse what must not be committed: results of samples, and a lock or README that does not match them."""
    from handbook import report as pages

    faults = [
        f"{path.relative_to(project.root)} was made from sample data"
        for pattern in ("*/metrics.json", "*/validation.json", "labs/*/checks.json")
        for path in sorted((project.root / "reports").glob(pattern))
        if json.loads(path.read_text()).get("data", "real") != "real"
    ]
    faults += _lock_faults(project)
    readme = (project.root / "README.md").read_text()
    if not faults and pages.with_results(readme, pages.results(project)) != readme:
        faults.append("README.md does not show the results in reports/*/metrics.json. Mend it: make report")
    if faults:
        raise HandbookError(
            "not fit to be committed:\n  " + "\n  ".join(faults) + "\n"
            "Rebuild with the real data (make repro), or take back what git has: "
            "git checkout -- dvc.lock data.dvc reports gx README.md"
        )
    print("results are real, and dvc.lock and README.md agree with them")


def _lock_faults(project: Project) -> list[str]:
    """Files in git that are not those which dvc.lock was written with."""
    kept = [
        out
        for stage in project.locked().values()
        for out in stage.get("outs", [])
        if out["path"].endswith(("metrics.json", "validation.json", "checks.json"))
    ]
    return [
        f"dvc.lock was written with another {out['path']} than the one here"
        for out in kept
        if not (path := project.root / out["path"]).exists()
        or hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() != out["md5"]
    ]


def known(kind: str, name: str, names: list[str]) -> str:
    """The name, if it is one of the names."""
    if name not in names:
        raise unknown(kind, name, names)
    return name

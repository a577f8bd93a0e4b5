"""Judge a trained case: metrics, figures and tables as files."""

from __future__ import annotations

from handbook.data.provenance import sha256
from handbook.evaluation import examples
from handbook.evaluation.report import Judge
from handbook.files.formats import read_rows, write_json
from handbook.files.integrity import hashes
from handbook.project import Case, Project
from handbook.startup import imports
from handbook.steps.given import data_of, rounded, trained_model, write_figures, write_tables
from handbook.training.models import load


def evaluate(project: Project, name: str) -> None:
    """Judge a trained case: metrics.json, figures and tables, each saying whether its data are real."""
    imports.later("scipy.stats")  # scikit-learn imports it, for what few of its parts use
    case = project.case(name)
    data, origin = data_of(project, case)
    split = case.split(data)
    model = trained_model(project, case)
    model.history_ = read_rows(project.reports(name) / "history.csv")
    report = case.page.evaluate(model, split, *judges(project, case))
    write_json(project.reports(name) / "example.json", examples.exemplify(case, model, split))
    form = {"form": origin["form"]} if origin.get("form") else {}
    write_figures(report.figures, project.reports(name) / "figures", origin["kind"] == "sample", case.dataset, **form)
    write_tables(report.tables, project.reports(name))
    metrics = rounded(
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
    if card := project.evaluated(name):
        write_json(card, {"case": name, "files": _output_hashes(project, name)})
    primary = case.page.PRIMARY
    book = f", the book {case.book[primary]:.4f}" if primary in case.book else ""
    print(f"{name}: {primary} {metrics[primary]:.4f}{book}, the baseline {report.baseline[primary]:.4f}")


def _output_hashes(project: Project, name: str) -> dict[str, str]:
    """The sha256 of all that is registered of a case: its model and what evaluation made, by path."""
    hashed = {f"model/{path}": digest for path, digest in hashes(project.models(name)).items()}
    for part in ("figures", "tables", "confusion"):
        hashed |= {f"{part}/{path}": digest for path, digest in hashes(project.reports(name) / part).items()}
    return hashed | {each: sha256(project.reports(name) / each) for each in ("example.json", "metrics.json")}


def judges(project: Project, case: Case) -> tuple[Judge, ...]:
    """The judge that a case's page asks for, or nothing."""
    if case.judge is None:
        return ()
    judge = project.case(case.judge)
    return (Judge(judge.page, load(judge.page, judge.params, project.models(case.judge))),)

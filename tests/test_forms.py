"""Data that are published in several forms: which one a figure was made from is said wherever the figure is."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from handbook import datasets
from handbook.evaluation import examples
from handbook.files import formats
from handbook.files.integrity import FILES, digest, hashes
from handbook.project import Project
from handbook.registry import ledger, mlflow_run, standings
from handbook.steps import evaluate, given
from handbook.steps.report import page, table

NAME, DATASET = "som_transactions", "credit_card_transactions"
PAGE = datasets.page(DATASET)


def written(project: Project, form: str | None, data: str = "real") -> dict[str, Any]:
    """The metrics of the case, as an evaluation on that form leaves them."""
    metrics = {
        "roc_auc": 0.9, "baseline": {"roc_auc": 0.5}, "book": {}, "interval": {"roc_auc": [0.8, 0.95]},
        "data": data, "dataset": DATASET, **({"form": form} if form else {}),
    }  # fmt: skip
    formats.write_json(project.reports(NAME) / "metrics.json", metrics)
    formats.write_json(project.reports(NAME) / "training.json", {"seconds": 1.0, "key": "k"})
    return metrics


@pytest.mark.parametrize(
    ("form", "data", "shown"),
    [("subset", "real", f"{DATASET} (subset)"), ("whole", "real", f"{DATASET} (whole)"), (None, "real", DATASET),
     (None, "sample", f"{DATASET} (sample)")],
)  # fmt: skip
def test_the_row_says_which_form_its_figures_are_made_from(
    form: str | None, data: str, shown: str, project: Project
) -> None:
    written(project, form, data)
    assert table.row(project, NAME)["dataset"] == shown


def test_the_section_says_how_the_subset_was_drawn_and_what_that_does_to_precision(project: Project) -> None:
    written(project, "subset")
    (project.reports(NAME) / "figures").mkdir()
    said = page.section(project, project.case(NAME), table.Notes())["form"]
    for words in ("all 492 frauds", "15 %", "unevenly", "1.14 %", "0.173 %", "precision of 50 % here is one of 13 %"):
        assert words in said
    written(project, None)
    assert page.section(project, project.case(NAME), table.Notes())["form"] == ""


def test_what_the_page_says_of_the_precision_follows_from_the_shares() -> None:
    odds = {form: share / (1 - share) for form, share in PAGE.FRAUD_SHARE.items()}
    times = odds["subset"] / odds["whole"]
    assert times == pytest.approx(6.64, abs=0.005)
    assert 1 / (1 + times) == pytest.approx(0.13, abs=0.005)
    assert f"{times:.2f} times" in PAGE.NOTES["subset"]
    assert f"{times:.2f} times" in PAGE.__doc__
    assert set(PAGE.NOTES) == set(PAGE.FORMS)


def entered(project: Project, tmp_path: Path, form: str | None, score: float) -> str:
    store, content = tmp_path / "store", digest(f"{form}{score}".encode())[:16]
    metrics = written(project, form) | {"roc_auc": score}
    if not store.exists():
        standings.write(store, standings.blank())
    formats.write_json(store / content / "report" / "metrics.json", metrics)
    formats.write_json(store / content / "report" / "training.json", {"key": content})
    formats.write_json(store / content / FILES, hashes(store / content))
    return ledger.enter(project.case(NAME), store, content)[1]


def test_a_model_of_the_whole_replaces_one_of_the_subset_and_not_the_other_way_round(
    project: Project, tmp_path: Path
) -> None:
    assert "is champion" in entered(project, tmp_path, "subset", 0.95)
    assert "the champion has 0.9500" in entered(project, tmp_path, "subset", 0.9)
    assert "is champion" in entered(project, tmp_path, "whole", 0.85)  # other test rows: not to be compared
    assert "of the data it was made from the subset, the champion from the whole" in entered(
        project, tmp_path, "subset", 0.99
    )


def test_figures_from_before_forms_were_written_down_are_compared_as_they_were(
    project: Project, tmp_path: Path
) -> None:
    assert "is champion" in entered(project, tmp_path, None, 0.9)
    assert "the champion has 0.9000" in entered(project, tmp_path, "subset", 0.8)
    assert "is champion" in entered(project, tmp_path, "subset", 0.95)


def test_the_form_is_a_tag_of_the_run_and_part_of_the_name_of_its_data(project: Project) -> None:
    formats.write_json(project.models(NAME) / "facts.json", {})
    for form in ("subset", None):
        written(project, form)
        entry = ledger.entry(project, project.case(NAME))
        assert entry.get("form") == form
        tags = mlflow_run._tags(entry, {"key": "k", "device": "cpu"})
        assert tags.get("form") == form
        named = json.loads(mlflow_run._dataset_input(entry).to_json())["name"]
        assert named == (f"{DATASET} ({form})" if form else DATASET)


def test_a_figure_says_below_itself_which_form_it_shows(tmp_path: Path) -> None:
    from handbook.evaluation.figures import canvas

    figure, _ = canvas(1, 1, size=(3, 3))
    given.write_figures({"one": figure}, tmp_path / "figures", False, DATASET, "subset")
    assert figure.get_supxlabel() == f"data: {DATASET} (subset)"
    assert (tmp_path / "figures" / "one.png").exists()


def test_evaluation_writes_the_form_that_the_provenance_tells(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, found = project.case(NAME), {"kind": "real", "form": "subset", "files": {}}
    reported = SimpleNamespace(
        metrics={"roc_auc": 0.9}, baseline={"roc_auc": 0.5}, interval={}, finding="", figures={}, tables={}
    )
    monkeypatch.setattr(case.page, "split", lambda *_: None)
    monkeypatch.setattr(case.page, "evaluate", lambda *_: reported)
    monkeypatch.setattr(evaluate, "data_of", lambda *_: (None, found))
    monkeypatch.setattr(evaluate, "trained_model", lambda *_: SimpleNamespace())
    monkeypatch.setattr(examples, "exemplify", lambda *_: {})
    project.models(NAME).mkdir(parents=True)
    formats.write_rows(project.reports(NAME) / "history.csv", [{"epoch": 1.0, "train_loss": 1.0}])
    evaluate.evaluate(project, NAME)
    metrics = json.loads((project.reports(NAME) / "metrics.json").read_text())
    assert (metrics["data"], metrics["form"]) == ("real", "subset")

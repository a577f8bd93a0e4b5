"""Where a model comes from is written down, what is written down is checked, and a champion can be taken back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from handbook.__main__ import main
from handbook.errors import HandbookError
from handbook.project import Project
from handbook.registry import ledger, lineage, standings, tracking
from handbook.steps import train, validate
from handbook.training.run import FLOW_RUN

NAME = "lenet"
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"
)


def aliases(project: Project) -> dict[str, int | None]:
    known = ledger.state(project, NAME)
    return {alias: ledger.number(known, alias) for alias in standings.ALIASES}


def registered(project: Project, placed: Callable[..., Any], *scores: float) -> None:
    for score in scores:
        tracking.register(project, placed(NAME, score))


def test_lineage_names_everything_that_the_model_was_made_from(
    entered: Callable[..., str], project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.root / "dvc.lock").write_text(
        yaml.safe_dump({"stages": {f"train@{NAME}": {"deps": [{"path": "raw/fashion_mnist", "md5": "abc.dir"}]}}})
    )
    validate.validate(project, "fashion_mnist")
    monkeypatch.setenv(FLOW_RUN, "0f1e")
    entered(NAME)
    known = lineage.lineage(project, f"models:/{NAME}@champion")
    assert known == lineage.lineage(project, f"models:/{NAME}/1") == lineage.lineage(project, NAME)
    assert known["dvc"] == {"raw/fashion_mnist": "abc.dir"}
    assert known["expectations"] == {"success": True, "number": 47}
    assert set(known["sha256"]) == {path.name for path in project.data("fashion_mnist").glob("*.gz")}
    assert known["prefect"] == {"trained": None, "registered": "0f1e"}
    assert known["params"]["seed"] == 0
    assert known["git"] == "none"
    assert json.loads(json.dumps(known)) == known
    monkeypatch.setattr("sys.argv", ["handbook", "lineage", NAME])
    capsys.readouterr()
    assert main() == 0
    reported = capsys.readouterr().out
    for part in ("champion", "abc.dir", "learning_rate", "accuracy", "47", "0f1e", *known["sha256"].values()):
        assert part in reported


def test_a_model_of_a_flow_remembers_the_run_that_trained_it(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FLOW_RUN, "2b3c")
    train.train(project, "digits")
    assert ledger.read(project.reports("digits") / "training.json")["flow_run"] == "2b3c"


@pytest.mark.parametrize("model", ["models:/lenett@champion", "lenet@champion", "lenet/7", "a@b@c", ""])
def test_a_model_that_is_not_there_is_an_error(model: str, project: Project) -> None:
    with pytest.raises(HandbookError, match=r"no case 'lenett'.*lenet|nothing is registered of lenet|is no model"):
        lineage.lineage(project, model)

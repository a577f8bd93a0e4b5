"""What MLflow holds of a case, as it is held against the ledger."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from handbook.project import Project
from handbook.registry import ledger, mlflow_model, shown, tracking

NAME = "digits"
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"
)


def test_what_mlflow_shows_are_the_records_files_and_whatever_is_laid_beside_them(
    placed: Callable[..., Any], project: Project
) -> None:
    assert shown.recorded(project, NAME) == ([], {})
    tracking.register(project, placed(NAME, 0.9))
    content = ledger.sealed(project, NAME, ledger.state(project, NAME)["champion"])
    wanted = {path: content.files[where] for path, where in mlflow_model.layout(content).items()}
    (version,), aliases = shown.recorded(project, NAME)
    assert aliases == {"champion": "1", "challenger": "1"}
    assert (version.content, version.ours, version.files) == (content.place.name, True, wanted)
    folder = next(project.mlruns.glob(f"artifacts/{NAME}/models/*/artifacts"))
    (folder / shown.NOTE).write_text(f"model_name: {NAME}\nmodel_version: 1\n")  # what MLflow's clients leave there
    assert shown.recorded(project, NAME)[0][0].files == wanted
    (folder / shown.NOTE).write_text("model_name: other\nmodel_version: 1\n")
    assert set(shown.recorded(project, NAME)[0][0].files) - set(wanted) == {shown.NOTE}

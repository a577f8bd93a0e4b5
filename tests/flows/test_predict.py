"""Batch prediction as a flow, on a real Prefect server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from flows import deployments, predict
from handbook.project import Project

NAME = "boosting_before_call"


@pytest.mark.usefixtures("server")
def test_a_batch_is_answered_by_a_flow_and_a_bad_row_fails_it_without_loss(
    entered: Callable[..., str], project: Project, fitted: Any
) -> None:
    entered(NAME)
    rows = fitted(NAME)[1].features.head(20)
    rows.to_csv(project.root / "calls.csv", index=False)
    state = predict.predict(NAME, ["calls.csv"], "answers.csv", return_state=True)
    assert state.is_completed()
    assert len(pd.read_csv(project.root / "answers.csv")) == 20

    rows.astype("str").replace({"day": {str(rows["day"].iloc[0]): "?"}}).to_csv(project.root / "calls.csv", index=False)
    state = predict.predict(NAME, ["calls.csv"], "answers.csv", return_state=True)
    assert state.is_failed()
    assert "listed in" in state.message
    failed = pd.read_csv(project.root / "answers.csv.errors.csv")
    assert len(failed) + len(pd.read_csv(project.root / "answers.csv")) == 20
    assert set(failed["column"]) == {"day"}


def test_the_deployment_offers_the_cases_as_a_list(project: Project) -> None:
    (offered,) = (each for each in deployments.offered() if each.name == "predict")
    assert offered.entrypoint == "flows.predict.predict"
    assert offered._parameter_openapi_schema.properties["case"]["enum"] == project.cases()

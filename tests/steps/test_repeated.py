"""Figures over seeds are known by all that they hang on but the seed. That the tables mark them: test_repeat."""

from __future__ import annotations

import dataclasses

import pytest

from handbook.project import Case, Project
from handbook.steps import repeated

NAME, FILES = "rbf_before_call", {"bank.csv": "1" * 64}


def changed(case: Case, **values: float) -> Case:
    return dataclasses.replace(case, params=dataclasses.replace(case.params, **values))


def test_the_key_hangs_on_code_parameters_and_data_and_not_on_the_seed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = project.case(NAME)
    own = repeated.key(project, case, FILES)
    assert repeated.key(project, changed(case, seed=case.params.seed + 1), FILES) == own
    others = [
        repeated.key(project, changed(case, alpha=2 * case.params.alpha), FILES),
        repeated.key(project, case, {"bank.csv": "2" * 64}),
        repeated.key(project, project.case("rbf"), FILES),
    ]
    monkeypatch.setattr(repeated, "fingerprint", lambda *_, **__: "other code")
    others.append(repeated.key(project, case, FILES))
    assert len({own, *others}) == 5


def test_a_case_that_was_never_repeated_is_neither_fresh_nor_stale(project: Project) -> None:
    assert repeated.stale(project, NAME) is None
    assert repeated.shown(project, project.case(NAME)) == (None, False)

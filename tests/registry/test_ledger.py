"""The ledger: a champion can be taken back, and what was rejected stays out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from handbook.errors import HandbookError
from handbook.project import Project
from handbook.registry import ledger
from tests.registry.test_lineage import aliases

NAME = "lenet"
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"
)


def test_the_champion_before_comes_back_and_the_rejected_one_stays_out(
    entered: Callable[..., str], project: Project
) -> None:
    entered(NAME, 0.8)
    entered(NAME, 0.9)
    ledger.roll_back(project, project.case(NAME))
    assert aliases(project) == {"challenger": 2, "champion": 1, "previous": None}
    for _ in range(2):
        assert "does not pass the gate: version 2, of the same training, was rolled back" in entered(NAME, 0.9)
        assert aliases(project) == {"challenger": 2, "champion": 1, "previous": None}


def test_the_same_training_with_other_digits_is_rejected_too_and_a_new_training_is_not(
    entered: Callable[..., str], project: Project
) -> None:
    entered(NAME, 0.8)
    entered(NAME, 0.9, key="bad")
    ledger.roll_back(project, project.case(NAME))
    assert "version 2, of the same training, was rolled back" in entered(NAME, 0.91, key="bad")
    assert aliases(project)["champion"] == 1
    assert "passes the gate" in entered(NAME, 0.85, key="mended")
    assert aliases(project) == {"challenger": 4, "champion": 4, "previous": 1}


def test_a_promoted_version_is_rejected_no_longer(entered: Callable[..., str], project: Project) -> None:
    entered(NAME, 0.8)
    entered(NAME, 0.9)
    case = project.case(NAME)
    ledger.roll_back(project, case)
    ledger.promote(project, case, "2")
    assert aliases(project) == {"challenger": 2, "champion": 2, "previous": 1}
    assert "is the champion" in entered(NAME, 0.9)
    with pytest.raises(HandbookError, match="version 2 of lenet is the champion already"):
        ledger.promote(project, case, "champion")


def test_there_is_no_way_back_from_the_first_champion_and_none_to_a_sample(
    entered: Callable[..., str], project: Project
) -> None:
    case = project.case(NAME)
    with pytest.raises(HandbookError, match="nothing is registered of lenet"):
        ledger.roll_back(project, case)
    entered(NAME, 0.8, data="sample")
    with pytest.raises(HandbookError, match="no previous champion to roll back to; lenet has versions 1 to 1"):
        ledger.roll_back(project, case)
    entered(NAME, 0.7, data="real")
    with pytest.raises(
        HandbookError, match=r"version 1 was made from sample data, the champion \(version 2\) from real"
    ):
        ledger.roll_back(project, case)
    assert aliases(project) == {"challenger": 2, "champion": 2, "previous": 1}

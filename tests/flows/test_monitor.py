"""The flows of monitoring on a real Prefect server: they say what the functions say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flows import deployments, monitor, retrain
from handbook.monitoring import judgement
from handbook.registry import ledger
from tests.monitoring.toys import CASE, copied, drawn, held_out, put, shifted

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"
)


@pytest.mark.usefixtures("server")
def test_what_drifted_is_put_away_and_a_challenger_learns_it(
    champion_of: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    project = copied(champion_of(CASE), CASE, tmp_path / "project", monkeypatch)
    state = monitor.monitor(return_state=True)  # every case that has a folder: this one, and it is empty
    assert (state.name, state.message) == ("Idle", "nothing came in")
    put(project, "moved.csv", shifted(drawn(held_out(project), 0), 0))
    state = monitor.monitor(CASE, return_state=True)
    rows = {row.stage.split("-")[0]: row.state for row in state.result()}
    assert rows == {"moved": "Drifted", f"retrain {CASE}": "Completed"}
    assert [each["outcome"] for each in judgement.records(project, CASE)] == ["drifted"]
    assert len(ledger.read(ledger.store(project, CASE) / "ledger.json")["versions"]) == 2
    again = retrain.retrain("boosting_before_call", return_state=True)
    assert again.is_completed()
    ledger.store(project, CASE).rename(tmp_path / "gone")
    state = monitor.monitor(CASE, return_state=True)
    assert state.is_failed()
    assert "boosting_before_call has no champion" in str(state.message)


def test_the_hourly_schedule_is_paused_and_retraining_is_on_demand() -> None:
    found = {each.name: each for each in deployments.offered()}
    hourly, on_demand = found["monitor"], found["retrain"]
    assert (hourly.name, on_demand.name) == ("monitor", "retrain")
    assert [schedule.active for schedule in hourly.schedules or []] == [False]
    assert not on_demand.schedules

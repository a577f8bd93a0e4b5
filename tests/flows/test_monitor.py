"""The flows of monitoring on a real Prefect server: they say what the functions say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flows import deployments, events, monitor, retrain
from handbook.errors import HandbookError
from handbook.monitoring import judgement
from handbook.project import Project
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
    heard: list[tuple[str, str]] = []
    monkeypatch.setattr(events, "emit", lambda event, case, *_, **__: heard.append((event, case)))
    put(project, "moved.csv", shifted(drawn(held_out(project), 0), 0))
    (judgement.incoming(project, CASE) / "odd.csv").write_text("age;y\n1;no\n")
    state = monitor.monitor(CASE, return_state=True)
    rows = {row.stage.split("-")[0]: row.state for row in state.result()}
    assert rows == {"moved": "Drifted", "odd": "Refused"}  # one batch is no reason to retrain
    assert heard == [(events.BATCH_DRIFTED, CASE), (events.BATCH_REFUSED, CASE)]
    put(project, "again.csv", shifted(drawn(held_out(project), 1), 1))
    state = monitor.monitor(CASE, return_state=True)
    rows = {row.stage.split("-")[0]: row.state for row in state.result()}
    assert rows == {"again": "Drifted", f"retrain {CASE}": "Completed"}
    assert heard[2:4] == [(events.BATCH_DRIFTED, CASE), (events.DRIFTED, CASE)]
    idle = retrain.retrain(CASE, only_if_due=True, return_state=True)  # an automation that hears of it twice
    assert idle.name == "Idle"
    assert len(ledger.read(ledger.store(project, CASE) / "ledger.json")["versions"]) == 2
    again = retrain.retrain("boosting_before_call", return_state=True)
    assert again.is_completed()
    ledger.store(project, CASE).rename(tmp_path / "gone")
    state = monitor.monitor(CASE, return_state=True)
    assert state.is_failed()
    assert "boosting_before_call has no champion" in str(state.message)
    assert heard[-1] == (events.FAILED, CASE)


def test_a_flow_reads_only_folders_of_its_project(tmp_path: Path) -> None:
    (tmp_path / "project" / "incoming").mkdir(parents=True)
    (tmp_path / "project" / "out").symlink_to(tmp_path)
    project = Project(tmp_path / "project")
    assert monitor.within(project, "incoming") == tmp_path / "project" / "incoming"
    for folder in ("..", "/etc", "out", "incoming/../.."):
        with pytest.raises(HandbookError, match="is not in the project"):
            monitor.within(project, folder)


def test_the_hourly_schedule_is_paused_and_retraining_is_on_demand() -> None:
    found = {each.name: each for each in deployments.offered()}
    hourly, on_demand = found["monitor"], found["retrain"]
    assert (hourly.name, on_demand.name) == ("monitor", "retrain")
    assert [schedule.active for schedule in hourly.schedules or []] == [False]
    assert not on_demand.schedules

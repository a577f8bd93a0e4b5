"""What must hold for the flows, on a real Prefect server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterKey
from pydantic import TypeAdapter

from flows import case_study, deployments, everything, servers, verdict
from handbook.errors import HandbookError

ALL = [
    "sources",
    "validate@fruit",
    *(f"{verb}@{case}" for case in ("apple", "pear_book") for verb in ("train", "evaluate")),
    "register",
    "report",
]
SHOWN = {f"register@{case}": "Registered" for case in ("apple", "pear_book")}  # what became of each in the registry


def run(flow: Any, *arguments: Any) -> tuple[Any, dict[str, str]]:
    """A flow's final state, and the state of each stage."""
    state = flow(*arguments, return_state=True)
    return state, {row.stage: row.state for row in state.result(raise_on_failure=False)}


def artifact(key: str) -> str:
    """What an artifact of the last run shows. (Artifact.get leaves its connection open, which is a warning.)"""
    with get_client(sync_client=True) as client:
        found = client.read_artifacts(artifact_filter=ArtifactFilter(key=ArtifactFilterKey(any_=[key])))
    return str(found[-1].data)


@pytest.mark.usefixtures("server")
def test_every_stage_runs_once_and_is_cached_when_the_flow_runs_again(toy: Path) -> None:
    state, rows = run(everything.everything)
    assert state.is_completed()
    assert rows == dict.fromkeys(ALL, "Completed") | SHOWN
    assert (toy / "reports" / "index.html").read_text() == "apple\npear_book\n"

    state, rows = run(everything.everything)
    assert rows == dict.fromkeys(ALL, "Cached") | SHOWN
    assert state.message == "8 stages up to date, 8 of them already"


@pytest.mark.usefixtures("server")
def test_a_case_that_fails_leaves_the_others_done_and_is_named(toy: Path) -> None:
    (toy / "broken").mkdir()
    (toy / "broken" / "apple").touch()
    state, rows = run(everything.everything)
    assert state.is_failed()
    assert state.message.startswith("1 of 10 stages failed: train@apple\n")
    assert "apple is broken" in state.message
    assert rows == {
        **dict.fromkeys(ALL, "Completed"),
        **SHOWN,
        "train@apple": "Failed",
        "evaluate@apple": "NotReady",
        "register@apple": "NotReady",
    }
    assert (toy / "reports" / "index.html").read_text() == "pear_book\n"


@pytest.mark.usefixtures("server")
def test_one_case_touches_no_other_and_leaves_its_metrics_to_look_at(toy: Path) -> None:
    state, rows = run(case_study.case_study, "pear_book")
    assert state.is_completed()
    own = ["train@pear_book", "evaluate@pear_book", "register", "register@pear_book"]
    assert list(rows) == ["sources", "validate@fruit", *own]
    assert not (toy / "models" / "apple").exists()
    reported = artifact("pear-book-metrics")
    assert "| accuracy | 0.9 | 0.88 to 0.92 | 0.1 | 0.8412 |" in reported
    assert reported.startswith("**Made from sample data: not a result.**")


@pytest.mark.usefixtures("server")
def test_a_bar_fills_as_epochs_end_and_the_newest_page_of_data_docs_is_linked(
    toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for suite, moment in (
        ("fruit", "20260101T000000"),
        ("fruit_sample", "20260102T000000"),
        ("nuts", "20270101T000000"),
    ):
        page = toy / "reports" / "data_docs" / "validations" / suite / "none" / moment / "facts.html"
        page.parent.mkdir(parents=True)
        page.touch()
    monkeypatch.setenv(servers.REPORTS, "http://127.0.0.1:8000")
    assert run(case_study.case_study, "apple")[0].is_completed()
    assert float(artifact("apple-training")) == 50.0  # the toy's trainer ends with the first of two epochs
    docs = "http://127.0.0.1:8000/data_docs/validations/fruit_sample/none/20260102T000000/facts.html"
    assert docs in artifact("fruit-data-docs")


@pytest.mark.usefixtures("server")
def test_a_case_that_another_judges_waits_for_the_training_of_its_judge(toy: Path) -> None:
    params = (toy / "params.yaml").read_text()
    (toy / "params.yaml").write_text(
        params.replace("cases:", "cases:\n  pie: {page: pome, dataset: fruit, judge: models/apple, seed: 0}")
    )
    state, rows = run(case_study.case_study, "pie")
    assert state.is_completed()
    own = ["train@pie", "evaluate@pie", "register", "register@pie"]
    assert list(rows) == ["sources", "validate@fruit", "train@apple", *own]
    (toy / "broken").mkdir()
    (toy / "broken" / "apple").touch()
    (toy / "params.yaml").write_text((toy / "params.yaml").read_text().replace("seed: 0", "seed: 1"))
    _, rows = run(everything.everything)
    assert {stage: state for stage, state in rows.items() if stage.endswith("pie")} == {
        "train@pie": "Completed",
        "evaluate@pie": "NotReady",
        "register@pie": "NotReady",
    }


@pytest.mark.usefixtures("server")
def test_a_flow_of_an_unknown_case_says_which_there_are(toy: Path) -> None:
    with pytest.raises(HandbookError, match="no case 'aple'; choose from apple, pear_book"):
        case_study.case_study("aple")


def test_the_form_offers_the_cases_of_params_yaml(toy: Path) -> None:
    assert TypeAdapter(case_study.Case).json_schema()["enum"] == ["apple", "pear_book"]


def test_all_flows_are_offered_with_their_meaning_and_every_schedule_is_paused() -> None:
    found = {each.name: each for each in deployments.offered()}
    assert {"case-study", "handbook", "sweep", "monitor", "retrain", "predict"} == set(found)
    assert all(each.description and "handbook" in each.tags for each in found.values())
    paused = {name: [schedule.active for schedule in each.schedules or []] for name, each in found.items()}
    assert {name: active for name, active in paused.items() if active} == {"handbook": [False], "monitor": [False]}


@pytest.mark.parametrize(
    ("before", "after", "reported"),
    [
        ("0 3 * * *", "every night", r"deployment handbook: .*'every night'.* is no schedule. Expected `cron`"),
        ("0 3 * * *", "0 25 * * *", r"deployment handbook: .* is no schedule"),
        ("flows.sweep.sweep", "flows.sweep.gone", r"deployment sweep: entrypoint flows.sweep.gone: .*no attribute"),
        ("flows.sweep.sweep", "flows.swept.sweep", r"deployment sweep: entrypoint flows.swept.sweep: No module"),
    ],
)
def test_a_declaration_that_is_wrong_is_an_error_that_names_it(
    tmp_path: Path, before: str, after: str, reported: str
) -> None:
    text = deployments.DECLARED.read_text()
    assert before in text
    (tmp_path / "prefect.yaml").write_text(text.replace(before, after))
    with pytest.raises(HandbookError, match=reported):
        deployments.offered(tmp_path / "prefect.yaml")


def test_a_misspelt_case_ends_at_once_and_starts_no_server(toy: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flows", "aple"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: no case 'aple'; choose from apple, pear_book")
    assert not (toy / ".cache").exists()


def test_the_table_has_a_line_a_stage() -> None:
    rows = [verdict.Row("train@apple", "Cached", 0.44), verdict.Row("report", "NotReady", None)]
    assert verdict.table(rows).splitlines() == [
        "stage        state       seconds",
        "train@apple  Cached          0.4",
        "report       NotReady",
    ]


@pytest.mark.slow
def test_make_flow_runs_everything_on_a_server_of_its_own_that_ends_with_it(toy: Path) -> None:
    first, again = (
        subprocess.run([sys.executable, "-m", "flows"], capture_output=True, text=True, timeout=250, check=False)
        for _ in range(2)
    )
    assert (first.returncode, again.returncode) == (0, 0)
    assert first.stdout.count("  Completed  ") == len(ALL)
    assert again.stdout.count("  Cached  ") == len(ALL)
    assert "Error" not in first.stderr + again.stderr  # such as logs that found their server gone
    here = [each.pid for each in psutil.process_iter(["cwd"]) if each.info["cwd"] == str(toy)]
    assert here == [os.getpid()]


@pytest.mark.slow
def test_make_flow_asked_to_end_leaves_no_process_and_goes_on_next_time(toy: Path) -> None:
    (toy / "slow").write_text("100\n")
    with subprocess.Popen([sys.executable, "-m", "flows"], stderr=subprocess.PIPE, text=True) as flow:
        assert flow.stderr is not None
        while "- threads" not in (line := flow.stderr.readline()):  # the first trainer is at work
            assert line, "it ended before it trained"
        family = psutil.Process(flow.pid).children(recursive=True)
        assert len(family) >= 3
        flow.send_signal(signal.SIGTERM)
        flow.stderr.read()
        assert flow.wait(60) == 130
    _, left = psutil.wait_procs(family, timeout=5)
    assert not [member for member in left if member.is_running() and member.status() != psutil.STATUS_ZOMBIE]
    (toy / "slow").write_text("0\n")
    done = subprocess.run([sys.executable, "-m", "flows", "apple"], capture_output=True, timeout=250, check=False)
    assert done.returncode == 0

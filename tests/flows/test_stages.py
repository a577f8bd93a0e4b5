"""What must hold whenever a stage is run through DVC."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from flows import machine, stages
from handbook.errors import HandbookError
from handbook.project import Project
from tests.conftest import ROOT
from tests.flows.conftest import PIPELINE


def quiet(line: str) -> None:
    """Listen to no line."""


def edges(pipeline: dict[str, Any]) -> set[tuple[str, str]]:
    """Which stage needs what which other one makes, whatever it is of."""

    def paths(stage: dict[str, Any], *kinds: str) -> set[str]:
        listed = [each for kind in kinds for each in stage.get("do", stage).get(kind, [])]
        return {re.sub(r"\$\{[^}]*\}", "*", each if isinstance(each, str) else next(iter(each))) for each in listed}

    outputs = {name: paths(stage, "outs", "metrics", "plots") for name, stage in pipeline.items()}
    needed = {name: paths(stage, "deps") for name, stage in pipeline.items()}
    return {
        (name, other)
        for name, deps in needed.items()
        for other, outs in outputs.items()
        if any(dep == out or dep.startswith(f"{out}/") or out.startswith(f"{dep}/") for dep in deps for out in outs)
    }


def test_the_toy_has_the_stages_of_the_pipeline_and_no_path_between_them_that_it_has_not() -> None:
    toy, real = (yaml.safe_load(text)["stages"] for text in (PIPELINE, (ROOT / "dvc.yaml").read_text()))
    assert set(toy) == set(real) - {"lab"}
    assert [stage.get("foreach") for stage in toy.values()] == [real[name].get("foreach") for name in toy]
    assert edges(toy)
    assert edges(toy) <= edges(real)


def test_a_fresh_stage_runs_and_then_is_cached(ready: Path) -> None:
    reported: list[str] = []
    assert stages.run("train@apple", reported.append).outcome is stages.Outcome.RAN
    assert "Running stage 'train@apple':" in reported
    assert stages.run("train@apple", quiet).outcome is stages.Outcome.CACHED


def test_a_stage_given_back_by_the_run_cache_is_cached(ready: Path) -> None:
    stages.run("train@apple", quiet)
    (ready / "dvc.lock").unlink()
    (ready / "models" / "apple").unlink()
    assert stages.run("train@apple", quiet).outcome is stages.Outcome.CACHED
    assert (ready / "models" / "apple").read_text() == "apple\n"


def test_a_failing_stage_says_its_name_and_its_last_line(ready: Path) -> None:
    (ready / "broken").mkdir()
    (ready / "broken" / "apple").touch()
    with pytest.raises(stages.StageError, match=r"stage train@apple failed(.|\n)*apple is broken") as caught:
        stages.run("train@apple", quiet)
    assert "dvc repro --single-item train@apple" in str(caught.value)


def test_many_at_once_all_land_in_the_lock(ready: Path) -> None:
    names = [f"sort{number}" for number in range(6)]
    cases = {name: {"page": "pome", "dataset": "fruit"} for name in names}
    (ready / "params.yaml").write_text(yaml.safe_dump({"datasets": ["fruit"], "cases": cases}))
    with machine.machine(at_once=len(names)), ThreadPoolExecutor(len(names)) as pool:
        room = machine.current()
        work = [pool.submit(inside, room, f"train@{name}") for name in names]
        assert {future.result().outcome for future in work} == {stages.Outcome.RAN}
    assert {f"train@{name}" for name in names} <= set(yaml.safe_load((ready / "dvc.lock").read_text())["stages"])


def inside(room: machine.Machine, stage: str) -> stages.Done:
    """Run a stage on a machine shared with other threads, as Prefect's task runner does."""
    machine._current.set(room)
    return stages.run(stage, quiet)


def test_a_stage_that_another_dvc_is_making_is_waited_for(ready: Path) -> None:
    held, reported = ready / "held", list[str]()
    held.touch()

    def hear(line: str) -> None:
        reported.append(line)
        if "another DVC is at work" in line:
            held.unlink(missing_ok=True)

    let_go = threading.Timer(60, held.unlink, [True])  # it was not said: the test is to fail, not to hang
    let_go.start()
    with subprocess.Popen([sys.executable, "-m", "dvc", "repro", "train@apple"], stdout=subprocess.PIPE) as person:
        assert person.stdout is not None
        while b"threads" not in person.stdout.readline():
            pass
        done = stages.run("train@apple", hear)
    let_go.cancel()
    assert done.outcome is stages.Outcome.CACHED
    assert any("another DVC is at work" in line for line in reported)


def test_a_lock_held_longer_than_dvc_waits_by_itself_loses_no_work(ready: Path) -> None:
    import zc.lockfile

    lock: list[zc.lockfile.LockFile] = []

    def hold(line: str) -> None:
        if line.startswith("threads") and not lock:  # its command runs, so DVC has let go of its lock
            lock.append(zc.lockfile.LockFile(str(ready / ".dvc" / "tmp" / "lock")))
            threading.Timer(4.5, lock[0].close).start()

    (ready / "slow").write_text("0.5\n")
    assert stages.run("train@apple", hold).outcome is stages.Outcome.RAN
    assert lock
    assert "train@apple" in (ready / "dvc.lock").read_text()


def test_closing_the_machine_ends_what_runs_and_starts_nothing_more(ready: Path) -> None:
    (ready / "slow").write_text("60\n")
    begun = threading.Event()

    def note(line: str) -> None:
        if line.startswith("threads"):
            begun.set()

    def train() -> None:
        machine._current.set(room)
        with pytest.raises(stages.StageError, match="train@apple"):
            stages.run("train@apple", note)
        with pytest.raises(stages.StageError, match="was stopped with its flow"):
            stages.run("train@pear_book", quiet)

    others = set(psutil.Process().children(recursive=True))
    with ThreadPoolExecutor(1) as pool, machine.machine() as room:
        future = pool.submit(train)
        assert begun.wait(60)
        family = set(psutil.Process().children(recursive=True)) - others
        room.close()
        future.result(timeout=20)
    assert family
    _, left = psutil.wait_procs(family, timeout=5)
    assert not [member for member in left if member.is_running() and member.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize(("at_once", "cores", "heavy", "most"), [(2, 8, True, 2), (2, 3, False, 3), (3, 2, True, 3)])
def test_no_more_run_at_once_than_there_is_room_for(at_once: int, cores: int, heavy: bool, most: int) -> None:
    room, busy, seen = machine.Machine(at_once, cores), 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal busy, seen
        with room.place(heavy):
            with lock:
                busy, seen = busy + 1, max(seen, busy + 1)
            time.sleep(0.02)
            with lock:
                busy -= 1

    with ThreadPoolExecutor(8) as pool:
        for _ in range(8):
            pool.submit(work)
    assert seen == most


def test_whoever_waits_with_the_lowest_rank_goes_first() -> None:
    room, order = machine.Machine(at_once=1, cores=1), list[int]()

    def work(rank: int) -> None:
        with room.place(heavy=True, rank=rank):
            order.append(rank)

    with ThreadPoolExecutor(4) as pool, room.place(heavy=True):
        for rank in (3, 1, 2, 1):
            pool.submit(work, rank)
        while len(room._places._waiting) < 4:
            time.sleep(0.01)
    assert order == [1, 1, 2, 3]


def test_gates_go_first_then_what_params_yaml_names_then_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "params.yaml").write_text("cases: {short: {}, long: {}}\nfirst: [train@long, lab@slow]\n")
    monkeypatch.chdir(tmp_path)
    ranks = {
        name: stages._rank(name)
        for name in ("evaluate@long", "train@short", "lab@slow", "train@long", "validate@it", "sources", "report")
    }
    assert ranks["sources"] == ranks["validate@it"] < ranks["train@long"] < ranks["lab@slow"] < ranks["report"]
    assert ranks["report"] == ranks["train@short"] == ranks["evaluate@long"]
    (tmp_path / "params.yaml").write_text("cases: {short: {}}\n")
    assert stages._rank("sources") < stages._rank("train@short")


def test_what_a_build_begins_with_are_stages_that_there_are() -> None:
    project = Project(ROOT)
    there = {f"train@{name}" for name in project.cases()} | {f"lab@{name}" for name in project.labs()}
    first = project.first()
    assert first
    assert set(first) <= there
    assert len(first) == len(set(first))


def test_a_heavy_stage_that_must_wait_stands_in_no_light_one_s_way() -> None:
    room, done = machine.Machine(at_once=1, cores=2), list[str]()

    def work(name: str, heavy: bool, rank: int) -> None:
        with room.place(heavy, rank):
            done.append(name)

    with ThreadPoolExecutor(2) as pool, room.place(heavy=True, rank=5):
        waits = pool.submit(work, "heavy", True, 0)
        while not room._places._waiting:
            time.sleep(0.01)
        pool.submit(work, "light", False, 9).result(timeout=5)
        assert not waits.done()
    assert done == ["light", "heavy"]


def test_trainers_and_light_stages_share_the_cores() -> None:
    room = machine.Machine(at_once=1, cores=1)
    light = threading.Thread(target=lambda: room.place(heavy=False).__enter__(), daemon=True)
    with room.place(heavy=True):
        light.start()
        light.join(0.1)
        assert light.is_alive()
    light.join(5)
    assert not light.is_alive()


def test_a_machine_has_room_for_one_at_least() -> None:
    with pytest.raises(HandbookError, match="at_once=0"):
        machine.Machine(at_once=0)

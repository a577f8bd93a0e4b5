"""Two clones with one DVC remote: no stage is computed twice, and the results are those of one clone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml

from flows import servers, stages
from flows.stages import Outcome, StageError
from tests.flows.test_stages import quiet

RUNS = ("train", "evaluate")  # what is computed; validate checks the clone's own bytes, register is its own side effect


@pytest.fixture
def clones(toy: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Two clones with one remote; what each computes is noted outside of both. A model is a folder, as in reality."""
    pipeline = (toy / "dvc.yaml").read_text()
    note = f"echo VERB@${{key}} >> {tmp_path / 'computed'} &&"
    pipeline = pipeline.replace("sleep $(cat slow) &&", f"sleep $(cat slow) && {note.replace('VERB', 'train')}")
    evaluating = "mkdir -p reports/${key} reports/evaluated &&"
    assert evaluating in pipeline
    pipeline = pipeline.replace(evaluating, f"{note.replace('VERB', 'evaluate')} {evaluating}")
    pipeline = pipeline.replace("echo ${key} > models/${key}", "mkdir models/${key} && echo ${key} > models/${key}/weights")  # fmt: skip  # noqa: E501
    (toy / "dvc.yaml").write_text(pipeline)
    (toy / "slow").write_text("1\n")
    subprocess.run(
        [sys.executable, "-m", "dvc", "remote", "add", "-q", "-d", "shared", str(tmp_path / "remote")],
        cwd=toy, check=True,
    )  # fmt: skip
    shutil.copytree(toy, other := tmp_path / "other")
    return toy, other


def computed(clone: Path) -> Counter[str]:
    """How often each stage was computed, in whichever clone."""
    return Counter((clone.parent / "computed").read_text().split())


def alone(clone: Path) -> Path:
    """The same without any sharing: what one clone makes by `dvc repro`."""
    shutil.copytree(clone, one := clone.parent / "one", ignore=shutil.ignore_patterns("cache", "tmp"))
    subprocess.run([sys.executable, "-m", "dvc", "repro", "-q"], cwd=one, check=True)
    (clone.parent / "computed").unlink()
    return one


def results(clone: Path) -> dict[str, bytes]:
    """Every file that the stages made, and what the lock says of them."""
    created = {
        str(path.relative_to(clone)): path.read_bytes()
        for folder in ("models", "reports", "registered")
        for path in sorted((clone / folder).rglob("*"))
        if path.is_file()
    }
    lock = yaml.safe_load((clone / "dvc.lock").read_text())["stages"]
    return created | {stage: repr(lock[stage]).encode() for stage in sorted(lock)}


def test_what_one_clone_made_is_given_back_in_the_other_and_not_run(
    clones: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = clones
    monkeypatch.setenv(stages.SHARE, "1")
    (one / "slow").write_text("0\n")
    assert stages.run("evaluate@apple", quiet).outcome is Outcome.RAN
    monkeypatch.chdir(other)
    assert stages.run("evaluate@apple", quiet).outcome is Outcome.CACHED
    assert computed(one) == {"train@apple": 1, "evaluate@apple": 1}
    assert results(one) == results(other)


def test_a_clone_without_a_remote_says_so(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(stages.SHARE, "1")
    with pytest.raises(StageError, match="no remote"):
        stages.run("validate@fruit", quiet)


def flow(clone: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "flows", "--share", *arguments], cwd=clone, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=os.environ | {"PREFECT_HOME": str(clone / ".prefect")},
    )  # fmt: skip


def succeed(*flows: subprocess.Popen[str]) -> None:
    try:
        for each in flows:
            reported, _ = each.communicate(timeout=550)
            assert each.returncode == 0, reported
    finally:
        for each in flows:
            each.terminate()  # nothing to one that has ended


EACH_ONCE = {f"{verb}@{case}": 1 for verb in RUNS for case in ("apple", "pear_book")}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_clones_at_work_on_a_case_each_compute_nothing_twice(clones: tuple[Path, Path]) -> None:
    one, other = clones
    want = results(alone(one))
    succeed(flow(one, "apple"), flow(other, "pear_book"))
    succeed(flow(one))  # everything, the other's case included
    succeed(flow(other))
    assert computed(one) == EACH_ONCE
    assert results(one) == results(other) == want


@contextmanager
def cluster(*clones: Path) -> Iterator[str]:
    """A Dask scheduler, and two workers in each of the clones, one for heavy stages; its address."""
    address = servers.free_address().replace("http", "tcp")
    scheduler = ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", servers.port_of(address)]
    worker = ["distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    with ExitStack() as stack:
        stack.enter_context(servers.running(clones[0], "scheduler", [*scheduler, "--no-dashboard"]))
        for clone in clones:
            for kind in ("heavy", "light"):
                module = [*worker, "--resources", f"{kind}=1", "--local-directory", str(clone.parent)]
                stack.enter_context(servers.running(clone, f"worker-{kind}", module, env={stages.SHARE: "1"}))
        yield address


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_one_flow_over_a_worker_in_each_clone_computes_nothing_twice(clones: tuple[Path, Path]) -> None:
    pytest.importorskip("prefect_dask")
    one, other = clones
    want = results(alone(one))
    with cluster(one, other) as address:
        succeed(flow(one, "--runner", "dask", "--cluster", address, "--at-once", "2"))
    assert computed(one) == EACH_ONCE
    succeed(flow(one))
    assert computed(one) == EACH_ONCE
    assert results(one) == want

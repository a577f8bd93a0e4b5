"""Monitoring: drift is found and noise is not, each batch is judged once, and nothing that came in is lost."""

from __future__ import annotations

import gzip
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handbook import datasets
from handbook.data import fetch, images
from handbook.errors import HandbookError
from handbook.monitoring import archive, findings, inbox, journal, judgement
from handbook.project import Project
from handbook.registry import connection, ledger
from tests.conftest import MIRROR, registered, small
from tests.monitoring.toys import BANK, CASE, PICTURES, drawn, held_out, outcomes, put, shifted

# Great Expectations, MLflow and their like call things that their own dependencies have deprecated.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"
)


@pytest.mark.real
@pytest.mark.slow
@pytest.mark.skipif(not MIRROR, reason="needs HANDBOOK_MIRROR")
def test_the_same_holds_of_the_real_data_from_file_to_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small(tmp_path, CASE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    project = Project(tmp_path)
    fetch.obtain(BANK, project.data("bank_marketing"), fetch.Search("mirror", project.cache))
    registered(project, CASE)
    judgement.incoming(project, CASE).mkdir(parents=True)
    for seed in range(20):
        rows = drawn(held_out(project), seed, 1000)
        put(project, f"still-{seed}.csv", rows)
        put(project, f"moved-{seed}.csv", shifted(rows, seed))
    found = outcomes(judgement.monitor(project, CASE))
    assert sum(found[f"still-{seed}.csv"] == "drifted" for seed in range(20)) <= 1
    assert sum(found[f"moved-{seed}.csv"] == "drifted" for seed in range(20)) >= 19


def test_a_batch_goes_where_it_belongs_and_says_why(watched: Project, capsys: pytest.CaptureFixture[str]) -> None:
    rows = held_out(watched)
    put(watched, "still.csv", drawn(rows, 0))
    put(watched, "moved.csv", shifted(drawn(rows, 1), 1))
    put(watched, "unlabelled.csv", drawn(rows, 2).drop(columns="y"))
    without = put(watched, "without.csv", drawn(rows, 3).drop(columns="job"))
    put(watched, "wrong.csv", drawn(rows, 4).assign(job="wizard"))
    bytes_of = {path.name: path.read_bytes() for path in without.parent.iterdir()}
    found = outcomes(judgement.monitor(watched, CASE))
    assert found == {
        "still.csv": "steady", "moved.csv": "drifted", "unlabelled.csv": "steady", "without.csv": "refused",
        "wrong.csv": "refused",
    }  # fmt: skip
    reported = capsys.readouterr().out
    assert "without.csv has columns without 'job'" in reported
    assert "job is one of admin." in reported
    assert "wizard" in reported
    here = judgement.incoming(watched, CASE)
    kept = {path.name: path for path in here.rglob("*.csv")}
    assert {name: path.read_bytes() for name, path in kept.items()} == bytes_of
    assert {name: path.parts[-3] for name, path in kept.items()} == {
        name: "refused" if outcome == "refused" else "done" for name, outcome in found.items()
    }
    records = {each["files"][0]: each for each in archive.records(watched, CASE)}
    assert records["unlabelled.csv"]["no_score"] == "the batch has no answers"
    assert records["still.csv"]["score"]["metric"] == "roc_auc"
    assert "**Held against sample data: not a result.**" in journal.page_of(records["still.csv"])
    assert len(list(archive.folder(watched, CASE).glob("*.md"))) == 5
    assert runs(watched) == 5


def runs(project: Project) -> int:

    with connection.opened(project) as mlflow:
        return len(mlflow.search_runs(experiment_names=[f"{CASE}-monitor"], output_format="list"))


def test_a_batch_is_judged_once_whatever_it_is_called(watched: Project) -> None:
    rows = drawn(held_out(watched), 0)
    put(watched, "first.csv", rows)
    first = judgement.monitor(watched, CASE)
    put(watched, "second.csv", rows)
    assert judgement.monitor(watched, CASE) == first
    assert len(archive.records(watched, CASE)) == runs(watched) == 1


def test_the_order_of_the_rows_changes_nothing_that_is_said(watched: Project) -> None:
    rows = drawn(held_out(watched), 5)
    put(watched, "a.csv", rows)
    put(watched, "b.csv", rows.sample(frac=1, random_state=0))
    one, other = judgement.monitor(watched, CASE)
    assert one["sha256"] != other["sha256"]
    for said in ("outcome", "columns", "score", "rows"):
        assert one[said] == other[said], said


def test_a_kill_between_report_and_move_costs_nothing(watched: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    put(watched, "batch.csv", shifted(drawn(held_out(watched), 0), 0))
    with monkeypatch.context() as killed:
        killed.setattr(judgement, "put_away", lambda batch, record: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            judgement.monitor(watched, CASE)
    before = archive.records(watched, CASE)
    assert [each["outcome"] for each in before] == ["drifted"]
    assert (judgement.incoming(watched, CASE) / "batch.csv").exists()
    monkeypatch.setattr(findings, "judged", None)  # nothing is judged again
    assert judgement.monitor(watched, CASE) == before
    assert not (judgement.incoming(watched, CASE) / "batch.csv").exists()
    assert runs(watched) == 1


def test_a_file_that_is_not_whole_is_left_alone_and_said(watched: Project, capsys: pytest.CaptureFixture[str]) -> None:
    folder = judgement.incoming(watched, CASE)
    whole = put(watched, "half.csv", drawn(held_out(watched), 0)).read_bytes()
    (folder / "half.csv").write_bytes(whole[:-7])
    (folder / "empty.csv").touch()
    (folder / "notes.txt").write_text("hello\n")
    assert judgement.monitor(watched, CASE) == []
    reported = capsys.readouterr().out
    assert "half.csv: left alone, it ends without a last newline" in reported
    assert "empty.csv: left alone, it is empty so far" in reported
    assert "notes.txt: left alone, it is no batch" in reported
    assert sorted(path.name for path in folder.iterdir()) == ["empty.csv", "half.csv", "notes.txt"]
    (folder / "half.csv").write_bytes(whole)
    assert outcomes(judgement.monitor(watched, CASE)) == {"half.csv": "steady"}


def test_what_cannot_be_watched_is_an_error_with_a_way_out(watched: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(HandbookError, match="no case 'boostin'; choose from boosting_before_call"):
        judgement.monitor(watched, "boostin")
    with pytest.raises(HandbookError, match=r"is empty: no batch has come in\. Put one there: NAME\.csv"):
        judgement.monitor(watched, CASE)
    with pytest.raises(HandbookError, match=r"no folder .*nowhere"):
        judgement.monitor(watched, CASE, watched.root / "nowhere")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    path = put(watched, "batch.csv", drawn(held_out(watched), 0))
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("MLFLOW_TRACKING_URI", nobody)
        with pytest.raises(
            HandbookError, match=rf"MLFLOW_TRACKING_URI is {nobody}, but no MLflow server answers there(.|\n)*make ui"
        ):
            judgement.monitor(watched, CASE)
    assert path.exists()
    assert not archive.records(watched, CASE)
    shutil.rmtree(ledger.store(watched, CASE))
    with pytest.raises(HandbookError, match=f"{CASE} has no champion(.|\n)*handbook register {CASE}"):
        judgement.monitor(watched, CASE)


def test_the_verb_tells_an_error_without_a_traceback(watched: Project) -> None:
    command = [sys.executable, "-m", "handbook", "monitor", CASE, "nowhere"]
    done = subprocess.run(command, cwd=watched.root, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: no folder ")
    assert "Traceback" not in done.stderr


def pair(project: Project, name: str, pictures: Any, labels: Any) -> None:
    folder = judgement.incoming(project, PICTURES)
    images.write_idx(folder / f"{name}{inbox.IMAGES}", pictures)
    images.write_idx(folder / f"{name}{inbox.LABELS}", labels)


def test_pictures_are_judged_by_pairs_and_those_of_another_size_are_refused(
    seen: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    data = datasets.page("mnist").load(seen.data("mnist"))
    pale = np.where(data.test_images > 0, np.maximum(data.test_images, 120), 0).astype(np.uint8)
    pair(seen, "still", data.test_images, data.test_labels)
    pair(seen, "inked", pale, data.test_labels)
    pair(seen, "small", data.test_images[:, 2:, 2:], data.test_labels)
    folder = judgement.incoming(seen, PICTURES)
    pair(seen, "cut", data.test_images[:150], data.test_labels[:150])
    cut = folder / f"cut{inbox.IMAGES}"
    cut.write_bytes(cut.read_bytes()[:-100])
    (folder / f"alone{inbox.LABELS}").write_bytes(gzip.compress(b"x"))
    found = {record["batch"][:-9]: record["outcome"] for record in judgement.monitor(seen, PICTURES)}
    assert found == {"still": "steady", "inked": "drifted", "small": "refused"}
    reported = capsys.readouterr().out
    assert f"small{inbox.IMAGES}: expected pictures of 28 x 28, found 26 x 26" in reported
    assert "its gzip stream ends in the middle" in reported
    assert f"its other half, *{inbox.IMAGES}, is not there yet" in reported
    assert sorted(path.name for path in folder.iterdir() if path.is_file()) == [
        f"alone{inbox.LABELS}", f"cut{inbox.IMAGES}", f"cut{inbox.LABELS}",
    ]  # fmt: skip

"""Monitoring: drift is found and noise is not, each batch is judged once, and nothing that came in is lost."""

from __future__ import annotations

import gzip
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from handbook import (
    batches,
    bulletins,
    champions,
    contents,
    datasets,
    drift,
    fetch,
    ledger,
    monitoring,
    retraining,
    tables,
)
from handbook import images as pictures
from handbook.errors import HandbookError
from handbook.project import Project
from tests.conftest import MIRROR, ROOT, registered, small

CASE, PICTURES = "boosting_before_call", "digits"
BANK = datasets.page("bank_marketing")
LIMITS = drift.Params(alpha=0.001, moved=0.1, fall=0.03, least_rows=100, settle=0.0)
# Great Expectations, MLflow and their like call things that their own dependencies have deprecated.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"
)


@pytest.fixture
def watched(champion_of: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    return copied(champion_of(CASE), CASE, tmp_path / "project", monkeypatch)


@pytest.fixture
def seen(champion_of: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    return copied(champion_of(PICTURES), PICTURES, tmp_path / "project", monkeypatch)


def copied(root: Path, name: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    shutil.copytree(root, place)
    monkeypatch.chdir(place)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (place / "incoming" / name).mkdir(parents=True)
    return Project(place)


def held_out(project: Project) -> pd.DataFrame:
    """The calls that the champion is judged by."""
    rows = BANK.facts(project.data("bank_marketing"))[list(BANK.COLUMNS)]
    return rows.iloc[champions.halves(project.case(CASE), len(rows))[1]]


def drawn(rows: pd.DataFrame, seed: int, n: int = 500) -> pd.DataFrame:
    """Random rows: a batch without drift, though the file is in order of time."""
    return rows.iloc[np.random.default_rng(seed).choice(len(rows), n, replace=False)]


def shifted(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The same clients five years older, three in ten of them now retired or students."""
    rng = np.random.default_rng(1000 + seed)
    changed = rng.random(len(rows)) < 0.3
    jobs = np.where(changed, rng.choice(["retired", "student"], len(rows)), rows["job"].to_numpy(dtype=object))
    return rows.assign(age=np.clip(rows["age"] + 5, 18, 95), job=pd.Series(jobs, rows.index, dtype="str"))


def put(project: Project, name: str, rows: pd.DataFrame) -> Path:
    path = monitoring.incoming(project, CASE) / name
    tables.write_csv(path, rows, sep=";", quote_text=True)
    return path


def outcomes(records: list[dict[str, Any]]) -> dict[str, str]:
    return {record["files"][0]: record["outcome"] for record in records}


def flagged(reference: pd.DataFrame, batch: pd.DataFrame) -> bool:
    columns = drift.compare(reference, batch, contents.words(BANK, batch), LIMITS)
    return any(column.drifted for column in columns)


def test_of_twenty_drifted_batches_nineteen_are_flagged_and_of_twenty_others_at_most_one(watched: Project) -> None:
    rows = BANK.facts(watched.data("bank_marketing"))[list(BANK.COLUMNS)]
    reference = champions.learnt(watched.case(CASE), rows)
    still = [flagged(reference, drawn(held_out(watched), seed)) for seed in range(20)]
    moved = [flagged(reference, shifted(drawn(held_out(watched), seed), seed)) for seed in range(20)]
    assert sum(still) <= 1
    assert sum(moved) >= 19


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
    monitoring.incoming(project, CASE).mkdir(parents=True)
    for seed in range(20):
        rows = drawn(held_out(project), seed, 1000)
        put(project, f"still-{seed}.csv", rows)
        put(project, f"moved-{seed}.csv", shifted(rows, seed))
    found = outcomes(monitoring.monitor(project, CASE))
    assert sum(found[f"still-{seed}.csv"] == "drifted" for seed in range(20)) <= 1
    assert sum(found[f"moved-{seed}.csv"] == "drifted" for seed in range(20)) >= 19


def test_holm_corrects_as_in_his_table_and_never_below_the_p_itself() -> None:
    p = np.array([0.01, 0.04, 0.03, 0.005])
    assert drift.holm(p) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    many = np.random.default_rng(0).random(30)
    assert (drift.holm(many) >= many).all()
    assert (drift.holm(many) <= np.minimum(1, 30 * many)).all()


def test_what_has_moved_is_the_share_of_the_rows_that_moved() -> None:
    here = pd.DataFrame({"x": np.arange(1000.0), "w": ["a", "b"] * 500})
    there = here.assign(x=np.where(here["x"] < 200, 5000.0, here["x"]), w=["c"] * 250 + ["a", "b"] * 375)
    found = {each.column: each for each in drift.compare(here, there, ["w"], LIMITS)}
    assert found["x"].moved == pytest.approx(0.2)
    assert found["w"].moved == pytest.approx(0.25)
    assert found["x"].drifted
    assert found["w"].drifted


def test_a_batch_goes_where_it_belongs_and_says_why(watched: Project, capsys: pytest.CaptureFixture[str]) -> None:
    rows = held_out(watched)
    put(watched, "still.csv", drawn(rows, 0))
    put(watched, "moved.csv", shifted(drawn(rows, 1), 1))
    put(watched, "unlabelled.csv", drawn(rows, 2).drop(columns="y"))
    without = put(watched, "without.csv", drawn(rows, 3).drop(columns="job"))
    put(watched, "wrong.csv", drawn(rows, 4).assign(job="wizard"))
    bytes_of = {path.name: path.read_bytes() for path in without.parent.iterdir()}
    found = outcomes(monitoring.monitor(watched, CASE))
    assert found == {
        "still.csv": "steady", "moved.csv": "drifted", "unlabelled.csv": "steady", "without.csv": "refused",
        "wrong.csv": "refused",
    }  # fmt: skip
    told = capsys.readouterr().out
    assert "without.csv has columns without 'job'" in told
    assert "job is one of admin." in told
    assert "wizard" in told
    here = monitoring.incoming(watched, CASE)
    kept = {path.name: path for path in here.rglob("*.csv")}
    assert {name: path.read_bytes() for name, path in kept.items()} == bytes_of
    assert {name: path.parts[-3] for name, path in kept.items()} == {
        name: "refused" if outcome == "refused" else "done" for name, outcome in found.items()
    }
    records = {each["files"][0]: each for each in monitoring.records(watched, CASE)}
    assert records["unlabelled.csv"]["no_score"] == "the batch has no answers"
    assert records["still.csv"]["score"]["metric"] == "roc_auc"
    assert "**Held against sample data: not a result.**" in bulletins.page_of(records["still.csv"])
    assert len(list(monitoring.told(watched, CASE).glob("*.md"))) == 5
    assert runs(watched) == 5


def runs(project: Project) -> int:
    from handbook import tracking

    with tracking._mlflow(project) as mlflow:
        return len(mlflow.search_runs(experiment_names=[f"{CASE}-monitor"], output_format="list"))


def test_a_batch_is_judged_once_whatever_it_is_called(watched: Project) -> None:
    rows = drawn(held_out(watched), 0)
    put(watched, "first.csv", rows)
    first = monitoring.monitor(watched, CASE)
    put(watched, "second.csv", rows)
    assert monitoring.monitor(watched, CASE) == first
    assert len(monitoring.records(watched, CASE)) == runs(watched) == 1


def test_the_order_of_the_rows_changes_nothing_that_is_said(watched: Project) -> None:
    rows = drawn(held_out(watched), 5)
    put(watched, "a.csv", rows)
    put(watched, "b.csv", rows.sample(frac=1, random_state=0))
    one, other = monitoring.monitor(watched, CASE)
    assert one["sha256"] != other["sha256"]
    for said in ("outcome", "columns", "score", "rows"):
        assert one[said] == other[said], said


def test_a_kill_between_report_and_move_costs_nothing(watched: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    put(watched, "batch.csv", shifted(drawn(held_out(watched), 0), 0))
    with monkeypatch.context() as killed:
        killed.setattr(monitoring, "put_away", lambda batch, record: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            monitoring.monitor(watched, CASE)
    before = monitoring.records(watched, CASE)
    assert [each["outcome"] for each in before] == ["drifted"]
    assert (monitoring.incoming(watched, CASE) / "batch.csv").exists()
    monkeypatch.setattr(monitoring, "_judged", None)  # nothing is judged anew
    assert monitoring.monitor(watched, CASE) == before
    assert not (monitoring.incoming(watched, CASE) / "batch.csv").exists()
    assert runs(watched) == 1


def test_a_file_that_is_not_whole_is_left_alone_and_said(watched: Project, capsys: pytest.CaptureFixture[str]) -> None:
    folder = monitoring.incoming(watched, CASE)
    whole = put(watched, "half.csv", drawn(held_out(watched), 0)).read_bytes()
    (folder / "half.csv").write_bytes(whole[:-7])
    (folder / "empty.csv").touch()
    (folder / "notes.txt").write_text("hello\n")
    assert monitoring.monitor(watched, CASE) == []
    told = capsys.readouterr().out
    assert "half.csv: left alone, it ends without a last newline" in told
    assert "empty.csv: left alone, it is empty so far" in told
    assert "notes.txt: left alone, it is no batch" in told
    assert sorted(path.name for path in folder.iterdir()) == ["empty.csv", "half.csv", "notes.txt"]
    (folder / "half.csv").write_bytes(whole)
    assert outcomes(monitoring.monitor(watched, CASE)) == {"half.csv": "steady"}


def test_a_file_that_grows_while_we_look_is_left_alone(watched: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(watched, "growing.csv", drawn(held_out(watched), 0))

    def meanwhile(seconds: float) -> None:
        with path.open("ab") as stream:
            stream.write(b"1\n")

    monkeypatch.setattr(time, "sleep", meanwhile)
    found, waiting = batches.find(path.parent, BANK, settle=60.0)
    assert not found
    assert [each.why for each in waiting] == ["it is still being written"]


def test_what_cannot_be_watched_is_an_error_with_a_way_out(watched: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(HandbookError, match="no case 'boostin'; choose from boosting_before_call"):
        monitoring.monitor(watched, "boostin")
    with pytest.raises(HandbookError, match=r"is empty: no batch has come in\. Put one there: NAME\.csv"):
        monitoring.monitor(watched, CASE)
    with pytest.raises(HandbookError, match=r"no folder .*nowhere"):
        monitoring.monitor(watched, CASE, watched.root / "nowhere")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    path = put(watched, "batch.csv", drawn(held_out(watched), 0))
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("MLFLOW_TRACKING_URI", nobody)
        with pytest.raises(HandbookError, match=rf"no MLflow server answers at {nobody}(.|\n)*make ui"):
            monitoring.monitor(watched, CASE)
    assert path.exists()
    assert not monitoring.records(watched, CASE)
    shutil.rmtree(ledger.store(watched, CASE))
    with pytest.raises(HandbookError, match=f"{CASE} has no champion(.|\n)*dvc repro register@{CASE}"):
        monitoring.monitor(watched, CASE)


def test_the_verb_tells_an_error_without_a_traceback(watched: Project) -> None:
    command = [sys.executable, "-m", "handbook", "monitor", CASE, "nowhere"]
    done = subprocess.run(command, cwd=watched.root, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: no folder ")
    assert "Traceback" not in done.stderr


def pair(project: Project, name: str, images: Any, labels: Any) -> None:
    folder = monitoring.incoming(project, PICTURES)
    pictures.write_idx(folder / f"{name}{batches.IMAGES}", images)
    pictures.write_idx(folder / f"{name}{batches.LABELS}", labels)


def test_pictures_are_judged_by_pairs_and_those_of_another_size_are_refused(
    seen: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    data = datasets.page("mnist").load(seen.data("mnist"))
    faint = np.where(data.test_images > 0, np.maximum(data.test_images, 120), 0).astype(np.uint8)
    pair(seen, "still", data.test_images, data.test_labels)
    pair(seen, "inked", faint, data.test_labels)
    pair(seen, "small", data.test_images[:, 2:, 2:], data.test_labels)
    folder = monitoring.incoming(seen, PICTURES)
    pair(seen, "cut", data.test_images[:150], data.test_labels[:150])
    cut = folder / f"cut{batches.IMAGES}"
    cut.write_bytes(cut.read_bytes()[:-100])
    (folder / f"alone{batches.LABELS}").write_bytes(gzip.compress(b"x"))
    found = {record["batch"][:-9]: record["outcome"] for record in monitoring.monitor(seen, PICTURES)}
    assert found == {"still": "steady", "inked": "drifted", "small": "refused"}
    told = capsys.readouterr().out
    assert f"small{batches.IMAGES}: expected pictures of 28 x 28, found 26 x 26" in told
    assert "its gzip stream ends in the middle" in told
    assert f"its other half, *{batches.IMAGES}, is not there yet" in told
    assert sorted(path.name for path in folder.iterdir() if path.is_file()) == [
        f"alone{batches.LABELS}", f"cut{batches.IMAGES}", f"cut{batches.LABELS}",
    ]  # fmt: skip


def test_a_pair_that_a_kill_has_parted_is_put_together_again(tmp_path: Path) -> None:
    page = datasets.page("mnist")
    for end, array in ((batches.IMAGES, np.zeros((2, 28, 28), np.uint8)), (batches.LABELS, np.zeros(2, np.uint8))):
        pictures.write_idx(tmp_path / f"b{end}", array)
    (batch,), _ = batches.find(tmp_path, page, settle=0)
    place = tmp_path / "done" / batch.name
    place.mkdir(parents=True)
    batch.files[0].replace(place / batch.files[0].name)
    batches.finish_moves(tmp_path)
    assert sorted(path.name for path in place.iterdir()) == sorted(path.name for path in batch.files)
    assert not [path for path in tmp_path.iterdir() if path.is_file()]


@pytest.mark.parametrize("name", Project(ROOT).datasets())
def test_of_every_expectation_it_is_known_whether_a_part_inherits_it(name: str) -> None:
    page = datasets.page(name)
    for sample in (True, False):
        whole = page.expectations(sample)
        part = contents.suite(whole)
        assert 0 < len(part) < len(whole)
        assert not [each for each in part if "row_count" in each.expectation_type or "mean" in each.expectation_type]


@pytest.mark.parametrize("name", ["bank_marketing", "credit_card_transactions", "iris", "mnist"])
def test_every_part_of_the_data_meets_what_it_inherits(name: str, samples: Callable[[str], Path]) -> None:
    import great_expectations as gx

    page = datasets.page(name)
    facts = page.facts(samples(name))
    if name == "iris":  # its sample has a flower twice, which a part inherits only where its suite says none
        facts = facts[facts["copy"] == 0]
    suite = gx.ExpectationSuite(name="part", expectations=contents.suite(page.expectations(True)))
    batch = gx.get_context(mode="ephemeral").data_sources.add_pandas("p").add_dataframe_asset("a")
    whole = batch.add_batch_definition_whole_dataframe("b")
    for seed in range(2):
        part = facts.sample(40, random_state=seed).sort_index()
        found = whole.get_batch({"dataframe": part}).validate(suite)
        assert found.success, [each.expectation_config for each in found.results if not each.success]


@pytest.mark.parametrize("name", ["boosting_before_call", "regressors_diabetes", "lenet"])
def test_the_test_rows_judged_as_a_batch_have_the_metrics_of_the_evaluation(name: str, fitted: Any) -> None:
    case, data, model = fitted(name)
    table = isinstance(data, tables.Table)
    test = data.take(champions.halves(case, len(data))[1]) if table else data
    again = case.page.evaluate(model, champions.to_judge(case, data, test))
    once = case.page.evaluate(model, data)
    assert again.metrics[case.page.PRIMARY] == once.metrics[case.page.PRIMARY]
    assert again.interval == once.interval


def test_a_challenger_learns_every_new_row_and_no_test_row(fitted: Any) -> None:
    from handbook import binary

    case, data, _ = fitted(CASE)
    rows = np.arange(300)
    older = tables.Table(data.features.iloc[rows].assign(balance=99_999), data.target[rows], data.classes)
    before, after = binary.parts(data, case.params), binary.parts(champions.to_learn(case, data, older), case.params)

    def learnt(parts: Any) -> list[Any]:
        both = pd.concat([parts.learn.features, parts.choose.features])
        return sorted(map(tuple, both.itertuples(index=False)))

    new = sorted(map(tuple, binary.without(older, case.params.leave_out).features.itertuples(index=False)))
    assert learnt(after) == sorted(learnt(before) + new)
    assert len(champions.unknown_rows(data, data.take(rows))) == 0
    assert len(champions.unknown_rows(data, older)) == 300


def test_retraining_is_judged_by_the_same_rows_and_leaves_the_pipeline_alone(watched: Project) -> None:
    rows = BANK.facts(watched.data("bank_marketing"))[list(BANK.COLUMNS)]
    learnt = champions.learnt(watched.case(CASE), rows)
    with pytest.raises(HandbookError, match="no batch of boosting_before_call can be learnt from"):
        retraining.retrain(watched, CASE)
    put(watched, "known.csv", drawn(learnt, 0))
    monitoring.monitor(watched, CASE)
    with pytest.raises(HandbookError, match=r"the 500 rows of 1 batches .* are all in the pinned data"):
        retraining.retrain(watched, CASE)
    put(watched, "moved.csv", shifted(drawn(learnt, 1), 1))
    monitoring.monitor(watched, CASE)
    assert retraining.news(watched, CASE)
    before = {path: path.read_bytes() for path in [*watched.models(CASE).rglob("*"), *watched.reports(CASE).rglob("*")]
              if path.is_file()}  # fmt: skip
    first = ledger.read(ledger.store(watched, CASE) / "ledger.json")["champion"]
    said = retraining.retrain(watched, CASE)
    standing = ledger.read(ledger.store(watched, CASE) / "ledger.json")
    assert {path: path.read_bytes() for path in before} == before
    assert len(standing["versions"]) == 2
    passed = "passes the gate" in said
    assert (standing["champion"], standing["previous"]) == (
        (standing["challenger"], first) if passed else (first, None)
    )
    place = ledger.store(watched, CASE) / standing["challenger"]
    entry = json.loads((place / "entry.json").read_text())
    assert set(entry["batches"].values()) == {each["sha256"] for each in monitoring.records(watched, CASE)}
    assert entry["batch_rows"] < 500 + 500
    for name, digest in entry["batches"].items():
        assert batches.digest_of((place / "report" / "batches" / name).iterdir()) == digest
    assert not retraining.news(watched, CASE)
    retraining.retrain(watched, CASE)
    assert ledger.read(ledger.store(watched, CASE) / "ledger.json")["versions"] == standing["versions"]


def test_a_batch_that_was_changed_after_it_was_accepted_is_not_learnt_from(watched: Project) -> None:
    put(watched, "moved.csv", shifted(drawn(held_out(watched), 1), 1))
    monitoring.monitor(watched, CASE)
    (kept,) = monitoring.incoming(watched, CASE).glob("done/*/moved.csv")
    kept.write_bytes(kept.read_bytes() + b"\n")
    with pytest.raises(HandbookError, match="was changed since it was accepted"):
        retraining.gather(watched, CASE)
    kept.unlink()
    with pytest.raises(HandbookError, match="is missing, a batch that was accepted"):
        retraining.gather(watched, CASE)

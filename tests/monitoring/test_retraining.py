"""A challenger learns what came in and nothing that it is judged by."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from handbook.data import images, tables
from handbook.errors import HandbookError
from handbook.monitoring import archive, inbox, judgement, retraining
from handbook.project import Project
from handbook.registry import ledger
from tests.monitoring.toys import CASE, PICTURES, drawn, held_out, learnt, put, shifted

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"
)


def test_a_challenger_learns_every_new_row_and_no_test_row(fitted: Any) -> None:
    case, data, _ = fitted(CASE)
    rows = np.arange(300)
    older = tables.Table(data.features.iloc[rows].assign(balance=99_999), data.target[rows], data.classes)
    came = older.join(data.take(rows)).join(older)
    split = case.split(data)
    after = retraining.with_new_rows(split, data, came)
    assert len(after.train) - len(split.train) == 300
    assert list(after.train.features) == list(split.train.features)
    assert (after.train.features["balance"].iloc[-300:] == 99_999).all()
    assert after.valid is split.valid
    assert after.test is split.test


def test_a_challenger_learns_every_new_picture_once(fitted: Any) -> None:
    case, data, _ = fitted(PICTURES)
    split = case.split(data)
    turned = images.Pictures(255 - data.test.images, data.test.labels, data.classes)
    after = retraining.with_new_rows(split, data, data.test.join(turned).join(turned))
    assert np.array_equal(after.train.images[len(split.train) :], turned.images)


def test_retraining_is_judged_by_the_same_rows_and_leaves_the_pipeline_alone(watched: Project) -> None:
    with pytest.raises(HandbookError, match="no batch of boosting_before_call can be learnt from"):
        retraining.retrain(watched, CASE)
    put(watched, "known.csv", drawn(learnt(watched), 0))
    judgement.monitor(watched, CASE)
    with pytest.raises(HandbookError, match=r"the 500 rows of 1 batches .* are all in the pinned data"):
        retraining.retrain(watched, CASE)
    put(watched, "moved.csv", shifted(drawn(learnt(watched), 1), 1))
    judgement.monitor(watched, CASE)
    assert retraining.has_new_rows(watched, CASE)
    before = {path: path.read_bytes() for path in [*watched.models(CASE).rglob("*"), *watched.reports(CASE).rglob("*")]
              if path.is_file()}  # fmt: skip
    first = ledger.read(ledger.store(watched, CASE) / "ledger.json")["champion"]
    said = retraining.retrain(watched, CASE)
    state = ledger.read(ledger.store(watched, CASE) / "ledger.json")
    assert {path: path.read_bytes() for path in before} == before
    assert len(state["versions"]) == 2
    passed = "passes the gate" in said
    assert (state["champion"], state["previous"]) == ((state["challenger"], first) if passed else (first, None))
    place = ledger.store(watched, CASE) / state["challenger"]
    entry = json.loads((place / "entry.json").read_text())
    assert set(entry["batches"].values()) == {each["sha256"] for each in archive.records(watched, CASE)}
    assert entry["batch_rows"] < 500 + 500
    for name, digest in entry["batches"].items():
        assert inbox.digest_of((place / "report" / "batches" / name).iterdir()) == digest
    assert not retraining.has_new_rows(watched, CASE)
    retraining.retrain(watched, CASE)
    assert ledger.read(ledger.store(watched, CASE) / "ledger.json")["versions"] == state["versions"]


def test_a_batch_that_was_changed_after_it_was_accepted_is_not_learnt_from(watched: Project) -> None:
    put(watched, "moved.csv", shifted(drawn(held_out(watched), 1), 1))
    judgement.monitor(watched, CASE)
    (kept,) = judgement.incoming(watched, CASE).glob("done/*/moved.csv")
    kept.write_bytes(kept.read_bytes() + b"\n")
    with pytest.raises(HandbookError, match="was changed since it was accepted"):
        retraining.gather(watched, CASE)
    kept.unlink()
    with pytest.raises(HandbookError, match="is missing, a batch that was accepted"):
        retraining.gather(watched, CASE)

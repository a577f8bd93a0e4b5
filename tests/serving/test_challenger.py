"""A challenger in the shadow: what it answers otherwise is counted, tabled and listed, in a folder that stays small."""

from __future__ import annotations

import csv
import json
import os
import socket
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch

from handbook.serving import bodies, challenger
from handbook.serving.challenger import Tally
from tests.serving import toys

PAIR = {"case": "lenet", "champion": "0" * 16, "challenger": "1" * 16, "champion_version": 1, "challenger_version": 2}
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


def counted(tally: Tally) -> dict[str, Any]:
    tally.write(at_once=True)
    return dict(json.loads(tally.place.read_text()))


def test_the_table_is_what_counting_by_hand_gives(tmp_path: Path) -> None:
    case, model, pictures = toys.drawn()
    torch.manual_seed(1)
    other = case.page.Model(case.params, classes=[f"c{k}" for k in range(10)], centre=0.3, spread=0.3).eval()
    app, _ = toys.application(tmp_path / "place", case, other, pictures)
    body = next(each.body for each in _examples(app) if each.kind == bodies.NPY)
    ours, theirs = case.page.predict(model, pictures), case.page.predict(other, pictures)
    answers = {
        "predictions": [
            {"name": name, "probability": p} for name, p in zip(ours["name"], ours["probability"], strict=True)
        ]
    }
    tally, link, far = Tally(tmp_path / "shadow", PAIR), *socket.socketpair()
    thread = threading.Thread(target=challenger.compare, args=(far, app, tally))
    thread.start()
    answer = json.dumps(answers).encode()
    with link, link.makefile("rb") as replies:
        for kind, sent in ((bodies.NPY, body), (bodies.NPY, b"no array"), (bodies.NPY, body)):
            sizes = {"type": kind, "body": len(sent), "answer": len(answer), "passed": 4}
            link.sendall(json.dumps(sizes).encode() + b"\n" + sent + answer)
            reply = json.loads(replies.readline())
    thread.join(30)
    pairs = Counter(zip(ours["name"], theirs["name"], strict=True))
    differ = 2 * sum(count for (one, other), count in pairs.items() if one != other)
    assert reply == {"inputs": 6, "differ": differ, "failed": 1}
    known = json.loads(tally.place.read_text())
    assert {(one, other): count for one, other, count in known["pairs"]} == {each: 2 * k for each, k in pairs.items()}
    apart = 2 * abs(ours["probability"] - theirs["probability"])
    assert known["apart"] == pytest.approx(apart.sum(), abs=1e-4)
    assert known["most"] == pytest.approx(apart.max() / 2, abs=1e-4)
    assert (known["passed"], known["requests"], known["champion"]) == (4, 3, "0" * 16)
    listed = list(csv.DictReader((tmp_path / "shadow" / "differences.csv").read_text().splitlines()))
    assert len(listed) == differ > 0
    assert {(row["champion"], row["challenger"]) for row in listed} == {each for each in pairs if each[0] != each[1]}


def _examples(app: Any) -> Any:
    from handbook.serving import description

    return description.examples_of(app.chosen.example, app.reader)


@pytest.mark.parametrize(
    ("one", "other", "differ"),
    [
        ({"label": 1, "name": "a", "probability": 0.9}, {"label": 1, "name": "a", "probability": 0.6}, 0),
        ({"name": "a", "probability": 0.9}, {"name": "b", "probability": 0.9}, 1),
        ({"value": 100.0}, {"value": 100.0001}, 0),
        ({"value": 100.0}, {"value": 101.0}, 1),
        ({"suspicious": False, "outlier_score": 0.1}, {"suspicious": True, "outlier_score": 0.1}, 1),
        ({"text": "Out"}, {"text": "Out, out"}, 1),
        ([[0, 1]], [[0, 1]], 0),
        ([[0, 1]], [[0, 2]], 1),
    ],
)
def test_answers_differ_in_what_they_say_and_bare_numbers_beyond_rounding(
    one: Any, other: Any, differ: int, tmp_path: Path
) -> None:
    tally = Tally(tmp_path, PAIR)
    tally.take([one], [other])
    assert tally.counts == {"inputs": 1, "differ": differ, "failed": 0}


def test_what_is_kept_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(challenger, "LISTED", 2000)
    monkeypatch.setattr(challenger, "RUNS", 3)
    monkeypatch.setattr(challenger, "PAIRS", 20)
    for _ in range(5):
        tally = Tally(tmp_path, PAIR)
        for k in range(100):
            tally.take([{"name": f"=a{k}"}], [{"name": "b"}])
        assert len(counted(tally)["pairs"]) == 21
    assert len(list(tmp_path.glob("*.json"))) == 3
    assert sum(path.stat().st_size for path in tmp_path.glob("*.csv")) < 3 * 2000
    assert "'=a99" in (tmp_path / "differences.csv").read_text()  # no formula


def test_a_challenger_that_answers_in_another_number_or_not_at_all_has_failed(tmp_path: Path) -> None:
    tally = Tally(tmp_path, PAIR)
    tally.take([{"name": "a"}], None)
    tally.take([{"name": "a"}], [])
    assert tally.counts == {"inputs": 0, "differ": 0, "failed": 2}


@pytest.mark.slow  # a cold start of MLflow
def test_a_challenger_that_cannot_be_loaded_says_so_in_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (place / "MLmodel").write_text("{")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        command = [
            sys.executable,
            "-W",
            "ignore",
            "-P",
            challenger.__file__,
            str(place),
            str(theirs.fileno()),
            "toy version 2",
            json.dumps({"folder": str(tmp_path / "shadow"), "pair": PAIR}),
        ]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run(
            command, pass_fds=(theirs.fileno(),), capture_output=True, text=True, env=environment, check=False
        )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("toy version 2 cannot run in the shadow: ")
    assert "Traceback" not in done.stderr
    assert not place.exists()

"""What counts as agreement: the printed digits, ranges, statements, intervals of results that no seed pins."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handbook.claims import claim
from handbook.claims.claim import Claim, Kept
from handbook.files.formats import write_json


@pytest.mark.parametrize(
    ("printed", "value", "holds"),
    [
        ("0.545", 0.5454, True), ("0.545", 0.5456, False), ("0.5", 0.55, True), ("1", 0.5, False),
        ("12 14 16", [12, 14, 16.2], True),
        ("12 14 16", [12, 14], False), ("4 5; 7 8", [[4, 5], [7, 8]], True), ("−1", -1.0, True), ("−1", 1.0, False),
        ("284,807", 284_807, True), ("284,807", 284_306, False), ("(2, 20, 8, 8)", (2, 20, 8, 8), True),
        ("(1,1,4,4)", (1, 1, 3, 3), False), ("84.12 %", 0.84123, True), ("84.12 %", 84.12, False),
        ("0.172 %", 492 / 284_807, False), ("4e6", 3_996_001, True), ("1e9", 2e9, False), ("2.0e-10", 2.004e-10, True),
        ("0 to 1", [0.0, 0.5, 1.0], True), ("0 to 1", -3.0, False), ("above 0", 0, False), ("at least 0", 0, True),
        ("at most 1", 3, False), ("below 1e-6", 8e-9, True), ("yes", True, True), ("no", np.bool_(False), True),
        ("yes", False, False), ("0.png", "1000.png", False), ("1000.png", "1000.png", True),
    ],
)  # fmt: skip
def test_a_value_agrees_to_the_last_printed_digit(printed: str, value: Any, holds: bool) -> None:
    assert claim.agrees(printed, value) is holds


@pytest.mark.parametrize(
    ("printed", "value", "written"),
    [
        ("0.545 0.51 0.675", [0.545, 0.51, 0.675], "0.545 0.510 0.675"), ("0.4", 0.56718, "0.5672"), ("yes", False,
        "no"),
        ("(1,1,4,4)", (1, 1, 3, 3), "(1, 1, 3, 3)"), ("4 5; 7 8", [[4, 5], [7, 8]], "4 5; 7 8"), ("284,807", 690,
        "690"),
        ("60,000", 70_000, "70,000"), ("84.12 %", 0.8402, "84.02 %"), ("0 to 1", [0.25, 0.75], "0.25 to 0.75"),
        ("0.png", "1000.png", "1000.png"), ("0.9 1e-8", [0.9, 1e-8], "0.9 1e-08"), ("above 0", -0.0, "0"),
    ],
)  # fmt: skip
def test_a_value_is_written_in_the_manner_of_the_print(printed: str, value: Any, written: str) -> None:
    assert claim.written(printed, value) == written


def test_a_kept_result_is_read_through_its_keys_and_is_none_before_it_was_measured(tmp_path: Path) -> None:
    kept = claim.metric("lenet_book", "interval", "accuracy")
    assert kept.read(tmp_path) is None
    write_json(tmp_path / "lenet_book" / "metrics.json", {"interval": {"accuracy": [0.83, 0.85]}})
    assert kept.read(tmp_path) == [0.83, 0.85]
    assert Kept("lenet_book/metrics.json", ("interval", "accuracy", "no such key")).read(tmp_path) is None
    assert claim.check("units", "a fact").file == "labs/units/checks.json"


@pytest.mark.parametrize(("bounds", "holds"), [([0.83, 0.845], True), ([0.83, 0.84], False), ([0.8413, 0.85], False)])
def test_a_result_without_a_seed_agrees_if_the_print_lies_in_its_interval(
    tmp_path: Path, bounds: list[float], holds: bool
) -> None:
    write_json(tmp_path / "lenet_book" / "metrics.json", {"accuracy": 0.84, "interval": {"accuracy": bounds}})
    ours, interval = claim.metric("lenet_book", "accuracy"), claim.metric("lenet_book", "interval", "accuracy")
    row = Claim("3.13", "accuracy", "84.12 %", ours, "right", "a reason", interval)
    assert row.agrees(row.value(tmp_path), tmp_path) is holds


def test_a_number_of_drawn_data_says_so(tmp_path: Path) -> None:
    row = claim.right("6.7.1", "pictures", "70,000", claim.rows("mnist"), "a reason")
    write_json(tmp_path / "mnist" / "validation.json", {"rows": 3000, "data": "sample"})
    assert row.shown(tmp_path) == "3,000 (sample)"
    write_json(tmp_path / "mnist" / "validation.json", {"rows": 70_000, "data": "real"})
    assert row.shown(tmp_path) == "70,000"
    folder = tmp_path / "data" / "mnist"
    folder.mkdir(parents=True)
    counted = claim.wrong(
        "6.7.1", "files", "3", claim.Data("mnist", lambda path: len(list(path.iterdir()))), "a reason"
    )
    assert counted.shown(tmp_path / "reports") == "–"  # a folder that a fetch which failed has left
    write_json(folder / "provenance.json", {})
    assert counted.shown(tmp_path / "reports") == "1"
    write_json(tmp_path / "reports" / "mnist" / "validation.json", {"data": "sample"})
    assert counted.shown(tmp_path / "reports") == "1 (sample)"
    assert claim.Data("iris", len).read(tmp_path / "reports") is None  # type: ignore[arg-type]


def test_a_result_by_another_is_their_ratio(tmp_path: Path) -> None:
    ratio = Kept("gan/metrics.json", ("distance",), by=claim.metric("gan_book", "distance"))
    write_json(tmp_path / "gan" / "metrics.json", {"distance": 2.0})
    assert ratio.read(tmp_path) is None
    write_json(tmp_path / "gan_book" / "metrics.json", {"distance": 4.0})
    assert ratio.read(tmp_path) == 0.5


def test_what_cannot_be_computed_is_shown_as_a_dash(tmp_path: Path) -> None:
    assert claim.unchecked("5.4", "a price", "–", "nothing is printed").shown(tmp_path) == "–"
    assert claim.right("3.13", "x", "1", claim.metric("lenet", "accuracy"), "not there yet").shown(tmp_path) == "–"

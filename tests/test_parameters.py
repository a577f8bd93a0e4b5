"""The numbers of params.yaml: what no page can take is refused by name, range and place, before anything is trained."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from handbook import cases, parameters
from handbook.errors import HandbookError
from handbook.project import Project
from tests.conftest import ROOT


@pytest.mark.parametrize(
    ("case", "name", "value", "expected"),
    [

        ("lenet", "seed", -1, "0 to 4,294,967,295, found -1"), ("lenet", "seed", 10**20, "found 100000000000000000000"),
        ("lenet", "learning_rate", -1.0, "above 0 and up to 100, found -1"),
        ("lenet", "learning_rate", float("nan"), "nan"),
        ("lenet", "learning_rate", float("inf"), "inf"), ("lenet", "label_smoothing", 7.0, "0 to below 1, found 7"),
        ("lenet", "momentum", 1.0, "0 to below 1, found 1"), ("lenet", "epochs", 0, "1 or more"),
        ("lenet", "epochs", 10**9, "1 to 10,000,000, found 1"), ("lenet", "clip", -1.0, "0 to 1,000,000, found -1"),
        ("mlp", "hidden", [128, 10**6], "1 to 65,536, found 1"), ("mlp", "dropout", float("nan"), "nan"),
        ("gan", "betas", [0.5, float("nan")], "nan"), ("rbf", "alpha", float("inf"), "inf"),
        ("classifiers", "n_folds", 1, "2 or more"), ("classifiers", "n_folds", 10**6, "2 to 1,000, found 1"),
        ("boosting", "max_features", 0.0, "above 0 and up to 1, found 0"), ("boosting", "max_leaf_nodes", 1, "2 to"),
    ],
)  # fmt: skip
def test_a_number_that_no_page_can_take_is_refused_by_name_range_and_place(
    case: str, name: str, value: Any, expected: str, tmp_path: Any
) -> None:
    numbers = Project(ROOT).numbers()
    case = (
        case
        if case in numbers["cases"]
        else next(each for each, block in numbers["cases"].items() if block["page"] == case)
    )
    numbers["cases"][case][name] = value
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(numbers))
    with pytest.raises(HandbookError) as refused:
        Project(tmp_path).case(case)
    assert str(refused.value).startswith(f"params.yaml, cases.{case}")
    assert name in str(refused.value)
    assert expected in str(refused.value)


def test_every_number_of_every_page_has_its_range() -> None:
    named = {
        field.name
        for page in map(cases.page, cases.names())
        for field in dataclasses.fields(page.Params)
        if any(kind in str(field.type) for kind in ("int", "float"))
    }
    assert named - parameters.RANGES.keys() == set()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cases: {lenet: null}", "cases.lenet: expected a mapping, found NoneType"),
        ("cases: {lenet: {page: lenet, dataset: mnist, gpu: 3}}", "cases.lenet.gpu: expected a mapping, found 3"),
        ("cases: {lenet: {page: lenet, dataset: mnist, book: {accuracy: .nan}}}", "book.accuracy: expected a number"),
        ("cases: {lenet: {page: lenet, dataset: mnist, book: [1]}}", "cases.lenet.book: expected a mapping"),
    ],
)
def test_a_block_of_another_shape_is_refused_by_its_place(text: str, message: str, tmp_path: Any) -> None:
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(HandbookError, match=message):
        Project(tmp_path).case("lenet")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("cases: {caf\xe9: 1}".encode("latin1"), "it is not UTF-8: line 1 holds the byte 0xe9"),
        (b"cases:\n<<<<<<< HEAD\n", "a merge left its conflict markers there, the first in line 2"),
        (b"datasets: 3\ncases: {}\n", "datasets: expected a list of names, found 3"),
        (b"cases: {a: 1\n", "it is not YAML: line 2"),
    ],
)
def test_a_damaged_params_yaml_is_named_with_its_line(text: bytes, fault: str, tmp_path: Any) -> None:
    (tmp_path / "params.yaml").write_bytes(text)
    with pytest.raises(HandbookError, match=fault):
        Project(tmp_path).datasets()


def test_data_of_another_kind_or_without_classes_are_refused() -> None:
    lenet = cases.page("lenet")
    with pytest.raises(HandbookError, match="here: page lenet takes LabelledImages, and dataset macbeth holds str"):
        parameters.refuse_data(lenet, "macbeth", "a text", "here")
    bare = SimpleNamespace(PRIMARY="roc_auc", __name__="cases.toy", split=lambda data, params: None)
    with pytest.raises(HandbookError, match="page toy predicts classes, and the target of dataset boston has values"):
        parameters.refuse_data(bare, "boston", SimpleNamespace(classes=()), "here")


def test_more_folds_or_neighbours_than_rows_are_refused() -> None:
    params = SimpleNamespace(n_folds=5, inner_folds=3, n_neighbors=(1, 60))
    parameters.refuse_rows(params, 150, "here")
    with pytest.raises(HandbookError, match=r"here\.n_neighbors: expected at most 50, the rows there are"):
        parameters.refuse_rows(params, 50, "here")
    with pytest.raises(HandbookError, match=r"here\.n_folds: expected at most 4"):
        parameters.refuse_rows(params, 4, "here")

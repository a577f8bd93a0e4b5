"""params.yaml becomes a page's Params, or an error that names the key."""

from __future__ import annotations

import dataclasses
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from handbook.errors import HandbookError
from handbook.project import PRESETS, SAMPLES, Project, parse, plain
from tests.conftest import ROOT


@dataclass(frozen=True)
class Toy:
    rate: float
    layers: tuple[int, ...]
    name: str
    deep: bool
    limit: int | None


GOOD = {"rate": 1, "layers": [3, 4], "name": "x", "deep": False, "limit": None}


def test_every_case_of_the_project_can_be_read_in_every_preset(tmp_path: Path) -> None:
    numbers = yaml.safe_load((ROOT / "params.yaml").read_text())
    for preset in PRESETS:
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(numbers | {"preset": preset}))
        for name in Project(tmp_path).cases():
            assert Project(tmp_path).case(name).name == name


def test_the_gpu_preset_lays_its_part_over_the_block(project: Project) -> None:
    numbers = project.numbers()
    numbers["cases"]["lenet"]["gpu"] = {"epochs": 77}
    (project.root / "params.yaml").write_text(yaml.safe_dump(numbers))
    assert project.case("lenet").params.epochs == 1
    (project.root / "params.yaml").write_text(yaml.safe_dump(numbers | {"preset": "gpu"}))
    assert project.case("lenet").params.epochs == 77


def test_samples_have_no_more_of_anything_than_their_line_allows_under_any_preset(project: Project) -> None:
    numbers = project.numbers() | {"preset": "gpu", "sample": {"epochs": 5, "batch_size": 10**6, "members": 1}}
    numbers["cases"]["lenet"]["gpu"] = {"epochs": 77}
    (project.root / "params.yaml").write_text(yaml.safe_dump(numbers))
    samples = Project(project.root / SAMPLES)
    samples.root.mkdir()
    (samples.root / "params.yaml").symlink_to("../params.yaml")
    assert project.case("lenet").params.epochs == 77
    assert samples.case("lenet").params == dataclasses.replace(project.case("lenet").params, epochs=5)


@pytest.mark.parametrize("most", [3, {"epochs": "few"}, {"epochs": True}])
def test_what_samples_may_have_is_numbers_by_name(most: Any, project: Project) -> None:
    (project.root / "params.yaml").write_text(yaml.safe_dump(project.numbers() | {"sample": most}))
    with pytest.raises(HandbookError, match=r"params.yaml, sample: expected the most"):
        project.case("lenet")


def test_the_books_preset_lays_that_part_over_the_books_recipes_alone(tmp_path: Path) -> None:
    numbers = yaml.safe_load((ROOT / "params.yaml").read_text())
    read = {}
    for preset in PRESETS:
        (tmp_path / "params.yaml").write_text(yaml.safe_dump(numbers | {"preset": preset}))
        read[preset] = {name: Project(tmp_path).case(name).params for name in Project(tmp_path).cases()}
    for name, params in read["book"].items():
        assert params == read["gpu" if name.endswith("_book") else "laptop"][name]
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(numbers))
    assert (
        Project(tmp_path).case("gan_book", preset="book").params
        == read["book"]["gan_book"]
        != read["laptop"]["gan_book"]
    )


def test_chapters_five_and_six_are_in_full_under_the_books_preset() -> None:
    lstm, gan, dcgan = (
        Project(ROOT).case(f"{name}_book", preset="book").params for name in ("char_lstm", "gan", "dcgan")
    )
    assert (lstm.window_share, lstm.epochs) == (1.0, 10)
    assert gan.epochs * gan.steps == 10_000
    assert (dcgan.width, dcgan.batch_size) == (64, 256)


def test_reading_what_was_written_gives_the_same_params() -> None:
    toy = parse(Toy, GOOD, "here")
    assert toy == Toy(1.0, (3, 4), "x", False, None)
    assert parse(Toy, plain(toy), "here") == toy


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rat": 1}, r"here: no parameter 'rat'; choose from .* \(did you mean rate\?\)"),
        ({"rate": "fast"}, "here.rate: expected float, found 'fast'"),
        ({"rate": True}, "here.rate: expected float, found True"),
        ({"layers": 3}, "here.layers: expected a list, found 3"),
        ({"layers": [3, "4"]}, "here.layers: expected int, found '4'"),
        ({"deep": 1}, "here.deep: expected bool, found 1"),
        ({"limit": 1.5}, "here.limit: expected int or NoneType, found 1.5"),
        ({"name": None}, "here.name: expected str, found None"),
    ],
)
def test_a_wrong_parameter_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(HandbookError, match=message):
        parse(Toy, GOOD | change, "here")


def test_a_missing_parameter_is_named() -> None:
    with pytest.raises(HandbookError, match="here: parameter 'name' is missing"):
        parse(Toy, {key: value for key, value in GOOD.items() if key != "name"}, "here")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"page": "lenett"}, "no case page 'lenett'.*did you mean lenet"),
        ({"dataset": "mnits"}, r"cases.lenet: no dataset 'mnits'.*did you mean mnist"),
        ({"page": None}, "expected `page:` with a name, found None"),
        ({"epochs": 0}, "epochs and batch_size must be 1 or more"),
    ],
)
def test_a_wrong_block_is_named(change: dict[str, Any], message: str, project: Project) -> None:
    numbers = project.numbers()
    numbers["cases"]["lenet"] |= change
    (project.root / "params.yaml").write_text(yaml.safe_dump(numbers))
    with pytest.raises(HandbookError, match=message):
        project.case("lenet")


@pytest.mark.parametrize(
    ("text", "message"),
    [("cases: [", "is not YAML"), ("[]", "expected a mapping"), ("cases: 3", "expected a mapping")],
)
def test_a_broken_file_is_named(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(HandbookError, match=message):
        Project(tmp_path).cases()


def test_an_unknown_preset_is_named(project: Project) -> None:
    numbers = project.numbers() | {"preset": "gpus"}
    (project.root / "params.yaml").write_text(yaml.safe_dump(numbers))
    with pytest.raises(HandbookError, match="no preset 'gpus'; choose from book, gpu, laptop"):
        project.case("lenet")


def test_outside_a_checkout_the_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HandbookError, match=r"no params\.yaml"):
        Project.here()


def test_a_judge_is_a_case_and_a_file_of_the_kit_is_none(project: Project) -> None:
    numbers = project.numbers()
    numbers["cases"]["lenet"]["judge"] = "models/digits"
    (project.root / "params.yaml").write_text(yaml.safe_dump(numbers))
    assert project.case("lenet").judge == "digits"
    assert project.case("digits").judge is None
    numbers["cases"]["lenet"]["judge"] = "models/digit"
    (project.root / "params.yaml").write_text(yaml.safe_dump(numbers))
    with pytest.raises(HandbookError, match=r"cases\.lenet, judge: no case 'digit'; .* \(did you mean digits\?\)"):
        project.case("lenet")


def test_an_example_is_made_for_the_params_where_the_page_asks_for_them(project: Project) -> None:
    case = project.case("lenet")
    asks = dataclasses.replace(case, page=types.SimpleNamespace(example=lambda split, params: (split, params)))
    asks_not = dataclasses.replace(case, page=types.SimpleNamespace(example=lambda split: split))
    assert asks.example("split") == ("split", case.params)
    assert asks_not.example("split") == "split"

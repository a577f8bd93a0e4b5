"""Predicting what people bring: nothing is guessed, every fault is named, and the good is never lost for the bad."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from handbook.__main__ import main
from handbook.errors import HandbookError
from handbook.project import Project
from handbook.serving import prediction
from handbook.serving.choice import Chosen
from handbook.serving.inputs import Batch

PICTURES, ROWS = "lenet", "boosting_before_call"


@pytest.fixture
def pictures(tmp_path: Path, fitted: Any) -> Path:
    """A folder with six pictures of the test set."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for k, pixels in enumerate(fitted(PICTURES)[1].test_images[:6]):
        Image.fromarray(pixels).save(folder / f"{k}.png")
    return folder


@pytest.fixture
def calls(fitted: Any) -> pd.DataFrame:
    """Rows of the bank data, as a user would have them."""
    return fitted(ROWS)[1].features.head(50).reset_index(drop=True)


def saved(rows: pd.DataFrame, path: Path, sep: str = ",") -> Path:
    rows.to_csv(path, index=False, sep=sep)
    return path


def ask(project: Project, name: str, *given: Path, **how: Any) -> tuple[pd.DataFrame, list[dict[str, str]]]:
    """The answers, and the faults, as the files hold them."""
    output = project.root / "answers.csv"
    outcome = prediction.predict(project, name, [str(each) for each in given], output, **how)
    faults = list(csv.DictReader(outcome.errors.read_text().splitlines())) if outcome.errors else []
    assert not list(project.root.glob(".answers*"))
    return pd.read_csv(output, keep_default_na=False), faults


def test_the_champion_answers_for_each_picture_as_its_page_does(
    entered: Callable[..., str], project: Project, pictures: Path, fitted: Any
) -> None:
    entered(PICTURES)
    case, data, model = fitted(PICTURES)
    answers, faults = ask(project, PICTURES, pictures)
    expected = case.page.predict(model, data.test_images[:6])
    assert answers["name"].tolist() == expected["name"].tolist()
    np.testing.assert_allclose(answers["probability"], expected["probability"], rtol=1e-5)
    assert answers["file"].tolist() == [str(pictures / f"{k}.png") for k in range(6)]
    assert not faults


def _other_size(path: Path) -> None:
    Image.new("L", (32, 20), 7).save(path)


def _half(path: Path) -> None:
    whole = path.with_name("0.png").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (_other_size, "expected 28 x 28 pixels, found 32 x 20"),
        (_half, "damaged or cut short"),
        (lambda path: path.touch(), "the file is empty"),
        (lambda path: path.write_text("hello"), "expected a PNG or JPEG file"),
    ],
)
def test_a_picture_that_cannot_be_read_is_named_and_the_others_are_answered(
    entered: Callable[..., str], project: Project, pictures: Path, spoil: Callable[[Path], None], problem: str
) -> None:
    entered(PICTURES)
    spoil(pictures / "bad.png")
    answers, (fault,) = ask(project, PICTURES, pictures)
    assert len(answers) == 6
    assert fault["file"] == str(pictures / "bad.png")
    assert problem in fault["problem"]


@pytest.mark.parametrize("sep", [",", ";", "\t", "|"])
def test_neither_order_nor_separator_nor_further_columns_change_an_answer(
    entered: Callable[..., str], project: Project, calls: pd.DataFrame, sep: str, fitted: Any
) -> None:
    entered(ROWS)
    case, _, model = fitted(ROWS)
    expected = case.page.predict(model, calls)
    turned = calls[calls.columns[::-1]].assign(id=range(len(calls)))
    answers, faults = ask(project, ROWS, saved(turned, project.root / "calls.csv", sep))
    assert not faults
    np.testing.assert_allclose(answers["probability"], expected["probability"], rtol=1e-12)


def test_a_model_asks_for_the_columns_that_it_needs_and_for_no_other(
    entered: Callable[..., str], project: Project, calls: pd.DataFrame
) -> None:
    entered(ROWS)
    answers, _ = ask(project, ROWS, saved(calls.drop(columns="duration"), project.root / "calls.csv"))
    assert len(answers) == len(calls)


def test_a_renamed_column_is_missed_by_name_and_its_new_name_is_guessed(
    entered: Callable[..., str], project: Project, calls: pd.DataFrame
) -> None:
    entered(ROWS)
    path = saved(calls.rename(columns={"balance": "Balance_", "age": "x"}), project.root / "calls.csv")
    with pytest.raises(HandbookError, match=r"lacks 2 of 15 columns:\n  'age'\n  'balance' \(is it 'Balance_'"):
        ask(project, ROWS, path)
    assert not (project.root / "answers.csv").exists()


def test_every_bad_cell_is_named_by_row_and_column_and_the_good_rows_are_answered(
    entered: Callable[..., str], project: Project, calls: pd.DataFrame, fitted: Any
) -> None:
    entered(ROWS)
    case, _, model = fitted(ROWS)
    text = calls.astype("str")
    text.loc[3, "age"], text.loc[7, "balance"], text.loc[7, "day"] = "old", "", "2.5"
    text.loc[9, "campaign"], text.loc[11, "job"] = "inf", ""
    path = saved(text, project.root / "calls.csv")
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:20], "1,2,3", "", *lines[20:]]))
    answers, faults = ask(project, ROWS, path)
    assert [(fault["row"], fault["column"], fault["problem"]) for fault in faults] == [
        ("4", "age", "expected a whole number, found 'old'"),
        ("8", "balance", "the value is missing"),
        ("8", "day", "expected a whole number, found '2.5'"),
        ("10", "campaign", "expected a whole number, found 'inf'"),
        ("12", "job", "the value is missing"),
        ("20", "", "expected 16 cells, found 3"),
    ]
    good = [k for k in range(50) if k not in (3, 7, 9, 11)]
    assert answers["row"].tolist() == [k + 1 + (k >= 19) for k in good]
    np.testing.assert_allclose(answers["probability"], case.page.predict(model, calls)["probability"][good], rtol=1e-12)


def test_an_unknown_word_is_answered_and_said(
    entered: Callable[..., str], project: Project, calls: pd.DataFrame
) -> None:
    entered(ROWS)
    calls.loc[2, "job"] = "astronaut"
    answers, faults = ask(project, ROWS, saved(calls, project.root / "calls.csv"))
    assert not faults
    assert answers["note"].tolist() == ["", "", "unknown job 'astronaut' counts as none", *[""] * 47]


def test_the_size_of_a_batch_changes_no_answer_and_no_fault(
    entered: Callable[..., str], project: Project, calls: pd.DataFrame
) -> None:
    entered(ROWS)
    text = calls.astype("str")
    text.loc[[4, 5, 30], "age"] = "?"
    path = saved(text, project.root / "calls.csv")
    whole, faults = ask(project, ROWS, path)
    for size in (1, 7, 50):
        parts, again = ask(project, ROWS, path, batch_size=size)
        assert parts.equals(whole)
        assert again == faults


def test_without_a_champion_the_trained_model_answers_and_it_is_said(
    placed: Callable[..., Any], project: Project, calls: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    placed(ROWS)
    path = saved(calls, project.root / "calls.csv")
    answers, _ = ask(project, ROWS, path)
    assert len(answers) == 50
    assert f"nothing is registered of {ROWS}" in capsys.readouterr().err
    with pytest.raises(HandbookError, match="nothing is registered"):
        ask(project, ROWS, path, version="1")


def test_answers_come_whole_or_not_at_all(entered: Callable[..., str], project: Project, calls: pd.DataFrame) -> None:
    entered(ROWS)
    path = saved(calls, project.root / "calls.csv")
    ask(project, ROWS, path)
    before = (project.root / "answers.csv").read_bytes()
    path.write_bytes(path.read_bytes() + b"\xff\xfe")
    with pytest.raises(HandbookError, match="not UTF-8"):
        ask(project, ROWS, path, batch_size=5)
    assert (project.root / "answers.csv").read_bytes() == before
    assert not list(project.root.glob(".answers*"))


def test_answers_never_take_the_place_of_what_they_answer(
    entered: Callable[..., str], project: Project, calls: pd.DataFrame
) -> None:
    entered(ROWS)
    path = saved(calls, project.root / "calls.csv")
    for output, reported in (
        (path, "is what is to be predicted"),
        (project.root, "is a folder"),
        (project.root / "none" / "x.csv", "is not there"),
    ):
        with pytest.raises(HandbookError, match=reported):
            prediction.predict(project, ROWS, [str(path)], output)


def test_the_command_line_ends_with_1_if_a_row_failed_and_still_prints_the_others(
    entered: Callable[..., str],
    project: Project,
    calls: pd.DataFrame,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entered(ROWS)
    saved(calls, project.root / "calls.csv")
    monkeypatch.setattr("sys.argv", ["handbook", "predict", ROWS, "calls.csv"])
    assert main() == 0
    assert len(pd.read_csv(io.StringIO(capsys.readouterr().out))) == 50
    saved(calls.astype("str").replace({"age": {str(calls["age"][0]): "?"}}), project.root / "calls.csv")
    assert main() == 1
    reported = capsys.readouterr()
    assert len(pd.read_csv(io.StringIO(reported.out))) < 50
    assert "row 1, column 'age': the value is missing" in reported.err


def toy(example: Any, predict: Callable[..., Any], **page: Any) -> Chosen:
    """A case that takes what its example looks like."""
    case = SimpleNamespace(name="toy", dataset="mnist", page=SimpleNamespace(predict=predict, **page))
    return Chosen(case, SimpleNamespace(facts={}), "toy version 1", example)  # type: ignore[arg-type]


@pytest.mark.parametrize("example", [np.arange(4), pd.DataFrame({"seed": [0], "label": [1]})])
def test_a_generator_draws_a_picture_a_seed(example: Any, tmp_path: Path) -> None:
    def draw(_: Any, given: Any) -> Any:
        seeds = given["seed"].to_numpy() if hasattr(given, "columns") else given
        return np.stack([np.full((8, 8, 3), seed, np.uint8) for seed in seeds])

    chosen = toy(example, draw)
    with pytest.raises(HandbookError, match="--output FOLDER"):
        prediction.answer(chosen, ["3"])
    outcome = prediction.answer(chosen, ["3", "200"], tmp_path / "drawn", batch_size=1)
    assert outcome.answered == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["drawn"]
    assert np.asarray(Image.open(tmp_path / "drawn" / "200.png"))[0, 0].tolist() == [200, 200, 200]


def test_what_a_page_refuses_costs_no_other_its_answer(tmp_path: Path) -> None:
    def go_on(_: Any, given: pd.DataFrame) -> pd.DataFrame:
        if given["prompt"].str.contains("€").any():
            raise ValueError("'€' is no character of the training text")
        return pd.DataFrame({"text": given["prompt"] + "!"})

    chosen = toy(pd.DataFrame({"prompt": ["Out"]}), go_on)
    outcome = prediction.answer(chosen, ["a", "b€", "c", "d€", "e"], tmp_path / "texts.csv")
    assert pd.read_csv(tmp_path / "texts.csv")["text"].tolist() == ["a!", "c!", "e!"]
    assert (outcome.answered, outcome.failed) == (3, 2)
    assert pd.read_csv(tmp_path / "texts.csv.errors.csv")["prompt"].tolist() == ["b€", "d€"]


def test_reasons_stand_beside_the_answers_to_rows_with_what_they_are_relative_to(
    entered: Callable[..., str], project: Project, calls: pd.DataFrame
) -> None:
    entered(ROWS)
    answers, _ = ask(project, ROWS, saved(calls.head(2), project.root / "calls.csv"), why=True)
    plain, _ = ask(project, ROWS, saved(calls.head(2), project.root / "calls.csv"))
    assert answers[[*plain]].equals(plain)
    for k in (1, 2, 3):
        assert answers[f"reason_{k}"].isin([*calls]).all()
    assert (answers["effect_1"].abs() >= answers["effect_2"].abs()).all()
    assert answers["effect_on"].tolist() == ["the probability of 'yes'"] * 2
    assert answers["relative_to"].str.contains("the mean over the 4 rows that its record keeps").all()


def test_reasons_for_pictures_are_overlays_beside_the_answers_and_need_a_place(
    entered: Callable[..., str], project: Project, pictures: Path
) -> None:
    entered(PICTURES)
    with pytest.raises(HandbookError, match="Name where they go: --output FILE"):
        prediction.predict(project, PICTURES, [str(pictures)], why=True)
    answers, _ = ask(project, PICTURES, pictures / "0.png", why=True)
    overlay = Path(answers["why"].iloc[0])
    assert overlay == project.root / "answers.csv.why" / "0.png"
    with Image.open(overlay) as drawn:
        assert drawn.size == (280, 280)


def echo(_: Any, given: pd.DataFrame) -> pd.DataFrame:
    """Goes on from every prompt but an empty one and a number."""
    if given["prompt"].isin(["", "1606"]).any():
        raise ValueError("the prompt cannot be gone on from")
    return pd.DataFrame({"text": given["prompt"] + "!"})


def test_prompts_that_are_the_same_fail_and_are_answered_each_for_itself(tmp_path: Path) -> None:
    chosen = toy(pd.DataFrame({"prompt": ["Out"]}), echo)
    (tmp_path / "a.csv").write_text("prompt\nOut\n1606\nOut\n1606\n")
    outcome = prediction.answer(chosen, [str(tmp_path / "a.csv")], tmp_path / "texts.csv")
    assert (outcome.answered, outcome.failed) == (2, 2)
    faults = pd.read_csv(tmp_path / "texts.csv.errors.csv")
    assert faults["problem"].tolist() == [f"row {k}: the prompt cannot be gone on from" for k in (2, 4)]
    assert pd.read_csv(tmp_path / "texts.csv")["text"].tolist() == ["Out!", "Out!"]
    outcome = prediction.answer(chosen, ["Out", "", "Out", ""], tmp_path / "texts.csv")
    assert (outcome.answered, outcome.failed) == (2, 2)


def test_a_prompt_longer_than_a_name_can_be_is_answered(tmp_path: Path) -> None:
    words = "Out, out, brief candle! " * 50
    outcome = prediction.answer(toy(pd.DataFrame({"prompt": ["Out"]}), echo), [words], tmp_path / "texts.csv")
    assert outcome.answered == 1
    assert pd.read_csv(tmp_path / "texts.csv")["text"].tolist() == [words + "!"]


def test_only_what_the_model_takes_is_handed_to_it(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,prompt,length,label\n1,Out,7,3\n")
    seen: list[list[str]] = []

    def look(_: Any, given: pd.DataFrame) -> pd.DataFrame:
        seen.append(list(given.columns))
        return pd.DataFrame({"text": given["prompt"]})

    prediction.answer(toy(pd.DataFrame({"prompt": ["Out"], "length": [1.0]}), look), [str(tmp_path / "a.csv")])
    assert seen == [["prompt", "length"]]


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_an_answer_that_is_no_finite_number_is_a_fault_of_its_row(bad: float) -> None:
    def value(_: Any, given: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"value": given["x"].where(given["x"] < 9, bad), "name": "a"})

    chosen = toy(pd.DataFrame({"x": [1.0]}), value)
    batch = Batch([1, 2, 3], pd.DataFrame({"x": [1.0, 9.0, 2.0]}), ["", "far", ""])
    places, answers, (fault,) = prediction.predicted(chosen, batch)
    assert (places, answers["value"].tolist()) == ([0, 2], [1.0, 2.0])
    assert (fault.name, fault.problem.startswith("the answer is no finite number (value")) == ("2", True)
    places, answers, faults = prediction.predicted(chosen, Batch([1], pd.DataFrame({"x": [9.0]}), [""]))
    assert (places, answers, len(faults)) == ([], None, 1)


def test_numbers_out_of_the_datas_range_are_answered_and_said(
    entered: Callable[..., str], project: Project, calls: pd.DataFrame
) -> None:
    entered(ROWS)
    calls.loc[1, ["age", "day"]] = 1970, 45
    calls.loc[4, "balance"] = 10**12
    answers, faults = ask(project, ROWS, saved(calls, project.root / "calls.csv"))
    assert not faults
    assert answers["note"].tolist() == [
        "", "age 1970 is outside of 18 to 95; day 45 is outside of 1 to 31", "", "",
        "balance 1000000000000 is outside of -8019 to 102127", *[""] * 45,
    ]  # fmt: skip


def test_seeds_that_all_fail_leave_no_file_in_the_folders_place(tmp_path: Path) -> None:
    (tmp_path / "seeds.csv").write_text("seed\n-1\n2.5\n1e30\n")
    chosen = toy(np.arange(4), lambda *_: np.zeros((1, 4, 4), np.uint8))
    for _ in range(2):
        outcome = prediction.answer(chosen, [str(tmp_path / "seeds.csv")], tmp_path / "drawn")
        assert (outcome.answered, outcome.failed) == (0, 3)
        assert not (tmp_path / "drawn").exists()

"""Laws of the network that writes on: memory, drawing, cells of equal size, resuming, files of one's own."""

from __future__ import annotations

import argparse
import csv
import dataclasses
import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from handbook import __main__, datasets
from handbook.cases import char_lstm
from handbook.data import texts
from handbook.data.texts import Request, Text
from handbook.errors import HandbookError
from handbook.project import Apart, Project, plain
from handbook.registry import connection
from handbook.serving import choice
from handbook.steps import evaluate, register, train
from handbook.training import models
from handbook.training.run import Run
from tests.conftest import ROOT

CASES = ("char_lstm", "char_gru", "char_rnn")
WORDS = "the weary raven doth haunt the mill, and the silent mill doth answer the raven.\n"


def small(name: str = "char_lstm", **changes: Any) -> char_lstm.Params:
    """The case's parameters for a network that a test can afford."""
    few = {"hidden_size": 24, "embedding": 8, "epochs": 3, "window": 16, "batch_size": 4} | changes
    return dataclasses.replace(Project(ROOT).case(name).params, **few)


def untrained(**changes: Any) -> char_lstm.Model:
    torch.manual_seed(0)
    return char_lstm.Model(small(**changes), "".join(sorted(set(WORDS)))).eval()


def test_the_three_cells_have_equally_many_weights_to_two_per_cent() -> None:
    sizes = [
        sum(each.numel() for each in char_lstm.Model(Project(ROOT).case(name).params, "x" * 43).parameters())
        for name in CASES
    ]
    assert max(sizes) / min(sizes) < 1.02


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("layers", [1, 2])
def test_carrying_the_memory_over_two_windows_is_reading_them_as_one(cell: str, layers: int) -> None:
    model = untrained(cell=cell, layers=layers)
    text = torch.randint(0, len(model.alphabet), (3, 20), generator=torch.Generator().manual_seed(1))
    whole, _ = model(text)
    first, memory = model(text[:, :11])
    second, _ = model(text[:, 11:], memory)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole, atol=1e-6, rtol=1e-5)


def test_training_carries_the_memory_from_step_to_step_and_drops_it_between_epochs() -> None:
    model = untrained(dropout=0.0, input_dropout=0.0)
    text = torch.randint(0, len(model.alphabet), (4, 33), generator=torch.Generator().manual_seed(1))
    losses = [model.training_step([text[:, :17]]), model.training_step([text[:, 16:]])]
    logits, _ = model(text[:, :-1])
    joined = torch.nn.functional.cross_entropy(logits.flatten(0, 1), text[:, 1:].flatten())
    torch.testing.assert_close(sum(losses) / 2, joined, atol=1e-5, rtol=1e-5)
    assert not any(each.requires_grad for each in model.memory[0])
    model.start_epoch(0)
    assert model.memory is None


def test_an_epoch_reads_every_character_in_streams_that_go_on() -> None:
    text = torch.arange(1000)
    starts, size, prepare = char_lstm.windows(text, small(window=10, batch_size=8))
    steps_ = prepare(starts, 3).reshape(-1, size, 11)
    assert torch.equal(steps_[1:, :, 0], steps_[:-1, :, -1])
    assert len(set(steps_[:, :, :10].flatten().tolist())) == len(starts) * 10 > 900
    assert not torch.equal(prepare(starts, 4), prepare(starts, 3))
    assert torch.equal(prepare(starts, 3), prepare(starts, 3))


def test_the_book_looks_at_every_window_and_a_share_at_other_ones_each_epoch() -> None:
    text = torch.arange(1000)
    book = small("char_lstm_book", embedding=0, window=50)
    starts, _, prepare = char_lstm.windows(text, dataclasses.replace(book, window_share=1.0))
    assert torch.equal(prepare(starts, 0)[:, 0], torch.arange(950))
    starts, _, prepare = char_lstm.windows(text, dataclasses.replace(book, window_share=0.1))
    seen = {int(first) for epoch in range(100) for first in prepare(starts, epoch)[:, 0]}
    assert len(starts) == pytest.approx(95, abs=1)
    assert len(seen) > 900


def test_a_model_that_knows_nothing_takes_the_logarithm_of_the_alphabet() -> None:
    for name in ("char_lstm", "char_lstm_book"):
        model = untrained() if name == "char_lstm" else char_lstm.Model(small(name, embedding=0), untrained().alphabet)
        for each in model.head.parameters():
            torch.nn.init.zeros_(each)
        codes = np.arange(200) % len(model.alphabet)
        bits = char_lstm.bits(model, codes[100:], codes[:100])
        np.testing.assert_allclose(bits, math.log2(len(model.alphabet)), rtol=1e-5)


def test_bits_are_those_of_one_pass_however_long_the_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = np.random.default_rng(0).integers(0, 10, 300)
    for model in (untrained(), untrained(many_to_many=False)):
        whole = char_lstm.bits(model, codes[200:], codes[:200])
        with monkeypatch.context() as patch:
            patch.setattr(char_lstm, "PIECE", 17)
            np.testing.assert_allclose(char_lstm.bits(model, codes[200:], codes[:200]), whole, rtol=1e-4)
        assert len(whole) == 100


def test_the_likeliest_character_follows_if_top_k_is_one() -> None:
    for model in (untrained(), untrained(many_to_many=False)):
        (text,) = char_lstm.continued(model, [Request("the mill", 30, temperature=3.0, top_k=1, seed=5)])
        for place in range(8, len(text)):
            before = text[:place] if model.params.many_to_many else text[:place][-model.params.window :]
            logits, _ = model(torch.from_numpy(char_lstm.texts.encode(before, model.alphabet))[None])
            assert model.alphabet[int(logits[0, -1].argmax())] == text[place]


def test_the_same_seed_writes_the_same_text_beside_any_others() -> None:
    model = untrained()
    requested = Request("the raven", 40, temperature=1.0, seed=3)
    (alone,) = char_lstm.continued(model, [requested])
    together = char_lstm.continued(model, [Request("mill", 90, seed=1), requested, Request("a" * 60, 5)])
    assert together[1] == alone
    assert len(alone) == len("the raven") + 40
    assert char_lstm.continued(model, [dataclasses.replace(requested, seed=4)]) != [alone]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [(["the ümlaut #"], "never seen: '#', 'ü'"), ([""], "the prompt is empty"), ([None], "prompt must be str")],
)
def test_a_prompt_that_cannot_be_read_is_refused(inputs: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        char_lstm.predict(untrained(), inputs)


def test_no_prompt_gives_no_text() -> None:
    assert len(char_lstm.predict(untrained(), [])) == 0


def test_capitals_in_a_prompt_are_lowered_as_the_text_was() -> None:
    assert char_lstm.predict(untrained(), ["THE MILL"])["text"][0].startswith("the mill")


@pytest.mark.parametrize("name", ["char_lstm", "char_lstm_book"])
def test_a_run_that_was_killed_resumes_to_the_numbers_of_an_unbroken_one(name: str, tmp_path: Path) -> None:
    book = {"embedding": 0, "window_share": 0.5} if name == "char_lstm_book" else {}
    params = small(name, epochs=4, validation_share=0.1, **book)
    split = char_lstm.split(Text(WORDS * 20, "words"), params)
    unbroken = char_lstm.fit(split, params)

    class KilledError(Exception):
        pass

    def die(row: dict[str, float]) -> None:
        if row["epoch"] == 3:
            raise KilledError

    with pytest.raises(KilledError):
        char_lstm.fit(split, params, Run(tmp_path / "a.ckpt", die))
    reported: list[float] = []
    resumed = char_lstm.fit(split, params, Run(tmp_path / "a.ckpt", lambda row: reported.append(row["epoch"])))
    assert reported == [3, 4]
    assert resumed.history_ == unbroken.history_
    assert all(torch.equal(each, resumed.state_dict()[key]) for key, each in unbroken.state_dict().items())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cell": "lstn"}, "cell must be one of rnn, gru, lstm, found lstn"),
        ({"window": 0}, "window must be 1 or more"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\), found 1.0"),
        ({"window_share": 0.0}, "window_share"),
    ],
)
def test_a_parameter_out_of_range_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small(**change)


def test_the_registry_takes_the_signature_and_optional_settings_may_be_left_out(
    samples: Callable[[str], Path],
) -> None:
    mlflow = pytest.importorskip("mlflow")
    example = char_lstm.example(char_lstm.split(datasets.page("macbeth").load(samples("macbeth")), small()))
    signature = mlflow.models.infer_signature(example, pd.DataFrame({"text": ["a"]}))
    required = {column.name: column.required for column in signature.inputs.inputs}
    assert required == {"prompt": True} | dict.fromkeys(example.columns[1:], False)


@pytest.mark.slow
def test_the_registered_model_takes_prompts_with_and_without_settings(project: Project) -> None:
    """The DataFrame that a user sends and the one that MLflow's signature asks for are the same."""
    import yaml

    mlflow = pytest.importorskip("mlflow")
    numbers = project.numbers()
    numbers["cases"]["char_lstm"] |= {"hidden_size": 16, "embedding": 4}
    (project.root / "params.yaml").write_text(yaml.safe_dump(numbers))
    for step in (train.train, evaluate.evaluate, register.register):
        step(project, "char_lstm")
    mlflow.set_tracking_uri(connection.uri(project))
    served = mlflow.pyfunc.load_model("models:/char_lstm@champion")
    model = models.load(char_lstm, project.case("char_lstm").params, project.models("char_lstm"))
    for sent in (
        pd.DataFrame({"prompt": ["the mill"]}),
        pd.DataFrame(
            {"prompt": ["the mill", "A crow"], "length": [9.0, 12.0], "temperature": [0.5, 1], "seed": [1.0, 2]}
        ),
        char_lstm.example(project.case("char_lstm").split(datasets.page("macbeth").load(project.data("macbeth")))),
    ):
        assert served.predict(sent).equals(char_lstm.predict(model, sent))


def type_in(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["handbook", *words])
    return __main__.main()


def test_a_text_of_ones_own_is_learned_judged_and_written_on(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import yaml

    numbers = project.numbers()
    numbers["cases"]["char_lstm"] |= {"hidden_size": 16, "embedding": 4, "window": 16, "batch_size": 4}
    (project.root / "params.yaml").write_text(yaml.safe_dump(numbers))
    (tmp_path / "mine.txt").write_text(WORDS.replace("raven", "dragon") * 20)
    home = tmp_path / "mine"
    own = ("--data", str(tmp_path / "mine.txt"), "--to", str(home))
    assert type_in(monkeypatch, "train", "char_lstm", *own) == 0
    assert type_in(monkeypatch, "evaluate", "char_lstm", *own) == 0
    assert json.loads((home / "report/metrics.json").read_text())["data"] == "own"
    known = json.loads((home / "trained.json").read_text())
    assert (known["case"], known["kind"]) == ("char_lstm", "own")
    assert known["params"] == plain(project.case("char_lstm").params)
    assert sorted(path.name for path in (home / "report/tables").iterdir()) == ["samples.csv", "writing.csv"]
    assert not (project.root / "models/char_lstm").exists()
    capsys.readouterr()
    write = ("predict", "char_lstm", "--from", str(home), "The dragon", "--length", "20", "--top-k", "3")
    assert type_in(monkeypatch, *write) == 0
    reported = capsys.readouterr().out
    (row,) = csv.DictReader(io.StringIO(reported))
    assert (row["prompt"], row["text"][:10]) == ("The dragon", "the dragon")
    assert len(row["text"]) == len("the dragon") + 20
    assert type_in(monkeypatch, *write) == 0
    assert capsys.readouterr().out == reported
    assert type_in(monkeypatch, "predict", "char_lstm", "--from", str(home), "x2") == 1
    assert "characters that the model has never seen: '2', 'x'" in capsys.readouterr().err
    assert type_in(monkeypatch, "generate", "char_lstm", "--from", str(home), "--prompt", "x2") == 1
    assert "'generate' is part of another verb now. Type: handbook predict CASE" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("train", "char_lstm", "--data", "a.txt"), "--data FILE and --to FOLDER belong together"),
        (("train", "char_lstm", "--data", "none.txt", "--to", "x"), "none.txt is missing; expected a text file"),
        (("train", "lenet", "--data", "a.txt", "--to", "x"), "lenet learns from fashion_mnist, which no single file"),
        (("predict", "char_lstm", "a", "--from", "x"), "x holds no model. Make it: python -m handbook"),
        (("predict", "char_lstm", "a", "--from", "x", "--version", "2"), "--from names one model"),
    ],
)
def test_the_command_line_says_what_is_wrong_with_it(
    words: tuple[str, ...],
    message: str,
    project: Project,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert type_in(monkeypatch, *words) == 1
    assert message in capsys.readouterr().err


def test_a_file_of_ones_own_leaves_the_pipelines_places_alone(tmp_path: Path) -> None:
    own = Project(ROOT, Apart("char_lstm", tmp_path, tmp_path / "a.txt"))
    assert own.models("char_lstm") == tmp_path / "model"
    assert own.case("char_lstm") == Project(ROOT).case("char_lstm")
    with pytest.raises(HandbookError, match="holds no model"):
        choice.choose(own, "char_lstm")


def test_a_text_without_one_of_the_characters_is_judged_as_the_model_numbers_them() -> None:
    model = untrained()
    model.history_ = [{"epoch": 1.0, "train_loss": 3.0}]
    fewer = char_lstm.split(Text(WORDS.replace(",", "") * 12, "b"), model.params)  # every other number is one less
    again = texts.renumbered(fewer, model.alphabet)
    expected = char_lstm.bits(model, again.test.codes, again.development.codes).mean()
    assert char_lstm.evaluate(model, fewer).metrics["bits_per_character"] == pytest.approx(expected, rel=1e-6)
    with pytest.raises(HandbookError, match="the text holds characters that the model has never seen: '1'"):
        char_lstm.evaluate(model, char_lstm.split(Text(WORDS.replace("e", "1") * 12, "c"), model.params))


def test_a_model_apart_is_judged_by_its_own_split_whatever_the_parameters_are_by_then(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "mine"
    (home / "model").mkdir(parents=True)
    known: Any = {"case": "char_lstm", "params": plain(small(held_out=0.25))}
    (home / "trained.json").write_text(json.dumps(known))
    line = {"name": "char_lstm", "data": "a.txt", "to": str(home)}
    judged, trained = (__main__._own(project, argparse.Namespace(verb=verb, **line)) for verb in ("evaluate", "train"))
    assert judged.case("char_lstm").params == small(held_out=0.25)
    assert trained.case("char_lstm") == project.case("char_lstm")
    for content, message in (
        ({**known, "case": "char_gru"}, "holds a model of char_gru, not of char_lstm"),
        ({**known, "params": {"seed": 0}}, "trained.json: parameter 'epochs' is missing"),
        ([], "trained.json is damaged"),
    ):
        (home / "trained.json").write_text(json.dumps(content))
        assert type_in(monkeypatch, "predict", "char_lstm", "--from", str(home), "a") == 1
        assert message in capsys.readouterr().err


@pytest.mark.parametrize("place", ["a.txt", "a.txt/inside", "x" * 300])
def test_a_place_where_no_folder_can_be_is_refused_before_anything_is_read(
    place: str, project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project.root / "a.txt").write_text(WORDS)
    assert type_in(monkeypatch, "train", "char_lstm", "--data", "none.txt", "--to", place) == 1
    reported = capsys.readouterr().err
    assert "what is made should lie in" in reported or "cannot be the name of a folder" in reported

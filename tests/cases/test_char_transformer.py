"""Laws of the transformer that writes on: causality, torch's own encoder, judging in windows, drawing, resuming."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from handbook import datasets
from handbook.cases import char_lstm, char_transformer
from handbook.cases.char_transformer import attention
from handbook.data import texts
from handbook.data.texts import Request, Text
from handbook.errors import HandbookError
from handbook.project import Project
from handbook.training.run import Run
from tests.conftest import ROOT

WORDS = "The weary raven doth haunt the mill, and the silent mill doth answer the raven.\n"
NAME = "shakespeare_transformer"


def small(**changes: Any) -> char_transformer.Params:
    """The case's parameters for a network that a test can afford."""
    few = {"width": 24, "heads": 3, "layers": 2, "context": 16, "epochs": 3, "steps": 5, "batch_size": 4} | changes
    return dataclasses.replace(Project(ROOT).case(NAME).params, **few)


def untrained(**changes: Any) -> char_transformer.Model:
    """Weights ten times as large as at the start, so that every place matters."""
    torch.manual_seed(0)
    model = char_transformer.Model(small(**changes), "".join(sorted(set(WORDS)))).eval()
    with torch.no_grad():
        for each in model.parameters():
            each.mul_(10 if each.ndim > 1 else 1)
    return model


def drawn(model: char_transformer.Model, *shape: int) -> torch.Tensor:
    return torch.randint(0, len(model.alphabet), shape, generator=torch.Generator().manual_seed(1))


def test_changing_a_character_leaves_the_logits_before_it_and_moves_those_from_it_on() -> None:
    model = untrained()
    text = drawn(model, 2, 16)
    before = model(text)
    for place in (0, 7, 15):
        other = text.clone()
        other[:, place] = (other[:, place] + 1) % len(model.alphabet)
        after = model(other)
        torch.testing.assert_close(after[:, :place], before[:, :place], atol=1e-6, rtol=1e-5)
        assert (after[:, place:] - before[:, place:]).abs().amax(dim=2).min() > 1e-4


def test_the_blocks_agree_with_torchs_own_encoder_on_the_same_weights() -> None:
    model, p = untrained(), small()
    layer = nn.TransformerEncoderLayer(
        p.width, p.heads, 4 * p.width, 0.0, "gelu", batch_first=True, norm_first=True, bias=False
    )
    encoder = nn.TransformerEncoder(layer, p.layers, nn.LayerNorm(p.width, bias=False), enable_nested_tensor=False)
    names = {
        "ask": "self_attn.in_proj_weight", "gather": "self_attn.out_proj.weight", "widen": "linear1.weight",
        "narrow": "linear2.weight", "before_attention": "norm1.weight", "before_mlp": "norm2.weight",
    }  # fmt: skip
    weights = {
        f"layers.{k}.{theirs}": getattr(block, ours).weight
        for k, block in enumerate(model.blocks)
        for ours, theirs in names.items()
    }
    encoder.load_state_dict(weights | {"norm.weight": model.norm.weight})
    text = drawn(model, 3, 16)
    mask = nn.Transformer.generate_square_subsequent_mask(16)
    found = encoder.eval()(model.stream(text), mask=mask, is_causal=True) @ model.embed.weight.T
    torch.testing.assert_close(model(text), found, atol=1e-4, rtol=1e-4)


def test_nanogpts_setting_has_its_number_of_weights_and_both_ends_share_one_matrix() -> None:
    """4 blocks of 12 width^2 and two scales, a last scale, 65 characters and 64 places."""
    model = char_transformer.Model(Project(ROOT).case(NAME).params, "x" * 65)
    assert sum(each.numel() for each in model.parameters()) == 4 * (12 * 128**2 + 2 * 128) + 128 + (65 + 64) * 128
    assert "head.weight" not in model.state_dict()


def test_the_rate_rises_in_a_line_and_falls_to_a_tenth_along_a_cosine() -> None:
    params = Project(ROOT).case(NAME).params
    steps = params.epochs * params.steps
    assert steps == 2000
    rates = np.array([char_transformer.rate(step, steps, params) for step in range(steps + 1)])
    assert rates.argmax() == params.warm_up == 100
    np.testing.assert_allclose(np.diff(rates[:100]), 1 / 101)
    np.testing.assert_allclose(rates[[100, 1050, 2000]], [1.0, 0.55, 0.1])


def test_bits_in_overlapping_windows_are_those_of_a_literal_loop() -> None:
    model = untrained()
    codes = np.random.default_rng(0).integers(0, 10, 90)
    found = char_transformer.bits(model, codes[50:], codes[:50])
    assert len(found) == 40
    for k in range(40):
        run = k // 4  # a stride of 4 characters, of a context of 16
        end = min(50 + 4 * run + 3, 89)
        logits = model(torch.from_numpy(codes[end - 16 : end])[None])[0]
        cost = -torch.log_softmax(logits, dim=1)[50 + k - 1 - (end - 16), codes[50 + k]] / math.log(2)
        assert found[k] == pytest.approx(cost.item(), rel=1e-4)


@torch.no_grad()
def test_windows_read_from_their_beginning_are_those_of_training() -> None:
    model = untrained()
    codes = np.random.default_rng(0).integers(0, 10, 49)
    text = torch.from_numpy(codes)
    losses = [model.training_step([text[k : k + 17][None]]) for k in (0, 16, 32)]
    mean = char_transformer.bits(model, codes[1:], codes[:1], overlap=1).mean() * math.log(2)
    assert mean == pytest.approx(float(torch.stack(losses).mean()), rel=1e-5)
    assert float(model.validation_step([text[None]])["loss"]) == pytest.approx(mean, rel=1e-5)


@pytest.mark.parametrize("before", [1, 3, 15, 40])
@pytest.mark.parametrize("judged", [2, 5, 33])
def test_a_text_shorter_than_a_window_is_judged_too(before: int, judged: int) -> None:
    model = untrained()
    codes = np.random.default_rng(0).integers(0, 10, before + judged)
    found = char_transformer.bits(model, codes[before:], codes[:before])
    assert found.shape == (judged,)
    assert np.isfinite(found).all()


def test_bits_do_not_depend_on_the_pieces_they_are_computed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    model, codes = untrained(), np.random.default_rng(0).integers(0, 10, 200)
    whole = char_transformer.bits(model, codes[80:], codes[:80])
    monkeypatch.setattr(char_transformer, "PIECE", 7)
    np.testing.assert_allclose(char_transformer.bits(model, codes[80:], codes[:80]), whole, rtol=1e-4)


def test_a_model_that_knows_nothing_takes_the_logarithm_of_the_alphabet() -> None:
    model = untrained()
    nn.init.zeros_(model.embed.weight)
    codes = np.arange(100) % len(model.alphabet)
    np.testing.assert_allclose(
        char_transformer.bits(model, codes[50:], codes[:50]), math.log2(len(model.alphabet)), rtol=1e-5
    )


def test_the_windows_of_an_epoch_lie_anywhere_and_are_the_same_again() -> None:
    params = small(context=10, steps=400, batch_size=1)
    prepare = char_transformer.windows(torch.arange(100), params)
    which = torch.arange(400)
    found = prepare(which, 0)
    assert torch.equal(found[:, 1:], found[:, :-1] + 1)
    assert set(found[:, 0].tolist()) == set(range(90))
    assert torch.equal(prepare(which[:7], 0), found[:7])
    assert not torch.equal(prepare(which, 1), found)


def test_the_likeliest_character_follows_if_top_k_is_one_and_no_more_than_a_context_is_looked_at() -> None:
    model = untrained()
    (text,) = char_transformer.continued(model, [Request("The mill", 30, temperature=3.0, top_k=1, seed=5)])
    for place in range(8, len(text)):
        window = texts.encode(text[:place][-16:], model.alphabet)
        assert model.alphabet[int(model(torch.from_numpy(window)[None])[0, -1].argmax())] == text[place]


def test_the_same_seed_writes_the_same_text_beside_any_others() -> None:
    model = untrained()
    requested = Request("The raven", 40, temperature=1.0, seed=3)
    (alone,) = char_transformer.continued(model, [requested])
    together = char_transformer.continued(model, [Request("mill", 90, seed=1), requested, Request("a" * 60, 5)])
    assert together[1] == alone
    assert len(alone) == len("The raven") + 40
    assert char_transformer.continued(model, [dataclasses.replace(requested, seed=4)]) != [alone]


@pytest.mark.parametrize(
    ("inputs", "message"),
    [(["the ümlaut #"], "never seen: '#', 'ü'"), ([""], "the prompt is empty"), ([None], "prompt must be str")],
)
def test_a_prompt_that_cannot_be_read_is_refused(inputs: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        char_transformer.predict(untrained(), inputs)


def test_both_networks_that_write_take_the_same_inputs_and_answer_in_the_same_form(
    samples: Callable[[str], Path],
) -> None:
    data = datasets.page("shakespeare").load(samples("shakespeare"))
    lstm = dataclasses.replace(Project(ROOT).case("shakespeare_lstm").params, hidden_size=8, embedding=4)
    pages: list[tuple[Any, Any]] = [(char_lstm, lstm), (char_transformer, small())]
    answers = []
    for page, params in pages:
        split = page.split(data, params)
        sent = page.example(split).assign(length=[6.0, 5.0])
        torch.manual_seed(0)
        answers.append((sent, page.predict(page.Model(params, split.train.alphabet).eval(), sent)))
    (sent, first), (same, second) = answers
    assert sent.equals(same)
    assert first.dtypes.equals(second.dtypes)
    assert first["text"].str.len().tolist() == second["text"].str.len().tolist()
    assert len(char_transformer.predict(untrained(), [])) == 0


def test_a_run_that_was_killed_resumes_to_the_numbers_of_an_unbroken_one(tmp_path: Path) -> None:
    params = small(epochs=4, validation_share=0.1, dropout=0.2)
    split = char_transformer.split(Text(WORDS * 20, "words"), params)
    unbroken = char_transformer.fit(split, params)

    class KilledError(Exception):
        pass

    def die(row: dict[str, float]) -> None:
        if row["epoch"] == 3:
            raise KilledError

    with pytest.raises(KilledError):
        char_transformer.fit(split, params, Run(tmp_path / "a.ckpt", die))
    reported: list[float] = []
    resumed = char_transformer.fit(split, params, Run(tmp_path / "a.ckpt", lambda row: reported.append(row["epoch"])))
    assert reported == [3, 4]
    assert resumed.history_ == unbroken.history_
    assert all(torch.equal(each, resumed.state_dict()[key]) for key, each in unbroken.state_dict().items())


def test_what_repeats_itself_is_learnt_to_less_than_its_n_gram_of_single_characters_takes() -> None:
    params = small(width=32, heads=2, epochs=2, steps=60, learning_rate=0.01, warm_up=10, validation_share=0.0)
    split = char_transformer.split(Text(WORDS * 20, "words"), params)
    report = char_transformer.evaluate(char_transformer.fit(split, params), split)
    assert 0 < report.metrics["nats_in_windows"] < 2
    alone = report.metrics["algorithms"]["frequency of each character"]["bits_per_character"]
    assert report.metrics["bits_per_character"] < alone / 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"width": 25}, "width must be a multiple of the heads, found 25 for 3 heads"),
        ({"context": 0}, "context must be 1 or more, found 0"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\), found 1.0"),
        ({"held_out": 0.0}, r"held_out must be in \(0, 1\), found 0.0"),
    ],
)
def test_a_parameter_out_of_range_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small(**change)


def test_a_text_of_other_characters_is_judged_by_its_own_or_refused() -> None:
    model = untrained()
    model.history_ = [{"epoch": 1.0, "train_loss": 3.0}]
    fewer = char_transformer.split(Text(WORDS.replace(",", "") * 12, "b"), model.params)
    again = texts.renumbered(fewer, model.alphabet)
    expected = char_transformer.bits(model, again.test.codes, again.development.codes).mean()
    assert char_transformer.evaluate(model, fewer).metrics["bits_per_character"] == pytest.approx(expected, rel=1e-6)
    with pytest.raises(HandbookError, match="the text holds characters that the model has never seen: '1'"):
        char_transformer.evaluate(model, char_transformer.split(Text(WORDS.replace("e", "1") * 12, "c"), model.params))


def test_the_attention_that_is_drawn_is_the_one_that_the_blocks_use() -> None:
    model = untrained()
    text = drawn(model, 2, 16)
    found = attention.weights(model, text)
    assert found.shape == (2, 2, 3, 16, 16)
    torch.testing.assert_close(found.sum(dim=-1), torch.ones(2, 2, 3, 16))
    assert float(found.triu(1).abs().max()) == 0
    found = found.clone()  # what inference made cannot be computed on with gradients
    block, x = model.blocks[0], model.stream(text)
    _, _, value = block.projected(x)
    x = x + block.gather((found[0] @ value).transpose(1, 2).flatten(2))
    x = x + block.narrow(nn.functional.gelu(block.widen(block.before_mlp(x))))
    torch.testing.assert_close(x, block(model.stream(text)), atol=1e-5, rtol=1e-4)


def test_the_title_says_how_far_back_the_heads_look() -> None:
    weight = np.zeros((2, 16))
    weight[0, 0], weight[1, 12] = 1, 1
    assert attention.finding(weight).startswith("Heads look 0.0 to 12.0 characters back on average; 1 of 2 give")
    heads = torch.zeros(1, 1, 1, 4, 4)
    heads[..., -1, 1] = 1  # the second of four places: two back from the last
    assert attention.by_distance(heads).tolist() == [[0, 0, 1, 0]]

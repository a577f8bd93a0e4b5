"""Laws of judging what writes: the mixture is chosen without the test part, and stands beside the network."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handbook.data import texts
from handbook.data.texts import Codes, Passage, Request, Text
from handbook.evaluation import language
from handbook.evaluation.n_grams import Floats
from handbook.evaluation.report import Report

PLAY = "the raven doth wake the king, and the king doth wake the raven; the mill is silent. "
SPLIT = texts.parts(Text(PLAY * 30, "play"), lower_case=False, held_out=0.1, validation=0.1, window=8)


def noisy(codes: Codes, before: Codes) -> Floats:
    """Bits (N,) of one that knows nothing of a text but how long it is, better at some places than at others."""
    return np.random.default_rng(len(codes)).gamma(2.0, 1.0, len(codes)) + 0.1


def echo(requests: Sequence[Request]) -> list[str]:
    return [each.prompt + each.prompt[0] * each.length for each in requests]


def judged(**changes: Passage | None) -> Report:
    split = dataclasses.replace(SPLIT, **changes)
    return language.judge(noisy, split, echo, rng=np.random.default_rng(0), length=20, prompts=2)


def test_a_mixture_stands_beside_the_network_and_leaves_its_own_figure_alone() -> None:
    both, alone = judged(), judged(valid=None)
    assert "bits_per_character_mixed" not in alone.metrics | alone.interval
    assert both.metrics["bits_per_character"] == alone.metrics["bits_per_character"]
    assert both.interval["bits_per_character"] == alone.interval["bits_per_character"]
    low, high = both.interval["bits_per_character_mixed"]
    assert low < both.metrics["bits_per_character_mixed"] < high
    rows = both.metrics["algorithms"]
    assert rows["network and n-gram, mixed"]["bits_per_character"] == both.metrics["bits_per_character_mixed"]
    assert "chosen on the validation text" in both.finding
    assert "Mixed" not in alone.finding


def test_the_share_of_a_mixture_does_not_follow_the_test_part() -> None:
    other = Passage(SPLIT.test.codes[::-1].copy(), SPLIT.test.alphabet)
    first, second = judged(), judged(test=other)
    assert first.metrics["bits_per_character_mixed"] != second.metrics["bits_per_character_mixed"]
    assert first.metrics["share_of_network_in_mixture"] == second.metrics["share_of_network_in_mixture"]


def test_nats_are_bits_by_the_natural_logarithm() -> None:
    metrics = judged().metrics
    assert metrics["nats_per_character"] == pytest.approx(metrics["bits_per_character"] * np.log(2), rel=1e-12)


def test_answers_are_a_text_a_prompt_and_none_for_none() -> None:
    table = pd.DataFrame({"prompt": ["ab", "c"], "length": [2.0, 3.0]})
    assert language.answers(echo, table)["text"].tolist() == ["abaa", "cccc"]
    assert language.answers(echo, [])["text"].tolist() == []


def test_the_curves_say_in_bits_how_training_ended() -> None:
    nats = float(np.log(2))
    rows = [{"epoch": 1.0, "train_loss": 3.0}, {"epoch": 2.0, "train_loss": 2 * nats, "valid_loss": 3 * nats}]
    title = language.curves(rows)["learning_curves"].get_suptitle()
    assert title == "Bits a character at the end: 2.00 in training, 3.00 held out"


@given(st.text("abc", min_size=1, max_size=30), st.text("abc", min_size=1, max_size=30))
def test_the_longest_copy_is_the_longest_common_run(text: str, source: str) -> None:
    start, length = language.longest_copy(texts.encode(text, "abc"), language.Runs(texts.encode(source, "abc")))
    runs = [text[i:j] for i in range(len(text)) for j in range(i + 1, len(text) + 1) if text[i:j] in source]
    assert length == max(map(len, runs), default=0)
    assert text[start : start + length] in source


def test_words_are_counted_with_their_apostrophes_and_without_the_cut_off_ends() -> None:
    assert language.words("Look'd upon't. 'Tis; all") == ["look'd", "upon't", "tis", "all"]
    assert language.share_of_words("ing the xyzzy king th", {"the", "king"}) == pytest.approx(2 / 3)


def test_the_place_in_a_word_is_counted_from_its_first_letter() -> None:
    alphabet = "".join(sorted(set("o, the 'tis")))
    numbers = texts.encode("o, the 'tis", alphabet)
    assert language.places_in_words(numbers, alphabet).tolist() == [0, -1, -1, 0, 1, 2, -1, 0, 1, 2, 3]

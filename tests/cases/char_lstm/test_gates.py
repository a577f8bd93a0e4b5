"""The gates that are drawn are those of torch's cells."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from handbook.cases import char_lstm
from handbook.cases.char_lstm import gates
from handbook.data import texts
from handbook.data.texts import Text
from handbook.evaluation.language import places_in_words
from handbook.project import Project
from tests.conftest import ROOT

WORDS = "the weary raven doth haunt the mill, and the silent mill doth answer the raven.\n" * 20


def untrained(name: str = "char_lstm", **changes: Any) -> char_lstm.Model:
    torch.manual_seed(0)
    few = {"hidden_size": 24, "embedding": 8} | changes
    params = dataclasses.replace(Project(ROOT).case(name).params, **few)
    return char_lstm.Model(params, "".join(sorted(set(WORDS)))).eval()


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("embedding", [0, 8])
def test_gates_from_the_weights_give_the_hidden_states_of_torch(cell: str, layers: int, embedding: int) -> None:
    model = untrained(cell=cell, layers=layers, embedding=embedding)
    codes = texts.encode(WORDS[:200], model.alphabet)
    found = gates.read(model.layers[-1], gates.signal(model, codes))
    logits, memory = model(torch.from_numpy(codes)[None])
    by_head = found["hidden state"] @ model.head.weight.detach().numpy().T + model.head.bias.detach().numpy()
    assert_allclose(by_head, logits[0].detach().numpy(), atol=1e-5)
    last = memory[-1] if cell == "gru" else memory[-1][0]
    assert_allclose(found["hidden state"][-1], last[0, 0].detach().numpy(), atol=1e-5)
    if cell == "lstm":
        assert_allclose(found["cell state"][-1], memory[-1][1][0, 0].detach().numpy(), atol=1e-5)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_gates_are_shares_and_a_state_is_what_they_let_through(cell: str) -> None:
    model = untrained(cell=cell)
    found = gates.read(model.layers[0], 20 * gates.signal(model, texts.encode(WORDS[:50], model.alphabet)))
    assert all(values.min() >= 0 and values.max() <= 1 for name, values in found.items() if name.endswith("gate"))
    kept, state = found[gates.KEEPS[cell]][1:], found.get("cell state", found["hidden state"])
    let_in = found["input gate"] if cell == "lstm" else 1 - found["update gate"]
    assert_allclose(state[1:], kept * state[:-1] + (let_in * found["candidate"])[1:], atol=1e-12)


def test_the_unit_that_counts_the_places_of_a_word_is_found_first() -> None:
    codes = texts.encode(WORDS, untrained().alphabet)
    place = places_in_words(codes, untrained().alphabet)
    memory = np.random.default_rng(0).normal(size=(len(place), 9))
    memory[:, 4] -= 3 * place
    memory[:, 6] = 1.0  # one that never changes follows nothing
    order = gates.tracking(memory, place)
    assert order[0] == 4
    assert order[-1] == 6


def test_the_title_says_where_less_is_kept() -> None:
    place = np.array([-1, 0, 1, 2, -1, 0, 1])
    gate = np.where(place == -1, 0.25, 0.75)[:, None]
    assert "open to 0.25, inside them to 0.75:\nless is kept" in gates.finding(gate, place, "forget gate")
    assert "more is kept" in gates.finding(1 - gate, place, "forget gate")
    assert "as much is kept" in gates.finding(gate * 0 + 0.5, place, "forget gate")
    assert gates.finding(gate, np.zeros(7, int), "forget gate") == "The forget gate is open to 0.61 on average"


def test_a_cell_without_gates_has_none_to_draw() -> None:
    model = untrained(cell="rnn")
    split = char_lstm.split(Text(WORDS, "words"), model.params)
    assert gates.figures(model, split) == {}
    with pytest.raises(ValueError, match="expected an LSTM or a GRU, found RNN"):
        gates.read(model.layers[0], np.zeros((3, 8)))


@pytest.mark.parametrize("name", ["char_lstm", "char_gru", "char_lstm_book"])
def test_the_gates_are_drawn_with_a_row_for_each_and_a_mark_for_each_character(name: str) -> None:
    model = untrained(name, embedding=0 if name == "char_lstm_book" else 8)
    figure = gates.figures(model, char_lstm.split(Text(WORDS, "words"), model.params))["gates"]
    rows = [axis for axis in figure.axes if axis.get_ylabel() in ("input gate", "reset gate", "candidate")]
    assert len(rows) == 2
    assert len(figure.axes) == 2 * (4 if name == "char_gru" else 6)  # each with its scale
    assert len(figure.axes[len(figure.axes) // 2 - 1].get_xticks()) == (50 if name == "char_lstm_book" else gates.SHOWN)

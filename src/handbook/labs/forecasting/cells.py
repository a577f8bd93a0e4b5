"""LSTM and GRU by the equations of section 5.5, many networks side by side, each with weights of its own.

    LSTM  f, i, o = sigmoid(W x + U h + b),  g = tanh(W x + U h + b),  c' = f c + i g,  h' = o tanh(c')
    GRU   r, z = sigmoid(W x + U h + b),  n = tanh(W x + b + r (U h + b')),  h' = (1 - z) n + z h

A network reads a series a value at a time and names the next value at each step, v h + d. What is summed and multiplied
is small, so that a step of thirty networks takes as long as one of three. Each equals torch's own layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor


class Weights(NamedTuple):
    """Of S networks of width H whose cell has G parts, from (S, 1, GH) and (S, H, GH) to (S, H, 1) and (S, 1, 1)."""

    inputs: Tensor
    recurrent: Tensor
    bias: Tensor
    recurrent_bias: Tensor
    outer: Tensor
    shift: Tensor


State = tuple[Tensor, ...]  # (S, B, H): hidden, and of the LSTM the cell's
# what comes from the input and from the hidden state, both (S, B, GH), and the state before; to the state and gates
Cell = Callable[[Tensor, Tensor, State], tuple[State, dict[str, Tensor]]]


def lstm(inputs: Tensor, recurrent: Tensor, before: State) -> tuple[State, dict[str, Tensor]]:
    i, f, g, o = (inputs + recurrent).chunk(4, dim=2)
    i, f, o, g = i.sigmoid(), f.sigmoid(), o.sigmoid(), g.tanh()
    c = f * before[1] + i * g
    h = o * c.tanh()
    gates = {"forget gate": f, "input gate": i, "candidate": g, "output gate": o, "cell state": c, "hidden state": h}
    return (h, c), gates


def gru(inputs: Tensor, recurrent: Tensor, before: State) -> tuple[State, dict[str, Tensor]]:
    (r, z, n), (ur, uz, un) = inputs.chunk(3, dim=2), recurrent.chunk(3, dim=2)
    r, z = (r + ur).sigmoid(), (z + uz).sigmoid()
    n = (n + r * un).tanh()
    h = n + z * (before[0] - n)
    return (h,), {"reset gate": r, "update gate": z, "candidate": n, "hidden state": h}


CELLS: dict[str, tuple[Cell, int, int]] = {"LSTM": (lstm, 4, 2), "GRU": (gru, 3, 1)}  # with parts, and states


def draw(cell: str, networks: int, width: int, seed: int) -> Weights:
    """Starts within one over the root of the width, as torch draws its layers; forget gates open (Gers et al. 2000)."""
    rng, parts = torch.Generator().manual_seed(seed), CELLS[cell][1] * width
    shapes = ((1, parts), (width, parts), (1, parts), (1, parts), (width, 1), (1, 1))
    w = Weights(*((2 * torch.rand(networks, *shape, generator=rng) - 1) / width**0.5 for shape in shapes))
    if cell == "LSTM":
        w.bias[:, :, width : 2 * width] += 1
    return w


def read(cell: str, w: Weights, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
    """Values (S, B, T) to what is named next at each step (S, B, T), and the state then."""
    hidden: list[Tensor] = []
    now = state
    for now, _ in steps(cell, w, x, state):
        hidden.append(now[0])
    if now is None:
        raise ValueError("nothing to read: expected values (S, B, T) with T of 1 or more")
    named = (torch.stack(hidden, dim=2) * w.outer[:, None, None, :, 0]).sum(dim=3) + w.shift
    return named, now


def steps(cell: str, w: Weights, x: Tensor, state: State | None = None) -> Iterator[tuple[State, dict[str, Tensor]]]:
    """The state after each value (S, B, T), and the gates (S, B, H) that made it."""
    step, _, states = CELLS[cell]
    if state is None:
        state = (x.new_zeros(*x.shape[:2], w.recurrent.shape[1]),) * states
    for value in x.unbind(dim=2):
        inputs = value[:, :, None] * w.inputs + w.bias
        state, gates = step(inputs, torch.baddbmm(w.recurrent_bias, state[0], w.recurrent), state)
        yield state, gates

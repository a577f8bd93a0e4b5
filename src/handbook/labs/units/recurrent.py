"""Units with memory: RNN, LSTM and GRU, forward and back through time (section 3.2.8).

    RNN   h' = tanh(W x + b + U h + c)                                   (Elman 1990)
    LSTM  i, f, g, o = W x + b + U h + c;  m' = s(f) m + s(i) tanh(g);  h' = s(o) tanh(m')   (Gers et al. 2000)
    GRU   r, z = s(W x + b + U h + c);  n = tanh(W x + b + r (U h + c));  h' = (1 - z) n + z h   (Cho et al. 2014)

Gates are stacked in the rows of W and U in torch's order, and GRU's r stands where torch has it, outside U h + c.
The book's LSTM has no U: what it has put out never comes back to its gates, which see the present input alone. And it
names the GRU without writing it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from handbook.labs.units.activations import Array, sigmoid, tanh

State = tuple[Array, ...]  # (h,) or, for the LSTM, (h, m), each (B, H)
Cache = tuple[Array, ...]  # what a step keeps for the backward pass


class Weights(NamedTuple):
    """Of G gates: W (G H, I) for the input, U (G H, H) for the state, their biases b and c (G H,)."""

    W: Array
    U: Array
    b: Array
    c: Array


class Cell(NamedTuple):
    """A unit with memory: its step, its step back, how many gates are stacked and how many states it carries."""

    step: Callable[[Array, State, Weights], tuple[State, Cache]]
    back: Callable[[State, Cache, Weights], tuple[Array, State, Weights]]
    gates: int
    states: int


def draw(cell: Cell, inputs: int, width: int, rng: np.random.Generator) -> Weights:
    """Weights and biases uniform within one over the root of the width, as torch draws them."""
    rows, bound = cell.gates * width, width**-0.5
    shapes = ((rows, inputs), (rows, width), (rows,), (rows,))
    return Weights(*(rng.uniform(-bound, bound, shape) for shape in shapes))


def forward(cell: Cell, x: Array, w: Weights, state: State | None = None) -> tuple[Array, State, list[Cache]]:
    """A sequence (T, B, I) -> the states h (T, B, H), the last state, and what the way back needs."""
    if x.ndim != 3 or x.shape[2] != w.W.shape[1]:
        raise ValueError(f"expected a sequence (T, B, {w.W.shape[1]}), found {x.shape}")
    if w.U.shape[0] != cell.gates * w.U.shape[1]:
        raise ValueError(f"{cell.gates} gates need U of ({cell.gates} H, H), found {w.U.shape}")
    state = state or (np.zeros((x.shape[1], w.U.shape[1])),) * cell.states
    h, tape = [], []
    for now in x:
        state, cache = cell.step(now, state, w)
        h.append(state[0])
        tape.append(cache)
    return np.stack(h), state, tape


def backward(cell: Cell, dh: Array, tape: list[Cache], w: Weights) -> tuple[Array, State, Weights]:
    """The errors of the sequence (T, B, I), of the first state and of the weights, from those of all h (T, B, H)."""
    d_state: State = (np.zeros_like(dh[0]),) * cell.states
    dw, dx = Weights(*(np.zeros_like(part) for part in w)), []
    for now, cache in zip(dh[::-1], tape[::-1], strict=True):
        d_now, d_state, d_step = cell.back((d_state[0] + now, *d_state[1:]), cache, w)
        dx.append(d_now)
        dw = Weights(*(total + part for total, part in zip(dw, d_step, strict=True)))
    return np.stack(dx[::-1]), d_state, dw


def rnn_step(x: Array, state: State, w: Weights) -> tuple[State, Cache]:
    """One step of Elman's unit."""
    (h,) = state
    new = tanh(x @ w.W.T + w.b + h @ w.U.T + w.c)
    return (new,), (x, h, new)


def rnn_back(d_state: State, cache: Cache, w: Weights) -> tuple[Array, State, Weights]:
    """One step back through it."""
    x, h, new = cache
    da = d_state[0] * (1 - new**2)
    dx, dh, dw = _through(da, da, x, h, w)
    return dx, (dh,), dw


def lstm_step(x: Array, state: State, w: Weights) -> tuple[State, Cache]:
    """One step of the LSTM; the memory m passes by addition, which is what keeps its error alive."""
    h, m = state
    i, f, g, o = np.split(x @ w.W.T + w.b + h @ w.U.T + w.c, 4, axis=1)  # each (B, H)
    i, f, g, o = sigmoid(i), sigmoid(f), tanh(g), sigmoid(o)
    new = f * m + i * g
    return (o * tanh(new), new), (x, h, m, i, f, g, o, tanh(new))


def lstm_back(d_state: State, cache: Cache, w: Weights) -> tuple[Array, State, Weights]:
    """One step back through it."""
    x, h, m, i, f, g, o, squashed = cache
    dh, dm = d_state
    dm = dm + dh * o * (1 - squashed**2)
    da = np.concatenate(
        (dm * g * i * (1 - i), dm * m * f * (1 - f), dm * i * (1 - g**2), dh * squashed * o * (1 - o)), axis=1
    )
    dx, dh, dw = _through(da, da, x, h, w)
    return dx, (dh, dm * f), dw


def gru_step(x: Array, state: State, w: Weights) -> tuple[State, Cache]:
    """One step of the GRU: z says how much of the old state stays."""
    (h,) = state
    r_x, z_x, n_x = np.split(x @ w.W.T + w.b, 3, axis=1)  # each (B, H)
    r_h, z_h, n_h = np.split(h @ w.U.T + w.c, 3, axis=1)
    r, z = sigmoid(r_x + r_h), sigmoid(z_x + z_h)
    n = tanh(n_x + r * n_h)
    return ((1 - z) * n + z * h,), (x, h, r, z, n, n_h)


def gru_back(d_state: State, cache: Cache, w: Weights) -> tuple[Array, State, Weights]:
    """One step back through it; r stands between the two maps, so their errors differ."""
    x, h, r, z, n, n_h = cache
    (dh,) = d_state
    dn = dh * (1 - z) * (1 - n**2)
    dz = dh * (h - n) * z * (1 - z)
    dr = dn * n_h * r * (1 - r)
    of_x, of_h = np.concatenate((dr, dz, dn), axis=1), np.concatenate((dr, dz, dn * r), axis=1)
    dx, d_before, dw = _through(of_x, of_h, x, h, w)
    return dx, (d_before + dh * z,), dw


def _through(of_x: Array, of_h: Array, x: Array, h: Array, w: Weights) -> tuple[Array, Array, Weights]:
    """Errors of x, h and the weights, from those of W x + b and of U h + c, each (B, G H)."""
    return of_x @ w.W, of_h @ w.U, Weights(of_x.T @ x, of_h.T @ h, of_x.sum(axis=0), of_h.sum(axis=0))


CELLS = {
    "RNN": Cell(rnn_step, rnn_back, gates=1, states=1),
    "LSTM": Cell(lstm_step, lstm_back, gates=4, states=2),
    "GRU": Cell(gru_step, gru_back, gates=3, states=1),
}

"""Units: what a neuron computes, and how its error flows back (sections 3.2 to 3.2.8).

Linear, sigmoid, tanh, ReLU, leaky ReLU and softmax; the dense layer and the convolution; RNN, LSTM and GRU. Each comes
forward and backward, from NumPy alone, and agrees with torch in value and in gradient to 1e-10. A backward pass is the
chain rule and nothing else: the error behind a unit, times the unit's slope, is the error in front of it.

    activations.py   a number in, a number out
    layers.py        dense, convolution
    recurrent.py     RNN, LSTM, GRU through time
    network.py       two layers trained by them
    exploding.py     errors that grow on their way back, and clipping (3.3.2.3)
    prelu.py         a leak that is learnt (3.3.2.3)
    averaging.py     the mean of the weights in place of the last (3.4)

Where the book is wrong: its sigmoid and softmax overflow for large inputs (here no exponent is ever positive), its LSTM
has no recurrent weights, so that h never comes back to the gates, and the GRU is named but not coded. The sizes are the
book's: linear with w 2 and b 1, leaky ReLU with 0.01, dense 10 to 5, convolution of 8 kernels 3 x 3 on 10 x 10, LSTM 10
to 5 over 10 steps.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from handbook.labs.units import drawings, later_drawings, layers, network, recurrent
from handbook.labs.units.activations import UNITS, leaky_relu, linear, log_softmax, sigmoid, softmax


def figures() -> dict[str, Figure]:
    """The units drawn, in the order of the chapter."""
    return {
        "1_curves_and_slopes": drawings.curves(),
        "2_large_inputs": drawings.overflow(),
        "3_memory": drawings.memory(),
        "4_recurrent_weights": drawings.deaf_gates(),
        "5_two_layers": drawings.parted(),
        "6_exploding": later_drawings.exploded(),
        "7_learnt_leak": later_drawings.leaks(),
        "8_averaged_weights": later_drawings.averaged(),
    }


def checks() -> dict[str, float | bool]:
    """The chapter's measured facts."""
    far = np.array([-1000.0, 1000.0])
    net, losses, x, labels = drawings.trained()
    return {
        "linear at 3 (w 2, b 1)": float(linear(np.array(3.0))),
        "sigmoid at 0": float(sigmoid(np.array(0.0))),
        "leaky ReLU at -5": float(leaky_relu(np.array(-5.0))),
        "units and slopes finite at +-1000": all(
            bool(np.isfinite(part(far)).all()) for unit in UNITS.values() for part in unit
        ),
        "softmax of (-1000, 1000) sums to": float(softmax(far).sum()),
        "log softmax of (-1000, 1000), first": float(log_softmax(far)[0]),
        "the book's softmax of (-1000, 1000) is nan": bool(np.isnan(drawings.plain_softmax(far)).any()),
        **_shapes(),
        **_memory(),
        "spirals: loss before (nats)": round(losses[0], 4),
        "spirals: loss after 2000 steps (nats)": round(losses[-1], 4),
        "spirals: accuracy": network.accuracy(net, x, labels),
        **later_drawings.facts(),
    }


def _shapes() -> dict[str, float | bool]:
    """The book's sizes, and that the way back agrees with the slope measured by small steps."""
    rng = np.random.default_rng(0)
    pictures, K = rng.normal(size=(1, 1, 10, 10)), rng.normal(size=(8, 1, 3, 3))
    maps = layers.convolution(pictures, K, np.zeros(8))
    facts: dict[str, float | bool] = {
        "dense 10 to 5: outputs": layers.dense(np.ones((1, 10)), np.ones((5, 10)), np.zeros(5)).shape[1],
        "convolution 3 x 3 on 10 x 10: maps": maps.shape[1],
        "convolution 3 x 3 on 10 x 10: side of a map": maps.shape[2],
    }
    for name, cell in recurrent.CELLS.items():
        facts[f"{name}: backward agrees with small steps"] = _agrees(cell)
    return facts


def _agrees(cell: recurrent.Cell, step: float = 1e-6) -> bool:
    """Whether moving U along its error, 10 steps of 10 -> 5, moves the sum of all h as the way back says."""
    rng = np.random.default_rng(0)
    w, x = recurrent.draw(cell, 10, 5, rng), rng.normal(size=(10, 1, 10))
    h, _, tape = recurrent.forward(cell, x, w)
    dU = recurrent.backward(cell, np.ones_like(h), tape, w)[2].U
    above, below = (recurrent.forward(cell, x, w._replace(U=w.U + sign * dU))[0].sum() for sign in (step, -step))
    return bool(np.isclose((above - below) / (2 * step), (dU**2).sum(), rtol=1e-6))


def _memory() -> dict[str, float | bool]:
    """What is left, 49 steps back, of an error; and what the book's LSTM hears of its first input at the tenth step."""
    facts: dict[str, float | bool] = {
        f"{name}: share of an error left 49 steps back": float(f"{norm[0] / norm[-1]:.3g}")
        for name, norm in drawings.gradients_back_in_time().items()
    }
    facts["LSTM without recurrent weights: gates at step 10 hear step 1"] = bool(drawings.gate_response(False)[-1] > 0)
    facts["LSTM with recurrent weights: gates at step 10 hear step 1"] = bool(drawings.gate_response(True)[-1] > 0)
    return facts

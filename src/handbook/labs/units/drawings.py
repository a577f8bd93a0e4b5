"""What the units look like: curves and slopes, numbers too large for e to the x, memory, and three spirals parted."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from handbook.evaluation.figures import BLUE, GREY, INK, ORANGE, canvas
from handbook.labs.units import network, recurrent
from handbook.labs.units.activations import UNITS, Array, log_softmax, softmax

COLOURS = {"RNN": ORANGE, "GRU": "#2a8a57", "LSTM": BLUE, "LSTM, forget bias 2": INK}


def curves() -> Figure:
    """Each unit of section 3.2 on the book's range, -5 to 5, with its slope."""
    figure, axes = canvas(2, 3, size=(9.6, 5.4), sharex=True)
    x = np.linspace(-5, 5, 401)
    for place, (name, unit) in zip(axes.flat, UNITS.items(), strict=False):
        place.plot(x, unit.value(x), color=BLUE, label="value")
        place.plot(x, unit.slope(x), "--", color=ORANGE, label="slope")
        place.set_title(name, fontsize=10)
    shares = softmax(np.column_stack((x, np.zeros_like(x), -x)))  # (401, 3)
    for share, label, colour in zip(shares.T, ("x", "0", "-x"), (BLUE, GREY, ORANGE), strict=True):
        axes[1, 2].plot(x, share, color=colour, label=f"share of {label}")
    axes[1, 2].set_title("softmax of (x, 0, -x)", fontsize=10)
    for place in (axes[0, 0], axes[1, 2]):
        place.legend(frameon=False, fontsize=8)
    for place in axes.flat:
        place.grid(alpha=0.25)
        place.axvline(0, color=GREY, lw=0.6)
    figure.suptitle("Sigmoid and tanh lose their slope on both sides; ReLU and its leaky variants keep it on one")
    return figure


def plain_softmax(x: Array) -> Array:
    """Softmax as the book writes it, for comparison: overflows to nan above 709."""
    with np.errstate(over="ignore", invalid="ignore"):
        e = np.exp(x)
        return np.asarray(e / e.sum(axis=-1, keepdims=True))


def overflow() -> Figure:
    """log of the share of the smaller of two logits, by the plain form and by the stable one, up to a thousand."""
    figure, axes = canvas(size=(6.8, 4.2))
    x = np.linspace(0, 1000, 2001)
    logits = np.column_stack((x, np.zeros_like(x)))
    with np.errstate(divide="ignore"):
        plain = np.log(plain_softmax(logits)[:, 1])
    last = x[np.isfinite(plain)].max()
    axes.plot(x, log_softmax(logits)[:, 1], color=BLUE, lw=4, alpha=0.4, label="greatest logit moved to zero")
    axes.plot(x, plain, color=ORANGE, label="as the book writes it")
    axes.axvspan(last, 1000, color=ORANGE, alpha=0.1)
    axes.text(last + 10, -120, "e to the x is infinite:\nnan from here on", color=ORANGE, fontsize=9)
    axes.set(xlabel="logit x beside a logit of zero", ylabel="log share of the other (nats)")
    axes.set_title(f"The plain softmax ends at {last:.0f}; the stable one goes on")
    axes.legend(frameon=False, loc="lower left")
    axes.grid(alpha=0.25)
    return figure


@cache
def gradients_back_in_time(steps: int = 50, draws: int = 20) -> dict[str, Array]:
    """Mean norm of the error that the last output sends back to each input (T,), of fresh units of width 32."""
    found = {}
    for name in COLOURS:
        rng = np.random.default_rng(0)
        cell, norms = recurrent.CELLS[name.split(",")[0]], []
        for _ in range(draws):
            w = recurrent.draw(cell, 10, 32, rng)
            if "forget" in name:
                w.b[32:64] += 2.0  # a gate that starts open (Jozefowicz et al. 2015, section 2.2)
            h, _, tape = recurrent.forward(cell, rng.normal(size=(steps, 8, 10)), w)
            dh = np.zeros_like(h)
            dh[-1] = rng.normal(size=h[-1].shape)
            norms.append(np.linalg.norm(recurrent.backward(cell, dh, tape, w)[0], axis=2).mean(axis=1))
        found[name] = np.mean(norms, axis=0)
    return found


def memory() -> Figure:
    """How much of an error reaches the inputs before, by unit."""
    figure, axes = canvas(size=(6.8, 4.4))
    norms = gradients_back_in_time()
    for name, norm in norms.items():
        axes.semilogy(
            np.arange(len(norm)), norm[::-1] / norm[-1], "--" if name == "GRU" else "-", color=COLOURS[name], label=name
        )
    ratio = (norms["LSTM, forget bias 2"][0] / norms["LSTM, forget bias 2"][-1]) / (norms["RNN"][0] / norms["RNN"][-1])
    axes.set(xlabel="steps back from the last output", ylabel="error at the input, of that at the last step")
    power = int(np.floor(np.log10(ratio)))
    axes.set_title(f"49 steps back, an open forget gate keeps $10^{{{power}}}$ times the error of an RNN")
    axes.legend(frameon=False)
    axes.grid(alpha=0.25)
    return figure


def gate_response(recurrent_weights: bool, steps: int = 10) -> Array:
    """How far the forget gates (T,) of an LSTM 10 -> 5 move when the first input alone is changed."""
    rng = np.random.default_rng(0)
    cell = recurrent.CELLS["LSTM"]
    w = recurrent.draw(cell, 10, 5, rng)
    if not recurrent_weights:
        w = w._replace(U=np.zeros_like(w.U))
    x = rng.normal(size=(steps, 1, 10))
    other = np.concatenate((-x[:1], x[1:]))
    gates = [np.stack([cache[4] for cache in recurrent.forward(cell, each, w)[2]]) for each in (x, other)]
    return np.asarray(np.linalg.norm(gates[0] - gates[1], axis=(1, 2)))


def deaf_gates() -> Figure:
    """The book's LSTM beside the complete one, over its ten steps."""
    figure, axes = canvas(size=(6.8, 4.2))
    steps = np.arange(1, 11)
    axes.plot(steps, gate_response(True), "o-", color=BLUE, label="with recurrent weights")
    axes.plot(steps, gate_response(False), "s-", color=ORANGE, label="without, as in the book")
    axes.set_yscale("symlog", linthresh=1e-6)
    axes.set(xlabel="step", ylabel="change of the forget gates", xticks=steps, ylim=(-2e-7, 10))
    axes.set_title("Without recurrent weights no gate hears of the first input again")
    axes.legend(frameon=False)
    axes.grid(alpha=0.25)
    return figure


@cache
def trained(steps: int = 2000, width: int = 64) -> tuple[network.Network, list[float], Array, network.Labels]:
    """The two-layer network on its spirals: the network, its losses, the points and their arms."""
    rng = np.random.default_rng(0)
    x, labels = network.spirals(100, rng)
    return *network.train(network.start(width, rng), x, labels, steps, rate=1.0), x, labels


def parted() -> Figure:
    """What the two layers have learned, and how the loss fell."""
    net, losses, x, labels = trained()
    figure, (plane, curve) = canvas(1, 2, size=(9.2, 4.3))
    side = np.linspace(-1.25, 1.25, 250)
    grid: Any = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    colours = np.array([[31, 111, 178], [217, 115, 26], [42, 138, 87]]) / 255
    shares = softmax(network.logits(net, grid)) @ colours
    plane.imshow(shares.reshape(250, 250, 3), extent=(-1.25, 1.25, -1.25, 1.25), origin="lower", alpha=0.35)
    plane.scatter(*x.T, c=colours[labels], s=9)
    plane.set(xlabel="x₁", ylabel="x₂")
    curve.semilogy(losses, color=BLUE)
    curve.set(xlabel="step of gradient descent", ylabel="cross-entropy (nats)")
    curve.grid(alpha=0.25)
    figure.suptitle(f"Two layers of these units part the spirals: {network.accuracy(net, x, labels):.1%} of the points")
    return figure

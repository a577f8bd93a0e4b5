"""The lab's pictures: results in, a Figure out, the finding as its title."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from handbook.evaluation import figures as draw
from handbook.evaluation.figures import BLUE, GREY, INK, ORANGE, canvas
from handbook.evaluation.figures.style import plain_axes
from handbook.evaluation.metrics import mean_interval
from handbook.labs.early_networks import boltzmann, perceptron
from handbook.labs.early_networks.digits import Digits

Array = npt.NDArray[Any]
CHAINS, STEPS = 12, (0, 1, 10, 100, 1000)  # of Gibbs sampling


def mistakes(pairs: list[perceptron.Pair]) -> Figure:
    """For each two digits, the mistakes that were made and the bound on them."""
    figure, axes = canvas(size=(7.2, 4.6))
    bounds, counts = np.array([p.bound for p in pairs]), np.array([p.mistakes for p in pairs])
    axes.plot(bounds, counts, "o", color=BLUE, label="two digits")
    ends = np.array([min(bounds.min(), counts.min()) * 0.7, bounds.max() * 1.4])
    axes.plot(ends, ends, "--", color=GREY, label="as many mistakes as the bound allows")
    for pair in (pairs[int(counts.argmin())], pairs[int(counts.argmax())]):
        axes.annotate(pair.name, (pair.bound, pair.mistakes), xytext=(6, -3), textcoords="offset points", fontsize=9)
    axes.set(xscale="log", yscale="log", xlabel="(R / margin)², the bound on its mistakes",
             ylabel="mistakes until there are none")  # fmt: skip
    axes.legend(frameon=False)
    plain_axes(axes)
    share = counts / bounds
    figure.suptitle(
        f"A plane parts {len(pairs)} of {perceptron.PAIRS} pairs of digits; the perceptron finds one after "
        f"{counts.min()} to {counts.max():,} mistakes,\nat most {share.max():.1%} of what the theorem allows"
    )
    return figure


def xor() -> Figure:
    """The plane of XOR with the lines that the perceptron draws in a round; and the same with the product."""
    figure, (turning, errors) = canvas(1, 2, size=(9.4, 4.2))
    x, y = perceptron.XOR
    start, length = perceptron.cycle(x, y)
    w, lines = np.zeros(3), []
    for done in range(start + length):
        for row, label in zip(x, y, strict=True):
            if label * (row @ w) <= 0:
                w = w + label * row
                if done >= start:
                    lines.append(w)
    for w in np.unique(lines, axis=0):
        _line(turning, w)
    for kind, mark, colour in ((1, "o", ORANGE), (-1, "s", BLUE)):
        own = x[y == kind]
        turning.plot(own[:, 1], own[:, 2], mark, ms=12, color=colour, label=f"XOR is {int(kind > 0)}")
    turning.set(xlim=(-0.6, 1.6), ylim=(-0.6, 1.6), xlabel="first input", ylabel="second input", aspect="equal",
                title="the lines of a round")  # fmt: skip
    turning.legend(loc="center")
    passes, ends = 30, perceptron.learn(perceptron.with_product(x), y).mistakes
    for name, rows, colour, mark in (("two inputs", x, BLUE, "o"),
                                     ("and their product", perceptron.with_product(x), ORANGE, "s")):  # fmt: skip
        counts = [perceptron.learn(rows, y, done).mistakes for done in range(passes + 1)]
        errors.plot(range(1, passes + 1), np.diff(counts), mark + "-", ms=4, color=colour, label=name)
    errors.set(xlabel="pass over the four rows", ylabel="mistakes in the pass")
    errors.legend(frameon=False)
    plain_axes(errors)
    figure.suptitle(
        f"On XOR the weights are back after every {'pass' if length == 1 else f'{length} passes'}: the perceptron goes "
        f"round for ever.\nWith the product of the inputs a plane parts the rows, and it ends after {ends} mistakes"
    )
    return figure


def _line(axes: Axes, w: Array) -> None:
    """Where w0 + w1 x + w2 y = 0, if there is such a line."""
    ends = np.array([-1.0, 2.0])
    if w[2]:
        axes.plot(ends, -(w[0] + w[1] * ends) / w[2], color=GREY, lw=1.2)
    elif w[1]:
        axes.axvline(-w[0] / w[1], color=GREY, lw=1.2)


def likelihoods(runs: dict[str, Array]) -> Figure:
    """How likely bars and stripes become, by where the model's expectations come from."""
    figure, axes = canvas(size=(8.0, 4.4))
    steps = np.arange(len(next(iter(runs.values()))[0])) * boltzmann.EVERY
    names = {"gradient": "the gradient, by a sum over all states", "CD-1": "contrastive divergence, one step",
             "PCD": "the same, persistent"}  # fmt: skip
    ends = {}
    for (name, paths), colour in zip(runs.items(), (INK, BLUE, ORANGE), strict=True):
        axes.plot(steps, paths.mean(axis=0), color=colour, label=names[name])
        axes.fill_between(steps, paths.min(axis=0), paths.max(axis=0), color=colour, alpha=0.2)
        ends[name] = mean_interval(paths[:, -1])
    axes.axhline(boltzmann.best_likelihood(), ls="--", color=GREY, label="the best there is")
    axes.set(xlabel="step", ylabel="mean log-likelihood (nats)", ylim=(-6.5, -2.3))
    axes.legend(frameon=False, loc="lower right")
    plain_axes(axes)
    figure.suptitle(
        f"After {steps[-1]:,} steps bars and stripes have {ends['gradient'][0]:.2f} nats by the gradient,\n"
        f"{ends['CD-1'][0]:.2f} by contrastive divergence, {ends['PCD'][0]:.2f} if it is persistent "
        f"(± {(ends['PCD'][2] - ends['PCD'][1]) / 2:.2f}; shaded: the range of {len(runs['PCD'])} seeds)"
    )
    return figure


def receptive(machine: boltzmann.Machine) -> Figure:
    """The weights of each hidden coin, as pictures."""
    strength = np.abs(machine.W)
    order = np.argsort(-strength.sum(axis=0))
    kernels = machine.W.T[order[:40]].reshape(-1, 28, 28)
    half = np.median([np.sort(each)[::-1].cumsum().searchsorted(each.sum() / 2) + 1 for each in strength.T])
    return draw.filters(
        kernels, f"What 40 of {machine.W.shape[1]} hidden coins look for: half of a coin's weight lies on "
        f"{half / len(machine.W):.0%} of the pixels", columns=10,
    )  # fmt: skip


def fantasies(digits: Digits, machine: boltzmann.Machine) -> Figure:
    """What becomes of new digits on their way through Gibbs sampling."""
    v = boltzmann.binary(digits.arrays()[2][:CHAINS])
    rng, rows, at = np.random.default_rng(0), [], 0
    for step in STEPS:
        v, at = machine.gibbs(v, step - at, rng), step
        rows.append(machine.visible(machine.hidden(v)) if step else v)
    changed = np.abs((rows[-1] >= 0.5).astype(float) - rows[0]).mean()
    return draw.mosaic(
        (255 * np.stack(rows)).round().astype(np.uint8).reshape(len(STEPS), CHAINS, 28, 28),
        f"New digits, and what the machine makes of them: {STEPS[-1]:,} steps on, {changed:.0%} of the pixels differ",
        ["new digits", *(f"after {step:,}" for step in STEPS[1:])],
    )


def few_labels(found: dict[int, tuple[Array, Array]]) -> Figure:
    """Accuracy with few labels on pixels and on the machine's features, and the difference."""
    figure, (scores, gains) = canvas(1, 2, size=(9.4, 3.9))
    places = np.arange(len(found))
    for index, (name, colour, mark) in enumerate((("pixels", BLUE, "o"), ("the machine's features", ORANGE, "s"))):
        means, low, high = np.array([mean_interval(each[index]) for each in found.values()]).T * 100
        scores.errorbar(places, means, [means - low, high - means], fmt=mark + "-", color=colour, capsize=3,
                        label=f"logistic regression on {name}")  # fmt: skip
    gain = 100 * np.array([mean_interval(features - pixels) for pixels, features in found.values()])
    gains.axhline(0, ls="--", color=GREY)
    gains.errorbar(places, gain[:, 0], [gain[:, 0] - gain[:, 1], gain[:, 2] - gain[:, 0]], fmt="s", color=ORANGE,
                   capsize=3)  # fmt: skip
    scores.set(ylabel="accuracy on new digits (%)")
    gains.set(ylabel="features less pixels (points)")
    for axes in (scores, gains):
        axes.set_xticks(places, [f"{n:,}" for n in found])
        axes.set(xlabel="labels")
        plain_axes(axes)
    scores.legend(frameon=False, loc="lower right")
    figure.suptitle(
        "Features that were learnt without labels change accuracy by\n"
        + ", ".join(f"{each[0]:+.1f} ({each[1]:+.1f} to {each[2]:+.1f})" for each in gain)
        + " points\nwith " + ", ".join(f"{n:,}" for n in found) + " labels"
    )  # fmt: skip
    return figure

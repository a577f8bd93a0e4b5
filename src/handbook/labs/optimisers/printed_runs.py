"""The runs behind figures 3.22 to 3.26, as their listings have them (sections 3.7 to 3.11).

    figure   listing     from                       rate   steps   draws
    3.22     momentum    5                          0.1    20      every point on x²
    3.23     Nesterov    5                          0.1    10      every point on x², with two gradients a step
    3.24     AdaGrad     1                          0.1    100     a loss a step, but in a line behind the return
    3.25     RMSprop     1                          0.1    100     a loss a step
    3.26     Adam        w and b, drawn unseeded    0.1    100     200 losses of y = wx + b against y = 2x on 1 to 5

What can be said of them without the pictures. A momentum of 0.9 swings: the twentieth point is higher than where plain
descent is after five. RMSprop divides by the size of what is left: for forty steps that takes it to within 1e-18 of the
minimum, then the memory of larger gradients has faded, and the steps grow until they throw it out again; in the end it
hops from side to side, half the rate away. Adam is given one gradient, drawn at random, for ever. Then its two moments
cancel, and each parameter moves by the rate in a direction that has nothing to do with the loss: by 10 in 100 steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from matplotlib.figure import Figure

from handbook.evaluation.figures import BLUE, GREY, INK, ORANGE, canvas
from handbook.evaluation.figures.style import plain_axes
from handbook.labs.optimisers import rules
from handbook.labs.optimisers.rules import Vector

RATE = 0.1
X, Y = np.arange(1.0, 6.0), 2 * np.arange(1.0, 6.0)  # the points of the example of Adam
STARTS = 2000  # of that example, which sets no seed


def slope(x: Vector) -> Vector:
    """Of x²."""
    return 2 * x


@dataclass(frozen=True)
class Run:
    """Where a listing went: its points (steps + 1,), the first of which is the start."""

    name: str
    points: Vector

    @property
    def losses(self) -> Vector:
        """x² after every step (steps,)."""
        return np.asarray(self.points[1:] ** 2)

    @property
    def crossings(self) -> int:
        """How often it goes from one side of the minimum to the other."""
        side = np.sign(self.points)
        return int((side[1:] * side[:-1] < 0).sum())


@cache
def on_the_parabola() -> dict[str, Run]:
    """The four that minimise x², by the number of their figure."""
    five, one = np.array([5.0]), np.array([1.0])
    paths = {
        "3.22": ("momentum", rules.walk(rules.Momentum(RATE), slope, five, 20)),
        "3.23": ("Nesterov, as listed", rules.two_gradients(slope, five, RATE, 0.9, 10)),
        "3.24": ("AdaGrad", rules.walk(rules.AdaGrad(RATE, eps=1e-8), slope, one, 100)),
        "3.25": ("RMSprop", rules.walk(rules.RMSprop(RATE), slope, one, 100)),
    }
    return {figure: Run(name, path[:, 0]) for figure, (name, path) in paths.items()}


def fit_loss(w: Vector, b: Vector) -> Vector:
    """Mean squared error of wx + b, for weights and constants of any one shape."""
    return np.asarray(((w[..., None] * X + b[..., None] - Y) ** 2).mean(axis=-1))


@cache
def adam_losses(starts: int = STARTS, steps: int = 100) -> Vector:
    """The listing's losses (starts, 2 steps + 1), before any step and after each of w and b in turn, over drawn starts.

    Since the gradient never changes, m̂/√v̂ is its sign: every step is the rate, and no moment needs to be kept.
    """
    rng = np.random.default_rng(0)
    w, b, to_w, to_b = rng.standard_normal((4, starts))
    losses = [fit_loss(w, b)]
    for _ in range(steps):
        w = w - RATE * np.sign(to_w)
        losses.append(fit_loss(w, b))
        b = b - RATE * np.sign(to_b)
        losses.append(fit_loss(w, b))
    return np.stack(losses, axis=1)


def thrown(run: Run) -> float:
    """How far a run gets from the minimum after it was nearest."""
    return float(np.sqrt(run.losses[run.losses.argmin() :].max()))


def facts() -> dict[str, float | bool]:
    """What the figures show, as numbers."""
    runs, adam = on_the_parabola(), adam_losses()
    descent = rules.walk(rules.Descent(RATE), slope, np.array([5.0]), 20)[:, 0]
    return {
        "figure 3.22: |x| of momentum after its 20 steps": float(abs(runs["3.22"].points[-1])),
        "figure 3.22: |x| of plain descent after as many": float(abs(descent[-1])),
        "figure 3.22: times that momentum crosses the minimum": runs["3.22"].crossings,
        "figure 3.23: x of the listed Nesterov after its 10 steps": float(runs["3.23"].points[-1]),
        "figure 3.24: loss of AdaGrad after 100 steps": float(runs["3.24"].losses[-1]),
        "figure 3.25: loss of RMSprop after 100 steps": float(runs["3.25"].losses[-1]),
        "figure 3.25: step at which RMSprop is nearest": int(runs["3.25"].losses.argmin()) + 1,
        "figure 3.25: its distance there": float(np.sqrt(runs["3.25"].losses.min())),
        "figure 3.25: its greatest distance after that": thrown(runs["3.25"]),
        "figure 3.26: losses drawn": adam.shape[1] - 1,
        "figure 3.26: share of starts that end worse than they began": float((adam[:, -1] > adam[:, 0]).mean()),
        "figure 3.26: median loss at the start": float(np.median(adam[:, 0])),
        "figure 3.26: median loss at the end": float(np.median(adam[:, -1])),
    }


def figure() -> Figure:
    """The five pictures side by side."""
    runs, adam = on_the_parabola(), adam_losses()
    drawn, ((momentum, nesterov), (losses, fitted)) = canvas(2, 2, size=(10.4, 7.2))
    for axes, number in ((momentum, "3.22"), (nesterov, "3.23")):
        run, at = runs[number], np.linspace(-6, 6, 200)
        axes.plot(at, at**2, color=GREY)
        axes.plot(run.points, run.points**2, "o-", ms=4, lw=0.8, color=ORANGE)
        axes.plot(run.points[-1], run.points[-1] ** 2, "*", ms=13, color=INK)
        axes.set(xlabel="x", ylabel="x²", title=f"{number}, {run.name}: ends at {run.points[-1]:.2f}")
    for number, colour in (("3.24", ORANGE), ("3.25", BLUE)):
        run = runs[number]
        losses.semilogy(np.arange(1, len(run.losses) + 1), run.losses, color=colour,
                        label=f"{number}, {run.name}: {run.losses[-1]:.2g}")  # fmt: skip
    losses.set(xlabel="step", ylabel="x²", title="3.24, if its losses were kept, and 3.25")
    losses.legend(frameon=False, fontsize=8)
    places = np.arange(adam.shape[1])
    fitted.fill_between(places, *np.percentile(adam, [10, 90], axis=0), color=BLUE, alpha=0.2, lw=0,
                        label="eight of ten starts")  # fmt: skip
    fitted.plot(places, np.median(adam, axis=0), color=BLUE, label="median")
    fitted.plot(places, adam[0], color=ORANGE, lw=1, label="one start")
    fitted.set(xlabel="recorded loss, two a step", ylabel="mean squared error", yscale="log")
    fitted.set_title(f"3.26, Adam, {STARTS:,} starts")
    fitted.legend(frameon=False, fontsize=8, loc="lower right")
    for axes in drawn.axes:
        plain_axes(axes)
    worse = float((adam[:, -1] > adam[:, 0]).mean())
    drawn.suptitle(
        f"Figures 3.22 to 3.26 as listed: momentum still swings, RMSprop is within "
        f"{np.sqrt(runs['3.25'].losses.min()):.0e}\nand then thrown out to {thrown(runs['3.25']):.2f}, "
        f"and {worse:.0%} of Adam's starts end worse than they began"
    )
    return drawn

"""Pictures of errors that explode, of leaks that are learnt, and of weights that are averaged; and their facts."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from handbook.evaluation.figures import BLUE, GREY, INK, ORANGE, canvas
from handbook.evaluation.metrics import mean_interval
from handbook.labs.units import averaging, exploding, prelu

QUIET = 1e-4  # deviation of inputs under which tanh is nearly a line


def facts() -> dict[str, float | bool]:
    """Measured here."""
    rng = np.random.default_rng(0)
    wild, clipped = exploding.descend(), exploding.descend(most=exploding.CLIP)
    learnt = np.array([each.a for each in prelu.compare()["PReLU"]])
    spread, centre = averaging.bowl()
    gained, low, high = averaging.gained()
    found: dict[str, float | bool] = {
        f"radius {r:g}: growth of an error over 50 linear steps": exploding.linear_factor(r, exploding.STEPS, rng)
        for r in (0.9, 1.0, 1.1)
    }
    for r in (0.9, 1.1):
        found[f"radius {r:g}: growth over 49 tanh steps"] = float(exploding.tanh_factors(r, QUIET)[-1])
    for other in ("ReLU", "leaky ReLU"):
        mean, least, most = prelu.gained(other)
        found |= {
            f"PReLU: loss below that of {other}": mean,
            f"PReLU: loss below that of {other}, from": least,
            f"PReLU: loss below that of {other}, to": most,
        }
    return found | {
        "cliff: weight after a plain step from the wall": float(wild[1]),
        "cliff: weight after 200 clipped steps": float(clipped[-1]),
        "PReLU: mean of the learnt leaks": float(learnt.mean()),
        "averaged weights: loss below that of theirs": gained,
        "averaged weights: loss below that of theirs, from": low,
        "averaged weights: loss below that of theirs, to": high,
        "bowl: mean squared distance of the points": spread,
        "bowl: squared distance of their mean": centre,
    }


def exploded() -> Figure:
    """Errors back in time by spectral radius, and descent at a cliff."""
    figure, (back, wall) = canvas(1, 2, size=(10.6, 4.2))
    colours = (GREY, BLUE, INK, ORANGE, "#b5482a")
    steps = np.arange(exploding.STEPS)
    for radius, colour in zip(exploding.RADII, colours, strict=True):
        back.semilogy(steps, exploding.tanh_factors(radius, QUIET), color=colour, label=f"radius {radius:g}")
        back.semilogy(steps, radius**steps, ":", color=colour)
    back.set(xlabel="steps back", ylabel="error, of that at the last step", title="tanh units (dotted: linear ones)")
    back.legend(frameon=False, fontsize=8)
    wild, clipped = exploding.descend(), exploding.descend(most=exploding.CLIP)
    at = np.linspace(0.7, 1.125, 400)
    wall.plot(at, [exploding.cliff(w)[0] for w in at], color=GREY)
    wall.plot(clipped, [exploding.cliff(w)[0] for w in clipped], "o-", ms=3, color=BLUE, label="clipped to 1")
    wall.plot(wild[0], exploding.cliff(wild[0])[0], "k*", ms=11)
    wall.annotate("", (0.72, exploding.cliff(wild[0])[0]), (wild[0], exploding.cliff(wild[0])[0]),
                  arrowprops={"arrowstyle": "->", "color": ORANGE})  # fmt: skip
    wall.text(0.73, exploding.cliff(wild[0])[0] * 1.15, f"plain: to w = {wild[1]:,.0f}", color=ORANGE, fontsize=9)
    wall.set(xlabel="recurrent weight w", ylabel="loss (w⁵⁰ − 1)² / 2", yscale="symlog", xlim=(0.7, 1.14),
             title="a cliff", ylim=(-0.05, 3e5))  # fmt: skip
    wall.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(0, 0.75))
    for axes in (back, wall):
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(
        f"Above radius 1 errors explode; one plain step from the cliff ends at w = {wild[1]:,.0f}, "
        f"clipped ones at {clipped[-1]:.3f}"
    )
    return figure


def leaks() -> Figure:
    """The spirals with a leak of none, a little, a learnt one, and all."""
    figure, (curves, ends) = canvas(1, 2, size=(10.6, 4.0), width_ratios=(1.4, 1))
    found, colours = prelu.compare(), dict(zip(prelu.LEAKS, (BLUE, "#2a8a57", ORANGE, GREY), strict=True))
    for place, (name, trained) in enumerate(found.items()):
        curves.semilogy(np.mean([each.losses for each in trained], axis=0), color=colours[name], label=name)
        mean, low, high = mean_interval(prelu.last_losses(name))
        ends.plot([low, high], [place, place], color=GREY, lw=2)
        ends.plot(mean, place, "o", color=colours[name])
    curves.set(xlabel="step", ylabel="cross-entropy (nats), mean of seeds")
    curves.legend(frameon=False, fontsize=8)
    ends.set_yticks(range(len(found)), [*found])
    ends.invert_yaxis()
    ends.set(xlabel=f"last loss, mean of {prelu.SEEDS} seeds with 95 %")
    for axes in (curves, ends):
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    mean, low, high = prelu.gained("ReLU")
    finding = "below" if low > 0 else "above" if high < 0 else "not distinguishable from"
    leak = float(np.mean([each.a for each in found["PReLU"]]))
    figure.suptitle(
        f"A learnt leak ends at {leak:.2f}, and with a loss {finding} that of ReLU ({mean:+.3f} nats gained)"
    )
    return figure


def averaged() -> Figure:
    """Loss on new points of the last weights and of the mean of all since half-time."""
    figure, axes = canvas(size=(7.0, 4.2))
    found = averaging.runs()
    steps = averaging.FROM + averaging.EVERY * (1 + np.arange(len(found[0].last)))
    for name, colour, values in (
        ("weights at that step", ORANGE, np.array([each.last for each in found])),
        ("mean of the weights up to it", BLUE, np.array([each.mean for each in found])),
    ):
        axes.plot(steps, values.T, color=colour, lw=0.6, alpha=0.4)
        axes.plot(steps, values.mean(axis=0), "o-", ms=4, color=colour, label=name)
    gained, low, high = averaging.gained()
    finding = "gains" if low > 0 else "gains no more than chance:"
    axes.set(xlabel="step", ylabel="cross-entropy on new points (nats)")
    axes.set_title(
        f"The mean of the weights {finding} {gained:.3f} nats ({low:.3f} to {high:.3f})\n"
        "over the weights that went into it",
        fontsize=10,
    )
    axes.legend(frameon=False, fontsize=8)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    return figure

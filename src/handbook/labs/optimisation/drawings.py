"""Pictures of the landscape, of depth and of convexity: one a function, its title the finding."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from handbook.evaluation.figures import BLUE, GREY, INK, ORANGE, canvas
from handbook.labs.optimisation import convexity, depth, landscape

DEPTHS = (1, 2, 4, 8, 16, 32, 64)


def risk() -> Figure:
    """The book's pair of curves, and what the distance between such curves costs on average."""
    figure, (pair, excess) = canvas(1, 2, size=(9.6, 3.9))
    c = np.linspace(-2, 6, 400)
    pair.plot(c, c**2, color=BLUE, label="the book's risk: x²")
    pair.plot(c, landscape.empirical_risk(c, landscape.BOOK_SAMPLE), color=ORANGE, label="empirical, on 1, 2, 3, 4, 5")
    pair.plot(0, 0, "o", color=BLUE)
    pair.plot(3, 2, "o", color=ORANGE)
    pair.annotate("lowest at their mean, 3,\nwhere their variance, 2, is left", (3, 2), (0.1, 17), fontsize=8,
                  arrowprops={"arrowstyle": "-", "color": GREY})  # fmt: skip
    pair.set(xlabel="prediction", ylabel="mean squared error", ylim=(-1, 26), title="Two distributions, two minima")
    pair.legend(frameon=False, loc="upper left", fontsize=8)
    n = np.array([2, 5, 10, 20, 50, 100, 200])
    measured = [landscape.excess_risk(int(size), 2000, np.random.default_rng(0)) for size in n]
    excess.loglog(n, 1 / n, "--", color=GREY, label="s²/n")
    excess.loglog(n, measured, "o", color=BLUE, label="measured, 2,000 samples each")
    excess.set(xlabel="size of the sample", ylabel="risk above the least", title="One distribution: the gap is s²/n")
    excess.legend(frameon=False)
    figure.suptitle("Empirical risk leads to the sample's mean, and there as fast as 1/n to the least risk")
    return figure


def minima() -> Figure:
    """x cos πx on the book's interval with its extrema marked."""
    low, high = landscape.BOOK_INTERVAL
    least, most = landscape.wave_extrema(low, high)
    figure, axes = canvas(size=(7.0, 4.2))
    x = np.linspace(low, high, 600)
    axes.axhline(0, color=GREY, lw=0.8)
    axes.plot(x, landscape.wave(x), color=BLUE)
    for places, colour, above in ((least, ORANGE, False), (most, INK, True)):
        for place in places:
            value = float(landscape.wave(place))
            axes.plot(place, value, "o", color=colour)
            axes.annotate(f"({place:.4f}, {value:.4f})", (place, value), (0, 9 if above else -16),
                          textcoords="offset points", ha="center", fontsize=9, color=colour)  # fmt: skip
    axes.set(xlabel="x", ylabel="x cos πx", ylim=(-1.4, 2.1),
             title=f"x cos πx has {len(least)} local minima in ({low:g}, {high:g}); only the right one is global"
             )  # fmt: skip
    axes.grid(alpha=0.25)
    return figure


def saddle() -> Figure:
    """Paths off the saddle of x² − y² with and without momentum."""
    start, rate = (1.0, 1e-6), 0.1
    runs = {beta: landscape.escape(start, rate, beta) for beta in (0.0, 0.9)}
    figure, (ground, distance) = canvas(1, 2, size=(9.6, 4.0))
    x, y = np.meshgrid(np.linspace(-1.2, 1.2, 120), np.linspace(-1.1, 1.1, 120))
    ground.contour(x, y, x**2 - y**2, levels=15, cmap="RdBu_r", linewidths=0.8)
    for (beta, run), colour, name in zip(runs.items(), (BLUE, ORANGE), ("plain descent", "momentum 0.9"), strict=True):
        ground.plot(*run.path[:-1].T, "o-", ms=2.5, lw=1, color=colour, label=name)
        distance.semilogy(
            np.abs(run.path[:, 1]), color=colour, label=f"{name}: × {landscape.growth(rate, beta):.2f} a step"
        )
    ground.set(xlabel="x", ylabel="y", title="from (1, 10⁻⁶), a hair off the ridge")
    ground.legend(frameon=True, fontsize=8, loc="lower left")
    distance.axhline(1, color=GREY, lw=0.8)
    distance.set(xlabel="step", ylabel="|y|", title="distance from the ridge")
    distance.legend(frameon=False, fontsize=8)
    distance.grid(alpha=0.25)
    figure.suptitle(
        f"Momentum leaves the saddle of x² − y² in {runs[0.9].steps} steps, plain descent in {runs[0.0].steps}"
    )
    return figure


def gradients() -> Figure:
    """Gradient norm against depth for each kind of net."""
    figure, axes = canvas(size=(7.4, 4.4))
    for net, colour, mark in zip(depth.NETS, (INK, GREY, BLUE, ORANGE), "osD^", strict=True):
        kept = [depth.survival(net, layers, np.random.default_rng(0)) for layers in DEPTHS]
        axes.loglog(DEPTHS, kept, mark + "-", ms=4, color=colour, label=f"{net.name} (g² = {net.gain:.2g})")
        vanished = f"$10^{{{np.log10(kept[-1]):.0f}}}$" if kept[-1] < 0.01 else f"{kept[-1]:.2f}"
        axes.annotate(
            vanished,
            (DEPTHS[-1], kept[-1]),
            (6, 3 if net.residual else -6),
            textcoords="offset points",
            fontsize=8,
            color=colour,
        )
    axes.set_xticks(DEPTHS, [str(layers) for layers in DEPTHS])
    axes.minorticks_off()
    axes.set(xlabel="layers", ylabel="‖gradient at the input‖ / ‖at the output‖", xlim=(0.9, 110),
             title="ReLU alone does not save the gradient: its start does, or a way around")  # fmt: skip
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize=8, loc="lower left")
    return figure


def properties() -> Figure:
    """Which property accepts which function."""
    figure, (chords, table) = canvas(1, 2, size=(11.0, 4.6), width_ratios=(1, 1.25))
    x = np.linspace(-2, 2, 300)
    for f, shift, colour, name in ((np.exp, 0.0, BLUE, "exp x"), (lambda x: x**3, 0.0, ORANGE, "x³")):
        chords.plot(x, f(x) + shift, color=colour, label=name)
        chords.plot([-1.8, 1.2], f(np.array([-1.8, 1.2])), "o--", color=colour, lw=1)
    chords.set(xlabel="x", ylim=(-8, 8), title="a chord of exp lies above it; one of x³ does not")
    chords.legend(frameon=False)
    chords.grid(alpha=0.25)
    rows = [(each, convexity.property_checks(each.f, each.interval, seed=0)) for each in convexity.FUNCTIONS]
    for i, (_, found) in enumerate(rows):
        for j, holds in enumerate(found.values()):
            table.text(j, i, "holds" if holds else "refused", ha="center", va="center", fontsize=8,
                       color=BLUE if holds else "white",
                       bbox={"boxstyle": "round", "fc": "#e4eff8" if holds else ORANGE, "lw": 0})  # fmt: skip
    table.set_xticks(range(len(convexity.PROPERTIES)), list(convexity.PROPERTIES), fontsize=9)
    table.set_yticks(range(len(rows)), [f"{each.name}{'' if each.convex else '  (not convex)'}" for each, _ in rows])
    table.set(xlim=(-0.6, len(convexity.PROPERTIES) - 0.4), ylim=(len(rows) - 0.5, -0.5))
    table.tick_params(length=0)
    table.spines[:].set_visible(False)
    figure.suptitle("Four properties tell convex from not; a minimum that is global is not enough")
    return figure

"""The lab's figures, each with what was found as its title."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from handbook.evaluation.figures import BLUE, GREY, INK, ORANGE, canvas
from handbook.evaluation.figures.style import plain_axes
from handbook.evaluation.metrics import mean_interval
from handbook.labs.forecasting import contest, networks
from handbook.labs.forecasting.series import PRICES, TEST, YEAR, Array

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GREEN, PURPLE = "#2e8b57", "#7d3c98"
COLOURS = {"LSTM": BLUE, "GRU": ORANGE}


def prices() -> Figure:
    """The book's five prices, and what comes next by whom."""
    found = contest.book()
    figure, (left, right) = canvas(1, 2, size=(9.6, 3.9), width_ratios=(1, 1.5), sharey=True)
    left.plot(range(1, 6), PRICES, "o-", color=INK)
    left.set(xlabel="day", ylabel="price", xticks=range(1, 7), xlim=(0.7, 6.3))
    every = np.concatenate(list(found.networks.values()))
    left.plot(np.full(len(every), 6), every, "_", ms=9, color=BLUE, alpha=0.35)
    rng = np.random.default_rng(0)
    for k, (name, values) in enumerate(found.networks.items()):
        right.plot(k + rng.uniform(-0.25, 0.25, len(values)), values, "o", ms=3.5, color=_colour(name), alpha=0.7)
    for (name, value), style in zip(found.rules.items(), ("-", "--", ":", "-."), strict=True):
        right.axhline(value, ls=style, lw=1.1, color=GREY if name == "mean" else INK, label=f"{name}: {value:.4g}")
    right.set_xticks(range(len(found.networks)), [each.replace(" on ", "\non ") for each in found.networks], fontsize=8)
    right.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    for axes in (left, right):
        plain_axes(axes)
    left_over = max(found.left.values())
    figure.suptitle(
        f"After the book's five prices {len(every)} networks, alike but for their seeds and what they are handed,\n"
        f"name {every.min():.0f} to {every.max():.0f} for the sixth day; the five they know to {left_over:.2g}"
    )
    return figure


def year_ahead() -> Figure:
    """One series with its last years, and what some methods made of the year before last."""
    found = contest.seasonal()
    figure, axes = canvas(size=(8.8, 4.2))
    t = np.arange(len(found.values))
    axes.plot(t[-6 * YEAR :], found.values[-6 * YEAR :], color=GREY, lw=3, alpha=0.7, label="the series")
    ahead = len(t) - TEST + np.arange(YEAR)
    best = {word: min((n for n in found.year if word in n), key=lambda n: found.year[n].mean()) for word in COLOURS}
    lines = {
        "same month last year": (GREEN, ":"), "exponential smoothing": (PURPLE, "--"),
        best["LSTM"]: (BLUE, "-"), best["GRU"]: (ORANGE, "-"), "LSTM on values": (INK, "-."),
    }  # fmt: skip
    for name, (colour, style) in lines.items():
        axes.plot(ahead, found.shown[name], style, color=colour, label=name)
    axes.axvline(len(t) - TEST - 0.5, color=INK, lw=0.8, ls="--")
    axes.set(xlabel="month", ylabel="value")
    axes.legend(frameon=False, fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))
    plain_axes(axes)
    values, change = (found.year[name].mean() for name in ("LSTM on values", best["LSTM"]))
    figure.suptitle(
        f"A year ahead at once: an LSTM that is handed the values errs by {values:.2f} (MASE),\n"
        f"{best['LSTM']} by {change:.2f}; means over {len(found.year['LSTM on values'])} series"
    )
    return figure


def seasonal() -> Figure:
    """Scaled errors on months with a season, with intervals."""
    found = contest.seasonal()
    return _ranked(found, f"Months with trend and season: {verdict(found)}")


def walks() -> Figure:
    """Scaled errors on prices that walk at random, with intervals."""
    found = contest.prices()
    return _ranked(found, f"Prices that walk at random: {verdict(found, 'last value')}")


def verdict(found: contest.Contest, other: str | None = None) -> str:
    """The best network a month ahead by the best of the classics, or by that one, in words, with the interval."""
    best = min((name for name in found.month if _is_network(name)), key=lambda name: found.month[name].mean())
    rest = other or min((n for n in found.month if not _is_network(n)), key=lambda n: found.month[n].mean())
    mean, low, high = (float(np.expm1(each)) for each in mean_interval(found.ratio(best, rest)))
    if low <= 0 <= high:
        return f"a month ahead {best}\nis no better and no worse than “{rest}” (its error {low:+.0%} to {high:+.0%})"
    return (
        f"the best network ({best})\nerrs {abs(mean):.0%} {'less' if mean < 0 else 'more'} than “{rest}” a month ahead "
        f"({low:+.0%} to {high:+.0%})"
    )


def _is_network(name: str) -> bool:
    return _colour(name) != INK


def _colour(name: str) -> str:
    """By the cell; ink for what is no network."""
    return COLOURS.get(name.split(maxsplit=1)[0], INK)


def _ranked(found: contest.Contest, title: str) -> Figure:
    figure, axes = canvas(1, 2, size=(9.8, 0.34 * len(found.month) + 1.6), sharey=True)
    order = sorted(found.month, key=lambda name: found.month[name].mean())
    for place, errors, ahead in zip(axes, (found.month, found.year), ("a month", "a year"), strict=True):
        for k, name in enumerate(order):
            mean, low, high = mean_interval(errors[name])
            colour = _colour(name)
            place.plot([low, high], [k, k], color=colour, lw=2, alpha=0.5)
            place.plot(mean, k, "s" if _is_network(name) else "o", color=colour)
        place.axvline(1, ls="--", color=GREY)
        place.set_yticks(range(len(order)), order)
        place.set(xlabel=f"MASE {ahead} ahead, and its 95 % interval")
        plain_axes(place)
    axes[0].invert_yaxis()
    figure.suptitle(title)
    return figure


def gates(shown: int = 60) -> Figure:
    """Figures 5.2 to 5.6 of the book on an LSTM that was trained: one unit, gate by gate, as it reads a series."""
    found = contest.seasonal()
    trained = found.trained["LSTM on values"]
    read = networks.gates(trained, np.repeat(found.values[None], len(trained.handed.centre), axis=0))
    unit = int(read["hidden state"][-shown:].std(axis=0).argmax())
    figure, axes = canvas(3, 2, size=(9.8, 6.4), sharex=True)
    t = np.arange(len(found.values))[-shown:]
    for place, (name, values) in zip(axes.T.flat, read.items(), strict=True):
        place.plot(t, values[-shown:], color=GREY, lw=0.7)
        place.plot(t, values[-shown:, unit], color=BLUE, lw=1.6)
        if name.endswith("gate"):
            place.set_ylim(-0.03, 1.03)
        place.set_title(f"{name}, mean {values[:, unit].mean():.2f}", fontsize=9)
        plain_axes(place)
    for place in axes[-1]:
        place.set_xlabel("month read")
    cell, forget = (read[name][-shown:, unit] for name in ("cell state", "forget gate"))
    figure.suptitle(
        f"A trained LSTM, gate by gate: the unit that moves most (blue) swings every {period(cell):.0f} months,\n"
        f"its forget gate between {forget.min():.2f} and {forget.max():.2f}"
    )
    return figure


def period(values: Array) -> float:
    """The period of the strongest wave of a series (T,), its line taken off, in steps."""
    t = np.arange(len(values))
    left = values - np.polyval(np.polyfit(t, values, 1), t)
    power = np.abs(np.fft.rfft(left)) ** 2
    return len(values) / (1 + int(power[1:].argmax()))

"""The lab's figures, each with what was found as its title."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from handbook.evaluation.figures import BLUE, GREY, INK, ORANGE, canvas
from handbook.evaluation.figures.style import plain_axes
from handbook.evaluation.metrics import mean_interval
from handbook.labs.rbf_networks import approximation, chaos, digits, rivals
from handbook.labs.rbf_networks.network import BOOK, Array, activations, kmeans, printed_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from handbook.labs.rbf_networks.digits import Digits

GREEN, PURPLE = "#2e8b57", "#7d3c98"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, INK)
MARKS = ("o", "s", "^", "D", "v")  # beside the colours, for who does not tell them apart
Interval = tuple[float, float, float]


def _band(axes: Axes, x: Array, values: Array, label: str, k: int) -> None:
    """Median over the first axis of (draws, N), and all draws as a band."""
    axes.fill_between(x, values.min(axis=0), values.max(axis=0), color=COLOURS[k], alpha=0.15, lw=0)
    axes.plot(x, np.median(values, axis=0), MARKS[k] + "-", ms=3, color=COLOURS[k], label=label)


def _ranked(axes: Axes, found: dict[str, Interval]) -> None:
    """Names with means and intervals, the first on top."""
    for k, (mean, low, high) in enumerate(found.values()):
        axes.plot([low, high], [k, k], color=GREY, lw=2)
        axes.plot(mean, k, "o", color=BLUE)
    axes.set_yticks(range(len(found)), list(found))
    axes.invert_yaxis()
    plain_axes(axes)


def units() -> Figure:
    """Figures 7.2 and 7.3 of the book: a unit over its distance, and units over a plane."""
    figure, (left, right) = canvas(1, 2, size=(9.4, 4.0))
    x = np.linspace(-4, 4, 321)[:, None]
    at_sigma = {}
    for k, (name, factor) in enumerate(BOOK.items()):
        left.plot(x[:, 0], activations(x, np.zeros((1, 1)), factor)[:, 0], color=COLOURS[k], label=f"divided by {name}")
        at_sigma[name] = float(activations(np.ones((1, 1)), np.zeros((1, 1)), factor)[0, 0])
    left.axvline(1, ls="--", lw=1, color=GREY)
    left.set(xlabel="distance from the centre, in σ", ylabel="activation", ylim=(-0.03, 1.25))
    left.legend(frameon=False, fontsize=7.5, loc="upper center", ncols=3, columnspacing=1)
    plain_axes(left)
    rng = np.random.default_rng(3)
    rows = np.concatenate([rng.normal(place, 0.35, (60, 2)) for place in ((0, 0), (2.2, 0.6), (0.8, 2.2))])
    centres = kmeans(rows, 3, rng)
    width = printed_width(centres)
    side = np.linspace(-1.6, 3.8, 109)
    plane = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    most = activations(plane, centres, width).max(axis=1).reshape(len(side), -1)
    shown = right.contourf(side, side, most, levels=np.linspace(0, 1, 11), cmap="Blues")
    right.plot(*rows.T, ".", ms=3, color=INK)
    right.plot(*centres.T, "x", ms=9, mew=2.5, color=ORANGE)
    angle = np.linspace(0, 2 * np.pi, 100)
    for centre in centres:
        right.plot(centre[0] + width * np.cos(angle), centre[1] + width * np.sin(angle), color=ORANGE, lw=1.2)
    right.set(xlabel="first input", ylabel="second input", aspect="equal")
    figure.colorbar(shown, ax=right, label="greatest activation", shrink=0.85)
    formula, usual, listing = at_sigma["7.1: σ²"], at_sigma["2σ²"], at_sigma["listing: (2σ)²"]
    figure.suptitle(
        f"At a distance of σ a unit says {formula:.2f}, {usual:.2f} or {listing:.2f}, by how the book divides;\n"
        "right: three units on their centres by k-means, circles of σ = d / √(2M)"
    )
    return figure


def joined() -> Figure:
    """A line through all points, at three widths."""
    found, at, x = approximation.joined(), approximation.grid(1), approximation.points()
    figure, axes = canvas(1, 3, size=(10.4, 3.6), sharey=True)
    for place, (name, each) in zip(axes, found.items(), strict=True):
        place.plot(at, approximation.wave(at), color=GREY, lw=3, alpha=0.6, label="the function")
        place.plot(at, each.line, color=BLUE, lw=1.3, label="the network")
        place.plot(x, approximation.wave(x), "o", ms=4, color=ORANGE, label="known points")
        place.set(xlabel="x", ylim=(-1.9, 1.9))
        place.set_title(
            f"σ: {name} ({each.width:.2g})\noff by {each.error:.1%}; on the points {each.missed:.0e}", fontsize=9
        )
        plain_axes(place)
    axes[0].set_ylabel("y")
    axes[0].legend(frameon=False, fontsize=8, loc="lower left")
    narrow, printed, wide = found.values()
    figure.suptitle(
        f"A centre on each of {len(x)} points. Too narrow, it errs by {narrow.error:.0%} between them; as printed, by "
        f"{printed.error:.1%};\ntoo wide, by {wide.error:.0%}: units are so alike that rounding decides"
    )
    return figure


def approximation_errors(axes: Axes, name: str) -> None:
    """Error over the number of centres, by divisor."""
    for k, (divisor, errors) in enumerate(approximation.errors(name).printed.items()):
        _band(axes, np.array(approximation.CENTRES), errors, f"divided by {divisor}", k)
    axes.set(xlabel="centres", xscale="log", yscale="log", title=f"{name}: σ as printed, d / √(2M)")
    axes.set_xticks(approximation.CENTRES, [str(number) for number in approximation.CENTRES])
    axes.minorticks_off()


def _widths(axes: Axes, name: str) -> None:
    """Error of 25 centres over their width, and where the printed rules lie."""
    found = approximation.errors(name)
    _band(axes, np.array(approximation.TIMES), found.widths, "any width", 4)
    place = approximation.CENTRES.index(25)
    for k, divisor in enumerate(BOOK):
        axes.axvline(np.median(found.rule[divisor][:, place]), color=COLOURS[k], ls="--", label=divisor)
    axes.set(xlabel="σ, in spacings of the centres", xscale="log", yscale="log", title=f"{name}: 25 centres")


def approximation_figure_title() -> str:
    """Which divisor of the book is best with 25 centres in each dimension, and how good."""
    parts = []
    for name in approximation.FUNCTIONS:
        place = approximation.CENTRES.index(25)
        errors = {each: np.median(by[:, place]) for each, by in approximation.errors(name).printed.items()}
        best = min(errors, key=lambda each: float(errors[each]))
        worst = max(errors, key=lambda each: float(errors[each]))
        parts.append(
            f"on the {name} {best} is best ({100 * errors[best]:.2g} %), {worst} worst ({100 * errors[worst]:.2g} %)"
        )
    return "25 centres: " + ";\n".join(parts)


def approximation_figure() -> Figure:
    """How many centres and how wide, in one dimension and in two."""
    figure, axes = canvas(2, 2, size=(9.6, 7.0))
    for column, name in zip(axes.T, approximation.FUNCTIONS, strict=True):
        approximation_errors(column[0], name)
        _widths(column[1], name)
        for place in column:
            place.legend(frameon=False, fontsize=7.5)
            plain_axes(place)
    for place in axes[:, 0]:
        place.set_ylabel("root mean square error, by deviation")
    figure.suptitle(approximation_figure_title())
    return figure


def chaos_figure() -> Figure:
    """A step ahead, a run, and how long it keeps to the series."""
    found = chaos.forecasts()
    ahead, kept = ({name: mean_interval(each) for name, each in by.items()} for by in (found.ahead, found.kept))
    figure, (left, right, below) = canvas(3, 1, size=(8.2, 8.2), height_ratios=(1, 1, 1.3))
    _ranked(left, ahead)
    left.set(xscale="log", xlabel="error a step ahead (root mean square by deviation; log)")
    _ranked(right, kept)
    right.set(xlabel=f"steps of six units that a run keeps to the series, of {chaos.HORIZON}")
    steps = np.arange(1, chaos.HORIZON + 1)
    below.plot(steps, found.true, color=GREY, lw=4, alpha=0.6, label="the series")
    for k, name in enumerate(("RBF, every row a centre", "RBF, 50 centres", "linear, 16 values")):
        below.plot(steps, found.run[name], MARKS[k] + "-", ms=2.5, lw=1, color=COLOURS[k], label=name)
    below.set(xlabel="steps that it runs on its own forecasts", ylabel="x", ylim=(0, 1.9))
    below.legend(frameon=False, fontsize=8, ncols=2, loc="upper right")
    plain_axes(below)
    best, line = (max((name for name in kept if word in name), key=lambda n: kept[n][0]) for word in ("RBF", "linear"))
    figure.suptitle(
        f"Left alone, “{best}” keeps to the chaotic series for {kept[best][0]:.0f} steps,\n"
        f"“{line}” for {kept[line][0]:.0f}; a step ahead they err by {ahead[best][0]:.1%} and {ahead[line][0]:.0%}"
    )
    return figure


def updates() -> Figure:
    """Error over updates, both kinds at their best rates, and the solution without any."""
    cost = rivals.multiplications()
    as_updates = cost["the solution"] / cost["an update"]
    figure, axes = canvas(1, 2, size=(9.8, 4.4), sharey=True)
    steps, lines = np.arange(rivals.EVERY, rivals.UPDATES + 1, rivals.EVERY), []
    for place, on in zip(axes, rivals.FUNCTIONS, strict=True):
        race = rivals.race(on)
        for k, (name, errors) in enumerate(race.errors.items()):
            _band(place, steps, errors, f"{name}, Adam at {race.rates[name]:g}", k)
        place.plot(as_updates, race.solved.mean(), "*", ms=14, color=GREEN, label="RBF by k-means and least squares")
        place.axhline(rivals.REACHED, ls="--", lw=1, color=GREY)
        place.set(xlabel="updates, or as many multiplications (log)", xscale="log", yscale="log", title=on)
        place.set_xticks([20, 50, 100, 200, 400, 800], ["20", "50", "100", "200", "400", "800"])
        place.xaxis.minorticks_off()
        place.legend(frameon=False, fontsize=8, loc="lower left")
        plain_axes(place)
        found = {name: float(np.median(race.updates(name))) for name in race.errors}
        said = [
            f"{name} {n:.0f}" if n <= rivals.UPDATES else f"{name} over {rivals.UPDATES}" for name, n in found.items()
        ]
        lines.append(f"{on}: {', '.join(said)}; the solution errs by {race.solved.mean():.1%}")
    axes[0].set_ylabel("root mean square error, by deviation")
    figure.suptitle(f"Updates to an error of {rivals.REACHED:.0%}. " + ";\n".join(lines))
    return figure


def scarce() -> Figure:
    """Few and noisy rows: the ratio of both errors, with intervals over draws."""
    figure, axes = canvas(1, 2, size=(9.8, 4.2), sharey=True)
    where, lines = np.arange(len(rivals.FEW)), []
    for place, on in zip(axes, rivals.FUNCTIONS, strict=True):
        found, better, worse = rivals.scarce(on), 0, 0
        for i, noise in enumerate(rivals.NOISES):
            ratios = np.log(found.rbf[i] / found.mlp[i])
            mean, low, high = np.exp([mean_interval(each) for each in ratios]).T
            label = f"noise {noise:g} of the deviation" if noise else "no noise"
            place.errorbar(where + 0.12 * (2 * i - 1), mean, yerr=(mean - low, high - mean), fmt=MARKS[i],
                           color=COLOURS[i], capsize=3, label=label)  # fmt: skip
            better, worse = better + int((high < 1).sum()), worse + int((low > 1).sum())
        place.axhline(1, ls="--", color=GREY)
        place.set_xticks(where, [str(number) for number in rivals.FEW])
        place.set(xlabel="rows", yscale="log", title=on)
        place.set_yticks([0.25, 0.5, 1, 2, 4], ["¼", "½", "1", "2", "4"])
        place.minorticks_off()
        place.legend(frameon=False, fontsize=8)
        plain_axes(place)
        total = len(where) * len(rivals.NOISES)
        lines.append(f"on the {on} the RBF network is better in {better} of {total} settings, worse in {worse}")
    axes[0].set_ylabel("error of the RBF network by the MLP's (log)")
    figure.suptitle("Few rows, beyond the 95 % interval: " + ";\n".join(lines))
    return figure


def classes(data: Digits) -> Figure:
    """Accuracy on new digits by the number of rows."""
    found = digits.classes(data)
    figure, axes = canvas(size=(7.6, 4.4))
    for k, (name, accuracy) in enumerate(found.accuracy.items()):
        mean, low, high = np.array([mean_interval(each) for each in accuracy]).T
        x = np.array(digits.ROWS) * 1.03 ** (k - 2)  # side by side, so that intervals do not hide each other
        axes.errorbar(x, mean, yerr=(mean - low, high - mean), fmt=MARKS[k] + "-", color=COLOURS[k], ms=4, label=name)
    axes.set(xlabel="rows learnt from", xscale="log", ylabel="accuracy on new digits")
    axes.set_xticks(digits.ROWS, [f"{n:,}" for n in digits.ROWS])
    axes.minorticks_off()
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    plain_axes(axes)
    ours, rival = (found.accuracy[name] for name in ("RBF, k-means and least squares", "MLP"))
    gaps = [mean_interval(each) for each in ours - rival]
    said = ", ".join(
        f"from {number:,} {100 * mean:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})"
        for (mean, low, high), number in zip(gaps, digits.ROWS, strict=True)
    )
    figure.suptitle(
        f"Ten digits, accuracy of the RBF network by k-means less that of the MLP, in %:\n{said}", fontsize=10
    )
    return figure


def centres(data: Digits, shown: int = 10) -> Figure:
    """Centres before the gradient and after it, and a perceptron's weights."""
    found = digits.classes(data)
    figure, axes = canvas(3, shown, size=(9.6, 3.8))
    lines = dict(zip(("k-means", "after the\ngradient", "MLP's\nweights"), found.shown, strict=True))
    for row, (name, parts) in zip(axes, lines.items(), strict=True):
        pictures = parts.inner[0].T[:shown].reshape(-1, digits.SIDE, digits.SIDE)
        most = float(np.abs(pictures).max())
        for place, picture in zip(row, pictures, strict=False):
            place.imshow(picture, cmap="RdBu_r", vmin=-most, vmax=most)
            place.set(xticks=[], yticks=[])
            place.set_frame_on(False)
        row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
    before, after, weights = found.alike
    figure.suptitle(
        f"Correlation of a unit with the digit that it is most like: {before:.2f} for centres by k-means,\n"
        f"{after:.2f} after the gradient, {weights:.2f} for a perceptron's weights"
    )
    return figure


def novelty(data: Digits) -> Figure:
    """How well each score tells a digit that was left out from the nine others."""
    found = {name: mean_interval(each) for name, each in digits.novelty(data).items()}
    order = dict(sorted(found.items(), key=lambda each: -each[1][0]))
    figure, axes = canvas(size=(7.8, 3.0))
    _ranked(axes, order)
    axes.axvline(0.5, ls="--", color=GREY)
    axes.set(xlabel="ROC-AUC, mean over the ten digits and its 95 % interval; 0.5 is chance")
    ours = max((name for name in found if "no unit" in name), key=lambda name: found[name][0])
    areas = digits.novelty(data)
    gap = mean_interval(areas[ours] - areas["MLP: unsure of the class"])
    figure.suptitle(
        f"A digit never seen: “{ours}” finds it with {found[ours][0]:.2f},\n"
        f"{gap[0]:+.2f} ({gap[1]:+.2f} to {gap[2]:+.2f}) against a perceptron that is unsure"
    )
    return figure

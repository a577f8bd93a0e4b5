"""RBF networks: what chapter 7 promises of them, tried out (sections 7 to 7.2).

The case `rbf_network` predicts who takes a deposit; here stands the rest of what the chapter names. All of it is NumPy.

    network.py         activations, a centre on every row, k-means, least squares
    descent.py         centres, widths and weights by gradient, and perceptrons of equal size; many networks at once
    approximation.py   one dimension and two: how many centres, how wide (7, 7.1.1)
    chaos.py           a chaotic series, a step ahead and left to itself (7)
    rivals.py          against multilayer perceptrons: updates, few and noisy rows (7.2)
    digits.py          ten classes; digits of a kind never seen (7, 7.1, 7.2)
    drawings.py        figures

The book divides the squared distance by sigma^2 in 7.1 and by (2 sigma)^2 in 7.3; the usual 2 sigma^2 lies between. It
says that such networks learn faster than perceptrons, need fewer and cleaner rows less, and can be read, and prints no
number for any of it. Here are some.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from handbook.evaluation.metrics import mean_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from handbook.data.images import LabelledImages
    from handbook.labs.rbf_networks.digits import Digits

DATASET = "mnist"


def figures(data: LabelledImages) -> dict[str, Figure]:
    """Every picture of the lab, each with its finding as title."""
    from handbook.labs.rbf_networks import drawings
    from handbook.labs.rbf_networks.digits import Digits

    digits = Digits.of(data)
    return {
        "1_a_unit": drawings.units(),
        "2_through_every_point": drawings.joined(),
        "3_number_and_width": drawings.approximation_figure(),
        "4_chaos": drawings.chaos_figure(),
        "5_updates": drawings.updates(),
        "6_few_and_noisy_rows": drawings.scarce(),
        "7_ten_classes": drawings.classes(digits),
        "8_centres": drawings.centres(digits),
        "9_never_seen": drawings.novelty(digits),
    }


def checks(data: LabelledImages) -> dict[str, float | bool]:
    """What was measured; intervals are of 95 %."""
    from handbook.labs.rbf_networks.digits import Digits

    digits = Digits.of(data)
    return {**_approximation(), **_chaos(), **_rivals(), **_digits(digits)}


def _short(value: float) -> float:
    """To four digits: what a check prints, and no rounding of the last bits."""
    return float(f"{value:.4g}")


def _between(name: str, values: np.ndarray) -> dict[str, float | bool]:
    """Mean and interval of values (N,)."""
    mean, low, high = mean_interval(np.asarray(values, float))
    return {name: _short(mean), f"{name}, low": _short(low), f"{name}, high": _short(high)}


def _approximation() -> dict[str, float | bool]:
    from handbook.labs.rbf_networks import approximation as area

    facts: dict[str, float | bool] = {}
    for name in area.FUNCTIONS:
        found = area.errors(name)
        for divisor, errors in found.printed.items():
            facts[f"{name}: error with 25 centres, divided by {divisor}"] = _short(
                float(np.median(errors[:, area.CENTRES.index(25)]))
            )
        best = int(np.median(found.widths, axis=0).argmin())
        facts[f"{name}: best width of 25 centres, by their spacing"] = _short(area.TIMES[best])
        usual = found.printed["2σ²"]
        facts[f"{name}: error with 100 centres by that with 4"] = _short(float(np.median(usual[:, -1] / usual[:, 0])))
    for name, each in area.joined().items():
        facts[f"through 15 points, {name}: error between them"] = _short(each.error)
    return facts


def _chaos() -> dict[str, float | bool]:
    from handbook.labs.rbf_networks import chaos

    found = chaos.forecasts()
    facts: dict[str, float | bool] = {}
    for name in found.ahead:
        facts |= _between(f"chaos: error a step ahead, {name}", found.ahead[name])
        facts |= _between(f"chaos: steps followed of {chaos.HORIZON}, {name}", found.kept[name])
    return facts


def _rivals() -> dict[str, float | bool]:
    from handbook.labs.rbf_networks import rivals

    cost = rivals.multiplications()
    facts: dict[str, float | bool] = {
        "the solution costs as many multiplications as so many updates": _short(
            cost["the solution"] / cost["an update"]
        )
    }
    for on in rivals.FUNCTIONS:
        race, scarce = rivals.race(on), rivals.scarce(on)
        for name, errors in race.errors.items():
            facts[f"{on}: updates to an error of {rivals.REACHED:g}, {name}"] = float(np.median(race.updates(name)))
            facts |= _between(f"{on}: error after {rivals.UPDATES} updates, {name}", errors[:, -1])
        facts |= _between(f"{on}: error of k-means and least squares, no update", race.solved)
        for i, noise in enumerate(rivals.NOISES):
            for j, number in enumerate(rivals.FEW):
                ratio = np.log(scarce.rbf[i, j] / scarce.mlp[i, j])
                facts |= _between(f"{on}, {number} rows, noise {noise:g}: ln of error, RBF by MLP", ratio)
    return facts


def _digits(data: Digits) -> dict[str, float | bool]:
    from handbook.labs.rbf_networks import digits

    found, areas = digits.classes(data), digits.novelty(data)
    facts: dict[str, float | bool] = {}
    for name, accuracy in found.accuracy.items():
        for number, each in zip(digits.ROWS, accuracy, strict=True):
            facts |= _between(f"digits: accuracy from {number} rows, {name}", each)
    facts["digits: parameters of the RBF network less those of the MLP"] = (
        found.shown.descended.size - found.shown.perceptron.size
    )
    for name, each in zip(("k-means", "after the gradient", "weights of the MLP"), found.alike, strict=True):
        facts[f"digits: correlation of units with the row most like them, {name}"] = _short(each)
    for name, each in areas.items():
        facts |= _between(f"a digit never seen: ROC-AUC, {name}", each)
    return facts

"""Self-organising maps, what the book advises: sigma, distance, shape of the grid (sections 8.1, 8.3, 8.4.4).

Section 8.4.4 says where sigma should begin: at 4 for standardised rows and 1 for rows of 0-1; at 5 on 10 x 10 and 50 on
100 x 100. The two rules disagree, and only the second can be right: sigma is a distance on the grid, and a map of rows
that are all a hundred times as large is the same map, a hundred times as large. On 100 x 100 these 690 rows have a unit
each, and where sigma begins hardly matters. 8.3 names the cosine in place of Euclid's distance, 8.1 other
shapes of the grid; each is tried here on the rows of 8.5.

    som.py        the batch rule on square and hexagonal grids, with a rim or as a torus; errors
    settings.py   one setting at a time, from several starts
    drawings.py   figures
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handbook.evaluation.metrics import mean_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from handbook.data.tables import Table
    from handbook.labs.kohonen_maps import settings

DATASET = "credit_card_applications"


def figures(data: Table) -> dict[str, Figure]:
    """Every picture of the lab, each with its finding as title."""
    from handbook.labs.kohonen_maps import drawings
    from handbook.labs.kohonen_maps.settings import Applications

    rows = Applications.of(data)
    return {"1_sigma": drawings.sigmas(rows), "2_sides": drawings.sides(rows), "3_grids": drawings.grids(rows)}


def checks(data: Table) -> dict[str, float | bool]:
    """What was measured, with intervals of 95 % over starts."""
    from handbook.labs.kohonen_maps import settings

    rows = settings.Applications.of(data)
    facts: dict[str, float | bool] = {}
    for scaling, by in settings.sigmas(rows).items():
        for sigma, errors in by.items():
            facts |= _errors(f"10 x 10, {scaling}, sigma {sigma:g}", errors)
    for side, shares in settings.sides(rows).items():
        for share, errors in shares.items():
            facts |= _errors(f"{side} x {side}, sigma {share:g} of the side", errors)
    grids = settings.grids(rows)
    for name, errors in grids.items():
        facts |= _errors(name, errors)
        mean, low, high = mean_interval(errors.agreement)
        facts |= {f"{name}: labels agree": _short(mean)}
        facts |= {f"{name}: labels agree, low": _short(low), f"{name}: labels agree, high": _short(high)}
    for scaling, found in settings.sigmas(rows).items():
        facts[f"topographic error at sigma 4 by that at 1, {scaling}"] = _short(_by(found))
    return facts


def _by(found: dict[float, settings.Errors]) -> float:
    return float(found[4.0].topographic.mean() / max(found[1.0].topographic.mean(), 1e-12))


def _errors(name: str, errors: settings.Errors) -> dict[str, float | bool]:
    facts: dict[str, float | bool] = {}
    for word, values in (("quantization", errors.quantization), ("topographic", errors.topographic)):
        mean, low, high = mean_interval(values)
        label = f"{name}: {word} error"
        facts |= {label: _short(mean), f"{label}, low": _short(low), f"{label}, high": _short(high)}
    return facts


def _short(value: float) -> float:
    """To four digits: no rounding of the last bits."""
    return float(f"{value:.4g}")

"""Which algorithm is better? Chapter 2's on its small tables, by intervals that can rank them (sections 2.5 to 2.17).

Boston, diabetes and Iris hold out 102, 89 and 30 rows in the cases, too few to rank a dozen algorithms by. Here each is
judged on ten rounds of five folds, all on the same ones, and a difference counts if it outlasts two corrections: for
training rows that folds share (Nadeau and Bengio 2003), and for as many comparisons as there are pairs (Holm 1979).

    algorithms.py    the cases' algorithms, with less to choose
    folds.py         their scores, fold by fold
    judging.py       corrected intervals and tests, ranks, Nemenyi's critical difference
    coverage.py      whether the intervals hold what they promise, on rows whose truth is known
    drawings.py      differences from the best, critical-difference pictures (Demšar 2006)

What is compared are these algorithms on these rows, their settings found by a short search. That two cannot be
distinguished does not say that they are equal: five hundred rows cannot tell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handbook.labs.rankings import coverage, folds, judging
from handbook.labs.rankings.folds import FOLDS, Given, Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from handbook.data.tables import Table

DATASET = ("boston", "diabetes", "iris")


def results(*tables: Table) -> dict[str, Results]:
    """What was measured of each dataset by each metric, under a short name."""
    found = {}
    for name, table in zip(DATASET, tables, strict=True):
        for number, each in enumerate(folds.measured(Given.of(name, table))):
            found[name if number == 0 else f"{name}_brier"] = each
    return found


def figures(boston: Table, diabetes: Table, iris: Table) -> dict[str, Figure]:
    """The lab's pictures, each with its finding as title."""
    from handbook.labs.rankings import drawings

    found = results(boston, diabetes, iris)
    pictures = {"coverage": drawings.covered()}
    for name, each in found.items():
        pictures |= {f"{name}_differences": drawings.differences(each), f"{name}_ranks": drawings.ranks(each)}
    return pictures


def checks(boston: Table, diabetes: Table, iris: Table) -> dict[str, float | bool]:
    """Means and half intervals of every algorithm, which pairs differ by which judgement, what intervals hold."""
    facts: dict[str, float | bool] = {}
    for name, each in results(boston, diabetes, iris).items():
        facts |= {f"{name}: {key}": value for key, value in _of(each).items()}
    for kind, values in coverage.curves().items():
        facts |= {
            f"{rounds} x {FOLDS} folds: {kind} intervals that hold the truth": value
            for rounds, value in zip(coverage.ROUNDS, values, strict=True)
        }
    return facts


def _of(each: Results) -> dict[str, float | bool]:
    scores, apart = each.scores, judging.differ(each)
    mean, wide, rank = scores.mean(axis=1), judging.half_width(scores, each.ratio), judging.ranks(scores)
    level = judging.level_with_best(each)
    best = each.names[judging.order(each)[0]]
    once = Results(each.dataset, each.metric, each.names, scores[:, :FOLDS], each.ratio)
    facts: dict[str, float | bool] = {
        "folds": scores.shape[1],
        "pairs": judging.pairs(apart)[1],
        "pairs that differ": judging.pairs(apart)[0],
        "pairs that differ, of one round": judging.pairs(judging.differ(once))[0],
        "pairs that differ, were folds independent": judging.pairs(judging.differ_by_ranks(each))[0],
        "Nemenyi's critical difference": judging.critical_difference(*scores.shape),
        "Friedman's p, were folds independent": judging.friedman(scores),
        "level with the best": len(level),
    }
    for k, name in enumerate(each.names):
        facts |= {
            f"{name}, mean": float(mean[k]), f"{name}, half interval": float(wide[k]),
            f"{name}, mean rank": float(rank[k]), f"{name}, best or level with it": name in {best, *level},
        }  # fmt: skip
    return facts

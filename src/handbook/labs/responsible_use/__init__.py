"""Responsible use: whether a model is fair, what it goes by, and why it answered as it did (sections 1.4.1 and 1.4.4).

The book names disparate impact, equalised odds and individual fairness, and of explanations rules, importance of
attributes, LIME, SHAP and pictures of what a model does; it works none of them out. Here each is measured on a model
that could be used: boosted trees that say which of the bank's clients to call, by what is known before the call.

    caller.py        the model: data, threshold
    fairness.py      groups by age and by marital status: measures, their intervals, what chance alone would show
    individuals.py   like clients, like answers: doubles who differ in the attribute alone, and nearest others
    mitigation.py    without the attribute, reweighed, thresholds by group: what each gains, and costs
    reasons.py       permutation, SHAP, partial dependence, and how far they and LIME agree
    lime.py          a linear model near one client
    rules.py         a small tree that stands for the model, as a list of rules, and its fidelity
    results.py       all of it, computed once
    group_drawings.py, reason_drawings.py   the pictures

What the numbers cannot say. To be called is counted as the good that groups get more or less of; a client may see it
otherwise. Who bought is known of those alone who were called, by a bank that chose whom to call. Age and marital status
are what the data name; what else people are treated by is not in them. And parity is no defence where the groups do
differ in what they want: which measure is the right one is not for a model to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from handbook.data.studies import KNOWN_AFTER_THE_CALL, Study
from handbook.data.subsets import some_of
from handbook.data.tables import Table
from handbook.evaluation import paired

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from handbook.labs.responsible_use.results import Fairness, Results

DATASET = "bank_marketing"
SAMPLE = 1000  # rows of a drawn sample that are taken
MEASURES = ("disparate impact", "equal opportunity difference", "equalised odds difference")


def figures(data: Table) -> dict[str, Figure]:
    """Every picture of the lab, each with its finding as title."""
    from handbook.labs.responsible_use import group_drawings, reason_drawings

    found = _results(data)
    return {
        "selection_rates": group_drawings.selection(found.fairness),
        "equalised_odds": group_drawings.odds(found.fairness),
        "mitigation": group_drawings.mitigation(found.fairness),
        "twins": group_drawings.twins(found.fairness),
        "importances": reason_drawings.importances(found.reasons),
        "agreement": reason_drawings.agreements(found.reasons),
        "partial_dependence": reason_drawings.curves(found.reasons, found.caller),
        "one_client": reason_drawings.one_client(found),
        "rules": reason_drawings.rule_list(found),
    }


def checks(data: Table) -> dict[str, float | bool]:
    """What was measured on the test rows; `low` and `high` bound the 95 % interval by rows drawn again."""
    found = _results(data)
    facts: dict[str, float | bool] = {}
    for name, each in found.fairness.items():
        facts |= {f"{name}: {key}": value for key, value in {**_of_groups(each), **_of_ways(each)}.items()}
    area = next(iter(found.fairness.values())).areas["as trained"]
    facts |= _bounded("ROC-AUC (no order: 0.5)", float(area[0]), paired.interval(area))
    return facts | _of_reasons(found) | _of_rules(found)


def _results(data: Table) -> Results:
    from handbook.labs.responsible_use.results import results

    return results(Study.of(some_of(data, SAMPLE), KNOWN_AFTER_THE_CALL))


def _bounded(name: str, value: float, bounds: tuple[float, float]) -> dict[str, float | bool]:
    return {name: value, f"{name}, low": bounds[0], f"{name}, high": bounds[1]}


def _of_groups(each: Fairness) -> dict[str, float | bool]:
    """The measures of the model as trained, and what groups drawn by lot would show."""
    from handbook.labs.responsible_use.group_drawings import lot_bound

    facts: dict[str, float | bool] = {}
    for measure in MEASURES:
        facts |= _bounded(measure, each.plain.value(measure), each.plain.interval(measure))
        facts[f"{measure}, of groups by lot"] = lot_bound(each, measure)
    low, high = each.plain.interval("disparate impact")
    facts["breaks the four-fifths rule"] = high < 0.8
    facts["keeps the four-fifths rule"] = low >= 0.8
    return facts


def _of_ways(each: Fairness) -> dict[str, float | bool]:
    """What each way to decide is worth, and what it costs against the model as trained."""
    from handbook.labs.responsible_use.individuals import share_interval

    facts: dict[str, float | bool] = {}
    for name, way in each.ways.items():
        moved = way.twins
        facts |= _bounded(f"{name}: answers that change with it alone", moved.share,
                          share_interval(moved.share, len(moved.moved), np.random.default_rng(0)))  # fmt: skip
        near, lot = (float(values.mean()) for values in way.consistency)
        facts |= {f"{name}: consistency with the nearest": near, f"{name}: consistency with others by lot": lot}
        if way is each.plain:
            continue
        for measure in ("disparate impact", "equalised odds difference"):
            facts |= _bounded(f"{name}: {measure}", way.value(measure), way.interval(measure))
        for measure in ("balanced accuracy", *(["ROC-AUC"] if name in each.areas else [])):
            lost, low, high = each.cost(name, measure)
            facts |= _bounded(f"{name}: {measure} lost", lost, (low, high))
    return facts


def _of_reasons(found: Results) -> dict[str, float | bool]:
    from handbook.labs.responsible_use.reason_drawings import pairs_of_rows
    from handbook.labs.responsible_use.reasons import WAYS, agreement, top_shared

    given = found.reasons
    sums = given.shap.base + given.shap.parts.sum(axis=1)
    facts: dict[str, float | bool] = {
        "SHAP: greatest gap between the sum of the parts and the log-odds": float(
            np.abs(sums - found.caller.margins(given.rows)).max()
        ),
        "LIME: median share of the log-odds' variance near a client": float(np.median(given.r2)),
    }
    for k, one in enumerate(WAYS):
        for two in WAYS[k + 1 :]:
            facts[f"importance: ranks of {one} and {two}"] = agreement(given.overall[one], given.overall[two])
    for name, each in pairs_of_rows(given).items():
        rng = np.random.default_rng(0)
        medians = np.median(rng.choice(each, (1000, len(each))), axis=1)
        facts |= _bounded(f"one client: ranks of {name}", float(np.median(each)), paired.interval(medians))
    shared = top_shared(given.shap.parts[: len(given.lime)], given.lime)
    return facts | {"one client: first three reasons that SHAP and LIME share": float(shared.mean())}


def _of_rules(found: Results) -> dict[str, float | bool]:
    plain = next(iter(found.fairness.values())).plain
    facts: dict[str, float | bool] = {"as trained: balanced accuracy": plain.value("balanced accuracy")}
    for depth, each in found.surrogates.items():
        facts[f"tree of depth {depth}: rules"] = each.leaves
        facts[f"tree of depth {depth}: decides alike, balanced (one answer for all: 0.5)"] = each.fidelity
        facts[f"tree of depth {depth}: decides alike"] = each.agreement
        facts[f"tree of depth {depth}: balanced accuracy"] = each.accuracy
    return facts

"""Everything that figures and checks show, computed once for the same rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from handbook.data.studies import Study
from handbook.evaluation import paired
from handbook.labs.responsible_use import fairness, individuals, mitigation
from handbook.labs.responsible_use.caller import SEED, Caller, Floats, trained
from handbook.labs.responsible_use.fairness import PROTECTED, Counts, Groups
from handbook.labs.responsible_use.mitigation import UNMITIGATED
from handbook.labs.responsible_use.reasons import Reasons, reasons
from handbook.labs.responsible_use.rules import DEPTHS, SHOWN_DEPTH, Rule, Surrogate, rules, surrogate

if TYPE_CHECKING:
    import numpy.typing as npt


@dataclass(frozen=True)
class Judged:
    """One way to decide, judged by one protected attribute on the test rows."""

    counts: Counts  # (groups, 2, 2), as `fairness.table` has them
    measures: dict[str, Floats]  # each (1 + draws,): as it is, then of rows drawn again
    by_lot: dict[str, Floats]  # each (lots,): of groups that are drawn by lot
    twins: individuals.Twins
    consistency: tuple[Floats, ...]  # (rows,) with the nearest others, (rows,) with others by lot

    def value(self, measure: str) -> float:
        return float(self.measures[measure][0])

    def interval(self, measure: str) -> tuple[float, float]:
        return paired.interval(self.measures[measure])


@dataclass(frozen=True)
class Fairness:
    """All ways to decide, judged by one protected attribute; areas are ROC-AUCs as `paired.areas` has them."""

    groups: Groups  # of the test rows
    ways: dict[str, Judged]
    areas: dict[str, Floats]

    @property
    def plain(self) -> Judged:
        """The model as trained."""
        return self.ways[UNMITIGATED]

    def cost(self, way: str, measure: str) -> tuple[float, float, float]:
        """What a way loses of a measure, or of `ROC-AUC`, against the model as trained: loss, low, high."""
        known = (
            self.areas if measure == "ROC-AUC" else {name: each.measures[measure] for name, each in self.ways.items()}
        )
        return paired.estimate(known[UNMITIGATED] - known[way])


@dataclass(frozen=True)
class Results:
    """All of the lab."""

    study: Study
    caller: Caller
    fairness: dict[str, Fairness]
    reasons: Reasons
    surrogates: dict[int, Surrogate]  # by depth
    rules: list[Rule]


@cache
def results(study: Study) -> Results:
    """Train, decide, judge and explain, on one thread: sums in one order, so the same numbers twice."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        caller = trained(study)
        learn, judge = caller.numbers(study.development.features), caller.numbers(study.test.features)
        trees = {depth: surrogate(caller, learn, judge, study.test.target, depth) for depth in DEPTHS}
        return Results(
            study, caller, {name: _judged(study, name, caller) for name in PROTECTED}, reasons(study, caller), trees,
            rules(trees[SHOWN_DEPTH], caller.numbers, judge, caller.calls(study.test.features)),
        )  # fmt: skip


def _judged(study: Study, attribute: str, caller: Caller) -> Fairness:
    test, groups = study.test, Groups.of(study.test.features, attribute)
    ways = mitigation.policies(study, attribute, caller)
    calls = {name: way.calls(test.features) for name, way in ways.items()}
    scores = {name: way.scores(test.features) for name, way in ways.items() if way.scores}
    rng = np.random.default_rng(SEED)
    draws = _draws(groups, test.target, calls, rng)
    some = individuals.some(len(test), rng)
    part, own = test.features.iloc[some], Groups(attribute, groups.names, groups.places[some])
    others, judged = individuals.neighbours(part, (attribute,), rng), {}
    for name, way in ways.items():
        counts = fairness.table(groups, test.target, calls[name])
        judged[name] = Judged(
            counts, draws[name], fairness.measures(fairness.by_lot(groups, test.target, calls[name], rng)),
            individuals.twins(part, own, way.calls), individuals.consistency(calls[name][some].astype(float), others),
        )  # fmt: skip
    return Fairness(groups, judged, paired.areas(test.target, scores, rng))


def _draws(
    groups: Groups, target: Counts, calls: dict[str, npt.NDArray[np.bool_]], rng: np.random.Generator
) -> dict[str, dict[str, Any]]:
    """The measures of each way, (1 + draws,), of the same rows in each draw, so that ways can be subtracted.

    A row is one of group x bought x called by each way; rows drawn again are counts of those kinds.
    """
    kinds = np.column_stack([groups.places, target, *calls.values()]).astype(np.int64)
    kind, often = np.unique(kinds, axis=0, return_counts=True)
    drawn = np.concatenate([often[None], fairness.drawn(often, rng)])  # (1 + draws, kinds)
    shape, found = (len(groups.names), 2, 2), {}
    for k, name in enumerate(calls):
        place = np.ravel_multi_index((kind[:, 0], kind[:, 1], kind[:, 2 + k]), shape)
        tables = drawn @ np.eye(math.prod(shape), dtype=np.int64)[place]
        found[name] = fairness.measures(tables.reshape(-1, *shape))
    return found

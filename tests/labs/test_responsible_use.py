"""Laws of the lab responsible_use: fairlearn and brute force agree, and on the sample it finds what is there."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fairlearn import metrics as fairlearn_metrics
from sklearn.ensemble import HistGradientBoostingClassifier

from handbook import datasets
from handbook.data.studies import KNOWN_AFTER_THE_CALL, Study
from handbook.data.tables import Table
from handbook.datasets.bank_marketing import GROUPS
from handbook.labs.responsible_use import fairness, individuals, lime, mitigation, rules
from handbook.labs.responsible_use.caller import Caller, Numbers, balanced_threshold, boosted
from handbook.labs.responsible_use.fairness import Groups
from handbook.labs.responsible_use.reasons import Curve, agreement, row_agreement, shapley, swing, top_shared

Floats = np.ndarray


@pytest.fixture(scope="module")
def bank(samples: Any) -> Table:
    found: Table = datasets.page("bank_marketing").load(samples("bank_marketing"))
    return found


@pytest.fixture(scope="module")
def small() -> tuple[Caller, Floats, Floats]:
    """A few trees on four columns, of which one says nothing, with rows and their labels."""
    rng = np.random.default_rng(2)
    rows = rng.integers(0, 5, (600, 4)).astype(float)
    odds = rows[:, 0] - 2 + (rows[:, 1] > 2) * (rows[:, 2] - 2)
    labels = (rng.random(600) < 1 / (1 + np.exp(-odds))).astype(np.int64)
    model = HistGradientBoostingClassifier(max_iter=6, max_leaf_nodes=6, early_stopping=False, random_state=0)
    model.fit(rows, labels)
    numbers = Numbers(dict.fromkeys(("first", "second", "third", "idle")))
    return Caller(numbers, model, 0.5, model.predict_proba(rows)[:, 1]), rows, labels


@pytest.fixture
def treated() -> tuple[Groups, Floats, Floats]:
    """Three groups that are treated unlike each other."""
    rng = np.random.default_rng(4)
    places = rng.choice(3, 900, p=[0.6, 0.3, 0.1])
    target = (rng.random(900) < np.array([0.1, 0.3, 0.5])[places]).astype(np.int64)
    calls = rng.random(900) < np.array([0.2, 0.3, 0.6])[places] + 0.2 * target
    return Groups("kind", ("a", "b", "c"), places.astype(np.int64)), target, calls


def test_measures_of_groups_are_fairlearns(treated: tuple[Groups, Floats, Floats]) -> None:
    groups, target, calls = treated
    found = fairness.measures(fairness.table(groups, target, calls))
    theirs = {
        "disparate impact": fairlearn_metrics.demographic_parity_ratio,
        "equal opportunity difference": fairlearn_metrics.equal_opportunity_difference,
        "equalised odds difference": fairlearn_metrics.equalized_odds_difference,
    }
    for name, measure in theirs.items():
        expected = measure(target, calls.astype(int), sensitive_features=groups.labels)
        assert found[name] == pytest.approx(expected, abs=1e-12), name
    assert found["share called"] == pytest.approx(calls.mean())


def test_drawing_counts_is_drawing_rows(treated: tuple[Groups, Floats, Floats]) -> None:
    groups, target, calls = treated
    rng, rows = np.random.default_rng(0), len(target)
    by_counts = fairness.measures(fairness.drawn(fairness.table(groups, target, calls), rng, 1500))
    tables = []
    for _ in range(1500):
        taken = rng.integers(0, rows, rows)
        drawn = Groups("kind", groups.names, groups.places[taken])
        tables.append(fairness.table(drawn, target[taken], calls[taken]))
    by_rows = fairness.measures(np.stack(tables))
    for name, values in by_rows.items():
        assert fairness.interval(by_counts[name]) == pytest.approx(fairness.interval(values), abs=0.03), name


def test_groups_by_lot_differ_less_than_groups_that_are_treated_unlike(treated: tuple[Groups, Floats, Floats]) -> None:
    groups, target, calls = treated
    whole = fairness.measures(fairness.table(groups, target, calls))
    lots = fairness.measures(fairness.by_lot(groups, target, calls, np.random.default_rng(0)))
    assert np.percentile(lots["equalised odds difference"], 95) < whole["equalised odds difference"]
    assert np.percentile(lots["disparate impact"], 5) > whole["disparate impact"]
    assert lots["balanced accuracy"] == pytest.approx(whole["balanced accuracy"])  # the same calls for the same rows


def test_groups_are_those_that_the_datasets_page_names() -> None:
    assert {name: GROUPS[name] for name in fairness.PROTECTED} == fairness.PROTECTED


def test_bands_of_age_hold_each_client_once_and_their_limits_belong_to_the_upper_one() -> None:
    groups = Groups.of(pd.DataFrame({"age": [18, 29, 30, 39, 40, 59, 60, 95]}), "age")
    assert groups.labels.tolist() == [
        "under 30", "under 30", "30-39", "30-39", "40-49", "50-59", "60 and over", "60 and over"
    ]  # fmt: skip


def test_reweighed_rows_make_group_and_outcome_independent_and_keep_how_many_there_are(
    treated: tuple[Groups, Floats, Floats],
) -> None:
    groups, target, _ = treated
    weights = mitigation.reweighing(groups.places, target)
    share = np.average(target, weights=weights)
    for place in range(3):
        inside = groups.places == place
        assert np.average(target[inside], weights=weights[inside]) == pytest.approx(share)
        assert weights[inside].sum() == pytest.approx(inside.sum())
    assert share == pytest.approx(target.mean())


def test_a_balanced_threshold_is_the_best_of_all(treated: tuple[Groups, Floats, Floats]) -> None:
    _, target, _ = treated
    scores = np.random.default_rng(1).random(len(target)).round(2) + 0.3 * target
    ours = balanced_threshold(target, scores)

    def gain_of(cut: float) -> float:
        called = scores >= cut
        return float(called[target == 1].mean() + (~called)[target == 0].mean())

    assert gain_of(ours) == pytest.approx(max(gain_of(cut) for cut in np.unique(scores)))


def test_words_are_ordered_by_their_share_of_buyers_and_one_unknown_lies_in_the_middle() -> None:
    rows = pd.DataFrame({"job": ["a", "a", "b", "b", "c", "c"], "age": [1, 2, 3, 4, 5, 6]}).astype({"job": "str"})
    numbers = Numbers.of(rows, np.array([1, 1, 0, 0, 1, 0]))
    assert numbers.words == {"job": ("b", "c", "a"), "age": None}
    new = pd.DataFrame({"age": [7, 8], "job": ["a", "stranger"]}).astype({"job": "str"})
    assert numbers(new).tolist() == [[2.0, 7.0], [1.0, 8.0]]


def brute_shapley(value: Callable[[Floats], Floats], row: Floats, background: Floats) -> Floats:
    """By the definition: every set of attributes that may be known, the others from each background row."""
    A = len(row)

    def gain_of(known: tuple[int, ...]) -> float:
        rows = background.copy()
        rows[:, list(known)] = row[list(known)]
        return float(value(rows).mean())

    parts = np.zeros(A)
    for k in range(A):
        others = [j for j in range(A) if j != k]
        for size in range(A):
            weight = math.factorial(size) * math.factorial(A - size - 1) / math.factorial(A)
            for known in itertools.combinations(others, size):
                parts[k] += weight * (gain_of((*known, k)) - gain_of(known))
    return parts


def test_shap_is_the_definition_of_shapley_worked_through(small: tuple[Caller, Floats, Floats]) -> None:
    caller, rows, _ = small
    background, some = rows[:40], rows[100:108]
    found = shapley(caller, some, background)
    for row, parts in zip(some, found.parts, strict=True):
        assert parts == pytest.approx(brute_shapley(caller.margins, row, background), abs=1e-6)


def test_reasons_add_up_to_the_log_odds_and_an_attribute_that_is_not_asked_for_has_none(
    small: tuple[Caller, Floats, Floats],
) -> None:
    caller, rows, labels = small
    found = shapley(caller, rows[:50], rows[300:360])
    assert found.base + found.parts.sum(axis=1) == pytest.approx(caller.margins(rows[:50]), abs=1e-6)
    blind = rows.copy()
    blind[:, 3] = 0.0  # nothing can be split by it
    idle = Caller(caller.numbers, boosted(blind, labels, np.ones(len(labels))), 0.5, caller.held_out)
    assert np.abs(shapley(idle, rows[:50], rows[300:360]).parts[:, 3]).max() == 0


def test_shap_does_not_see_sets_of_words_which_is_why_words_are_ordered(small: tuple[Caller, Floats, Floats]) -> None:
    _, rows, labels = small
    odd = (rows[:, 0] % 2).astype(np.int64)
    model = HistGradientBoostingClassifier(
        max_iter=5, early_stopping=False, categorical_features=[True, False, False, False], random_state=0
    ).fit(rows, odd)
    caller = Caller(Numbers({}), model, 0.5, np.zeros(len(labels)))
    found = shapley(caller, rows[:50], rows[300:360])
    assert np.abs(found.base + found.parts.sum(axis=1) - caller.margins(rows[:50])).max() > 0.1


def test_lime_recovers_the_coefficients_of_a_linear_model() -> None:
    rng = np.random.default_rng(0)
    numbers, words = rng.normal(0, [1.0, 5.0, 0.2], (400, 3)), rng.integers(0, 3, (400, 1)).astype(float)
    near = lime.Surroundings(np.column_stack([numbers, words]), np.array([False, False, False, True]))
    slopes, row = np.array([2.0, -0.3, 4.0]), near.rows[7]

    def answer(rows: Floats) -> Floats:
        return 1.5 + rows[:, :3] @ slopes - 0.7 * (rows[:, 3] != row[3])

    found = lime.explain(answer, row, near, rng, 3000)
    assert found.coefficients == pytest.approx([*(slopes * near.deviation[:3]), -0.7], abs=1e-3)
    assert found.intercept == pytest.approx(answer(row[None])[0], abs=1e-3)
    assert found.r2 == pytest.approx(1, abs=1e-6)
    # of a linear model the effects are its Shapley values: coefficient times distance from the mean
    expected = [*(slopes * (row[:3] - numbers.mean(axis=0))), 0.7 * (words != row[3]).mean()]
    assert found.effects == pytest.approx(expected, abs=1e-2)


def test_lime_fits_badly_where_the_model_is_not_linear_and_says_so() -> None:
    rng = np.random.default_rng(0)
    near = lime.Surroundings(rng.normal(size=(300, 2)), np.array([False, False]))
    found = lime.explain(lambda rows: np.cos(6 * rows[:, 0]), np.zeros(2), near, rng)
    assert found.r2 < 0.1


def test_a_tree_copies_rules_exactly_and_lists_them(small: tuple[Caller, Floats, Floats]) -> None:
    _, rows, _ = small
    truth = (rows[:, 0] > 2) & (rows[:, 1] <= 1)
    model = HistGradientBoostingClassifier(max_iter=80, early_stopping=False, random_state=0).fit(rows, truth)
    numbers = Numbers({"age": None, "job": ("a", "b", "c", "d", "e"), "day": None, "other": None})
    caller = Caller(numbers, model, 0.5, np.zeros(len(rows)))
    found = rules.surrogate(caller, rows, rows, truth.astype(np.int64), depth=2)
    assert found.fidelity == found.agreement == found.accuracy == 1
    listed = rules.rules(found, numbers, rows, caller.margins(rows) >= 0)
    assert {"age ≥ 3", "job a or b"} == set(listed[0].text.split(", "))
    assert listed[0].called == 1
    assert all(each.called == 0 for each in listed[1:])
    assert sum(each.share for each in listed) == pytest.approx(1)


def test_one_answer_for_all_has_half_the_fidelity(small: tuple[Caller, Floats, Floats]) -> None:
    caller, rows, labels = small
    twice = np.stack([rows[caller.margins(rows).argmin()]] * 2)  # that the model does not call: there is one answer
    found = rules.surrogate(caller, twice, rows, labels, depth=1)
    assert found.fidelity == found.accuracy == 0.5
    assert found.leaves == 1


def test_a_curve_moves_by_the_clients_there_are() -> None:
    curve = Curve(np.array([0.0, 1.0, 100.0]), np.array([0.0, 1.0, 50.0]))
    assert swing(curve, np.array([0.0, 1.0, 0.0, 1.0])) == 0.5


def test_ways_agree_with_themselves_and_not_with_their_reverse() -> None:
    one = np.random.default_rng(0).normal(size=(6, 9))
    assert row_agreement(one, 3 * one) == pytest.approx(np.ones(6))
    assert agreement(one[0], -one[0]) == pytest.approx(-1)
    assert top_shared(one, -one).tolist() == [1.0] * 6
    assert top_shared(np.eye(2, 9), np.eye(2, 9, k=5), first=1).tolist() == [0.0, 0.0]


def test_twins_differ_where_the_attribute_is_used_and_only_there(bank: Table) -> None:
    rows = bank.features.head(300)
    groups = Groups.of(rows, "marital")
    assert individuals.twins(rows, groups, lambda each: (each["age"] > 40).to_numpy(float)).share == 0
    assert individuals.twins(rows, groups, lambda each: (each["marital"] == "single").to_numpy(float)).share == 1
    ages = individuals.twins(rows, Groups.of(rows, "age"), lambda each: (each["age"] >= 60).to_numpy(float))
    assert ages.share == 1


def test_like_clients_get_like_answers_where_answers_follow_what_is_known(bank: Table) -> None:
    rows, rng = bank.features.head(400), np.random.default_rng(0)
    others = individuals.neighbours(rows, ("marital",), rng)
    near, lot = individuals.consistency((rows["housing"] == "yes").to_numpy(float), others)
    assert near.mean() > lot.mean() + 0.2
    near, lot = individuals.consistency(rng.integers(0, 2, len(rows)).astype(float), others)
    assert near.mean() == pytest.approx(lot.mean(), abs=0.08)


def test_nobody_is_their_own_neighbour_and_a_double_is_the_nearest(bank: Table) -> None:
    rows = pd.concat(
        [bank.features.head(30), bank.features.head(30).assign(marital="single").astype({"marital": "str"})]
    )
    near, _ = individuals.neighbours(rows, ("marital",), np.random.default_rng(0))
    assert (near != np.arange(60)[:, None]).all()
    assert near[:, 0].tolist() == [*range(30, 60), *range(30)]


@pytest.fixture(scope="module")
def found(bank: Table) -> Any:
    """The whole lab on the sample, with fewer clients to explain."""
    from handbook.labs.responsible_use import reasons
    from handbook.labs.responsible_use.results import results

    study = Study.of(bank, KNOWN_AFTER_THE_CALL)
    with pytest.MonkeyPatch.context() as patch:
        for name, few in (("EXPLAINED", 100), ("LOCAL", 20), ("BACKGROUND", 50)):
            patch.setattr(reasons, name, few)
        return results.__wrapped__(study)  # what is kept of the whole lab is not to be this


def test_thresholds_by_group_bring_rates_or_odds_together_where_they_were_learnt() -> None:
    rng = np.random.default_rng(0)
    marital = rng.choice(["divorced", "married", "single"], 6000, p=[0.2, 0.5, 0.3])
    gap = np.select([marital == "married", marital == "single"], [-0.15, 0.15], 0.0)
    target = (rng.random(6000) < 0.3 + gap).astype(np.int64)
    scores = np.clip(rng.normal(0.4 + gap + 0.2 * target, 0.15), 0, 1)
    rows = pd.DataFrame({"marital": marital}).astype({"marital": "str"})
    groups = Groups.of(rows, "marital")

    class Known(Caller):
        def probabilities(self, rows: pd.DataFrame) -> Floats:
            return scores

    caller = Known(Numbers({}), None, 0.5, scores)
    plain = fairness.measures(fairness.table(groups, target, scores >= 0.5))
    for constraint, measure, bound in (
        ("demographic_parity", "disparate impact", 0.9),
        ("equalized_odds", "equalised odds difference", 0.08),
    ):
        calls = mitigation.optimised(constraint, caller, target, groups)(rows)
        found = fairness.measures(fairness.table(groups, target, calls))[measure]
        assert found > bound > plain[measure] if measure == "disparate impact" else found < bound < plain[measure]
        assert np.array_equal(calls, mitigation.optimised(constraint, caller, target, groups)(rows))


def test_a_model_that_does_not_know_an_attribute_treats_twins_alike(found: Any) -> None:
    for each in found.fairness.values():
        assert each.ways["unaware"].twins.share == 0
        assert each.areas["as trained"][0] > 0.7


def test_intervals_of_a_cost_are_of_the_same_rows_for_both(found: Any) -> None:
    each = found.fairness["marital"]
    assert each.cost("as trained", "balanced accuracy") == (0, 0, 0)
    lost, low, high = each.cost("unaware", "ROC-AUC")
    wide = np.ptp(np.percentile(each.areas["unaware"][1:], [2.5, 97.5]))
    assert low <= lost <= high
    assert high - low < wide


def test_explanations_find_what_the_sample_was_drawn_with(found: Any) -> None:
    reasons = found.reasons
    for way, importance in reasons.overall.items():
        ranked = [reasons.names[k] for k in np.argsort(-importance)]
        assert "day" not in ranked[:5], way  # which the sample's answers do not depend on
        assert {"contact", "month", "poutcome"} & set(ranked[:3]), way
    assert np.abs(reasons.shap.base + reasons.shap.parts.sum(axis=1) - found.caller.margins(reasons.rows)).max() < 1e-6


@pytest.mark.slow
def test_the_same_rows_give_the_same_numbers_when_all_is_computed_again(bank: Table) -> None:
    from handbook.labs import responsible_use
    from handbook.labs.responsible_use.results import results

    before = responsible_use.checks(bank)
    results.cache_clear()
    assert responsible_use.checks(bank) == before

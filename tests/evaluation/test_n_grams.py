"""The n-gram that a network must beat, against a literal one; and what mixing the two can and cannot do."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from handbook.evaluation import n_grams
from handbook.evaluation.n_grams import KneserNey, best_share, mixed
from tests.data.test_texts import PLAY, codes


def literal(order: int, characters: int, train: list[int], context: list[int]) -> list[float]:
    """Modified Kneser-Ney as the paper has it, with dictionaries, one context at a time."""
    grams: dict[int, Counter[tuple[int, ...]]] = {
        order: Counter(tuple(train[k : k + order]) for k in range(len(train) - order + 1))
    }
    for n in range(order - 1, 0, -1):
        grams[n] = Counter(gram[1:] for gram in grams[n + 1])  # of how many different longer grams it is the end
    probabilities = [1 / characters] * characters
    for n in range(1, order + 1):
        before = tuple(context[len(context) - n + 1 :])
        n1, n2, n3, n4 = (max(sum(c == k for c in grams[n].values()), 1) for k in (1, 2, 3, 4))
        y = n1 / (n1 + 2 * n2)
        raw = [1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
        taken = [0.0, *(min(max(value, 0.1), k + 1) for k, value in enumerate(raw))]
        counts = [grams[n][(*before, w)] for w in range(characters)]
        total = sum(counts)
        if total:
            left = sum(taken[min(c, 3)] for c in counts)
            probabilities = [
                (c - taken[min(c, 3)] + left * chance) / total for c, chance in zip(counts, probabilities, strict=True)
            ]
    return probabilities


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_the_n_gram_agrees_with_a_literal_one_and_its_probabilities_sum_to_one(order: int) -> None:
    numbers, alphabet = codes(PLAY)
    rng = np.random.default_rng(0)
    train, test = numbers[:180], np.concatenate([numbers[180:], rng.integers(0, len(alphabet), 40)])
    probabilities = KneserNey(order, len(alphabet)).fit(train).probabilities(test)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-12)
    assert probabilities.min() > 0
    for row in range(0, len(probabilities), 7):
        slow = literal(order, len(alphabet), train.tolist(), test[: row + order - 1].tolist())
        np.testing.assert_allclose(probabilities[row], slow, atol=1e-12)


def test_bits_of_an_n_gram_do_not_depend_on_the_pieces_it_is_read_in(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers, alphabet = codes(PLAY)
    model = KneserNey(3, len(alphabet)).fit(numbers[:150])
    whole = model.bits(numbers[150:], numbers[:150])
    monkeypatch.setattr(n_grams, "PLACES", 7)
    np.testing.assert_array_equal(model.bits(numbers[150:], numbers[:150]), whole)


def test_an_order_whose_grams_do_not_fit_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="order must be 1 to 11 for 43 characters, found 12"):
        KneserNey(12, 43)


def test_the_best_order_of_noise_is_one_and_of_a_cycle_is_more() -> None:
    rng = np.random.default_rng(0)
    assert n_grams.best_order(rng.choice(3, 4000, p=[0.8, 0.1, 0.1]), 3) == 1
    assert n_grams.best_order(np.tile([0, 1, 0, 2, 1], 200), 3) > 2


def test_the_bits_are_the_logarithms_of_the_probabilities_of_all_characters() -> None:
    numbers, alphabet = codes(PLAY)
    model = KneserNey(4, len(alphabet)).fit(numbers[:150])
    whole = model.probabilities(numbers[147:])
    there = whole[np.arange(len(whole)), numbers[150:]]
    np.testing.assert_allclose(model.bits(numbers[150:], numbers[:150]), -np.log2(there), rtol=1e-12)


def test_a_mixture_is_the_weighted_mean_of_the_probabilities() -> None:
    ours, theirs = np.array([0.0, 1.0, 40.0]), np.array([3.0, 1.0, 2.0])
    by_hand = -np.log2(0.25 * 2.0**-ours + 0.75 * 2.0**-theirs)
    np.testing.assert_allclose(mixed(ours, theirs, 0.25), by_hand, rtol=1e-12)
    np.testing.assert_array_equal(mixed(ours, theirs, 1.0), ours)
    np.testing.assert_array_equal(mixed(ours, theirs, 0.0), theirs)


def test_the_best_share_takes_no_more_than_either_and_than_any_other_share() -> None:
    rng = np.random.default_rng(0)
    ours, theirs = rng.gamma(2, 1.0, 500), rng.gamma(2, 1.1, 500)
    best = mixed(ours, theirs, best_share(ours, theirs)).mean()
    assert best < min(ours.mean(), theirs.mean())
    assert all(best <= mixed(ours, theirs, share).mean() + 1e-9 for share in np.linspace(0.01, 0.99, 99))
    assert best_share(ours, ours + 1) > 0.99

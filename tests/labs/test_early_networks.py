"""The laws of the lab `early_networks`: the theorem's bound, the round of XOR, and a gradient that is one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Perceptron
from sklearn.neural_network import BernoulliRBM
from sklearn.svm import SVC

from handbook import datasets
from handbook.labs import early_networks as lab
from handbook.labs.early_networks import boltzmann, perceptron
from handbook.labs.early_networks.boltzmann import Machine


def parted(n: int, seed: int, margin: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    """Rows (N, 4) that a plane through the origin parts, none nearer to it than the margin."""
    rng = np.random.default_rng(seed)
    u = rng.normal(size=4)
    u /= np.linalg.norm(u)
    x = rng.uniform(-1, 1, (4 * n, 4))
    x = x[np.abs(x @ u) >= margin][:n]
    return x, np.where(x @ u > 0, 1, -1)


@pytest.mark.parametrize("seed", range(5))
def test_mistakes_stay_within_the_bound_whatever_the_order(seed: int) -> None:
    x, y = parted(150, seed)
    most = perceptron.bound(x, y)
    for order in (np.arange(len(x)), np.random.default_rng(seed).permutation(len(x))):
        learnt = perceptron.learn(x[order], y[order])
        assert learnt.passes is not None
        assert (np.sign(x @ learnt.weights) == y).all()
        assert learnt.mistakes <= most


@pytest.mark.parametrize("seed", range(3))
def test_the_widest_margin_is_the_support_vector_machines(seed: int) -> None:
    x, y = parted(60, seed)
    mirrored, labels = np.vstack([x, -x]), np.append(y, -y)  # its plane then goes through the origin
    theirs = SVC(kernel="linear", C=1e6).fit(mirrored, labels).coef_[0]
    ours = perceptron.widest(x, y)
    cosine = ours @ theirs / np.linalg.norm(ours) / np.linalg.norm(theirs)
    assert cosine == pytest.approx(1, abs=1e-4)


def test_the_rule_is_scikit_learns() -> None:
    x, y = parted(80, 0)
    theirs = Perceptron(eta0=1.0, shuffle=False, tol=None, fit_intercept=False, max_iter=200).fit(x, y)
    np.testing.assert_allclose(perceptron.learn(x, y).weights, theirs.coef_[0], atol=1e-9)


def test_on_xor_the_weights_come_back_and_with_the_product_they_come_to_rest() -> None:
    x, y = perceptron.XOR
    start, length = perceptron.cycle(x, y)
    assert length > 0
    ends = [perceptron.learn(x, y, passes).weights for passes in (start, start + length, start + 2 * length)]
    if start:
        np.testing.assert_array_equal(ends[0], ends[1])
    np.testing.assert_array_equal(ends[1], ends[2])
    assert perceptron.learn(x, y).passes is None
    assert perceptron.learn(perceptron.with_product(x), y).passes is not None


@pytest.fixture
def toy() -> Machine:
    rng = np.random.default_rng(0)
    return Machine(rng.normal(size=(5, 3)), rng.normal(size=5), rng.normal(size=3))


def test_the_likelihood_is_that_of_all_states_by_their_energies(toy: Machine) -> None:
    v, h = boltzmann.states(5), boltzmann.states(3)
    energies = -(v @ toy.a)[:, None] - (h @ toy.b)[None] - v @ toy.W @ h.T  # (32, 8)
    probabilities = np.exp(-energies).sum(axis=1) / np.exp(-energies).sum()
    np.testing.assert_allclose(toy.log_likelihood(v[3:7]), np.log(probabilities[3:7]).mean(), rtol=1e-12)
    np.testing.assert_allclose(np.exp(-toy.free_energy(v)).sum(), np.exp(toy.log_partition()), rtol=1e-12)


def test_the_gradient_by_enumeration_is_the_likelihoods_slope(toy: Machine) -> None:
    data = boltzmann.states(5)[[1, 7, 12, 30]]
    slopes = [plus - minus for plus, minus in zip(toy.expectations(data), toy.of_the_model(), strict=True)]
    for parameter, slope in zip((toy.W, toy.a, toy.b), slopes, strict=True):
        for place in np.ndindex(*parameter.shape):
            old, found = parameter[place], []
            for step in (1e-5, -1e-5):
                parameter[place] = old + step
                found.append(toy.log_likelihood(data))
            parameter[place] = old
            assert (found[0] - found[1]) / 2e-5 == pytest.approx(slope[place], abs=1e-8)


def test_long_gibbs_sampling_comes_to_the_models_expectations(toy: Machine) -> None:
    rng = np.random.default_rng(0)
    chains = toy.gibbs((rng.random((20_000, 5)) < 0.5).astype(float), 60, rng)
    for sampled, exact in zip(toy.expectations(chains), toy.of_the_model(), strict=True):
        np.testing.assert_allclose(sampled, exact, atol=0.015)


def test_free_energies_and_probabilities_are_scikit_learns(toy: Machine) -> None:
    v = boltzmann.states(5)
    theirs = BernoulliRBM(3).fit(v[:4])
    theirs.components_, theirs.intercept_visible_, theirs.intercept_hidden_ = toy.W.T, toy.a, toy.b
    np.testing.assert_allclose(toy.hidden(v), theirs.transform(v), rtol=1e-6)
    np.testing.assert_allclose(toy.free_energy(v), theirs._free_energy(v), rtol=1e-6)


def test_bars_and_stripes_are_fourteen_and_no_model_exceeds_their_entropy() -> None:
    assert boltzmann.bars_and_stripes().shape == (14, 9)
    assert boltzmann.best_likelihood() == pytest.approx(-np.log(14))
    for paths in boltzmann.toy_runs().values():
        assert paths.max() < boltzmann.best_likelihood()
        assert paths[:, -1].min() > paths[:, 0].max()


def test_the_gradient_ends_no_lower_than_what_stands_for_it() -> None:
    runs = boltzmann.toy_runs()
    assert runs["gradient"][:, -1].mean() > max(runs[name][:, -1].mean() for name in ("CD-1", "PCD")) - 0.05


def test_the_checks_hold_the_theorem_on_the_drawn_sample(samples: Callable[[str], Path]) -> None:
    facts = lab.checks(datasets.page("mnist").load(samples("mnist")))
    assert facts["mistakes are within the bound on every pair"] is True
    assert facts["XOR: passes a round"] > 0

"""RBF networks: through every point, equal to other libraries' mathematics, with gradients that small steps confirm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.interpolate import RBFInterpolator

from handbook import datasets
from handbook.labs.rbf_networks import approximation, chaos, descent, digits, network
from handbook.labs.rbf_networks.descent import MLP, RBF, Kind, Parts

Array = network.Array


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def rows(rng: np.random.Generator, number: int = 40) -> tuple[Array, Array]:
    x = rng.random((number, 2))
    return x, approximation.franke(x)


@pytest.mark.parametrize("width", [0.02, 0.1, 0.2])
def test_a_network_with_a_centre_on_every_row_passes_through_every_target(
    width: float, rng: np.random.Generator
) -> None:
    x, t = rows(rng)
    weights = network.interpolated(x, t, width)
    assert_allclose(network.activations(x, x, width) @ weights, t, atol=1e-6)


@pytest.mark.parametrize("alpha", [0.0, 1e-3, 1.0])
def test_it_is_the_interpolator_of_scipy_and_with_a_penalty_the_kernel_ridge_of_scikit_learn(
    alpha: float, rng: np.random.Generator
) -> None:
    x, t = rows(rng)
    at, width = rng.random((50, 2)), 0.15
    ours = network.activations(at, x, width) @ network.interpolated(x, t, width, alpha)
    theirs = RBFInterpolator(x, t, kernel="gaussian", epsilon=2**-0.5 / width, smoothing=alpha, degree=-1)
    assert_allclose(ours, theirs(at), atol=1e-6)
    if alpha:
        from sklearn.kernel_ridge import KernelRidge

        ridge = KernelRidge(alpha=alpha, kernel="rbf", gamma=1 / (2 * width**2)).fit(x, t)
        assert_allclose(ours, ridge.predict(at), atol=1e-9)


@pytest.mark.parametrize("targets", [1, 3])
def test_output_weights_are_those_of_ridge_regression(targets: int, rng: np.random.Generator) -> None:
    from sklearn.linear_model import Ridge

    phi, t = rng.random((50, 8)), rng.normal(size=(50, targets))
    t = t[:, 0] if targets == 1 else t
    theirs = Ridge(alpha=0.3, solver="svd").fit(phi, t)
    ours = network.least_squares(phi, t, 0.3)
    assert_allclose(ours[:-1], theirs.coef_.T, atol=1e-10)
    assert_allclose(ours[-1], theirs.intercept_, atol=1e-10)


def test_centres_are_those_of_scikit_learns_k_means_from_the_same_start(rng: np.random.Generator) -> None:
    from sklearn.cluster import KMeans

    x = rng.normal(size=(300, 3))
    start = network.spread_out(x, 7, rng)
    theirs = KMeans(7, init=start, n_init=1, algorithm="lloyd", tol=0, max_iter=200).fit(x).cluster_centers_
    assert_allclose(network.lloyd(x, start, 200), theirs, atol=1e-9)


def test_a_start_repeats_no_row_while_others_are_left_and_copes_with_equal_rows(rng: np.random.Generator) -> None:
    x = rng.normal(size=(20, 2))
    assert len(np.unique(network.spread_out(x, 20, rng), axis=0)) == 20
    assert network.kmeans(np.ones((9, 2)), 3, rng).shape == (3, 2)


def test_the_width_is_the_printed_rule_and_distances_are_never_negative() -> None:
    centres = np.array([[0.0, 0.0], [3.0, 4.0], [1.0, 0.0]])
    assert network.printed_width(centres) == pytest.approx(5 / np.sqrt(6))
    far = 1e8 + np.random.default_rng(0).random((50, 3))
    assert network.squared(far, far).min() >= 0


@pytest.mark.parametrize("divisor", network.BOOK)
def test_each_divisor_of_the_book_is_a_width_of_its_own(divisor: str) -> None:
    sigma, d = 0.7, 1.3
    below = {"7.1: σ²": sigma**2, "2σ²": 2 * sigma**2, "listing: (2σ)²": (2 * sigma) ** 2}[divisor]
    ours = network.activations(np.array([[d]]), np.zeros((1, 1)), network.BOOK[divisor] * sigma)
    assert ours[0, 0] == pytest.approx(np.exp(-(d**2) / below))


def some(kind: Kind, rng: np.random.Generator, classes: int) -> Parts:
    """Three networks of four units on two inputs."""
    if kind is MLP:
        return descent.perceptrons(3, 2, 4, classes, rng)
    parts = descent.around(rng.random((3, 4, 2)), 0.4, rng.normal(size=(3, 5, classes)))
    return parts._replace(unit=parts.unit + rng.normal(0, 0.2, parts.unit.shape))


@pytest.mark.parametrize("kind", [RBF, MLP], ids=["rbf", "mlp"])
@pytest.mark.parametrize("loss", [descent.squares, descent.cross_entropy])
def test_gradients_equal_finite_differences(kind: Kind, loss: descent.Loss, rng: np.random.Generator) -> None:
    x = rng.random((9, 2))
    t = np.eye(3)[rng.integers(0, 3, 9)] if loss is descent.cross_entropy else rng.normal(size=(9, 1))
    parts = some(kind, rng, t.shape[1])
    _, gradient = descent.slope(kind, parts, x, t, loss)
    for name, part in parts._asdict().items():
        measured = np.empty_like(part)
        for place in np.ndindex(part.shape):
            moved = [part.copy(), part.copy()]
            for each, step in zip(moved, (1e-6, -1e-6), strict=True):
                each[place] += step
            up, down = (descent.slope(kind, parts._replace(**{name: each}), x, t, loss)[0].sum() for each in moved)
            measured[place] = (up - down) / 2e-6
        assert_allclose(getattr(gradient, name), measured, rtol=1e-5, atol=1e-8, err_msg=name)


def test_the_steps_are_those_of_torchs_adamw(rng: np.random.Generator) -> None:
    import torch

    x, t = rng.random((30, 2)), rng.normal(size=(30, 1))
    parts = descent.perceptrons(1, 2, 5, 1, rng)
    ours = descent.last(descent.adam(MLP, parts, descent.whole(x, t, 25), descent.squares, 0.03, 0.5))
    inner, unit, outer = (torch.tensor(part, requires_grad=True) for part in parts)
    groups = [{"params": [inner, outer], "weight_decay": 0.5}, {"params": [unit], "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, 0.03)
    for _ in range(25):
        h = torch.tanh(torch.from_numpy(x) @ inner + unit)
        out = torch.cat([h, torch.ones_like(h[..., :1])], dim=2) @ outer
        optimiser.zero_grad()
        ((out - torch.from_numpy(t)) ** 2).mean().div(2).backward()
        optimiser.step()
    for mine, theirs in zip(ours, (inner, unit, outer), strict=True):
        assert_allclose(mine, theirs.detach().numpy(), atol=1e-10)


@pytest.mark.parametrize("kind", [RBF, MLP], ids=["rbf", "mlp"])
def test_networks_side_by_side_learn_as_each_would_alone(kind: Kind, rng: np.random.Generator) -> None:
    x, t, parts = rng.random((3, 20, 2)), rng.normal(size=(3, 20, 1)), some(kind, rng, 1)
    together = descent.last(descent.adam(kind, parts, descent.whole(x, t, 10), descent.squares, 0.05))
    for k in range(3):
        own = Parts(*(part[k : k + 1] for part in parts))
        alone = descent.last(descent.adam(kind, own, descent.whole(x[k], t[k], 10), descent.squares, 0.05))
        for one, all_ in zip(alone, together, strict=True):
            assert_allclose(one[0], all_[k], atol=1e-12)


@pytest.mark.parametrize("inputs", [2, 196])
def test_with_as_many_units_both_kinds_have_as_many_parameters(inputs: int, rng: np.random.Generator) -> None:
    rbf = descent.around(rng.random((30, inputs)), 1.0, rng.normal(size=(1, 31, 10)))
    assert rbf.size == descent.perceptrons(1, inputs, 30, 10, rng).size


def test_a_batch_holds_no_row_twice_and_a_pass_all_of_them(rng: np.random.Generator) -> None:
    x = np.arange(12)[:, None]
    batches = [rows_[:, 0] for rows_, _ in descent.drawn(x, x, 6, 4, rng)]
    for first in (0, 3):
        assert sorted(np.concatenate(batches[first : first + 3])) == list(range(12))
    with pytest.raises(ValueError, match="no batches"):
        descent.last(iter(()))


def test_the_series_keeps_to_its_equation() -> None:
    fine = chaos.mackey_glass(2, 400, np.random.default_rng(1))
    fast = pytest.MonkeyPatch()
    with fast.context() as patch:
        patch.setattr(chaos, "STEP", 0.05)
        finer = chaos.mackey_glass(2, 400, np.random.default_rng(1))
    # chaos doubles a difference every hundred units or so, so that only a right step stays near for so long
    assert_allclose(fine[:, :150], finer[:, :150], atol=2e-3)
    assert 0.2 < fine.min() < fine.max() < 1.5


def test_rows_of_the_series_are_its_past_and_its_future() -> None:
    x, t = chaos.embedded(np.arange(100.0), 4)
    assert_allclose(x[:, 0] - x[:, 3], 18)
    assert_allclose(t - x[:, 0], 6)
    assert (x[0, 3], t[-1]) == (0, 99)


def test_a_rule_that_knows_the_series_follows_it_to_the_end() -> None:
    wave = np.sin(0.2 * np.arange(600))
    double = 2 * np.cos(1.2)  # of a sine, x(t + 6) = 2 cos(6 w) x(t) - x(t - 6)
    starts = np.array([50, 90])
    found = chaos.alone(lambda x: double * x[:, 0] - x[:, 1], wave[starts[:, None] - 6 * np.arange(4)])
    assert_allclose(found, wave[starts[:, None] + 6 * np.arange(1, chaos.HORIZON + 1)], atol=1e-8)


@pytest.fixture(scope="module")
def drawn(samples: Callable[[str], Any]) -> digits.Digits:
    return digits.Digits.of(datasets.page("mnist").load(samples("mnist")))


def test_pictures_are_means_of_two_by_two_pixels(samples: Callable[[str], Any], drawn: digits.Digits) -> None:
    data = datasets.page("mnist").load(samples("mnist"))
    x, labels = drawn.train()
    assert x.dtype == np.float32
    by_hand = data.train_images[5, 6:8, 10:12].mean().round() / 255
    assert x[5].reshape(14, 14)[3, 5] == pytest.approx(by_hand)
    assert (labels[:50] == data.train_labels[:50]).all()


def test_few_digits_teach_all_three_networks_more_than_chance(drawn: digits.Digits, rng: np.random.Generator) -> None:
    (x, labels), (new, answers) = drawn.train(), drawn.test()
    learnt = digits.learn(x[:300], labels[:300], rng, units=40, updates=80)
    for name, found in digits._named(learnt, x[:300], labels[:300], new).items():
        assert (found == answers).mean() > 0.6, name
    start, end = (
        descent.cross_entropy(descent.outputs(RBF, parts, x[:300]), digits.one_hot(labels[:300]))[0][0]
        for parts in (learnt.solved, learnt.descended)
    )
    assert end < start


def test_units_that_are_rows_are_most_like_them_and_noise_is_like_none(
    drawn: digits.Digits, rng: np.random.Generator
) -> None:
    x, _ = drawn.train()
    rows_ = descent.around(x[:20], 1.0, np.zeros((1, 21, 10), np.float32))
    assert digits.likeness(rows_, x[:100]) == pytest.approx(1, abs=1e-5)
    assert digits.likeness(descent.perceptrons(1, 196, 20, 10, rng), x[:100]) < 0.4


def test_what_lies_far_from_all_rows_is_stranger_than_the_rows(drawn: digits.Digits, rng: np.random.Generator) -> None:
    x, labels = drawn.train()
    learnt = digits.learn(x[:200], labels[:200], rng, units=30, updates=20)
    strange = digits._strangeness(learnt, x[:200], np.concatenate([x[200:300], 1 - x[200:300]]))
    for name in ("RBF: no unit answers", "far from the nearest row"):
        assert strange[name][:100].max() < strange[name][100:].min(), name

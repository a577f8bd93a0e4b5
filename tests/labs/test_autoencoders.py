"""The laws of the lab `autoencoders`: its bounds are bounds, and torch's distributions and scikit-learn agree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch.distributions import Normal, kl_divergence

from handbook import datasets
from handbook.data.images import LabelledImages
from handbook.evaluation.trials import fit
from handbook.labs import autoencoders as lab
from handbook.labs.autoencoders import judging, networks


@pytest.fixture(scope="module")
def digits(samples: Callable[[str], Path]) -> networks.Digits:
    return networks.Digits.first(datasets.page("mnist").load(samples("mnist")), *networks.ALL)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of the sample is learnt from, and longer than the lab does."""
    monkeypatch.setattr(networks, "PART", networks.ALL)
    monkeypatch.setattr(networks, "LEAST", 300)


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_the_divergence_is_torchs() -> None:
    mean, log_variance = draw(7, 3), draw(7, 3, seed=1)
    theirs = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0)).sum(dim=1)
    assert torch.allclose(networks.kl(mean, log_variance), theirs, atol=1e-5)
    assert torch.equal(networks.kl(torch.zeros(1, 3), torch.zeros(1, 3)), torch.zeros(1))


def test_the_normal_density_is_torchs() -> None:
    z, mean, log_variance = draw(5, 4), draw(5, 4, seed=1), draw(5, 4, seed=2)
    theirs = Normal(mean, (log_variance / 2).exp()).log_prob(z).sum(dim=1)
    assert torch.allclose(networks.log_normal(z, mean, log_variance), theirs, atol=1e-5)
    assert torch.allclose(networks.log_normal(z), Normal(0.0, 1.0).log_prob(z).sum(dim=1), atol=1e-5)


def test_the_bounds_lie_below_the_likelihood_and_more_draws_bring_them_nearer() -> None:
    torch.manual_seed(0)
    net, x = networks.VAE(1), torch.rand(4, networks.PIXELS, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        for part in net.decoder.parameters():
            part.mul_(3.0)  # so that the code matters
        grid = torch.linspace(-8, 8, 4001)[:, None]
        seen = -torch.nn.functional.binary_cross_entropy_with_logits(
            net.decoder(grid)[:, None].expand(-1, 4, -1), x.expand(4001, -1, -1), reduction="none"
        ).sum(dim=2)
        exact = (seen + networks.log_normal(grid)[:, None]).logsumexp(dim=0) + np.log(16 / 4000)
        single = torch.stack([networks.elbo(net, x, draw(4, 1, seed=k))[0] for k in range(200)]).mean(dim=0)
        some = torch.stack([networks.importance_bound(net, x, 10, seed) for seed in range(40)]).mean(dim=0)
        many = networks.importance_bound(net, x, 1000, 0)
    assert bool((single < some).all())
    assert bool((some < exact).all())
    assert torch.allclose(many, exact, atol=0.5)


def test_the_monte_carlo_divergence_is_the_closed_one_within_its_error() -> None:
    torch.manual_seed(0)
    net, x = networks.VAE(5), torch.rand(20, networks.PIXELS)
    mean, error = networks.kl_by_draws(net, x, 500, 0)
    with torch.inference_mode():
        closed = float(networks.kl(*net(x)).mean())
    assert abs(mean - closed) < 4 * error
    assert error < 0.05 * closed + 0.01


def test_principal_components_are_scikit_learns_and_leave_the_smallest_error() -> None:
    x = np.random.default_rng(0).normal(size=(200, 6)) @ np.random.default_rng(1).normal(size=(6, 6))
    ours, theirs = judging.Components.of(x, 3), PCA(3).fit(x)
    np.testing.assert_allclose(ours.rows(ours.codes(x, 3)), theirs.inverse_transform(theirs.transform(x)), atol=1e-10)
    np.testing.assert_allclose(ours.variances, theirs.explained_variance_, rtol=1e-10)


def test_a_linear_autoencoder_comes_to_the_error_of_principal_components_and_never_below() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 5)) * (3.0, 2.0, 1.0, 0.5, 0.2)
    pca = judging.Components.of(x, 2)
    best = np.square(x - pca.rows(pca.codes(x, 2))).sum(axis=1).mean()
    torch.manual_seed(0)
    net, rows = torch.nn.Sequential(torch.nn.Linear(5, 2), torch.nn.Linear(2, 5)), torch.from_numpy(x).float()
    losses = fit(
        net, lambda r: (net(rows[r]) - rows[r]).square().sum(dim=1).mean(), 300, steps=800, batch=300, rate=0.03, seed=0
    )
    assert best * (1 - 1e-6) < losses[-1] < best * 1.01


@pytest.mark.slow  # trains for 10 s
@pytest.mark.usefixtures("patient")
def test_an_autoencoder_of_two_numbers_leaves_less_than_two_components(digits: networks.Digits) -> None:
    found = judging.errors(digits)
    assert found["autoencoder", 2].mean() < found["PCA", 2].mean()
    errors = [found["PCA", d].mean() for d in networks.DIMENSIONS]
    assert errors == sorted(errors, reverse=True)


def test_a_great_circle_keeps_its_ends_and_the_length_of_equal_ends() -> None:
    rng = np.random.default_rng(0)
    start, end = rng.normal(size=(2, 6))
    end *= np.linalg.norm(start) / np.linalg.norm(end)
    path = judging.great_circle(start, end, 7)
    np.testing.assert_allclose(path[[0, -1]], [start, end], atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(path, axis=1), np.linalg.norm(start))


@pytest.mark.slow  # trains for 10 s
@pytest.mark.usefixtures("patient")
def test_real_digits_are_recognised_more_often_than_drawn_ones(samples: Callable[[str], Path]) -> None:
    data: LabelledImages = datasets.page("mnist").load(samples("mnist"))
    facts = lab.checks(data)
    shares = {name.split(":")[0]: value for name, value in facts.items() if name.endswith(": recognisable")}
    assert max(shares, key=lambda name: shares[name]) == "real, held out"
    for d in networks.VAE_DIMENSIONS:
        assert facts[f"VAE, {d} dimensions: that bound is tighter"]
        assert abs(facts[f"VAE, {d} dimensions: KL by draws, standard errors off"]) < 4

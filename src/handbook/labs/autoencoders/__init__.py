"""Autoencoders, plain and variational, on digits (section 1.2.2, and what opens chapter 6).

An autoencoder squeezes a picture through few numbers and learns to give it back; what it must keep is a representation
that no label taught. A variational one (VAE) also gives the numbers a distribution, so that numbers drawn at random
become new pictures. The book names both and shows neither. In reading order:

    networks.py    autoencoder, VAE, the bound that it climbs (ELBO), their training
    judging.py     PCA with as many dimensions; digits drawn, and whether their neighbours agree what they are
    drawing.py     figures

The bound is checked in three ways: its KL against a Monte Carlo mean and against torch's, and the bound itself against
a tighter one by importance weights. As a score of outliers an autoencoder stands in the lab `outliers`; generative
adversarial networks, which draw sharper digits, in the case `gan`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from handbook.data.images import LabelledImages
from handbook.evaluation.trials import one_thread, share

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from handbook.labs.autoencoders.networks import Digits

DATASET = "mnist"
SEED = 0
DRAWS = 64  # importance weights a picture, and draws of the KL
BOUNDED = 500  # new digits on which the bounds are compared


def figures(data: LabelledImages) -> dict[str, Figure]:
    """The lab's pictures, each with its finding as title."""
    from handbook.labs.autoencoders import drawing, networks

    digits = networks.Digits.of(data)
    with one_thread():
        return {
            "reconstructions": drawing.reconstructed(digits),
            "error_by_dimension": drawing.by_dimension(digits, np.random.default_rng(SEED)),
            "planes": drawing.planes(digits),
            "bounds": drawing.bounds(digits),
            "manifold": drawing.manifold(digits),
            "samples": drawing.samples(digits),
            "walk": drawing.walk(digits),
        }


def checks(data: LabelledImages) -> dict[str, float | bool]:
    """What was measured, on new digits."""
    from handbook.labs.autoencoders import networks

    digits = networks.Digits.of(data)
    with one_thread():
        return {**_errors(digits), **_bounds(digits), **_drawn(digits)}


def _errors(digits: Digits) -> dict[str, float | bool]:
    from handbook.labs.autoencoders import judging
    from handbook.labs.autoencoders.drawing import share_of_error

    facts: dict[str, float | bool] = {}
    for (name, d), found in judging.errors(digits).items():
        facts[f"{name}, {d} dimensions: squared error a digit"] = float(found.mean())
        if name == "autoencoder":
            facts[f"{name}, {d} dimensions: range of the error over seeds"] = float(np.ptp(found.mean(axis=1)))
            parts = share_of_error(digits, d, np.random.default_rng(SEED))
            for part, value in zip(("", ", low", ", high"), parts, strict=True):
                facts[f"{name}, {d} dimensions: share of PCA's error{part}"] = value
    return facts


def _bounds(digits: Digits) -> dict[str, float | bool]:
    import torch

    from handbook.labs.autoencoders import networks

    x = torch.from_numpy(digits.arrays()[2])
    facts: dict[str, float | bool] = {}
    for d in networks.VAE_DIMENSIONS:
        net, _ = networks.vae(digits, d)
        noise = torch.randn(len(x), d, generator=torch.Generator().manual_seed(SEED))
        with torch.inference_mode():
            bound, divergence = networks.elbo(net, x, noise)
        tighter = networks.importance_bound(net, x[:BOUNDED], DRAWS, SEED)
        mean, error = networks.kl_by_draws(net, x[:BOUNDED], DRAWS, SEED)
        facts |= {
            f"VAE, {d} dimensions: ELBO (nats a digit)": float(bound.mean()),
            f"VAE, {d} dimensions: its KL (nats a digit)": float(divergence.mean()),
            f"VAE, {d} dimensions: KL by draws, standard errors off":
                (mean - float(divergence[:BOUNDED].mean())) / error,
            f"VAE, {d} dimensions: bound by {DRAWS} weights (nats a digit)": float(tighter.mean()),
            f"VAE, {d} dimensions: that bound is tighter": bool(tighter.mean() > bound[:BOUNDED].mean()),
        }  # fmt: skip
    return facts


def _drawn(digits: Digits) -> dict[str, float | bool]:
    from handbook.labs.autoencoders import judging

    facts: dict[str, float | bool] = {}
    labels = digits.arrays()[1]
    shares = np.bincount(labels, minlength=10) / len(labels)
    for name, (agree, classes) in judging.recognised(digits).items():
        for part, value in zip(("", ", low", ", high"), share(int(agree.sum()), len(agree)), strict=True):
            facts[f"{name}: recognisable{part}"] = value
        found = np.bincount(classes, minlength=10) / len(classes)
        facts[f"{name}: distance of the classes' shares"] = float(np.abs(found - shares).sum() / 2)
    return facts

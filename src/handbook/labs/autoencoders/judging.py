"""What the networks are held against: principal components, and digits that a neighbour would recognise.

PCA is the best linear autoencoder: no other of d dimensions leaves a smaller squared error (Eckart and Young 1936), and
its d components are what a linear autoencoder finds (Baldi and Hornik 1989). So what an autoencoder gains is what bends
gain. Pictures drawn are judged by the real ones: a digit counts as recognisable if its five nearest training digits are
all of one class, and each class should be drawn as often as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from handbook.evaluation.trials import one_thread
from handbook.labs.autoencoders.networks import DIMENSIONS, SEEDS, VAE_DIMENSIONS, Digits, autoencoder, vae

Array = npt.NDArray[Any]
DRAWN, NEIGHBOURS = 1000, 5


@dataclass(frozen=True)
class Components:
    """The mean (D,) of rows, their principal directions (D, k), greatest first, and the variances along them (k,)."""

    mean: Array
    directions: Array
    variances: Array

    @classmethod
    def of(cls, x: Array, most: int) -> Components:
        """Of rows (N, D), so many at most."""
        mean = x.mean(axis=0, dtype=np.float64)
        values, vectors = np.linalg.eigh(np.cov(x - mean, rowvar=False))
        return cls(mean, vectors[:, ::-1][:, :most], values[::-1][:most])

    def codes(self, x: Array, d: int) -> Array:
        """Rows (N, D) along the first d directions, (N, d)."""
        return np.asarray((x - self.mean) @ self.directions[:, :d])

    def rows(self, codes: Array) -> Array:
        """What codes (N, d) stand for, (N, D)."""
        return np.asarray(self.mean + codes @ self.directions[:, : codes.shape[1]].T)


@cache
def components(digits: Digits) -> Components:
    return Components.of(digits.arrays()[0], DIMENSIONS[-1])


@cache
def reconstructions(digits: Digits) -> dict[tuple[str, int], Array]:
    """New pictures (N, 784) as each model gives them back, by model and dimensions; of the first seed."""
    new = digits.arrays()[2]
    pca = components(digits)
    found = {("PCA", d): pca.rows(pca.codes(new, d)) for d in DIMENSIONS}
    with one_thread(), torch.inference_mode():
        return found | {("autoencoder", d): autoencoder(digits, d, 0)(torch.from_numpy(new)).numpy()
                        for d in DIMENSIONS}  # fmt: skip


@cache
def errors(digits: Digits) -> dict[tuple[str, int], Array]:
    """Squared errors a picture, ‖x − x̂‖², by model and dimensions: (seeds, N)."""
    new = digits.arrays()[2]
    found = {}
    with one_thread(), torch.inference_mode():
        x = torch.from_numpy(new)
        for (name, d), first in reconstructions(digits).items():
            seeds = range(SEEDS if name == "autoencoder" else 1)
            every = [autoencoder(digits, d, seed)(x).numpy() if seed else first for seed in seeds]
            found[name, d] = np.stack([np.square(each - new).sum(axis=1) for each in every])
    return found


@cache
def drawn(digits: Digits) -> dict[str, Array]:
    """Pictures (1000, 784) that each model draws from random codes, and as many real ones."""
    x, _, new, _ = digits.arrays()
    d, rng = VAE_DIMENSIONS[-1], np.random.default_rng(0)
    pca = components(digits)
    noise = rng.standard_normal((DRAWN, d))
    with one_thread(), torch.inference_mode():
        plain = autoencoder(digits, d, 0)
        codes = plain.encoder(torch.from_numpy(x)).numpy()
        root = np.linalg.cholesky(np.cov(codes, rowvar=False))
        gaussian = codes.mean(axis=0) + noise @ root.T
        return {
            "real, held out": new[:DRAWN],
            f"VAE, {d} dimensions": vae(digits, d)[0].pictures(torch.from_numpy(noise).float()).numpy(),
            f"autoencoder, {d} dimensions": plain.decoder(torch.from_numpy(gaussian).float()).numpy(),
            f"PCA, {d} dimensions": pca.rows(noise * np.sqrt(pca.variances[:d])).clip(0, 1),
        }


@cache
def recognised(digits: Digits) -> dict[str, tuple[Array, Array]]:
    """Of each drawn picture, whether its nearest digits agree, and the class of most of them: (N,) each."""
    x, labels, _, _ = digits.arrays()
    found = {}
    for name, pictures in drawn(digits).items():
        squared = np.square(x).sum(axis=1) - 2 * pictures.astype(np.float32) @ x.T
        nearest = labels[np.argpartition(squared, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]]
        votes = (nearest[:, :, None] == np.arange(10)).sum(axis=1)
        found[name] = votes.max(axis=1) == NEIGHBOURS, votes.argmax(axis=1)
    return found


def great_circle(start: Array, end: Array, steps: int) -> Array:
    """Codes (steps, d) from one to the other along the sphere that normal draws lie near (White 2016)."""
    share = np.linspace(0, 1, steps)[:, None]
    cosine = float(start @ end / (np.linalg.norm(start) * np.linalg.norm(end)))
    angle = np.arccos(np.clip(cosine, -1 + 1e-6, 1 - 1e-6))
    return np.asarray((np.sin((1 - share) * angle) * start + np.sin(share * angle) * end) / np.sin(angle))

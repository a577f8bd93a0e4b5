"""The networks: an autoencoder, a variational one, and how they are trained.

    autoencoder    x -> 784-256-d -> z -> d-256-784 -> x̂,  L = ‖x − x̂‖²
    VAE            q(z|x) = N(m(x), diag s²(x)),  p(z) = N(0, 1),  p(x|z) = Π Bernoulli(x̂)

    log p(x) ≥ ELBO = E_q[log p(x|z)] − KL(q ‖ p),  KL = ½ Σ (m² + s² − 1 − log s²)

(Kingma and Welling 2014, equation 3 and appendix B). The bound is tighter the more draws it is taken over: with
w = p(x|z) p(z) / q(z|x), log of the mean of k weights w lies between it and log p(x) (Burda, Grosse and Salakhutdinov
2016). Grey pixels, 0 to 1, are taken as probabilities of white, as is usual on MNIST.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from handbook.data.subsets import Subset, plan_for
from handbook.evaluation.trials import fit, one_thread

if TYPE_CHECKING:
    from handbook.data.images import LabelledImages

Array = npt.NDArray[Any]
PIXELS, WIDTH = 784, 256
# Digits to learn from and new, of MNIST's 60,000 and 10,000 (all take six times as long); and of a drawn sample.
ALL, PART = (10_000, 2_000), (500, 300)
BATCH, PASSES, RATE, LEAST = 100, {"autoencoder": 8, "vae": 15}, 0.005, 60  # at least so many steps
DIMENSIONS, VAE_DIMENSIONS = (2, 8, 32), (2, 8)
SEEDS = 2


class Digits(Subset):
    """The digits to learn from, and new."""

    @classmethod
    def of(cls, data: LabelledImages) -> Digits:
        return cls.first(data, *plan_for(len(data.train_images), ALL, PART))

    def arrays(self) -> tuple[Array, Array, Array, Array]:
        """Pictures (N, 784) of 0 to 1 and labels (N,), to learn from, and new."""
        x, labels, new, answers = self.flat()
        return x.astype(np.float32) / 255, labels, new.astype(np.float32) / 255, answers


class Autoencoder(nn.Module):
    """Pictures (B, 784) in, reconstructions (B, 784) of 0 to 1 out, by way of codes (B, d)."""

    def __init__(self, d: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(PIXELS, WIDTH), nn.ReLU(), nn.Linear(WIDTH, d))
        self.decoder = nn.Sequential(nn.Linear(d, WIDTH), nn.ReLU(), nn.Linear(WIDTH, PIXELS), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        reconstruction: Tensor = self.decoder(self.encoder(x))
        return reconstruction


class VAE(nn.Module):
    """Pictures (B, 784) in, means and logarithms of variances of q(z|x) out, (B, d) each; logits of pixels from z."""

    def __init__(self, d: int) -> None:
        super().__init__()
        self.d = d
        self.encoder = nn.Sequential(nn.Linear(PIXELS, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 2 * d))
        self.decoder = nn.Sequential(nn.Linear(d, WIDTH), nn.ReLU(), nn.Linear(WIDTH, PIXELS))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        return mean, log_variance

    def pictures(self, z: Tensor) -> Tensor:
        """Probabilities of white (B, 784) for codes (B, d)."""
        return torch.sigmoid(self.decoder(z))


def kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL of N(mean, exp log_variance) from the standard normal, in nats, (B,)."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1)


def log_normal(z: Tensor, mean: Tensor | float = 0.0, log_variance: Tensor | float = 0.0) -> Tensor:
    """log N(z; mean, exp log_variance) over the last axis, in nats."""
    variance = torch.as_tensor(log_variance)
    terms = (z - mean).square() / variance.exp() + variance + math.log(2 * math.pi)
    return -0.5 * terms.sum(dim=-1)


def elbo(net: VAE, x: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """The bound and its KL part, in nats, (B,) each, by one draw z = m + s · noise for each picture."""
    mean, log_variance = net(x)
    logits = net.decoder(mean + (log_variance / 2).exp() * noise)
    divergence = kl(mean, log_variance)
    return -F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(dim=1) - divergence, divergence


@torch.inference_mode()
def importance_bound(net: VAE, x: Tensor, draws: int, seed: int) -> Tensor:
    """The bound on log p(x) by the mean of so many weights, in nats, (B,); one draw is the ELBO, in expectation."""
    generator = torch.Generator().manual_seed(seed)
    mean, log_variance = net(x)
    logs = []
    for _ in range(draws):
        z = mean + (log_variance / 2).exp() * torch.randn(mean.shape, generator=generator)
        seen = -F.binary_cross_entropy_with_logits(net.decoder(z), x, reduction="none").sum(dim=1)
        logs.append(seen + log_normal(z) - log_normal(z, mean, log_variance))
    return torch.stack(logs).logsumexp(dim=0) - math.log(draws)


@torch.inference_mode()
def kl_by_draws(net: VAE, x: Tensor, draws: int, seed: int) -> tuple[float, float]:
    """The mean KL of pictures as the mean of log q − log p over draws, and the standard error of that mean."""
    generator = torch.Generator().manual_seed(seed)
    mean, log_variance = net(x)
    z = mean + (log_variance / 2).exp() * torch.randn((draws, *mean.shape), generator=generator)
    means = (log_normal(z, mean, log_variance) - log_normal(z)).mean(dim=1)  # (draws,), one over all pictures each
    return float(means.mean()), float(means.std() / math.sqrt(draws))


def steps(rows: int, kind: str) -> int:
    """So many passes over the pictures in batches, and of few pictures more."""
    return max(LEAST, PASSES[kind] * rows // BATCH)


@cache
def autoencoder(digits: Digits, d: int, seed: int) -> Autoencoder:
    """Trained once for the same bytes."""
    with one_thread(), torch.inference_mode(False):  # whoever asks for it may be in inference mode
        x = torch.from_numpy(digits.arrays()[0])
        torch.manual_seed(seed)
        net = Autoencoder(d)
        fit(net, lambda rows: (net(x[rows]) - x[rows]).square().sum(dim=1).mean(), len(x),
            steps=steps(len(x), "autoencoder"), batch=BATCH, rate=RATE, seed=seed)  # fmt: skip
    return net


@cache
def vae(digits: Digits, d: int, seed: int = 0) -> tuple[VAE, Array]:
    """Trained once for the same bytes; and the negative ELBO at each step."""
    with one_thread(), torch.inference_mode(False):
        x = torch.from_numpy(digits.arrays()[0])
        torch.manual_seed(seed)
        net, generator = VAE(d), torch.Generator().manual_seed(seed)

        def loss(rows: Tensor) -> Tensor:
            return -elbo(net, x[rows], torch.randn(len(rows), d, generator=generator))[0].mean()

        losses = fit(net, loss, len(x), steps=steps(len(x), "vae"), batch=BATCH, rate=RATE, seed=seed)
    return net, losses

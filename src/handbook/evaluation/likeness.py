"""How like the real pictures generated ones are: distances, precision and recall, memorisation, mode collapse.

All of it is judged in the features of a classifier that was trained on real pictures (`evaluation.report.Judge`), for
two pictures of one digit may share no pixel. One number says how far apart two sets of pictures are (Fréchet distance),
two say why: what is drawn badly lowers precision, what is never drawn lowers recall.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from handbook.evaluation.report import Floats
from handbook.training.adversarial import AT_ONCE, Bytes


def great_circle(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """Vectors (steps, size) from one to the other along the sphere that normal vectors lie near (White 2016).

    A straight line would pass near the middle, where hardly any latent vector that the generator knows lies.
    """
    share = torch.linspace(0, 1, steps, device=start.device, dtype=start.dtype).unsqueeze(1)
    cosine = F.cosine_similarity(start, end, dim=0).clamp(-1 + 1e-6, 1 - 1e-6)
    angle = torch.arccos(cosine)
    return (torch.sin((1 - share) * angle) * start + torch.sin(share * angle) * end) / torch.sin(angle)


def frechet_distance(one: Floats, other: Floats) -> float:
    """Squared Fréchet distance of two Gaussians fitted to features (N, D) and (M, D); 0 where they agree.

    |m - m'|^2 + tr(C + C' - 2 (C C')^(1/2)) (Dowson and Landau 1982; Heusel et al. 2017, equation 6). It falls as N
    grows, so only distances of as many pictures compare.
    """
    return _gaussian_distance(_moments(one), _moments(other))


def frechet_interval(one: Floats, other: Floats, rng: np.random.Generator, resamples: int = 100) -> tuple[float, float]:
    """The 95 % bootstrap interval of `frechet_distance`, both sets resampled.

    Resampling lifts this distance, as few samples do; the interval is the spread of the resampled distances about
    their median, laid around the distance itself.
    """
    found = frechet_distance(one, other)
    again = [_gaussian_distance(_moments(_redrawn(one, rng)), _moments(_redrawn(other, rng))) for _ in range(resamples)]
    low, middle, high = np.percentile(again, [2.5, 50, 97.5])
    return max(0.0, float(found + low - middle)), float(found + high - middle)


def _redrawn(values: Floats, rng: np.random.Generator) -> Floats:
    return np.asarray(values[rng.integers(0, len(values), len(values))])


def _moments(features: Floats) -> tuple[Floats, Floats]:
    values = np.asarray(features, dtype=np.float64)
    if values.ndim != 2 or len(values) < 2:
        raise ValueError(f"expected features of shape (N, D) of 2 pictures or more, found {values.shape}")
    mean = values.mean(axis=0)
    centred = values - mean
    return mean, centred.T @ centred / (len(values) - 1)


def _gaussian_distance(one: tuple[Floats, Floats], other: tuple[Floats, Floats]) -> float:
    """tr (C C')^(1/2) is the sum of the roots of the eigenvalues of the symmetric C^(1/2) C' C^(1/2)."""
    (mean, spread), (mean_, spread_) = one, other
    values, vectors = np.linalg.eigh(spread)
    root = vectors * np.sqrt(np.clip(values, 0, None)) @ vectors.T
    shared = np.sqrt(np.clip(np.linalg.eigvalsh(root @ spread_ @ root), 0, None)).sum()
    distance = np.square(mean - mean_).sum() + np.trace(spread) + np.trace(spread_) - 2 * shared
    return max(0.0, float(distance))


def precision_recall(real: Floats, generated: Floats, neighbours: int = 3) -> tuple[float, float]:
    """Share of made features (M, D) within the real ones' manifold, and of real (N, D) within the made ones'.

    A set's manifold is the union of balls around its points, each reaching to its k-th neighbour (Kynkäänniemi et al.
    2019, equations 1 and 2). Only values of as many pictures compare.
    """
    real_, generated_ = (torch.from_numpy(np.ascontiguousarray(each, dtype=np.float64)) for each in (real, generated))
    if min(len(real_), len(generated_)) <= neighbours:
        raise ValueError(
            f"expected more than {neighbours} pictures of each kind, found {len(real_)} and {len(generated_)}"
        )
    return _within(generated_, real_, neighbours), _within(real_, generated_, neighbours)


def _within(points: Tensor, centres: Tensor, neighbours: int) -> float:
    """Share of points that lie in the ball of at least one centre."""
    reach = torch.cat([
        # the nearest of all is the centre itself; a fifth of what `kthvalue` takes, for so few of so many
        _squared(part, centres).topk(neighbours + 1, dim=1, largest=False, sorted=False).values.amax(dim=1)
        for part in torch.split(centres, AT_ONCE)
    ])  # fmt: skip
    inside = [(_squared(part, centres) <= reach).any(dim=1) for part in torch.split(points, AT_ONCE)]
    return float(torch.cat(inside).double().mean())


def _squared(points: Tensor, others: Tensor) -> Tensor:
    """Squared distances (N, M), by one product of matrices."""
    lengths = points.square().sum(dim=1, keepdim=True) + others.square().sum(dim=1)
    return torch.addmm(lengths, points, others.T, alpha=-2).clamp_(min=0)


def likeness(real: Floats, generated: Floats) -> dict[str, float]:
    """How alike two sets of features are, by the names that the field gives its figures."""
    precision, recall = precision_recall(real, generated)
    return {"frechet_distance": frechet_distance(real, generated), "precision": precision, "recall": recall}


def nearest(queries: npt.NDArray[Any], references: npt.NDArray[Any]) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Distance (N,) from each query (N, ...) to its nearest reference (M, ...), and the index (N,) of that one."""
    mine, theirs = (
        torch.from_numpy(np.ascontiguousarray(each.reshape(len(each), -1), dtype=np.float32))
        for each in (queries, references)
    )
    centre = theirs.mean(dim=0)  # near the origin, single precision loses least
    mine, theirs = mine - centre, theirs - centre
    place = torch.cat([_squared(part, theirs).argmin(dim=1) for part in torch.split(mine, AT_ONCE)])
    distance = (mine - theirs[place]).norm(dim=1)  # computed again: the product has lost the digits of a small one
    return np.asarray(distance.double().numpy()), np.asarray(place.numpy())


def memorised(generated: Floats, held_out: Floats, share: float = 0.05) -> float:
    """Share of made pictures nearer to a training picture than the nearest `share` of held-out ones are.

    Takes the distances (N,) and (M,) of `nearest`. A generator that copies gets near 1, one that draws from what the
    held-out pictures are drawn from gets `share`.
    """
    return float((generated < np.quantile(held_out, share)).mean())


def pixel_gaussian(pictures: Bytes, number: int, rng: np.random.Generator, of: int = 2000) -> Bytes:
    """A simple generator: pictures (number, ...) of a Gaussian with the mean and covariance of `of` of the pictures.

    A normal mixture of centred pictures has their covariance, so that no matrix of pixels by pixels is needed.
    """
    chosen = pictures[rng.permutation(len(pictures))[:of]].reshape(min(of, len(pictures)), -1).astype(np.float32)
    mean = chosen.mean(axis=0)
    weights = rng.standard_normal((number, len(chosen)), dtype=np.float32) / np.sqrt(len(chosen) - 1, dtype=np.float32)
    drawn = mean + weights @ (chosen - mean)
    return np.asarray(drawn.clip(0, 255).round().astype(np.uint8).reshape(number, *pictures.shape[1:]))


def pixel_by_pixel(pictures: Bytes, number: int, rng: np.random.Generator) -> Bytes:
    """The trivial generator: every pixel of (number, ...) is that pixel of some other one of the pictures."""
    flat = pictures.reshape(len(pictures), -1)
    drawn = flat[rng.integers(0, len(flat), (number, flat.shape[1])), np.arange(flat.shape[1])]
    return np.asarray(drawn.reshape(number, *pictures.shape[1:]))


def collapse(shares: Floats, recall: float, least_share: float, least_recall: float) -> str:
    """What has collapsed, in a sentence, or nothing: classes that are hardly made, or variety that is missing."""
    rare = [f"{k} ({share:.1%})" for k, share in enumerate(shares) if share < least_share]
    reasons = []
    if rare:
        reasons.append(f"class {', '.join(rare)} below {least_share:.0%} of the pictures generated")
    if recall < least_recall:
        reasons.append(f"recall {recall:.2f} below {least_recall:.2f}")
    return f"Mode collapse: {' and '.join(reasons)}." if reasons else ""

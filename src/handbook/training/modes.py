"""The modes of pictures that nobody labelled: groups that a pair of networks is given (Liu et al. 2020).

A generator without labels has to find out by itself that there are ten digits, and what it draws between two of them
looks like neither. *Diverse image generation via self-conditioned GANs* (CVPR 2020) cuts the training pictures into
groups by k-means and gives both sides the group, as a conditional pair is given the digit; here the groups are found
once, among the pictures' principal components, and no label is looked at.

Whoever draws still sends noise alone. A latent vector's first number says the group: the normal distribution is cut in
proportion to the groups' shares, and where the number lies within its part becomes a standard normal number again.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from scipy.special import ndtr, ndtri

COMPONENTS = 50  # they hold four fifths of how digits differ
STARTS = 3  # of k-means, the best of which is kept
AT_ONCE = 4096  # pictures by which centres move
LEAST = 30  # pictures a group, on average: of few pictures there are fewer groups

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]
Noise = npt.NDArray[np.float32]


def given(pictures: Bytes | Noise, number: int, seed: int, place: torch.device) -> tuple[torch.Tensor, list[float]]:
    """The group of each picture (N, ...) as `groups` finds it, (N,) on the device to train on, and their shares."""
    found = groups(pictures, number, seed)
    return torch.from_numpy(found).to(place), shares(found)


def groups(pictures: Bytes | Noise, number: int, seed: int) -> Numbers:
    """The group 0 .. k - 1 of each picture (N, ...) of 0-255 by k-means, (N,): `number` of them, or fewer of few."""
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.decomposition import PCA
    from threadpoolctl import threadpool_limits

    number = min(number, max(1, len(pictures) // LEAST))
    flat = pictures.reshape(len(pictures), -1) / np.float32(255)
    with threadpool_limits(1):  # sums that are shared out have other last digits
        parts = PCA(min(COMPONENTS, *flat.shape), svd_solver="randomized", random_state=seed).fit_transform(flat)
        found = MiniBatchKMeans(number, batch_size=AT_ONCE, n_init=STARTS, random_state=seed).fit(parts)
    return np.asarray(found.labels_, np.int64)


def shares(groups: Numbers) -> list[float]:
    """The share of each group 0 .. k - 1 among the pictures whose groups (N,) these are, (k,)."""
    counts = np.bincount(groups).astype(np.float32)
    return (counts / np.float32(len(groups))).tolist()  # type: ignore[no-any-return]


def requested(noise: Noise, shares: list[float]) -> tuple[Noise, Numbers]:
    """The group (N,) that latent vectors (N, latent) ask for, and the vectors as the generator takes them.

    With groups as frequent as `shares` (k,), which sum to 1, both are distributed as in training: groups by their
    shares, and each number of a vector standard normal whatever the group.
    """
    share = np.asarray(shares)
    ends = np.cumsum(share)
    place = ndtr(noise[:, 0].astype(np.float64))
    chosen = np.searchsorted(ends[:-1], place, side="right")
    within = (place - (ends - share)[chosen]) / share[chosen]
    tiny = np.finfo(np.float64).eps
    taken = noise.copy()
    taken[:, 0] = ndtri(np.clip(within, tiny, 1 - tiny))
    return taken, chosen.astype(np.int64)

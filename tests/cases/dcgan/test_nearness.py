"""Laws of memorising: a generator that copies is found out, one that does not is not."""

from __future__ import annotations

import numpy as np

from handbook.cases.dcgan import nearness


def pictures(n: int, seed: int) -> np.ndarray:
    """Smooth random pictures (n, 64, 64, 3)."""
    coarse = np.random.default_rng(seed).integers(0, 256, (n, 8, 8, 3)).astype(np.uint8)
    return coarse.repeat(8, axis=1).repeat(8, axis=2)


def features(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1)[:, ::97].astype(float)


def test_a_generator_that_returns_training_pictures_is_found_out_mirrored_or_not() -> None:
    known, held_out, fresh = pictures(300, 1), pictures(80, 2), pictures(80, 3)
    copies = np.concatenate([known[:40], known[40:80, :, ::-1]])

    def share(generated: np.ndarray) -> float:
        return nearness.Nearness(features, features(known), generated, held_out, 0.05).memorised()

    assert share(copies) == 1
    assert share(fresh) < 0.2
    near = nearness.Nearness(features, features(known), copies, held_out, 0.05)
    assert near.interval(np.random.default_rng(0)) == (1, 1)
    by_chance = nearness.Nearness(features, features(known), held_out, held_out, 0.05)
    low, high = by_chance.interval(np.random.default_rng(0))
    assert low <= 0.05 <= high

"""What takes no network to draw, and how near to what was trained on drawings lie: memorising, held against chance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from handbook.evaluation import likeness
from handbook.evaluation.sliced import Bytes, Floats


def trivial(known: Bytes, number: int, rng: np.random.Generator) -> dict[str, Bytes]:
    """What takes no network to draw, `number` pictures each: nothing, each pixel for itself, mean and covariance."""
    return {
        "blank": np.full((number, *known.shape[1:]), 255, np.uint8),
        "independent_pixels": likeness.pixel_by_pixel(known, number, rng),
        "pixel_gaussian": likeness.pixel_gaussian(known, number, rng),
    }


class Nearness:
    """How near to what was trained on drawings lie, and held-out pictures: distances `made` (N,), `held_out` (M,).

    Pictures (N, H, W, 3), as they are or mirrored, are compared by their looks (N, D), with those known (K, D).
    """

    def __init__(
        self, look: Callable[[Bytes], Any], known: Any, generated: Bytes, held_out: Bytes, share: float
    ) -> None:
        self.share = share
        self.generated, self.held_out = (
            np.minimum(*(likeness.nearest(look(each), known)[0] for each in (pictures, pictures[:, :, ::-1])))
            for pictures in (generated, held_out)
        )

    def memorised(self) -> float:
        """Share of the drawings that lie as near as only that share of the held-out pictures do."""
        return likeness.memorised(self.generated, self.held_out, self.share)

    def interval(self, rng: np.random.Generator, resamples: int = 400) -> tuple[float, float]:
        """The 95 % bootstrap interval of `memorised`, both sets resampled."""
        again = [
            likeness.memorised(
                rng.choice(self.generated, len(self.generated)),
                rng.choice(self.held_out, len(self.held_out)),
                self.share,
            )
            for _ in range(resamples)
        ]
        low, high = np.percentile(again, [2.5, 97.5])
        return float(low), float(high)


def thumbnails(pictures: Bytes) -> Floats:
    """Pictures (N, 64, 64, 3) at a quarter of their side, (N, 768): a shift by a pixel hardly changes them."""
    blocks: Floats = pictures.reshape(len(pictures), 16, 4, 16, 4, 3).mean(axis=(2, 4), dtype=np.float32)
    return blocks.reshape(len(pictures), -1)

"""Pictures of pictures: shown as they are."""

from __future__ import annotations

import numpy as np
import pytest

from handbook.evaluation.figures import mosaic


@pytest.mark.parametrize("colour", [(), (3,)])
def test_a_mosaic_shows_every_picture_as_it_is(colour: tuple[int, ...]) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 5, 28, 28, *colour), dtype=np.uint8)
    shown = mosaic(pictures, "two rows of five", ["a", "b"], list("12345")).axes[0].images[0].get_array()
    np.testing.assert_array_equal(shown[30:58, 60:88], pictures[1, 2])

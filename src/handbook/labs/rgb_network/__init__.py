"""The colour network of section 4.3, mended, on sprites: three channels, sixteen kernels, thirty-two, ten answers.

The book lists two convolutions of 3 x 3 that keep the size, from 3 to 16 and to 32 channels, and two dense layers, to
128 and to 10. It feeds them 32 x 32 pictures of noise and gives the first dense layer room for 28 x 28: the listing
does not run. Here the layer has 32 · 32 · 32 inputs, and the network something to say: from which of the ten games a
sprite is, of Pokemon none of whose sprites it has learnt from.

    network.py    the network as listed, its kin with pooling, training, baselines
    drawing.py    figures

It is held against the commonest game, a linear model on the pixels, the same layers with a max pooling of 2 x 2 after
each convolution, which section 4.3 recommends and does not list, and those on grey pictures: what colour is worth. The
case `sprites` tells the Pokemon themselves apart. Intervals are of Pokemon drawn again, since sprites of one are alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handbook.data.sprites import Sprites
from handbook.labs.rgb_network import network

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DATASET = "pokemon"


def figures(data: Sprites) -> dict[str, Figure]:
    """The lab's pictures, each with its finding as title."""
    from handbook.labs.rgb_network import drawing

    shown = network.Games.of(data)
    results = network.results(shown)
    return {
        "accuracy": drawing.ranked(shown, results),
        "confusion": drawing.confused(shown, results),
        "kernels": drawing.kernels(results),
        "mistakes": drawing.mistakes(shown, results),
    }


def checks(data: Sprites) -> dict[str, float | bool]:
    """What was measured; accuracies are of sprites whose Pokemon were held out, their bounds those of 95 %."""
    shown = network.Games.of(data)
    results = network.results(shown)
    facts: dict[str, float | bool] = {
        "games": len(shown.names), "training sprites": len(shown), "test sprites": shown.tested,
        "test sprites that are in several games pixel for pixel": shown.ambiguous,
        "dense inputs of the printed network": network.INPUTS["as listed"],
    }  # fmt: skip
    for name, right in results.right.items():
        mean, low, high = network.interval(right, shown)
        facts |= {f"{name}: accuracy": mean, f"{name}: low": low, f"{name}: high": high}
    for name, count in results.weights.items():
        facts[f"{name}: weights"] = count
    for better, worse in (("with pooling", "as listed"), ("with pooling", "with pooling, grey")):
        mean, low, high = network.interval(results.right[better] - results.right[worse], shown)
        facts |= {
            f"{better} less {worse}: accuracy": mean,
            f"{better} less {worse}: low": low,
            f"{better} less {worse}: high": high,
        }
    return facts

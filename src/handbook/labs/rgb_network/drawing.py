"""The lab's pictures: results in, a Figure out, the finding as its title."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from handbook.evaluation import figures as draw
from handbook.labs.rgb_network import network

MODEL = "with pooling"


def ranked(shown: network.Games, results: network.Results) -> Figure:
    """Accuracy of each model on Pokemon that none has learnt from."""
    bounds = np.array([network.interval(right, shown) for right in results.right.values()])
    order = np.argsort(-bounds[:, 0], kind="stable")
    names = [_sized(name, results) for name in results.right]
    printed, base = bounds[list(results.right).index("as listed"), 0], bounds[0, 0]
    mean, low, high = (
        100 * each for each in network.interval(results.right[MODEL] - results.right["as listed"], shown)
    )
    return draw.ranking(
        [names[k] for k in order], 100 * bounds[order, 0], 100 * bounds[order, 1:],
        f"The printed network, mended, names the game of {printed:.0%} of {shown.tested:,} sprites;\n"
        f"the commonest game is {base:.0%}. Pooling: {mean:+.1f} points ({low:+.1f} to {high:+.1f})",
        "accuracy (%), 95 % interval over Pokemon",
    )  # fmt: skip


def _sized(name: str, results: network.Results) -> str:
    return f"{name} ({results.weights[name]:,} weights)" if name in results.weights else name


def confused(shown: network.Games, results: network.Results) -> Figure:
    """Which games are taken for which."""
    from sklearn.metrics import confusion_matrix

    answers = shown.arrays()[3]
    matrix = confusion_matrix(answers, results.predicted[MODEL], labels=range(len(shown.names)))
    off = matrix * (1 - np.eye(len(matrix), dtype=np.int64))
    pairs = np.triu(off + off.T)
    i, j = np.unravel_index(pairs.argmax(), pairs.shape)
    return draw.confusion(
        matrix, shown.names, f"{pairs[i, j] / max(off.sum(), 1):.0%} of its {off.sum():,} mistakes are between\n"
        f"{shown.names[i]} and {shown.names[j]}"
    )  # fmt: skip


def kernels(results: network.Results) -> Figure:
    """The first layer's kernels as colours: each channel from its least to its greatest weight over all kernels."""
    weights = results.nets[MODEL][0].weight.detach().numpy()  # (16, 3, 3, 3)
    limit = float(np.abs(weights).max())
    coloured = ((weights / limit + 1) * 127.5).round().astype(np.uint8).transpose(0, 2, 3, 1)
    grey = weights.mean(axis=1, keepdims=True)
    share = 1 - float(np.square(grey).sum() * 3 / np.square(weights).sum())
    large = coloured.repeat(8, axis=1).repeat(8, axis=2).reshape(2, 8, 24, 24, 3)
    return draw.mosaic(
        large, f"Sixteen kernels of 3 × 3 on three channels: {share:.0%} of\ntheir strength is in differences of "
        f"colour (at random {2 / 3:.0%})",
        side=0.8,
    )  # fmt: skip


def mistakes(shown: network.Games, results: network.Results) -> Figure:
    """Sprites that the network took for another game's, eighteen of them."""
    _, _, new, answers = shown.arrays()
    predicted = results.predicted[MODEL]
    wrong = np.flatnonzero(predicted != answers)
    some = wrong[:: max(1, len(wrong) // 18)][:18]  # of all games
    captions = [f"{shown.names[answers[k]]},\ntaken for\n{shown.names[predicted[k]]}" for k in some]
    return draw.gallery(
        new[some], captions, f"Some of {len(wrong):,} mistakes in {shown.tested:,}; {shown.ambiguous} of these "
        "sprites are in several games, pixel for pixel"
    )  # fmt: skip

"""Where a transformer looks: the weight that each head gives to the character so many places back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from handbook.contract import Split
from handbook.data.texts import Passage

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]
WINDOWS = 64  # that means are taken over


@torch.inference_mode()
def weights(model: Any, text: torch.Tensor) -> torch.Tensor:
    """The attention (layers, B, heads, T, T) of a text (B, T): of the place in a row to the place in a column."""
    x, found = model.stream(text), []
    for block in model.blocks:
        query, key, _ = block.projected(x)
        scores = query @ key.transpose(2, 3) / query.shape[-1] ** 0.5
        ahead = torch.ones(scores.shape[-2:], dtype=torch.bool, device=x.device).triu(1)
        found.append(scores.masked_fill(ahead, float("-inf")).softmax(dim=-1))
        x = block(x)
    return torch.stack(found)


def by_distance(attention: torch.Tensor) -> Floats:
    """The mean weight (layers x heads, T) of the place 0, 1, ... T - 1 back, from a window's last place.

    Attention is (layers, B, heads, T, T); from the last place alone, because only there all distances are possible.
    """
    last = attention[..., -1, :].mean(dim=1).flatten(0, 1).flip(1)  # (layers x heads, T)
    return np.asarray(last.double().cpu().numpy())


def figures(model: Any, split: Split[Passage]) -> dict[str, Figure]:
    """The weight of each distance, head by head, as the model reads windows of the test text."""
    from handbook.evaluation.figures import canvas

    codes, size = split.test.codes, min(model.params.context, len(split.test.codes))
    starts = np.linspace(0, len(codes) - size, WINDOWS).astype(int)
    where = next(model.parameters()).device
    text = torch.from_numpy(codes[starts[:, None] + np.arange(size)]).to(where)
    found = by_distance(weights(model.eval(), text))
    names = [f"block {k // model.params.heads + 1}, head {k % model.params.heads + 1}" for k in range(len(found))]
    figure, axes = canvas(size=(10.2, 0.24 * len(found) + 1.7))
    shown = axes.imshow(np.log10(np.maximum(found, 1e-4)), aspect="auto", cmap="viridis", vmin=-4, vmax=0)
    axes.set(yticks=range(len(names)), yticklabels=names, xlabel="characters back; 0: the last one read")
    bar = figure.colorbar(shown, ax=axes, pad=0.01, ticks=[-4, -3, -2, -1, 0])
    bar.set_label("mean weight")
    bar.ax.set_yticklabels(["1/10,000", "1/1,000", "1/100", "1/10", "1"])
    axes.set_title(finding(found))
    return {"attention": figure}


def finding(weight: Floats) -> str:
    """How far back the heads look on average, the nearest and the farthest of (heads, T) weights."""
    reach = weight @ np.arange(weight.shape[1])
    near = (weight[:, :8].sum(axis=1) > 0.5).sum()
    return (
        f"Heads look {reach.min():.1f} to {reach.max():.1f} characters back on average; {near} of {len(weight)} give "
        f"most of their weight to the last {min(8, weight.shape[1])}"
    )

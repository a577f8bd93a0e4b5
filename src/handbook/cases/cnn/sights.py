"""What a convolutional network looks at: filters, receptive fields, feature maps and saliency."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from handbook.data.images import Bytes, Pictures
from handbook.evaluation.recognition import Probabilities, captions, confident_mistakes
from handbook.training.run import device


def multiply_adds(network: nn.Module, picture: Tensor) -> int:
    """Multiplications, each with its addition, that the network's convolutions and dense layers do for one picture."""
    done: list[int] = []

    def count(layer: nn.Module, inputs: Any, output: Tensor) -> None:
        weight = layer.weight
        assert isinstance(weight, Tensor)
        done.append(output[0].numel() * weight[0].numel())

    layers = [each for each in network.modules() if isinstance(each, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    with torch.no_grad():
        network(picture)
    for hook in hooks:
        hook.remove()
    return sum(done)


def windows(network: nn.Module) -> list[nn.Conv2d | nn.MaxPool2d]:
    """The layers that look through a window, in order."""
    return [each for each in network.modules() if isinstance(each, nn.Conv2d | nn.MaxPool2d)]


def receptive_fields(network: nn.Module) -> list[tuple[str, int, int]]:
    """Name, receptive field and step between neighbours, in pixels, after each window (Araujo, Norris and Sim 2019).

    A window of k reaches k - 1 of its inputs further, which lie j pixels apart: r = r + (k - 1) j, then j = j s. Where
    paths part and meet again the longest counts, so the layers of a residual branch are taken as if in a row.
    """
    fields, r, j = [], 1, 1
    for layer in windows(network):
        k, s = (value if isinstance(value, int) else int(value[0]) for value in (layer.kernel_size, layer.stride))
        r, j = r + (k - 1) * j, j * s
        fields.append((f"{'convolution' if isinstance(layer, nn.Conv2d) else 'pooling'} {k} x {k}", r, j))
    return fields


def gradient_supports(network: nn.Module, seed: int = 0, pictures: int = 16) -> list[int]:
    """The receptive fields by trial: how wide the gradient of the middle value after each window spreads, in pixels.

    Weights are made positive, so that nothing cancels; a maximum hands its gradient to one input only, so many
    pictures of noise are asked, and what any of them shows counts.
    """
    network = copy.deepcopy(network).float().cpu().eval()
    for each in network.modules():
        if isinstance(each, nn.BatchNorm2d):
            each.reset_running_stats()
    for weight in network.parameters():
        weight.data.abs_()
    _, widest, j = receptive_fields(network)[-1]
    seen: list[Tensor] = []
    hooks = [each.register_forward_hook(lambda _, __, output: seen.append(output)) for each in windows(network)]
    side = widest + 4 * j  # the middle value's field must lie inside
    noise = torch.rand(pictures, 1, side, side, generator=torch.Generator().manual_seed(seed)).requires_grad_()
    network(noise)
    for hook in hooks:
        hook.remove()
    return [_spread(output, noise) for output in seen]


def _spread(output: Tensor, noise: Tensor) -> int:
    """Pixels from the first to the last row that the middle value of any channel depends on."""
    middle = output.shape[-1] // 2
    (gradient,) = torch.autograd.grad(output[:, :, middle, middle].sum(), noise, retain_graph=True)
    touched = gradient.abs().amax(dim=(0, 1, 3)).nonzero()
    return int(touched.max() - touched.min()) + 1


def integrated_gradients(score: Callable[[Tensor], Tensor], images: Tensor, steps: int = 64) -> Tensor:
    """How much each pixel of pictures (N, H, W) adds to the score (N,), from black on (Sundararajan et al. 2017).

    A picture's shares add up to score(picture) - score(black), but for the error of `steps` midpoints.
    """
    total = torch.zeros_like(images)
    for step in range(steps):
        at = (images * ((step + 0.5) / steps)).requires_grad_()
        total += torch.autograd.grad(score(at).sum(), at)[0]
    return images * total / steps


def feature_maps(
    stages: nn.Sequential, scaled: Callable[[Tensor], Tensor], picture: Bytes, most: int = 8
) -> dict[str, npt.NDArray[np.float32]]:
    """After each stage, the maps (most, h, w) of a picture (28, 28) that vary most over it."""
    shown = {}
    with torch.no_grad():
        x = scaled(torch.from_numpy(picture[None].copy()).to(device()))
        for number, stage in enumerate(stages):
            x = stage(x)
            most_varied = x[0].flatten(1).std(dim=1).argsort(descending=True)[:most]
            shown[f"stage {number}" if number else "stem"] = x[0, most_varied].float().cpu().numpy()
    return shown


def activation_figures(stages: nn.Sequential, scaled: Callable[[Tensor], Tensor], picture: Bytes) -> dict[str, Any]:
    """Figures of what a stack of convolutions sees: its filters, receptive fields, and maps of a picture (28, 28).

    `scaled` turns pictures (B, 28, 28) of 0-255 into what the first stage takes.
    """
    from handbook.evaluation import figures as draw

    kernels = next(stages.parameters()).detach().float().cpu().numpy()[:, 0]  # (N, k, k)
    fields = receptive_fields(stages)
    side = kernels.shape[1]
    return {
        "filters": draw.filters(kernels, f"The {len(kernels)} filters of {side} x {side} that the first layer learned"),
        "receptive_fields": draw.receptive_fields(
            picture,
            {f"{number} {name}": r for number, (name, r, _) in enumerate(fields, start=1)},
            np.array(gradient_supports(stages)),
            f"A value sees {fields[0][1]} pixels across after the first layer, {fields[-1][1]} after the last",
        ),
        "feature_maps": draw.feature_maps(
            picture, feature_maps(stages, scaled, picture), "From edges to parts: the liveliest maps of each stage"
        ),
    }


def saliency(model: nn.Module, probabilities: Probabilities, test: Pictures, most: int = 6) -> Any:
    """A figure of the surest mistakes: which pixels speak for the wrong answer, and which for the right one."""
    from handbook.evaluation import figures as draw

    labels = test.labels.astype(np.int64)
    worst = confident_mistakes(labels, probabilities, most)
    images = torch.from_numpy(test.images[worst]).float().to(device())
    place = torch.arange(len(worst), device=images.device)
    right, said = (
        torch.from_numpy(each).to(images.device) for each in (labels[worst], probabilities[worst].argmax(axis=1))
    )

    def lead(pictures: Tensor) -> Tensor:
        logits = model(pictures)
        return logits[place, said] - logits[place, right]  # type: ignore[no-any-return]

    return draw.attributions(
        test.images[worst],
        integrated_gradients(lead, images).cpu().numpy(),
        captions(worst, labels, probabilities, test.classes),
        "What misleads it: red pixels speak for its answer, blue ones for the true class",
    )

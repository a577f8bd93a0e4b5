"""Recognising small pictures: how they are varied in training, how a classifier is judged, and what it looks at.

What the pages on labelled pictures share, so that they differ in nothing but the network and its recipe.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from handbook.evaluation import Report, bootstrap, calibration, classification, majority
from handbook.images import SIDE, Bytes, LabelledImages
from handbook.runs import device

if TYPE_CHECKING:
    import pandas as pd

Chances = npt.NDArray[np.float64]
JUDGING = 2048  # pictures at a time where no gradient is kept


def mirrored(images: Tensor) -> Tensor:
    """Each picture (B, H, W) as it is or left to right, by the toss of a coin."""
    coin = torch.rand(len(images), 1, 1, device=images.device) < 0.5
    return torch.where(coin, images.flip(2), images)


def shifted(images: Tensor, most: int) -> Tensor:
    """Each picture (B, 28, 28) moved by up to `most` pixels each way, what comes in being black."""
    padded = F.pad(images, (most, most, most, most))
    windows = padded.unfold(1, SIDE, 1).unfold(2, SIDE, 1)  # (B, places, places, 28, 28), a view
    down, right = torch.randint(0, 2 * most + 1, (2, len(images)), device=images.device)
    return windows[torch.arange(len(images), device=images.device), down, right]


def erased(images: Tensor, side: int) -> Tensor:
    """Each picture (B, H, W) with a black square in it, its middle anywhere on the picture (DeVries, Taylor 2017)."""
    many, high, wide = images.shape
    where = images.device
    top = torch.randint(0, high, (many, 1), device=where) - side // 2
    left = torch.randint(0, wide, (many, 1), device=where) - side // 2
    rows, columns = torch.arange(high, device=where), torch.arange(wide, device=where)
    down, across = (rows >= top) & (rows < top + side), (columns >= left) & (columns < left + side)
    return images.masked_fill(down[:, :, None] & across[:, None, :], 0)


def check_pictures(inputs: npt.ArrayLike) -> Bytes:
    """Pictures (N, 28, 28) of 0-255 as bytes. Raises ValueError if they have another shape or leave 0-255."""
    images = np.asarray(inputs)
    if images.ndim != 3 or images.shape[1:] != (SIDE, SIDE):
        raise ValueError(f"expected pictures of shape (N, {SIDE}, {SIDE}), found {images.shape}")
    if images.size and not 0 <= images.min() <= images.max() <= 255:
        raise ValueError(f"expected intensities 0 to 255, found {images.min()} to {images.max()}")
    return images.astype(np.uint8)


def probabilities(model: Any, images: Bytes) -> Chances:
    """Class probabilities (N, classes) by the logits that a network gives for raw pictures (N, 28, 28)."""
    return np.asarray(outputs(model, model, images).softmax(dim=1).numpy())


@torch.inference_mode()
def outputs(model: Any, look: Callable[[Tensor], Tensor], images: Bytes) -> Tensor:
    """What `look`, the module or a part of it, gives for raw pictures (N, 28, 28), in double precision."""
    model = model.to(device())
    parts = torch.split(torch.from_numpy(images.copy()), JUDGING)
    return torch.cat([look(part.to(device())).cpu().double() for part in parts])


def verdicts(chances: Chances, classes: Sequence[str]) -> pd.DataFrame:
    """The likeliest class of each picture: label, its name, and how sure the network is, 0-1."""
    import pandas as pd

    label = chances.argmax(axis=1)
    return pd.DataFrame({"label": label, "name": np.asarray(classes)[label], "probability": chances.max(axis=1)})


def judge(
    model: Any,
    chances: Chances,
    data: LabelledImages,
    *,
    figures: dict[str, Any],
    more: dict[str, Any] | None = None,
    finding: str = "",
) -> Report:
    """The report of a classifier by its `chances` (N, classes) for the test pictures; `more` joins its metrics."""
    labels = data.test_labels.astype(np.int64)
    metrics, interval = classification(labels, chances, data.classes, np.random.default_rng(model.params.seed))
    predicted = chances.argmax(axis=1)
    error = metrics["expected_calibration_error"]
    return Report(
        metrics=metrics | (more or {}),
        baseline=majority(labels, data.train_labels, len(data.classes)),
        interval=interval,
        figures=_pictures(model, data, chances, error) | figures,
        tables={
            "confusion": [
                {"actual": data.classes[a], "predicted": data.classes[p]}
                for a, p in zip(labels, predicted, strict=True)
            ]
        },
        finding=finding,
    )


def _pictures(model: Any, data: LabelledImages, chances: Chances, error: float) -> dict[str, Any]:
    """How it learned, what it confuses, how sure it is and where it is sure and wrong."""
    from sklearn.metrics import confusion_matrix

    from handbook import figures as draw

    labels, predicted = data.test_labels.astype(np.int64), chances.argmax(axis=1)
    matrix = confusion_matrix(labels, predicted, labels=range(len(data.classes)))
    confidence, accuracy, count = calibration(labels, chances)
    bias = "over" if np.average(confidence - accuracy, weights=count) > 0 else "under"
    worst = confident_mistakes(labels, chances)
    wrong = int((predicted != labels).sum())
    return {
        "learning_curves": draw.learning_curves(model.history_, _progress(model.history_)),
        "confusion": draw.confusion(matrix, data.classes, _worst_pair(matrix, data.classes)),
        "reliability": draw.reliability(
            confidence, accuracy, count, f"The network is {bias}confident: calibration error {error:.3f}"
        ),
        "mistakes": draw.gallery(
            data.test_images[worst],
            captions(worst, labels, chances, data.classes),
            f"Its most confident mistakes, of {wrong:,} in {len(labels):,}",
        ),
    }


def confident_mistakes(labels: npt.NDArray[np.int64], chances: Chances, most: int = 18) -> npt.NDArray[np.int64]:
    """Places of the wrong answers that the network is surest of, the surest first."""
    wrong = np.flatnonzero(chances.argmax(axis=1) != labels)
    return wrong[np.argsort(-chances[wrong].max(axis=1))][:most]


def captions(
    places: npt.NDArray[np.int64], labels: npt.NDArray[np.int64], chances: Chances, classes: Sequence[str]
) -> list[str]:
    """For pictures at those places: what they are, what they are taken for, and how surely."""
    return [f"{classes[labels[i]]}, taken for\n{classes[chances[i].argmax()]} ({chances[i].max():.0%})" for i in places]


def _progress(rows: list[dict[str, float]]) -> str:
    """How far training came, as a sentence; with smoothed labels its loss lies above the held-out one."""
    last, epochs = rows[-1], len(rows)
    if "valid_accuracy" in last:
        return f"Held-out accuracy reaches {last['valid_accuracy']:.1%} in {epochs} epochs"
    return f"Training loss falls to {last['train_loss']:.3f} in {epochs} epochs"


def _worst_pair(matrix: npt.NDArray[np.int64], classes: tuple[str, ...]) -> str:
    """The pair most often taken for each other, as a sentence."""
    both = np.triu(matrix + matrix.T, 1)
    a, b = (int(each) for each in np.unravel_index(both.argmax(), both.shape))
    return f"{classes[a]} and {classes[b]} are taken for each other most: {both[a, b]} times"


def worth(whole: Chances, without: Chances, labels: npt.NDArray[np.int64], seed: int) -> dict[str, Any]:
    """What a technique adds, by chances (seeds, N, classes) for the same N pictures learned with and without it.

    `difference` is of accuracies, with its 95 % interval over pictures, each paired with itself (bootstrap). The chance
    of other seeds is not in it: `seeds` holds the accuracy of each.
    """
    right, before = (each.argmax(axis=2) == labels for each in (without, whole))
    gain = (before.astype(float) - right).mean(axis=0)
    of_label = without[:, np.arange(len(labels)), labels]
    return {
        "accuracy": float(right.mean()),
        "log_loss": float(-np.log(np.clip(of_label, 1e-15, None)).mean()),
        "difference": float(gain.mean()),
        "interval": list(bootstrap(gain, np.random.default_rng(seed))) if gain.any() else [0.0, 0.0],
        "seeds": [float(each) for each in right.mean(axis=1)],
    }


def told(techniques: dict[str, dict[str, Any]]) -> str:
    """What each technique adds to accuracy, in points with its interval, as half a sentence."""
    return "; ".join(
        f"{name} {100 * row['difference']:+.2f} ({100 * row['interval'][0]:+.2f} to {100 * row['interval'][1]:+.2f})"
        for name, row in techniques.items()
    )


def foremost(techniques: dict[str, dict[str, Any]]) -> str:
    """Of techniques, the best first, whether the first one's worth is beyond chance, as a sentence."""
    name, row = next(iter(techniques.items()))
    if row["interval"][0] > 0:
        return f"{name.capitalize()} adds most, {100 * row['difference']:.1f} points"
    return "No technique adds more than chance would"


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
            lively = x[0].flatten(1).std(dim=1).argsort(descending=True)[:most]
            shown[f"stage {number}" if number else "stem"] = x[0, lively].float().cpu().numpy()
    return shown


def sights(stages: nn.Sequential, scaled: Callable[[Tensor], Tensor], picture: Bytes) -> dict[str, Any]:
    """Figures of what a stack of convolutions sees: its filters, receptive fields, and maps of a picture (28, 28).

    `scaled` turns pictures (B, 28, 28) of 0-255 into what the first stage takes.
    """
    from handbook import figures as draw

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


def saliency(model: nn.Module, chances: Chances, data: LabelledImages, most: int = 6) -> Any:
    """A figure of the surest mistakes: which pixels speak for the wrong answer, and which for the right one."""
    from handbook import figures as draw

    labels = data.test_labels.astype(np.int64)
    worst = confident_mistakes(labels, chances, most)
    images = torch.from_numpy(data.test_images[worst]).float().to(device())
    place = torch.arange(len(worst), device=images.device)
    right, said = (torch.from_numpy(each).to(images.device) for each in (labels[worst], chances[worst].argmax(axis=1)))

    def lead(pictures: Tensor) -> Tensor:
        logits = model(pictures)
        return logits[place, said] - logits[place, right]  # type: ignore[no-any-return]

    return draw.attributions(
        data.test_images[worst],
        integrated_gradients(lead, images).cpu().numpy(),
        captions(worst, labels, chances, data.classes),
        "What misleads it: red pixels speak for its answer, blue ones for the true class",
    )

"""Recognising small pictures: what is asked of a classifier, how it is judged, and where it errs.

What the pages on labelled pictures share, so that they differ in nothing but the network and its recipe.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from handbook.contract import Split
from handbook.data.images import SIDE, Bytes, Pictures, as_bytes
from handbook.evaluation.metrics import calibration, classification, majority
from handbook.evaluation.report import Report
from handbook.evaluation.temperature import temperature
from handbook.training.run import device

if TYPE_CHECKING:
    import pandas as pd


Probabilities = npt.NDArray[np.float64]
JUDGING = 2048  # pictures at a time where no gradient is kept


def check_pictures(inputs: npt.ArrayLike, shape: tuple[int, ...] = (SIDE, SIDE)) -> Bytes:
    """Pictures (N, *shape) of 0-255 as bytes.

    Raises ValueError if they have another shape, leave 0-255, or would become others as bytes: fractions, truth values.
    """
    images = np.asarray(inputs)
    if images.ndim != len(shape) + 1 or images.shape[1:] != shape:
        raise ValueError(f"expected pictures of shape (N, {', '.join(map(str, shape))}), found {images.shape}")
    return as_bytes(images)


def probabilities(model: Any, images: Bytes) -> Probabilities:
    """Class probabilities (N, classes) of raw pictures (N, 28, 28): of a network's logits over its temperature."""
    return np.asarray((outputs(model, model, images) / model.facts.get("temperature", 1.0)).softmax(dim=1).numpy())


def calibrate(model: Any, held_out: Pictures | None) -> None:
    """Keep, as a fact of the network, the temperature at which pictures that were held out surprise it least."""
    if held_out:
        logits = outputs(model, model, held_out.images).numpy()
        model.facts["temperature"] = temperature(logits, held_out.labels.astype(np.int64))


@torch.no_grad()
def outputs(model: Any, look: Callable[[Tensor], Tensor], images: Bytes) -> Tensor:
    """What `look`, the module or a part of it, gives for raw pictures (N, 28, 28), in double precision."""
    model = model.to(device())
    parts = torch.split(torch.from_numpy(images.copy()), JUDGING)
    return torch.cat([look(part.to(device())).cpu().double() for part in parts])


def predictions(probabilities: Probabilities, classes: Sequence[str]) -> pd.DataFrame:
    """The most probable class of each picture: label, its name, and how sure the network is, 0-1."""
    import pandas as pd

    label = probabilities.argmax(axis=1)
    return pd.DataFrame({"label": label, "name": np.asarray(classes)[label], "probability": probabilities.max(axis=1)})


def judge(
    model: Any,
    probabilities: Probabilities,
    split: Split[Pictures],
    *,
    figures: dict[str, Any],
    more: dict[str, Any] | None = None,
    finding: str = "",
) -> Report:
    """The report of a classifier by its `probabilities` (N, classes) of the test pictures; `more` are metrics."""
    test, labels = split.test, split.test.labels.astype(np.int64)
    metrics, interval = classification(labels, probabilities, test.classes, np.random.default_rng(model.params.seed))
    predicted = probabilities.argmax(axis=1)
    error = metrics["expected_calibration_error"]
    return Report(
        metrics=metrics | (more or {}),
        baseline=majority(labels, split.development.labels, len(test.classes)),
        interval=interval,
        figures=_pictures(model, test, probabilities, error) | figures,
        tables={
            "confusion": [
                {"actual": test.classes[a], "predicted": test.classes[p]}
                for a, p in zip(labels, predicted, strict=True)
            ]
        },
        finding=finding,
    )


def _pictures(model: Any, test: Pictures, probabilities: Probabilities, error: float) -> dict[str, Any]:
    """How it learned, what it confuses, how sure it is and where it is sure and wrong."""
    from sklearn.metrics import confusion_matrix

    from handbook.evaluation import figures as draw

    labels, predicted = test.labels.astype(np.int64), probabilities.argmax(axis=1)
    matrix = confusion_matrix(labels, predicted, labels=range(len(test.classes)))
    confidence, accuracy, count = calibration(labels, probabilities)
    bias = "over" if np.average(confidence - accuracy, weights=count) > 0 else "under"
    worst = confident_mistakes(labels, probabilities)
    wrong = int((predicted != labels).sum())
    return {
        "learning_curves": draw.learning_curves(model.history_, _progress(model.history_)),
        "confusion": draw.confusion(matrix, test.classes, _worst_pair(matrix, test.classes)),
        "reliability": draw.reliability(
            confidence, accuracy, count, f"The network is {bias}confident: calibration error {error:.3f}"
        ),
        "mistakes": draw.gallery(
            test.images[worst],
            captions(worst, labels, probabilities, test.classes),
            f"Its most confident mistakes, of {wrong:,} in {len(labels):,}",
        ),
    }


def confident_mistakes(
    labels: npt.NDArray[np.int64], probabilities: Probabilities, most: int = 18
) -> npt.NDArray[np.int64]:
    """Places of the wrong answers that the network is surest of, the surest first."""
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    return wrong[np.argsort(-probabilities[wrong].max(axis=1))][:most]


def captions(
    places: npt.NDArray[np.int64], labels: npt.NDArray[np.int64], probabilities: Probabilities, classes: Sequence[str]
) -> list[str]:
    """For pictures at those places: what they are, what they are taken for, and how surely."""
    return [
        f"{classes[labels[i]]}, taken for\n{classes[probabilities[i].argmax()]} ({probabilities[i].max():.0%})"
        for i in places
    ]


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

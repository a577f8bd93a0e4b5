"""LeNet on small grey pictures (section 3.13; LeCun, Bottou, Bengio and Haffner 1998).

Two rounds of convolution, ReLU and max-pooling find strokes, then parts; three dense layers name the whole:

    28 x 28 -> 6 @ 24 x 24 -> 6 @ 12 x 12 -> 16 @ 8 x 8 -> 16 @ 4 x 4 -> 120 -> 84 -> classes

The book trains it on Fashion-MNIST by SGD at a constant rate of 0.001, on intensities of 0..1, and reports 84.12 %. Its
listing loops over the loader inside the loader; what it describes, ten plain epochs, is the block `lenet_book`. The
block `lenet` is the same network trained better: standardised pictures, a high rate that rises and falls once (Smith
and Topin 2018), Nesterov's momentum, weight decay, smoothed labels, mirrored and shifted pictures; a picture is judged
together with its mirror image. `digits` is the page on MNIST, where the network comes from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from handbook.contract import Split
from handbook.data.images import SIDE, LabelledImages, Pictures
from handbook.evaluation.recognition import (
    JUDGING,
    calibrate,
    check_pictures,
    judge,
    outputs,
    predictions,
    probabilities,
)
from handbook.evaluation.report import Report
from handbook.training.augmentation import mirrored, shifted
from handbook.training.batches import Batches, held_out, tensors
from handbook.training.networks import Recipe, decayed, one_cycle, train
from handbook.training.run import Run

if TYPE_CHECKING:
    import pandas as pd

PRIMARY = "accuracy"  # what the gate compares, greater is better


@dataclass(frozen=True)
class Params:
    seed: int  # of the weights, the order, the augmentation and the held-out part
    epochs: int
    batch_size: int
    learning_rate: float  # constant, or the peak of the cycle
    momentum: float
    nesterov: bool
    weight_decay: float
    one_cycle: bool  # rate rises to its peak over the first fifth, then falls to zero
    clip: float  # greatest length of the gradient; 0: any. Without it, few pictures and a high rate end in dead units
    label_smoothing: float  # share of the target spread over all classes
    standardise: bool  # intensities by mean and deviation of the training set; else 0..1, as the book has them
    flip: bool  # mirror pictures left to right: right for garments, wrong for digits
    shift: int  # move pictures by up to so many pixels each way
    mirror: bool  # judge by the mean of the logits for a picture and for its mirror image
    plain_epochs: int  # the last epochs, in which pictures are left as they are
    validation_share: float  # of the training set, held out for the learning curves and to calibrate by

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch_size) < 1:
            raise ValueError(f"epochs and batch_size must be 1 or more, found {self.epochs}, {self.batch_size}")
        if not 0 <= self.validation_share < 1:
            raise ValueError(f"validation_share must be in [0, 1), found {self.validation_share}")
        if not 0 <= self.shift < SIDE:
            raise ValueError(f"shift must be in [0, {SIDE}), found {self.shift}")


class Model(nn.Module):
    """Raw pictures (B, 28, 28) of 0-255 in, logits (B, classes) out."""

    history_: list[dict[str, float]]
    training_: dict[str, Any]

    def __init__(
        self, params: Params, classes: list[str], centre: float = 0.0, spread: float = 255.0, **learnt: Any
    ) -> None:
        super().__init__()
        self.params = params
        self.facts: dict[str, Any] = {"classes": classes, "centre": centre, "spread": spread, **learnt}
        self.centre, self.spread = centre, spread
        self.features = nn.Sequential(
            # Pooling before ReLU gives the same values as after, with a quarter of the work for ReLU.
            nn.Conv2d(1, 6, 5), nn.MaxPool2d(2), nn.ReLU(),  # (B, 1, 28, 28) -> (B, 6, 12, 12)
            nn.Conv2d(6, 16, 5), nn.MaxPool2d(2), nn.ReLU(),  # -> (B, 16, 4, 4)
            nn.Flatten(), nn.Linear(256, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(),  # -> (B, 84)
        )  # fmt: skip
        self.head = nn.Linear(84, len(classes))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.representation(images))
        if self.params.mirror and not self.training:
            logits = (logits + self.head(self.representation(images.flip(2)))) / 2
        return logits

    def representation(self, images: Tensor) -> Tensor:
        """The values (B, 84) that the head decides by."""
        pixels = images.unsqueeze(1).to(torch.float32, memory_format=torch.channels_last)  # (B, 1, 28, 28)
        features: Tensor = self.features((pixels - self.centre).div_(self.spread))
        return features

    def training_step(self, batch: list[Tensor]) -> Tensor:
        images, labels = batch
        return F.cross_entropy(self(images), labels, label_smoothing=self.params.label_smoothing)

    def validation_step(self, batch: list[Tensor]) -> dict[str, Tensor]:
        images, labels = batch
        logits = self(images)
        right = logits.argmax(dim=1) == labels
        return {"loss": F.cross_entropy(logits, labels), "accuracy": right.float().mean()}

    def recipe(self, steps: int) -> Recipe:
        p = self.params
        groups = decayed(self, p.weight_decay)
        sgd = torch.optim.SGD(groups, p.learning_rate, p.momentum, nesterov=p.nesterov, fused=True)
        return one_cycle(sgd, steps) if p.one_cycle else (sgd, None)


def split(data: LabelledImages, params: Params) -> Split[Pictures]:
    """The published test pictures; a share of the published training pictures is held out for the learning curves."""
    return Split(*held_out(data.train, params.validation_share, params.seed), data.test)


def fit(split: Split[Pictures], params: Params, run: Run | None = None) -> Model:
    """Train on the training pictures; the last epoch's weights are the model, calibrated by what was held out."""
    torch.manual_seed(params.seed)
    model = Model(params, list(split.train.classes), *scale(split.development.images, params))
    train(
        model,
        Batches(*tensors(split.train), size=params.batch_size, seed=params.seed, prepare=augmentation(params)),
        Batches(*tensors(split.valid), size=JUDGING) if split.valid else None,
        epochs=params.epochs,
        run=run,
        clip=params.clip,
    )
    calibrate(model, split.valid)
    return model


def scale(images: npt.NDArray[np.uint8], params: Params) -> tuple[float, float]:
    """What is taken off intensities, and what they are then divided by."""
    return (float(images.mean()), float(images.std())) if params.standardise else (0.0, 255.0)


def augmentation(params: Params) -> Callable[[Tensor, int], Tensor]:
    """What is done to a whole batch of pictures (B, 28, 28) at once before each step of an epoch."""

    def prepare(images: Tensor, epoch: int) -> Tensor:
        if epoch >= params.epochs - params.plain_epochs:
            return images
        if params.shift:
            images = shifted(images, params.shift)
        return mirrored(images) if params.flip else images

    return prepare


def features(model: Model, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """What the network sees in raw pictures (N, 28, 28): the values (N, 84) before its head, each 0 or more."""
    return np.asarray(outputs(model, model.representation, images).numpy())


def predict(model: Model, inputs: npt.NDArray[np.uint8]) -> pd.DataFrame:
    """What the pictures (N, 28, 28) of 0-255 show: label, its name, and how sure the network is, 0-1.

    Raises ValueError if the pictures have another shape or leave 0-255.
    """
    return predictions(probabilities(model, check_pictures(inputs)), model.facts["classes"])


def example(split: Split[Pictures]) -> npt.NDArray[np.uint8]:
    """A few inputs as a user would send them."""
    return split.test.images[:4]


def evaluate(model: Model, split: Split[Pictures]) -> Report:
    """Judge on the test pictures: metrics with intervals, and where it errs."""
    from handbook.evaluation import figures as draw

    kernels = next(model.features.parameters()).detach().cpu().numpy()[:, 0]  # (6, 5, 5)
    return judge(
        model,
        probabilities(model, split.test.images),
        split,
        figures={"filters": draw.filters(kernels, "The six 5 x 5 filters of the first layer")},
    )

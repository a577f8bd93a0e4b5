"""A convolutional network with residual blocks on small grey pictures (chapter 4; He, Zhang, Ren and Sun 2016).

Filters of 5 x 5 see the whole picture; every stage then widens the channels on half the side, and adds to what it has
what one more convolution finds in it, so that gradients have a way past:

    28 x 28 -> stem, pool 14 x 14 -> convolve, x + f(x) -> pool 7 x 7 -> convolve, x + f(x)
            -> pool 3 x 3 -> convolve, x + f(x) -> greatest -> classes

The book's network for 32 x 32 colour pictures (section 4.3: 3 -> 16 -> 32 channels, 128, 10) cannot run: its dense
layer is made for what 28 x 28 would leave, and its `return` stands outside the method. It reports no figure. This one
is ours, on Fashion-MNIST. Dropout, augmentation, smoothed labels, early stopping and weight decay are each taken away
once from a shorter run of the same recipe, to see what each adds; they are compared on pictures that no such run was
trained on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from handbook.cases.cnn import ablation, sights
from handbook.contract import Split
from handbook.data.images import SIDE, LabelledImages, Pictures
from handbook.evaluation import recognition
from handbook.evaluation.report import Report
from handbook.training.augmentation import alternated, erased, shifted
from handbook.training.batches import Batches, held_out, tensors
from handbook.training.networks import Recipe, decayed, one_cycle, train
from handbook.training.run import Run, device

if TYPE_CHECKING:
    import pandas as pd

PRIMARY = "accuracy"  # what the gate compares, greater is better
WITHOUT: dict[str, dict[str, Any]] = {
    "dropout": {"dropout": 0.0},
    "augmentation": {"flip": False, "shift": 0, "erase": 0},
    "label_smoothing": {"label_smoothing": 0.0},
    "early_stopping": {"patience": 0},
    "weight_decay": {"weight_decay": 0.0},
}


@dataclass(frozen=True)
class Params:
    seed: int  # of the weights, the order, the augmentation and the held-out part
    epochs: int
    batch_size: int
    widths: tuple[int, ...]  # channels of the stem and of each stage
    blocks: int  # residual blocks in each stage
    learning_rate: float  # peak of the cycle: up over the first fifth, then down to zero
    momentum: float
    weight_decay: float
    label_smoothing: float  # share of the target spread over all classes
    dropout: float  # of the values that the last layer sees
    flip: bool  # mirror pictures left to right, every other epoch
    shift: int  # move pictures by up to so many pixels each way
    erase: int  # side of a black square put somewhere into each picture; 0: none
    plain_epochs: int  # the last epochs, in which pictures are left as they are
    patience: int  # epochs without a lower held-out loss before training ends at the best one's weights; 0: never
    mirror: bool  # judge by the mean of the logits for a picture and for its mirror image
    validation_share: float  # of the training set, held out for the learning curves, to stop early and to calibrate by
    ablation_epochs: int  # of the shorter runs of a slimmer network, each without one technique
    ablation_widths: tuple[int, ...]
    ablation_samples: int  # pictures that each of them learns from, at most an eighth of what there is
    ablation_judges: int  # pictures to compare them on, which none was trained on
    ablation_seeds: int

    def __post_init__(self) -> None:
        counted = ("epochs", "batch_size", "blocks",
                   *(f"ablation_{each}" for each in ("epochs", "samples", "judges", "seeds")))  # fmt: skip
        counts = {name: getattr(self, name) for name in counted}
        if min(*counts.values(), *self.widths, *self.ablation_widths) < 1 or len(self.widths) < 2:
            raise ValueError(
                f"expected counts of 1 or more and at least two widths, found {counts}, widths {self.widths}"
            )
        if not 0 <= self.validation_share < 1 or (self.patience and not self.validation_share):
            raise ValueError(
                f"validation_share must be in [0, 1), and above 0 to stop early, found {self.validation_share}"
            )
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), found {self.dropout}")
        if not (0 <= self.shift < SIDE and 0 <= self.erase < SIDE):
            raise ValueError(f"shift and erase must be in [0, {SIDE}), found {self.shift}, {self.erase}")


def convolution(inputs: int, outputs: int, size: int = 3, pool: int = 1) -> list[nn.Module]:
    """A convolution that keeps the side, pooling, batch normalisation (Ioffe and Szegedy 2015) and ReLU."""
    halved = [nn.MaxPool2d(pool)] if pool > 1 else []  # first: a quarter of the work for what follows
    kernel = nn.Conv2d(inputs, outputs, size, padding=size // 2, bias=False)
    return [kernel, *halved, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


class Residual(nn.Module):
    """x + f(x), (B, C, H, W) in and out."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(*convolution(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.branch(x)  # type: ignore[no-any-return]


class Network(nn.Module):
    """Scaled pictures (B, 1, 28, 28) in, logits (B, classes) out."""

    def __init__(self, params: Params, classes: int) -> None:
        super().__init__()
        first, *wider = params.widths
        stages = [nn.Sequential(*convolution(1, first, 5, pool=2))]  # (B, 1, 28, 28) -> (B, first, 14, 14)
        for before, width in zip(params.widths, wider, strict=False):
            halved = [nn.MaxPool2d(2)] if len(stages) > 1 else []  # -> (B, width, 14, 14) -> (B, width, 7, 7) -> ...
            blocks = (Residual(width) for _ in range(params.blocks))
            stages.append(nn.Sequential(*halved, *convolution(before, width), *blocks))
        self.stages = nn.Sequential(*stages)
        self.head = nn.Sequential(nn.Dropout(params.dropout), nn.Linear(wider[-1], classes))

    def forward(self, pixels: Tensor) -> Tensor:
        return self.head(self.stages(pixels).amax(dim=(2, 3))).float()  # type: ignore[no-any-return]


class Model(nn.Module):
    """Raw pictures (B, 28, 28) of 0-255 in, logits (B, classes) out."""

    history_: list[dict[str, float]]
    training_: dict[str, Any]

    def __init__(self, params: Params, classes: list[str], centre: float, spread: float, **learnt: Any) -> None:
        super().__init__()
        self.params, self.centre, self.spread = params, centre, spread
        self.facts: dict[str, Any] = {"classes": classes, "centre": centre, "spread": spread, **learnt}
        self.logits = Network(params, len(classes))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def scaled(self, images: Tensor) -> Tensor:
        """Pictures (B, 28, 28) of 0-255 as the network takes them: (B, 1, 28, 28), of mean 0 and deviation 1."""
        pixels = images.unsqueeze(1).to(torch.float32, memory_format=torch.channels_last)
        return (pixels - self.centre) / self.spread

    def forward(self, images: Tensor) -> Tensor:
        pixels = self.scaled(images)
        logits: Tensor = self.logits(pixels)
        if self.params.mirror and not self.training:
            logits = (logits + self.logits(pixels.flip(3))) / 2
        return logits

    def training_step(self, batch: list[Tensor]) -> Tensor:
        images, labels = batch
        return F.cross_entropy(self(images), labels, label_smoothing=self.params.label_smoothing)

    def validation_step(self, batch: list[Tensor]) -> dict[str, Tensor]:
        images, labels = batch
        logits = self.logits(self.scaled(images))  # without its mirror image: half the work
        right = logits.argmax(dim=1) == labels
        return {"loss": F.cross_entropy(logits, labels), "accuracy": right.float().mean()}

    def recipe(self, steps: int) -> Recipe:
        p = self.params
        groups = decayed(self, p.weight_decay)
        return one_cycle(torch.optim.SGD(groups, p.learning_rate, p.momentum, nesterov=True, fused=True), steps)


def split(data: LabelledImages, params: Params) -> Split[Pictures]:
    """The published test pictures; a share of the published training pictures is held out to stop by."""
    return Split(*held_out(data.train, params.validation_share, params.seed), data.test)


def fit(split: Split[Pictures], params: Params, run: Run | None = None) -> Model:
    """Train on the training pictures, then once more, briefly, without each technique."""
    run = run or Run()
    images = split.development.images
    scale = float(images.mean()), float(images.std())
    model = trained(split, params, scale, run)
    recognition.calibrate(model, split.valid)
    started = time.perf_counter()
    model.facts["ablations"], seconds = ablations(split, params, scale, run)
    model.training_ |= {"ablation_seconds": round(time.perf_counter() - started, 2), "algorithms": seconds}
    return model


def trained(split: Split[Pictures], params: Params, scale: tuple[float, float], run: Run) -> Model:
    """A network trained on the training pictures, scaled by mean and deviation; weights of the last or best epoch."""
    torch.manual_seed(params.seed)
    model = Model(params, list(split.train.classes), *scale)
    model.facts["kept_epoch"] = train(
        model,
        Batches(*tensors(split.train), size=params.batch_size, seed=params.seed, prepare=augmentation(params)),
        Batches(*tensors(split.valid), size=recognition.JUDGING) if split.valid else None,
        epochs=params.epochs,
        run=run,
        patience=params.patience,
    )
    return model


def augmentation(params: Params) -> Callable[[Tensor, int], Tensor]:
    """What is done to a whole batch of pictures (B, 28, 28) at once before each step of an epoch."""

    def prepare(images: Tensor, epoch: int) -> Tensor:
        if epoch >= params.epochs - params.plain_epochs:
            return images
        if params.flip:
            images = alternated(images, epoch)
        if params.shift:
            images = shifted(images, params.shift)
        return erased(images, params.erase) if params.erase else images

    return prepare


def ablations(
    split: Split[Pictures], params: Params, scale: tuple[float, float], run: Run
) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    """The recipe in short, whole and without each technique: the same pictures, seeds and epochs for all; and seconds.

    `difference` is what accuracy the technique adds, with a 95 % interval over the judging pictures, paired.
    """
    order = np.arange(len(split.train))
    learn, others = np.split(order, [min(params.ablation_samples, len(order) // 8)])
    judges = split.train.take(others[: params.ablation_judges])
    watched = split.valid and split.valid.take(np.arange(min(len(split.valid), len(learn) // 5)))
    few = replace(split, train=split.train.take(learn), valid=watched)
    labels = judges.labels.astype(np.int64)
    plain = params.plain_epochs * params.ablation_epochs // params.epochs
    short = replace(
        params, epochs=params.ablation_epochs, widths=params.ablation_widths, plain_epochs=plain, mirror=False
    )
    answers, seconds = {}, {}
    for name, change in {"recipe": {}, **{f"without_{name}": change for name, change in WITHOUT.items()}}.items():
        models = []
        for seed in range(params.seed, params.seed + params.ablation_seeds):
            part = run.checkpoint and run.checkpoint.with_name(f"{run.checkpoint.stem}-{name}-{seed}.ckpt")
            models.append(trained(few, replace(short, seed=seed, **change), scale, Run(part)))
        answers[name] = np.stack([recognition.probabilities(model, judges.images) for model in models])
        seconds[name] = {"fit_seconds": sum(model.training_["seconds"] for model in models)}
    table = {name: ablation.effect(answers["recipe"], each, labels, params.seed) for name, each in answers.items()}
    return {"samples": len(learn), "judges": len(judges), "table": table}, seconds


def predict(model: Model, inputs: npt.NDArray[np.uint8]) -> pd.DataFrame:
    """What the pictures (N, 28, 28) of 0-255 show: label, its name, and how sure the network is, 0-1.

    Raises ValueError if the pictures have another shape or leave 0-255.
    """
    probabilities = recognition.probabilities(model, recognition.check_pictures(inputs))
    return recognition.predictions(probabilities, model.facts["classes"])


def example(split: Split[Pictures]) -> npt.NDArray[np.uint8]:
    """A few inputs as a user would send them."""
    return split.test.images[:4]


def evaluate(model: Model, split: Split[Pictures]) -> Report:
    """Judge on the test pictures, and show what the network looks at."""
    from handbook.evaluation import figures as draw

    probabilities = recognition.probabilities(model, split.test.images)
    pixels = model.scaled(torch.zeros(1, SIDE, SIDE, device=device()))
    facts, epochs = model.facts["ablations"], model.params.ablation_epochs
    ranked = sorted(facts["table"].items(), key=lambda item: -float(item[1]["difference"]))
    techniques = {name.removeprefix("without_").replace("_", " "): row for name, row in ranked if name != "recipe"}
    more = {
        "parameters": float(sum(each.numel() for each in model.parameters())),
        "multiply_adds": float(sights.multiply_adds(model.logits, pixels)),  # `mirror` does them twice
        "kept_epoch": float(model.facts["kept_epoch"]),
        "algorithms": {
            name: {key: row[key] for key in ("accuracy", "log_loss", "difference")}
            | {"interval": {"difference": row["interval"]}, "chosen": {"seeds": row["seeds"]}}
            for name, row in facts["table"].items()
        },
    }
    figures = {
        **sights.activation_figures(model.logits.stages, model.scaled, split.test.images[0]),
        "saliency": sights.saliency(model, probabilities, split.test),
        "ablations": draw.ranking(
            list(techniques),
            100 * np.array([row["difference"] for row in techniques.values()]),
            100 * np.array([row["interval"] for row in techniques.values()]),
            f"{ablation.foremost(techniques)}, in {epochs} epochs on {facts['samples']:,} pictures",
            f"points of accuracy on {facts['judges']:,} training pictures that none of the runs saw",
            zero_line=True,
        ),
    }
    finding = (
        f"What each technique adds to accuracy in {epochs} epochs on {facts['samples']:,} pictures, in points, with "
        f"the 95 % interval over {facts['judges']:,} others: {ablation.summary(techniques)}."
    )
    return recognition.judge(model, probabilities, split, more=more, figures=figures, finding=finding)

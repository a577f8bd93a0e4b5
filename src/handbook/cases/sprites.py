"""Which Pokemon is it? A convolutional network that tells 898 of them apart; judge of `dcgan` (section 6.8).

Four rounds of convolution, batch normalisation and ReLU, each halving the picture, then a dense layer of features:

    64 x 64 x 3 -> 32 @ 32 x 32 -> 64 @ 16 x 16 -> 128 @ 8 x 8 -> 128 @ 4 x 4 -> 128 features -> dex numbers

A Fréchet distance is as good as the features that it is taken in. Inception's, the usual ones, were learned on
photographs, and no photograph is a sprite; so the features are learned here, from what a generator must get right to be
recognised: outline, parts, colours. The book has no such page.

It learns from nine games, normal and shiny, and is judged on the tenth, less the sprites that are pixel for pixel in
the others. It learns all dex numbers, those too that `dcgan` is not shown: features of which held-out Pokemon were as
ignorant as the generator would put those farther apart than drawings of known ones, and flatter the generator.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from handbook.contract import Split
from handbook.data.sprites import FORMS_FROM, SIDE, Sprites
from handbook.errors import HandbookError
from handbook.evaluation.metrics import bootstrap, calibration, expected_calibration_error
from handbook.evaluation.recognition import check_pictures
from handbook.evaluation.report import Report
from handbook.evaluation.temperature import temperature
from handbook.training.batches import Batches, held_out
from handbook.training.networks import Recipe, one_cycle, train
from handbook.training.run import Run, device

if TYPE_CHECKING:
    import pandas as pd

PRIMARY = "accuracy"  # what the gate compares, greater is better
JUDGING = 128  # pictures at a time where no gradient is kept; more of them spend their time on memory
THUMB = 16  # pixels a side at which the nearest sprite is looked for


@dataclass(frozen=True)
class Params:
    seed: int  # of the weights, the order, the augmentation and the held-out part
    held_out_game: str  # whose sprites are tested on
    epochs: int
    batch_size: int
    learning_rate: float  # the peak of the cycle
    weight_decay: float
    label_smoothing: float  # share of the target spread over all classes
    width: int  # channels after the first convolution
    n_features: int  # values before the head, in which pictures are compared
    shift: int  # move pictures by up to so many pixels each way
    validation_share: float  # of the training sprites, held out for the learning curves and to calibrate by

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch_size, self.width, self.n_features) < 1:
            raise ValueError(
                "epochs, batch_size, width and n_features must be 1 or more, found "
                f"{self.epochs}, {self.batch_size}, {self.width}, {self.n_features}"
            )
        if not 0 <= self.validation_share < 1:
            raise ValueError(f"validation_share must be in [0, 1), found {self.validation_share}")
        if not 0 <= self.shift < SIDE:
            raise ValueError(f"shift must be in [0, {SIDE}), found {self.shift}")


class Model(nn.Module):
    """Pictures (B, 64, 64, 3) of 0-255 in, logits (B, dex numbers) out."""

    history_: list[dict[str, float]]

    def __init__(self, params: Params, dex: list[int], **learnt: Any) -> None:
        super().__init__()
        self.params = params
        self.facts: dict[str, Any] = {"dex": dex, **learnt}
        w = params.width
        self.features = nn.Sequential(
            *_halving(3, w, 5), *_halving(w, 2 * w, 3), *_halving(2 * w, 4 * w, 3), *_halving(4 * w, 4 * w, 3),
            nn.Flatten(), nn.Linear(4 * w * 16, params.n_features), nn.BatchNorm1d(params.n_features), nn.ReLU(),
        )  # fmt: skip
        self.head = nn.Linear(params.n_features, len(dex))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.features(_scaled(images)))
        return logits

    def training_step(self, batch: list[Tensor]) -> Tensor:
        images, labels = batch
        return F.cross_entropy(self(images).float(), labels, label_smoothing=self.params.label_smoothing)

    def validation_step(self, batch: list[Tensor]) -> dict[str, Tensor]:
        images, labels = batch
        logits = self(images).float()
        return {"loss": F.cross_entropy(logits, labels), "accuracy": (logits.argmax(dim=1) == labels).float().mean()}

    def recipe(self, steps: int) -> Recipe:
        p = self.params
        adam = torch.optim.AdamW(self.parameters(), p.learning_rate, weight_decay=p.weight_decay)
        return one_cycle(adam, steps, pct_start=0.3, div_factor=25, cycle_momentum=True)


def _halving(channels: int, wider: int, kernel: int) -> list[nn.Module]:
    """(B, channels, S, S) -> (B, wider, S / 2, S / 2)."""
    convolution = nn.Conv2d(channels, wider, kernel, stride=2, padding=kernel // 2, bias=False)
    return [convolution, nn.BatchNorm2d(wider), nn.ReLU()]


def _scaled(images: Tensor) -> Tensor:
    """Pictures (B, 64, 64, 3) of 0-255 as (B, 3, 64, 64), white being 0 and black 1; channels lie last already."""
    return 1 - images.permute(0, 3, 1, 2).float() / 255


def split(data: Sprites, params: Params) -> Split[Sprites]:
    """The sprites of all games but one that say whose they are, a share of them held out for the learning curves.

    Tested is on those of that game that show a Pokemon from the other games, and are in none of them.
    """
    tested = data.game == params.held_out_game
    named = (data.dex > 0) & (data.dex < FORMS_FROM)
    others = np.flatnonzero(named & ~tested)
    known = np.isin(data.dex, data.dex[others])
    test = np.flatnonzero(tested & ~np.isin(data.digest, data.digest[~tested]) & known)
    if not len(test):
        games = ", ".join(np.unique(data.game))
        raise HandbookError(f"no sprite of {params.held_out_game!r} to be judged by; choose from {games}")
    train, valid = held_out(data.take(others), params.validation_share, params.seed)
    return Split(train, valid, data.take(test))


def fit(split: Split[Sprites], params: Params, run: Run | None = None) -> Model:
    """Train on the training sprites; the last epoch's weights are the model, calibrated by what was held out."""
    torch.manual_seed(params.seed)
    dex = np.unique(split.development.dex)
    model = Model(params, dex.tolist())

    def tensors(sprites: Sprites) -> tuple[Tensor, Tensor]:
        labels = torch.from_numpy(np.searchsorted(dex, sprites.dex))
        return torch.from_numpy(sprites.images).to(device()), labels.to(device())

    train(
        model,
        Batches(*tensors(split.train), size=params.batch_size, seed=params.seed, prepare=_augmentation(params)),
        Batches(*tensors(split.valid), size=JUDGING) if split.valid else None,
        epochs=params.epochs,
        run=run,
    )
    if split.valid:
        labels = np.searchsorted(dex, split.valid.dex)
        model.facts["temperature"] = temperature(logits(model, split.valid.images), labels)
    return model


def _augmentation(params: Params) -> Any:
    """Pictures (B, 64, 64, 3) mirrored by the toss of a coin and moved, what comes in being white."""

    def prepare(images: Tensor, epoch: int) -> Tensor:
        n, most, where = len(images), params.shift, images.device
        images = torch.where(torch.rand(n, 1, 1, 1, device=where) < 0.5, images.flip(2), images)
        padded = F.pad(images, (0, 0, most, most, most, most), value=255)
        down, right = torch.randint(0, 2 * most + 1, (2, n, 1), device=where)
        line = torch.arange(SIDE, device=where)
        every = torch.arange(n, device=where)[:, None, None]
        return padded[every, (line + down)[:, :, None], (line + right)[:, None, :]]

    return prepare


def features(model: Model, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """The values before the head, (N, n_features), of pictures (N, 64, 64, 3)."""
    return _through(model, lambda pictures: model.features(_scaled(pictures)), images, model.params.n_features)


def probabilities(model: Model, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """Probabilities (N, dex numbers), in the order of `model.facts["dex"]`, of pictures (N, 64, 64, 3)."""
    scaled = torch.from_numpy(logits(model, images) / model.facts.get("temperature", 1.0))
    return np.asarray(scaled.softmax(dim=1).numpy())


def logits(model: Model, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    """What the network gives (N, dex numbers) for pictures (N, 64, 64, 3)."""
    return _through(model, model, images, len(model.facts["dex"]))


@torch.no_grad()
def _through(model: Model, function: Any, images: npt.NDArray[np.uint8], columns: int) -> npt.NDArray[np.float64]:
    """A function of the model over many pictures, some at a time, (N, columns)."""
    model = model.eval().to(device())
    out = np.empty((len(images), columns))
    for start in range(0, len(images), JUDGING):
        part = torch.from_numpy(np.array(images[start : start + JUDGING])).to(device())
        out[start : start + JUDGING] = function(part).cpu().double().numpy()
    return out


def predict(model: Model, inputs: npt.NDArray[np.uint8]) -> pd.DataFrame:
    """Which Pokemon the pictures (N, 64, 64, 3) of 0-255 show: its national dex number, and how sure, 0-1.

    Raises ValueError if the pictures have another shape, leave 0-255, or are not whole numbers.
    """
    import pandas as pd

    per_class = probabilities(model, check_pictures(inputs, (SIDE, SIDE, 3)))
    dex = np.asarray(model.facts["dex"], dtype=np.int64)
    return pd.DataFrame({"dex": dex[per_class.argmax(axis=1)], "probability": per_class.max(axis=1)})


def example(split: Split[Sprites]) -> npt.NDArray[np.uint8]:
    """A few inputs as a user would send them."""
    return split.test.images[:4]


def evaluate(model: Model, split: Split[Sprites]) -> Report:
    """Judge on the game that was held out, beside the commonest Pokemon and the nearest sprite by its pixels."""
    from sklearn.metrics import f1_score

    test, others, dex = split.test, split.development, np.asarray(model.facts["dex"])
    images, labels = test.images, np.searchsorted(dex, test.dex)
    per_class = probabilities(model, images)
    predicted = per_class.argmax(axis=1)
    rank = (per_class > per_class[np.arange(len(labels)), labels][:, None]).sum(axis=1)
    surprise = -np.log(np.clip(per_class[np.arange(len(labels)), labels], 1e-15, None))
    rng = np.random.default_rng(model.params.seed)
    nearest = _nearest_by_pixels(others, images)
    metrics: dict[str, Any] = {
        "accuracy": float((predicted == labels).mean()),
        "top_5_accuracy": float((rank < 5).mean()),
        "f1": float(f1_score(labels, predicted, average="macro", zero_division=0)),
        "log_loss": float(surprise.mean()),
        "expected_calibration_error": expected_calibration_error(labels, per_class),
        "nearest_neighbour_accuracy": float((nearest == test.dex).mean()),
        "n_classes": len(dex),
        "n_test": len(test),
    }
    return Report(
        metrics=metrics,
        baseline=_commonest(others, labels),
        interval={"accuracy": bootstrap(predicted == labels, rng), "log_loss": bootstrap(surprise, rng)},
        figures=_figures(model, images, labels, per_class, metrics),
        finding=f"The network names {metrics['accuracy']:.0%} of {len(test):,} sprites of a game that it never saw, one"
        f" of {len(dex)} Pokemon each; the nearest sprite by its pixels {metrics['nearest_neighbour_accuracy']:.0%}.",
    )


def _commonest(others: Sprites, labels: npt.NDArray[np.int64]) -> dict[str, float]:
    """What the trivial classifier scores: always the Pokemon with the most other sprites, at its shares."""
    shares = np.unique(others.dex, return_counts=True)[1] / len(others)
    return {
        "accuracy": float((labels == shares.argmax()).mean()),
        "log_loss": float(-np.log(shares[labels]).mean()),
    }


def _nearest_by_pixels(others: Sprites, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Dex numbers (N,) of the other sprites whose thumbnails are nearest to those of the pictures."""
    theirs, ours = _thumbs(others.images), _thumbs(images)
    distance = (theirs**2).sum(axis=1)[None] - 2 * ours @ theirs.T
    return np.asarray(others.dex[distance.argmin(axis=1)])


def _thumbs(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    block = SIDE // THUMB
    small: npt.NDArray[np.float32] = images.reshape(len(images), THUMB, block, THUMB, block, 3).mean(
        axis=(2, 4), dtype=np.float32
    )
    return np.subtract(
        small.reshape(len(images), -1), 255, dtype=np.float32
    )  # from white, so that distances keep their digits


def _figures(
    model: Model,
    images: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int64],
    per_class: npt.NDArray[np.float64],
    metrics: dict[str, Any],
) -> dict[str, Any]:
    from handbook.evaluation import figures as draw

    dex, predicted = model.facts["dex"], per_class.argmax(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    worst = wrong[np.argsort(-per_class[wrong].max(axis=1))][:18]
    captions = [f"{dex[labels[i]]}, taken for\n{dex[predicted[i]]} ({per_class[i].max():.0%})" for i in worst]
    last = model.history_[-1]
    reached = f"held-out accuracy {last['valid_accuracy']:.1%}" if "valid_accuracy" in last else "the loss falls"
    error = metrics["expected_calibration_error"]
    return {
        "learning_curves": draw.learning_curves(model.history_, f"In {model.params.epochs} epochs: {reached}"),
        "reliability": draw.reliability(*calibration(labels, per_class), f"Calibration error {error:.3f}"),
        "mistakes": draw.gallery(
            images[worst], captions, f"Its most confident mistakes, of {len(wrong):,} in {len(labels):,}: dex numbers"
        ),
    }

"""Generative adversarial networks on handwritten digits (section 6.7; Goodfellow et al. 2014).

Two networks play: a generator turns noise z into pictures, a discriminator scores how real a picture looks, and each
is trained against the other:

    min over G  max over D    E log D(x) + E log (1 - D(G(z)))

The book's generator draws 28 x 28 pictures, its dense discriminator takes 784 numbers, and the loop between them is
missing; made to fit, they are the block `gan_book`. The block `gan` plays better at the same number of steps: a
convolutional discriminator, first weights from normal(0, 0.02) or after He et al. (2015), a higher rate (0.001) with
Adam's second beta at 0.99, and averaged weights to draw with. `gan_conditional` draws the digit that it is asked for
(Mirza and Osindero 2014); `gan_wasserstein` plays for the distance of Arjovsky and of Gulrajani et al. (both 2017).

The book judges by looking at sheets. Here LeNet on MNIST (`digits`) looks: in its 84 features, the Fréchet distance to
the test pictures, precision and recall, the share of each digit, and how near they lie to the training pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from handbook.contract import Split
from handbook.data.images import SIDE, LabelledImages, Pictures
from handbook.evaluation import likeness
from handbook.evaluation.report import Floats, Judge, Report
from handbook.training import adversarial
from handbook.training.adversarial import GAMES, Adversaries, Bytes, Draws, standard
from handbook.training.batches import tensors
from handbook.training.networks import train
from handbook.training.run import Run, device

if TYPE_CHECKING:
    import pandas as pd

INPUT = "latents"  # what `python -m handbook predict` reads for it
PRIMARY = "frechet_distance"  # what the gate compares
LOWER_IS_BETTER = True
NEIGHBOURS = 1000  # pictures whose nearest training picture is sought
LEAST_SHARE, LEAST_RECALL = 0.05, 0.2  # below either, a mode is said to have collapsed
MOST_SHARE = 0.15  # what no digit should exceed; drawn as a line


@dataclass(frozen=True)
class Params:
    seed: int  # of the weights, the order and the noise
    epochs: int  # an epoch ends with a row of the history and a checkpoint
    steps: int  # batches in an epoch; fewer where the data fill no more
    batch_size: int
    latent: int  # length of the noise vector z
    deep: bool  # our convolutional networks; else the book's
    conditional: bool  # both networks are given the digit
    loss: str  # standard, hinge or wasserstein
    label_smoothing: float  # taken off the target of real pictures; standard loss only
    gradient_penalty: float  # weight of (|grad| - 1)^2 between real and generated pictures
    generator_rate: float
    discriminator_rate: float
    betas: tuple[float, ...]  # Adam's two
    critic_steps: int  # the generator moves once every so many batches
    averaging: float  # decay of the averaged weights that draw; 0: the generator's own

    def __post_init__(self) -> None:
        least = min(self.epochs, self.steps, self.batch_size, self.latent, self.critic_steps)
        if least < 1:
            raise ValueError(f"epochs, steps, batch_size, latent and critic_steps must be 1 or more, found {least}")
        if self.loss not in GAMES:
            raise ValueError(f"loss must be one of {', '.join(GAMES)}, found {self.loss!r}")
        if self.label_smoothing and self.loss != "standard":
            raise ValueError(f"label_smoothing is for the standard loss, found {self.loss!r}")
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in (*self.betas, self.averaging)):
            raise ValueError(f"two betas and averaging must be in [0, 1), found {self.betas}, {self.averaging}")


def layers_of(deep: bool, inputs: int) -> nn.Sequential:
    """The generator's layers: noise (B, inputs) -> pictures (B, 1, 28, 28) of -1..1."""
    if deep:
        return nn.Sequential(
            nn.Linear(inputs, 96 * 49), nn.Unflatten(1, (96, 7, 7)), nn.BatchNorm2d(96), nn.ReLU(),
            nn.ConvTranspose2d(96, 48, 4, 2, 1), nn.BatchNorm2d(48), nn.ReLU(),  # -> (B, 48, 14, 14)
            nn.ConvTranspose2d(48, 1, 4, 2, 1), nn.Tanh(),
        )  # fmt: skip
    return nn.Sequential(
        nn.Linear(inputs, 128 * 49), nn.Unflatten(1, (128, 7, 7)),
        nn.ConvTranspose2d(128, 128, 3, 2, 1, 1), nn.BatchNorm2d(128), nn.LeakyReLU(0.2),  # -> (B, 128, 14, 14)
        nn.ConvTranspose2d(128, 64, 3, 1, 1), nn.BatchNorm2d(64), nn.LeakyReLU(0.2),  # -> (B, 64, 14, 14)
        nn.ConvTranspose2d(64, 1, 3, 2, 1, 1), nn.Tanh(),
    )  # fmt: skip


class Generator(nn.Module):
    """Noise (B, latent) and, if there are any, classes (B,) in; pictures (B, 1, 28, 28) of -1..1 out."""

    def __init__(self, params: Params, classes: int) -> None:
        super().__init__()
        self.classes = classes if params.conditional else 0
        self.layers = layers_of(params.deep, params.latent + self.classes)
        if params.deep:
            self.apply(_small_weights)

    def forward(self, noise: Tensor, labels: Tensor | None = None) -> Tensor:
        if self.classes and labels is not None:
            digits = nn.functional.one_hot(labels, self.classes).to(noise)
            noise = torch.cat([noise, noise.shape[1] ** 0.5 * digits], dim=1)  # a digit weighs as much as the noise
        pictures: Tensor = self.layers(noise)
        return pictures


def _small_weights(layer: nn.Module) -> None:
    """Weights drawn small (Radford et al. 2016): wide ones saturate the tanh before anything is learnt."""
    if isinstance(layer, nn.Linear | nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, std=0.02)


def _he_weights(layer: nn.Module) -> None:
    """Weights that keep a signal's size (He et al. 2015); what the digits add to a score starts at zero."""
    if isinstance(layer, nn.Linear | nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, 0.2)
    elif isinstance(layer, nn.Embedding):
        nn.init.zeros_(layer.weight)


class Discriminator(nn.Module):
    """Pictures (B, 1, 28, 28) of -1..1 and, if there are any, classes (B,) in; scores (B,) out, greater for real."""

    def __init__(self, params: Params, classes: int) -> None:
        super().__init__()
        if params.deep:
            width = 128 * 16
            self.body = nn.Sequential(
                nn.Conv2d(1, 32, 4, 2, 1), nn.LeakyReLU(0.2),  # -> (B, 32, 14, 14)
                nn.Conv2d(32, 64, 4, 2, 1), nn.LeakyReLU(0.2),  # -> (B, 64, 7, 7)
                nn.Conv2d(64, 128, 3, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(),  # -> (B, 128 * 4 * 4)
            )  # fmt: skip
        else:
            width = 256
            self.body = nn.Sequential(
                nn.Flatten(), nn.Linear(784, 512), nn.LeakyReLU(0.2), nn.Linear(512, 256), nn.LeakyReLU(0.2)
            )
        self.head = nn.Linear(width, 1)
        self.digit = nn.Embedding(classes, width) if params.conditional else None
        if params.deep:
            self.apply(_he_weights)

    def forward(self, pictures: Tensor, labels: Tensor | None = None) -> Tensor:
        features = self.body(pictures)
        scores: Tensor = self.head(features).squeeze(1).float()
        return scores if self.digit is None else scores + (self.digit(labels) * features).float().sum(dim=1)


class Model(Adversaries):
    """Both networks, the averaged weights that draw, and sheets of what they drew in training."""

    history_: list[dict[str, float]]

    def __init__(self, params: Params, classes: int) -> None:
        game = standard(params.label_smoothing) if params.label_smoothing else GAMES[params.loss]()
        super().__init__(params, Generator(params, classes), Discriminator(params, classes), game, (SIDE, SIDE))
        self.facts = {"classes": classes}
        self.conditional, self.critic_steps = params.conditional, params.critic_steps
        self.penalty = params.gradient_penalty


def split(data: LabelledImages, params: Params) -> Split[Pictures]:
    """The published training and test pictures: a game has nothing to choose by."""
    return Split(data.train, None, data.test)


def fit(split: Split[Pictures], params: Params, run: Run | None = None) -> Model:
    """Play for that many steps; the averaged generator of the last one draws."""
    torch.manual_seed(params.seed)
    model = Model(params, len(split.train.classes))
    draws = Draws(*tensors(split.train), size=params.batch_size, steps=params.steps, seed=params.seed)
    train(model, draws, None, epochs=params.epochs, run=run)
    return model


def predict(model: Model, inputs: pd.DataFrame | npt.NDArray[Any]) -> Bytes:
    """Pictures (N, 28, 28) of 0-255, drawn from seeds or from latent vectors, in any form `generation.asked` takes.

    A conditional model needs a digit for each picture, another takes none. Raises ValueError if that is not so, or if
    a latent vector has the wrong length.
    """
    noise, labels = adversarial.requested(inputs, model.params.latent)
    if (labels is None) == model.params.conditional:
        expected, found = (
            ("a digit for each picture, in a column `label`", "none") if labels is None else ("none", "some")
        )
        raise ValueError(f"digits to draw: expected {expected}, found {found}")
    classes = model.facts["classes"]
    if labels is not None and len(labels) and not 0 <= labels.min() <= labels.max() < classes:
        raise ValueError(f"expected digits 0 to {classes - 1}, found {labels.min()} to {labels.max()}")
    return model.to(device()).draw(noise, labels)


def example(split: Split[Pictures], params: Params) -> pd.DataFrame:
    """A few inputs as a user would send them: two seeds and two latent vectors."""
    import pandas as pd

    vectors = [None, None, *adversarial.latents(np.array([2, 3]), params.latent).tolist()]
    table = pd.DataFrame({"seed": pd.array([0, 1, None, None], dtype="Int64"), "latent": vectors})
    return table.assign(label=[7, 7, 3, 4]) if params.conditional else table


def evaluate(model: Model, split: Split[Pictures], judge: Judge) -> Report:
    """Judge what the seeds 0, 1, 2, ... draw, as many pictures as there are test pictures, beside those."""
    rng = np.random.default_rng(model.params.seed)
    classes, number, digits = split.test.classes, len(split.test), split.test.labels.astype(np.int64)
    generated = model.to(device()).draw(adversarial.latents(np.arange(number), model.params.latent), digits)
    real, generated_features, known = (
        judge.features(each) for each in (split.test.images, generated, split.train.images)
    )
    taken_for = judge.probabilities(generated).argmax(axis=1)
    share = np.bincount(taken_for, minlength=len(classes)) / number
    bound = likeness.likeness(real, rng.permutation(known)[:number])
    far, far_of_real = (likeness.nearest(each[:NEIGHBOURS], known)[0] for each in (generated_features, real))
    metrics = {
        **likeness.likeness(real, generated_features),
        **{f"{name}_of_real": value for name, value in bound.items()},
        "least_class_share": float(share.min()),
        "greatest_class_share": float(share.max()),
        "class_share": {name: float(each) for name, each in zip(classes, share, strict=True)},
        "memorised": likeness.memorised(far, far_of_real),
    }
    if model.params.conditional:
        metrics["conditional_accuracy"] = float((taken_for == digits).mean())
    drawn_by_pixel = (likeness.pixel_gaussian, likeness.pixel_by_pixel)
    gaussian, apart = (judge.features(way(split.train.images, number, rng)) for way in drawn_by_pixel)
    metrics[f"{PRIMARY}_of_pixel_gaussian"] = likeness.frechet_distance(real, gaussian)
    return Report(
        metrics=metrics,
        baseline={PRIMARY: likeness.frechet_distance(real, apart)},
        interval={PRIMARY: likeness.frechet_interval(real, generated_features, rng)},
        figures=figures(model, split, generated, (generated_features, known), share),
        finding=finding(metrics, share),
    )


def finding(metrics: dict[str, Any], share: Floats) -> str:
    """What is to be taken away, a collapse first."""
    collapsed = likeness.collapse(share, metrics["recall"], LEAST_SHARE, LEAST_RECALL)
    sentences = [
        collapsed or f"No mode has collapsed: every digit is {share.min():.1%} to {share.max():.1%} of what is drawn.",
        f"The Fréchet distance to the test pictures is {metrics[PRIMARY]:.1f}; as many real training pictures have"
        f" {metrics[f'{PRIMARY}_of_real']:.1f}.",
        f"{metrics['precision']:.0%} of what is drawn lies among the real, {metrics['recall']:.0%} of the real among"
        " what is drawn.",
    ]
    if "conditional_accuracy" in metrics:
        sentences.append(f"{metrics['conditional_accuracy']:.1%} are read as the digit that was asked for.")
    return " ".join(sentences)


def figures(
    model: Model, split: Split[Pictures], generated: Bytes, features: tuple[Floats, Floats], share: Floats
) -> dict[str, Any]:
    """The page's pictures, each with its finding as title; features are those of the drawn and of the training ones."""
    from handbook.evaluation import figures as draw

    latent, conditional = model.params.latent, model.params.conditional
    steps = np.array([row["epoch"] for row in model.history_]) * int(model.moments[-1]) / len(model.history_)
    losses = {"generator": "train_loss", "discriminator": "train_discriminator_loss"}
    drawn = np.concatenate([generated[None, :12], *(
        split.train.images[likeness.nearest(mine[:12], theirs)[1]][None]
        for mine, theirs in (features, (generated, split.train.images))
    )])  # fmt: skip
    ends = torch.from_numpy(adversarial.latents(np.arange(12), latent))
    ways = torch.cat([likeness.great_circle(ends[2 * k], ends[2 * k + 1], 12) for k in range(6)]).numpy()
    between = model.draw(ways, np.repeat(np.arange(6), 12)).reshape(6, 12, SIDE, SIDE)
    styles = np.tile(adversarial.latents(np.arange(10), latent), (10, 1))
    sheet = model.draw(styles, np.repeat(np.arange(10), 10)) if conditional else generated[:100]
    real = np.bincount(split.test.labels, minlength=len(share)) / len(split.test)
    least, most = (split.test.classes[k] for k in (share.argmin(), share.argmax()))
    return {
        "losses": draw.paths(
            steps, {side: np.array([row[key] for row in model.history_]) for side, key in losses.items()},
            "Neither loss tells how good the pictures are", "step", f"{model.params.loss} loss", log=False,
        ),
        "training": draw.mosaic(
            model.sheets.cpu().numpy(), "The same ten latent vectors as training goes on",
            rows=[f"step {step}" for step in model.moments.tolist()],
        ),
        "sheet": draw.mosaic(
            sheet.reshape(10, 10, SIDE, SIDE),
            "A row is a digit asked for, a column a latent vector" if conditional else "What the seeds 0 to 99 draw",
            rows=split.test.classes if conditional else (),
        ),
        "interpolation": draw.mosaic(between, "From one latent vector to another, along the sphere that they lie near"),
        "neighbours": draw.mosaic(
            drawn, "What is drawn, and the training pictures nearest to it", rows=("drawn", "by features", "by pixels")
        ),
        "coverage": draw.shares(
            split.test.classes, {"drawn": share, "test pictures": real},
            f"{most} is drawn most ({share.max():.1%}), {least} least ({share.min():.1%})", (LEAST_SHARE, MOST_SHARE),
        ),
    }  # fmt: skip

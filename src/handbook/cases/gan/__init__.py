"""Generative adversarial networks on handwritten digits (section 6.7; Goodfellow et al. 2014).

Two networks play: a generator turns noise z into pictures, a discriminator scores how real a picture looks, and each
is trained against the other:

    min over G  max over D    E log D(x) + E log (1 - D(G(z)))

The book's generator draws 28 x 28 pictures, its dense discriminator takes 784 numbers, and what flattens them between
the two is missing; made to fit, they are the block `gan_book`: the discriminator moves by a batch of real pictures,
then by one of generated ones, the generator by noise of its own, and every 200 steps leave a sheet of 5 x 5. The block
`gan` plays better at the same number of steps: a convolutional discriminator, first weights from normal(0, 0.02) or
after He et al. (2015), a higher rate (0.001) with Adam's second beta at 0.99, averaged weights to draw with, and 120
groups of the training pictures, found without their labels, that both sides are given (`modes.py`).
`gan_conditional` draws the digit that it is asked for (Mirza and Osindero 2014); `gan_wasserstein` plays for the
distance of Arjovsky and of Gulrajani et al. (both 2017).

The book judges by looking at sheets. Here LeNet on MNIST (`digits`) looks: in its 84 features, the Fréchet distance to
the test pictures, precision and recall, the share of each digit, and how near they lie to the training pictures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from handbook.cases.gan.drawings import LEAST_SHARE, figures
from handbook.cases.gan.networks import Discriminator, Generator
from handbook.contract import Split
from handbook.data.images import SIDE, LabelledImages, Pictures
from handbook.evaluation import likeness
from handbook.evaluation.report import Floats, Judge, Report
from handbook.training import adversarial, modes
from handbook.training.adversarial import GAMES, Adversaries, Bytes, Draws, standard
from handbook.training.batches import tensors
from handbook.training.networks import Move, train
from handbook.training.run import Run, device

if TYPE_CHECKING:
    import pandas as pd

INPUT = "latents"  # what `python -m handbook predict` reads for it
PRIMARY = "frechet_distance"  # what the gate compares
LOWER_IS_BETTER = True
NEIGHBOURS = 1000  # pictures whose nearest training picture is sought
LEAST_RECALL = 0.2  # below it, or a digit's least share, a mode is said to have collapsed
ON_A_SHEET = 25  # pictures, 5 x 5, that the book keeps every so many steps


@dataclass(frozen=True)
class Params:
    seed: int  # of the weights, the order and the noise
    epochs: int  # an epoch ends with a row of the history and a checkpoint
    steps: int  # batches in an epoch; fewer where the data fill no more
    batch_size: int
    latent: int  # length of the noise vector z
    deep: bool  # our convolutional networks; else the book's
    conditional: bool  # both networks are given the digit
    modes: int  # groups of the training pictures, found without labels, that both are given instead; 0: none
    loss: str  # standard, hinge or wasserstein
    label_smoothing: float  # taken off the target of real pictures; standard loss only
    gradient_penalty: float  # weight of (|grad| - 1)^2 between real and generated pictures
    generator_rate: float
    discriminator_rate: float
    betas: tuple[float, ...]  # Adam's two
    critic_steps: int  # the generator moves once every so many batches
    two_updates: bool  # the discriminator moves by real pictures, then by generated ones, as the book has it; else once
    sheet_every: int  # steps after which a sheet of 25 is kept; 0: none
    averaging: float  # decay of the averaged weights that draw; 0: the generator's own

    def __post_init__(self) -> None:
        least = min(self.epochs, self.steps, self.batch_size, self.latent, self.critic_steps)
        if least < 1:
            raise ValueError(f"epochs, steps, batch_size, latent and critic_steps must be 1 or more, found {least}")
        if self.conditional and self.modes:
            raise ValueError(f"modes stand in for digits, found {self.modes} of them in a conditional pair")
        if self.loss not in GAMES:
            raise ValueError(f"loss must be one of {', '.join(GAMES)}, found {self.loss!r}")
        if self.label_smoothing and self.loss != "standard":
            raise ValueError(f"label_smoothing is for the standard loss, found {self.loss!r}")
        plain = self.loss == "standard" and not (
            self.conditional or self.modes or self.label_smoothing or self.gradient_penalty
        )
        if self.two_updates and not (plain and self.critic_steps == 1):
            raise ValueError(
                "two_updates is for the standard loss alone: no digits, modes, smoothing or penalty, critic_steps 1"
            )
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in (*self.betas, self.averaging)):
            raise ValueError(f"two betas and averaging must be in [0, 1), found {self.betas}, {self.averaging}")


class Model(Adversaries):
    """Both networks, the averaged weights that draw, and sheets of what they drew in training."""

    history_: list[dict[str, float]]
    every: Tensor  # (sheets, 25, 28, 28) bytes: what was drawn every `sheet_every` steps

    def __init__(self, params: Params, classes: int, shares: list[float] | None = None) -> None:
        """`shares` (k,) of the groups among the training pictures, if there are groups."""
        number = len(shares or ()) or classes * params.conditional
        game = standard(params.label_smoothing) if params.label_smoothing else GAMES[params.loss]()
        super().__init__(params, Generator(params, number), Discriminator(params, number), game, (SIDE, SIDE))
        self.facts: dict[str, Any] = {"classes": classes, **({"shares": shares} if shares else {})}
        self.shares, self.conditional, self.critic_steps = shares, bool(number), params.critic_steps
        self.penalty = params.gradient_penalty
        if params.sheet_every:
            sheets = -(-params.epochs * params.steps // params.sheet_every)
            self.register_buffer("every", torch.zeros(sheets, ON_A_SHEET, SIDE, SIDE, dtype=torch.uint8))

    def play(self, batch: list[Tensor], step: int, steps: int, move: Move) -> dict[str, Tensor]:
        losses = (self._by_turns if self.params.two_updates else super().play)(batch, step, steps, move)
        if self.params.sheet_every and step % self.params.sheet_every == 0:
            number = step // self.params.sheet_every
            seeds = ON_A_SHEET * number + np.arange(ON_A_SHEET)  # other noise for every sheet, as the book has it
            self.every[number] = torch.from_numpy(self.draw(adversarial.latents(seeds, self.params.latent)))
        return losses

    def _by_turns(self, batch: list[Tensor], step: int, steps: int, move: Move) -> dict[str, Tensor]:
        """The round of section 6.7.11: real pictures, generated ones, and new noise for the generator."""
        real = self.prepared(batch[0]).contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            generated = self.generator(torch.randn(len(real), self.params.latent, device=real.device))
        of_real = F.softplus(-self.scores(real)).mean()  # cross-entropy with ones
        move(1, self.discriminator, of_real)
        of_generated = F.softplus(self.scores(generated)).mean()  # and with zeros
        move(1, self.discriminator, of_generated)
        again = self.generator(torch.randn(len(real), self.params.latent, device=real.device))
        loss = self.game.generator(self.scores(again))
        move(0, self.generator, loss)
        adversarial.follow(self.averaged, self.generator, self.params.averaging, step)
        self._remember(step + 1, steps)
        return {"loss": loss.detach(), "discriminator_loss": (of_real + of_generated).detach() / 2}

    def sheets_drawn(self) -> Bytes:
        """The sheets that training came to (sheets, 25, 28, 28): fewer where the data filled fewer steps."""
        return self.every[: -(-int(self.moments[-1]) // self.params.sheet_every)].cpu().numpy()


def split(data: LabelledImages, params: Params) -> Split[Pictures]:
    """The published training and test pictures: a game has nothing to choose by."""
    return Split(data.train, None, data.test)


def fit(split: Split[Pictures], params: Params, run: Run | None = None) -> Model:
    """Play for that many steps; the averaged generator of the last one draws."""
    images, labels = tensors(split.train)
    shares = None
    if params.modes:
        labels, shares = modes.given(split.train.images, params.modes, params.seed, images.device)
    torch.manual_seed(params.seed)
    model = Model(params, len(split.train.classes), shares)
    draws = Draws(images, labels, size=params.batch_size, steps=params.steps, seed=params.seed)
    train(model, draws, None, epochs=params.epochs, run=run)
    return model


def predict(model: Model, inputs: pd.DataFrame | npt.NDArray[Any]) -> Bytes:
    """Pictures (N, 28, 28) of 0-255, drawn from seeds or latent vectors, in any form `adversarial.requested` takes.

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

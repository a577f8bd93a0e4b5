"""DCGAN on Pokemon sprites (section 6.8; Radford, Metz and Chintala 2016).

A generator that is convolutional throughout turns noise into a picture, each round doubling it; a discriminator that
mirrors it says what is real (`networks.py`).

The book's listing has one block too many and ends at 128 x 128; it draws the weights of batch norm around 0 like all
others, which multiplies every channel by next to nothing; and its update functions are missing. Here the networks end
at 64 x 64 and those weights lie around 1. `dcgan_book` is that: cross-entropy, Adam, normal(0, 0.02), on a laptop with
a quarter of the book's `width` of 64, at which two cores would not see each sprite once.

`dcgan`, as wide, is to learn few pictures, but not by heart. Both sides are given groups of the training sprites, found
without labels (`training/modes.py`), and see pictures through random colours, shifts and holes (differentiable
augmentation, Zhao et al. 2020), mirrored too. The discriminator has no batch norm; a penalty on its slope at real
sprites keeps it smooth (Mescheder et al. 2018). Batches are half as large, steps three times as many; the average of
the generator's weights draws.

Whole dex numbers are held out. The sliced Wasserstein distance is to them, and memorising is measured by them: it puts
what is drawn nearer to the training sprites than held-out sprites are. Precision and recall have to be read beside
those of real sprites: held-out Pokemon lie in tight knots of their own variants, so few other ones lie among them. No
sheet of sprites belongs in a repository: their copyright is The Pokémon Company's, and figures that show real ones stay
in DVC's cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from handbook.cases.dcgan import nearness
from handbook.cases.dcgan.networks import GroupedDiscriminator, GroupedGenerator, discriminator, generator
from handbook.contract import Split
from handbook.data.sprites import SIDE, Sprites
from handbook.errors import HandbookError
from handbook.evaluation import likeness, sliced
from handbook.evaluation.report import Floats, Judge, Report
from handbook.training import adversarial, augmentation, modes
from handbook.training.adversarial import GAMES, Adversaries, Bytes
from handbook.training.networks import train
from handbook.training.run import Run, device

if TYPE_CHECKING:
    import pandas as pd


INPUT = "latents"  # what `python -m handbook predict` reads for it
PRIMARY = "sliced_wasserstein_distance"
LOWER_IS_BETTER = True
COLUMNS = 10  # of a sheet
NEAR = 0.05  # nearer to a training sprite than all but so many held-out ones: memorised


@dataclass(frozen=True)
class Params:
    seed: int  # of the weights, the order, the noise and the augmentation
    epochs: int  # stretches between two checkpoints
    steps: int  # of either side in a stretch, or fewer where the sprites fill fewer batches
    batch_size: int
    latent: int  # numbers that a picture is made from
    width: int  # channels before the last convolution; twice as many a round further in
    generator_rate: float
    discriminator_rate: float
    betas: tuple[float, ...]  # of Adam
    loss: str  # standard or hinge, of `adversarial.GAMES`
    modes: int  # groups of the training sprites, found without labels, that both sides are given; 0: none
    gradient_penalty: float  # weight of |grad|^2 / 2 at real sprites, instead of batch norm; 0: none
    mirror: bool  # sprites left to right by the toss of a coin
    augment: tuple[str, ...]  # what both sides see pictures through: colour, translation, cutout
    averaging: float  # decay of the average of the generator's weights that draws; at 0 the last weights draw

    def __post_init__(self) -> None:
        for name in ("epochs", "steps", "batch_size", "latent", "width"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, found {getattr(self, name)}")
        if not 0 <= self.averaging < 1:
            raise ValueError(f"averaging must be in [0, 1), found {self.averaging}")
        if self.loss not in ("standard", "hinge"):
            raise ValueError(f"loss must be standard or hinge, found {self.loss!r}")
        if self.gradient_penalty < 0:
            raise ValueError(f"gradient_penalty must be 0 or more, found {self.gradient_penalty}")
        if self.modes < 0 or (self.modes and not self.gradient_penalty):
            raise ValueError(f"modes must be 0, or 1 or more with a gradient_penalty, found {self.modes}")
        for name in self.augment:
            if name not in augmentation.AUGMENTATIONS:
                raise ValueError(f"augment must be among {', '.join(augmentation.AUGMENTATIONS)}, found {name!r}")


class Model(Adversaries):
    """Both networks, the averaged weights that draw, and sheets of what they drew in training."""

    history_: list[dict[str, float]]

    def __init__(self, params: Params, shares: list[float] | None = None) -> None:
        """`shares` (k,) of the groups among the training sprites, if there are groups."""
        penalty, number = params.gradient_penalty, len(shares or ())
        if number:
            ours: nn.Module = GroupedGenerator(params.latent, params.width, number)
            theirs: nn.Module = GroupedDiscriminator(params.width, number)
        else:
            ours = generator(params.latent, params.width)
            theirs = discriminator(params.width, normalised=not penalty)
        super().__init__(params, ours, theirs, GAMES[params.loss](), (SIDE, SIDE, 3))
        self.facts: dict[str, Any] = {"shares": shares} if shares else {}
        self.shares, self.conditional = shares, bool(shares)
        self.zero_centred, self.apart = penalty, True

    def prepared(self, images: Tensor) -> Tensor:
        real = super().prepared(images)
        if not self.params.mirror:
            return real
        return torch.where(torch.rand(len(real), 1, 1, 1, device=real.device) < 0.5, real.flip(3), real)

    def scores(self, pictures: Tensor, *conditions: Tensor) -> Tensor:
        """What the discriminator says (B,) of pictures (B, 3, 64, 64), each seen through a random augmentation."""
        for name in self.params.augment:
            pictures = augmentation.AUGMENTATIONS[name](pictures)
        scores = self.discriminator(pictures.contiguous(memory_format=torch.channels_last), *conditions)
        return scores.flatten().float()  # type: ignore[no-any-return]


def split(data: Sprites, params: Params) -> Split[Sprites]:
    """The sprites of all Pokemon but the held-out ones, and those."""
    train, test = (data.take(np.flatnonzero(data.part == part)) for part in ("train", "held out"))
    return Split(train, None, test)


def fit(split: Split[Sprites], params: Params, run: Run | None = None) -> Model:
    """Train on the training sprites."""
    sprites, shares = [torch.from_numpy(split.train.images).to(device())], None
    if params.modes:
        groups, shares = modes.given(nearness.thumbnails(split.train.images), params.modes, params.seed, device())
        sprites.append(groups)
    torch.manual_seed(params.seed)
    model = Model(params, shares)
    batches = adversarial.Draws(*sprites, size=params.batch_size, steps=params.steps, seed=params.seed)
    train(model, batches, None, epochs=params.epochs, run=run)
    return model


def predict(model: Model, inputs: pd.DataFrame | npt.NDArray[Any]) -> Bytes:
    """Pictures (N, 64, 64, 3) of 0-255, drawn from seeds or latent vectors, in any form `adversarial.requested` takes.

    Raises ValueError if a latent vector has the wrong length, or if a kind of Pokemon is asked for.
    """
    noise, labels = adversarial.requested(inputs, model.params.latent)
    if labels is not None:
        raise ValueError("expected seeds or latent vectors alone, found labels: no kind of Pokemon can be chosen")
    return model.to(device()).draw(noise)


def example(split: Split[Sprites], params: Params) -> pd.DataFrame:
    """A few inputs as a user would send them: two seeds and two latent vectors."""
    import pandas as pd

    vectors = [None, None, *adversarial.latents(np.array([2, 3]), params.latent).tolist()]
    return pd.DataFrame({"seed": pd.array([0, 1, None, None], dtype="Int64"), "latent": vectors})


def evaluate(model: Model, split: Split[Sprites], judge: Judge) -> Report:
    """Judge what seeds 0, 1, 2, ... are drawn as, as many pictures as sprites are held out, beside those."""
    rng = np.random.default_rng(seed := model.params.seed)
    held_out, known = split.test.images, split.train.images
    if (number := min(len(held_out), len(known))) < 5:
        raise HandbookError(f"{len(known)} sprites to train on, {len(held_out)} held out; expected 5 or more of each")
    generated = model.to(device()).draw(adversarial.latents(np.arange(number), model.params.latent))
    others, held_out = known[rng.permutation(len(known))[:number]], held_out[:number]
    real, drawn = sliced.Slices(held_out, seed), sliced.Slices(generated, seed)
    levels = sliced.distance(drawn, real)
    compared = nearness.trivial(known, number, rng) | {"real": others}
    far = {name: float(np.mean(sliced.distance(sliced.Slices(each, seed), real))) for name, each in compared.items()}
    truth, generated_features, theirs = (judge.features(pictures) for pictures in (held_out, generated, known))
    near = nearness.Nearness(judge.features, theirs, generated, held_out, NEAR)
    near_pixels = nearness.Nearness(nearness.thumbnails, nearness.thumbnails(known), generated, held_out, NEAR)
    metrics: dict[str, Any] = {
        PRIMARY: float(np.mean(levels)),
        f"{PRIMARY}_on_scale_of_real": float(np.mean(sliced.distance(sliced.Slices(generated, seed, real), real))),
        f"{PRIMARY}_by_side": dict(zip(("64", "32", "16"), levels, strict=True)),
        **{f"{PRIMARY}_of_{name}": value for name, value in far.items() if name != "blank"},
        **likeness.likeness(truth, generated_features),
        **{f"{name}_of_real": value for name, value in likeness.likeness(truth, judge.features(others)).items()},
        "memorised": near.memorised(),
        "memorised_by_pixels": near_pixels.memorised(),
        "memorised_of_held_out": NEAR,
    }
    return Report(
        metrics=metrics,
        baseline={PRIMARY: far["blank"]},
        interval={
            PRIMARY: sliced.interval(drawn, real, rng),
            "frechet_distance": likeness.frechet_interval(truth, generated_features, rng),
            "memorised": near.interval(rng),
            "memorised_by_pixels": near_pixels.interval(rng),
        },
        figures=figures(
            model,
            near,
            {"drawn": generated, "trained on": known, "held out": held_out},
            (generated_features, theirs, truth),
        ),
        finding=f"Sliced Wasserstein distance to unseen sprites {metrics[PRIMARY]:.3f}; of real ones {far['real']:.3f},"
        f" of a Gaussian {far['pixel_gaussian']:.3f}. Of what is drawn {metrics['precision']:.0%} lies among the unseen"
        f" (of other real ones {metrics['precision_of_real']:.0%}), of those {metrics['recall']:.1%} among the"
        f" drawn ({metrics['recall_of_real']:.0%}); {metrics['memorised']:.1%} memorised ({NEAR:.0%} by chance).",
    )


def figures(
    model: Model, near: nearness.Nearness, pictures: dict[str, Bytes], looks: tuple[Floats, ...]
) -> dict[str, Any]:
    """The page's figures, from what is drawn, trained on and held out, and its features; some show real sprites."""
    from handbook.evaluation import figures as draw

    keys = {"generator": "train_loss", "discriminator": "train_discriminator_loss"}
    losses = {name: np.array([row[key] for row in model.history_]) for name, key in keys.items()}
    epochs = np.arange(1, len(model.history_) + 1)
    when = [f"step {step}" for step in model.moments.tolist()]
    sheets = model.sheets.cpu().numpy()
    sixty, loss = model.draw(adversarial.latents(np.arange(60), model.params.latent)), f"{model.params.loss} loss"
    pairs = zip(pictures.values(), looks, strict=True)
    rows = [theirs[likeness.nearest(looks[0][:COLUMNS], look)[1]] for theirs, look in pairs]
    title = f"{near.memorised():.1%} of the drawings are as near as the nearest {NEAR:.0%} of unseen sprites"
    axes = "distance to the nearest training sprite, in the judge's features", "share that lies nearer"
    x = np.linspace(-2, 2, 101)
    slopes = {f"slope {slope}": np.maximum(x, slope * x) for slope in (0, 0.2, 0.4, 0.6, 0.8, 1)}
    return {
        "losses": draw.paths(epochs, losses, "Losses of a game: neither has to fall", "stretch", loss, log=False),
        "samples": draw.mosaic(sixty.reshape(-1, 10, 64, 64, 3), "Drawn from seeds 0 to 59"),
        "progress": draw.mosaic(sheets, "The same ten latent vectors as training goes on", rows=when),
        "interpolation": draw.mosaic(_between(model), "From one latent vector to another, along the sphere"),
        "neighbours": draw.mosaic(np.stack(rows), "Ten drawings, and the sprites most like them", list(pictures)),
        "distances": draw.cumulative({"drawn": near.generated, "held out": near.held_out}, title, *axes),
        "leaky_relu": draw.paths(x, slopes, "Leaky ReLU: 0 is ReLU, 1 no bend at all", "x", "y", log=False),
    }


def _between(model: Model) -> Bytes:
    """Five ways from one latent vector to another, ten steps each, (5, 10, 64, 64, 3)."""
    ends = torch.from_numpy(adversarial.latents(np.arange(10), model.params.latent)).reshape(5, 2, -1)
    ways = np.stack([likeness.great_circle(start, end, COLUMNS).numpy() for start, end in ends])
    if model.shares:  # the first number says the group, and a way is to stay in one
        ways[:, :, 0] = ways[:, :1, 0]
    return model.draw(ways.reshape(5 * COLUMNS, -1)).reshape(5, COLUMNS, 64, 64, 3)

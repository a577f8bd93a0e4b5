"""Pictures that a network generates: the game between two networks, its losses, penalties and averaged weights."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from handbook.training import modes
from handbook.training.batches import Batches
from handbook.training.networks import Move

Bytes = npt.NDArray[np.uint8]
AT_ONCE = 1000  # pictures drawn, or rows of a table of distances held, at a time
FEWEST = 60  # batches that a data set gives
MOMENTS = 8  # of a training, at which a sheet is kept
EVERY = 8  # steps of the discriminator with the zero-centred penalty once, eight times as heavy (Karras et al. 2020)


class Draws(Batches):
    """Whole batches drawn again each epoch, `steps` of them or as many as the samples fill: never a smaller last one.

    An epoch of a GAN is a stretch between two checkpoints, not a pass over the data. Of few samples the batches are
    smaller, so that there are batches to learn from.
    """

    def __init__(self, *tensors: Tensor, size: int, steps: int, seed: int, **kwargs: Any) -> None:
        size = max(1, min(size, len(tensors[0]) // FEWEST))
        super().__init__(*tensors, size=size, seed=seed, **kwargs)
        self.steps = min(steps, len(tensors[0]) // size)

    @property
    def samples(self) -> int:
        return self.steps * self.size

    def _order(self) -> Tensor:
        torch.manual_seed((self.seed or 0) * 1_000_003 + self.epoch)
        return torch.randperm(len(self.tensors[0]), device=self.tensors[0].device)[: self.samples]


@dataclass(frozen=True)
class Game:
    """What either side minimises, from scores (B,) of real and generated pictures, or of generated ones."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]


def standard(smoothing: float = 0.0) -> Game:
    """Cross-entropy, the generator's in the form that does not saturate (Goodfellow et al. 2014, section 3).

    `smoothing` takes that much off the target of the real pictures alone (Salimans et al. 2016, section 3.4).
    """

    def discriminator(real: Tensor, generated: Tensor) -> Tensor:
        # -t log s(x) - (1 - t) log(1 - s(x)) = softplus(-x) + (1 - t) x
        return (F.softplus(-real) + smoothing * real).mean() + F.softplus(generated).mean()

    return Game(discriminator, lambda generated: F.softplus(-generated).mean())


def hinge() -> Game:
    """Scores beyond 1 and -1 are good enough (Lim and Ye 2017; Miyato et al. 2018, equations 16 and 17)."""
    return Game(
        lambda real, generated: F.relu(1 - real).mean() + F.relu(1 + generated).mean(),
        lambda generated: -generated.mean(),
    )


def wasserstein() -> Game:
    """The difference of mean scores; the critic needs a penalty that keeps it 1-Lipschitz (Arjovsky et al. 2017)."""
    return Game(lambda real, generated: generated.mean() - real.mean(), lambda generated: -generated.mean())


GAMES: dict[str, Callable[[], Game]] = {"standard": standard, "hinge": hinge, "wasserstein": wasserstein}


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, generated: Tensor) -> Tensor:
    """Mean of (|grad| - 1)^2 between real and generated pictures (B, ...) (Gulrajani et al. 2017, equation 3)."""
    share = torch.rand(len(real), *[1] * (real.ndim - 1), device=real.device, dtype=real.dtype)
    between = torch.lerp(generated.detach(), real, share).requires_grad_()
    slope = _slope(critic(between), between)
    penalty: Tensor = (slope.norm(dim=1) - 1).square().mean()
    return penalty


def zero_centred_penalty(scores: Tensor, real: Tensor) -> Tensor:
    """Mean of |grad|^2 at real pictures (B, ...) that require a gradient, given their scores (B,).

    R1 of Mescheder, Geiger and Nowozin 2018, equation 9, without its factor of one half.
    """
    return _slope(scores, real).square().sum(dim=1).mean()


def with_classes(noise: Tensor, classes: Tensor, number: int) -> Tensor:
    """Noise (B, latent) and the class (B,) of so many, side by side (B, latent + number); both weigh the same."""
    return torch.cat([noise, noise.shape[1] ** 0.5 * F.one_hot(classes, number).to(noise)], dim=1)


def _slope(scores: Tensor, at: Tensor) -> Tensor:
    """The gradient (B, pixels) of scores (B,) with respect to the pictures (B, ...) that they belong to."""
    (slope,) = torch.autograd.grad(scores.sum(), at, create_graph=True)
    return slope.flatten(1)


@torch.no_grad()
def follow(averaged: nn.Module, module: nn.Module, decay: float, step: int | None = None) -> None:
    """Move averaged weights towards a module's: w <- decay w + (1 - decay) w' (Polyak and Juditsky 1992).

    Statistics of batch norm move along; counters are copied. Given the step, from 0, the decay warms up as
    min(decay, (1 + step) / (10 + step)), so that the first weights, which are noise, are soon forgotten.
    """
    momentum = decay if step is None else min(decay, (1 + step) / (10 + step))
    theirs = module.state_dict()
    pairs = [(mine, theirs[name]) for name, mine in averaged.state_dict().items()]
    floats = [pair for pair in pairs if pair[0].is_floating_point()]
    torch._foreach_lerp_([mine for mine, _ in floats], [other for _, other in floats], 1 - momentum)
    for mine, other in pairs:
        if not mine.is_floating_point():
            mine.copy_(other)


class Adversaries(nn.Module):
    """A generator and a discriminator that train each other, the averaged generator that draws, and sheets it drew.

    The generator turns noise (B, latent) and, for a conditional pair, classes (B,) into pictures (B, C, H, W) of -1..1;
    the discriminator scores pictures (B,). Of `params` it takes `latent`, `averaging`, `generator_rate`,
    `discriminator_rate`, `betas` and `epochs`; the rest of the game a page sets on its model, or overrides.
    """

    conditional = False  # both sides are given the class
    apart = False  # real and generated are scored in separate batches: batch norm would mix their statistics
    critic_steps = 1  # the generator moves once every so many batches
    penalty = 0.0  # weight of the gradient penalty
    zero_centred = 0.0  # weight of half of the zero-centred one, where real and generated are scored apart
    shares: list[float] | None = None  # of groups that stand in for classes; a latent vector says which, see `modes`

    sheets: Tensor  # (MOMENTS, 10, H, W) or (MOMENTS, 10, H, W, 3) bytes: what the seeds 0 to 9 drew
    moments: Tensor  # (MOMENTS,): after which step

    def __init__(self, params: Any, generator: nn.Module, discriminator: nn.Module, game: Game, shape: tuple[int, ...]):
        super().__init__()
        self.params, self.game = params, game
        self.generator, self.discriminator = generator, discriminator
        self.averaged = copy.deepcopy(generator).requires_grad_(False)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.register_buffer("sheets", torch.zeros(MOMENTS, 10, *shape, dtype=torch.uint8))
        self.register_buffer("moments", torch.zeros(MOMENTS, dtype=torch.int64))

    def optimisers(self) -> list[torch.optim.Optimizer]:
        p, (one, two) = self.params, self.params.betas
        sides = ((self.generator, p.generator_rate), (self.discriminator, p.discriminator_rate))
        return [torch.optim.Adam(net.parameters(), rate, (one, two), fused=True) for net, rate in sides]

    def play(self, batch: list[Tensor], step: int, steps: int, move: Move) -> dict[str, Tensor]:
        images, *labels = batch
        conditions = labels if self.conditional else []
        real = self.prepared(images).contiguous(memory_format=torch.channels_last)
        generated = self.generator(torch.randn(len(real), self.params.latent, device=real.device), *conditions)
        losses = self._move_discriminator(real, generated.detach(), conditions, step, move)
        if (step + 1) % self.critic_steps == 0:
            move(0, self.generator, self.game.generator(self.scores(generated, *conditions)))
            follow(self.averaged, self.generator, self.params.averaging, step)
        self._remember(step + 1, steps)
        return losses

    def prepared(self, images: Tensor) -> Tensor:
        """Real pictures (B, C, H, W) of -1..1 from the bytes of a batch."""
        return as_pixels(images)

    def scores(self, pictures: Tensor, *conditions: Tensor) -> Tensor:
        """What the discriminator says (B,) of pictures (B, C, H, W), real or generated."""
        scores: Tensor = self.discriminator(pictures, *conditions)
        return scores

    def _move_discriminator(
        self, real: Tensor, generated: Tensor, conditions: list[Tensor], step: int, move: Move
    ) -> dict[str, Tensor]:
        """One step of the discriminator; returns both sides' losses before it."""
        flattened = self.zero_centred > 0 and step % EVERY == 0
        real.requires_grad_(flattened)
        if self.apart:
            of_real, of_generated = self.scores(real, *conditions), self.scores(generated, *conditions)
        else:
            twice = (torch.cat([each, each]) for each in conditions)
            of_real, of_generated = self.scores(torch.cat([real, generated]), *twice).chunk(2)
        loss = total = self.game.discriminator(of_real, of_generated)
        if self.penalty:
            total = total + self.penalty * gradient_penalty(
                lambda x: self.scores(x, *conditions), real, generated.float()
            )
        if flattened:
            total = total + EVERY * self.zero_centred / 2 * zero_centred_penalty(of_real, real)
        move(1, self.discriminator, total)
        return {"loss": self.game.generator(of_generated.detach()), "discriminator_loss": loss.detach()}

    def _remember(self, step: int, steps: int) -> None:
        """Keep a sheet at moments that lie closer together early on, when most changes."""
        for k in range(MOMENTS):
            if step == max(1, round(steps * ((k + 1) / MOMENTS) ** 2)):
                drawn = self.draw(latents(np.arange(10), self.params.latent), np.arange(10))
                self.sheets[k], self.moments[k] = torch.from_numpy(drawn), step

    @torch.no_grad()
    def draw(self, noise: npt.NDArray[np.float32], classes: npt.NDArray[np.int64] | None = None) -> Bytes:
        """Pictures (N, H, W) or (N, H, W, 3) of latent vectors (N, latent); only a conditional pair heeds `classes`.

        Where there are groups, the vectors say which.
        """
        if self.shares:
            noise, classes = modes.requested(noise, self.shares)
        where = self.moments.device
        self.averaged.eval()  # by the statistics of training, whatever is drawn beside
        inputs: list[npt.NDArray[Any]] = [noise]
        if self.conditional and classes is not None:
            inputs.append(classes)
        parts = []
        with torch.autocast(where.type, enabled=False):
            for k in range(0, len(noise), AT_ONCE):
                few = (torch.tensor(each[k : k + AT_ONCE], device=where) for each in inputs)
                parts.append(as_bytes(self.averaged(*few)))
        return np.concatenate(parts) if parts else np.zeros((0, *self.sheets.shape[2:]), np.uint8)


def as_bytes(pictures: Tensor) -> Bytes:
    """Pictures (N, 1, H, W) of -1..1 as grey bytes (N, H, W), or (N, 3, H, W) as coloured ones (N, H, W, 3)."""
    scaled = (pictures.detach().float().clamp(-1, 1) + 1).mul(127.5).round().to(torch.uint8).cpu()
    return scaled.squeeze(1).numpy() if scaled.shape[1] == 1 else scaled.permute(0, 2, 3, 1).contiguous().numpy()


def as_pixels(pictures: Tensor) -> Tensor:
    """Grey bytes (N, H, W) or coloured ones (N, H, W, 3) as pictures (N, 1 or 3, H, W) of -1..1."""
    channels = pictures.unsqueeze(1) if pictures.ndim == 3 else pictures.permute(0, 3, 1, 2)
    return channels.float().div(127.5).sub(1)


def latents(seeds: npt.NDArray[np.integer[Any]], size: int) -> npt.NDArray[np.float32]:
    """A standard normal vector (N, size) for each seed (N,), 0 or more, whichever others are drawn with it."""
    if len(seeds) and seeds.min() < 0:
        raise ValueError(f"expected seeds of 0 or more, found {seeds.min()}")
    drawn = [np.random.default_rng(int(seed)).standard_normal(size, dtype=np.float32) for seed in seeds]
    return np.stack(drawn) if drawn else np.zeros((0, size), np.float32)


def requested(inputs: Any, size: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64] | None]:
    """Latent vectors (N, size) and, where they are named, the classes (N,) that a user asks for.

    Takes integers (N,), each a seed; integers (N, 2), a seed and a class; numbers (N, size), latent vectors; or a
    DataFrame with `seed` or `latent` (a list a row) and, as the case may be, `label`. Raises ValueError for any other.
    """
    if not hasattr(inputs, "columns"):
        values = np.asarray(inputs)
        if not np.issubdtype(values.dtype, np.integer) or values.ndim == 0 or values.shape[1:] not in ((), (2,)):
            return _vectors(values, size), None
        if values.ndim == 1:
            return latents(values, size), None
        return latents(values[:, 0], size), values[:, 1].astype(np.int64)
    if not {"seed", "latent"} & set(inputs):
        raise ValueError(f"expected a column `seed` or `latent`, found {', '.join(map(str, inputs)) or 'none'}")
    noise = np.zeros((len(inputs), size), np.float32)
    drawn = inputs["latent"].isna().to_numpy() if "latent" in inputs else np.ones(len(inputs), bool)
    if drawn.any():
        if "seed" not in inputs or inputs["seed"][drawn].isna().any():
            raise ValueError("expected a seed or a latent vector in every row, found a row with neither")
        noise[drawn] = latents(inputs["seed"][drawn].to_numpy(dtype=np.int64), size)
    if not drawn.all():
        noise[~drawn] = _vectors(inputs["latent"][~drawn].to_list(), size)
    return noise, inputs["label"].to_numpy(dtype=np.int64) if "label" in inputs else None


def _vectors(values: Any, size: int) -> npt.NDArray[np.float32]:
    """Latent vectors as they come, (N, size); a ValueError says what is wrong with them."""
    try:
        vectors = np.asarray(values, dtype=np.float32)
    except ValueError:
        vectors = np.zeros(0, np.float32)  # of several lengths
    if vectors.ndim != 2 or vectors.shape[1] != size:
        found = f"shape {vectors.shape}" if vectors.size else "vectors of several lengths"
        raise ValueError(f"expected latent vectors of shape (N, {size}), or integer seeds of shape (N,); found {found}")
    if not np.isfinite(vectors).all():
        raise ValueError("expected latent vectors of finite numbers, found infinite ones or NaN")
    return vectors

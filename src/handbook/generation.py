"""Pictures that a network makes: adversarial losses, averaged weights, and how far the made lie from the real.

Everything is judged in the features of a classifier that was trained on real pictures (`evaluation.Judge`), because two
pictures of one digit may share no pixel. One number tells how far apart two sets of pictures are (Fréchet distance),
two tell why: what is made badly lowers precision, what is never made lowers recall.
"""

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

from handbook.evaluation import Floats
from handbook.training import Batches, Move

Bytes = npt.NDArray[np.uint8]
AT_ONCE = 1000  # pictures drawn, or rows of a table of distances held, at a time
FEWEST = 60  # batches that a data set gives
MOMENTS = 8  # of a training, at which a sheet is kept


class Draws(Batches):
    """Whole batches drawn anew each epoch, `steps` of them or as many as the samples fill: never a smaller last one.

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
    """What either side minimises: the discriminator given scores (B,) of real and made, the generator of made."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    generator: Callable[[Tensor], Tensor]


def standard(smoothing: float = 0.0) -> Game:
    """Cross-entropy, the generator's in the form that does not saturate (Goodfellow et al. 2014, section 3).

    `smoothing` takes that much off the target of the real pictures alone (Salimans et al. 2016, section 3.4).
    """

    def discriminator(real: Tensor, made: Tensor) -> Tensor:
        # -t log s(x) - (1 - t) log(1 - s(x)) = softplus(-x) + (1 - t) x
        return (F.softplus(-real) + smoothing * real).mean() + F.softplus(made).mean()

    return Game(discriminator, lambda made: F.softplus(-made).mean())


def hinge() -> Game:
    """Scores beyond 1 and -1 are good enough (Lim and Ye 2017; Miyato et al. 2018, equations 16 and 17)."""
    return Game(lambda real, made: F.relu(1 - real).mean() + F.relu(1 + made).mean(), lambda made: -made.mean())


def wasserstein() -> Game:
    """The difference of mean scores; the critic needs a penalty that keeps it 1-Lipschitz (Arjovsky et al. 2017)."""
    return Game(lambda real, made: made.mean() - real.mean(), lambda made: -made.mean())


GAMES: dict[str, Callable[[], Game]] = {"standard": standard, "hinge": hinge, "wasserstein": wasserstein}


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, made: Tensor) -> Tensor:
    """Mean of (|grad| - 1)^2 between real and made pictures (B, ...) (Gulrajani et al. 2017, equation 3)."""
    share = torch.rand(len(real), *[1] * (real.ndim - 1), device=real.device, dtype=real.dtype)
    between = torch.lerp(made.detach(), real, share).requires_grad_()
    slope = _slope(critic(between), between)
    penalty: Tensor = (slope.norm(dim=1) - 1).square().mean()
    return penalty


def zero_centred_penalty(scores: Tensor, real: Tensor) -> Tensor:
    """Mean of |grad|^2 at real pictures (B, ...) that require a gradient, given their scores (B,).

    R1 of Mescheder, Geiger and Nowozin 2018, equation 9, without its factor of one half.
    """
    return _slope(scores, real).square().sum(dim=1).mean()


def _slope(scores: Tensor, at: Tensor) -> Tensor:
    """The gradient (B, pixels) of scores (B,) with respect to the pictures (B, ...) that they belong to."""
    (slope,) = torch.autograd.grad(scores.sum(), at, create_graph=True)
    return slope.flatten(1)


def colour(x: Tensor) -> Tensor:
    """Brightness by up to 0.5, saturation by 0 to 2, contrast by 0.5 to 1.5, of pictures (B, 3, H, W) of -1..1.

    One after the other they are x + b, g + s (x - g) about a pixel's grey g, and m + c (x - m) about the mean m of
    the picture; all at once, c s x + c (1 - s) g + (1 - c) m + b, which touches each pixel once.
    """
    b, s, c = torch.rand(3, len(x), 1, 1, 1, device=x.device, dtype=x.dtype)
    b, s, c = b - 0.5, 2 * s, c + 0.5
    g = x.mean(dim=1, keepdim=True)
    m = g.mean(dim=(2, 3), keepdim=True)
    return torch.addcmul(c * (1 - s) * g + (1 - c) * m + b, x, c * s)


def translation(x: Tensor, share: float = 1 / 8) -> Tensor:
    """Pictures (B, C, H, W) moved by up to that share of a side each way, 0 coming in."""
    down, across = (_moves(len(x), side, round(side * share), x) for side in x.shape[2:])
    return down @ x @ across.transpose(2, 3)


def _moves(n: int, side: int, most: int, like: Tensor) -> Tensor:
    """Matrices (n, 1, side, side) that move by up to so many places, each its own. A gather has a slow gradient."""
    by = torch.randint(-most, most + 1, (n, 1, 1, 1), device=like.device)
    place = torch.arange(side, device=like.device)
    return (place + by == place[:, None]).to(like.dtype)


def cutout(x: Tensor, share: float = 1 / 2) -> Tensor:
    """Pictures (B, C, H, W) with a hole of 0, that share of a side each way, its centre anywhere."""
    n, _, height, width = x.shape
    outside = []
    for side in (height, width):
        centre = torch.randint(0, side + 1, (n, 1), device=x.device)
        outside.append((torch.arange(side, device=x.device) - centre + 0.5).abs() > side * share / 2)
    return x * (outside[0][:, None, :, None] | outside[1][:, None, None, :])


# Both sides see pictures through the same kinds of random change, and gradients come through them: so few pictures are
# not learned by heart, and changed ones are not drawn (Zhao et al. 2020, section 3).
AUGMENTATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "colour": colour,
    "translation": translation,
    "cutout": cutout,
}


@torch.no_grad()
def follow(averaged: nn.Module, module: nn.Module, decay: float, step: int | None = None) -> None:
    """Move averaged weights towards a module's: w <- decay w + (1 - decay) w' (Polyak and Juditsky 1992).

    Statistics of batch norm move along; counters are copied. Given the step, from 0, the decay warms up as
    min(decay, (1 + step) / (10 + step)), so that the first weights, which are noise, are soon forgotten.
    """
    kept = decay if step is None else min(decay, (1 + step) / (10 + step))
    theirs = module.state_dict()
    pairs = [(mine, theirs[name]) for name, mine in averaged.state_dict().items()]
    floats = [pair for pair in pairs if pair[0].is_floating_point()]
    torch._foreach_lerp_([mine for mine, _ in floats], [other for _, other in floats], 1 - kept)
    for mine, other in pairs:
        if not mine.is_floating_point():
            mine.copy_(other)


class Adversaries(nn.Module):
    """A generator and a discriminator that train each other, the averaged generator that draws, and sheets it drew.

    The generator turns noise (B, latent) and, for a conditional pair, classes (B,) into pictures (B, C, H, W) of -1..1;
    the discriminator scores pictures (B,). Of `params` it takes `latent`, `averaging`, `generator_rate`,
    `discriminator_rate`, `betas` and `epochs`; the rest of the game a page sets on its model, or overrides.
    """

    conditional = False  # both sides are told the class
    apart = False  # real and made are scored apart: batch norm would tell a picture by the company it is in
    critic_steps = 1  # the generator moves once every so many batches
    penalty = 0.0  # weight of the gradient penalty

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
        told = labels if self.conditional else []
        real = self.prepared(images).contiguous(memory_format=torch.channels_last)
        made = self.generator(torch.randn(len(real), self.params.latent, device=real.device), *told)
        losses = self._move_discriminator(real, made.detach(), told, move)
        if (step + 1) % self.critic_steps == 0:
            move(0, self.generator, self.game.generator(self.scores(made, *told)))
            follow(self.averaged, self.generator, self.params.averaging, step)
        self._remember(step + 1, steps)
        return losses

    def prepared(self, images: Tensor) -> Tensor:
        """Real pictures (B, C, H, W) of -1..1 from the bytes of a batch."""
        return as_pixels(images)

    def scores(self, pictures: Tensor, *told: Tensor) -> Tensor:
        """What the discriminator says (B,) of pictures (B, C, H, W), real or made."""
        scores: Tensor = self.discriminator(pictures, *told)
        return scores

    def _move_discriminator(self, real: Tensor, made: Tensor, told: list[Tensor], move: Move) -> dict[str, Tensor]:
        """One step of the discriminator; returns both sides' losses before it."""
        if self.apart:
            of_real, of_made = self.scores(real, *told), self.scores(made, *told)
        else:
            twice = (torch.cat([each, each]) for each in told)
            of_real, of_made = self.scores(torch.cat([real, made]), *twice).chunk(2)
        loss = total = self.game.discriminator(of_real, of_made)
        if self.penalty:
            total = loss + self.penalty * gradient_penalty(lambda x: self.scores(x, *told), real, made.float())
        move(1, self.discriminator, total)
        return {"loss": self.game.generator(of_made.detach()), "discriminator_loss": loss.detach()}

    def _remember(self, step: int, steps: int) -> None:
        """Keep a sheet at moments that lie closer together early on, when most changes."""
        for k in range(MOMENTS):
            if step == max(1, round(steps * ((k + 1) / MOMENTS) ** 2)):
                drawn = self.draw(latents(np.arange(10), self.params.latent), np.arange(10))
                self.sheets[k], self.moments[k] = torch.from_numpy(drawn), step

    @torch.no_grad()
    def draw(self, noise: npt.NDArray[np.float32], classes: npt.NDArray[np.int64] | None = None) -> Bytes:
        """Pictures (N, H, W) or (N, H, W, 3) of latent vectors (N, latent); only a conditional pair heeds `classes`."""
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
    """A standard normal vector (N, size) for each seed (N,), 0 or more, whichever others are asked beside it."""
    if len(seeds) and seeds.min() < 0:
        raise ValueError(f"expected seeds of 0 or more, found {seeds.min()}")
    drawn = [np.random.default_rng(int(seed)).standard_normal(size, dtype=np.float32) for seed in seeds]
    return np.stack(drawn) if drawn else np.zeros((0, size), np.float32)


def asked(inputs: Any, size: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64] | None]:
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
        raise ValueError("expected latent vectors of finite numbers, found some that are not")
    return vectors


def great_circle(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """Vectors (steps, size) from one to the other along the sphere that normal vectors lie near (White 2016).

    A straight line would pass near the middle, where hardly any latent vector that the generator knows lies.
    """
    share = torch.linspace(0, 1, steps, device=start.device, dtype=start.dtype).unsqueeze(1)
    cosine = F.cosine_similarity(start, end, dim=0).clamp(-1 + 1e-6, 1 - 1e-6)
    angle = torch.arccos(cosine)
    return (torch.sin((1 - share) * angle) * start + torch.sin(share * angle) * end) / torch.sin(angle)


def frechet_distance(one: Floats, other: Floats) -> float:
    """Squared Fréchet distance of two Gaussians fitted to features (N, D) and (M, D); 0 where they agree.

    |m - m'|^2 + tr(C + C' - 2 (C C')^(1/2)) (Dowson and Landau 1982; Heusel et al. 2017, equation 6). It falls as N
    grows, so only distances of as many pictures compare.
    """
    return _gaussian_distance(_moments(one), _moments(other))


def frechet_interval(one: Floats, other: Floats, rng: np.random.Generator, resamples: int = 100) -> tuple[float, float]:
    """The 95 % bootstrap interval of `frechet_distance`, both sets drawn anew.

    Drawing anew lifts this distance, as few samples do; the interval is the spread of the resampled distances about
    their median, laid around the distance itself.
    """
    found = frechet_distance(one, other)
    again = [_gaussian_distance(_moments(_redrawn(one, rng)), _moments(_redrawn(other, rng))) for _ in range(resamples)]
    low, middle, high = np.percentile(again, [2.5, 50, 97.5])
    return max(0.0, float(found + low - middle)), float(found + high - middle)


def _redrawn(values: Floats, rng: np.random.Generator) -> Floats:
    return np.asarray(values[rng.integers(0, len(values), len(values))])


def _moments(features: Floats) -> tuple[Floats, Floats]:
    values = np.asarray(features, dtype=np.float64)
    if values.ndim != 2 or len(values) < 2:
        raise ValueError(f"expected features of shape (N, D) of 2 pictures or more, found {values.shape}")
    mean = values.mean(axis=0)
    centred = values - mean
    return mean, centred.T @ centred / (len(values) - 1)


def _gaussian_distance(one: tuple[Floats, Floats], other: tuple[Floats, Floats]) -> float:
    """tr (C C')^(1/2) is the sum of the roots of the eigenvalues of the symmetric C^(1/2) C' C^(1/2)."""
    (mean, spread), (mean_, spread_) = one, other
    values, vectors = np.linalg.eigh(spread)
    root = vectors * np.sqrt(np.clip(values, 0, None)) @ vectors.T
    shared = np.sqrt(np.clip(np.linalg.eigvalsh(root @ spread_ @ root), 0, None)).sum()
    distance = np.square(mean - mean_).sum() + np.trace(spread) + np.trace(spread_) - 2 * shared
    return max(0.0, float(distance))


def precision_recall(real: Floats, made: Floats, neighbours: int = 3) -> tuple[float, float]:
    """Share of made features (M, D) within the real ones' manifold, and of real (N, D) within the made ones'.

    A set's manifold is the union of balls around its points, each reaching to its k-th neighbour (Kynkäänniemi et al.
    2019, equations 1 and 2). Only values of as many pictures compare.
    """
    real_, made_ = (torch.from_numpy(np.ascontiguousarray(each, dtype=np.float64)) for each in (real, made))
    if min(len(real_), len(made_)) <= neighbours:
        raise ValueError(f"expected more than {neighbours} pictures of each kind, found {len(real_)} and {len(made_)}")
    return _within(made_, real_, neighbours), _within(real_, made_, neighbours)


def _within(points: Tensor, centres: Tensor, neighbours: int) -> float:
    """Share of points that lie in the ball of at least one centre."""
    reach = torch.cat([
        _squared(part, centres).kthvalue(neighbours + 1, dim=1).values  # the nearest of all is the centre itself
        for part in torch.split(centres, AT_ONCE)
    ])  # fmt: skip
    inside = [(_squared(part, centres) <= reach).any(dim=1) for part in torch.split(points, AT_ONCE)]
    return float(torch.cat(inside).double().mean())


def _squared(points: Tensor, others: Tensor) -> Tensor:
    """Squared distances (N, M), by one product of matrices."""
    lengths = points.square().sum(dim=1, keepdim=True) + others.square().sum(dim=1)
    return torch.addmm(lengths, points, others.T, alpha=-2).clamp_(min=0)


def likeness(real: Floats, made: Floats) -> dict[str, float]:
    """How alike two sets of features are, by the names that the field gives its figures."""
    precision, recall = precision_recall(real, made)
    return {"frechet_distance": frechet_distance(real, made), "precision": precision, "recall": recall}


def nearest(queries: npt.NDArray[Any], references: npt.NDArray[Any]) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Distance (N,) from each query (N, ...) to its nearest reference (M, ...), and the index (N,) of that one."""
    mine, theirs = (
        torch.from_numpy(np.ascontiguousarray(each.reshape(len(each), -1), dtype=np.float32))
        for each in (queries, references)
    )
    centre = theirs.mean(dim=0)  # near the origin, single precision loses least
    mine, theirs = mine - centre, theirs - centre
    place = torch.cat([_squared(part, theirs).argmin(dim=1) for part in torch.split(mine, AT_ONCE)])
    distance = (mine - theirs[place]).norm(dim=1)  # anew: the product has lost the digits of a small one
    return np.asarray(distance.double().numpy()), np.asarray(place.numpy())


def memorised(made: Floats, held_out: Floats, share: float = 0.05) -> float:
    """Share of made pictures nearer to a training picture than the nearest `share` of held-out ones are.

    Takes the distances (N,) and (M,) of `nearest`. A generator that copies gets near 1, one that draws from what the
    held-out pictures are drawn from gets `share`.
    """
    return float((made < np.quantile(held_out, share)).mean())


def pixel_gaussian(pictures: Bytes, number: int, rng: np.random.Generator, of: int = 2000) -> Bytes:
    """A simple generator: pictures (number, ...) of a Gaussian with the mean and covariance of `of` of the pictures.

    A normal mixture of centred pictures has their covariance, so that no matrix of pixels by pixels is needed.
    """
    chosen = pictures[rng.permutation(len(pictures))[:of]].reshape(min(of, len(pictures)), -1).astype(np.float32)
    mean = chosen.mean(axis=0)
    weights = rng.standard_normal((number, len(chosen)), dtype=np.float32) / np.sqrt(len(chosen) - 1, dtype=np.float32)
    drawn = mean + weights @ (chosen - mean)
    return np.asarray(drawn.clip(0, 255).round().astype(np.uint8).reshape(number, *pictures.shape[1:]))


def pixel_by_pixel(pictures: Bytes, number: int, rng: np.random.Generator) -> Bytes:
    """The trivial generator: every pixel of (number, ...) is that pixel of some other one of the pictures."""
    flat = pictures.reshape(len(pictures), -1)
    drawn = flat[rng.integers(0, len(flat), (number, flat.shape[1])), np.arange(flat.shape[1])]
    return np.asarray(drawn.reshape(number, *pictures.shape[1:]))


def collapse(shares: Floats, recall: float, least_share: float, least_recall: float) -> str:
    """What has collapsed, in a sentence, or nothing: classes that are hardly made, or variety that is missing."""
    rare = [f"{k} ({share:.1%})" for k, share in enumerate(shares) if share < least_share]
    told = []
    if rare:
        told.append(f"class {', '.join(rare)} below {least_share:.0%} of what is made")
    if recall < least_recall:
        told.append(f"recall {recall:.2f} below {least_recall:.2f}")
    return f"Mode collapse: {' and '.join(told)}." if told else ""

"""One star for several games (section 6.5; Choi et al. 2018): one translator for every way between K domains.

A cycle between each two of K domains would take K (K - 1) translators. Here one network is given the picture and the
wanted domain c, and the discriminator, beside its score, names the domain of a picture, own being the true one
(equations 1 to 6, the adversarial loss by least squares):

    D:  (D(x) - 1)² + D(G(x, c))² + lambda_cls CE(x, own)                      lambda_cls = 1
    G:  (D(G(x, c)) - 1)² + lambda_cls CE(G(x, c), c) + lambda_rec |G(G(x, c), own) - x|    lambda_rec = 10

The domains are games, each of which drew the same Pokemon in its own way. Two judges look at Pokemon that were not
shown: the true sprite of that Pokemon in the wanted game, pixel by pixel, beside the picture left as it is and beside a
translator trained on pairs; and classifiers of games, together, that have seen no translation. Last, translations as
more training data (section 6.3): do the classifiers name the game of unseen Pokemon better for them, or for mirrored
sprites?
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import permutations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from handbook.evaluation.metrics import mean_interval
from handbook.labs.gan_varieties.game import adam, batches, bounds, move, one_thread, ratio, steps
from handbook.labs.gan_varieties.small import Bytes, Floats, Numbers, Small, as_pixels, reduced
from handbook.labs.gan_varieties.translation import (
    BATCH,
    BETAS,
    RATE,
    SIDE,
    Interval,
    Patches,
    Translator,
    least_squares,
    left,
    rows_of,
    supervised,
    translated,
)

GAMES = ("emerald", "diamond-pearl", "black-white", "x-y")  # 64, 80, 96 and 128 pixels a side; the last one not drawn
LAMBDA_CLS, LAMBDA_REC = 1.0, 10.0  # as in the paper, section 4.4
PASSES, CLASSIFIER_PASSES, CLASSIFIER_BATCH = 3.0, 12.0, 32
SEEDS = 3  # of the classifiers with and without more data
SHOWN = 8
WAYS = ("as they are", "with mirrored", "with translated")  # the training data of a classifier


@dataclass(frozen=True)
class Domain:
    """Normal sprites x (N, 3, 16, 16) of several games, the place of each one's game, its dex number, if it is new."""

    x: Tensor
    own: Tensor  # (N,)
    dex: Numbers
    new: np.ndarray  # (N,) bool: not shown in training
    games: tuple[str, ...]

    @classmethod
    def of(cls, small: Small) -> Domain:
        games = tuple(game for game in GAMES if game in small.game)
        rows = [small.of_game(game) for game in games]
        every = np.concatenate(rows)
        own = np.repeat(np.arange(len(games)), [len(each) for each in rows])
        x = as_pixels(reduced(small.images[every], SIDE))
        return cls(x, torch.from_numpy(own), small.dex[every], small.held_out[every], games)

    @property
    def wanted(self) -> Tensor:
        """Each one's own game as ones and zeros, (N, K)."""
        return one_hot(self.own, len(self.games))

    def pairs(self, new: bool) -> tuple[Numbers, Numbers]:
        """Rows (P,) of sprites, and of the same Pokemon's in another game, every way between two games."""
        _, pokemon = np.unique(self.dex, return_inverse=True)
        table = np.full((pokemon.max() + 1, len(self.games)), -1)
        table[pokemon[self.new == new], self.own.numpy()[self.new == new]] = np.flatnonzero(self.new == new)
        ways = np.concatenate([table[:, way] for way in permutations(range(len(self.games)), 2)])
        both = ways[(ways >= 0).all(axis=1)]
        return both[:, 0], both[:, 1]


def one_hot(labels: Tensor, number: int) -> Tensor:
    """Labels (N,) as ones and zeros (N, K)."""
    return F.one_hot(labels, number).float()


class Star:
    """The translator, the discriminator, and what moves them."""

    def __init__(self, games: int) -> None:
        self.games, self.translator, self.discriminator = games, Translator(games), Patches(games)
        self.movers = adam(self.translator, RATE, BETAS), adam(self.discriminator, RATE, BETAS)

    def step(self, x: Tensor, own: Tensor) -> tuple[float, float]:
        """Move both sides by pictures (B, 3, 16, 16) and their games (B,); the losses before it, translator's first."""
        to = torch.randint(self.games, (len(x),))
        there = self.translator(x, one_hot(to, self.games))
        of_real, named = self.discriminator.both(x)
        judged = least_squares(of_real, 1) + least_squares(self.discriminator(there.detach()), 0)
        loss = judged + LAMBDA_CLS * F.cross_entropy(named, own)
        move(self.movers[1], loss)
        score, named = self.discriminator.both(there)
        again = (self.translator(there, one_hot(own, self.games)) - x).abs().mean()
        fooled = least_squares(score, 1) + LAMBDA_CLS * F.cross_entropy(named, to) + LAMBDA_REC * again
        move(self.movers[0], fooled)
        return float(fooled.detach()), float(loss.detach())


def trained(domain: Domain, seed: int) -> Translator:
    """The translator after its training on the sprites that are not new."""
    x, own = (each[~domain.new] for each in (domain.x, domain.own))
    with one_thread(seed):
        star = Star(len(domain.games))
        for rows in batches(len(x), BATCH, steps(PASSES, len(x), BATCH)):
            star.step(x[rows], own[rows])
    return star.translator


class Classifier(nn.Sequential):
    """Pictures (B, 3, 16, 16) -> logits (B, K) of the games."""

    def __init__(self, games: int) -> None:
        super().__init__(
            nn.Conv2d(3, 16, 4, stride=2, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 4, stride=2, padding=1), nn.ReLU(),
            nn.Flatten(), nn.Linear(32 * 16, games),
        )  # fmt: skip


def classifier(domain: Domain, seed: int, way: str = WAYS[0], star: Translator | None = None) -> Classifier:
    """Trained on the sprites that are not new; in two of three ways half of each batch is what is made of sprites."""
    x, own = (each[~domain.new] for each in (domain.x, domain.own))
    number = len(domain.games)
    with one_thread(seed):
        net = Classifier(number)
        mover = adam(net, RATE, (0.9, 0.999))
        for rows in batches(len(x), CLASSIFIER_BATCH, steps(CLASSIFIER_PASSES, len(x), CLASSIFIER_BATCH)):
            pictures, labels, half = x[rows], own[rows].clone(), CLASSIFIER_BATCH // 2
            if way == WAYS[1]:
                pictures[:half] = pictures[:half].flip(3)
            elif way == WAYS[2] and star is not None:
                labels[:half] = torch.randint(number, (half,))
                pictures[:half] = translated(star, pictures[:half], one_hot(labels[:half], number))
            move(mover, F.cross_entropy(net(pictures), labels))
    return net


@dataclass(frozen=True)
class Stars:
    """How the star did by both judges, and what its pictures add as training data, each with its interval."""

    left: dict[str, Interval]  # of the distance to the true sprite, by method
    taken: dict[str, Interval]  # share taken for the wanted game, by whose pictures
    accuracy: dict[str, Floats]  # of classifiers on unseen Pokemon (3,), one a seed, by training data
    sheet: Bytes  # rows: a sprite, then for each other game its translation and the true sprite
    rows: tuple[str, ...]
    games: tuple[str, ...]

    def gain(self, way: str) -> Interval:
        """What more training data add to the accuracy, mean over paired seeds."""
        return mean_interval(self.accuracy[way] - self.accuracy[WAYS[0]])

    def facts(self) -> dict[str, float | bool]:
        """Errors left, shares that pass, accuracies and gains."""
        found: dict[str, float | bool] = {"games of the star": len(self.games)}
        for name, left_over in self.left.items():
            found |= bounds(f"to the true sprite of another game, {name}: error left", left_over)
        for name, share in self.taken.items():
            found |= bounds(f"taken for the wanted game: {name}", share)
        for way, values in self.accuracy.items():
            found |= bounds(f"accuracy of naming the game, sprites {way}", mean_interval(values))
        for way in WAYS[1:]:
            found |= bounds(f"added to the accuracy, sprites {way}", self.gain(way))
        return found


@cache
def measured(small: Small) -> Stars:
    """Train the star, the translator on pairs and the classifiers, and let them be judged."""
    domain = Domain.of(small)
    star = trained(domain, 0)
    one, other = domain.pairs(new=False)
    number = steps(PASSES, int((~domain.new).sum()), BATCH)
    paired = supervised(domain.x[one], domain.x[other], number, 0, domain.wanted[other])
    one, other = domain.pairs(new=True)
    x, y, to = domain.x[one], domain.x[other], domain.own[other]
    nets = {"by star": star, "by pairs": paired}
    found = {name: translated(net, x, domain.wanted[other]) for name, net in nets.items()}
    judges = {way: [classifier(domain, seed, way, star) for seed in range(SEEDS)] for way in WAYS}
    pictures = {"left as they are": x, **found, "true sprites": y}
    return Stars(
        {name: left([each], x, y, domain.dex[one]) for name, each in found.items()},
        {name: _taken(judges[WAYS[1]], each, to, domain.dex[one]) for name, each in pictures.items()},
        {way: np.array([_accuracy(net, domain) for net in each]) for way, each in judges.items()},
        *_sheet(domain, star),
        domain.games,
    )


@torch.no_grad()
def _taken(judges: list[Classifier], pictures: Tensor, to: Tensor, dex: Numbers) -> Interval:
    """Share of pictures (N, 3, 16, 16) that the judges together, by their mean probabilities, take for `to` (N,)."""
    probabilities = torch.stack([judge(pictures).softmax(dim=1) for judge in judges]).mean(dim=0)
    named = (probabilities.argmax(dim=1) == to).double().numpy()
    return ratio(named, np.ones(len(named)), dex, np.random.default_rng(0))


@torch.no_grad()
def _accuracy(net: Classifier, domain: Domain) -> float:
    return float((net(domain.x[domain.new]).argmax(dim=1) == domain.own[domain.new]).double().mean())


def _sheet(domain: Domain, star: Translator) -> tuple[Bytes, tuple[str, ...]]:
    """New Pokemon that every game shows: the first game's sprite, and into each other one, drawn and true."""
    places = [np.flatnonzero(domain.new & (domain.own.numpy() == k)) for k in range(len(domain.games))]
    shared = sorted(set.intersection(*(set(domain.dex[each].tolist()) for each in places)))
    some = np.random.default_rng(0).permutation(shared)[:SHOWN]
    of = [each[np.searchsorted(domain.dex[each], some)] for each in places]  # rows come in the order of dex numbers
    sheet, rows = [domain.x[of[0]]], [domain.games[0]]
    for k, game in enumerate(domain.games[1:], start=1):
        wanted = one_hot(torch.full((len(some),), k), len(domain.games))
        sheet += [translated(star, domain.x[of[0]], wanted), domain.x[of[k]]]
        rows += [f"to {game}", "the true one"]
    return rows_of(sheet), tuple(rows)

"""The laws of the lab `rgb_network`: the network is the book's, mended, and is judged on Pokemon that it never saw."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from handbook import datasets
from handbook.data.sprites import Sprites
from handbook.errors import HandbookError
from handbook.labs import rgb_network as lab
from handbook.labs.rgb_network import network


@pytest.fixture(scope="module")
def sprites(samples: Callable[[str], Path]) -> Sprites:
    loaded: Sprites = datasets.page("pokemon").load(samples("pokemon"))
    return loaded


def test_the_network_has_the_books_shapes_with_room_for_32_by_32() -> None:
    shapes = [tuple(each.shape) for each in network.network(False, 0).parameters() if each.ndim > 1]
    assert shapes == [(16, 3, 3, 3), (32, 16, 3, 3), (128, 32 * 32 * 32), (10, 128)]
    for pooling in (False, True):
        assert network.network(pooling, 0)(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_no_pokemon_is_learnt_from_and_judged_by(sprites: Sprites) -> None:
    shown = network.Games.of(sprites)
    pictures, games, new, answers = shown.arrays()
    assert len(pictures) == len(games) == len(shown)
    assert len(new) == len(answers) == shown.tested == (sprites.part == "held out").sum()
    held_out = sprites.take(np.flatnonzero(sprites.part == "held out"))
    assert set(shown.dex) == set(held_out.dex.tolist())
    assert not set(shown.dex) & set(sprites.dex[sprites.part == "train"].tolist())
    np.testing.assert_array_equal(new, network.halved(held_out.images))
    assert [shown.names[k] for k in answers] == held_out.game.tolist()


def test_halving_keeps_the_mean_and_grey_has_the_same_in_every_channel() -> None:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (3, 64, 64, 3)).astype(np.uint8)
    small = network.halved(pictures)
    assert np.abs(small.mean(axis=(1, 2)) - pictures.mean(axis=(1, 2))).max() < 0.2
    colour, grey = network.tensor(small), network.tensor(small, grey=True)
    assert torch.allclose(colour.mean(dim=1), grey[:, 0])
    assert torch.equal(grey[:, 0], grey[:, 2])


def test_an_interval_of_pokemon_is_wider_than_one_of_sprites_where_sprites_of_one_are_alike(sprites: Sprites) -> None:
    shown = network.Games.of(sprites)
    alike = np.isin(shown.dex, sorted(set(shown.dex))[::2]).astype(float)  # every second Pokemon right with all sprites
    apart = np.random.default_rng(0).permutation(alike)
    mean, low, high = network.interval(alike, shown)
    assert low < mean < high
    assert high - low > 1.5 * np.subtract(*network.interval(apart, shown)[:0:-1])


def test_more_games_than_answers_are_refused(sprites: Sprites) -> None:
    games = np.array([f"game {k % 11}" for k in range(len(sprites))])
    with pytest.raises(HandbookError, match="10 answers, found 11 games"):
        network.Games.of(dataclasses.replace(sprites, game=games))


def test_every_network_beats_the_commonest_game_and_the_checks_hold_its_bounds(sprites: Sprites) -> None:
    facts = lab.checks(sprites)
    for name in network.SEEDS:
        assert facts[f"{name}: accuracy"] > facts["commonest game: accuracy"]
        assert facts[f"{name}: low"] <= facts[f"{name}: accuracy"] <= facts[f"{name}: high"]

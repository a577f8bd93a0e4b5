"""The laws of the lab `gan_varieties`: its layers against plain ones, its losses against others, its judges by hand."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from handbook import datasets
from handbook.evaluation.metrics import mean_interval
from handbook.labs.gan_varieties import cycle, drawing, game, layers, progressive, star, style, translation, units
from handbook.labs.gan_varieties.small import PART, Small, as_bytes, as_pixels, reduced
from handbook.training import adversarial

CLOSE: dict[str, Any] = {"rtol": 1e-4, "atol": 1e-5}


@pytest.fixture(scope="module")
def small(samples: Callable[[str], Path]) -> Small:
    return Small.of(datasets.page("pokemon").load(samples("pokemon")))


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def pictures(number: int = 4, side: int = 16) -> Tensor:
    return torch.rand(number, 3, side, side) * 2 - 1


def test_a_reduced_picture_has_the_means_of_what_its_pixels_cover() -> None:
    full = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3)).astype(np.uint8)
    means = full.reshape(3, 16, 4, 16, 4, 3).mean(axis=(2, 4))
    assert np.abs(reduced(full, 16) - means).max() <= 0.5
    assert np.array_equal(reduced(full, 64), full)


def test_bytes_survive_becoming_pixels_and_back() -> None:
    every = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    assert np.array_equal(as_bytes(as_pixels(every)), every)


def test_a_pair_is_one_pokemon_of_one_game_normal_and_shiny(small: Small) -> None:
    normal, shiny = small.pairs()
    names = np.array(small.game)
    assert len(normal) == 4 * len(np.unique(small.dex))  # every one of the sample, in each of its games
    assert (small.dex[normal] == small.dex[shiny]).all()
    assert (names[normal] == names[shiny]).all()
    assert not small.shiny[normal].any()
    assert small.shiny[shiny].all()


def test_of_a_drawn_sample_a_part_is_learned_from_and_every_held_out_pokemon_judges(
    small: Small, samples: Callable[[str], Path]
) -> None:
    data = datasets.page("pokemon").load(samples("pokemon"))
    kept, every = (
        {part: np.unique(dex[held_out == (part == "held out")]) for part in ("train", "held out")}
        for dex, held_out in ((small.dex, small.held_out), (data.dex, data.part == "held out"))
    )
    np.testing.assert_array_equal(kept["held out"], every["held out"])
    np.testing.assert_array_equal(kept["train"], every["train"][::PART])


def test_what_a_game_shows_twice_is_no_pair() -> None:
    one = Small(bytes(4 * 3072), np.array([7, 7, 7, 8]).tobytes(), ("a",) * 4, bytes([0, 0, 1, 1]), bytes(4))
    assert [len(each) for each in one.pairs()] == [0, 0]


def test_the_star_pairs_every_two_games_both_ways_and_never_old_with_new(small: Small) -> None:
    domain = star.Domain.of(small)
    assert domain.games == ("emerald", "diamond-pearl", "black-white")
    for new in (False, True):
        one, other = domain.pairs(new)
        assert len(one) == 6 * len(np.unique(domain.dex[domain.new == new]))
        assert (domain.dex[one] == domain.dex[other]).all()
        assert (domain.own[one] != domain.own[other]).all()
        assert (domain.new[one] == new).all()
        assert (domain.new[other] == new).all()


@pytest.mark.parametrize("demodulate", [True, False])
def test_a_modulated_convolution_is_one_with_a_kernel_for_each_picture(demodulate: bool) -> None:
    layer = layers.ModulatedConv(5, 7, 6, demodulate=demodulate)
    nn.init.normal_(layer.conv.bias)
    x, w = torch.randn(4, 5, 8, 8), torch.randn(4, 6)
    found = layer(x, w)
    for picture, own, each in zip(x, layer.style(w), found, strict=True):
        kernel = layer.conv.weight * layer.conv.scale * own[:, None, None]
        if demodulate:
            kernel = kernel / (kernel.square().sum(dim=(1, 2, 3), keepdim=True) + layers.EPS).sqrt()
        torch.testing.assert_close(each, F.conv2d(picture, kernel, layer.conv.bias, padding=1), **CLOSE)


def test_demodulation_makes_the_size_of_a_style_matter_no_more() -> None:
    layer, x, s = layers.ModulatedConv(5, 7, 5), torch.randn(3, 5, 8, 8), torch.randn(3, 5)
    with torch.no_grad():
        layer.style.weight.copy_(torch.eye(5) / layer.style.scale)
        layer.style.bias.zero_()
    torch.testing.assert_close(layer(x, s), layer(x, 10 * s), **CLOSE)


def test_equalised_layers_start_with_signals_of_deviation_one() -> None:
    assert layers.Dense(256, 64)(torch.randn(200, 256)).std().item() == pytest.approx(1, abs=0.05)
    assert layers.Conv(64, 64)(torch.randn(8, 64, 16, 16))[:, :, 1:-1, 1:-1].std().item() == pytest.approx(1, abs=0.05)


def test_a_pixel_norm_leaves_vectors_of_root_mean_square_one() -> None:
    norms = layers.pixel_norm(7 * torch.randn(3, 16, 4, 4)).square().mean(dim=1)
    torch.testing.assert_close(norms, torch.ones(3, 4, 4), **CLOSE)


def test_the_minibatch_deviation_is_none_where_all_pictures_are_the_same() -> None:
    same = layers.with_deviation(torch.randn(1, 5, 4, 4).expand(6, 5, 4, 4))
    assert same.shape == (6, 6, 4, 4)
    assert same[:, -1].max().item() == pytest.approx(0, abs=1e-3)
    assert layers.with_deviation(torch.randn(6, 5, 4, 4))[:, -1].min() > 0.5


@pytest.mark.parametrize("rounds", [2, 3])
def test_fading_in_begins_with_the_small_generator_doubled_and_ends_with_the_grown_one(rounds: int) -> None:
    net, z = progressive.Generator(), torch.randn(3, progressive.LATENT)
    torch.testing.assert_close(net(z, rounds, 0.0), layers.doubled(net(z, rounds - 1)))
    torch.testing.assert_close(net(z, rounds, 1 - 1e-7), net(z, rounds), **CLOSE)
    half = (layers.doubled(net(z, rounds - 1)) + net(z, rounds)) / 2
    torch.testing.assert_close(net(z, rounds, 0.5), half, **CLOSE)


@pytest.mark.parametrize("rounds", [2, 3])
def test_fading_in_begins_with_the_small_discriminator_on_halved_pictures(rounds: int) -> None:
    net, x = layers.Discriminator(), pictures(4, 4 * 2**rounds)
    torch.testing.assert_close(net(x, rounds, 0.0), net(layers.halved(x), rounds - 1), **CLOSE)
    torch.testing.assert_close(net(x, rounds, 1 - 1e-7), net(x, rounds), **CLOSE)


def test_real_pictures_are_seen_as_coarse_as_the_small_network_while_the_fading_begins() -> None:
    x = pictures(2, 32)
    assert progressive.seen(x, 1, 1.0).shape[-1] == 8
    torch.testing.assert_close(progressive.seen(x, 2, 0.0), layers.doubled(progressive.seen(x, 1, 1.0)))
    assert progressive.seen(x, 3, 1.0) is x


def test_growing_spends_what_training_at_once_spends_on_more_steps() -> None:
    full = progressive.at_once(4000)
    plan = progressive.grown(float(progressive.spent(full)[-1]))
    costs = progressive.spent(plan)[-1], progressive.spent(full)[-1]
    assert costs[0] == pytest.approx(costs[1], rel=len(progressive.PHASES) / len(full))
    assert len(plan) > 1.3 * len(full)
    assert [rounds for rounds, _ in plan] == sorted(rounds for rounds, _ in plan)
    assert all(alpha == 1 for (rounds, alpha), (after, _) in pairwise(plan) if rounds < after)


def test_the_work_of_a_step_is_that_of_its_convolutions() -> None:
    """Of the smallest step, counted by hand."""
    w = layers.WIDTHS
    g = progressive.LATENT * w[0] * 16 + w[0] * w[1] * 9 * 64 + w[1] * 3 * 64
    d = 3 * w[1] * 64 + w[0] * w[1] * 9 * 64 + (w[0] + 1) * w[0] * 9 * 16 + w[0] * 16 * w[0] + w[0]
    assert progressive.work(1, False) == 3 * g + 8.375 * d
    assert (
        progressive.work(1, False) < progressive.work(2, False) < progressive.work(2, True) < progressive.work(3, True)
    )


def test_every_picture_follows_its_own_styles_and_no_others() -> None:
    net = style.Generator()
    styles, order = net.styles(torch.randn(5, style.LATENT)), torch.tensor([3, 0, 4, 1, 2])
    torch.testing.assert_close(net(styles)[order], net(styles[order]), **CLOSE)


def test_swapping_all_styles_draws_the_other_picture_and_swapping_none_the_same() -> None:
    net = style.Generator()
    one, other = (net.styles(torch.randn(3, style.LATENT)) for _ in range(2))
    torch.testing.assert_close(net(style.swapped(one, other, [0, 1, 2])), net(other), **CLOSE)
    torch.testing.assert_close(net(style.swapped(one, other, [])), net(one), **CLOSE)
    assert torch.equal(style.swapped(one, other, 1)[:, [0, 2]], one[:, [0, 2]])


def test_the_finest_style_changes_nothing_below_its_own_resolution() -> None:
    net, kept = style.Generator(), []
    net.convs[1].register_forward_hook(lambda module, inputs, found: kept.append(found))
    one, other = (net.styles(torch.randn(3, style.LATENT)) for _ in range(2))
    drawn = [net(each) for each in (one, style.swapped(one, other, 2))]
    assert torch.equal(*kept)
    assert not torch.equal(*drawn)


def test_a_shape_changes_by_the_share_that_is_not_shared_and_a_colour_by_its_distance() -> None:
    left, right = (np.full((1, 8, 8, 3), 255, np.uint8) for _ in range(2))
    left[:, :, :4], right[:, :, 2:6] = 0, 0
    assert style.shape_change(left, left) == 0
    assert style.shape_change(left, right) == pytest.approx(1 - 2 / 6)
    assert style.shape_change(left, 255 - left) == 1
    red = left.copy()
    red[:, :, :4, 0] = 120
    assert style.shape_change(left, red) == 0
    assert style.colour_change(left, red) == pytest.approx(120)
    assert style.colour_change(left, 255 - left) == 0  # they share no place


def test_the_losses_are_those_of_the_cases_and_so_is_the_penalty() -> None:
    real, generated, net = pictures(), pictures(), nn.Sequential(nn.Conv2d(3, 4, 16), nn.Tanh(), nn.Flatten())

    def score(x: Tensor) -> Tensor:
        return net(x).sum(dim=1)  # type: ignore[no-any-return]

    match = game.Match(nn.Conv2d(3, 3, 1), net, rate=0.0)
    losses = match.step(real, match.generator(generated), score)
    theirs = adversarial.standard()
    moved = score(match.generator(generated))
    assert losses[0] == pytest.approx(theirs.generator(moved).item(), rel=1e-5)
    assert losses[1] == pytest.approx(theirs.discriminator(score(real), moved).item(), rel=1e-5)
    at = real.requires_grad_()
    torch.testing.assert_close(game.r1(score(at), at), adversarial.zero_centred_penalty(score(at), at))


def test_the_penalty_of_a_linear_score_is_the_square_of_its_slope() -> None:
    w, at = torch.randn(3 * 16 * 16), pictures().requires_grad_()
    torch.testing.assert_close(game.r1(at.flatten(1) @ w, at), w.square().sum())


def progressive_step() -> tuple[tuple[float, float], nn.Module, nn.Module]:
    match = game.Match(progressive.Generator(), layers.Discriminator(), 1e-3, gamma=1.0)
    return progressive.step(match, pictures(4, 32), 3, 0.5), match.generator, match.discriminator


def style_step() -> tuple[tuple[float, float], nn.Module, nn.Module]:
    match = game.Match(style.Generator(), layers.Discriminator(), 1e-3, gamma=1.0)
    return style.step(match, pictures()), match.generator, match.discriminator


def units_step() -> tuple[tuple[float, float], nn.Module, nn.Module]:
    match = game.Match(units.generator("ReLU", True), units.discriminator("ReLU", True), 1e-3)
    return units.step(match, pictures()), match.generator, match.discriminator


def cycle_step() -> tuple[tuple[float, float], nn.Module, nn.Module]:
    nets = cycle.Cycle()
    return nets.step(pictures(), pictures()), nets.back, nets.of_x


def star_step() -> tuple[tuple[float, float], nn.Module, nn.Module]:
    nets = star.Star(3)
    return nets.step(pictures(), torch.tensor([0, 1, 2, 0])), nets.translator, nets.discriminator


@pytest.mark.parametrize("step", [progressive_step, style_step, units_step, cycle_step, star_step])
def test_a_step_moves_both_sides_and_its_losses_are_finite(step: Callable[[], Any]) -> None:
    losses, *nets = step()
    assert np.isfinite(losses).all()
    for net in nets:
        slopes = [p.grad for p in net.parameters() if p.grad is not None]
        assert sum(slope.abs().sum().item() for slope in slopes) > 0
        assert all(torch.isfinite(p).all() for p in net.parameters())


def test_a_move_leaves_alone_what_its_optimiser_does_not_hold() -> None:
    mine, theirs = nn.Linear(4, 4), nn.Linear(4, 1)
    before = [p.clone() for p in (*mine.parameters(), *theirs.parameters())]
    game.move(game.adam(mine, 0.1, (0.0, 0.99)), theirs(mine(torch.randn(5, 4))).mean())
    after = [*mine.parameters(), *theirs.parameters()]
    assert [torch.equal(*pair) for pair in zip(before, after, strict=True)] == [False, False, True, True]
    assert all(p.grad is None for p in theirs.parameters())


def test_the_same_seed_trains_the_same_networks_and_leaves_torch_as_it_was() -> None:
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    x, y = pictures(20), pictures(20)
    torch.set_rng_state(state)
    one, other = (cycle.unpaired(x, y, 3, seed=5).forth.state_dict() for _ in range(2))
    assert all(torch.equal(one[key], other[key]) for key in one)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def turn(x: Tensor) -> Tensor:
    return x[:, [1, 2, 0]]


def turn_back(x: Tensor) -> Tensor:
    return x[:, [2, 0, 1]]


def test_a_cycle_of_perfect_inverses_costs_nothing_and_any_other_something() -> None:
    x, y = pictures(), pictures()
    assert cycle.cycle_loss(turn, turn_back, x, y) == 0
    assert cycle.cycle_loss(turn, turn, x, y) > 0.1
    shifted = cycle.cycle_loss(lambda each: each + 0.25, lambda each: each, x, y)
    assert shifted.item() == pytest.approx(0.5, rel=1e-5)


def test_what_the_translators_minimise_is_the_papers_sum() -> None:
    nets, x, y = cycle.Cycle(), pictures(), pictures()
    with torch.no_grad():
        fooled = sum(
            translation.least_squares(judge(net(each)), 1)
            for judge, net, each in ((nets.of_y, nets.forth, x), (nets.of_x, nets.back, y))
        )
        expected = fooled + cycle.LAMBDA * cycle.cycle_loss(nets.forth, nets.back, x, y)
    assert nets.step(x, y)[0] == pytest.approx(float(expected), rel=1e-5)


def test_pairs_teach_a_swap_that_follows_from_the_picture() -> None:
    x = pictures(32, 8)
    net = translation.supervised(x, turn(x), 60, seed=0)
    groups = np.arange(32)
    left = translation.left([translation.translated(net, x)], x, turn(x), groups)
    assert left[2] < 0.8
    assert translation.direction([translation.translated(net, x)], x, turn(x), groups)[1] > 0.5


def test_nothing_changed_leaves_all_of_the_error_and_has_no_direction() -> None:
    x, y = pictures(), pictures()
    assert translation.left([x, x], x, y, np.arange(4)) == (1, 1, 1)
    assert translation.left([y], x, y, np.arange(4)) == (0, 0, 0)
    assert translation.direction([x], x, y, np.arange(4)) == (0, 0, 0)
    assert translation.direction([y], x, y, np.arange(4)) == pytest.approx((1, 1, 1))


def test_the_wanted_game_changes_what_is_drawn() -> None:
    net, x = translation.Translator(2), pictures(1)
    one, other = (net(x, star.one_hot(torch.tensor([k]), 2)) for k in range(2))
    assert not torch.equal(one, other)


def test_the_judge_of_games_has_seen_no_translation(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(star, "CLASSIFIER_PASSES", 0.5)
    domain, net = star.Domain.of(small), translation.Translator(3)
    alone, judge, more = (
        star.classifier(domain, 0, way, by).state_dict()
        for way, by in ((star.WAYS[0], None), (star.WAYS[0], net), (star.WAYS[2], net))
    )
    assert all(torch.equal(alone[key], judge[key]) for key in alone)
    assert not all(torch.equal(alone[key], more[key]) for key in alone)


def test_a_discriminator_without_domains_says_that_it_names_none() -> None:
    assert translation.Patches()(pictures()).shape == (4, 1, 4, 4)
    assert translation.Patches(3).both(pictures())[1].shape == (4, 3)
    with pytest.raises(ValueError, match="names no domains"):
        translation.Patches().both(pictures())


@pytest.mark.parametrize("unit", units.UNITS)
def test_a_channel_is_silent_that_no_input_makes_positive(unit: str) -> None:
    net, x = units.discriminator(unit, norm=False), pictures(50)
    first = net[0]
    with torch.no_grad():
        first.bias[:6] = -100  # type: ignore[index,operator]
        first.bias[6:] = 100  # type: ignore[index,operator]
    heard = units.silent(net, x) - 6 / (24 + 48)
    assert 0 <= heard <= 48 / 72
    with torch.no_grad():
        first.bias[:6] = 100  # type: ignore[index,operator]
        net[2].bias[:] = -1e6  # type: ignore[index,operator]
    assert units.silent(net, x) == pytest.approx(48 / 72)


def test_a_ratio_of_groups_has_an_interval_that_widens_with_what_they_share() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(1, 0.5, 40)
    alone = game.ratio(values, np.ones(40), np.arange(40), np.random.default_rng(1))
    again = game.ratio(values.repeat(9), np.ones(360), np.arange(40).repeat(9), np.random.default_rng(1))
    assert alone == pytest.approx(again)  # nine copies say no more than one
    assert alone[0] == pytest.approx(values.mean())
    assert (alone[2] - alone[1]) / 2 == pytest.approx(1.96 * values.std() / 40**0.5, rel=0.15)
    assert game.ratio(3 * values, values, np.arange(40), rng) == pytest.approx((3, 3, 3))


def test_an_interval_over_seeds_is_students() -> None:
    from scipy.stats import ttest_1samp

    values = np.array([0.3, 0.1, 0.4, 0.2])
    bounds = ttest_1samp(values, 0).confidence_interval(0.95)
    assert mean_interval(values) == pytest.approx((0.25, bounds.low, bounds.high))


def test_a_title_says_what_its_interval_says() -> None:
    assert "takes 40% off" in drawing.outcome((0.6, 0.5, 0.7))
    assert "adds 40%" in drawing.outcome((1.4, 1.3, 1.5))
    assert "for certain" in drawing.outcome((0.9, 0.7, 1.1))
    assert drawing.strongest({4: (0.5, 0.4, 0.6), 8: (0.2, 0.1, 0.3)}) == 4
    assert drawing.strongest({4: (0.5, 0.4, 0.6), 8: (0.4, 0.3, 0.5)}) is None

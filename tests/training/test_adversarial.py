"""Adversarial losses, averaged weights and draws: closed forms and other libraries."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from handbook.training import adversarial


def test_averaged_weights_equal_their_closed_form() -> None:
    torch.manual_seed(0)
    module, averaged = (
        nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)),
        nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)),
    )
    start = {name: value.clone() for name, value in averaged.state_dict().items()}
    seen: list[dict[str, Any]] = []
    for _ in range(7):
        with torch.no_grad():
            module[0].weight.normal_()
        module(torch.randn(4, 3))
        seen.append({name: value.clone() for name, value in module.state_dict().items()})
        adversarial.follow(averaged, module, 0.8)
    for name, value in averaged.state_dict().items():
        if value.is_floating_point():
            trail = sum(0.2 * 0.8 ** (6 - k) * each[name] for k, each in enumerate(seen))
            torch.testing.assert_close(value, 0.8**7 * start[name] + trail)
        else:
            assert value == 7


def test_averaging_warms_up_and_without_decay_is_the_last_weights() -> None:
    module, averaged = nn.Linear(2, 2), nn.Linear(2, 2)
    start = averaged.weight.detach().clone()
    adversarial.follow(averaged, module, 0.999, step=0)
    torch.testing.assert_close(averaged.weight, 0.1 * start + 0.9 * module.weight)
    adversarial.follow(averaged, module, 0.0)
    torch.testing.assert_close(averaged.weight, module.weight)


def test_the_penalty_of_a_linear_critic_is_known() -> None:
    w = torch.tensor([3.0, 4.0])
    real, generated = torch.randn(6, 2), torch.randn(6, 2)
    assert float(adversarial.gradient_penalty(lambda x: x @ w, real, generated)) == pytest.approx(16)
    real.requires_grad_()
    assert float(adversarial.zero_centred_penalty(real @ w, real)) == pytest.approx(25)


def test_a_penalty_teaches_the_critic() -> None:
    w = torch.tensor([3.0, 4.0], requires_grad=True)
    adversarial.gradient_penalty(lambda x: x @ w, torch.randn(6, 2), torch.randn(6, 2)).backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(w.grad, 2 * (5 - 1) * w.detach() / 5)


def test_both_penalties_of_a_discriminator_count_beside_its_loss() -> None:
    linear = nn.Linear(2, 1, bias=False)
    linear.weight.data = torch.tensor([[3.0, 4.0]])
    pair = adversarial.Adversaries(None, nn.Identity(), linear, adversarial.standard(), (1, 1))
    pair.scores = lambda pictures: linear(pictures).flatten()  # type: ignore[method-assign,assignment]
    pair.apart, moved = True, []
    real, generated = torch.randn(6, 2), torch.randn(6, 2)
    for pair.penalty, pair.zero_centred in ((0, 0), (3, 0), (0, 0.5), (3, 0.5)):
        pair._move_discriminator(real, generated, [], 0, lambda side, net, loss: moved.append(loss.item()))
    loss, *penalised = moved
    ridge, flat = 3 * (5 - 1) ** 2, adversarial.EVERY * 0.5 / 2 * 25
    assert penalised == pytest.approx([loss + ridge, loss + flat, loss + ridge + flat], rel=1e-5)


def test_the_standard_game_is_cross_entropy_with_one_sided_smoothing() -> None:
    real, generated = torch.randn(8), torch.randn(8)
    game = adversarial.standard(0.1)
    expected = F.binary_cross_entropy_with_logits(real, torch.full((8,), 0.9)) + F.binary_cross_entropy_with_logits(
        generated, torch.zeros(8)
    )
    torch.testing.assert_close(game.discriminator(real, generated), expected)
    torch.testing.assert_close(game.generator(generated), F.binary_cross_entropy_with_logits(generated, torch.ones(8)))


@pytest.mark.parametrize("name", adversarial.GAMES)
def test_in_every_game_higher_scores_please_the_generator(name: str) -> None:
    generated = torch.zeros(4, requires_grad=True)
    adversarial.GAMES[name]().generator(generated).backward()  # type: ignore[no-untyped-call]
    assert generated.grad is not None
    assert (generated.grad < 0).all()


def test_the_hinge_is_content_beyond_one() -> None:
    assert float(adversarial.hinge().discriminator(torch.full((3,), 1.5), torch.full((3,), -1.5))) == 0


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 700), st.integers(1, 20), st.integers(1, 99))
def test_draws_are_whole_batches_of_different_samples(number: int, size: int, steps: int) -> None:
    draws = adversarial.Draws(torch.arange(number), size=size, steps=steps, seed=1)
    parts = [part for (part,) in draws]
    drawn = torch.cat(parts)
    wide = max(1, min(size, number // adversarial.FEWEST))
    assert {len(part) for part in parts} == {wide}
    assert len(parts) == len(draws) == min(steps, number // wide)
    assert len(drawn) == draws.samples == len(drawn.unique())


def test_draws_depend_on_seed_and_epoch_alone() -> None:
    def drawn(seed: int, epoch: int) -> list[int]:
        draws = adversarial.Draws(torch.arange(50), size=4, steps=3, seed=seed)
        draws.set_epoch(epoch)
        return [int(x) for (part,) in draws for x in part]

    assert drawn(0, 3) == drawn(0, 3)
    assert drawn(0, 3) != drawn(0, 4)
    assert drawn(0, 3) != drawn(1, 3)


def test_a_seed_gives_the_same_latent_vector_in_any_batch() -> None:
    together = adversarial.latents(np.array([3, 5, 8]), 100)
    np.testing.assert_array_equal(together[1:2], adversarial.latents(np.array([5]), 100))
    assert adversarial.latents(np.array([], dtype=int), 100).shape == (0, 100)
    many = adversarial.latents(np.arange(500), 100)
    assert abs(many.mean()) < 0.02
    assert abs(many.std() - 1) < 0.02


@pytest.mark.parametrize("shape", [(3, 4, 5), (3, 4, 5, 3)])
def test_bytes_become_pixels_and_bytes_again(shape: tuple[int, ...]) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    pixels = adversarial.as_pixels(torch.from_numpy(pictures))
    assert pixels.shape == (3, 3 if len(shape) == 4 else 1, 4, 5)
    assert -1 <= pixels.min() < pixels.max() <= 1
    np.testing.assert_array_equal(adversarial.as_bytes(pixels), pictures)

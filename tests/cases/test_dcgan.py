"""DCGAN's own laws: the networks, what both sides see, what a kill changes, what is drawn."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from handbook import datasets
from handbook.cases import dcgan
from handbook.cases.dcgan import networks
from handbook.project import Project
from handbook.training import adversarial, augmentation, models, modes
from handbook.training.run import Run
from tests.conftest import ROOT

Samples = Callable[[str], Path]


def params(name: str = "dcgan", **changes: Any) -> dcgan.Params:
    return dataclasses.replace(Project(ROOT).case(name).params, **changes)


def test_the_networks_are_the_ones_that_the_book_draws_and_end_at_64() -> None:
    draws, judges = networks.generator(100, 64), networks.discriminator(64, normalised=True)
    up = [tuple(each.weight.shape[:2]) for each in draws if isinstance(each, nn.ConvTranspose2d)]
    down = [tuple(each.weight.shape[:2]) for each in judges if isinstance(each, nn.Conv2d)]
    assert up == [(100, 512), (512, 256), (256, 128), (128, 64), (64, 3)]
    assert down == [(64, 3), (128, 64), (256, 128), (512, 256), (1, 512)]
    assert {each.weight.shape[2:] for each in [*draws, *judges] if hasattr(each, "stride")} == {(4, 4)}
    assert {each.negative_slope for each in judges if isinstance(each, nn.LeakyReLU)} == {0.2}
    generated = draws(torch.randn(2, 100))
    assert generated.shape == (2, 3, 64, 64)
    assert judges(generated).shape == (2, 1, 1, 1)


def test_weights_of_batch_norm_lie_around_one_and_others_around_zero() -> None:
    torch.manual_seed(0)
    model = dcgan.Model(params("dcgan_book", width=64))
    for module in [*model.generator, *model.discriminator]:
        if isinstance(module, nn.BatchNorm2d):
            assert module.weight.mean().item() == pytest.approx(1, abs=0.01)
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            assert module.weight.mean().item() == pytest.approx(0, abs=0.003)
            assert module.weight.std().item() == pytest.approx(0.02, rel=0.1)


def test_a_group_adds_nothing_to_a_score_at_first_and_then_a_part_of_its_own() -> None:
    torch.manual_seed(0)
    judges, pictures = networks.GroupedDiscriminator(8, 3), torch.randn(2, 3, 64, 64)
    alone = judges.head(judges.body(pictures)).flatten()
    assert torch.equal(judges(pictures, torch.tensor([0, 2])), alone)
    with torch.no_grad():
        judges.group.weight[2] = 1
    assert torch.equal(judges(pictures, torch.tensor([0, 1])), alone)
    expected = alone + judges.body(pictures).flatten(1).sum(dim=1)
    torch.testing.assert_close(judges(pictures, torch.tensor([2, 2])), expected)


def test_a_vector_draws_by_the_group_that_its_first_number_says() -> None:
    torch.manual_seed(0)
    model = dcgan.Model(params(width=4), [0.5, 0.25, 0.25])
    noise = adversarial.latents(np.arange(4), 100)
    noise[:, 0] = [-1, -1, 0.5, 2]  # the lower half, then two quarters
    taken, groups = modes.requested(noise, [0.5, 0.25, 0.25])
    assert groups.tolist() == [0, 0, 1, 2]
    with torch.no_grad():
        drawn = model.averaged.eval()(torch.from_numpy(taken), torch.from_numpy(groups))
    np.testing.assert_array_equal(model.draw(noise), adversarial.as_bytes(drawn))


def test_the_penalty_keeps_the_discriminator_smooth_at_real_sprites(few: Any) -> None:
    slopes = []
    for weight in (0.0, 10.0):
        small = params(epochs=4, steps=20, batch_size=8, width=4, modes=0, gradient_penalty=weight or 1e-9)
        model = dcgan.fit(dcgan.split(few, small), small)
        real = model.prepared(torch.from_numpy(few.take(np.arange(64)).images)).requires_grad_()
        slope = adversarial.zero_centred_penalty(model.discriminator(real).flatten(), real)
        slopes.append(slope.item())
    assert slopes[1] < slopes[0] / 4


@pytest.mark.parametrize("name", augmentation.AUGMENTATIONS)
def test_an_augmentation_keeps_the_shape_and_lets_the_gradient_through(name: str) -> None:
    torch.manual_seed(0)
    x = torch.rand(16, 3, 64, 64, requires_grad=True)
    out = augmentation.AUGMENTATIONS[name](x)
    assert out.shape == x.shape
    assert not torch.equal(out, x)
    out.mean().backward()
    assert x.grad is not None
    assert x.grad.mean().item() * x.numel() > 0.5  # of a gradient of 1 that went in, most comes out


def test_augmentations_differ_from_picture_to_picture_and_follow_the_seed() -> None:
    x = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)).expand(8, 3, 64, 64)
    for augment in augmentation.AUGMENTATIONS.values():
        torch.manual_seed(1)
        first = augment(x)
        torch.manual_seed(1)
        assert torch.equal(first, augment(x))
        assert not torch.equal(first[0], first[1])


def test_colour_in_one_pass_is_brightness_saturation_and_contrast_one_after_the_other() -> None:
    x = torch.rand(8, 3, 16, 16, dtype=torch.float64) * 2 - 1
    torch.manual_seed(3)
    found = augmentation.colour(x)
    torch.manual_seed(3)
    b, s, c = torch.rand(3, 8, 1, 1, 1, dtype=torch.float64)
    y = x + (b - 0.5)
    grey = y.mean(dim=1, keepdim=True)
    y = (y - grey) * (2 * s) + grey
    middle = y.mean(dim=(1, 2, 3), keepdim=True)
    torch.testing.assert_close(found, (y - middle) * (c + 0.5) + middle)


def test_what_is_moved_moves_whole_by_no_more_than_an_eighth() -> None:
    torch.manual_seed(0)
    x = torch.zeros(400, 1, 64, 64)
    x[:, :, 30, 40] = 1
    out = augmentation.translation(x)
    assert (out.flatten(1).sum(dim=1) == 1).all()
    place = out.flatten(1).argmax(dim=1)
    assert set((place // 64 - 30).tolist()) == set((place % 64 - 40).tolist()) == set(range(-8, 9))


def test_a_hole_is_a_quarter_at_most_and_nothing_else_changes() -> None:
    torch.manual_seed(0)
    out = augmentation.cutout(torch.ones(400, 3, 64, 64))
    assert set(out.unique().tolist()) == {0, 1}
    lost = (out == 0).float().mean(dim=(1, 2, 3))
    assert lost.max() <= 0.25
    assert lost.min() > 0.05


@pytest.fixture
def few(samples: Samples) -> Any:
    return datasets.page("pokemon").load(samples("pokemon"))


class KilledError(Exception):
    """A run that was cut off."""


@pytest.mark.parametrize("name", ["dcgan_book", "dcgan"])
def test_a_run_that_was_killed_goes_on_to_the_same_weights_and_sheets(name: str, few: Any, tmp_path: Path) -> None:
    small = params(name, epochs=3, steps=2, batch_size=8, width=4)
    whole = dcgan.fit(dcgan.split(few, small), small, Run(tmp_path / "whole.ckpt"))

    def kill(row: dict[str, float]) -> None:
        if row["epoch"] == 2:
            raise KilledError

    with pytest.raises(KilledError):
        dcgan.fit(dcgan.split(few, small), small, Run(tmp_path / "cut.ckpt", kill))
    again = dcgan.fit(dcgan.split(few, small), small, Run(tmp_path / "cut.ckpt"))
    assert again.history_ == whole.history_
    for key, value in whole.state_dict().items():
        assert torch.equal(again.state_dict()[key], value), key


def test_the_generator_is_never_shown_a_held_out_pokemon(few: Any) -> None:
    blank = dataclasses.replace(few, images=np.where((few.part == "held out")[:, None, None, None], 0, few.images))
    small = params(epochs=1, steps=2, batch_size=8, width=4)
    one, other = (dcgan.fit(dcgan.split(data, small), small).state_dict() for data in (few, blank))
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_a_seed_draws_the_same_whatever_is_drawn_beside_it(fitted: Any) -> None:
    _, _, model = fitted("dcgan")
    together = dcgan.predict(model, np.arange(5))
    assert together.shape == (5, 64, 64, 3)
    assert together.dtype == np.uint8
    alone = np.concatenate([dcgan.predict(model, np.array([seed])) for seed in range(5)])
    assert np.abs(together.astype(int) - alone).max() <= 1
    vectors = adversarial.latents(np.arange(5), model.params.latent)
    np.testing.assert_array_equal(dcgan.predict(model, vectors), together)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (np.zeros((2, 99)), "100"),
        (np.zeros(100), "100"),
        (np.array([-1]), "0 or more|negative|non-negative"),
        (np.full((1, 100), np.nan), "finite"),
        (np.array([[3, 25]]), "no kind of Pokemon can be chosen"),
    ],
)
def test_what_is_neither_seed_nor_latent_vector_is_refused(inputs: Any, message: str, fitted: Any) -> None:
    _, _, model = fitted("dcgan")
    with pytest.raises(ValueError, match=message):
        dcgan.predict(model, inputs)


def test_nothing_asked_for_is_nothing_drawn(fitted: Any) -> None:
    _, _, model = fitted("dcgan")
    assert dcgan.predict(model, np.zeros((0, 100))).shape == (0, 64, 64, 3)


def test_sheets_survive_saving(fitted: Any, tmp_path: Path) -> None:
    _, _, model = fitted("dcgan")
    models.save(model, tmp_path / "dcgan")
    loaded = models.load(dcgan, model.params, tmp_path / "dcgan")
    assert torch.equal(loaded.sheets, model.sheets.cpu())
    assert (model.sheets.float().std(dim=(1, 2, 3, 4)) > 0).all()


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": 0},
        {"width": 0},
        {"averaging": 1.0},
        {"loss": "wasserstein"},
        {"gradient_penalty": -1.0},
        {"modes": -1},
        {"augment": ("rotation",)},
    ],
)
def test_a_parameter_out_of_range_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        params(**change)

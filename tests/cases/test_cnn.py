"""Laws of the convolutional network, of its ablations, and of what it is seen to look at."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from handbook import datasets
from handbook.cases import cnn
from handbook.cases.cnn import ablation, sights
from handbook.contract import Split
from handbook.data.images import Pictures
from handbook.evaluation import recognition
from handbook.project import Project
from handbook.training import augmentation
from handbook.training.batches import Batches
from handbook.training.networks import Recipe, train
from handbook.training.run import Run
from tests.conftest import ROOT, brief


@pytest.fixture(scope="module")
def params() -> cnn.Params:
    short: cnn.Params = brief(Project(ROOT).case("cnn"), epochs=2).params
    return short


@pytest.fixture(scope="module")
def few(samples: Callable[[str], Path]) -> Split[Pictures]:
    """The sample's first thousand pictures, a hundred of them to stop by."""
    data = datasets.page("fashion_mnist").load(samples("fashion_mnist"))
    return Split(data.train.take(np.arange(900)), data.train.take(np.arange(900, 1000)), data.test)


@pytest.mark.parametrize(("widths", "blocks"), [((16, 48, 96), 1), ((4, 8, 8), 2), ((4, 4, 4, 4), 1)])
def test_the_formula_of_the_receptive_field_is_how_far_the_gradient_comes(
    widths: tuple[int, ...], blocks: int, params: cnn.Params
) -> None:
    torch.manual_seed(0)
    stages = cnn.Network(dataclasses.replace(params, widths=widths, blocks=blocks), classes=10).stages
    formula = [field for _, field, _ in sights.receptive_fields(stages)]
    assert formula[:4] == [5, 6, 10, 14]
    assert sights.gradient_supports(stages) == formula


def test_looking_for_the_gradient_leaves_the_network_as_it_was(params: cnn.Params) -> None:
    network = cnn.Network(params, classes=10)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    sights.gradient_supports(network.stages)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_multiply_adds_are_those_counted_by_hand() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 5, padding=2), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4 * 14 * 14, 10))
    assert sights.multiply_adds(network, torch.zeros(1, 1, 28, 28)) == 28 * 28 * 4 * 25 + 4 * 14 * 14 * 10


def test_attributions_add_up_to_what_the_picture_adds_to_the_score() -> None:
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Flatten(), nn.Linear(784, 16), nn.Tanh(), nn.Linear(16, 1))

    def score(images: Tensor) -> Tensor:
        value: Tensor = layers(images / 255)[:, 0]
        return value

    images = torch.rand(3, 28, 28) * 255
    shares = sights.integrated_gradients(score, images)
    torch.testing.assert_close(shares.sum(dim=(1, 2)), score(images) - score(0 * images), atol=1e-3, rtol=1e-3)


def test_a_picture_and_its_mirror_image_get_the_same_answer(fitted: Any) -> None:
    _, data, model = fitted("cnn")
    images = data.test_images[:64]
    probabilities = recognition.probabilities(model, images)
    np.testing.assert_allclose(probabilities, recognition.probabilities(model, images[:, :, ::-1]), atol=1e-6)
    with torch.inference_mode():
        pixels = model.scaled(torch.from_numpy(images.copy()))
        once, mirrored = model.logits(pixels), model.logits(pixels.flip(3))
    assert not torch.allclose(once, mirrored, atol=1e-2)  # the network alone tells them apart
    mean = (once + mirrored).double() / 2 / model.facts["temperature"]
    np.testing.assert_allclose(probabilities, mean.softmax(dim=1).numpy(), atol=1e-6)


def test_augmentation_keeps_shape_and_type_and_mixes_no_pictures(params: cnn.Params) -> None:
    torch.manual_seed(0)
    everything = dataclasses.replace(params, epochs=4, plain_epochs=1, flip=True, shift=2, erase=8)
    images = torch.arange(1, 65, dtype=torch.uint8)[:, None, None].expand(64, 28, 28).contiguous()  # each of one tone
    prepare = cnn.augmentation(everything)
    varied = prepare(images, 0)
    assert (varied.shape, varied.dtype) == (images.shape, images.dtype)
    assert ((varied == images) | (varied == 0)).all()
    assert not torch.equal(varied, images)
    assert torch.equal(prepare(images, 3), images)


def test_two_epochs_show_each_picture_both_ways_and_about_half_of_them_each_way_at_a_time() -> None:
    images = torch.randint(0, 256, (500, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    one, other = (augmentation.alternated(images, epoch) for epoch in (4, 5))
    as_it_is = (one == images).all(dim=(1, 2))
    assert torch.equal(torch.where(as_it_is[:, None, None], other, one), images.flip(2))
    assert 0.4 < as_it_is.float().mean() < 0.6
    assert torch.equal(augmentation.alternated(images, 6), one)


def test_an_erased_square_is_as_large_as_asked_and_can_lie_anywhere() -> None:
    torch.manual_seed(0)
    gone = augmentation.erased(torch.ones(4000, 28, 28, dtype=torch.uint8), 6) == 0
    assert gone.any(dim=0).all()
    assert gone.sum(dim=(1, 2)).max() == 36
    assert gone.any(dim=0).shape == (28, 28)
    whole = gone[gone.sum(dim=(1, 2)) == 36]
    assert (whole.any(dim=1).sum(dim=1) == 6).all()


class Wandering(nn.Module):
    """One weight, which is the number of epochs done; its held-out loss falls to epoch 3, and then rises."""

    history_: list[dict[str, float]]

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def training_step(self, batch: list[Tensor]) -> Tensor:
        return -self.weight.sum()

    def validation_step(self, batch: list[Tensor]) -> dict[str, Tensor]:
        return {"loss": (self.weight.detach() - 3).abs().sum()}

    def recipe(self, steps: int) -> Recipe:
        return torch.optim.SGD(self.parameters(), 1.0), None


def wander(patience: int, run: Run | None = None) -> tuple[Wandering, int]:
    module, ones = Wandering(), torch.ones(4)
    batches, validation = Batches(ones, size=4, seed=0), Batches(ones, size=4)
    return module, train(module, batches, validation, epochs=9, run=run, patience=patience)


@pytest.mark.parametrize(("patience", "done", "weight"), [(1, 4, 3), (2, 5, 3), (6, 9, 3), (0, 9, 9)])
def test_early_stopping_waits_as_long_as_set_and_restores_the_best_epoch(patience: int, done: int, weight: int) -> None:
    module, kept = wander(patience)
    assert len(module.history_) == done
    assert module.weight.item() == weight
    assert kept == (3 if patience else 9)


class KilledError(Exception):
    """What a test raises in the middle of a training."""


@pytest.mark.parametrize("killed_at", [2, 4, 5])
def test_a_run_killed_while_it_waits_stops_where_an_unbroken_one_does(killed_at: int, tmp_path: Path) -> None:
    def die(row: dict[str, float]) -> None:
        if row["epoch"] == killed_at:
            raise KilledError

    with pytest.raises(KilledError):
        wander(2, Run(tmp_path / "a.ckpt", die))
    for _ in range(2):  # the second time all is done already
        module, kept = wander(2, Run(tmp_path / "a.ckpt"))
        assert (len(module.history_), module.weight.item(), kept) == (5, 3, 3)


def test_a_run_killed_among_the_ablations_resumes_to_the_numbers_of_an_unbroken_one(
    few: Split[Pictures], params: cnn.Params, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = dataclasses.replace(params, ablation_epochs=2, ablation_samples=128, ablation_seeds=1, dropout=0.3)
    unbroken = cnn.fit(few, params)
    train_one, begun = cnn.trained, []

    def killed_in_the_fifth(*given: Any) -> cnn.Model:
        *rest, run = given
        begun.append(run.checkpoint)
        return train_one(*rest, Run(run.checkpoint, die if len(begun) == 5 else None))

    def die(row: dict[str, float]) -> None:
        if row["epoch"] == 2:
            raise KilledError

    with monkeypatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(cnn, "trained", killed_in_the_fifth)
        cnn.fit(few, params, Run(tmp_path / "a.ckpt"))
    assert len(set(begun)) == 5
    assert all(path.parent == tmp_path and path.exists() for path in begun)
    resumed = cnn.fit(few, params, Run(tmp_path / "a.ckpt"))
    assert resumed.history_ == unbroken.history_
    assert resumed.facts == unbroken.facts
    for name, tensor in unbroken.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name


def test_what_a_technique_adds_is_paired_picture_by_picture() -> None:
    labels = np.zeros(1000, dtype=np.int64)
    sure = np.tile([0.9, 0.1], (1, 1000, 1))
    without = sure.copy()
    without[:, :100] = without[:, :100, ::-1]
    row = ablation.effect(sure, without, labels, seed=0)
    assert row["difference"] == pytest.approx(0.1)
    assert row["interval"][0] < 0.1 < row["interval"][1]
    assert row["accuracy"] == pytest.approx(0.9)
    assert ablation.effect(sure, sure, labels, seed=0)["interval"] == [0.0, 0.0]


def test_no_ablation_is_judged_by_pictures_that_it_or_its_stopping_saw(
    few: Split[Pictures], params: cnn.Params, monkeypatch: pytest.MonkeyPatch
) -> None:
    def numbers(images: Any) -> list[int]:
        return (images[:, 0, 0].astype(int) * 256 + images[:, 0, 1]).tolist()  # type: ignore[no-any-return]

    images = few.development.images
    images[:, 0, 0], images[:, 0, 1] = np.divmod(np.arange(1000), 256)
    whole = Pictures(images, few.development.labels, few.test.classes)
    numbered = Split(whole.take(np.arange(900)), whole.take(np.arange(900, 1000)), few.test)
    train_one, ask = cnn.trained, recognition.probabilities
    seen: set[int] = set()
    judged: set[int] = set()

    def trained(split: Split[Pictures], *given: Any) -> cnn.Model:
        seen.update(numbers(split.development.images))
        return train_one(split, *given)

    def requested(model: Any, images: Any) -> Any:
        judged.update(numbers(images))
        return ask(model, images)

    monkeypatch.setattr(cnn, "trained", trained)
    monkeypatch.setattr(recognition, "probabilities", requested)
    facts, seconds = cnn.ablations(numbered, params, (72.9, 90.0), Run())
    learnt = 900 // 8
    assert (len(judged), len(seen), len(judged & seen)) == (256, learnt + learnt // 5, 0)
    assert set(facts["table"]) == set(seconds) == {"recipe", *(f"without_{name}" for name in cnn.WITHOUT)}


def test_every_ablation_takes_away_something_that_the_recipe_has() -> None:
    recipe = Project(ROOT).case("cnn").params
    for change in cnn.WITHOUT.values():
        assert dataclasses.replace(recipe, **change) != recipe


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (np.zeros((2, 27, 28), np.uint8), r"expected pictures of shape \(N, 28, 28\), found \(2, 27, 28\)"),
        (np.zeros((28, 28), np.uint8), r"found \(28, 28\)"),
        (np.full((1, 28, 28), 300), "expected intensities 0 to 255, found 300 to 300"),
        (np.full((1, 28, 28), np.nan), "found nan"),
    ],
)
def test_a_picture_that_is_none_is_refused(inputs: Any, message: str, fitted: Any) -> None:
    _, _, model = fitted("cnn")
    with pytest.raises(ValueError, match=message):
        cnn.predict(model, inputs)
    assert len(cnn.predict(model, np.zeros((0, 28, 28), np.uint8))) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs"),
        ({"widths": (16,)}, "two widths"),
        ({"ablation_seeds": 0}, "ablation_"),
        ({"validation_share": 0.0}, "above 0 to stop early"),
        ({"dropout": 1.0}, "dropout"),
        ({"shift": 28}, "shift"),
        ({"erase": -1}, "erase"),
    ],
)
def test_a_parameter_out_of_range_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(Project(ROOT).case("cnn").params, **change)

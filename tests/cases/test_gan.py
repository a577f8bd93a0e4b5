"""The laws of the adversarial networks on digits."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from handbook import datasets
from handbook.cases import gan
from handbook.contract import Split
from handbook.project import Project
from handbook.registry import connection
from handbook.training import adversarial
from handbook.training.adversarial import latents
from handbook.training.run import Run
from tests.conftest import ROOT, judges

BLOCKS = ("gan_book", "gan", "gan_conditional", "gan_wasserstein")


def params(name: str, **changes: Any) -> gan.Params:
    return dataclasses.replace(Project(ROOT).case(name).params, **changes)


@pytest.fixture(scope="module")
def few(samples: Callable[[str], Path]) -> Any:
    """Digits of the sample, enough for a few small steps."""
    data = datasets.page("mnist").load(samples("mnist"))
    return Split(data.train.take(np.arange(64)), None, data.test)


@pytest.mark.parametrize("name", BLOCKS)
def test_a_generator_draws_pictures_and_a_discriminator_scores_them(name: str) -> None:
    model = gan.Model(params(name), classes=10).eval()
    digits = torch.arange(5) if model.params.conditional else None
    pictures = model.generator(10 * torch.randn(5, 100), digits)
    assert pictures.shape == (5, 1, 28, 28)
    assert pictures.abs().max() <= 1
    assert model.discriminator(pictures, digits).shape == (5,)


def test_the_books_networks_are_those_it_names() -> None:
    model = gan.Model(params("gan_book"), classes=10)
    wide = [tuple(each.shape) for each in model.generator.parameters() if each.ndim == 4]
    assert wide == [(128, 128, 3, 3), (128, 64, 3, 3), (64, 1, 3, 3)]
    kinds = [type(each).__name__ for each in model.generator.layers]
    assert kinds[:3] == ["Linear", "LeakyReLU", "Unflatten"]
    assert kinds[3:] == [*["ConvTranspose2d", "BatchNorm2d", "LeakyReLU"] * 2, "ConvTranspose2d", "Tanh"]
    dense = [tuple(each.shape) for each in model.discriminator.parameters() if each.ndim == 2]
    assert dense == [(512, 784), (256, 512), (1, 256)]


def test_ours_has_fewer_multiplications_than_the_books_generator() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    def work(name: str) -> int:
        model = gan.Model(params(name), classes=10).eval()
        with FlopCounterMode(display=False) as counter:
            model.generator(torch.randn(8, 100))
        return int(counter.get_total_flops())

    assert work("gan") < work("gan_book") / 2


def test_the_digit_alone_changes_what_is_drawn_from_the_same_noise(fitted: Any) -> None:
    _, _, model = fitted("gan_conditional")
    noise = np.repeat(latents(np.array([4]), 100), 10, axis=0)
    drawn, again = (model.draw(noise, np.arange(10)) for _ in range(2))
    assert np.array_equal(drawn, again)
    assert len(np.unique(drawn.reshape(10, -1), axis=0)) == 10
    same = model.draw(noise, np.full(10, 3))
    assert (same == drawn[3]).all()


def test_a_pair_without_labels_is_given_groups_and_draws_them_by_noise_alone(few: Any) -> None:
    model = gan.fit(few, params("gan", epochs=1, steps=2, batch_size=16))
    assert np.isclose(sum(model.shares or ()), 1)
    noise = np.repeat(latents(np.array([4]), 100), 2, axis=0)
    noise[:, 0] = (-3, 3)  # the first group, and the last
    drawn = model.draw(noise)
    assert not np.array_equal(drawn[0], drawn[1])
    assert np.array_equal(drawn, gan.predict(model, noise))
    assert np.array_equal(drawn, model.draw(noise, np.array([7, 7])))  # a digit says nothing to it
    again = gan.Model(model.params, **model.facts)
    again.load_state_dict(model.state_dict())
    assert np.array_equal(again.draw(noise), drawn)


def descents(model: gan.Model) -> list[torch.optim.Optimizer]:
    """An optimiser of either side, without memory."""
    return [torch.optim.SGD(each.parameters(), 0.05) for each in (model.generator, model.discriminator)]


def test_the_books_round_is_that_of_its_listing(few: Any) -> None:
    """Against a loop by hand: cross-entropy of probabilities, with ones, with zeros, and with ones again.

    By plain descent, since Adam's first step is a sign, and that of a gradient of zero is rounding.
    """
    import copy

    torch.manual_seed(3)
    ours = gan.Model(params("gan_book"), classes=10)
    theirs = copy.deepcopy(ours)
    images = torch.from_numpy(few.train.images[:8])
    optimisers, bce = descents(ours), torch.nn.BCELoss()

    def move(side: int, network: torch.nn.Module, loss: torch.Tensor) -> None:
        optimisers[side].zero_grad()
        loss.backward(inputs=list(network.parameters()))  # type: ignore[no-untyped-call]
        optimisers[side].step()

    torch.manual_seed(5)
    for step in range(2):
        ours.play([images], step, 1000, move)
    torch.manual_seed(5)
    generator, discriminator = descents(theirs)
    for _ in range(2):
        drawn = theirs.generator(torch.randn(8, 100)).detach()
        for pictures, label in ((adversarial.as_pixels(images), torch.ones(8)), (drawn, torch.zeros(8))):
            discriminator.zero_grad()
            bce(theirs.discriminator(pictures).sigmoid(), label).backward()
            discriminator.step()
        generator.zero_grad()
        bce(theirs.discriminator(theirs.generator(torch.randn(8, 100))).sigmoid(), torch.ones(8)).backward()
        generator.step()
    for name in ("generator", "discriminator"):
        for one, other in zip(getattr(ours, name).parameters(), getattr(theirs, name).parameters(), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


def test_a_sheet_of_twenty_five_is_kept_every_so_many_steps(few: Any) -> None:
    model = gan.fit(few, params("gan_book", epochs=3, steps=3, batch_size=16, sheet_every=4))
    assert model.sheets_drawn().shape == (3, 25, 28, 28)  # after the first step, the fifth and the ninth, the last
    assert np.array_equal(model.sheets_drawn()[2], gan.predict(model, np.arange(50, 75)))
    assert (model.sheets_drawn().std(axis=(2, 3)) > 0).all()
    assert not hasattr(gan.Model(params("gan"), classes=10), "every")


@pytest.mark.parametrize("name", ["gan_book", "gan", "gan_wasserstein"])
def test_a_game_that_was_killed_resumes_to_the_numbers_of_an_unbroken_one(name: str, few: Any, tmp_path: Path) -> None:
    brief = params(name, epochs=3, steps=2, batch_size=16)
    brief = dataclasses.replace(brief, sheet_every=2) if brief.sheet_every else brief
    unbroken = gan.fit(few, brief)

    def die(row: dict[str, float]) -> None:
        if row["epoch"] == 2:
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        gan.fit(few, brief, Run(tmp_path / "a.ckpt", die))
    reported: list[float] = []
    resumed = gan.fit(few, brief, Run(tmp_path / "a.ckpt", lambda row: reported.append(row["epoch"])))
    assert reported == [2, 3]
    assert resumed.history_ == unbroken.history_
    for key, tensor in unbroken.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[key]), key


def test_the_averaged_generator_draws_and_the_sheets_show_how_it_came_along(few: Any) -> None:
    model = gan.fit(few, params("gan", epochs=4, steps=4, batch_size=16))
    assert model.moments.tolist() == [1, 1, 2, 4, 6, 9, 12, 16]
    assert np.array_equal(model.sheets[-1].numpy(), gan.predict(model, np.arange(10)))
    assert not torch.equal(model.averaged.layers[0].weight, model.generator.layers[0].weight)
    plain = gan.fit(few, params("gan_book", epochs=1, steps=2, batch_size=16))
    assert torch.equal(plain.averaged.layers[0].weight, plain.generator.layers[0].weight)


def test_the_critic_moves_more_often_than_the_generator_if_it_is_to(few: Any) -> None:
    brief = params("gan_wasserstein", modes=0, epochs=1, steps=1, batch_size=16)
    start = gan.Model(brief, classes=10)
    torch.manual_seed(brief.seed)
    start = gan.Model(brief, classes=10)
    moved = gan.fit(few, dataclasses.replace(brief, critic_steps=2))
    assert torch.equal(moved.generator.layers[0].weight, start.generator.layers[0].weight)
    assert not torch.equal(moved.discriminator.head.weight, start.discriminator.head.weight)


def test_seeds_latent_vectors_and_tables_ask_for_the_same_picture(fitted: Any) -> None:
    _, _, model = fitted("gan")
    by_seed = gan.predict(model, np.array([5, 6, 7]))
    vectors = latents(np.array([5, 6, 7]), 100)
    mixed = pd.DataFrame({"seed": pd.array([5, 6, None], dtype="Int64"), "latent": [None, None, vectors[2].tolist()]})
    for inputs in (vectors, pd.DataFrame({"seed": [5, 6, 7]}), pd.DataFrame({"latent": vectors.tolist()}), mixed):
        assert np.array_equal(gan.predict(model, inputs), by_seed)
    assert by_seed.dtype == np.uint8
    assert gan.predict(model, np.array([], dtype=int)).shape == (0, 28, 28)


def test_a_digit_is_asked_for_by_array_or_by_table(fitted: Any) -> None:
    _, _, model = fitted("gan_conditional")
    by_array = gan.predict(model, np.array([[5, 1], [6, 2]]))
    assert np.array_equal(by_array, gan.predict(model, pd.DataFrame({"seed": [5, 6], "label": [1, 2]})))


@pytest.mark.parametrize(
    ("name", "inputs", "message"),
    [
        ("gan", np.zeros((2, 99)), r"expected latent vectors of shape \(N, 100\), .*; found shape \(2, 99\)"),
        ("gan", np.zeros(100), r"found shape \(100,\)"),
        ("gan", np.full((1, 100), np.nan), "expected latent vectors of finite numbers"),
        ("gan", pd.DataFrame({"latent": [[0.0] * 100, [0.0] * 7]}), "found vectors of several lengths"),
        ("gan", np.array([-1]), "expected seeds of 0 or more, found -1"),
        ("gan", pd.DataFrame({"sed": [1]}), "expected a column `seed` or `latent`, found sed"),
        ("gan", pd.DataFrame({"latent": [None]}), "found a row with neither"),
        ("gan", np.array([[1, 2]]), "digits to draw: expected none, found some"),
        ("gan_conditional", np.array([1]), "expected a digit for each picture, in a column `label`, found none"),
        ("gan_conditional", np.array([[1, 10]]), "expected digits 0 to 9, found 10 to 10"),
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_is_refused(name: str, inputs: Any, message: str) -> None:
    model = gan.Model(params(name), classes=10).eval()
    with pytest.raises(ValueError, match=message):
        gan.predict(model, inputs)


def test_a_generator_that_draws_one_picture_is_reported_to_have_collapsed(fitted: Any) -> None:
    case, data, model = fitted("gan")
    stuck = gan.Model(case.params, **model.facts).eval()
    stuck.load_state_dict(model.state_dict())
    stuck.history_ = model.history_
    with torch.no_grad():
        stuck.averaged.layers[0].weight.zero_()
    report = gan.evaluate(stuck, case.split(data), *judges(case, fitted))
    assert report.finding.startswith("Mode collapse: class ")
    assert report.metrics["greatest_class_share"] == 1
    assert report.metrics["recall"] == 0


def test_a_healthy_set_is_reported_to_be_healthy() -> None:
    metrics = {"frechet_distance": 2.0, "frechet_distance_of_real": 0.1, "precision": 0.9, "recall": 0.8}
    assert gan.finding(metrics, np.full(10, 0.1)).startswith("No mode has collapsed: every digit is 10.0% to 10.0%")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "must be 1 or more"),
        ({"loss": "hing"}, "loss must be one of standard, hinge, wasserstein, found 'hing'"),
        ({"label_smoothing": 0.1, "loss": "hinge"}, "label_smoothing is for the standard loss"),
        ({"betas": (0.5,)}, "two betas"),
        ({"averaging": 1.0}, "averaging must be in"),
        ({"two_updates": True, "modes": 0, "conditional": True}, "two_updates is for the standard loss alone"),
        ({"conditional": True}, "modes stand in for digits, found 120 of them"),
        ({"two_updates": True, "critic_steps": 2}, "two_updates is for the standard loss alone"),
    ],
)
def test_a_parameter_out_of_range_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        params("gan", **change)


def test_every_game_that_params_name_is_known() -> None:
    assert {params(name).loss for name in BLOCKS} <= set(adversarial.GAMES)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning")
def test_the_registered_generator_takes_seeds_or_latent_vectors_and_gives_pictures(
    project: Project, fitted: Any
) -> None:
    from handbook.evaluation import examples
    from handbook.files import formats
    from handbook.registry import tracking
    from handbook.training import models

    name = "gan_conditional"
    case, data, model = fitted(name)
    models.save(model, project.models(name))
    formats.write_json(project.reports(name) / "example.json", examples.exemplify(case, model, case.split(data)))
    formats.write_rows(project.reports(name) / "history.csv", model.history_)
    formats.write_json(project.reports(name) / "training.json", {"key": "k", **model.training_})
    figure = {"frechet_distance": 9.0}
    formats.write_json(
        project.reports(name) / "metrics.json",
        {**figure, "baseline": {"frechet_distance": 99.0}, "book": {}, "data": "sample", "dataset": "mnist",
         "interval": {"frechet_distance": [8.0, 10.0]}},
    )  # fmt: skip
    assert "passes the gate" in tracking.register(project, project.case(name))
    with connection.opened(project) as mlflow:
        served = mlflow.pyfunc.load_model(f"models:/{name}@champion")
        vectors = latents(np.array([5, 6]), 100).tolist()
        by_seed = served.predict(pd.DataFrame({"seed": [5, 6], "label": [1, 2]}))
        by_vector = served.predict(pd.DataFrame({"latent": vectors, "label": [1, 2]}))
    assert np.array_equal(by_seed, by_vector)
    assert np.array_equal(by_seed, gan.predict(model, np.array([[5, 1], [6, 2]])))

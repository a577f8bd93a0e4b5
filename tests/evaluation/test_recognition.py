"""Recognising pictures: what is refused, what a network answers in parts, and where it is surest and wrong."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from handbook.contract import Split
from handbook.data.images import Pictures
from handbook.evaluation import recognition

CLASSES = ("a", "b", "c")


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (np.zeros((2, 28, 27)), r"expected pictures of shape \(N, 28, 28\), found \(2, 28, 27\)"),
        (np.zeros((28, 28)), r"found \(28, 28\)"),
        (np.full((1, 28, 28), 256), "expected intensities 0 to 255, found 256 to 256"),
        (np.full((1, 28, 28), -0.5), r"found -0\.5 to -0\.5"),
        (np.full((1, 28, 28), np.nan), "expected intensities 0 to 255, found nan to nan"),
        (np.full((1, 28, 28), 0.5), r"expected whole intensities of 0 to 255, found 0\.5\. Multiply by 255"),
        (np.full((1, 28, 28), 7.5), r"found 7\.5\. Round them"),
        (np.zeros((1, 28, 28), bool), "expected intensities of 0 to 255 as numbers, found bool"),
        (np.full((1, 28, 28), "7"), "as numbers, found <U1"),
    ],
)
def test_pictures_of_another_form_are_refused(inputs: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        recognition.check_pictures(inputs)
    assert recognition.check_pictures(np.zeros((0, 28, 28))).dtype == np.uint8


class Sums(nn.Module):
    """Logits by the sums of a picture's thirds, in single precision, as a network gives them."""

    def __init__(self) -> None:
        super().__init__()
        self.facts: dict[str, Any] = {}

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.float().reshape(len(images), -1)[:, :783].reshape(len(images), 3, 261).sum(dim=2) / 1e4


def test_a_picture_is_answered_alike_alone_and_among_many(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.random.default_rng(0).integers(0, 256, (50, 28, 28)).astype(np.uint8)
    whole = recognition.probabilities(Sums(), images)
    np.testing.assert_allclose(whole.sum(axis=1), 1, rtol=1e-12)
    monkeypatch.setattr(recognition, "JUDGING", 7)
    np.testing.assert_array_equal(recognition.probabilities(Sums(), images), whole)
    np.testing.assert_array_equal(recognition.probabilities(Sums(), images[13:14]), whole[13:14])


def test_calibration_changes_how_sure_a_network_is_and_none_of_its_answers() -> None:
    rng, model = np.random.default_rng(0), Sums()
    pictures = Pictures(rng.integers(0, 256, (400, 28, 28)).astype(np.uint8), rng.integers(0, 3, 400), CLASSES)
    before = recognition.probabilities(model, pictures.images)
    recognition.calibrate(model, None)
    assert model.facts == {}
    recognition.calibrate(model, pictures)
    after = recognition.probabilities(model, pictures.images)
    assert model.facts["temperature"] > 1  # the labels have nothing to do with the pictures
    assert after.max(axis=1).mean() < before.max(axis=1).mean()
    np.testing.assert_array_equal(after.argmax(axis=1), before.argmax(axis=1))


def test_the_answer_is_the_most_probable_class() -> None:
    found = recognition.predictions(np.array([[0.1, 0.7, 0.2], [0.5, 0.2, 0.3]]), CLASSES)
    assert found.to_dict("list") == {"label": [1, 0], "name": ["b", "a"], "probability": [0.7, 0.5]}


def test_mistakes_come_surest_first_and_are_mistakes() -> None:
    rng = np.random.default_rng(0)
    labels, probabilities = rng.integers(0, 3, 60), rng.dirichlet(np.ones(3), 60)
    found = recognition.confident_mistakes(labels, probabilities, most=1000)
    assert set(found) == {k for k in range(60) if probabilities[k].argmax() != labels[k]}
    assert (np.diff(probabilities[found].max(axis=1)) <= 0).all()
    assert recognition.confident_mistakes(labels, probabilities, most=5).tolist() == found[:5].tolist()
    first = int(found[0])
    surest = probabilities[first]
    wanted = f"{CLASSES[labels[first]]}, taken for\n{CLASSES[surest.argmax()]} ({surest.max():.0%})"
    assert recognition.captions(found[:1], labels, probabilities, CLASSES) == [wanted]


def test_a_report_counts_its_confusions_as_its_accuracy_says() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 90).astype(np.uint8)
    part = Pictures(rng.integers(0, 256, (90, 28, 28)).astype(np.uint8), labels, CLASSES)
    probabilities = rng.dirichlet(np.ones(3), 90) / 2 + np.eye(3)[labels] / 2 * (rng.random(90) < 0.5)[:, None]
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    model = SimpleNamespace(params=SimpleNamespace(seed=0), history_=[{"epoch": 1, "train_loss": 0.5}])
    report = recognition.judge(model, probabilities, Split(part, None, part), figures={}, more={"size": 7})
    right = sum(row["actual"] == row["predicted"] for row in report.tables["confusion"])
    assert report.metrics["accuracy"] == pytest.approx(right / 90)
    assert report.metrics["size"] == 7
    assert report.baseline["accuracy"] == pytest.approx((labels == np.bincount(labels).argmax()).mean())
    assert f"of {90 - right} in 90" in report.figures["mistakes"].get_suptitle()
    answers = probabilities.argmax(axis=1)
    pairs = {(a, b): sum({labels[i], answers[i]} == {a, b} for i in range(90)) for a, b in ((0, 1), (0, 2), (1, 2))}
    (a, b), times = max(pairs.items(), key=lambda pair: pair[1])
    worst = f"{CLASSES[a]} and {CLASSES[b]} are taken for each other most: {times} times"
    titles = {name: each.get_suptitle() or each.axes[0].get_title() for name, each in report.figures.items()}
    assert titles["confusion"] == worst
    surer = "over" if probabilities.max(axis=1).mean() > right / 90 else "under"
    assert f"{surer}confident" in titles["reliability"]
    assert titles["learning_curves"] == "Training loss falls to 0.500 in 1 epochs"

"""Temperature scaling: it undoes a scale, changes no answer, and never makes held-out labels more surprising."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from handbook.evaluation.temperature import WIDEST, temperature


def drawn(n: int = 20_000, classes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and labels drawn from just the probabilities that they give."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (n, classes))
    chosen = (softmax(logits, axis=1).cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    return logits, chosen


@pytest.mark.parametrize("scale", [0.4, 1.0, 2.5])
def test_probabilities_that_are_right_are_left_and_a_scale_is_undone(scale: float) -> None:
    logits, labels = drawn()
    assert temperature(scale * logits, labels) == pytest.approx(scale, rel=0.03)


def test_it_is_what_a_logistic_regression_on_the_logits_alone_finds() -> None:
    torch = pytest.importorskip("torch")
    logits, labels = drawn(2000)
    sharpness = torch.ones(1, dtype=torch.float64, requires_grad=True)
    newton = torch.optim.LBFGS([sharpness], max_iter=100, line_search_fn="strong_wolfe")

    def loss() -> object:
        newton.zero_grad()
        found = torch.nn.functional.cross_entropy(3 * torch.from_numpy(logits) * sharpness, torch.from_numpy(labels))
        found.backward()
        return found

    newton.step(loss)
    assert temperature(3 * logits, labels) == pytest.approx(1 / sharpness.item(), rel=1e-3)


def test_labels_surprise_no_more_than_before_and_certainty_has_an_end() -> None:
    logits, labels = drawn(300)
    found = temperature(logits, labels)
    before, after = (-log_softmax(logits / t, axis=1)[np.arange(300), labels].mean() for t in (1.0, found))
    assert after <= before
    assert temperature(np.eye(3), np.arange(3)) == pytest.approx(1 / WIDEST, rel=1e-3)

"""Wrong labels: inaccurate supervision, the other half of weak supervision (section 2.4.3; Zhou 2018).

A share of the training labels is replaced by one of the nine other classes, each as likely (symmetric noise); the
pictures to be judged by keep theirs. Three losses of the probability p of the label that is given:

    cross-entropy              -log p
    label smoothing            cross-entropy to a target of which 0.2 is spread over all classes (Szegedy et al. 2016)
    generalised cross-entropy  (1 - p^q) / q with q = 0.7 (Zhang and Sabuncu 2018): as q goes to 0 it is cross-entropy,
                               at 1 it is 1 - p, which no label can pull without bound
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from torch import Tensor
from torch.nn import functional as F

from handbook.data.subsets import plan_for
from handbook.evaluation.trials import one_thread
from handbook.labs.few_labels.network import Loss, start, train
from handbook.labs.few_labels.pictures import CLASSES, Array, Given, mean_and_half

NOISE, Q, SMOOTHING, RATE = (0.0, 0.2, 0.4, 0.6), 0.7, 0.2, 0.002
# Draws, rows and steps: ten passes, time enough to learn wrong labels by heart; and of a drawn sample.
ALL, PART = (3, 750, 240), (2, 160, 5)
PLAIN = "cross-entropy"


@dataclass(frozen=True)
class Noisy:
    """By loss, (noise, draws) each: accuracy on new pictures, and share of the wrong labels that were learnt."""

    accuracy: dict[str, Array]
    learnt: dict[str, Array]


def generalised_cross_entropy(logits: Tensor, labels: Tensor, q: float = Q) -> Tensor:
    """The mean of (1 - p^q) / q over logits (B, K) and labels (B,)."""
    log_p = F.log_softmax(logits, dim=1).gather(1, labels[:, None])
    return (-(q * log_p).expm1() / q).mean()  # expm1: at small q the difference would drown in rounding


def smoothed(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy to labels (B,) of which a fifth is spread over all classes."""
    return F.cross_entropy(logits, labels, label_smoothing=SMOOTHING)


LOSSES: dict[str, Loss] = {
    PLAIN: F.cross_entropy,
    "label smoothing": smoothed,
    "generalised cross-entropy": generalised_cross_entropy,
}


def noisy(labels: Array, share: float, rng: np.random.Generator) -> Array:
    """Labels (N,), of which exactly that share, rounded, is replaced by another class, each of the nine as likely."""
    wrong = rng.permutation(len(labels))[: round(share * len(labels))]
    changed = labels.copy()
    changed[wrong] = (labels[wrong] + rng.integers(1, CLASSES, len(wrong))) % CLASSES
    return changed


@cache
def measured(given: Given) -> Noisy:
    """All losses on the same labels and from the same weights in each draw; computed once for the same pictures."""
    x, y, new, answers = given.arrays()
    draws, rows, steps = plan_for(len(y), ALL, PART)
    accuracy, learnt = ({name: np.zeros((len(NOISE), draws)) for name in LOSSES} for _ in range(2))
    with one_thread():
        for k, draw in np.ndindex(len(NOISE), draws):
            rng = np.random.default_rng(draw)
            some = rng.permutation(len(y))[:rows]
            own = noisy(y[some], NOISE[k], rng)
            wrong = own != y[some]
            for name, loss in LOSSES.items():
                net = train(start(draw), x[some], own, loss, steps=steps, rate=RATE, seed=draw)
                accuracy[name][k, draw] = (net.named(new) == answers).mean()
                if wrong.any():
                    learnt[name][k, draw] = (net.named(x[some][wrong]) == own[wrong]).mean()
    return Noisy(accuracy, learnt)


def facts(found: Noisy) -> dict[str, float | bool]:
    """Accuracies, what each loss is worth over cross-entropy, and how much of what is wrong was learnt by heart."""
    facts: dict[str, float | bool] = {}
    for name in LOSSES:
        mean, half = mean_and_half(found.accuracy[name] - found.accuracy[PLAIN])
        for k, noise in enumerate(NOISE):
            facts[f"{noise:.0%} wrong, {name}"] = float(found.accuracy[name][k].mean())
            if noise:
                facts[f"{noise:.0%} wrong, {name}: share of them learnt"] = float(found.learnt[name][k].mean())
            if name != PLAIN:
                facts[f"{noise:.0%} wrong, {name} over {PLAIN}"] = float(mean[k])
                facts[f"{noise:.0%} wrong, {name} over {PLAIN}, at least"] = float(mean[k] - half[k])
    return facts

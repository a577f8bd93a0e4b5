"""Prequential judging: each row is predicted before it is learnt from (Dawid 1984), and so all rows judge.

A mean over the whole stream forgets nothing. A fading mean (Gama, Sebastião and Rodrigues 2013) weighs a row by a power
of its age, and shows how the learner does now. Rows that follow each other are alike, so intervals come from blocks of
consecutive rows that are drawn with replacement, not from single rows.
"""

from __future__ import annotations

import numpy as np

from handbook.labs.online_learning.calls import FADING, Array

BLOCKS, RESAMPLES = 60, 400


def fading(values: Array) -> Array:
    """The mean of values (..., N) up to each row, a row's weight falling by 0.999 with each that follows."""
    from scipy.signal import lfilter

    total = lfilter([1.0], [1.0, -FADING], values, axis=-1)
    return np.asarray(total / lfilter([1.0], [1.0, -FADING], np.ones_like(values), axis=-1))


def fading_area(answers: Array, scores: Array, at: Array) -> Array:
    """ROC-AUC up to each of the rows `at`, by the weights of `fading`, of the rows of which a thousandth is left.

    Where all of them have one answer, no row is above another: 0.5.
    """
    from sklearn.metrics import roc_auc_score

    span = int(np.log(1e-3) / np.log(FADING))
    weights = FADING ** np.arange(span)[::-1]
    found = []
    for row in at:
        own = answers[max(0, row + 1 - span) : row + 1]
        some = scores[max(0, row + 1 - span) : row + 1]
        both = 0 < own.sum() < len(own)
        found.append(roc_auc_score(own, some, sample_weight=weights[-len(own) :]) if both else 0.5)
    return np.array(found)


def block_of(rows: int) -> Array:
    """The number of the block, of 60 of consecutive rows, in which each row lies, (N,)."""
    return np.minimum(np.arange(rows) * BLOCKS // rows, BLOCKS - 1)


def draws(rng: np.random.Generator) -> Array:
    """How often each block counts, (400, 60), when as many are drawn with replacement; in the first, each once."""
    drawn = rng.multinomial(BLOCKS, np.full(BLOCKS, 1 / BLOCKS), RESAMPLES - 1)
    return np.concatenate([np.ones((1, BLOCKS)), drawn])


def areas(answers: Array, scores: Array, drawn: Array) -> Array:
    """ROC-AUC of every draw of blocks (R, 60), (R,): the share of pairs of a yes and a no that are in order.

    Pairs are counted once by the blocks of both rows; equal scores are half in order.
    """
    block, yes = block_of(len(answers)), answers == 1
    wins = np.empty((BLOCKS, BLOCKS))  # of the yes of a block over the no of another
    for other in range(BLOCKS):
        no = np.sort(scores[~yes & (block == other)])
        below = np.searchsorted(no, scores[yes], "left") + np.searchsorted(no, scores[yes], "right")
        wins[:, other] = np.bincount(block[yes], below / 2, BLOCKS)
    pairs = (drawn @ np.bincount(block[yes], minlength=BLOCKS)) * (drawn @ np.bincount(block[~yes], minlength=BLOCKS))
    return np.asarray(((drawn @ wins) * drawn).sum(axis=1) / np.maximum(pairs, 1))


def means(values: Array, drawn: Array) -> Array:
    """The mean of values (N,) over the rows of every draw of blocks, (R,)."""
    block = block_of(len(values))
    sums, counts = np.bincount(block, values, BLOCKS), np.bincount(block, minlength=BLOCKS)
    return np.asarray(drawn @ sums / (drawn @ counts))


def interval(drawn: Array) -> tuple[float, float]:
    """The 95 % percentile interval of a measure (400,)."""
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)

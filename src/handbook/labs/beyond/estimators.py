"""Four estimates of a treatment's effect, for all draws at once: shapes (R,), (R, N), (R, N, P).

All but the first adjust for the covariates: by a model of the outcome, by one of the assignment (Rosenbaum and Rubin
1983), or by both, so that one right model is enough (Robins, Rotnitzky and Zhao 1994), each learnt from other rows than
it is used on (cross-fitting, Chernozhukov et al. 2018).
"""

from __future__ import annotations

import numpy as np

from handbook.labs.beyond.effects import Draws, Estimate
from handbook.labs.beyond.rows import Array

FOLDS = 5
STEPS = 7  # of Newton: the likelihood is then at rest to rounding
LEAST = 0.01  # probabilities of treatment are cut to LEAST .. 1 - LEAST
RIDGE = 1e-3  # of a row's worth: keeps Newton from running off where a draw is all but separable


def least_squares(x: Array, y: Array, weights: Array) -> Array:
    """Coefficients (R, P) of y (R, N) on x (R, N, P), rows weighted by (R, N)."""
    weighted = x * weights[..., None]
    gram, moment = weighted.swapaxes(1, 2) @ x, weighted.swapaxes(1, 2) @ y[..., None]
    return np.asarray(np.linalg.solve(gram, moment)[..., 0])


def logistic(x: Array, treated: Array, weights: Array) -> Array:
    """Coefficients (R, P) of logistic regression, by Newton's steps."""
    beta = np.zeros((x.shape[0], x.shape[2]))
    pull = RIDGE * np.eye(x.shape[2])
    for _ in range(STEPS):
        p = probabilities(x, beta)
        gradient = x.swapaxes(1, 2) @ (weights * (treated - p))[..., None] - pull @ beta[..., None]
        curvature = (x * (weights * p * (1 - p))[..., None]).swapaxes(1, 2) @ x + pull
        beta = beta + np.linalg.solve(curvature, gradient)[..., 0]
    return beta


def probabilities(x: Array, beta: Array) -> Array:
    """The probability of treatment (R, N)."""
    return np.asarray(1 / (1 + np.exp(-(x @ beta[..., None])[..., 0])))


def propensity(x: Array, beta: Array) -> Array:
    """The same, kept from 0 and 1, since it is divided by."""
    return np.clip(probabilities(x, beta), LEAST, 1 - LEAST)


def naive(draws: Draws) -> tuple[Array, Array]:
    """The difference of both groups' means, and its standard error (Welch 1947)."""
    means, squares = [], []
    for group in (draws.treated, 1 - draws.treated):
        count = group.sum(1)
        mean = (group * draws.outcome).sum(1) / count
        means.append(mean)
        squares.append((group * (draws.outcome - mean[:, None]) ** 2).sum(1) / (count - 1) / count)
    return means[0] - means[1], np.sqrt(squares[0] + squares[1])


def regression(draws: Draws) -> tuple[Array, Array]:
    """The coefficient of treatment beside the covariates, by least squares; its error by White (1980)."""
    x = np.concatenate([draws.treated[..., None], draws.covariates], axis=-1)
    beta = least_squares(x, draws.outcome, np.ones_like(draws.treated))
    left = draws.outcome - (x @ beta[..., None])[..., 0]
    bread = np.linalg.inv(x.swapaxes(1, 2) @ x)
    scaled = x * left[..., None]
    return beta[:, 0], np.sqrt((bread @ (scaled.swapaxes(1, 2) @ scaled) @ bread)[:, 0, 0])


def inverse_propensity(draws: Draws) -> tuple[Array, Array]:
    """Means weighted by the inverse probability of what was assigned (Hájek's ratio form).

    That the probabilities are estimated makes it more exact: what the score of their model explains is taken out of the
    influence of each row (Lunceford and Davidian 2004).
    """
    x, t = draws.covariates, draws.treated
    p = propensity(x, logistic(x, t, np.ones_like(t)))
    influence, estimate = np.zeros_like(t), np.zeros(len(t))
    for sign, weight in ((1, t / p), (-1, (1 - t) / (1 - p))):
        mean = (weight * draws.outcome).sum(1) / weight.sum(1)
        estimate += sign * mean
        influence += sign * weight * (draws.outcome - mean[:, None]) / weight.mean(1)[:, None]
    score = x * (t - p)[..., None]
    explained = (score @ least_squares(score, influence, np.ones_like(t))[..., None])[..., 0]
    return estimate, np.sqrt(((influence - explained) ** 2).mean(1) / t.shape[1])


def doubly_robust(draws: Draws) -> tuple[Array, Array]:
    """Augmented inverse propensity weighting, cross-fitted."""
    x, t, y = draws.covariates, draws.treated, draws.outcome
    fold = np.arange(t.shape[1]) % FOLDS
    row = np.empty_like(t)
    for k in range(FOLDS):
        judged, learn = fold == k, np.broadcast_to(fold != k, t.shape).astype(float)
        p = propensity(x[:, judged], logistic(x, t, learn))
        ones, zeros = ((x[:, judged] @ least_squares(x, y, learn * group)[..., None])[..., 0] for group in (t, 1 - t))
        row[:, judged] = augmented(t[:, judged], y[:, judged], p, ones, zeros)
    return row.mean(1), row.std(1, ddof=1) / np.sqrt(t.shape[1])


def augmented(treated: Array, outcome: Array, p: Array, ones: Array, zeros: Array) -> Array:
    """Each row's effect: the outcome models' difference, and what they miss, weighted by the inverse probability."""
    return np.asarray(ones - zeros + treated * (outcome - ones) / p - (1 - treated) * (outcome - zeros) / (1 - p))


ESTIMATORS: dict[str, Estimate] = {
    "difference of means": naive, "regression": regression, "inverse propensity": inverse_propensity,
    "doubly robust": doubly_robust,
}  # fmt: skip

"""Chapter 7, radial basis function networks."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from handbook.claims.claim import Claim, check, metric, right, unchecked, wrong
from handbook.claims.trials import runs

Array = npt.NDArray[np.float64]
LAB = "rbf_networks"
THROUGH, LIKE = "through 15 points", "digits: correlation of units with the row most like them"
PRINTED = check(LAB, f"{THROUGH}, d / √(2M): error between them")
NUMERIC = ("age", "balance", "day", "duration", "campaign", "pdays", "previous")  # the columns named in 7.3


def activation(distance: float, sigma: float, form: str) -> float:
    """By the formula of 7.1, by the code of 7.3, and by the words beside that code."""
    below = {"formula": sigma**2, "code": (2 * sigma) ** 2, "words": 2 * sigma**2}[form]
    return math.exp(-(distance**2) / below)


def error_with(centres: int) -> float:
    """The greatest error of a network with so many Gaussian centres on sin over a period, by least squares."""
    x, c = np.linspace(0, 2 * np.pi, 200)[:, None], np.linspace(0, 2 * np.pi, centres)[None]
    g = np.exp(-((x - c) ** 2) / (2 * np.pi / centres) ** 2)
    weights, *_ = np.linalg.lstsq(g, np.sin(x[:, 0]), rcond=None)
    return float(np.abs(g @ weights - np.sin(x[:, 0])).max())


def lloyd_never_rises() -> bool:
    """Whether no step of k-means makes the squared distances to the centres larger."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 2))
    centres, costs = x[:8], []
    for _ in range(20):
        squared = ((x[:, None] - centres[None]) ** 2).sum(axis=2)
        costs.append(squared.min(axis=1).sum())
        nearest = squared.argmin(axis=1)
        centres = np.stack([x[nearest == k].mean(axis=0) for k in range(8)])
    return bool((np.diff(costs) <= 1e-9).all())


def normal_equations_are_least_squares() -> bool:
    rng = np.random.default_rng(0)
    g, t = rng.random((60, 8)), rng.random(60)
    return bool(np.allclose(np.linalg.inv(g.T @ g) @ g.T @ t, np.linalg.lstsq(g, t, rcond=None)[0]))


def called(prediction: float) -> float:
    """What the listing makes of a prediction: half of its sign past a half, plus a half."""
    return float(0.5 * (np.sign(prediction - 0.5) + 1))


def share_held_out() -> float:
    """The share of the bank's rows that a test part of 0.33 holds."""
    from handbook.datasets import bank_marketing

    total = bank_marketing.ROWS["all"]
    return math.ceil(0.33 * total) / total


def standardised() -> tuple[float, float]:
    from sklearn.preprocessing import StandardScaler

    x = StandardScaler().fit_transform(3 + 5 * np.random.default_rng(0).random((100, 1)))
    return abs(float(x.mean())), float(x.std())


def last_line_compiles() -> bool:
    """Whether Python takes a print without brackets."""
    return runs(lambda: compile("print 88", "listing", "exec"))


def numeric_columns() -> int:
    from handbook.datasets import bank_marketing

    return sum(name in bank_marketing.COLUMNS and bank_marketing.COLUMNS[name] is int for name in NUMERIC)


CLAIMS: tuple[Claim, ...] = (
    right("7", "RBF networks approximate any continuous function: error on a sine with 40 centres", "below 0.01",
          lambda: error_with(40), "as small as one likes, with more centres"),
    right("7", "more centres approximate better: error with 20 by that with 4", "below 0.5",
          lambda: error_with(20) / error_with(4), "on the same sine"),
    right("7", "they predict series: error a step ahead on a chaotic one by that of linear regression", "below 1",
          replace(check(LAB, "chaos: error a step ahead, RBF, every row a centre"),
                  by=check(LAB, "chaos: error a step ahead, linear, 16 values")),
          "which reads four times as many values"),
    right("7", "they find anomalies: ROC-AUC of digits that were left out, by activation", "above 0.5",
          check(LAB, "a digit never seen: ROC-AUC, RBF by gradient: no unit answers, low"),
          "the lower end of the interval; a perceptron that is unsure finds as many"),
    right("7.1.1", "a unit answers most strongly at its centre", "1", lambda: activation(0.0, 1.0, "formula"),
          "e to the power of 0"),
    right("7.1.1", "a smaller sigma is a narrower unit: answer at distance 1, sigma ½ less sigma 1", "below 0",
          lambda: activation(1.0, 0.5, "formula") - activation(1.0, 1.0, "formula"), "0.02 against 0.37"),
    right("7.1.1", "too small a sigma misses what lies between: error at a quarter of the spacing by that as printed",
          "above 1", replace(check(LAB, f"{THROUGH}, a quarter of the spacing: error between them"), by=PRINTED),
          "each unit stands alone"),
    right("7.1.1", "too large a sigma makes units redundant: error at ten spacings by that as printed", "above 1",
          replace(check(LAB, f"{THROUGH}, ten spacings: error between them"), by=PRINTED),
          "so alike that rounding decides"),
    right("7.1.1", "k-means lowers the variance within its clusters", "yes", lloyd_never_rises, "with every step"),
    right("7.1.1", "sigma of 8 centres at most 4 apart, d / √(2M)", "1", lambda: 4 / math.sqrt(2 * 8), "√16 is 4"),
    wrong("7.1.2", "the listing computes the printed activation: at a distance of sigma", "0.368",
          lambda: activation(1.0, 1.0, "code"), "it squares twice sigma: e to the power of −¼, and not of −1"),
    wrong("7.3", "the listing divides by twice the square of sigma, as the words beside it say: at sigma", "0.607",
          lambda: activation(1.0, 1.0, "code"), "it divides by the square of twice sigma"),
    right("7.1.2", "the output is linear in the activations and fitted by least squares", "yes",
          normal_equations_are_least_squares, "the inverse of GᵀG gives it where that is well conditioned"),
    right("7.2", "RBF networks converge faster: updates to an error of a tenth on hills, by those of a perceptron",
          "below 1", replace(check(LAB, "hills: updates to an error of 0.1, RBF"),
                             by=check(LAB, "hills: updates to an error of 0.1, MLP")),
          "hills are bumps, as its units are; on a cliff the lead is smaller"),
    right("7.2", "few and noisy rows: ln of its error by a perceptron's, 150 rows of hills", "below 0",
          check(LAB, "hills, 150 rows, noise 0.3: ln of error, RBF by MLP"), "on bumps it is right"),
    wrong("7.2", "few and noisy rows: ln of its error by a perceptron's, 150 rows of a cliff", "below 0",
          check(LAB, "cliff, 150 rows, noise 0.3: ln of error, RBF by MLP"),
          "a slope aslant is one unit of a perceptron, and many bumps: the function decides"),
    right("7.2", "its centres can be read: likeness to a row by that of a perceptron's weights", "above 1",
          replace(check(LAB, f"{LIKE}, k-means"), by=check(LAB, f"{LIKE}, weights of the MLP")),
          "a centre by k-means is the mean of rows"),
    right("7.3", "columns of the bank data that are numbers", "7", numeric_columns, "all others are words"),
    right("7.3", "the share of the test rows", "33 %", share_held_out, "14,920 of 45,211, seed 4"),
    right("7.3", "mean and deviation of scaled columns", "0 1", standardised, "by the training rows, after the split"),
    wrong("7.3", "a prediction of 0.5 is set to", "1", lambda: called(0.5),
          "the sign of 0 is 0: it stays at 0.5, no class"),
    right("7.3", "predictions of 0.6 and 0.4 are set to", "1 0", lambda: (called(0.6), called(0.4)), "as described"),
    wrong("7.3", "the listing's last line runs", "yes", last_line_compiles,
          "it prints without brackets, as Python 2 did"),
    wrong("7.3", "accuracy of the RBF network", "88 %", metric("rbf_book", "accuracy"),
          "88.77 % of these test rows said no, which is 89 % (of all rows 88.30 %): cut off, or of another split"),
    wrong("7.3", "so it predicts who will subscribe: accuracy by that of always saying no", "above 1",
          replace(metric("rbf_book", "accuracy"), by=metric("rbf_book", "baseline", "accuracy")),
          "it says no to everybody, and finds no buyer"),
    wrong("7.3", "share of the subscribers that it finds", "above 0 %", metric("rbf_book", "recall"), "none"),
    unchecked("7.3", "accuracy of a multilayer perceptron", "88 %",
              "one sentence: no code, no sizes, no rate; 88 % is again what saying no to everybody gives"),
    unchecked("7.3", "a multilayer perceptron costs much more to train", "–", "no time is given"),
)  # fmt: skip

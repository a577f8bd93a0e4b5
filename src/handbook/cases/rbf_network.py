"""Radial basis function networks on tables (chapter 7; Broomhead and Lowe 1988; Moody and Darken 1989).

A row x is described by how near it is to each of M centres; what comes out is linear in these activations:

    phi_j(x) = exp(-|x - c_j|^2 / (2 sigma^2)),   y(x) = w_0 + sum_j w_j phi_j(x)

Section 7.3 codes the words of all rows by the alphabet, splits, standardises by the training rows, takes 8 centres by
k-means, sigma = d_max / sqrt(2 M), inverts G'G, and calls from 0.5: nobody, and its 88 % are those who said no. It
divides by sigma^2 (7.1), (2 sigma)^2 (listing) or 2 sigma^2 (words); `rbf_book` is as listed, `width` sqrt(2).

`rbf`: words one-hot, bent numbers, many centres, widths by neighbours, logistic; `rbf_before_call` lacks `duration`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor

from handbook.contract import Split
from handbook.data import partition
from handbook.data.schema import categories, check_rows
from handbook.data.tables import Table
from handbook.evaluation import two_classes
from handbook.evaluation.report import Report
from handbook.training import encodings
from handbook.training.models import Fitted, effort
from handbook.training.run import device

if TYPE_CHECKING:
    import pandas as pd

PRIMARY = "roc_auc"
TRUSTED = ("handbook.cases.rbf_network.RBFNetwork",)  # its state is numbers and arrays
LLOYD_STEPS, NEWTON_STEPS = 100, 30  # at most; both end by themselves as a rule
Array = npt.NDArray[Any]
Pass = Callable[[], Iterator[tuple[Tensor, Tensor]]]  # activations (B, M) and targets (B, 1), a batch at a time


class RBFNetwork(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Tells two classes; memory grows with rows x attributes and centres x centres, never with rows x centres."""

    def __init__(
        self,
        n_components: int = 8,
        *,
        sampled: bool = False,  # centres are rows drawn at random; else k-means
        neighbours: int = 0,  # sigma is the mean distance to so many nearest centres; 0: d_max / sqrt(2 M)
        width: float = 1.0,  # times sigma
        logistic: bool = False,  # logistic output by Newton's method; else least squares
        alpha: float = 0.0,  # ridge penalty on the weights, not on the intercept
        intercept: bool = True,
        batch_size: int = 2048,  # rows at a time: small enough for the cache
        random_state: Any = None,
    ) -> None:
        self.n_components, self.sampled, self.neighbours, self.width = n_components, sampled, neighbours, width
        self.logistic, self.alpha, self.intercept = logistic, alpha, intercept
        self.batch_size, self.random_state = batch_size, random_state

    def fit(self, X: Any, y: Any) -> RBFNetwork:
        """Learn from rows X (N, D) and classes y (N,).

        Raises ValueError for other than two classes, more centres than rows, a logistic output without penalty.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) != 2:
            found = "1 class" if len(self.classes_) == 1 else f"{len(self.classes_)} classes"
            raise ValueError(f"Only binary classification is supported: found {found}, such as {self.classes_[0]!r}")
        if not 1 <= self.n_components <= len(X):
            raise ValueError(f"n_components={self.n_components} centres need as many rows, found n_samples={len(X)}")
        if self.logistic and self.alpha <= 0:
            raise ValueError(f"alpha={self.alpha}: a logistic output needs a penalty, else weights grow without end")
        generator = torch.Generator().manual_seed(int(check_random_state(self.random_state).randint(2**31 - 1)))
        rows = torch.from_numpy(np.require(X, requirements="W")).to(device(double=True))  # copied only if read-only
        targets = torch.from_numpy(labels.astype(np.float64)).to(rows.device)[:, None]  # (N, 1)
        centres = (sampled if self.sampled else kmeans)(rows, self.n_components, generator)
        self.centres_ = centres.cpu().numpy()
        self.sigma_ = self.width * spread(centres, self.neighbours)
        penalty = rows.new_full((self.n_components + self.intercept,), float(self.alpha))
        penalty[self.n_components :] = 0  # the intercept's

        def batches() -> Iterator[tuple[Tensor, Tensor]]:
            for part, wanted in zip(
                torch.split(rows, self.batch_size), torch.split(targets, self.batch_size), strict=True
            ):
                yield activations(part, centres, self.sigma_, self.intercept), wanted

        weights, losses = (newton if self.logistic else least_squares)(batches, penalty)
        self.weights_ = weights.cpu().numpy()  # (M + 1, 1)
        self.losses_ = [loss / len(rows) for loss in losses]
        return self

    def decision_function(self, X: Any) -> Array:
        """Above 0 for the second class, (N,): log-odds of a logistic output, else the output less a half."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        centres, weights = (torch.from_numpy(each).to(device(double=True)) for each in (self.centres_, self.weights_))
        parts = torch.split(torch.from_numpy(np.require(X, requirements="W")), self.batch_size)
        outputs = [
            activations(part.to(centres.device), centres, self.sigma_, self.intercept) @ weights for part in parts
        ]
        return np.asarray(torch.cat(outputs)[:, 0].cpu().numpy() - (0 if self.logistic else 0.5))

    def predict_proba(self, X: Any) -> Array:
        """Probabilities (N, 2); those of least squares are its outputs, cut to 0-1."""
        scores = self.decision_function(X)
        probabilities = 1 / (1 + np.exp(-np.clip(scores, -500, 500))) if self.logistic else np.clip(scores + 0.5, 0, 1)
        return np.stack([1 - probabilities, probabilities], axis=1)

    def predict(self, X: Any) -> Array:
        """The likelier class of each row, (N,)."""
        return np.asarray(np.where(self.decision_function(X) > 0, self.classes_[1], self.classes_[0]))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags


def activations(rows: Tensor, centres: Tensor, sigma: float, intercept: bool) -> Tensor:
    """exp(-d^2 / (2 sigma^2)) of rows (B, D) and centres (M, D), and a column of ones for the intercept."""
    squares = rows.square().sum(dim=1, keepdim=True) + centres.square().sum(dim=1) - 2 * rows @ centres.T  # (B, M)
    phi = squares.clamp_(min=0).mul_(-0.5 / sigma**2).exp_()
    return torch.cat([phi, phi.new_ones(len(phi), 1)], dim=1) if intercept else phi


def spread(centres: Tensor, neighbours: int) -> float:
    """Sigma: the mean distance to that many nearest centres, or d_max / sqrt(2 M); 1 where all centres are one."""
    distances = torch.cdist(centres, centres)
    if neighbours and len(centres) > 1:
        nearest = distances.sort(dim=1).values[:, 1 : neighbours + 1]
        return float(nearest.mean()) or 1.0
    return float(distances.max()) / (2 * len(centres)) ** 0.5 or 1.0


def sampled(rows: Tensor, number: int, generator: torch.Generator) -> Tensor:
    """Rows drawn without replacement."""
    return rows[torch.randperm(len(rows), generator=generator)[:number].to(rows.device)]


def kmeans(rows: Tensor, number: int, generator: torch.Generator, batch_size: int = 2048) -> Tensor:
    """Centres (M, D) by Lloyd's rule from a k-means++ start (Arthur and Vassilvitskii 2007)."""
    centres = sampled(rows, 1, generator)
    nearest = (rows - centres).square().sum(dim=1)
    while len(centres) < number:
        place = float(torch.rand((), generator=generator, dtype=torch.float64)) * nearest.sum()
        chosen = torch.searchsorted(nearest.cumsum(dim=0), place).clamp(max=len(rows) - 1)
        centres = torch.cat([centres, rows[chosen].reshape(1, -1)])
        nearest = torch.minimum(nearest, (rows - centres[-1]).square().sum(dim=1))
    for _ in range(LLOYD_STEPS):
        sums, counts = torch.zeros_like(centres), centres.new_zeros(number, 1)
        for part in torch.split(rows, batch_size):
            member = torch.nn.functional.one_hot(torch.cdist(part, centres).argmin(dim=1), number).to(rows.dtype)
            sums += member.T @ part
            counts += member.sum(dim=0)[:, None]
        moved = torch.where(counts > 0, sums / counts.clamp(min=1), centres)  # one without rows stays where it is
        if float((moved - centres).square().sum()) <= 1e-8 * float(rows.var(dim=0, correction=0).mean()):
            return moved
        centres = moved
    return centres


def least_squares(batches: Pass, penalty: Tensor) -> tuple[Tensor, list[float]]:
    """Weights (M, 1) of least |Gw - y|^2 + penalty |w|^2, and what is left of it.

    QR of [G y] a batch at a time: the triangle stands for all rows before (Golub and Van Loan 2013, section 5.3), so
    that G'G, whose condition is the square of G's, is never formed. Where G has not full rank, the shortest solution.
    """
    triangle = torch.cat([torch.diag(penalty.sqrt()), torch.zeros_like(penalty)[:, None]], dim=1)  # (M, M + 1)
    for phi, targets in batches():
        triangle = torch.linalg.qr(torch.cat([triangle, torch.cat([phi, targets], dim=1)]), mode="r").R
    r, wanted = triangle[:-1, :-1], triangle[:-1, -1:]
    u, s, vt = torch.linalg.svd(r)
    keep = s > s[0] * len(s) * torch.finfo(s.dtype).eps
    weights = vt[keep].T @ ((u.T @ wanted)[keep] / s[keep, None])
    return weights, [float(triangle[-1, -1].square() + (r @ weights - wanted).square().sum())]


def newton(batches: Pass, penalty: Tensor) -> tuple[Tensor, list[float]]:
    """Weights (M, 1) of least log-loss plus penalty |w|^2 / 2, and the log-loss of each step.

    The penalty bounds the condition of the Hessian, so Cholesky is stable here; a step that does not help is halved.
    """
    weights = penalty.new_zeros(len(penalty), 1)
    ridge = penalty[:, None] + 1e-10  # the intercept's keeps the Hessian positive where all probabilities are 0 or 1
    step, best, losses = torch.zeros_like(weights), float("inf"), []
    for _ in range(NEWTON_STEPS):
        gradient, hessian, loss = ridge * weights, torch.diag(ridge[:, 0]), 0.0
        for phi, targets in batches():
            outputs = phi @ weights
            chance = outputs.sigmoid()
            loss += float(torch.nn.functional.binary_cross_entropy_with_logits(outputs, targets, reduction="sum"))
            gradient = gradient + phi.T @ (chance - targets)
            hessian.addmm_((phi * (chance * (1 - chance))).T, phi)
        total = loss + 0.5 * float((ridge * weights.square()).sum())
        if total > best:
            step = step / 2
            weights = weights + step
            continue
        losses.append(loss)
        if best - total <= 1e-6 * total:
            break
        best = total
        step = torch.cholesky_solve(gradient, torch.linalg.cholesky(hessian))
        weights = weights - step
    return weights, losses


@dataclass(frozen=True)
class Params(partition.Task):
    alphabetic: bool  # words by their place in the alphabet, as the book has them, all standardised; else one-hot
    word_weight: float  # of one-hot words in distances; a bent number has deviation 1
    date_weight: float  # of the day of the year, likewise
    duration_weight: float  # of the length of the call
    n_components: int
    sampled: bool
    neighbours: int
    width: float
    logistic: bool
    alpha: float
    intercept: bool

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.width <= 0 or self.alpha < 0 or min(self.n_components, self.neighbours + 1) < 1:
            raise ValueError(f"width must be above 0 and alpha 0 or more, found {self.width} and {self.alpha}")


def split(data: Table, params: Params) -> Split[Table]:
    """The book's test rows, and a share of the others to choose the threshold by; `overall`: the words of all rows."""
    rows = partition.without(data, params.leave_out).features
    return replace(partition.rows(data, params), overall=categories(rows) if params.alphabetic else {})


def fit(split: Split[Table], params: Params, run: Any = None) -> Fitted:
    """Learn from the training rows but those that the threshold is chosen by."""
    p, learn = params, split.train
    if p.alphabetic:
        columns = encodings.codes(learn.features, split.overall)
    else:
        weights = {encodings.DATE: p.date_weight, "duration": p.duration_weight}
        columns = encodings.scales(encodings.dated(learn.features), weights, p.word_weight)
    started = time.perf_counter()
    estimator = RBFNetwork(
        p.n_components, sampled=p.sampled, neighbours=p.neighbours, width=p.width, logistic=p.logistic, alpha=p.alpha,
        intercept=p.intercept, random_state=p.seed,
    ).fit(encodings.encoded(encodings.dated(learn.features), columns), learn.target)  # fmt: skip
    name = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    training = effort(time.perf_counter() - started, len(learn), len(estimator.losses_), name)
    facts: dict[str, Any] = {"encoding": columns, "columns": categories(learn.features), "classes": list(learn.classes)}
    history = [{"epoch": float(k), "train_loss": loss} for k, loss in enumerate(estimator.losses_, start=1)]
    model = Fitted(estimator, params, facts, history, training)
    facts["threshold"] = two_classes.threshold(p, split.valid, lambda rows: probabilities(model, rows))
    return model


def probabilities(model: Fitted, rows: pd.DataFrame) -> npt.NDArray[np.float64]:
    """The probability (N,) that each row is of the second class, 0-1."""
    inputs = encodings.encoded(encodings.dated(rows), model.facts["encoding"])
    return np.asarray(model.estimator.predict_proba(inputs)[:, 1])


def predict(model: Fitted, inputs: pd.DataFrame) -> pd.DataFrame:
    """For each row: label, its name, and the probability of the second class. ValueError if a row is none of these."""
    rows = check_rows(inputs, model.facts["columns"])
    return two_classes.predictions(probabilities(model, rows), model.facts["threshold"], model.facts["classes"])


def example(split: Split[Table]) -> pd.DataFrame:
    """A few rows as a user would send them."""
    return split.test.features.head(4)


def evaluate(model: Fitted, split: Split[Table]) -> Report:
    """Judge on the test rows."""
    scores, labels = probabilities(model, split.test.features), split.test.target
    finding = base_rate(labels, scores >= model.facts["threshold"]) if model.params.alphabetic else ""
    return two_classes.judge(model, scores, split, finding)


def base_rate(labels: Array, called: Array) -> str:
    """What the book's 88 % is, in one sentence."""
    right, no = ((labels == 1) == called).mean(), (labels == 0).mean()
    return (
        f"The book's 88 % is the share of clients who said no, {no:.2%} of these test rows: its network calls "
        f"{called.sum()} of {len(labels):,} clients, finds {(called & (labels == 1)).sum()} of {labels.sum():,} "
        f"buyers, and is right in {right:.2%}."
    )

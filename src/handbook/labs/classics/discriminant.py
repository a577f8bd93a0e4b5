"""Linear discriminant analysis (section 2.10; Fisher 1936): look at the classes from where they lie farthest apart.

    1  the mean of every class, and of all rows
    2  within  S_w = Σ over rows    (x − its class's mean)(…)ᵀ      how wide the classes are
       between S_b = Σ over classes n_k (mean_k − mean)(…)ᵀ          how far apart they lie
    3  directions w that make wᵀS_b w / wᵀS_w w greatest: S_b w = λ S_w w
    4  the directions with the largest λ; K classes have at most K − 1 with λ above 0
    5  project the rows on them
    6  classify: the class whose mean is nearest there, less the logarithm of its share

The book writes the third step as eigenvectors of "S_b / S_w", which is S_w⁻¹ S_b. No inverse is needed: with S_w = LLᵀ
the same directions come from the symmetric L⁻¹ S_b L⁻ᵀ. The sixth is the rule of normal classes of one covariance.

Equal to scikit-learn's `LinearDiscriminantAnalysis`, projection (up to sign) and probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


def scatter(x: Array, labels: Labels) -> tuple[Array, Array]:
    """Within and between, both (d, d); together they are the scatter of all rows about their mean."""
    middle, within, between = x.mean(axis=0), np.zeros((x.shape[1],) * 2), np.zeros((x.shape[1],) * 2)
    for own in (x[labels == k] for k in range(labels.max() + 1)):
        centre = own.mean(axis=0)
        within += (own - centre).T @ (own - centre)
        between += len(own) * np.outer(centre - middle, centre - middle)
    return within, between


@dataclass(frozen=True)
class Discriminant:
    """Directions (d, K − 1) with their λ, greatest first; the middle (d,), the projected means (K, K − 1), shares."""

    directions: Array
    separation: Array
    middle: Array
    means: Array
    shares: Array

    def project(self, x: Array) -> Array:
        """Rows (n, d) -> (n, K − 1), where every class has the deviation 1 each way."""
        return np.asarray((x - self.middle) @ self.directions)

    def probabilities(self, x: Array) -> Array:
        """Of each class (n, K): normal clouds of deviation 1 about the projected means, times their shares."""
        far = ((self.project(x)[:, None, :] - self.means) ** 2).sum(axis=2)  # (n, K)
        score = np.log(self.shares) - far / 2
        raised = np.exp(score - score.max(axis=1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))

    def classes(self, x: Array) -> Labels:
        """The likeliest class (n,)."""
        return np.asarray(self.probabilities(x).argmax(axis=1))


def fit(x: Array, labels: Labels) -> Discriminant:
    """Learn from rows (n, d) and labels 0 to K − 1. ValueError if the columns leave S_w without an inverse."""
    within, between = scatter(x, labels)
    try:
        root = np.linalg.cholesky(within / len(x))
    except np.linalg.LinAlgError:
        raise ValueError(
            f"within their classes the {x.shape[1]} columns of {len(x)} rows are not independent: "
            "leave out those that are constant or sums of others"
        ) from None
    half = np.linalg.solve(root, between)
    values, turned = np.linalg.eigh(np.linalg.solve(root, half.T))  # L⁻¹ S_b L⁻ᵀ, ascending
    kept = slice(-1, -1 - min(int(labels.max()), x.shape[1]), -1)
    directions = np.linalg.solve(root.T, turned[:, kept])  # wᵀ (S_w / n) w = 1
    middle = x.mean(axis=0)
    means = np.stack([x[labels == k].mean(axis=0) for k in range(labels.max() + 1)])
    shares = np.bincount(labels) / len(labels)
    return Discriminant(directions, values[kept] / len(x), middle, (means - middle) @ directions, shares)

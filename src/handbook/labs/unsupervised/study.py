"""How many clusters there are, whether the same come out again, and how far they agree with the classes.

Three indices that look at no class choose k: silhouette (Rousseeuw 1987) and the index of Calinski and Harabasz (1974)
by their greatest value, that of Davies and Bouldin (1979) by its least. Stability is the mean adjusted Rand index
between k-means runs from different starts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np

from handbook.labs.unsupervised import agreement, components, hierarchy, kmeans
from handbook.labs.unsupervised.rows import Array, Rows

STARTS = 10
K = range(2, 16)
INDICES = {"silhouette": 1, "Calinski–Harabasz": 1, "Davies–Bouldin": -1}  # -1: the least is best
OWN_TREES = 200  # rows up to which our own agglomeration, whose work grows with the cube, is run beside SciPy's

Interval = tuple[float, float, float]  # a value and the ends of its interval


@dataclass(frozen=True)
class Study:
    """What was found: by k, and with as many clusters as there are classes."""

    inertia: Array  # (K,), of the best of all starts
    indices: dict[str, Array]  # by name, (K,)
    stability: Array  # (K,)
    clusters: dict[str, Array]  # by algorithm, (N,)
    trees: dict[str, Array]  # by linkage, (N - 1, 4)
    agreement: dict[str, dict[str, Interval]]  # by algorithm and measure

    def chosen(self, index: str) -> int:
        """The k that an index asks for."""
        return K[int((INDICES[index] * self.indices[index]).argmax())]


@cache
def studied(rows: Rows) -> Study:
    """Everything about some rows; once for the same rows, because figures and checks both want it."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # sums in one order
        runs = {k: [kmeans.lloyd(rows.x, kmeans.start(rows.x, k, _rng(k, s))) for s in range(STARTS)] for k in K}
        best = {k: kmeans.best(each) for k, each in runs.items()}
        trees = _trees(rows.x)
        clusters = _clusters(rows, best[len(rows.classes)].labels, trees)
        judged = {
            name: agreement.intervals(agreement.table(labels, rows.labels), np.random.default_rng(0))
            for name, labels in clusters.items()
        }
        return Study(
            np.array([best[k].inertia for k in K]), _indices(rows.x, best), np.array([_same(runs[k]) for k in K]),
            clusters, trees, judged,
        )  # fmt: skip


def _rng(k: int, start: int) -> np.random.Generator:
    return np.random.default_rng([k, start])


def _same(runs: list[kmeans.Clusters]) -> float:
    """The mean adjusted Rand index over all pairs of runs."""
    pairs = [agreement.table(one.labels, other.labels) for one, other in combinations(runs, 2)]
    return float(np.mean([agreement.adjusted_rand(each) for each in pairs]))


def _indices(x: Array, best: dict[int, kmeans.Clusters]) -> dict[str, Array]:
    from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, pairwise_distances, silhouette_score

    distances = pairwise_distances(x)
    np.fill_diagonal(distances, 0)  # rounding leaves less than nothing
    labels = [best[k].labels for k in K]
    return {
        "silhouette": np.array([silhouette_score(distances, each, metric="precomputed") for each in labels]),
        "Calinski–Harabasz": np.array([calinski_harabasz_score(x, each) for each in labels]),
        "Davies–Bouldin": np.array([davies_bouldin_score(x, each) for each in labels]),
    }


def _trees(x: Array) -> dict[str, Array]:
    from scipy.cluster.hierarchy import linkage

    return {name: linkage(x, name) for name in hierarchy.LINKAGES}


def _clusters(rows: Rows, by_means: Array, trees: dict[str, Array]) -> dict[str, Array]:
    """Every algorithm with as many clusters as there are classes."""
    from sklearn.mixture import GaussianMixture

    k = len(rows.classes)
    mixture = GaussianMixture(k, random_state=0, n_init=3, reg_covar=1e-3).fit(rows.x)
    linked = {f"{name} linkage": hierarchy.cut(tree, k) for name, tree in trees.items()}
    return {"k-means": by_means, "Gaussian mixture": mixture.predict(rows.x), **linked}


def facts(rows: Rows, found: Study) -> dict[str, float | bool]:
    """What `checks` says of some rows."""
    shares, k = rows.components.shares, len(rows.classes)
    facts: dict[str, float | bool] = {
        "classes": k,
        "clusters that look stable (index of 0.95 between starts)": int((found.stability >= 0.95).sum()),
        f"stability of k-means with {k} clusters": float(found.stability[K.index(k)]),
        "variance on the first two components": float(shares[:2].sum()),
        "components that hold 90 % of the variance": components.needed(shares, 0.9),
        "our components are scikit-learn's": _our_components(rows),
        "our k-means has scikit-learn's inertia from the same start": _our_kmeans(rows.x, k),
    }
    if len(rows.x) <= OWN_TREES:
        facts["our trees have SciPy's heights"] = all(
            np.allclose(hierarchy.agglomerate(rows.x, name)[:, 2], tree[:, 2]) for name, tree in found.trees.items()
        )
    facts |= {f"clusters by {index}": found.chosen(index) for index in INDICES}
    for name, measures in found.agreement.items():
        for measure, (value, low, high) in measures.items():
            facts |= {f"{name}, {measure}": value, f"{name}, {measure}, at least": low}
            facts[f"{name}, {measure}, at most"] = high
    return facts


def _our_components(rows: Rows) -> bool:
    """Whether scikit-learn finds the same axes, as far as rounding lets one axis be distinguished from the next."""
    from sklearn.decomposition import PCA

    ours, theirs = rows.components, PCA(svd_solver="full").fit(rows.raw)
    some = min(4, len(ours.axes))
    return bool(
        np.allclose(ours.axes[:some], theirs.components_[:some], atol=1e-6)
        and np.allclose(ours.shares, theirs.explained_variance_ratio_)
    )


def _our_kmeans(x: Array, k: int) -> bool:
    from sklearn.cluster import KMeans

    start = kmeans.start(x, k, _rng(k, 0))
    theirs = KMeans(k, init=start, n_init=1, tol=0, max_iter=kmeans.MOST_STEPS).fit(x)
    return bool(np.isclose(kmeans.lloyd(x, start).inertia, theirs.inertia_))

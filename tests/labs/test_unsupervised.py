"""The laws of the lab `unsupervised`: ours equal scikit-learn's and SciPy's, and the intervals cover."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handbook import datasets
from handbook.labs.unsupervised import agreement, components, hierarchy, kmeans, study
from handbook.labs.unsupervised.rows import Rows


def groups(seed: int = 0, n: int = 40, apart: float = 6.0) -> tuple[np.ndarray, np.ndarray]:
    """Four groups of n points in three dimensions, and which each is of."""
    rng = np.random.default_rng(seed)
    of = np.repeat(np.arange(4), n)
    return apart * rng.normal(size=(4, 3))[of] + rng.normal(size=(4 * n, 3)), of


@pytest.fixture(scope="module")
def flowers(samples: Callable[[str], Path]) -> Rows:
    return Rows.of_table(datasets.page("iris").load(samples("iris")))


@pytest.mark.parametrize("k", [2, 5, 9])
@pytest.mark.parametrize("seed", range(3))
def test_kmeans_from_the_same_start_ends_where_scikit_learns_does(k: int, seed: int) -> None:
    from sklearn.cluster import KMeans

    x, _ = groups(seed, apart=1.5)
    start = kmeans.start(x, k, np.random.default_rng(seed))
    ours, theirs = kmeans.lloyd(x, start), KMeans(k, init=start, n_init=1, tol=0).fit(x)
    assert ours.inertia == pytest.approx(theirs.inertia_, rel=1e-10)
    np.testing.assert_allclose(ours.centres, theirs.cluster_centers_, atol=1e-10)
    assert np.array_equal(ours.labels, theirs.labels_)


def test_no_step_of_kmeans_raises_the_inertia() -> None:
    x, _ = groups(apart=1.0)
    path = np.array(kmeans.lloyd(x, x[:6]).path)
    assert len(path) > 3
    assert (np.diff(path) <= 1e-9).all()


def test_a_start_spreads_and_a_centre_without_rows_stays() -> None:
    x, of = groups(apart=20.0)
    near = [kmeans.squared_distances(kmeans.start(x, 4, np.random.default_rng(s)), x).argmin(axis=1) for s in range(40)]
    assert np.mean([len(set(of[rows])) == 4 for rows in near]) > 0.6  # drawn evenly, all four are met 9 times in 100
    far = np.array([[1e6, 0, 0]])
    np.testing.assert_array_equal(kmeans.lloyd(x, np.concatenate([x[:3], far])).centres[3:], far)
    same = np.ones((5, 2))
    assert kmeans.start(same, 3, np.random.default_rng(0)).shape == (3, 2)


@pytest.mark.parametrize("shape", [(50, 4), (20, 60)])
def test_components_are_scikit_learns(shape: tuple[int, int]) -> None:
    from sklearn.decomposition import PCA

    x = np.random.default_rng(1).normal(size=shape) * np.linspace(3, 1, shape[1])
    ours, theirs = components.of(x), PCA(svd_solver="full").fit(x)
    some = min(shape) - 1  # of as many axes as rows the last has no variance, and no direction
    np.testing.assert_allclose(ours.axes[:some], theirs.components_[:some], atol=1e-9)
    np.testing.assert_allclose(ours.shares, theirs.explained_variance_ratio_, atol=1e-12)
    np.testing.assert_allclose(ours.project(x, 3), theirs.transform(x)[:, :3], atol=1e-9)


def test_all_components_restore_the_rows_and_fewer_leave_just_the_variance_of_the_others() -> None:
    x = np.random.default_rng(2).normal(size=(30, 5))
    found = components.of(x)
    np.testing.assert_allclose(found.restore(found.project(x, 5)), x, atol=1e-12)
    left = ((x - found.restore(found.project(x, 2))) ** 2).sum() / (len(x) - 1)
    assert left == pytest.approx(found.variance[2:].sum())
    assert components.needed(np.array([0.5, 0.4, 0.1]), 0.9) == 2
    assert components.needed(np.array([0.5, 0.4, 0.1]), 0.91) == 3


@pytest.mark.parametrize("linkage", hierarchy.LINKAGES)
def test_a_tree_is_scipys(linkage: str) -> None:
    from scipy.cluster.hierarchy import linkage as scipys

    x, _ = groups(apart=1.0)
    ours, theirs = hierarchy.agglomerate(x, linkage), scipys(x, linkage)
    np.testing.assert_allclose(ours, theirs, atol=1e-9)
    for k in (2, 7):
        assert agreement.adjusted_rand(agreement.table(hierarchy.cut(ours, k), hierarchy.cut(theirs, k))) == 1


def squared(table: np.ndarray) -> np.ndarray:
    """The table with rows and columns of nothing, (4, 4)."""
    return np.pad(table, [(0, 4 - side) for side in table.shape])


def test_agreement_is_scikit_learns_for_every_table_at_once() -> None:
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    rng = np.random.default_rng(3)
    pairs = [(rng.integers(0, 4, 60), rng.integers(0, 3, 60)) for _ in range(20)] + [(np.arange(60) % 4,) * 2]
    tables = np.stack([squared(agreement.table(*each)) for each in pairs])
    expected = [adjusted_rand_score(*each) for each in pairs], [normalized_mutual_info_score(*each) for each in pairs]
    np.testing.assert_allclose(agreement.adjusted_rand(tables), expected[0], atol=1e-12)
    np.testing.assert_allclose(agreement.mutual_information(tables), expected[1], atol=1e-12)
    assert agreement.adjusted_rand(np.array([[5]])) == agreement.mutual_information(np.array([[5]])) == 1


def test_the_names_of_clusters_change_no_agreement() -> None:
    table = np.random.default_rng(4).integers(0, 9, (4, 3))
    for measure in agreement.MEASURES.values():
        assert measure(table[[2, 0, 3, 1]]) == pytest.approx(measure(table))
        assert measure(table.T) == pytest.approx(measure(table))


def test_drawing_cells_is_drawing_rows() -> None:
    rng = np.random.default_rng(5)
    clusters = rng.integers(0, 3, 200)
    classes = np.where(rng.random(200) < 0.7, clusters, rng.integers(0, 3, 200))
    by_cells = agreement.intervals(agreement.table(clusters, classes), rng)["adjusted Rand index"]
    rows = rng.integers(0, 200, (1000, 200))
    tables = np.stack([agreement.table(clusters[each], classes[each]) for each in rows])
    low, high = np.percentile(agreement.adjusted_rand(tables), [2.5, 97.5])
    np.testing.assert_allclose(by_cells[1:], (low, high), atol=0.02)
    assert by_cells[1] < by_cells[0] < by_cells[2]


def test_groups_far_apart_are_counted_found_and_found_again() -> None:
    x, of = groups(seed=2, apart=30.0)
    rows = Rows(x.tobytes(), of.tobytes(), ("a", "b", "c", "d"))
    found = study.studied(rows)
    assert {found.chosen(index) for index in study.INDICES} == {4}
    assert all(measures["adjusted Rand index"][0] == 1 for measures in found.agreement.values())
    assert found.inertia[study.K.index(4)] == pytest.approx(kmeans.lloyd(x, x[[0, 40, 80, 120]]).inertia)
    facts = study.facts(rows, found)
    assert facts["our k-means has scikit-learn's inertia from the same start"] is True
    assert facts["our components are scikit-learn's"] is True
    assert facts["our trees have SciPy's heights"] is True


def test_no_method_is_shown_a_class(flowers: Rows) -> None:
    turned = Rows(flowers.numbers, flowers.labels[::-1].tobytes(), flowers.classes)
    one, other = study.studied(flowers), study.studied(turned)
    assert all(np.array_equal(one.clusters[name], other.clusters[name]) for name in one.clusters)
    assert one.agreement["k-means"] != other.agreement["k-means"]


def test_on_fishers_irises_silhouette_asks_for_two_clusters_where_there_are_three_species() -> None:
    from sklearn.datasets import load_iris

    bundle: Any = load_iris()
    found = study.studied(Rows(bundle.data.tobytes(), bundle.target.astype(np.int64).tobytes(), ("a", "b", "c")))
    assert found.chosen("silhouette") == 2
    assert found.agreement["k-means"]["adjusted Rand index"][0] == pytest.approx(0.73, abs=0.005)

"""The RBF network's own laws."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.utils.estimator_checks import parametrize_with_checks

from handbook import datasets
from handbook.cases import rbf_network
from handbook.cases.rbf_network import RBFNetwork
from handbook.project import Project
from tests.conftest import ROOT


@pytest.mark.filterwarnings("ignore:Estimator's parameters changed")
@parametrize_with_checks([RBFNetwork(), RBFNetwork(logistic=True, alpha=0.1, sampled=True, neighbours=3)])
def test_it_is_a_scikit_learn_estimator(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.fixture
def rings() -> tuple[Any, Any]:
    """A disc within a ring: no plane parts them."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 600)
    angle, radius = rng.uniform(0, 2 * np.pi, 600), rng.uniform(0, 1, 600) + 1.2 * labels
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), labels


@pytest.mark.parametrize("sampled", [True, False])
@pytest.mark.parametrize("logistic", [True, False])
def test_it_parts_what_no_plane_can(rings: Any, sampled: bool, logistic: bool) -> None:
    X, y = rings
    model = RBFNetwork(25, sampled=sampled, logistic=logistic, alpha=0.01, neighbours=4, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.97


def test_least_squares_by_batches_is_that_of_numpy(rings: Any) -> None:
    X, y = rings
    model = RBFNetwork(12, intercept=False, batch_size=37, random_state=1).fit(X, y)
    distance = np.linalg.norm(X[:, None] - model.centres_, axis=2)
    phi = np.exp(-(distance**2) / (2 * model.sigma_**2))
    weights = np.linalg.lstsq(phi, y.astype(float), rcond=None)[0]
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], np.clip(phi @ weights, 0, 1), atol=1e-8)
    assert model.losses_[0] == pytest.approx(np.square(phi @ weights - y).mean())


def test_a_logistic_output_is_that_of_scikit_learn(rings: Any) -> None:
    from sklearn.linear_model import LogisticRegression

    X, y = rings
    model = RBFNetwork(12, logistic=True, alpha=0.5, batch_size=50, random_state=1).fit(X, y)
    rows, centres = torch.from_numpy(X), torch.from_numpy(model.centres_)
    phi = rbf_network.activations(rows, centres, model.sigma_, intercept=False).numpy()
    theirs = LogisticRegression(C=1 / 0.5, tol=1e-10, max_iter=1000).fit(phi, y)
    np.testing.assert_allclose(model.predict_proba(X), theirs.predict_proba(phi), atol=1e-3)


def test_the_size_of_a_batch_changes_no_prediction(rings: Any) -> None:
    X, y = rings
    created = [
        RBFNetwork(20, sampled=True, batch_size=size, random_state=0).fit(X, y).decision_function(X)
        for size in (7, 64, 10_000)
    ]
    np.testing.assert_allclose(created[0], created[1], atol=1e-7)
    np.testing.assert_allclose(created[0], created[2], atol=1e-7)


def test_centres_that_are_all_one_still_give_the_shortest_solution() -> None:
    X, y = np.zeros((10, 2)), np.arange(10) % 2
    model = RBFNetwork(4, random_state=0).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), 0.5)


def test_kmeans_finds_what_scikit_learn_finds() -> None:
    from sklearn.cluster import KMeans

    rng = np.random.default_rng(0)
    X = rng.normal(size=(4, 2)).repeat(100, axis=0) * 5 + rng.normal(size=(400, 2)) * 0.1
    ours = rbf_network.kmeans(torch.from_numpy(X), 4, torch.Generator().manual_seed(0), batch_size=30).numpy()
    theirs = KMeans(4, n_init=5, random_state=0).fit(X).cluster_centers_
    np.testing.assert_allclose(ours[np.lexsort(ours.T)], theirs[np.lexsort(theirs.T)], atol=1e-6)


def test_a_width_of_the_root_of_two_is_the_exponent_as_printed() -> None:
    rows, centres = torch.randn(5, 3, dtype=torch.float64), torch.randn(4, 3, dtype=torch.float64)
    sigma = rbf_network.spread(centres, 0)
    assert sigma == pytest.approx(float(torch.cdist(centres, centres).max()) / 8**0.5)
    printed = torch.exp(-torch.cdist(rows, centres).square() / (2 * sigma) ** 2)
    torch.testing.assert_close(rbf_network.activations(rows, centres, sigma * 2**0.5, False), printed)


@pytest.mark.parametrize(
    ("change", "y", "message"),
    [
        ({"n_components": 7}, [0, 1, 0, 1, 0, 1], "7 centres need as many rows, found n_samples=6"),
        ({"n_components": 2}, [1] * 6, "found 1 class"),
        ({"n_components": 2, "logistic": True}, [0, 1, 0, 1, 0, 1], "alpha=0.0: a logistic output needs a penalty"),
    ],
)
def test_what_cannot_be_learnt_is_refused(change: dict[str, Any], y: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RBFNetwork(**change).fit(np.arange(12.0).reshape(6, 2), y)


def test_infinities_are_refused() -> None:
    with pytest.raises(ValueError, match="infinity"):
        RBFNetwork(2).fit([[0.0], [np.inf], [1.0]], [0, 1, 0])


@pytest.mark.parametrize("name", ["rbf", "mlp", "boosting"])
def test_a_model_finds_what_the_sample_holds(name: str, fitted: Any, samples: Any) -> None:
    case, data, model = fitted(name)
    if name == "mlp":  # three epochs, as the other tests have it, are too few here
        model = case.page.fit(case.split(data), dataclasses.replace(case.params, epochs=15))
    best = datasets.page("bank_marketing").SAMPLE_ROC_AUC["whole"]
    assert best - 0.06 < case.page.evaluate(model, case.split(data)).metrics["roc_auc"] < best + 0.03


@pytest.mark.parametrize("name", ["rbf", "rbf_before_call", "mlp", "boosting_before_call"])
def test_rows_may_come_in_any_order_of_columns_and_with_unknown_words(name: str, fitted: Any) -> None:
    case, data, model = fitted(name)
    rows = data.features.head(5)
    predictions = case.page.predict(model, rows)
    assert predictions.equals(case.page.predict(model, rows[list(rows)[::-1]]))
    strange = rows.assign(job=rows["job"].where(rows.index != rows.index[0], "astronaut"))
    with pytest.warns(UserWarning, match="'job': unknown 'astronaut'"):
        answer = case.page.predict(model, strange)
    assert answer[1:].equals(predictions[1:])
    assert answer["probability"].between(0, 1).all()
    with pytest.raises(ValueError, match="lack columns 'age'"):
        case.page.predict(model, rows.drop(columns="age"))


def test_before_the_call_its_length_is_not_asked_for(fitted: Any) -> None:
    for name in ("rbf_before_call", "mlp_before_call", "boosting_before_call"):
        case, data, model = fitted(name)
        assert len(case.page.predict(model, data.features.head(3).drop(columns="duration"))) == 3


def test_the_report_says_what_the_books_figure_is(fitted: Any) -> None:
    case, data, model = fitted("rbf_book")
    finding = case.page.evaluate(model, case.split(data)).finding
    assert finding.startswith("The book's 88 % is the share of clients who said no")


def test_the_books_network_is_that_of_its_listing_scaled_by_the_training_rows(fitted: Any) -> None:
    from sklearn.preprocessing import LabelEncoder, StandardScaler

    case, data, model = fitted("rbf_book")
    split, columns = case.split(data), sorted(data.features)
    words = data.features.select_dtypes(exclude="number")
    coded = data.features.assign(**{name: LabelEncoder().fit_transform(each) for name, each in words.items()})
    train, test = (coded.loc[part.features.index, columns] for part in (split.train, split.test))
    rows = StandardScaler().fit(train).transform(test)
    cent = model.estimator.centres_
    sigma = max(np.linalg.norm(a - b) for a in cent for b in cent) / np.sqrt(2 * len(cent))
    learnt = StandardScaler().fit_transform(train)
    G, G_test = (np.exp(-(np.linalg.norm(x[:, None] - cent, axis=2) ** 2) / (2 * sigma) ** 2) for x in (learnt, rows))
    printed = G_test @ (np.linalg.inv(G.T @ G) @ G.T @ split.train.target)
    np.testing.assert_allclose(case.page.probabilities(model, split.test.features), np.clip(printed, 0, 1), atol=1e-6)


@pytest.mark.parametrize(("change", "message"), [({"width": 0.0}, "width must be"), ({"alpha": -1.0}, "alpha 0 or")])
def test_a_parameter_out_of_range_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(Project(ROOT).case("rbf").params, **change)

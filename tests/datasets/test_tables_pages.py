"""Laws of the pages of tables: files, samples of known strength, suites that refuse what is spoiled, both forms."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from handbook import datasets
from handbook.data import fetch, provenance, schema, tables
from handbook.errors import HandbookError
from tests.datasets.test_labelled_images import broken, name

Samples = Callable[[str], Path]
NAMES = ("bank_marketing", "boston", "credit_card_applications", "credit_card_transactions", "diabetes", "iris")
MIRROR = Path(os.environ.get("HANDBOOK_MIRROR") or "/no mirror")
real = pytest.mark.skipif(not MIRROR.is_dir(), reason="HANDBOOK_MIRROR is not a folder with the real data")
# Great Expectations 1.24 imports modules of the standard library that are deprecated since Python 3.11
pytestmark = pytest.mark.filterwarnings("ignore:module 'sre_[a-z]+' is deprecated:DeprecationWarning")


@pytest.fixture(scope="module", params=NAMES)
def page(request: pytest.FixtureRequest) -> ModuleType:
    return datasets.page(request.param)


def spoilt(page: ModuleType, facts: pd.DataFrame) -> list[str]:
    return broken(facts, page.expectations(sample=True))


def test_a_page_says_what_its_files_are_and_who_publishes_them(page: ModuleType) -> None:
    for file in (file for files in provenance.forms(page).values() for file in files):
        assert len(file.sha256) == 64
        assert file.urls or file.bundle or file.name == "creditcard_subset.csv.gz"
    for said in ("What it is", "Where from", "Licence", "Not for", "In the book", "sample"):
        assert said in str(page.__doc__)
    assert page.SOURCE.startswith("http")


def test_a_sample_is_read_as_the_real_file_is(page: ModuleType, samples: Samples) -> None:
    table = page.load(samples(name(page)))
    kinds = {str(kind) for kind in table.features.dtypes}
    assert len(table) == page.SAMPLE_ROWS["all"]
    assert kinds <= {"str", "int64", "float64"}
    assert set(table.features.columns) < set(page.COLUMNS)
    assert table.target.dtype == (np.int64 if table.classes else np.float64)
    assert table.classes == getattr(page, "CLASSES", ())


def test_the_suite_accepts_the_sample_and_says_in_words_what_it_guards(page: ModuleType, samples: Samples) -> None:
    assert spoilt(page, page.facts(samples(name(page)))) == []
    reported = [expectation.description for expectation in page.expectations()]
    assert all(reported)
    assert len(set(reported)) == len(reported)


def test_the_suite_rejects_what_every_table_may_suffer(page: ModuleType, samples: Samples) -> None:
    facts = page.facts(samples(name(page)))
    number = next(column for column, kind in page.COLUMNS.items() if kind is float or column == "age")
    first, second, *_ = facts.columns
    spoilings = {
        "in this order": facts[[second, first, *facts.columns[2:]]],
        f"{number} is a": facts.astype({number: "float32"}),
        f"No {number} is missing": facts.assign(**{number: facts[number].where(facts.index != 7)}),
        f"Every {number} is from": facts.assign(**{number: facts[number].where(facts.index != 7, 1e9)}),
    }
    reported = [expectation.description for expectation in page.expectations(sample=True)]
    for words, table in spoilings.items():
        if any(words in each for each in reported):  # not every page bounds its first number
            assert any(words in each for each in spoilt(page, table)), words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"poutcome": "success"}, "poutcome is unknown there"),
        ({"pdays": -1}, "pdays is -1 just where previous is 0"),
        ({"job": "astronaut"}, "job is one of"),
        ({"y": "yes"}, "of the rows have y no"),
        ({"age": 17}, "Every age is from 18 to 95"),
        ({"duration": 4}, "The mean of duration is"),
    ],
)
def test_the_bank_suite_rejects(changes: dict[str, Any], words: str, samples: Samples, tmp_path: Path) -> None:
    page = datasets.page("bank_marketing")
    shutil.copytree(samples("bank_marketing"), tmp_path / "bank")
    file = tmp_path / "bank" / page.FILES[0].name
    tables.write_csv(file, tables.read_csv(file, page.COLUMNS, ";").assign(**changes), ";", quote_text=True)
    assert any(words in complaint for complaint in spoilt(page, page.facts(tmp_path / "bank")))


def test_the_bank_suite_rejects_a_row_that_is_there_twice(samples: Samples, tmp_path: Path) -> None:
    page = datasets.page("bank_marketing")
    shutil.copytree(samples("bank_marketing"), tmp_path / "bank")
    file = tmp_path / "bank" / page.FILES[0].name
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:-1], lines[1]]) + "\n")
    assert "No row is the same as an earlier one" in spoilt(page, page.facts(tmp_path / "bank"))


def test_a_bank_file_of_one_class_is_refused(samples: Samples, tmp_path: Path) -> None:
    page = datasets.page("bank_marketing")
    rows = tables.read_csv(samples("bank_marketing") / page.FILES[0].name, page.COLUMNS, ";")
    tables.write_csv(tmp_path / page.FILES[0].name, rows[rows["y"] == "no"], ";", quote_text=True)
    with pytest.raises(HandbookError, match=r"all 3,\d+ rows have y 'no'"):
        page.load(tmp_path)


def test_no_model_beats_the_known_strength_of_the_bank_sample_and_a_straight_one_comes_near(samples: Samples) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.pipeline import make_pipeline

    page = datasets.page("bank_marketing")
    table = page.load(samples("bank_marketing"))
    table.features["duration"] = np.log1p(table.features["duration"])
    kept, judged = tables.split(table, 0.33, seed=4)
    raw = page.load(samples("bank_marketing")).features
    for strength, without, before in (("whole", [], False), ("before_call", ["duration"], True)):
        assert roc_auc_score(table.target, page.log_odds(raw, before)) == pytest.approx(
            page.SAMPLE_ROC_AUC[strength], abs=0.02
        )
        best = roc_auc_score(judged.target, page.log_odds(raw.loc[judged.features.index], before))
        features = kept.features.drop(columns=without)
        model = make_pipeline(schema.encoder(features), LogisticRegression(max_iter=1000)).fit(features, kept.target)
        found = roc_auc_score(judged.target, model.predict_proba(judged.features.drop(columns=without))[:, 1])
        assert best - 0.04 < found < best + 0.02


def test_the_applications_sample_is_as_strong_as_said(samples: Samples) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score
    from sklearn.pipeline import make_pipeline

    page = datasets.page("credit_card_applications")
    table = page.load(samples("credit_card_applications"))
    model = make_pipeline(schema.encoder(table.features), LogisticRegression())
    found = cross_val_score(model, table.features, table.target, scoring="roc_auc").mean()
    assert page.SAMPLE_ROC_AUC - 0.06 < found < page.SAMPLE_ROC_AUC + 0.03
    assert table.features.index.name == "CustomerID"
    assert table.features.index.is_unique


@pytest.mark.parametrize("dataset", ["boston", "diabetes"])
def test_a_straight_line_explains_nearly_what_can_be_explained(dataset: str, samples: Samples) -> None:
    from sklearn.linear_model import LinearRegression
    from sklearn.model_selection import cross_val_score

    page = datasets.page(dataset)
    table = page.load(samples(dataset))
    found = cross_val_score(LinearRegression(), table.features, table.target).mean()
    assert page.SAMPLE_R2 - 0.1 < found < page.SAMPLE_R2 + 0.02


def test_the_iris_sample_is_as_easy_as_said(samples: Samples) -> None:
    from sklearn.model_selection import cross_val_score
    from sklearn.naive_bayes import GaussianNB

    page = datasets.page("iris")
    table = page.load(samples("iris"))
    found = cross_val_score(GaussianNB(), table.features, table.target).mean()
    assert found == pytest.approx(page.SAMPLE_ACCURACY, abs=0.03)


def test_an_isolation_forest_finds_the_frauds_of_the_sample_that_can_be_found(samples: Samples) -> None:
    from sklearn.ensemble import IsolationForest
    from sklearn.metrics import roc_auc_score

    page = datasets.page("credit_card_transactions")
    table = page.load(samples("credit_card_transactions"))
    score = -IsolationForest(random_state=0).fit(table.features).score_samples(table.features)
    assert roc_auc_score(table.target, score) == pytest.approx(page.SAMPLE_ROC_AUC, abs=0.04)
    assert table.target.mean() == pytest.approx(page.FRAUD_SHARE["subset"], rel=0.01)


def test_the_forms_of_the_transactions_are_distinguished_and_never_both(samples: Samples, tmp_path: Path) -> None:
    page = datasets.page("credit_card_transactions")
    subset = samples("credit_card_transactions") / "creditcard_subset.csv.gz"
    rows = tables.read_csv(subset, page.COLUMNS)
    with pytest.raises(HandbookError, match=r"is missing creditcard.csv or creditcard_subset.csv.gz"):
        page.load(tmp_path)
    tables.write_csv(tmp_path / "creditcard.csv", rows)
    assert page.form(tmp_path) == "whole"
    assert page.load(tmp_path).features.equals(page.load(subset.parent).features)
    complaints = broken(page.facts(tmp_path), page.expectations())
    assert any("rows as of their form: 284,807 (whole), 43,324 (subset)" in each for each in complaints)
    shutil.copy(subset, tmp_path)
    with pytest.raises(HandbookError, match=r"holds both creditcard.csv and creditcard_subset.csv.gz"):
        page.load(tmp_path)


def test_the_frauds_must_be_492_of_their_euros_in_either_form(samples: Samples) -> None:
    page = datasets.page("credit_card_transactions")
    facts = page.facts(samples("credit_card_transactions"))
    complaints = broken(facts, page.expectations())
    assert "There are 492 frauds" in complaints
    assert any("euros together" in each for each in complaints)


@pytest.mark.parametrize("dataset", ["iris", "diabetes"])
def test_bundled_data_are_real_without_network_or_mirror(
    dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sklearn import datasets as bundled

    monkeypatch.delenv("HANDBOOK_MIRROR", raising=False)
    page = datasets.page(dataset)
    origin = fetch.obtain(page, tmp_path / dataset, fetch.Search("auto", tmp_path / "scratch"))
    table = page.load(tmp_path / dataset)
    original = bundled.load_iris() if dataset == "iris" else bundled.load_diabetes(scaled=False)
    assert origin["kind"] == "real"
    assert np.array_equal(table.features, original.data)
    assert np.array_equal(table.target, original.target)
    assert broken(page.facts(tmp_path / dataset), page.expectations()) == []


@pytest.mark.real
@real
@pytest.mark.parametrize("dataset", NAMES[:4])
def test_the_real_files_are_the_pinned_ones_and_pass_their_suite(dataset: str, tmp_path: Path) -> None:
    page = datasets.page(dataset)
    origin = fetch.obtain(page, tmp_path / dataset, fetch.Search("mirror", tmp_path / "scratch"))
    assert origin.get("form") in (None, "subset")
    provenance.verify(page, tmp_path / dataset)
    assert broken(page.facts(tmp_path / dataset), page.expectations()) == []


@pytest.mark.real
@real
def test_the_books_split_of_the_bank_has_the_books_sizes() -> None:
    kept, judged = tables.split(datasets.page("bank_marketing").load(MIRROR / "bank_marketing"), 0.33, 4, False)
    assert (len(kept), len(judged)) == (30_291, 14_920)
    assert 1 - judged.target.mean() == pytest.approx(0.8877, abs=5e-5)  # what "always no" scores

"""Rows as numbers, learned from the training rows alone."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from handbook.data.schema import categories
from handbook.training import encodings
from tests.toys import CALLS


def test_an_encoding_survives_json_and_the_order_of_columns() -> None:
    rows = encodings.dated(CALLS)
    for how in (encodings.scales(rows, {"age": 2.0}, 0.5), encodings.codes(rows, categories(rows))):
        kept = json.loads(json.dumps(how, sort_keys=True))
        turned = rows[list(rows)[::-1]]
        np.testing.assert_array_equal(encodings.encoded(rows, how), encodings.encoded(turned, kept))


def test_a_constant_column_becomes_zero_and_a_weight_is_a_deviation() -> None:
    rows = pd.DataFrame({"x": np.random.default_rng(0).lognormal(size=5000), "same": 7})
    same, x = encodings.encoded(rows, encodings.scales(rows, {"x": 2.0})).T
    assert (same == 0).all()
    assert (x.mean(), x.std()) == pytest.approx((0, 2), abs=1e-9)
    assert (np.argsort(x[:50], kind="stable") == np.argsort(rows["x"][:50], kind="stable")).mean() > 0.9


def test_an_unknown_word_is_none_of_the_known_or_the_middle() -> None:
    strange = CALLS.assign(month=pd.array(["no such"] * 4, dtype="str"))
    onehot = encodings.encoded(strange, encodings.scales(CALLS[["month"]], {}))
    assert (onehot == 0).all()
    assert (encodings.encoded(strange, encodings.codes(CALLS[["month"]], categories(CALLS[["month"]]))) == 0).all()
    assert np.isnan(encodings.numbered(strange, {"month": ["dec", "jan", "may"]})).all()
    assert encodings.dated(strange)["day_of_year"].notna().all()


def test_the_book_codes_the_words_of_all_rows_by_the_alphabet_and_standardises_by_those_learnt_from() -> None:
    from sklearn.preprocessing import LabelEncoder, StandardScaler

    table = CALLS.assign(month=LabelEncoder().fit_transform(CALLS["month"]), age=[20, 30, 40, 4000])
    learnt, columns = table.iloc[:2], sorted(table)
    theirs = StandardScaler().fit(learnt[columns]).transform(table[columns])  # the last age lies far beyond them
    how = encodings.codes(CALLS.assign(age=table["age"]).iloc[:2], categories(CALLS))
    np.testing.assert_allclose(encodings.encoded(CALLS.assign(age=table["age"]), how), theirs, atol=1e-9)


def test_the_order_of_the_training_rows_changes_no_encoding_and_a_greater_number_is_never_less() -> None:
    x = np.random.default_rng(0).gamma(2, size=400).round(2)
    rows = pd.DataFrame({"x": x, "w": pd.array(np.array(["a", "b"])[(x > 1) * 1], dtype="str")})
    turned = rows.iloc[::-1].reset_index(drop=True)
    one, other = encodings.scales(rows, {"x": 1.5}), encodings.scales(turned, {"x": 1.5})
    assert one["w"] == other["w"]
    np.testing.assert_allclose(one["x"]["score"], other["x"]["score"], atol=1e-12)
    grid = pd.DataFrame({"x": np.linspace(-5, 50, 300), "w": "a"})
    assert (np.diff(encodings.encoded(grid, one)[:, -1]) >= 0).all()


def test_a_stretched_scale_changes_no_encoding() -> None:
    x = np.random.default_rng(0).normal(size=300)
    found = [
        encodings.encoded(rows, encodings.scales(rows, {}))
        for rows in (pd.DataFrame({"x": x}), pd.DataFrame({"x": 1000 + 7 * x}))
    ]
    np.testing.assert_allclose(*found, atol=1e-6)


def test_words_are_one_hot_by_their_weight_as_scikit_learn_has_it() -> None:
    from sklearn.preprocessing import OneHotEncoder

    rows = CALLS[["month"]]
    theirs = OneHotEncoder(sparse_output=False).fit_transform(rows)
    np.testing.assert_array_equal(encodings.encoded(rows, encodings.scales(rows, {}, 0.5)), 0.5 * theirs)


def test_a_day_of_the_year_follows_the_calendar_to_two_days() -> None:
    dates = pd.date_range("2023-01-01", "2023-12-31")
    rows = pd.DataFrame({"day": dates.day, "month": dates.strftime("%b").str.lower()})
    assert abs(encodings.dated(rows)[encodings.DATE].to_numpy() - dates.day_of_year).max() <= 2
    assert encodings.dated(rows[["day"]]).equals(rows[["day"]])

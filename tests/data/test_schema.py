"""Rows to predict: held against those of training, every difference named; and numbers and words as numbers."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from handbook.data import schema
from tests.data.test_tables import table


def test_rows_to_predict_are_brought_in_order_and_others_left_out() -> None:
    features = table().features
    like = schema.categories(features)
    assert like == {"x": None, "one": None, "word": ["a", "b", "c"]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        checked = schema.check_rows(features[["word", "one", "x"]].assign(more=1), like)
    assert checked.equals(features)
    assert schema.check_rows(features.astype({"word": object}), like).equals(features)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": "much"}, r"column 'x': expected numbers, found str such as 'much'"),
        ({"x": np.nan}, r"column 'x': 90 of 90 values are missing"),
        ({"x": np.inf}, r"column 'x': expected finite numbers"),
        ({"word": 3}, r"column 'word': expected text such as 'a', 'b', 'c', found int64"),
        ({"word": None}, r"column 'word': 90 of 90 values are missing"),
    ],
)
def test_rows_that_cannot_be_predicted_are_a_value_error(changes: dict[str, object], message: str) -> None:
    features = table().features
    with pytest.raises(ValueError, match=message):
        schema.check_rows(features.assign(**changes), schema.categories(features))


def test_a_missing_column_no_rows_and_no_table_are_value_errors() -> None:
    features = table().features
    like = schema.categories(features)
    with pytest.raises(ValueError, match=r"the rows lack columns 'word'; they have 'x', 'one'"):
        schema.check_rows(features.drop(columns="word"), like)
    with pytest.raises(ValueError, match="expected one row or more, found 0"):
        schema.check_rows(features.iloc[:0], like)
    with pytest.raises(ValueError, match="expected a DataFrame with columns 'x', 'one', 'word', found list"):
        schema.check_rows([1.0], like)


def test_an_unknown_word_is_kept_warned_of_and_counts_as_none() -> None:
    features = table().features
    encoder = schema.encoder(features).fit(features)
    strange = features.head(2).assign(word="zebra")
    with pytest.warns(UserWarning, match=r"column 'word': unknown 'zebra' counts as none of 'a', 'b', 'c'"):
        checked = schema.check_rows(strange, schema.categories(features))
    assert checked["word"].tolist() == ["zebra", "zebra"]
    assert encoder.transform(checked)[:, 2:].tolist() == [[0, 0, 0], [0, 0, 0]]


def test_numbers_are_scaled_words_one_hot_and_a_constant_column_is_zero() -> None:
    features = table().features
    encoded = schema.encoder(features).fit_transform(features)
    assert isinstance(encoded, np.ndarray)
    assert encoded.shape == (90, 5)
    assert encoded[:, 0].mean() == pytest.approx(0, abs=1e-12)
    assert encoded[:, 0].std() == pytest.approx(1)
    assert not encoded[:, 1].any()
    assert (encoded[:, 2:].sum(axis=1) == 1).all()


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["a"], "'a'"),
        (list("abcde"), "'a', 'b', 'c', 'd', 'e'"),
        (list("abcdef"), "'a', 'b', 'c', 'd', 'e' and 1 more"),
        (list("abcdefgh"), "'a', 'b', 'c', 'd', 'e' and 3 more"),
    ],
)
def test_five_names_are_listed_and_the_others_counted(names: list[str], said: str) -> None:
    assert schema.listed(names) == said

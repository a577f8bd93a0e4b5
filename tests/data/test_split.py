"""Rows that are drawn, and rows that are new."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from handbook.data.split import drawn, first_seen


@given(st.integers(0, 300), st.floats(0, 1), st.integers(0, 2**32))
def test_every_row_is_kept_or_taken_and_as_many_are_taken_as_was_asked_for(n: int, share: float, seed: int) -> None:
    kept, taken = drawn(n, share, seed)
    assert sorted([*kept, *taken]) == list(range(n))
    assert len(taken) == round(n * share)


def test_the_seed_alone_decides_and_each_row_is_as_likely_to_be_taken() -> None:
    assert np.array_equal(drawn(50, 0.2, 3)[1], drawn(50, 0.2, 3)[1])
    taken = np.bincount(np.concatenate([drawn(50, 0.2, seed)[1] for seed in range(2000)]), minlength=50)
    spread = np.sqrt(2000 * 0.2 * 0.8)
    assert (abs(taken - 400) < 5 * spread).all()


@given(st.lists(st.integers(0, 9)), st.lists(st.integers(0, 9)))
def test_a_row_is_new_where_it_stands_for_the_first_time_and_was_not_known(known: list[int], rows: list[int]) -> None:
    literal = [place for place, row in enumerate(rows) if row not in known + rows[:place]]
    found = first_seen(known, rows)
    assert found.tolist() == literal
    assert found.dtype == np.int64

"""Errors as a person needs them: the thing, the value and the way out."""

from __future__ import annotations

import pytest

from handbook.errors import HandbookError, unknown


@pytest.mark.parametrize(
    ("name", "choices", "message"),
    [
        ("lenett", {"mlp", "lenet"}, "no case 'lenett'; choose from lenet, mlp (did you mean lenet?)"),
        ("zzz", ["mlp", "lenet"], "no case 'zzz'; choose from lenet, mlp"),
        ("mlp", [], "no case 'mlp'; choose from none"),
    ],
)
def test_an_unknown_name_is_answered_with_all_names_and_the_nearest(name: str, choices: set[str], message: str) -> None:
    assert str(unknown("case", name, choices)) == message


def test_the_order_of_the_choices_changes_no_word_and_they_may_be_read_once() -> None:
    names = ["digits", "lenet", "dcgan"]
    one = unknown("case", "lenat", iter(names))
    assert isinstance(one, HandbookError)
    assert str(one) == str(unknown("case", "lenat", reversed(names)))

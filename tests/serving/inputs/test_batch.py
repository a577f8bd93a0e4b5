"""What all readers share: names that can be written, and faults that say where to look."""

from __future__ import annotations

import os

import pytest

from handbook.serving.inputs import Batch, is_there, legible


def test_a_name_that_is_not_utf_8_is_written_by_its_bytes() -> None:
    name = os.fsdecode(b"caf\xe9.png")
    assert legible(name) == "caf\\xe9.png"
    assert legible("café 数.png") == "café 数.png"


@pytest.mark.parametrize("text", ["x" * 5000, "a\0b", "no such file", ""])
def test_what_can_be_no_name_is_not_there(text: str) -> None:
    assert not is_there(text)


def test_a_fault_out_of_a_file_names_its_row_and_another_does_not() -> None:
    batch = Batch(["Out", "Out"], None, ["", ""], places=[4, 9], numbered=True)
    assert (batch.fault(1, "empty").problem, batch.fault(1, "empty").place) == ("row 9: empty", 9)
    assert Batch(["Out"], None, [""]).fault(0, "empty").problem == "empty"

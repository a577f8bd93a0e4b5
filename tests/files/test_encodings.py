"""Text in another encoding is known by its start, and what is UTF-8 is never taken for it."""

from __future__ import annotations

import pytest

from handbook.files.encodings import wide

TEXTS = ("age;job\n40;admin.\n", "When shall we three meet again\n", "sepal_length,sepal_width\n5,3\n")


@pytest.mark.parametrize("text", TEXTS)
def test_wide_encodings_are_known_with_and_without_their_mark(text: str) -> None:
    assert {wide(text.encode(name)[:64]) for name in ("utf-16", "utf-16-le")} == {"UTF-16", "UTF-16LE"}
    assert wide(text.encode("utf-16-be")[:64]) == "UTF-16BE"
    assert wide(text.encode("utf-32")[:64]) == "UTF-32"


@pytest.mark.parametrize("content", [*(text.encode() for text in TEXTS), b"", b"a", "数据".encode(), b"\0", bytes(64)])
def test_utf_8_and_damage_are_no_wide_encoding(content: bytes) -> None:
    assert wide(content[:64]) == ""

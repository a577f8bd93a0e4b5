"""Text that is not in UTF-8, known by how it starts, so that an error can say what it is in."""

from __future__ import annotations

import codecs

MARKS = {codecs.BOM_UTF32_LE: "UTF-32", codecs.BOM_UTF32_BE: "UTF-32", codecs.BOM_UTF16_LE: "UTF-16",
         codecs.BOM_UTF16_BE: "UTF-16"}  # fmt: skip
MOST = 0.7  # of every other byte


def wide(start: bytes) -> str:
    """The encoding of two or four bytes a character that a text's first bytes tell of; "" for none.

    Without a mark it is known by the NUL bytes beside plain letters, which no text in UTF-8 has.
    """
    for mark, name in MARKS.items():
        if start.startswith(mark):
            return name
    if len(start) < 4:
        return ""
    high, low = (start[k::2].count(0) / max(1, len(start) // 2) for k in (0, 1))
    return "UTF-16LE" if low > MOST and high < 1 - MOST else "UTF-16BE" if high > MOST and low < 1 - MOST else ""

"""A batch's CSV is read strictly: what can be understood is, and what cannot is named by row, with what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from handbook.errors import HandbookError
from handbook.monitoring import rows

COLUMNS = ["age", "job", "y"]


def read(tmp_path: Path, content: bytes) -> rows.Rows:
    file = tmp_path / "a.csv"
    file.write_bytes(content)
    return rows.read(file, COLUMNS, ";")


LABELLED = b'"age";"job";"y"\n30;"cook";"no"\n40;"smith; farrier";"yes"\n'
SAME = {
    "as it is": LABELLED,
    "byte order mark": b"\xef\xbb\xbf" + LABELLED,
    "lines of Windows": LABELLED.replace(b"\n", b"\r\n"),
    "blank lines": LABELLED.replace(b"\n30", b"\n\n\n30") + b"\n",
    "without quotation marks": LABELLED.replace(b'"smith; farrier"', b"@")
    .replace(b'"', b"")
    .replace(b"@", b'"smith; farrier"'),
    "Excel's first line": b"sep=;\n" + LABELLED,
}


@pytest.mark.parametrize("manner", SAME)
@pytest.mark.parametrize("labelled", [True, False])
def test_rows_are_the_same_in_every_manner_of_writing_with_answers_and_without(
    manner: str, labelled: bool, tmp_path: Path
) -> None:
    content = SAME[manner]
    if not labelled:
        content = re.sub(rb';"?(y|no|yes)"?(?=\r?\n)', b"", content)
    found = read(tmp_path, content)
    width = 3 if labelled else 2
    assert found.header == COLUMNS[:width]
    assert found.lines == [["30", "cook", "no"][:width], ["40", "smith; farrier", "yes"][:width]]
    assert read(tmp_path, found.text()) == found


REFUSED = {
    "another separator": (LABELLED.replace(b";", b","), "not separated by a semicolon but by a comma"),
    "tabs": (LABELLED.replace(b";", b"\t"), "not separated by a semicolon but by a tab"),
    "Latin-1": (LABELLED.replace(b"cook", b"caf\xe9"), r"a\.csv, line 2, is not UTF-8 text.*iconv -f LATIN1"),
    "UTF-16": (LABELLED.decode().encode("utf-16"), "seems to be UTF-16.*iconv -f UTF-16"),
    "zero bytes": (LABELLED.replace(b"cook", b"co\0k"), r"a\.csv, row 1: .* a NUL byte stands in it"),
    "a surplus cell": (LABELLED + b"50;cook;no;more\n", r"a\.csv, row 3: expected 3 cells, found 4\. Put what holds"),
    "a cell too few, after a blank line": (LABELLED + b"\n50;cook\n", r"a\.csv, row 3: expected 3 cells, found 2"),
    "an open quotation": (
        LABELLED + b'50;"cook;no\n60;cook;no\n',
        r"a\.csv, row 3: .*a quote is opened in it and never",
    ),
    "a column that is missing": (LABELLED.replace(b"job", b"work"), "without 'job' and with unknown 'work'"),
    "a column twice": (b"age;job;job\n1;a;b\n", "twice 'job'"),
    "another order": (b"job;age;y\ncook;1;no\n", "in another order: column 1 is 'job', not 'age'"),
    "no rows": (b"age;job;y\n\n", "has a header but 0 rows"),
    "what moves the cursor": (b"age;job;\x1b[2Jy\n1;a;b\n", r"with unknown '\\x1b\[2Jy'"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_what_cannot_be_understood_is_refused_with_its_place(fault: str, tmp_path: Path) -> None:
    content, said = REFUSED[fault]
    with pytest.raises(HandbookError, match=said) as caught:
        read(tmp_path, content)
    assert "\x1b" not in str(caught.value)


def test_a_datasets_own_file_says_its_separator_and_an_answer() -> None:
    assert rows.manner(b'"age";"job";"y"\n30;"a;b";"no"\n', COLUMNS) == (";", "no")
    assert rows.manner(b"age,job,y\r\n30,a,1\r\n", COLUMNS) == (",", "1")

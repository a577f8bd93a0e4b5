"""Files of our own: whatever is wrong with one is a sentence that names the file, the fault and the repair."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from handbook.errors import HandbookError
from handbook.files import documents
from handbook.files.formats import write_json, write_rows

FIELDS = {"name": str, "score": documents.NUMBER, "files": list, "real": bool}
WHOLE = {"name": "lenet", "score": 0.9, "files": [], "real": True}
DAMAGE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (lambda path: None, "it is missing"),
    "empty": (lambda path: path.write_bytes(b""), "it is empty"),
    "blank": (lambda path: path.write_bytes(b" \n\n"), "it is empty"),
    "folder": (lambda path: path.mkdir(), "it is a folder; expected a file"),
    "dangling": (lambda path: path.symlink_to("gone"), "it is a link to gone, which is not there"),
    "latin-1": (lambda path: path.write_bytes(b'{"name":\n "caf\xe9"}'), "it is not UTF-8: line 2 holds the byte 0xe9"),
    "utf-16": (lambda path: path.write_bytes('{"a": 1}'.encode("utf-16")), "it is not UTF-8: line 1 holds"),
    "null": (lambda path: path.write_text("null"), "expected an object, found null"),
    "list": (lambda path: path.write_text("[1]"), "expected an object, found a list"),
    "number": (lambda path: path.write_text("3"), "expected an object, found a whole number: '3'"),
    "cut": (lambda path: path.write_text('{\n"name": "le'), "it is not JSON: line 2, Unterminated string"),
    "two": (lambda path: path.write_text("{}\n{}"), "it is not JSON: line 2, Extra data"),
    "deep": (lambda path: path.write_text("[" * 100_000), "it is not JSON"),
    "long": (lambda path: path.write_text('{"score": ' + "9" * 5000 + "}"), "it is not JSON that we write"),
    "zeros": (lambda path: path.write_bytes(bytes(64)), "it is not JSON: line 1"),
    "merged": (
        lambda path: path.write_text('{\n<<<<<<< HEAD\n"score": 1\n=======\n"score": 2\n>>>>>>> other\n}\n'),
        "a merge left its conflict markers there, the first in line 2",
    ),
    "lacking": (lambda path: write_json(path, {"name": "lenet"}), "expected `score`, found no such key"),
    "text": (
        lambda path: write_json(path, WHOLE | {"score": "0.9"}),
        "expected a number as `score`, found",
    ),
    "nan": (lambda path: path.write_text('{"name": "a", "score": NaN}'), "as `score`, found a number: 'nan'"),
    "true": (lambda path: write_json(path, WHOLE | {"score": True}), "as `score`, found true or false: 'True'"),
    "none": (lambda path: write_json(path, WHOLE | {"name": None}), "expected a text as `name`, found null"),
    "other": (lambda path: write_json(path, WHOLE | {"files": {}}), "expected a list as `files`, found an object"),
    "bit": (lambda path: write_json(path, WHOLE | {"real": 1}), "expected true or false as `real`"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_file_is_named_with_its_fault_and_its_repair(kind: str, tmp_path: Path) -> None:
    damage, fault = DAMAGE[kind]
    damage(path := tmp_path / "entry.json")
    with pytest.raises(HandbookError) as refused:
        documents.json_object(path, "Bring it back", FIELDS)
    assert str(refused.value).startswith(f"{path} cannot be used: ")
    assert fault in str(refused.value)
    assert str(refused.value).endswith(".\nBring it back")


def test_a_whole_file_is_read_as_it_is(tmp_path: Path) -> None:
    write_json(tmp_path / "entry.json", WHOLE | {"score": 1, "more": None})
    assert documents.json_object(tmp_path / "entry.json", "", FIELDS) == WHOLE | {"score": 1, "more": None}


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(HandbookError, match="it cannot be read: Permission denied"):
        documents.text(tmp_path, "")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "it is empty"), ("epoch,loss\n1\n", "line 2 has not as many cells"), ("epoch\n1,2\n", "line 2 has"),
        ("epoch,loss\n1,0.5\n2,low\n", "line 3 holds what is no number: could not convert string to float: 'low'"),
    ],
)  # fmt: skip
def test_a_damaged_table_is_named_by_its_line(text: str, fault: str, tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text(text)
    with pytest.raises(HandbookError, match=fault):
        documents.rows(tmp_path / "history.csv", "Train again")


def test_a_table_is_read_as_it_was_written_its_gaps_left_out(tmp_path: Path) -> None:
    rows = [{"epoch": 1.0, "loss": 0.5}, {"epoch": 2.0}]
    write_rows(tmp_path / "history.csv", rows)
    assert documents.rows(tmp_path / "history.csv", "") == rows


@pytest.mark.parametrize("text", ["a: [", "a: 1\n\tb: 2", "a: *b", "a: 2026-02-31", "a: &a [*a", "\x00"])
def test_what_is_no_yaml_is_a_sentence(text: str, tmp_path: Path) -> None:
    (tmp_path / "dvc.lock").write_text(text)
    with pytest.raises(HandbookError, match="it is not YAML"):
        documents.yaml_of(tmp_path / "dvc.lock", "")


def test_a_title_underlined_with_equals_signs_is_no_conflict(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("Title\n=======\n")
    assert documents.text(tmp_path / "README.md", "") == "Title\n=======\n"


@pytest.mark.parametrize("deep", ["[" * 100_000, '{"a":' * 100_000, "- " * 100_000, "? " * 100_000])
def test_yaml_without_end_is_a_sentence_and_not_the_end_of_the_process(deep: str, tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(deep)
    with pytest.raises(HandbookError, match=r"a\.yaml cannot be used: it is not YAML that we write: .* 64 deep"):
        documents.yaml_of(path, "Mend it")
    path.write_text("a: [1, {b: [2]}]\nc:\n- - 1\n")
    assert documents.yaml_of(path, "Mend it") == {"a": [1, {"b": [2]}], "c": [[1]]}

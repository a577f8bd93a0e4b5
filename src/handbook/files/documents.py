"""Files of our own, read: whatever is wrong with one is reported by its name, its fault and its repair.

Files get damaged by disks, editors, merges and half copies: they are gone, empty, folders, links that lead nowhere, not
UTF-8, with git's conflict markers, no JSON, or JSON of another shape. Each of these is one HandbookError.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from handbook.errors import HandbookError

Kind = type | tuple[type, ...]
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's, where there is one, reads six times as fast
NUMBER: tuple[type, ...] = (int, float)
DEEPEST = 64  # levels of YAML; ours has six
BRACKET, RUN = re.compile(r"[\[\]{}]"), re.compile(rf"(?:[-?][ \t]+){{{DEEPEST},}}")
NAMES = {
    dict: "an object",
    list: "a list",
    str: "a text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}
# What git leaves of a merge; seven equals signs alone may underline a title.
CONFLICT = re.compile(r"^(<{7}|>{7}|\|{7})( |$)", re.MULTILINE)


def text(path: Path, way: str) -> str:
    """A file's text; HandbookError with the way out if it is not there, cannot be read, or is not UTF-8."""
    return decoded(raw(path, way), path, way)


def raw(path: Path, way: str) -> bytes:
    """A file's bytes; HandbookError with the way out if it is not there, is no file, or cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise damaged(path, _absence(path), way) from None
    except IsADirectoryError:
        raise damaged(path, "it is a folder; expected a file", way) from None
    except OSError as error:
        raise damaged(path, f"it cannot be read: {error.strerror or error}", way) from None


def decoded(content: bytes, path: Path, way: str) -> str:
    """The text that bytes stand for; HandbookError if they are not UTF-8, or hold git's conflict markers."""
    try:
        found = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise damaged(path, f"it is not UTF-8: line {line} holds the byte 0x{content[error.start]:02x}", way) from None
    if marker := CONFLICT.search(found):
        line = found.count("\n", 0, marker.start()) + 1
        raise damaged(path, f"a merge left its conflict markers there, the first in line {line}", way)
    return found


def json_object(path: Path, way: str, fields: Mapping[str, Kind] | None = None) -> dict[str, Any]:
    """A JSON object, with at least these fields of these types; HandbookError with the way out otherwise."""
    return object_of(raw(path, way), path, way, fields)


def object_of(content: bytes, path: Path, way: str, fields: Mapping[str, Kind] | None = None) -> dict[str, Any]:
    """As `json_object`, of bytes that were read from that path."""
    found = value_of(content, path, way)
    if fault := misshapen(found, fields or {}):
        raise damaged(path, fault, way)
    return dict(found)


def value_of(content: bytes, path: Path, way: str) -> Any:
    """What JSON says, of bytes that were read from that path; HandbookError with the way out if they are none."""
    if not content.strip():
        raise damaged(path, "it is empty", way)
    try:
        return json.loads(decoded(content, path, way), parse_constant=float)
    except json.JSONDecodeError as error:
        raise damaged(path, f"it is not JSON: line {error.lineno}, {error.msg}", way) from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; lists in lists without end
        raise damaged(path, f"it is not JSON that we write: {error}", way) from None


def misshapen(found: Any, fields: Mapping[str, Kind], where: str = "") -> str:
    """What is wrong with the shape of something that was read, or nothing."""
    if not isinstance(found, dict):
        return f"expected an object{where}, found {_named(found)}"
    for key, kind in fields.items():
        if key not in found:
            return f"expected `{key}`{where}, found no such key"
        if not is_a(found[key], kind):
            kinds = (kind,) if isinstance(kind, type) else kind
            wanted = "a number" if kinds == NUMBER else " or ".join(NAMES.get(each, each.__name__) for each in kinds)
            return f"expected {wanted} as `{key}`{where}, found {_named(found[key])}"
    return ""


def is_a(value: Any, kind: Kind) -> bool:
    """Whether a value is of a type, or of one of them; true is no number, and neither is what is not finite."""
    if isinstance(value, bool):
        return bool in (kind if isinstance(kind, tuple) else (kind,))
    return isinstance(value, kind) and (not isinstance(value, float) or math.isfinite(value))


def yaml_of(path: Path, way: str) -> Any:
    """What YAML says; HandbookError with line and way out if it is none."""
    content = text(path, way)
    if _is_deep(content):
        raise damaged(path, f"it is not YAML that we write: lists and objects more than {DEEPEST} deep", way)
    try:
        return yaml.load(content, Loader=LOADER)  # noqa: S506 (safe, either of them)
    except (yaml.YAMLError, RecursionError, ValueError) as error:  # ValueError: a date of the 31st of February
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, {getattr(error, 'problem', '')}" if mark else str(error)
        raise damaged(path, f"it is not YAML: {where}", way) from None


def _is_deep(content: str) -> bool:
    """Whether YAML is nested so deep that libyaml, which knows no bound, may end the process with a fault of memory."""
    depth = most = 0
    for each in BRACKET.finditer(content):
        depth += 1 if each[0] in "[{" else -1
        most = max(most, depth)
    return most > DEEPEST or RUN.search(content) is not None


def rows(path: Path, way: str) -> list[dict[str, float]]:
    """A CSV of numbers as rows, as `formats.write_rows` writes it; HandbookError with the way out otherwise."""
    lines = text(path, way).splitlines()
    if not lines:
        raise damaged(path, "it is empty", way)
    found = []
    try:
        read = list(csv.DictReader(lines))
    except csv.Error as error:  # a cell that fills the memory
        raise damaged(path, f"it is no CSV that we write: {error}", way) from None
    for number, row in enumerate(read, start=2):
        if None in row or None in row.values():
            raise damaged(path, f"line {number} has not as many cells as the first", way)
        try:
            found.append({key: float(value) for key, value in row.items() if value})
        except ValueError as error:
            raise damaged(path, f"line {number} holds what is no number: {error}", way) from None
    return found


def damaged(path: Path, fault: str, way: str) -> HandbookError:
    """The error for a file that is not as we write it."""
    return HandbookError(f"{path} cannot be used: {fault}.\n{way}")


def _absence(path: Path) -> str:
    return f"it is a link to {path.readlink()}, which is not there" if path.is_symlink() else "it is missing"


def _named(value: Any) -> str:
    shown = NAMES.get(type(value), "null" if value is None else type(value).__name__)
    return shown if isinstance(value, dict | list) else f"{shown}: {str(value)[:40]!r}" if value is not None else shown

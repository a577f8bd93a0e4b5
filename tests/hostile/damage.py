"""Damage to files: of any bytes, of text, of tables, and of what JSON and YAML hold. All of it follows from a seed."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

Damaged = tuple[str, bytes]  # what was done, and what became of it
CONFLICT = b"<<<<<<< HEAD\n%b=======\n%b>>>>>>> other\n"
NUMBERS = (-1, 0, 2**63, 10**400, 1e308, -0.0, 0.5, float("nan"), float("inf"))
WORDS = (
    "",
    " ",
    "nan",
    "None",
    "../../etc/passwd",
    "\x00",
    "\x1b[2J",
    "é",
    "\ud83d\ude00",
    "a" * 5000,
    "=1+1",
    "{{7*7}}",
)


def any_bytes(content: bytes, rng: random.Random) -> Damaged:
    """Damage that needs no knowledge of what the bytes are."""
    n = len(content)
    at, to = sorted((rng.randrange(n + 1), rng.randrange(n + 1)))
    kinds: dict[str, Callable[[], bytes]] = {
        "cut off": lambda: content[: rng.randrange(n) if n else 0],
        "its beginning lost": lambda: content[at:] if at else content[1:],
        "a bit flipped": lambda: flipped(content, rng, 1),
        "nine bits flipped": lambda: flipped(content, rng, 9),
        "a stretch of zeros": lambda: content[:at] + bytes(to - at) + content[to:],
        "a stretch taken out": lambda: content[:at] + content[to:],
        "a stretch twice": lambda: content[:to] + content[at:],
        "bytes put in": lambda: content[:at] + rng.randbytes(rng.randrange(1, 40)) + content[at:],
        "all of it noise": lambda: rng.randbytes(n),
        "empty": lambda: b"",
        "twice": lambda: content + content,
        "halves swapped": lambda: content[n // 2 :] + content[: n // 2],
        "a page of the web": lambda: b"<!DOCTYPE html><title>403 Forbidden</title>",
    }
    kind = rng.choice(list(kinds))
    return kind, kinds[kind]()


def flipped(content: bytes, rng: random.Random, times: int) -> bytes:
    changed = bytearray(content)
    for _ in range(times if content else 0):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def text(content: bytes, rng: random.Random) -> Damaged:
    """Damage of texts: other encodings, other line ends, a merge that was given up."""
    plain = content.decode("utf-8", "replace")
    lines = content.splitlines(keepends=True) or [b""]
    k = rng.randrange(len(lines))
    kinds: dict[str, Callable[[], bytes]] = {
        "UTF-16": lambda: plain.encode("utf-16"),
        "UTF-16 without a mark": lambda: plain.encode("utf-16-le"),
        "UTF-32": lambda: plain.encode("utf-32"),
        "a byte order mark": lambda: b"\xef\xbb\xbf" + content,
        "Latin-1": lambda: content[: len(content) // 2] + b"caf\xe9" + content[len(content) // 2 :],
        "NUL bytes": lambda: content.replace(b"e", b"\0", 3),
        "Windows' line ends": lambda: content.replace(b"\n", b"\r\n"),
        "old Macs' line ends": lambda: content.replace(b"\n", b"\r"),
        "conflict markers": lambda: b"".join([*lines[:k], CONFLICT % (lines[k], lines[k]), *lines[k + 1 :]]),
        "a line lost": lambda: b"".join([*lines[:k], *lines[k + 1 :]]),
        "a line twice": lambda: b"".join([*lines[: k + 1], *lines[k:]]),
        "lines in another order": lambda: b"".join(rng.sample(lines, len(lines))),
        "one endless line": lambda: b"x" * (2 << 20),
        "brackets without end": lambda: rng.choice([b"[", b'{"a":', b"- "]) * 100_000,
    }
    kind = rng.choice(list(kinds))
    return kind, kinds[kind]()


def value(rng: random.Random) -> Any:
    """Something of another kind than is expected."""
    deep: Any = 0
    for _ in range(rng.randrange(1, 60)):
        deep = [deep]
    return rng.choice(
        [
            None,
            True,
            False,
            rng.choice(NUMBERS),
            rng.choice(WORDS),
            [],
            {},
            [None],
            {"": None},
            deep,
            [1, "a"],
            {"a": {"b": []}},
        ]
    )


def places(found: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path to every value of a document."""
    keys = found if isinstance(found, dict) else range(len(found)) if isinstance(found, list) else ()
    return [path, *(place for key in keys for place in places(found[key], (*path, key)))]


def shape(document: Any, rng: random.Random) -> tuple[str, Any]:
    """A document of which one value is of another kind, gone, called otherwise, or somewhere else."""
    changed = json.loads(json.dumps(document))
    path = rng.choice(places(changed))
    if not path:
        return "all of it another value", value(rng)
    parent = changed
    for key in path[:-1]:
        parent = parent[key]
    where, last = "/".join(map(str, path)), path[-1]
    kind = rng.choice(["another value", "gone", "another name", "another's value", "a word for a number"])
    if kind == "gone":
        del parent[last]
    elif kind == "another name" and isinstance(parent, dict):
        parent[f"{last}_"] = parent.pop(last)
    elif kind == "another's value":
        other: Any = changed
        for key in rng.choice(places(changed)):
            other = other[key]
        parent[last] = json.loads(json.dumps(other))
    elif kind == "a word for a number":
        parent[last] = str(parent[last])
    else:
        parent[last] = value(rng)
    return f"{where}: {kind}", changed


def json_file(content: bytes, rng: random.Random) -> Damaged:
    """Damage of a JSON file: of its bytes, of its text, or of what it says."""
    kind = rng.randrange(4)
    if kind < 2:
        what, changed = shape(json.loads(content), rng)
        return what, json.dumps(changed, indent=2).encode("utf-8", "surrogatepass")
    return (any_bytes, text)[kind - 2](content, rng)


def yaml_file(content: bytes, rng: random.Random) -> Damaged:
    """The same of a YAML file."""
    import yaml

    if rng.randrange(4) < 3:
        what, changed = shape(yaml.load(content, Loader=yaml.CSafeLoader), rng)
        return what, yaml.safe_dump(changed, sort_keys=False).encode("utf-8", "surrogatepass")
    return rng.choice([any_bytes, text, _yamls_own])(content, rng)


def _yamls_own(content: bytes, rng: random.Random) -> Damaged:
    kinds = {
        "a tab": b"cases:\n\t- a\n",
        "an unknown tag": b"!!python/object/apply:os.system ['true']\n",
        "an alias to nothing": b"cases: *nobody\n",
        "an alias to itself": b"cases: &a [*a]\n",
        "a day that is none": b"cases: {a: 2026-02-31}\n",
        "two documents": content + b"\n---\n" + content,
        "a key of a list": b"? [a, b]\n: c\n",
        "a number as a key": b"1: 2\ncases: {3: 4}\n",
        "null": b"null\n",
    }
    kind = rng.choice(list(kinds))
    return kind, kinds[kind]


def table(content: bytes, rng: random.Random, mark: str = ",") -> Damaged:
    """Damage of a CSV: cells, columns, separators, quotes."""
    if rng.randrange(3) == 0:
        return rng.choice([any_bytes, text])(content, rng)
    rows = [line.split(mark) for line in content.decode().splitlines()]
    k, c = rng.randrange(len(rows)), rng.randrange(len(rows[0]))
    cell = rng.choice(
        [*WORDS, *map(str, NUMBERS), '"', '"open', 'a"b', "1,5", "1.000", "0x1f", "1e5", "١", "TRUE", "'"]
    )
    other = rng.choice([",", ";", "\t", "|", " ", ":"])

    def column(change: Callable[[list[str]], list[str]]) -> list[list[str]]:
        return [change(row) for row in rows]

    kinds: dict[str, Callable[[], list[list[str]]]] = {
        f"cell {k}, {c} {cell[:20]!r}": lambda: [
            [*row[:c], cell, *row[c + 1 :]] if n == k else row for n, row in enumerate(rows)
        ],
        "a column gone": lambda: column(lambda row: row[:c] + row[c + 1 :]),
        "a column twice": lambda: column(lambda row: [*row, row[c]]),
        "columns turned": lambda: column(lambda row: row[::-1]),
        "a cell too many": lambda: [[*row, "more"] if n == k else row for n, row in enumerate(rows)],
        "a cell too few": lambda: [row[:-1] if n == k else row for n, row in enumerate(rows)],
        "no rows": lambda: rows[:1],
        "no header": lambda: rows[1:],
        "the header again": lambda: [*rows[:k], rows[0], *rows[k:]],
        "a column of one cell": lambda: [rows[0], *([*row[:c], cell, *row[c + 1 :]] for row in rows[1:])],
        "another name": lambda: [[*rows[0][:c], cell, *rows[0][c + 1 :]], *rows[1:]],
    }
    kind = rng.choice([*kinds, "another separator", "Excel's first line"])
    if kind in kinds:
        return kind, "\n".join(mark.join(row) for row in kinds[kind]()).encode("utf-8", "surrogatepass") + b"\n"
    return kind, content.replace(
        mark.encode(), other.encode()
    ) if kind == "another separator" else b"sep=" + other.encode() + b"\n" + content

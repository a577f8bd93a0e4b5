"""Laws of words: docs/words.yaml lists what stops a reader and its plain successor; none of it is written anywhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
WORDS: dict[str, dict[str, str]] = yaml.safe_load((ROOT / "docs" / "words.yaml").read_text(encoding="utf-8"))
HISTORY = ("CHANGELOG.md", "docs/decisions")
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
TOKEN = re.compile(
    r"""(?s)(?:'{3}|"{3}).*?(?:'{3}|"{3})|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\#[^\n]*|[A-Za-z_]\w*"""
)


def pages(root: Path) -> list[Path]:
    """What people read: code, tests, the report's template, documentation; without history and without this file."""
    found = [*root.glob("*.md"), *root.glob("*.yaml"), root / "Makefile", *(root / "docs").rglob("*.md")]
    for folder in ("src", "flows", "benchmarks", "tests"):
        found += [path for path in (root / folder).rglob("*") if path.suffix in (".py", ".j2", ".md")]
    left_out = (*HISTORY, "tests/test_words.py")
    return [path for path in sorted(found) if not str(path.relative_to(root)).startswith(left_out)]


def words(text: str) -> list[str]:
    """The words of a text or a name in lower case: `training_data`, `TrainingData` and "training data" are the same."""
    return [word.lower() for word in WORD.findall(text)]


def listed_in(text: str, listed: dict[str, str]) -> dict[str, str]:
    """The listed words and phrases that a text contains, with their successors."""
    sought, lower = {old: " ".join(words(old)) for old in listed}, text.lower()
    if not any(phrase.split()[0] in lower for phrase in sought.values()):
        return {}
    found = f" {' '.join(words(text))} "
    return {old: listed[old] for old, phrase in sought.items() if f" {phrase} " in found}


def names(code: str) -> str:
    """The names in a program, those in the braces of strings too; a test's own name is a sentence and left out."""
    tokens = TOKEN.findall(code)
    inside = [each for token in tokens if token[0] in "'\"" for each in re.findall(r"\{([a-z_]\w*)\b", token)]
    return " ".join([*(t for t in tokens if t[0] not in "'\"#" and not t.startswith("test_")), *inside])


def faults(path: Path) -> dict[str, str]:
    text = path.read_text(encoding="utf-8")
    found = listed_in(text, WORDS["everywhere"])
    return found | listed_in(names(text), WORDS["names"]) if path.suffix == ".py" else found


def test_no_word_of_the_list_is_written() -> None:
    found = {str(path.relative_to(ROOT)): listed for path in pages(ROOT) if (listed := faults(path))}
    assert not found, "".join(
        f"\n{path}: {old!r} -> {new}" for path, each in found.items() for old, new in each.items()
    )


@pytest.mark.parametrize("name", ["told", "as_told", "TOLD", "ToldApart", "_told", "told: once"])
def test_a_word_is_found_in_every_kind_of_name(name: str) -> None:
    assert listed_in(name, WORDS["everywhere"])
    assert not listed_in("retold", WORDS["everywhere"])


def test_a_name_in_braces_counts_and_a_sentence_does_not() -> None:
    assert listed_in(names('f"{made:.2f} of them"'), WORDS["names"])
    assert not listed_in(names('"what is made of it"  # and made\ndef test_what_is_made(): ...'), WORDS["names"])


def test_every_word_has_a_successor_that_is_not_on_the_list() -> None:
    for old, new in (WORDS["everywhere"] | WORDS["names"]).items():
        assert new.strip(), old
        assert not listed_in(new.replace("told apart", ""), WORDS["everywhere"]), old

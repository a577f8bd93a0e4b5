"""What holds for every hostile input: no traceback, nothing wrong believed, and a refusal that helps."""

from __future__ import annotations

import contextlib
import io
import re
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from handbook.errors import HandbookError, from_system
from handbook.serving.limits import RefusalError

# A refusal says what is expected or found, or what was done to what, and a way out: a command, or a word that asks.
FAULTS = """expected found missing damaged cannot not no empty unknown lack without broke changed new neither twice
times more beyond again never too must most end out
taken"""
WAYS = """bring make mend choose name save write put keep take remove move send see check fetch give leave try train
register rename convert call ask compare fill crop draw add set expected dvc handbook git cp iconv need only"""
FAULT, WAY = (
    re.compile(rf"\b({'|'.join(words.split())})(s|es|ed|d|ing|ly)?\b", re.IGNORECASE) for words in (FAULTS, WAYS)
)


@dataclass(frozen=True)
class Attack:
    """One hostile input: of which family, what was done, and how it is brought to the product.

    `bring` returns what was wrongly believed, "" for nothing. A refusal must name `where`.
    """

    family: str
    what: str
    bring: Callable[[], str]
    where: str = ""
    way: bool = True  # whether its refusals must say what to do; what one of many inputs is refused for needs not


@dataclass(frozen=True)
class Verdict:
    """What became of an attack: refused or answered, or what is wrong with how it was met."""

    attack: Attack
    fault: str = ""
    refused: str = ""  # what was said


def met(attack: Attack) -> Verdict:
    """Bring an attack, and judge what comes of it."""
    heard = io.StringIO()
    try:
        with contextlib.redirect_stdout(heard), contextlib.redirect_stderr(heard), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            believed = attack.bring()
    except (HandbookError, RefusalError) as refusal:
        said = str(refusal)
        return Verdict(attack, lacking(said, attack), said)
    except Exception as error:
        if system := from_system(error):
            return Verdict(attack, lacking(str(system), attack), str(system))
        return Verdict(attack, f"traceback: {type(error).__name__} {place_of(error)}: {str(error)[:100]!r}")
    if "Traceback (most recent call last)" in heard.getvalue():
        return Verdict(attack, "traceback: printed")
    return Verdict(attack, f"believed: {believed}" if believed else "")


def lacking(said: str, attack: Attack) -> str:
    """What a refusal lacks."""
    if "Traceback" in said or "\x1b" in said:
        return f"refusal with a traceback or an escape: {said[:80]!r}"
    lacks = [
        what
        for what, there in (
            ("where", not attack.where or attack.where in said),
            ("what is wrong", FAULT.search(said) is not None),
            ("what to do", not attack.way or WAY.search(said) is not None),
        )
        if not there
    ]
    return f"refusal without {', '.join(lacks)}: {said[:200]!r}" if lacks else ""


def place_of(error: BaseException) -> str:
    """The last line of this package that an error went through."""
    ours = [each for each in traceback.extract_tb(error.__traceback__) if "/src/handbook/" in each.filename]
    last = ours[-1] if ours else traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}:{last.lineno}"


def account(attacks: Iterable[Attack]) -> tuple[Counter[str], Counter[str], list[Verdict]]:
    """How many attacks there were of each family, how many of them were refused, and what was met wrongly."""
    brought: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    wrong = []
    for attack in attacks:
        verdict = met(attack)
        brought[attack.family] += 1
        refused[attack.family] += bool(verdict.refused)
        if verdict.fault:
            wrong.append(verdict)
    return brought, refused, wrong


def listed(wrong: list[Verdict]) -> str:
    """Each kind of fault once, with how often it came and what brought it."""
    kinds: dict[tuple[str, str], list[Verdict]] = {}
    for each in wrong:
        kinds.setdefault(
            (each.attack.family, each.fault.partition(": ")[0] + each.fault.partition(": ")[2][:45]), []
        ).append(each)
    return "\n".join(
        f"{len(group):4} x {family}: {group[0].fault}\n         by {group[0].attack.what}"
        for (family, _), group in sorted(kinds.items(), key=lambda each: -len(each[1]))
    )

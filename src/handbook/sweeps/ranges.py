"""What a sweep may try: the ranges under `sweeps:` in params.yaml, checked against the page's Params."""

from __future__ import annotations

import json
import math
import types
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handbook.errors import HandbookError, unknown
from handbook.project import Case, Project, checked

if TYPE_CHECKING:
    import optuna


# They say which rows are learnt from and which are judged by, or are luck: scores would not compare, or mean nothing.
NEVER = ("seed", "split_seed", "test_share", "validation_share", "held_out", "held_out_game")
TRIALS = 20  # where a block says nothing
DIGITS = 3  # of a fraction that is tried, so that params.yaml stays readable


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; whole ones for a parameter of whole numbers."""

    name: str
    low: float
    high: float
    log: bool
    whole: bool

    def suggest(self, trial: optuna.trial.BaseTrial) -> int | float:
        if self.whole:
            return trial.suggest_int(self.name, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(self.name, self.low, self.high, log=self.log)

    def value(self, suggested: Any) -> int | float:
        """What is tried for a suggestion: a fraction is rounded, and stays within its bounds."""
        if self.whole:
            return int(suggested)
        return min(max(float(f"{suggested:.{DIGITS}g}"), self.low), self.high)

    def suggestion(self, value: Any) -> Any:
        """The inverse of `value`; HandbookError if the value is out of bounds."""
        if value is None or not self.low <= value <= self.high:
            raise HandbookError(f"{value!r} is today's value, and not between {self.low:g} and {self.high:g}")
        return value


@dataclass(frozen=True)
class Choices:
    """A list of values to choose from."""

    name: str
    values: tuple[Any, ...]

    def suggest(self, trial: optuna.trial.BaseTrial) -> str:
        return str(trial.suggest_categorical(self.name, [json.dumps(value) for value in self.values]))

    def value(self, suggested: Any) -> Any:
        """What is tried for a suggestion: Optuna keeps choices as text, for its database knows no lists."""
        parsed = json.loads(suggested)
        return tuple(parsed) if isinstance(parsed, list) else parsed

    def suggestion(self, value: Any) -> str:
        """The inverse of `value`; HandbookError if the value is not among the choices."""
        if value not in self.values:
            raise HandbookError(f"{value!r} is today's value, and not among the choices")
        return json.dumps(value)


@dataclass(frozen=True)
class Plan:
    """A block of `sweeps:`."""

    trials: int
    ranges: tuple[Range | Choices, ...]

    def suggest(self, trial: optuna.trial.BaseTrial) -> dict[str, Any]:
        """One value for each parameter, as the trial's sampler has it."""
        return self.settings({each.name: each.suggest(trial) for each in self.ranges})

    def settings(self, suggested: dict[str, Any]) -> dict[str, Any]:
        """The values that Optuna's parameters stand for."""
        return {each.name: each.value(suggested[each.name]) for each in self.ranges}

    def suggestions(self, params: Any) -> dict[str, Any]:
        """Optuna's parameters for the values that Params hold."""
        return {each.name: each.suggestion(getattr(params, each.name)) for each in self.ranges}


def plan(project: Project, case: Case) -> Plan:
    """The case's block under `sweeps:`.

    Raises HandbookError for a case without one, and for a parameter, key, type or bound that is wrong.
    """
    blocks = project.numbers().get("sweeps") or {}
    where = f"params.yaml, sweeps.{case.name}"
    if not isinstance(blocks, dict):
        raise HandbookError(f"params.yaml, sweeps: expected a mapping of cases, found {type(blocks).__name__}")
    if case.name not in blocks:
        raise HandbookError(
            f"{where}: no ranges. Say what may be tried, such as\n"
            f"  sweeps:\n    {case.name}:\n      trials: {TRIALS}\n      PARAMETER: [low, high]"
        )
    block = dict(blocks[case.name]) if isinstance(blocks[case.name], dict) else {}
    trials = checked_trials(block.pop("trials", TRIALS), f"{where}.trials")
    if not block:
        raise HandbookError(f"{where}: expected `PARAMETER: [low, high]`, found {blocks[case.name]!r}")
    return Plan(trials, tuple(_range(case, name, block[name], f"{where}.{name}") for name in block))


def checked_trials(number: Any, where: str) -> int:
    """A whole number from 1 up."""
    if type(number) is not int or number < 1:
        raise HandbookError(f"{where}: expected a number of trials from 1 up, found {number!r}")
    return number


def _range(case: Case, name: str, stated: Any, where: str) -> Range | Choices:
    hints = typing.get_type_hints(case.page.Params)
    if name not in hints:
        raise HandbookError(f"{where}: {unknown('parameter', name, hints)}")
    if name in NEVER:
        raise HandbookError(
            f"{where}: {name} decides which rows train and which judge, so the scores of trials could not be compared"
        )
    parsed = (
        _choices(name, stated, hints[name], where) if _lists(stated) else _numbers(name, stated, hints[name], where)
    )
    try:
        parsed.suggestion(getattr(case.params, name))
    except HandbookError as outside:
        raise HandbookError(f"{where}: {outside}. Include it: a sweep starts from today's value") from None
    return parsed


def _lists(stated: Any) -> bool:
    return isinstance(stated, dict) and "choices" in stated


def _choices(name: str, stated: dict[str, Any], hint: Any, where: str) -> Choices:
    _only(stated, ("choices",), where)
    values = stated["choices"]
    if not isinstance(values, list) or len(values) < 2:
        raise HandbookError(f"{where}: expected two choices or more in a list, found {values!r}")
    return Choices(name, tuple(checked(value, hint, f"{where}.choices") for value in values))


def _numbers(name: str, stated: Any, hint: Any, where: str) -> Range:
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    whole = int in kinds
    if not whole and float not in kinds:
        raise HandbookError(f"{where}: {name} is no number; list what may be tried as {{choices: [...]}}")
    if isinstance(stated, list):
        stated = dict(zip(("low", "high"), stated, strict=False)) if len(stated) == 2 else {}
    if not isinstance(stated, dict) or not {"low", "high"} <= set(stated):
        raise HandbookError(f"{where}: expected [low, high], {{low, high, log}} or {{choices}}")
    _only(stated, ("low", "high", "log"), where)
    low, high = (checked(stated[side], int if whole else float, f"{where}.{side}") for side in ("low", "high"))
    log = checked(stated.get("log", False), bool, f"{where}.log")
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise HandbookError(f"{where}: low must be below high, found {low} and {high}")
    if log and low <= 0:
        raise HandbookError(f"{where}: a logarithmic range begins above 0, found {low}")
    return Range(name, low, high, log, whole)


def _only(stated: dict[str, Any], keys: tuple[str, ...], where: str) -> None:
    for key in stated:
        if key not in keys:
            raise HandbookError(f"{where}: {unknown('key', str(key), keys)}")

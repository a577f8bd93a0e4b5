"""A setting: what the book prints of a recipe, what our block of it has, and why, where the two are not the same.

Ours is read from the block's parameters and from the networks that they make, never written down. The judgement is, and
a test a row holds it against the value, on this preset's parameters and on those of `preset: book`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from handbook.claims.claim import Value, agrees, written

Verdict = Literal["the same", "the same in full", "another"]
OUTCOMES: tuple[Verdict, ...] = ("the same", "the same in full", "another")
Params = Any  # of the case's page


@dataclass(frozen=True)
class Setting:
    """A line of the table; `in full` is what `preset: book` has."""

    section: str
    case: str
    what: str
    printed: str
    ours: Callable[[Params], Value]
    verdict: Verdict = "the same"
    reason: str = ""  # of what is not the same

    def judged(self, params: Params, full: Params) -> Verdict:
        """The judgement that the values ask for, on the parameters in effect and on those of the recipe in full."""
        if agrees(self.printed, self.ours(params)):
            return "the same"
        return "the same in full" if agrees(self.printed, self.ours(full)) else "another"

    def shown(self, params: Params) -> str:
        """Ours, in the manner of what is printed."""
        return written(self.printed, self.ours(params))

    def why(self, params: Params, full: Params) -> str:
        """The judgement and its reason, as the tables show them: nothing is shortened where all of it runs."""
        verdict = self.judged(params, full)
        return "the same" if verdict == "the same" else f"{verdict}: {self.reason}"

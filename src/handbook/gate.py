"""The gate between challenger and champion: whether a model that was just registered may take the champion's place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handbook.project import Case


@dataclass(frozen=True)
class Verdict:
    """What the gate says, and whether the challenger becomes champion."""

    text: str
    passed: bool = False


def verdict(case: Case, challenger: Mapping[str, Any], champion: Mapping[str, Any] | None) -> Verdict:
    """Hold a challenger's metrics against its baseline, and against the champion's where there is a champion.

    What was made from samples never takes the place of what was made from real data.
    """
    primary = case.page.PRIMARY
    score, baseline = challenger[primary], challenger["baseline"][primary]
    refused = "does not pass the gate"
    if not better(case, score, baseline):
        return Verdict(f"{refused}: {primary} {score:.4f}, the trivial baseline has {baseline:.4f}")
    if champion:
        if (champion["data"], challenger["data"]) == ("real", "sample"):
            return Verdict(f"{refused}: it was made from sample data, the champion from real data")
        if champion["data"] == challenger["data"] and better(case, champion[primary], score):
            return Verdict(f"{refused}: {primary} {score:.4f}, the champion has {champion[primary]:.4f}")
    return Verdict(f"passes the gate and is champion ({primary} {score:.4f})", passed=True)


def better(case: Case, one: float, other: float) -> bool:
    """Whether one value of the page's primary metric is better than another; `LOWER_IS_BETTER` turns it round."""
    return one < other if getattr(case.page, "LOWER_IS_BETTER", False) else one > other

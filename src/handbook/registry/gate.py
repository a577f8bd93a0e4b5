"""The gate between challenger and champion: whether a model that was just registered may take the champion's place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from handbook import contract, datasets
from handbook.data.provenance import forms
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
        if _of_less(case, champion, challenger):
            forms = f"of the data it was made from the {challenger['form']}, the champion from the {champion['form']}"
            return Verdict(f"{refused}: {forms}")
        if _alike(champion, challenger) and better(case, champion[primary], score):
            return Verdict(f"{refused}: {primary} {score:.4f}, the champion has {champion[primary]:.4f}")
    return Verdict(f"passes the gate and is champion ({primary} {score:.4f})", passed=True)


def _alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two models were judged by the same rows: data of one kind and, as far as it is known, of one form."""
    known = [metrics["form"] for metrics in (one, other) if "form" in metrics]
    return bool(one["data"] == other["data"] and len({*known}) < 2)


def _of_less(case: Case, champion: Mapping[str, Any], challenger: Mapping[str, Any]) -> bool:
    """Whether the challenger was made from a worse form of real data than the champion was."""
    if "form" not in champion or "form" not in challenger:
        return False
    best_first = list(forms(datasets.page(case.dataset)))
    ranks = [best_first.index(each["form"]) for each in (champion, challenger) if each["form"] in best_first]
    return len(ranks) == 2 and ranks[0] < ranks[1]


def better(case: Case, one: float, other: float) -> bool:
    """Whether one value of the page's primary metric is better than another; `LOWER_IS_BETTER` turns it round."""
    return one < other if contract.case(case.page).lower_is_better else one > other

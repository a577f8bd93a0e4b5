"""What the numbers of params.yaml may be: a range for each name, the same in every block, and what the rows allow.

A page's `Params` refuses what its own formulas cannot take. What no page can take stands here: by name, since the same
name means the same in all of them. Whoever changes a range trains nothing again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
import typing
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from handbook.errors import HandbookError

VALUE_METRICS = ("r2",)  # what judges pages whose target is a value; all others of tables need classes


@dataclass(frozen=True)
class Range:
    """From `low` to `high`, both taken; `above`: the low end itself is not, `below`: the high end is not."""

    low: float
    high: float
    above: bool = False
    below: bool = False

    def holds(self, value: float) -> bool:
        """Whether a number lies in it; what is not finite lies nowhere."""
        if isinstance(value, float) and not math.isfinite(value):
            return False
        low = value > self.low if self.above else value >= self.low
        return low and (value < self.high if self.below else value <= self.high)

    def __str__(self) -> str:
        low, high = f"{self.low:,g}", f"{self.high:,.0f}" if self.high > 1 else f"{self.high:g}"
        first = f"above {low} and" if self.above else f"{low} to"
        last = f"below {high}" if self.below else f"up to {high}" if self.above else high
        return f"{first} {last}"


SEED = Range(0, 2**32 - 1)  # what NumPy and scikit-learn take
COUNT, FROM_ZERO, FROM_TWO = Range(1, 10**7), Range(0, 10**7), Range(2, 10**7)
WIDTH = Range(1, 2**16)  # units, channels: a layer of more fits no memory
RATE = Range(0, 100, above=True)
SHARE, PART, DECAY = Range(0, 1, below=True), Range(0, 1, above=True), Range(0, 1, below=True)
WEIGHT = Range(0, 10**6)

RANGES: dict[str, Range] = {
    **dict.fromkeys(("seed", "split_seed"), SEED),
    **dict.fromkeys(
        (
            "epochs", "batch_size", "steps", "critic_steps", "window", "context", "max_iter", "n_iter_no_change",
            "n_components", "min_samples_leaf", "n_estimators", "forest_trees", "slow_rows", "n_neighbors",
            "ablation_epochs", "ablation_samples", "ablation_judges", "ablation_seeds", "least_rows", "pieces",
        ),
        COUNT,
    ),
    **dict.fromkeys(
        (
            "hidden", "hidden_size", "widths", "ablation_widths", "latent", "n_features", "layers", "blocks",
            "heads", "members", "grid_rows", "grid_columns",
        ),
        WIDTH,
    ),
    **dict.fromkeys(("embedding", "neighbours", "plain_epochs", "patience", "erase", "shift", "warm_up"), FROM_ZERO),
    **dict.fromkeys(("iterations", "sheet_every", "modes"), FROM_ZERO),
    **dict.fromkeys(("n_folds", "inner_folds"), Range(2, 1000)),
    "max_leaf_nodes": FROM_TWO,
    **dict.fromkeys(("learning_rate", "generator_rate", "discriminator_rate"), RATE),
    "least_rate": Range(0, 100),  # where a rate ends, which may be at nothing
    **dict.fromkeys(
        ("dropout", "input_dropout", "validation_share", "held_out", "trim", "label_smoothing", "white"), SHARE
    ),
    "test_share": Range(0, 1, above=True, below=True),
    **dict.fromkeys(("share", "called"), Range(0, 1, above=True, below=True)),
    **dict.fromkeys(("window_share", "max_features", "shares"), PART),
    **dict.fromkeys(("momentum", "betas", "beta2", "averaging"), DECAY),
    **dict.fromkeys(
        (
            "weight_decay", "clip", "alpha", "gradient_penalty", "l2_regularization", "word_weight", "date_weight",
            "duration_weight", "false_negative", "false_positive",
        ),
        WEIGHT,
    ),
    "sigma": Range(0, 2**16, above=True),
    "width": Range(0, 2**16, above=True),  # channels, or the deviation of a bump
    "threshold": Range(0, 1),
    "moved": SHARE,
    "fall": Range(0, 1),
    "settle": Range(0, 3600),
}  # fmt: skip


def refuse(params: Any, where: str) -> None:
    """HandbookError for the first number of Params that lies out of its range: its place, the range, the number."""
    for field in dataclasses.fields(params):
        value = getattr(params, field.name)
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, bool) or not isinstance(each, int | float):
                continue
            allowed = RANGES.get(field.name)
            if allowed is None and isinstance(each, float) and not math.isfinite(each):
                raise HandbookError(f"{where}.{field.name}: expected a number, found {each}")
            if allowed is not None and not allowed.holds(each):
                raise HandbookError(f"{where}.{field.name}: expected {allowed}, found {str(each)[:40]}")


def refuse_data(page: ModuleType, dataset: str, data: Any, where: str) -> None:
    """HandbookError for data of another kind than a page's `split` is written for, or without the classes it needs."""
    wanted = None
    with contextlib.suppress(NameError):  # a kind that the page names for type checkers only
        wanted = typing.get_type_hints(page.split).get("data")
    name = page.__name__.rsplit(".", 1)[1]
    if isinstance(wanted, type) and not isinstance(data, wanted):
        raise HandbookError(
            f"{where}: page {name} takes {wanted.__name__}, and dataset {dataset} holds {type(data).__name__}. "
            f"Choose another `dataset:` or another `page:`"
        )
    classes = getattr(data, "classes", None)
    if classes is not None and bool(classes) == (page.PRIMARY in VALUE_METRICS):
        found = f"{len(classes)} classes" if classes else "values, and no classes"
        needed = "values" if classes else "classes"
        raise HandbookError(f"{where}: page {name} predicts {needed}, and the target of dataset {dataset} has {found}")


def refuse_rows(params: Any, rows: int, where: str) -> None:
    """HandbookError where folds, neighbours or centres are more than the rows there are to learn from."""
    for name in ("n_folds", "inner_folds", "n_neighbors", "n_components"):
        value = getattr(params, name, None)
        largest = max(value, default=0) if isinstance(value, tuple) else value
        if isinstance(largest, int) and largest > rows:
            raise HandbookError(
                f"{where}.{name}: expected at most {rows:,}, the rows there are to learn from, found {largest:,}"
            )

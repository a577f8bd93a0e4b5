"""How long the book's chapters 5 and 6 take in full, `preset: book`, on one thread or on the accelerator there is.

Of each recipe that is shortened on a laptop a part is run with the settings of the whole, its batches and its widths,
and the time of a step is multiplied by the steps there are. The first stretch warms up and is not counted. On a
processor it is the processor's own time, which does not mind what else runs; on an accelerator, the clock's. Judging,
which is the same for a shortened recipe, is not in it.
"""

from __future__ import annotations

import dataclasses
import math
import time
from typing import Any

import torch

from handbook import datasets
from handbook.contract import Split
from handbook.project import RECIPE, Case, Project
from handbook.steps.report.table import shortened
from handbook.training.run import Run

STEPS = {"cpu": 3, "cuda": 100}  # of each of the two stretches that are run


def run() -> list[str]:
    """The table, a line a recipe, and what all of them take."""
    torch.set_num_threads(1)
    project = Project.here()
    rows = []
    for name in (each for each in project.cases() if each.endswith(RECIPE) and shortened(project, each)):
        case = project.case(name, preset="book")
        split = case.split(datasets.page(case.dataset).load(project.data(case.dataset)))
        steps, seconds = case.params.epochs * batches(case.params, split), a_step(case, split)
        rows.append((name, shortened(project, name), steps, seconds, steps * seconds / 3600))
    return [
        "| recipe | on a laptop | steps in full | seconds a step | hours in full |",
        "|---|---|---:|---:|---:|",
        *(f"| `{name}` | {less} | {steps:,} | {each:.3f} | {hours:.2f} |" for name, less, steps, each, hours in rows),
        f"| all | | | | **{sum(row[-1] for row in rows):.1f}** |",
    ]


def batches(params: Any, split: Split[Any]) -> int:
    """Steps in an epoch in full."""
    if hasattr(params, "steps"):
        return int(min(params.steps, len(split.train) // params.batch_size))
    windows, together = (len(split.train) - params.window) * params.window_share, int(params.batch_size)
    return math.ceil(float(windows) / together)


def a_step(case: Case, split: Split[Any]) -> float:
    """Seconds of a step, from the second of two stretches."""
    accelerated = torch.cuda.is_available()
    number, clock = (STEPS["cuda"], time.perf_counter) if accelerated else (STEPS["cpu"], time.process_time)
    number = min(number, batches(case.params, split))
    short = {"steps": number} if hasattr(case.params, "steps") else {}
    share = {} if short else {"window_share": number * case.params.batch_size / (len(split.train) - case.params.window)}
    ends: list[float] = []
    params = dataclasses.replace(case.params, epochs=2, **short, **share)
    model = case.page.fit(split, params, Run(tell=lambda _: ends.append(clock())))
    taken = model.training_["samples"] / params.batch_size
    return float((ends[1] - ends[0]) / math.ceil(taken))

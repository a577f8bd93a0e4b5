"""What it brings that a training keeps the memory that it has freed (`handbook.startup.memory`), case by case.

A short stretch of a case's training on real data, in a process of its own each time: once as every training is, *kept*,
once as glibc's allocator does it by itself, *given back*; in turn and in the order turned round each time, three pairs.
Seconds are those of the training loop, their ratios the median of the pairs' and the spread; pages are what the system
handed out, 4 KiB each, during the whole of `fit`; MiB are the most that a process took.
"""

from __future__ import annotations

import dataclasses
import json
import os
import resource
import statistics
import subprocess
import sys
from dataclasses import dataclass

from handbook import datasets
from handbook.project import Project
from handbook.startup import memory

STRETCHES = {
    "lenet": {"epochs": 2, "plain_epochs": 0},
    "sprites": {"epochs": 1},
    "gan": {"epochs": 1, "steps": 40},
    "char_lstm": {"epochs": 1},
    "shakespeare_transformer": {"epochs": 1, "steps": 100},
}
ROUNDS = int(os.environ.get("HANDBOOK_ROUNDS", "3"))
WAYS = ("kept", "given back")


@dataclass(frozen=True)
class Cost:
    """Seconds of the loop, pages handed out, and the most memory of the process in MiB."""

    seconds: float
    pages: int
    most: int


def stretch(name: str, way: str) -> Cost:
    """What a case's stretch costs in this process."""
    if way == "kept":
        memory.keep_freed()
    project = Project.here()
    case = project.case(name)
    split = case.split(datasets.page(case.dataset).load(project.data(case.dataset)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    model = case.page.fit(split, dataclasses.replace(case.params, **STRETCHES[name]))
    after = resource.getrusage(resource.RUSAGE_SELF)
    return Cost(model.training_["seconds"], after.ru_minflt - before, after.ru_maxrss // 1024)


def apart(name: str, way: str) -> Cost:
    """The same in a process of its own, on one thread as every stage is."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory", name, way],
        env=os.environ | {"OMP_NUM_THREADS": "1"}, stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def run() -> list[str]:
    """The table, a line a case."""
    lines = [
        "| case | kept (s) | × given back | lowest – highest | pages kept | given back | MiB kept | given back |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name in STRETCHES:
        costs: dict[str, list[Cost]] = {way: [] for way in WAYS}
        for k in range(ROUNDS):
            for way in WAYS if k % 2 else reversed(WAYS):
                costs[way].append(apart(name, way))
        ratios = [kept.seconds / given.seconds for kept, given in zip(*costs.values(), strict=True)]
        pages = [f"{statistics.median(cost.pages for cost in costs[way]):,.0f}" for way in WAYS]
        most = [f"{max(cost.most for cost in costs[way]):,}" for way in WAYS]
        lines.append(
            f"| {name} | {statistics.median(cost.seconds for cost in costs['kept']):.1f} | "
            f"**{statistics.median(ratios):.2f}** | {min(ratios):.2f} – {max(ratios):.2f} | "
            f"{' | '.join([*pages, *most])} |"
        )
    return lines


if __name__ == "__main__":
    print(json.dumps(dataclasses.asdict(stretch(*sys.argv[1:]))))

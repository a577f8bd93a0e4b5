"""What it brings that a training keeps the memory that it has freed (`handbook.startup.memory`), case by case.

A short stretch of a case's training on real data, in a process of its own each time: once as every training is, *kept*,
once as glibc's allocator does it by itself, *given back*; in turn and in the order turned round each time, three pairs.
Seconds are those of the training loop; pages are what the system handed out, 4 KiB each, during the whole of `fit`.
"""

from __future__ import annotations

import dataclasses
import json
import os
import resource
import statistics
import subprocess
import sys

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


def stretch(name: str, way: str) -> tuple[float, int, int]:
    """Seconds of the loop, pages handed out, and the most memory of the process in MiB."""
    if way == "kept":
        memory.keep_freed()
    project = Project.here()
    case = project.case(name)
    split = case.split(datasets.page(case.dataset).load(project.data(case.dataset)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    model = case.page.fit(split, dataclasses.replace(case.params, **STRETCHES[name]))
    after = resource.getrusage(resource.RUSAGE_SELF)
    return model.training_["seconds"], after.ru_minflt - before, after.ru_maxrss // 1024


def apart(name: str, way: str) -> tuple[float, int, int]:
    """The same in a process of its own, on one thread as every stage is."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.memory", name, way],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, pages, most = json.loads(done.stdout.splitlines()[-1])
    return seconds, pages, most


def run() -> list[str]:
    """The table, a line a case."""
    lines = [
        "| case | kept (s) | × given back, median | lowest – highest | pages kept | pages given back | most memory |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name in STRETCHES:
        found: dict[str, list[tuple[float, int, int]]] = {way: [] for way in WAYS}
        for k in range(ROUNDS):
            for way in WAYS if k % 2 else reversed(WAYS):
                found[way].append(apart(name, way))
        (kept, *_), (given, *_) = ([list(each) for each in zip(*found[way], strict=True)] for way in WAYS)
        ratios = [mine / theirs for mine, theirs in zip(kept, given, strict=True)]
        pages = {way: f"{statistics.median(row[1] for row in found[way]):,.0f}" for way in WAYS}
        most = " / ".join(f"{max(row[2] for row in found[way]):,}" for way in WAYS)
        lines.append(
            f"| {name} | {statistics.median(kept):.1f} | **{statistics.median(ratios):.2f}** | {min(ratios):.2f} – "
            f"{max(ratios):.2f} | {pages['kept']} | {pages['given back']} | {most} MiB |"
        )
    return lines


if __name__ == "__main__":
    print(json.dumps(stretch(*sys.argv[1:])))

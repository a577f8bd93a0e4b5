"""python -m tests.plain_processor FOLDER: every case trained for a moment on the samples in FOLDER, and asked once.

A network makes a step. What has none, and does not know of these switches, is trained once for all cases of a page.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from benchmarks.accelerator import one_step
from handbook import datasets
from handbook.project import Project
from tests.conftest import ROOT, brief, counts_no_epochs


def names() -> list[str]:
    """The cases that are trained here."""
    cases = [Project(ROOT).case(name) for name in Project(ROOT).cases()]
    first = {case.page: case.name for case in reversed(cases)}
    return [case.name for case in cases if not counts_no_epochs(case) or first[case.page] == case.name]


def main(samples: Path) -> None:
    torch.set_num_threads(1)
    print("processor", torch.backends.cpu.get_cpu_capability())
    for name in names():
        case = brief(Project(ROOT).case(name), epochs=1)
        split = case.split(datasets.page(case.dataset).load(samples / case.dataset))
        if not counts_no_epochs(case):
            case, split = one_step(case, split)
        model = case.page.fit(split, case.params)
        inputs = case.example(split)
        print(name, len(case.page.predict(model, inputs)) == len(inputs), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""python -m tests.plain_processor FOLDER: every case trained for a moment on the samples in FOLDER, and asked once."""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from handbook import datasets
from handbook.project import Project
from tests.conftest import ROOT, brief


def main(samples: Path) -> None:
    torch.set_num_threads(1)
    print("processor", torch.backends.cpu.get_cpu_capability())
    for name in Project(ROOT).cases():
        case = brief(Project(ROOT).case(name), epochs=1)
        split = case.split(datasets.page(case.dataset).load(samples / case.dataset))
        model = case.page.fit(split, case.params)
        inputs = case.example(split)
        print(name, len(case.page.predict(model, inputs)) == len(inputs), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

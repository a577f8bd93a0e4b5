"""What the machinery around the computing costs: the share of a whole `dvc repro` that is not training.

The case `digits` is rebuilt from nothing in this checkout, stage by stage: the seconds of the training loop as it
measured itself, of the verb as a process (imports, reading and checking data, writing), and of `dvc repro` around it.
Last, `dvc repro` with nothing to do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

STAGES = ("validate@mnist", "train@digits", "evaluate@digits", "register", "report")


def seconds(*command: str) -> float:
    """Wall-clock seconds of a command that must succeed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", *command], check=True, capture_output=True, env=os.environ | {"PATH": path})
    return time.perf_counter() - start


def run() -> list[str]:
    """The table, a line a stage."""
    lines = ["| stage | the verb alone (s) | through DVC (s) |", "|---|---:|---:|"]
    alone = through = 0.0
    for stage in STAGES:
        verb, _, name = stage.partition("@")
        direct = seconds("handbook", verb, *([name] if name else []))
        by_dvc = seconds("dvc", "repro", "--single-item", "--force", stage)
        alone, through = alone + direct, through + by_dvc
        lines.append(f"| {stage} | {direct:.1f} | {by_dvc:.1f} |")
    training = json.loads(Path("reports/digits/training.json").read_text())["seconds"]
    idle = seconds("dvc", "repro")
    return [
        *lines,
        f"| all | {alone:.1f} | {through:.1f} |",
        "",
        f"The training loop itself: {training:.1f} s. DVC's share of the whole: {1 - alone / through:.0%}. "
        f"`dvc repro` with nothing to do: {idle:.1f} s.",
    ]

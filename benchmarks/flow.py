"""What the flow gains by running stages side by side, and what Prefect itself costs.

A clone of this checkout with sample data, a few cases and nothing made yet: `dvc repro`, one stage after the other,
beside `make flow`'s `python -m flows`, which trains as many at a time as there are cores; each from nothing, and timed
from outside, the start of Prefect's server included. Prefect's own share is the part of the flow in which no DVC is at
work.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

CASES = (
    "classifiers_iris",
    "regressors_diabetes",
    "boosting",
    "rbf",
    "mlp",
    "rbf_book",
    "mlp_before_call",
    "lenet_book",
)
DATASETS = ("fashion_mnist", "bank_marketing", "iris", "diabetes")
# The cache is the checkout's, which the folder of samples lies in.
PRODUCED = ("models", "reports", "mlruns", "dvc.lock", "../.dvc/cache", ".dvc/tmp", ".cache", "gx/uncommitted")


def run() -> list[str]:
    """The table, a line a way."""
    with tempfile.TemporaryDirectory() as folder:
        clone = fresh_clone(Path(folder) / "clone")
        by_dvc = seconds(clone, "dvc", "repro", "-q")
        lines = [
            f"{len(CASES)} cases, {len(stages(clone))} stages.",
            "",
            "| way | from nothing (s) | times `dvc repro` | of it the server's start (s) | Prefect's own share |",
            "|---|---:|---:|---:|---:|",
            f"| `dvc repro` | {by_dvc:.0f} | 1.00 | – | – |",
        ]
        forget(clone)
        started = time.perf_counter()
        own = json.loads(output_of(clone, "benchmarks.flow").splitlines()[-1])
        spent, share = time.perf_counter() - started, 1 - own["busy"] / own["wall"]
        lines.append(f"| `make flow` | {spent:.0f} | {spent / by_dvc:.2f} | {own['server']:.1f} | {share:.1%} |")
        lines += [
            "",
            f"The flow's stages took {own['apart']:.0f} s added up, {own['busy']:.0f} s side by side. They are slower"
            " each than in one `dvc repro`: DVC starts again for every stage, and stages share the cores.",
        ]
    return lines


def fresh_clone(clone: Path) -> Path:
    """A clone with a few cases, sample data, and nothing made."""
    subprocess.run(["git", "clone", "-q", str(Path(__file__).parent.parent), str(clone)], check=True)
    path = clone / "params.yaml"
    numbers = yaml.safe_load(path.read_text())
    numbers["cases"] = {name: numbers["cases"][name] for name in CASES}
    numbers["datasets"] = [*DATASETS]
    numbers["labs"] = ["units"]
    path.write_text(yaml.safe_dump(numbers, sort_keys=False))
    output_of(clone, "handbook", "data", "--source", "sample")
    return clone / ".sample"


def forget(clone: Path) -> None:
    """Take away everything that stages made."""
    for name in PRODUCED:
        path = clone / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def stages(clone: Path) -> list[str]:
    return list(yaml.safe_load((clone / "dvc.lock").read_text())["stages"])


def output_of(clone: Path, *module: str) -> str:
    """What `python -m MODULE` says in the clone; it must succeed."""
    env = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(map(str, (clone / "src", clone, clone.parent))),  # the checkout is around .sample
    }
    done = subprocess.run(
        [sys.executable, "-m", *module], cwd=clone, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(
            f"{' '.join(module)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return done.stdout


def seconds(clone: Path, *module: str) -> float:
    """Wall-clock seconds of a command that must succeed."""
    started = time.perf_counter()
    output_of(clone, *module)
    return time.perf_counter() - started


def inside() -> dict[str, float]:
    """The flow in this process: its seconds; those in which a DVC was at work, and added up; the server's start."""
    from flows import servers, stages

    began = time.perf_counter()
    spans: list[tuple[float, float]] = []
    run_stage = stages._brought

    def timed(*arguments: object) -> object:
        start = time.perf_counter()
        try:
            return run_stage(*arguments)  # type: ignore[arg-type]
        finally:
            spans.append((start, time.perf_counter()))

    stages._brought = timed  # type: ignore[assignment]
    with servers.prefect_api(Path.cwd()) as api:
        os.environ.update(servers.environment(Path.cwd()) | api)
        from flows.__main__ import tell_the_rest
        from flows.everything import everything

        ready = time.perf_counter()
        state: Any = everything(return_state=True)
        ended = time.perf_counter()
        tell_the_rest()
    if not state.is_completed():
        raise RuntimeError(state.message)
    if given_back := [row.stage for row in state.result() if row.state == "Cached"]:
        raise RuntimeError(f"expected every stage to run, found {', '.join(given_back)} in DVC's cache")
    apart = sum(end - start for start, end in spans)
    return {"wall": ended - ready, "busy": covered(spans), "apart": apart, "server": ready - began}


def covered(spans: list[tuple[float, float]]) -> float:
    """The length of the union of intervals."""
    length, end = 0.0, float("-inf")
    for start, stop in sorted(spans):
        length += max(0.0, stop - max(start, end))
        end = max(end, stop)
    return length


if __name__ == "__main__":
    print(json.dumps(inside()))

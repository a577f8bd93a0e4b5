"""Every network under `preset: gpu`, on the accelerator there is, in one call: seconds and figures, case by case.

A process a case, HANDBOOK_JOBS of them at once (by default 4, or as many as there are cores), for one alone leaves an
accelerator half idle: the seconds are of a shared one. What has not ended after HANDBOOK_MINUTES (9.5) is ended, and
its row says how far it came. *a laptop* is the recipe of every build, from reports/, with its seconds on one thread.
*94 %* and *96 %* are the seconds until so many of the held-out training pictures of Fashion-MNIST are named right for
the first time. A case that another one judges is judged by models/JUDGE; where that is not there, the judge is trained
as on a laptop first, which is not counted.

    HANDBOOK_BRIEF=1 python -m benchmarks.accelerator

makes one step of each on whatever there is and has a few inputs answered: a trial that all of it would run.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from handbook.contract import Split
from handbook.data.images import Pictures
from handbook.data.sprites import Sprites
from handbook.evaluation.report import Judge
from handbook.project import Case, Project
from handbook.startup.cores import available_cores
from handbook.steps.evaluate import judges
from handbook.steps.given import data_of
from handbook.steps.report.table import NONE, shown
from handbook.training.run import Run

BRIEF = bool(os.environ.get("HANDBOOK_BRIEF"))
JOBS = int(os.environ.get("HANDBOOK_JOBS", min(4, available_cores())))
MINUTES = float(os.environ.get("HANDBOOK_MINUTES", "9.5"))
ACCURACIES = (0.94, 0.96)


def run() -> list[str]:
    """The table, a line a case in the order of params.yaml."""
    project = Project.here()
    with tempfile.TemporaryDirectory() as folder:
        found = _all(longest_first(project), Path(folder), time.monotonic() + 60 * MINUTES)
    return [
        "| case | here | seconds | epochs | a laptop | seconds | 94 % | 96 % |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
        *(_line(project, name, found[name]) for name in networks(project)),
    ]


def networks(project: Project) -> list[str]:
    """The cases that count epochs: all that an accelerator could make faster."""
    return [name for name in project.cases() if hasattr(project.case(name, preset="gpu").params, "epochs")]


def longest_first(project: Project) -> list[str]:
    """By the seconds of a laptop, where they are known, lest one that takes long is begun last."""
    seconds = {name: _recorded(project.reports(name) / "training.json", "seconds") for name in networks(project)}
    return sorted(seconds, key=lambda name: -(seconds[name] or 0.0))


def _all(names: list[str], folder: Path, deadline: float) -> dict[str, dict[str, Any]]:
    """What is known of every case when all have ended, or when the time is up."""
    waiting, running = list(names), dict[str, subprocess.Popen[bytes]]()
    found = {name: {"said": "not begun"} for name in names}
    while (waiting or running) and time.monotonic() < deadline:
        while waiting and len(running) < JOBS:
            name = waiting.pop(0)
            running[name] = _started(name, folder)
        time.sleep(0.2)
        for name in [name for name, process in running.items() if process.poll() is not None]:
            found[name] = known(folder, name, failed=running.pop(name).returncode != 0)
            print(f"  {name}: {found[name]}", flush=True)
    for name, process in running.items():
        process.kill()
        process.wait()
        found[name] = known(folder, name, failed=False)
    return found


def _started(name: str, folder: Path) -> subprocess.Popen[bytes]:
    log, kept = (folder / f"{name}.{kind}" for kind in ("log", "jsonl"))
    with log.open("wb") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", "benchmarks.accelerator", name, str(kept)], stderr=errors, stdout=errors
        )


def known(folder: Path, name: str, failed: bool) -> dict[str, Any]:
    """What a case's process wrote down last; of one that failed, the last line of what it said as well."""
    kept, log = (folder / f"{name}.{kind}" for kind in ("jsonl", "log"))
    lines = kept.read_text(encoding="utf-8").splitlines() if kept.exists() else []
    state: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    if failed:
        said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        state["said"] = said[-1] if said else "it failed without a word"
    return state


def _line(project: Project, name: str, found: dict[str, Any]) -> str:
    params, report = project.case(name, preset="gpu").params, project.reports(name)
    metric = project.case(name).page.PRIMARY
    reached = found.get("reached", {})
    cells = (
        f"**{shown(metric, found['value'])}**" if "value" in found else found.get("said", NONE),
        _whole(found.get("seconds")),
        str(found.get("epochs", 0)) + ("" if "value" in found else f" of {params.epochs}"),
        shown(metric, _recorded(report / "metrics.json", metric)),
        _whole(_recorded(report / "training.json", "seconds")),
        *(_whole(reached.get(str(each))) for each in ACCURACIES),
    )
    return f"| `{name}` | {' | '.join(cells)} |"


def _whole(seconds: float | None) -> str:
    return NONE if seconds is None else f"{seconds:.0f}"


def _recorded(file: Path, key: str) -> float | None:
    """A number of the laptop's build, where that is there."""
    return json.loads(file.read_text(encoding="utf-8")).get(key) if file.exists() else None


def learn(project: Project, name: str, note: Callable[[dict[str, Any]], None]) -> None:
    """Train and judge a case under `preset: gpu`; what is known of it is noted after each epoch, and at the end."""
    case, judge = project.case(name, preset="gpu"), () if BRIEF else _judge(project, name)
    split = case.split(data_of(project, case)[0])
    if BRIEF:
        case, split = one_step(case, split)
    state: dict[str, Any] = {"epochs": 0, "reached": {}}
    start = time.perf_counter()

    def tell(row: dict[str, float]) -> None:
        state.update(epochs=int(row["epoch"]), seconds=time.perf_counter() - start)
        for each in ACCURACIES:
            if case.dataset == "fashion_mnist" and row.get("valid_accuracy", 0.0) >= each:
                state["reached"].setdefault(str(each), state["seconds"])
        note(state)

    model = case.page.fit(split, case.params, Run(tell=tell))
    state["seconds"] = time.perf_counter() - start
    if BRIEF:
        inputs = case.example(split)
        state["said"] = f"{len(case.page.predict(model, inputs))} of {len(inputs)} answered"
    else:
        state["value"] = float(case.page.evaluate(model, split, *judge).metrics[case.page.PRIMARY])
    note(state)


def _judge(project: Project, name: str) -> tuple[Judge, ...]:
    """The model that looks at what a case draws, if one does: the pipeline's, or else one made here."""
    if (judge := project.judge(name)) is None or project.models(judge).exists():
        return judges(project, project.case(name))
    case = project.case(judge)
    return (Judge(case.page, case.page.fit(case.split(data_of(project, case)[0]), case.params)),)


def one_step(case: Case, split: Split[Any]) -> tuple[Case, Split[Any]]:
    """The case with an epoch of one step, or two of pictures; its networks are as they were."""
    params, fewer = case.params, {"epochs": 1}
    if hasattr(params, "steps"):
        fewer["steps"] = 1
    elif hasattr(params, "window_share"):
        fewer["window_share"] = params.batch_size / (len(split.train) - params.window)
    elif isinstance(split.train, Pictures | Sprites):
        two = min(0.9, 2 * params.batch_size / len(split.train))
        split = dataclasses.replace(split, train=split.train.halve(two, params.seed)[1])
    fewer |= {key: 1 for key in ("ablation_epochs", "ablation_seeds") if hasattr(params, key)}
    return dataclasses.replace(case, params=dataclasses.replace(params, **fewer)), split


def main() -> None:
    """The table; or, with the name of a case and a file, what is known of that case, a line each time it changes."""
    if not sys.argv[1:]:
        print(*run(), sep="\n")
        return
    name, kept = sys.argv[1:]
    with Path(kept).open("w", encoding="utf-8") as stream:
        learn(Project.here(), name, lambda state: print(json.dumps(state), file=stream, flush=True))


if __name__ == "__main__":
    main()

"""Train and judge a case again by other seeds: how far its figures hang on the draw.

Each seed goes through the whole of `train` and `evaluate`, in a folder of its own; by the case's own seed the model is
judged that the pipeline has trained, where it is what such a training makes. What has ended is kept there, so a run
that was cut off goes on; `reports/CASE/seeds.json` is written once all have ended, and what it holds of today's code,
parameters and data is not made again. To make all of it again, remove it and `.cache/repeats/CASE`.
"""

from __future__ import annotations

import dataclasses
import math
import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from handbook.errors import HandbookError
from handbook.files import documents, locks
from handbook.files.formats import write_json
from handbook.project import Apart, Case, Project, plain
from handbook.registry import results
from handbook.startup import memory
from handbook.startup.cores import available_cores
from handbook.steps import repeated
from handbook.steps.evaluate import evaluate
from handbook.steps.given import data_of, rounded
from handbook.steps.train import train, training_key, whole

FEWEST, MOST = 2, 100
Scores = dict[str, float]


@dataclass(frozen=True)
class Repetition:
    """A case by one seed, and where what is made of it lies."""

    root: Path
    case: str
    params: dict[str, Any]
    folder: Path
    key: str  # what its training is determined by

    @property
    def seed(self) -> str:
        return str(self.params["seed"])

    @property
    def kept(self) -> Path:
        return self.folder / "scores.json"


def repeat(project: Project, name: str, seeds: int = 5, jobs: int | None = None) -> None:
    """Bring a case to so many seeds, the first its own, `jobs` at once (default: a core each), and write the summary.

    HandbookError for a case that no seed draws, a number of seeds or jobs that cannot be, and while another repetition
    of the case runs.
    """
    if not FEWEST <= seeds <= MOST:
        raise HandbookError(f"--seeds: expected {FEWEST} to {MOST}, found {seeds}")
    if jobs is not None and jobs < 1:
        raise HandbookError(f"--jobs: expected 1 or more, found {jobs}")
    case = project.case(name)
    if "seed" not in plain(case.params):
        raise HandbookError(f"{name} is drawn by no seed: every repetition of it would be the same")
    _, origin = data_of(project, case)
    key = repeated.key(project, case, {file: facts["sha256"] for file, facts in origin["files"].items()})
    with _alone(project, name), _only(project.cache / "repeats" / name, key) as home:
        work = [_repetition(project, case, origin, home, case.params.seed + k) for k in range(seeds)]
        known = _known(project, case, key)
        ahead = [each for each in work if each.seed not in known and not each.kept.exists()]
        for done in _run(ahead, jobs or available_cores()):
            print(f"{name}, seed {done.seed}: {_primary(case, _scores(done)):.4f}", flush=True)
        rows = {each.seed: known[each.seed] if each.seed in known else _scores(each) for each in work}
        summary = {"key": key, "data": origin["kind"], "dataset": case.dataset, "seeds": rows, **spread(rows)}
        write_json(project.reports(name) / "seeds.json", summary)
    mean, deviation = summary["mean"][case.page.PRIMARY], summary["deviation"][case.page.PRIMARY]
    print(f"{name}: {case.page.PRIMARY} {mean:.4f} ± {deviation:.4f}, mean and standard deviation of {seeds} seeds")


def spread(rows: dict[str, Scores]) -> dict[str, Scores]:
    """Mean and standard deviation over the seeds of each figure that all of them have, as a sample's (n - 1)."""
    shared = [name for name in next(iter(rows.values())) if all(name in row for row in rows.values())]
    by_name = {name: [row[name] for row in rows.values()] for name in shared}
    return {
        "mean": rounded({name: fmean(values) for name, values in by_name.items()}),
        "deviation": rounded({name: stdev(values) for name, values in by_name.items()}),
    }


def _known(project: Project, case: Case, key: str) -> dict[str, Scores]:
    """The rows of `seeds.json`, if this key made them and they stand beside the figures that evaluation has left."""
    try:
        found = results.seeds(project, case)
    except HandbookError:  # damaged, or the case is not evaluated: nothing there can be relied on
        return {}
    return found["seeds"] if found and found["key"] == key else {}


def _repetition(project: Project, case: Case, origin: dict[str, Any], home: Path, seed: int) -> Repetition:
    drawn = dataclasses.replace(case, params=dataclasses.replace(case.params, seed=seed))
    key = training_key(project, drawn, origin)
    return Repetition(project.root, case.name, plain(drawn.params), home / str(seed), key)


def _run(ahead: list[Repetition], jobs: int) -> Iterator[Repetition]:
    """Each in a process of its own, on one thread as every stage is: two side by side end sooner than in turn."""
    if min(jobs, len(ahead)) < 2:
        yield from map(carry_out, ahead)
        return
    with ProcessPoolExecutor(
        min(jobs, len(ahead)), get_context("spawn"), initializer=memory.keep_freed, max_tasks_per_child=1
    ) as pool:
        for future in as_completed([pool.submit(carry_out, each) for each in ahead]):
            yield future.result()


def carry_out(repetition: Repetition) -> Repetition:
    """Train and judge; the scores are kept, the model and its figures are not."""
    pipeline = Project(repetition.root)
    apart = Apart(repetition.case, repetition.folder, params=repetition.params)
    project = dataclasses.replace(pipeline, apart=apart)
    os.chdir(project.root)
    if not _borrow(repetition, pipeline, project):
        train(project, repetition.case)
    evaluate(project, repetition.case)
    metrics = documents.json_object(project.reports(repetition.case) / "metrics.json", "Repeat it")
    numbers = {name: float(value) for name, value in metrics.items() if type(value) in (int, float)}
    write_json(repetition.kept, {name: value for name, value in numbers.items() if math.isfinite(value)})
    for folder in (project.models(repetition.case), project.reports(repetition.case)):
        shutil.rmtree(folder)
    return repetition


def _borrow(repetition: Repetition, pipeline: Project, project: Project) -> bool:
    """Copy the pipeline's model and its history, if they are what this training would make; whether they are."""
    name = repetition.case
    if not whole(pipeline, name, repetition.key):
        return False
    shutil.copytree(pipeline.models(name), project.models(name), dirs_exist_ok=True)
    project.reports(name).mkdir(parents=True, exist_ok=True)
    shutil.copyfile(pipeline.reports(name) / "history.csv", project.reports(name) / "history.csv")
    return True


def _scores(repetition: Repetition) -> Scores:
    return documents.json_object(repetition.kept, f"Remove {repetition.folder}, and repeat the case")


def _primary(case: Case, scores: Scores) -> float:
    return scores[case.page.PRIMARY]


@contextmanager
def _alone(project: Project, name: str) -> Iterator[None]:
    busy = f"{name} is being repeated already. Wait for it, or end it and run again"
    with locks.alone(project.cache / "repeats" / f"{name}.lock", busy):
        yield


@contextmanager
def _only(home: Path, key: str) -> Iterator[Path]:
    """The folder for this very code, parameters and data; what others left is of no more use."""
    if home.is_dir():
        for other in home.iterdir():
            if other.name != key:
                shutil.rmtree(other)
    yield home / key

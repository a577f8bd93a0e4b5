"""Sweeps: which settings do best, on rows that the test set has no part in. Optuna proposes, the page trains.

The objective is the page's primary metric, as the page's own `evaluate` has it, on a share of the training rows that
stands in the place of the test rows. Trials are kept in a database; a sweep that was killed goes on where it was, and
ends with the trials of one that was not.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handbook import contract, datasets
from handbook.contract import Split
from handbook.data import provenance
from handbook.errors import HandbookError, from_system
from handbook.evaluation.report import Judge
from handbook.files import locks, progress
from handbook.project import Case, Project, plain
from handbook.steps.evaluate import judges
from handbook.steps.sources import digest, fingerprint
from handbook.sweeps import proposals, ranges, trial_runs
from handbook.sweeps.ranges import Plan
from handbook.training.run import Row, Run

if TYPE_CHECKING:
    import optuna


HELD_OUT = 1 / 6  # of the training rows; Fashion-MNIST without validation: 10,000, as many as are tested
STARTUP = 5  # trials that are never cut short: there must be something to compare with
RETRY = "retry_of"


def sweep(project: Project, name: str, trials: int | None = None) -> None:
    """Bring a case's sweep to so many finished trials, and propose the best settings; params.yaml is left as it is.

    Raises HandbookError for ranges that are wrong, a case without rows to choose by, and a sweep that runs already.
    """
    case = project.case(name)
    plan = ranges.plan(project, case)
    wanted = plan.trials if trials is None else ranges.checked_trials(trials, "--trials")
    page = datasets.page(case.dataset)
    origin = provenance.verify(page, project.data(case.dataset))
    data = page.load(project.data(case.dataset))
    development(case, data)  # before anything is written, if there are no rows to choose by
    key = sweep_key(project, case, plan, origin)
    with _alone(project, name):
        study = _study(project, case, key)
        _recover(study, len(plan.ranges))
        if not study.get_trials(deepcopy=False):
            study.enqueue_trial(plan.suggestions(case.params))  # what is to be beaten comes first
        parent = trial_runs.sweep_run(project, case, key, {"data": origin["kind"], "trials": str(wanted)})
        work = _Work(project, case, plan, data, study, parent, judges(project, case))
        while len(finished(study)) < wanted:
            done, said = len(finished(study)) + 1, work.next()
            progress.write(progress.place(project.cache, f"sweep@{name}"), done, wanted)
            print(f"{name} {done}/{wanted}: {said}", flush=True)
            shutil.rmtree(work.checkpoints, ignore_errors=True)
        print(proposals.propose(project, case, plan, study, origin["kind"]))
        parent.end("FINISHED")


def development(case: Case, data: Any) -> Split[Any]:
    """The case's split with a share of its training rows in the place of its test rows, which have no part in it."""
    split = case.split(data)
    if split.test is split.train:
        raise HandbookError(f"{case.name} has no rows to choose by: all that it learns from is what it is judged on")
    kept, judged = split.train.halve(HELD_OUT, seed=0)
    return dataclasses.replace(split, train=kept, test=judged)


def sweep_key(project: Project, case: Case, plan: Plan, origin: dict[str, Any]) -> str:
    """What a trial is determined by besides its settings: other parameters, ranges, data, and code."""
    fixed = {key: value for key, value in plain(case.params).items() if key not in {each.name for each in plan.ranges}}
    files = {file: facts["sha256"] for file, facts in origin["files"].items()}
    code = [fingerprint(project, verb, case.name, parameters=False) for verb in ("train", "evaluate")]
    return digest({"fixed": fixed, "ranges": [str(each) for each in plan.ranges], "files": files, "code": code})


def database(project: Project) -> str:
    """Where trials are kept: beside MLflow's database, which `make clean` leaves alone too."""
    project.mlruns.mkdir(exist_ok=True)
    place = project.mlruns / "sweeps.db"
    os.close(os.open(place, os.O_CREAT | os.O_RDWR, 0o600))  # its owner's to read, from the first byte on
    return f"sqlite:///{place}"


@contextmanager
def _alone(project: Project, name: str) -> Iterator[None]:
    """One sweep of a case at a time: whoever holds the lock knows that a trial marked as running is dead."""
    busy = f"a sweep of {name} runs already. Wait for it, or end it and run again"
    with locks.alone(project.cache / "sweeps" / f"{name}.lock", busy):
        yield


def _study(project: Project, case: Case, key: str) -> optuna.Study:
    import optuna
    import sqlalchemy.exc

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    lower = contract.case(case.page).lower_is_better
    try:
        storage = optuna.storages.RDBStorage(database(project))
        storage.get_all_studies()
    except (optuna.exceptions.OptunaError, sqlalchemy.exc.SQLAlchemyError, RuntimeError) as error:
        if refusal := from_system(error):
            raise refusal from error
        said = next(iter(str(error.__cause__ or error).strip().splitlines()), "nothing")
        raise HandbookError(
            f"{project.mlruns / 'sweeps.db'} cannot be used: {said}.\nMove it away: the sweep then begins again"
        ) from error
    return optuna.create_study(
        storage=storage,
        study_name=f"{case.name}-{key}",
        direction="minimize" if lower else "maximize",
        # with a rate that rises and falls, the first epochs say little
        pruner=optuna.pruners.MedianPruner(STARTUP, n_warmup_steps=getattr(case.params, "epochs", 1) // 3),
        load_if_exists=True,
    )


def finished(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    """The finished trials: evaluated, or pruned."""
    import optuna

    ended = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    return study.get_trials(deepcopy=False, states=ended)


def _recover(study: optuna.Study, drawn: int) -> None:
    """What ran when the sweep was killed has failed, and is to be tried again before anything else.

    One that was killed before all its settings were drawn is not: the same will be drawn again.
    """
    import optuna

    states = optuna.trial.TrialState
    queued = {each.user_attrs.get(RETRY) for each in study.get_trials(deepcopy=False, states=(states.WAITING,))}
    for dead in study.get_trials(deepcopy=False, states=(states.RUNNING,)):
        known = dead.system_attrs.get("fixed_params") or (dead.params if len(dead.params) == drawn else {})
        # one that had reported nothing yet was itself the second try of another
        first = dead.number if dead.intermediate_values else dead.user_attrs.get(RETRY, dead.number)
        if known and first not in queued:
            study.enqueue_trial(known, user_attrs={RETRY: first})
        study.tell(dead.number, state=states.FAIL)


@dataclasses.dataclass(frozen=True)
class _Work:
    """All that a trial needs."""

    project: Project
    case: Case
    plan: Plan
    data: Any
    study: optuna.Study
    parent: trial_runs.OpenRun  # the sweep's run in MLflow
    judges: tuple[Judge, ...] = ()  # for a page that asks for one

    @property
    def checkpoints(self) -> Path:
        """Where the trial that is at work keeps its state."""
        return self.project.cache / "sweeps" / self.case.name

    def next(self) -> str:
        """Run one more trial; returns a sentence on its settings and their result."""
        import optuna

        done, states = finished(self.study), optuna.trial.TrialState
        # by the number of finished trials, so that a sweep that was killed goes on as if it had not been
        self.study.sampler = optuna.samplers.TPESampler(seed=len(done))
        trial = self.study.ask()
        settings = self.plan.suggest(trial)
        described = ", ".join(f"{name} {value}" for name, value in settings.items())
        twin = next((each for each in done if self.plan.settings(each.params) == settings), None)
        if twin:
            self.study.tell(trial, twin.value if twin.state == states.COMPLETE else None, state=twin.state)
            return f"{described}: tried already, in trial {twin.number}"
        run = trial_runs.trial_run(self.project, self.case, self.parent, trial.number, settings)
        try:
            value = self._value(trial, settings, run)
        except optuna.TrialPruned as why:
            run.end("KILLED")
            self.study.tell(trial, state=states.PRUNED)
            return f"{described}: {why}"
        run.show({self.case.page.PRIMARY: value})
        run.end("FINISHED")
        self.study.tell(trial, value)
        return f"{described}: {self.case.page.PRIMARY} {value:.4f}, best {self.study.best_value:.4f}"

    def _value(self, trial: optuna.Trial, settings: dict[str, Any], run: trial_runs.OpenRun) -> float:
        """Train and judge; TrialPruned for settings that cannot be, that do badly, or whose score is no number."""
        import optuna

        case = self.case
        key = hashlib.sha256(f"{self.study.study_name} {settings}".encode()).hexdigest()[:16]
        try:
            tried = dataclasses.replace(case, params=dataclasses.replace(case.params, **settings))
            split = development(tried, self.data)
            listens = Run(self.checkpoints / f"{key}.ckpt", self._listener(trial, run))
            model = case.page.fit(split, tried.params, listens)
            value = float(case.page.evaluate(model, split, *self.judges).metrics[case.page.PRIMARY])
        except ValueError as error:
            if all(getattr(case.params, name) == own for name, own in settings.items()):
                raise HandbookError(f"{case.name}: the settings of params.yaml themselves fail: {error}") from error
            raise optuna.TrialPruned(f"cannot be: {error}") from error
        if not math.isfinite(value):
            raise optuna.TrialPruned(f"{case.page.PRIMARY} is {value}")
        return value

    def _listener(self, trial: optuna.Trial, run: trial_runs.OpenRun) -> Callable[[Row], None]:
        """Shows each epoch, and cuts short what does worse than the median did at that epoch."""
        import optuna

        seen: set[int] = set()
        before = trial.user_attrs.get(RETRY)
        if before is not None:  # the checkpoint goes on after the epochs that were reported before the kill
            for step, value in self.study.get_trials(deepcopy=False)[before].intermediate_values.items():
                trial.report(value, step)
                seen.add(step)

        def tell(row: Row) -> None:
            run.show(row)
            step, value = int(row["epoch"]), self._so_far(row)
            if value is None:
                return
            if step not in seen:
                trial.report(value, step)
            if trial.should_prune():
                raise optuna.TrialPruned(f"cut short after epoch {step}")

        return tell

    def _so_far(self, row: Row) -> float | None:
        """How an epoch did on the rows that the page holds out itself: its primary metric there, else the loss."""
        import optuna

        primary = f"valid_{self.case.page.PRIMARY}"
        if primary in row:
            return row[primary]
        down = self.study.direction == optuna.study.StudyDirection.MINIMIZE
        return (row["valid_loss"] if down else -row["valid_loss"]) if "valid_loss" in row else None

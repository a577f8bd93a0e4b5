"""Toy projects: a folder of its own with sample data, so that no test touches the checkout."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest
import yaml
from filelock import FileLock

from handbook import datasets, labs
from handbook.data import fetch
from handbook.evaluation import examples
from handbook.evaluation.report import Judge, Report
from handbook.files import formats
from handbook.project import Case, Project
from handbook.registry import kept, ledger
from handbook.sources import Name
from handbook.steps import evaluate, register, train
from handbook.training import models
from tests.tracing import traced

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROOT = Path(__file__).parent.parent
MIRROR = os.environ.get("HANDBOOK_MIRROR", "")
TOGETHER = ("flows", "monitoring")  # folders whose tests share a server, or a champion that is dear to make
# Where algorithms or techniques are compared, or an epoch is no pass over the data: for tests, not for results.
FEW: dict[str, Any] = {"n_folds": 2, "inner_folds": 2, "slow_rows": 300, "n_estimators": 20}
FEW |= {"hidden_size": 96, "steps": 12, "context": 32, "members": 2}
FEW |= {"widths": (16, 16, 32), "ablation_widths": (8, 8, 16), "ablation_epochs": 1}
FEW |= {"ablation_samples": 256, "ablation_judges": 256, "shares": (0.5, 1.0), "n_neighbors": (1, 5)}
# At a low rate, or in few of its steps, little is learnt of a sample; eight epochs are no better than one.
TOO_BRIEF = ("lenet_book", "gan_book")
PAGES = {name: block["page"] for name, block in Project(ROOT).numbers()["cases"].items()}
PAGES |= {name: name for name in (*datasets.names(), *labs.names())}
# A trace makes what runs much Python of other libraries twice as slow; another case of each's page is followed.
UNTRACED = ("classifiers_bank", "regressors_diabetes", "som_transactions")
TRACES: dict[str, tuple[set[Name], set[Name]]] = {}  # what ran when a case was fitted and when it was judged


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several workers: what shares a trained case, a server or a file stays together, and is made once.

    What takes longest comes first, so that no worker is left with it while the others have nothing to do.
    """
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group(item)))
    items.sort(key=lambda item: item.path.parent.name not in TOGETHER)


def group(item: pytest.Item) -> str:
    """The folder, page or file that a test belongs to; tests of a case, a dataset or a lab belong to its page."""
    folder, given = item.path.parent.name, item.callspec.params if hasattr(item, "callspec") else {}
    if folder in TOGETHER:
        return folder
    if (name := given.get("name", given.get("page"))) in PAGES:
        return PAGES[name]
    return item.path.stem.removeprefix("test_") if folder in ("cases", "labs", "datasets") else str(item.path)


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The sample of a dataset, drawn once for all tests and workers; they read it and never write."""
    base = tmp_path_factory.getbasetemp()
    home = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "samples"
    home.mkdir(exist_ok=True)

    def draw(name: str) -> Path:
        with FileLock(home / f"{name}.lock"):
            if not (home / name).exists():
                fetch.draw_sample(datasets.page(name), home / name, seed=0)
        return home / name

    return draw


def quick(block: dict[str, Any]) -> dict[str, Any]:
    """A block of params.yaml with one epoch and little work: for tests, not for results."""
    few = {key: list(value) if isinstance(value, tuple) else value for key, value in FEW.items()} | {"epochs": 1}
    return block | {key: value for key, value in few.items() if key in block}


@pytest.fixture
def heard() -> Iterator[None]:
    """Signals that end a process are heard, also in the background of a shell, where some are ignored."""
    before = {
        number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    }
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def no_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment says of a mirror is not there."""
    monkeypatch.delenv("HANDBOOK_MIRROR", raising=False)


@pytest.fixture
def project(tmp_path: Path, samples: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> Project:
    """A checkout in small: the real params.yaml with one epoch a case, and sample data."""
    numbers = Project(ROOT).numbers()
    numbers["cases"] = {name: quick(block) for name, block in numbers["cases"].items()}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(numbers, sort_keys=False))
    for name in numbers["datasets"]:
        shutil.copytree(samples(name), tmp_path / "data" / name)
    shutil.copytree(ROOT / "gx", tmp_path / "gx", ignore=shutil.ignore_patterns("uncommitted", "*_sample.json"))
    (tmp_path / "README.md").write_text("# toy\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("HANDBOOK_LIVE", raising=False)
    return Project(tmp_path)


@pytest.fixture(scope="session")
def fitted(samples: Callable[[str], Path]) -> Callable[[str], tuple[Case, Any, Any]]:
    """A case of the real params.yaml, trained for some epochs on its sample: case, data and model."""
    kept: dict[str, tuple[Case, Any, Any]] = {}

    def fit(name: str) -> tuple[Case, Any, Any]:
        if name not in kept:
            case = brief(Project(ROOT).case(name), epochs=1 if name in TOO_BRIEF else 8)
            data = datasets.page(case.dataset).load(samples(case.dataset))
            with watched(name) as learned:
                kept[name] = case, data, case.page.fit(case.split(data), case.params)
            TRACES[name] = learned, set()
        return kept[name]

    return fit


@pytest.fixture(scope="session")
def judged(fitted: Any) -> Callable[[str], Report]:
    """The report on a fitted case, by a judge fitted on the sample where the case asks for one; made once."""
    kept: dict[str, Report] = {}

    def evaluate(name: str) -> Report:
        if name not in kept:
            case, data, model = fitted(name)
            with watched(name) as judged:
                kept[name] = case.page.evaluate(model, case.split(data), *judges(case, fitted))
            TRACES[name] = TRACES[name][0], judged
        return kept[name]

    return evaluate


def watched(name: str) -> AbstractContextManager[set[Name]]:
    """A set that fills with what runs of this package, unless a case is not to be followed."""
    return nullcontext(set()) if name in UNTRACED else traced()


@pytest.fixture
def traces(judged: Callable[[str], Report]) -> Callable[[str], tuple[set[Name], set[Name]]]:
    """The definitions that ran when a case was fitted and judged, each watched while that is done for all tests."""

    def of(name: str) -> tuple[set[Name], set[Name]]:
        judged(name)
        return TRACES[name]

    return of


def counts_no_epochs(case: Case) -> bool:
    return not hasattr(case.params, "epochs")


def judges(case: Case, fitted: Any) -> tuple[Judge, ...]:
    """What the page's `evaluate` takes after model and data: a judge fitted on the sample, or nothing."""
    if case.judge is None:
        return ()
    judge, _, model = fitted(case.judge)
    return (Judge(judge.page, model),)


@pytest.fixture
def placed(project: Project, fitted: Callable[[str], tuple[Case, Any, Any]]) -> Callable[..., Case]:
    """Put a trained case in place, judged with that score; another score is another content."""

    def judge(name: str, score: float = 0.9, data: str = "sample", key: str = "") -> Case:
        case, loaded, model = fitted(name)
        models.save(model, project.models(name))
        formats.write_rows(project.reports(name) / "history.csv", model.history_)
        formats.write_text(project.reports(name) / "figures" / "confusion.png", "not looked at here, but hashed")
        formats.write_json(project.reports(name) / "example.json", examples.exemplify(case, model, case.split(loaded)))
        training = {"key": key or f"k{score}", **model.training_}
        formats.write_json(project.reports(name) / "training.json", training)
        base = {"accuracy": 0.1, "roc_auc": 0.5}[case.page.PRIMARY]
        metrics = {
            case.page.PRIMARY: score, "baseline": {case.page.PRIMARY: base}, "book": dict(case.book), "data": data,
            "dataset": case.dataset, "interval": {case.page.PRIMARY: [score - 0.01, score + 0.01]},
        }  # fmt: skip
        formats.write_json(project.reports(name) / "metrics.json", metrics)
        return project.case(name)

    return judge


@pytest.fixture
def entered(project: Project, placed: Callable[..., Case]) -> Callable[..., str]:
    """Enter a judged case in the ledger, as `register` does before MLflow comes in; returns what the gate says."""

    def enter(name: str, score: float = 0.9, data: str = "sample", key: str = "") -> str:
        case = placed(name, score, data, key)
        entry, store = ledger.entry(project, case), ledger.store(project, name)
        kept.keep(project, case, entry, store / entry["content"], lambda *_: None)
        return ledger.enter(case, store, entry["content"])[1]

    return enter


def drawn(figure: Figure) -> npt.NDArray[np.uint8]:
    """The pixels (H, W, 4) of a figure in small. Saved as a file it would be drawn twice."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.set_dpi(50)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def brief(case: Case, epochs: int) -> Case:
    """The case with fewer epochs and folds, if its page counts any."""
    fewer = {key: value for key, value in (FEW | {"epochs": epochs}).items() if hasattr(case.params, key)}
    return dataclasses.replace(case, params=dataclasses.replace(case.params, **fewer))


@pytest.fixture(scope="session")
def champion_of(tmp_path_factory: pytest.TempPathFactory, samples: Callable[[str], Path]) -> Callable[[str], Path]:
    """A checkout in small with a registered champion, made once for all tests; they work on copies."""
    kept: dict[str, Path] = {}

    def make(name: str) -> Path:
        if name not in kept:
            kept[name] = root = tmp_path_factory.mktemp("watched") / "project"
            root.mkdir()
            small(root, name)
            project = Project(root)
            dataset = project.case(name).dataset
            shutil.copytree(samples(dataset), project.data(dataset))
            with pytest.MonkeyPatch.context() as patch:
                patch.delenv("MLFLOW_TRACKING_URI", raising=False)
                registered(project, name)
        return kept[name]

    return make


def small(root: Path, name: str) -> None:
    """params.yaml with this case alone, quick to train, and Great Expectations' configuration."""
    numbers = yaml.safe_load((ROOT / "params.yaml").read_text())
    block = numbers["cases"][name]
    block |= {key: value for key, value in {"epochs": 1, "max_iter": 60, "members": 2}.items() if key in block}
    numbers |= {"cases": {name: block}, "labs": {}}
    numbers["monitor"]["settle"] = 0.0
    (root / "params.yaml").write_text(yaml.safe_dump(numbers, sort_keys=False))
    (root / "gx").mkdir()
    shutil.copy(ROOT / "gx" / "great_expectations.yml", root / "gx")


def registered(project: Project, name: str) -> None:
    for step in (train.train, evaluate.evaluate, register.register):
        step(project, name)

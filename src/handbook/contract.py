"""What a dataset, a case and a lab offer: the names that a page must have, and those that it may have, with defaults.

A page is a module: nothing to inherit, nothing to register. It is found by looking (`names`, `page`), what it must
offer is a Protocol below, and what it may leave out is a field with a default: whoever wants to know asks
`case(page).lower_is_better` and not the module. `tests/test_contract.py` holds every page to all of it.

This module lies below the rooms that pages are made of, because rooms as low as `data.provenance` ask it. So the kinds
of data, models and reports, which are defined above it, are named in words.
"""

from __future__ import annotations

import dataclasses
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, Protocol, Self, TypeVar

from handbook.errors import unknown


class Part(Protocol):
    """Rows of one kind, with their answers: a `Table`, `Pictures`, `Sprites`, or a `Passage` of a text."""

    def __len__(self) -> int: ...

    def join(self, other: Self) -> Self:
        """These rows, then the other ones."""
        ...

    def halve(self, share: float, seed: int) -> tuple[Self, Self]:
        """The rows without a share of them, and that share; drawn by the seed, or, of a text, its end."""
        ...


P = TypeVar("P", bound=Part)


@dataclass(frozen=True)
class Split(Generic[P]):
    """Rows to learn from, to choose by (where the page chooses), and to be judged by; no row is in two of them.

    A map that learns without answers is judged by them on the rows that it learnt from: then `test` is `train`.
    """

    train: P
    valid: P | None
    test: P
    overall: Mapping[str, Any] = field(default_factory=dict)  # what a page takes from all rows, if it must: their words

    @property
    def development(self) -> P:
        """All rows that are not there to be judged by: the training rows, then the validation rows."""
        return self.train if self.valid is None else self.train.join(self.valid)


class DatasetPage(Protocol):
    """A dataset's page. FILES are the pinned files (`provenance.File`), ROWS the counts of rows by part."""

    FILES: tuple[Any, ...]
    ROWS: Mapping[str, int]
    SAMPLE_ROWS: Mapping[str, int]
    LICENCE: str
    SAMPLE_LICENCE: str
    SOURCE: str

    def sample(self, directory: Path, seed: int) -> None:
        """Write a small stand-in made here, in the format of the real files."""
        ...

    def facts(self, directory: Path) -> Any:
        """A DataFrame, a row for each row, picture or line of the files, for the suite to look at."""
        ...

    def expectations(self, sample: bool = False) -> list[Any]:
        """The suite of Great Expectations that the facts must meet."""
        ...

    def load(self, directory: Path) -> Any:
        """The data: a `Table`, `LabelledImages`, `Sprites` or a `Text`. HandbookError for what is wrong with a file."""
        ...


class CasePage(Protocol):
    """A case's page, in reading order. Data are what its dataset's `load` returns; a model, what its own `fit` does."""

    PRIMARY: str  # the metric that models are compared by, a key of the report's metrics, baseline and interval
    Params: type  # a frozen dataclass without defaults: values live in params.yaml

    def split(self, data: Any, params: Any) -> Split[Any]:
        """Which rows are for what. HandbookError if the data are too few to be split so."""
        ...

    def fit(self, split: Split[Any], params: Any, run: Any = None) -> Any:
        """A model that has learnt from `split.train` and `split.valid`; `split.test` is not looked at.

        `run` is a `training.run.Run`. The model has `params`, plain `facts`, `history_` and `training_`.
        """
        ...

    def predict(self, model: Any, inputs: Any) -> Any:
        """A DataFrame with a row for each of a user's inputs, or pictures. ValueError for inputs of another form."""
        ...

    def example(self, split: Split[Any]) -> Any:
        """A few inputs as a user would send them; a page that needs its `params` for that has a second argument."""
        ...

    def evaluate(self, model: Any, split: Split[Any], *judge: Any) -> Any:
        """An `evaluation.report.Report` by `split.test`; of the other rows only what baselines and figures need.

        A page whose case has a `judge` in params.yaml is given an `evaluation.report.Judge` as well.
        """
        ...


class NetworkPage(CasePage, Protocol):
    """A page whose model is a network, kept as weights; of others the model is a `training.models.Fitted`."""

    Model: type  # `Model(params, **facts)` is the network before its weights are put in


class JudgingPage(NetworkPage, Protocol):
    """A page whose model can judge what another case makes."""

    def features(self, model: Any, images: Any) -> Any:
        """The values (N, D) that it decides by, of pictures (N, ...) uint8."""
        ...

    def probabilities(self, model: Any, images: Any) -> Any:
        """Class probabilities (N, K) of pictures (N, ...) uint8."""
        ...


class LabPage(Protocol):
    """A lab; where it names datasets, its functions are given what the `load` of each returns, in the order named."""

    def figures(self, *data: Any) -> dict[str, Any]:
        """Figures by title."""
        ...

    def checks(self, *data: Any) -> dict[str, float | bool]:
        """What has been shown, as plain numbers."""
        ...


@dataclass(frozen=True)
class Dataset:
    """What a dataset's page may say beside what it must; a constant's name there is in upper case."""

    forms: Mapping[str, tuple[Any, ...]] = field(
        default_factory=dict
    )  # published in several: files by form, best first
    notes: Mapping[str, str] = field(default_factory=dict)  # on a form, for the reader of figures that it made
    columns: Mapping[str, type] = field(default_factory=dict)  # of a table: its columns' types, the target's last
    classes: tuple[str, ...] = ()  # the names of the target's labels
    read: Callable[[Path], Any] | None = None  # one file of a user's own, as `load` would give it


@dataclass(frozen=True)
class Usual:
    """What a dataset's page may say of what real inputs are; beyond it an answer is doubtful.

    It stands apart from `Dataset`, which training asks: what is doubted changes no model.
    """

    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)  # what each number can be, both included
    ground: int | None = None  # intensity 0-255 that pictures lie on: 0 black, 255 white
    tones: tuple[tuple[int, int], tuple[int, int]] | None = None  # from and to of the darkest, of the brightest
    separator: str = ","  # of a table's file, and so of a batch of its rows


@dataclass(frozen=True)
class Watched:
    """What a dataset's page may say of how its champions are watched.

    It stands apart from `Dataset`, which training asks: how a batch is looked at changes no model.
    """

    # columns of a table by which rows are judged apart: () by their words, else where bands of numbers begin
    groups: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """What a case's page may say beside what it must; a constant's name there is in upper case."""

    lower_is_better: bool = False  # of the primary metric
    input: str | None = None  # "latents" or "prompts"; None: rows or pictures, as its dataset has them
    trusted: tuple[str, ...] = ()  # types in a kept estimator that were reviewed and may be built when it is loaded


@dataclass(frozen=True)
class Lab:
    """What a lab may say beside what it must; a constant's name there is in upper case."""

    dataset: str | tuple[str, ...] = ()  # whose data its functions are given; of several, in that order
    animations: Callable[..., dict[str, Callable[[Path], None]]] | None = None  # writers of GIFs by title

    @property
    def datasets(self) -> tuple[str, ...]:
        """The datasets whose data its functions are given, none, one or several."""
        return (self.dataset,) if isinstance(self.dataset, str) else self.dataset


def dataset(page: Any) -> Dataset:
    """What a dataset's page says, defaults filled in: data published in one form have one without a name."""
    found = _said(Dataset, page)
    return found if found.forms else dataclasses.replace(found, forms={"": page.FILES})


def usual(page: Any) -> Usual:
    """What a dataset's page says of what real inputs are."""
    return _said(Usual, page)


def watched(page: Any) -> Watched:
    """What a dataset's page says of how its champions are watched."""
    return _said(Watched, page)


def case(page: Any) -> Case:
    """What a case's page, or its outline, says, defaults filled in."""
    return _said(Case, page)


def lab(page: Any) -> Lab:
    """What a lab says, defaults filled in."""
    return _said(Lab, page)


FUNCTIONS = ("read", "animations")  # that a page may offer; all else that it may say is a constant
T = TypeVar("T", Dataset, Usual, Watched, Case, Lab)


def _said(kind: type[T], page: Any) -> T:
    there = vars(page)
    keys = {each.name: each.name if each.name in FUNCTIONS else each.name.upper() for each in dataclasses.fields(kind)}
    return kind(**{name: there[key] for name, key in keys.items() if key in there})


def names(path: Iterable[str]) -> list[str]:
    """The pages in a package's `__path__`, modules and folders, without importing any."""
    return sorted(module.name for module in pkgutil.iter_modules(path))


def page(kind: str, package: str, path: Iterable[str], name: str) -> ModuleType:
    """The page of that name; a HandbookError lists the pages of that kind that there are."""
    if name not in names(path):
        raise unknown(kind, name, names(path))
    return import_module(f"{package}.{name}")

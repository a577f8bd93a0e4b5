"""Where things live, and what params.yaml says: a case's block becomes its page's Params."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from handbook import cases, datasets
from handbook.contract import Split
from handbook.errors import HandbookError, unknown

# `judge` is a file that DVC watches; one under models/ is the model of the case that judges this one.
COMMON = ("page", "dataset", "judge", "book", "gpu")
PRESETS = ("laptop", "gpu")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's, where there is one, reads six times as fast


@dataclass(frozen=True)
class Case:
    """A block of params.yaml: which page, on which data, what the book reports, and the page's own Params."""

    name: str
    page: ModuleType
    dataset: str
    book: dict[str, float]
    params: Any
    judge: str | None = None  # the case whose model looks at what this one makes

    def split(self, data: Any) -> Split[Any]:
        """Which rows of its dataset's data the case learns from, chooses by, and is judged by."""
        return self.page.split(data, self.params)  # type: ignore[no-any-return]

    def example(self, split: Split[Any]) -> Any:
        """A few inputs as a user would send them; a page may ask for its Params, where those decide what it takes."""
        given = (split, self.params)
        return self.page.example(*given[: len(inspect.signature(self.page.example).parameters)])


@dataclass(frozen=True)
class Project:
    """A checkout: the folder that holds params.yaml, and what lies where in it."""

    root: Path

    @classmethod
    def here(cls) -> Project:
        """The project around the current folder."""
        start = Path.cwd()
        for folder in (start, *start.parents):
            if (folder / "params.yaml").exists():
                return cls(folder)
        raise HandbookError(f"no params.yaml in {start} or above it. Go to a checkout of the handbook first")

    def data(self, dataset: str) -> Path:
        return self.root / "data" / dataset

    def models(self, case: str) -> Path:
        return self.root / "models" / case

    def reports(self, name: str) -> Path:
        return self.root / "reports" / name

    def evaluated(self, case: str) -> Path | None:
        """What an evaluation made, file by file: by this DVC knows that there is something to register."""
        return self.root / "reports" / "evaluated" / f"{case}.json"

    @property
    def sources(self) -> Path:
        return self.root / "sources"

    @property
    def mlruns(self) -> Path:
        return self.root / "mlruns"

    @property
    def gx(self) -> Path:
        return self.root / "gx"

    @property
    def cache(self) -> Path:
        return self.root / ".cache"

    def numbers(self) -> dict[str, Any]:
        """The whole of params.yaml, the caller's own."""
        return copy.deepcopy(self._numbers())

    def _numbers(self) -> dict[str, Any]:
        """The same, shared by all who only read it."""
        path = self.root / "params.yaml"
        stamp = path.stat()
        return _parsed(path, stamp.st_mtime_ns, stamp.st_size)

    def locked(self) -> dict[str, Any]:
        """The stages that dvc.lock knows, by name; none before anything was made. Raises yaml.YAMLError."""
        lock = self.root / "dvc.lock"
        if not lock.exists():
            return {}
        return dict(yaml.load(lock.read_text(), Loader=LOADER)["stages"])  # noqa: S506 (safe, either of them)

    def datasets(self) -> list[str]:
        """The datasets that the pipeline uses, in the order of params.yaml."""
        return [str(name) for name in self._numbers().get("datasets") or []]

    def cases(self) -> list[str]:
        """The cases there are, in the order of params.yaml."""
        return [str(name) for name in self._numbers()["cases"]]

    def labs(self) -> list[str]:
        """The labs that the pipeline works through, in the order of params.yaml."""
        return [str(name) for name in self._numbers().get("labs") or []]

    def block(self, name: str) -> dict[str, Any]:
        """A case's block of params.yaml, its preset's part laid over it; HandbookError for what is no block."""
        numbers = self._numbers()
        if name not in numbers["cases"]:
            raise unknown("case", name, numbers["cases"])
        block = _block(numbers["cases"][name], numbers.get("preset", "laptop"), f"params.yaml, cases.{name}")
        return copy.deepcopy(block)

    def judge(self, name: str) -> str | None:
        """The case whose model judges the case of that name, or None: test data judge it."""
        return _judge(self.block(name))

    def case(self, name: str, page_of: Callable[[str], ModuleType] | None = None) -> Case:
        """One case, its parameters checked; a HandbookError names the key that is wrong.

        `page_of` brings its page, by default the whole; `outlines.page` serves who computes nothing.
        """
        where, block = f"params.yaml, cases.{name}", self.block(name)
        page = (page_of or cases.page)(block["page"])
        if block["dataset"] not in datasets.names():
            raise HandbookError(f"{where}: {unknown('dataset', block['dataset'], datasets.names())}")
        own = {key: value for key, value in block.items() if key not in COMMON}
        judge = _judge(block)
        if judge and judge not in self.cases():
            raise HandbookError(f"{where}, judge: {unknown('case', judge, self.cases())}")
        return Case(name, page, block["dataset"], block.get("book") or {}, parse(page.Params, own, where), judge)


@dataclass(frozen=True)
class Own(Project):
    """The same cases on a file of one's own: what is made of it lies in a folder apart from the pipeline's results."""

    folder: Path
    file: Path | None = None

    def models(self, case: str) -> Path:
        return self.folder / "model"

    def reports(self, name: str) -> Path:
        return self.folder / "report"

    def evaluated(self, case: str) -> None:
        """Nothing: what is made of a file of one's own is not registered."""

    @property
    def cache(self) -> Path:
        return self.folder / ".cache"


@lru_cache(maxsize=4)
def _parsed(path: Path, _changed: int, _size: int) -> dict[str, Any]:
    """params.yaml as it is since it changed last."""
    try:
        numbers = yaml.load(path.read_text(), Loader=LOADER)  # noqa: S506 (safe, either of them)
    except yaml.YAMLError as error:
        raise HandbookError(f"{path} is not YAML: {error}") from None
    if not isinstance(numbers, dict) or not isinstance(numbers.get("cases"), dict):
        raise HandbookError(f"{path}: expected a mapping with `cases:`")
    return numbers


def _judge(block: dict[str, Any]) -> str | None:
    folder, _, judge = str(block.get("judge")).rpartition("/")
    return judge if folder == "models" else None


def _block(block: Any, preset: str, where: str) -> dict[str, Any]:
    if preset not in PRESETS:
        raise HandbookError(f"params.yaml: {unknown('preset', str(preset), PRESETS)}")
    if not isinstance(block, dict):
        raise HandbookError(f"{where}: expected a mapping, found {type(block).__name__}")
    for key in ("page", "dataset"):
        if not isinstance(block.get(key), str):
            raise HandbookError(f"{where}: expected `{key}:` with a name, found {block.get(key)!r}")
    return block | (block.get("gpu") or {}) if preset == "gpu" else block


def parse(kind: type, block: dict[str, Any], where: str) -> Any:
    """A frozen dataclass from a mapping: every field there, no other key, every value of its type."""
    hints = typing.get_type_hints(kind)
    for key in block:
        if key not in hints:
            raise HandbookError(f"{where}: {unknown('parameter', str(key), hints)}")
    missing = [key for key in hints if key not in block]
    if missing:
        raise HandbookError(f"{where}: parameter {missing[0]!r} is missing ({kind.__module__} has no defaults)")
    values = {key: checked(block[key], hints[key], f"{where}.{key}") for key in hints}
    try:
        return kind(**values)
    except ValueError as error:
        raise HandbookError(f"{where}: {error}") from None


def checked(value: Any, hint: Any, where: str) -> Any:
    """The value as its type wants it; an int is a float, a list a tuple, and nothing else is anything else."""
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise HandbookError(f"{where}: expected a list, found {value!r}")
        return tuple(checked(item, typing.get_args(hint)[0], where) for item in value)
    accepted = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if float in accepted and type(value) is int:
        return float(value)
    if type(value) not in accepted and not (value is None and types.NoneType in accepted):
        names = " or ".join(getattr(kind, "__name__", str(kind)) for kind in accepted)
        raise HandbookError(f"{where}: expected {names}, found {value!r}")
    return value


def plain(params: Any) -> dict[str, Any]:
    """Params as plain types, for files and for MLflow."""
    return {key: list(v) if isinstance(v, tuple) else v for key, v in dataclasses.asdict(params).items()}

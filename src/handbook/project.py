"""Where things live, and what params.yaml says: a case's block becomes its page's Params."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import math
import os
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from handbook import cases, datasets, parameters
from handbook.contract import Split
from handbook.errors import HandbookError, unknown
from handbook.files import documents

# `judge` is a file that DVC watches; one under models/ is the model of the case that judges this one.
COMMON = ("page", "dataset", "judge", "book", "gpu")
TRAINED = "trained.json"  # beside a model that was trained apart: which case, and by which parameters
LARGEST = 2**63  # of a whole number that anything here is meant to take
PRESETS = ("laptop", "book", "gpu")
RECIPE = "_book"  # the end of the name of a block that follows the book: what `preset: book` runs in full
SAMPLES = ".sample"  # the folder of the checkout for samples, in the checkout that it shares code and numbers with


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
class Apart:
    """Where what is made of one case goes, if not among the pipeline's results; and a file in its data's place."""

    case: str
    folder: Path
    file: Path | None = None
    params: dict[str, Any] | None = None  # that its model was trained with, where that is there; else params.yaml's


@dataclass(frozen=True)
class Project:
    """A checkout: the folder that holds params.yaml, and what lies where in it."""

    root: Path
    apart: Apart | None = None

    @classmethod
    def here(cls) -> Project:
        """The project around the current folder."""
        start = Path.cwd()
        for folder in (start, *start.parents):
            if (folder / "params.yaml").exists():
                return cls(folder)
        raise HandbookError(f"no params.yaml in {start} or above it. Go to a checkout of the handbook first")

    @property
    def of_samples(self) -> bool:
        """Whether this is the checkout for samples within another one."""
        return self.root.name == SAMPLES and (self.root.parent / "params.yaml").exists()

    def data(self, dataset: str) -> Path:
        return self.root / "data" / dataset

    def models(self, case: str) -> Path:
        apart = self._apart(case)
        return apart.folder / "model" if apart else self.root / "models" / case

    def reports(self, name: str) -> Path:
        apart = self._apart(name)
        return apart.folder / "report" if apart else self.root / "reports" / name

    def evaluated(self, case: str) -> Path | None:
        """What an evaluation made, file by file, by which DVC knows what there is to register; None for what is apart.

        That is registered at once, as a challenger, or never, being made of a file of one's own.
        """
        return None if self._apart(case) else self.root / "reports" / "evaluated" / f"{case}.json"

    def _apart(self, case: str) -> Apart | None:
        return self.apart if self.apart and self.apart.case == case else None

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
        return (self.apart.folder if self.apart else self.root) / ".cache"

    def numbers(self) -> dict[str, Any]:
        """The whole of params.yaml, the caller's own."""
        return copy.deepcopy(self._numbers())

    def _numbers(self) -> dict[str, Any]:
        """The same, shared by all who only read it."""
        path = self.root / "params.yaml"
        try:
            stamp = path.stat()
        except OSError as error:
            raise HandbookError(
                f"{path} cannot be read: {error.strerror}. Bring it back: git checkout -- params.yaml"
            ) from None
        return _parsed(path, stamp.st_mtime_ns, stamp.st_size)

    def locked(self) -> dict[str, Any]:
        """The stages that dvc.lock knows, by name; none before anything was made; HandbookError if it is damaged."""
        lock = self.root / "dvc.lock"
        if not os.path.lexists(lock):
            return {}
        way = "Bring it back: git checkout -- dvc.lock; or make it again: dvc repro"
        found = documents.yaml_of(lock, way)
        stages = found.get("stages") if isinstance(found, dict) else None
        if not isinstance(stages, dict) or not all(map(_is_stage, stages.values())):
            raise documents.damaged(lock, "expected `stages` with deps and outs, each with its path and md5", way)
        return dict(stages)

    def datasets(self) -> list[str]:
        """The datasets that the pipeline uses, in the order of params.yaml."""
        return [str(name) for name in self._numbers().get("datasets") or []]

    def cases(self) -> list[str]:
        """The cases there are, in the order of params.yaml."""
        return [str(name) for name in self._numbers()["cases"]]

    def labs(self) -> list[str]:
        """The labs that the pipeline works through, in the order of params.yaml."""
        return [str(name) for name in self._numbers().get("labs") or []]

    def first(self) -> list[str]:
        """The stages that a build begins with, in the order of params.yaml."""
        return [str(stage) for stage in self._numbers().get("first") or []]

    def block(self, name: str, preset: str | None = None) -> dict[str, Any]:
        """A case's block of params.yaml, its preset's part laid over it; HandbookError for what is no block.

        `preset` takes the place of the one that params.yaml names. In the checkout for samples no number is above that
        of `sample:`.
        """
        numbers = self._numbers()
        if name not in numbers["cases"]:
            raise unknown("case", name, numbers["cases"])
        preset = preset or numbers.get("preset", "laptop")
        block = copy.deepcopy(_block(name, numbers["cases"][name], preset, f"params.yaml, cases.{name}"))
        most = numbers.get("sample") or {} if self.of_samples else {}
        return block | {key: min(block[key], most[key]) for key in most if _is_number(block.get(key))}

    def judge(self, name: str) -> str | None:
        """The case whose model judges the case of that name, or None: test data judge it."""
        return _judge(self.block(name))

    def case(self, name: str, page_of: Callable[[str], ModuleType] | None = None, preset: str | None = None) -> Case:
        """One case, its parameters checked; a HandbookError names the key that is wrong.

        `page_of` brings its page, by default the whole; `outlines.page` serves who computes nothing. `preset` takes the
        place of the one that params.yaml names.
        """
        where, block = f"params.yaml, cases.{name}", self.block(name, preset)
        page = (page_of or cases.page)(block["page"])
        if block["dataset"] not in datasets.names():
            raise HandbookError(f"{where}: {unknown('dataset', block['dataset'], datasets.names())}")
        own = {key: value for key, value in block.items() if key not in COMMON}
        if (apart := self._apart(name)) and apart.params is not None:
            own, where = apart.params, f"{apart.folder / TRAINED}"
        judge = _judge(block)
        if judge and judge not in self.cases():
            raise HandbookError(f"{where}, judge: {unknown('case', judge, self.cases())}")
        return Case(name, page, block["dataset"], block.get("book") or {}, parse(page.Params, own, where), judge)


@lru_cache(maxsize=4)
def _parsed(path: Path, _changed: int, _size: int) -> dict[str, Any]:
    """params.yaml as it is since it changed last."""
    numbers = documents.yaml_of(path, "Mend it, or bring it back: git checkout -- params.yaml")
    if not isinstance(numbers, dict) or not isinstance(numbers.get("cases"), dict):
        raise HandbookError(f"{path}: expected a mapping with `cases:`")
    if strange := [name for name in numbers["cases"] if not isinstance(name, str)]:
        raise HandbookError(f"{path}, cases: expected names as keys, found {strange[0]!r}. Put it between quotes")
    for key in ("datasets", "labs", "first"):
        names = numbers.get(key) or []
        if not isinstance(names, list | dict) or not all(isinstance(name, str) for name in names):
            raise HandbookError(f"{path}, {key}: expected a list of names, found {names!r}")
    most = numbers.get("sample") or {}
    if not isinstance(most, dict) or not all(map(_is_number, most.values())):
        raise HandbookError(f"{path}, sample: expected the most that samples may have of a parameter, found {most!r}")
    return numbers


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_stage(stage: Any) -> bool:
    """Whether a stage of dvc.lock has the shape that DVC gives it."""
    sides = [stage.get(side) or [] for side in ("deps", "outs")] if isinstance(stage, dict) else [None]
    if not all(isinstance(side, list) for side in sides):
        return False
    return all(isinstance(part, dict) and {"path", "md5"} <= part.keys() for side in sides for part in side or ())


def _judge(block: dict[str, Any]) -> str | None:
    folder, _, judge = str(block.get("judge")).rpartition("/")
    return judge if folder == "models" else None


def _block(name: str, block: Any, preset: str, where: str) -> dict[str, Any]:
    if preset not in PRESETS:
        raise HandbookError(f"params.yaml: {unknown('preset', str(preset), PRESETS)}")
    if not isinstance(block, dict):
        raise HandbookError(f"{where}: expected a mapping, found {type(block).__name__}")
    for key in ("page", "dataset"):
        if not isinstance(block.get(key), str):
            raise HandbookError(f"{where}: expected `{key}:` with a name, found {block.get(key)!r}")
    for key in ("book", "gpu"):
        if not isinstance(block.get(key) or {}, dict):
            raise HandbookError(f"{where}.{key}: expected a mapping, found {block[key]!r}")
    for metric, value in (block.get("book") or {}).items():
        if not _is_number(value) or not math.isfinite(value):
            raise HandbookError(f"{where}.book.{metric}: expected a number, found {value!r}")
    laid_over = preset == "gpu" or (preset == "book" and name.endswith(RECIPE))
    return block | (block.get("gpu") or {}) if laid_over else block


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
        params = kind(**values)
    except (ValueError, ArithmeticError) as error:
        raise HandbookError(f"{where}: {error}") from None
    parameters.refuse(params, where)
    return params


def checked(value: Any, hint: Any, where: str) -> Any:
    """The value as its type wants it; an int is a float, a list a tuple, and nothing else is anything else."""
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise HandbookError(f"{where}: expected a list, found {value!r}")
        return tuple(checked(item, typing.get_args(hint)[0], where) for item in value)
    accepted = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if float in accepted and type(value) is int and abs(value) < LARGEST:
        return float(value)
    if type(value) not in accepted and not (value is None and types.NoneType in accepted):
        names = " or ".join(getattr(kind, "__name__", str(kind)) for kind in accepted)
        raise HandbookError(f"{where}: expected {names}, found {value!r}")
    return value


def plain(params: Any) -> dict[str, Any]:
    """Params as plain types, for files and for MLflow."""
    return {key: list(v) if isinstance(v, tuple) else v for key, v in dataclasses.asdict(params).items()}

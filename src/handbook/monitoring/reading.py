"""What a batch holds, and what may be expected of it.

The dataset's page reads a batch, and its suite judges it: of the expectations, those are kept that every part of a
table inherits from the whole (each value's range, no row twice); counts, means and sums speak of the whole alone.
"""

from __future__ import annotations

import gzip
import shutil
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from handbook import contract
from handbook.data import tables, unpacking
from handbook.data.images import LabelledImages, Pictures
from handbook.data.provenance import forms
from handbook.data.tables import Table
from handbook.errors import HandbookError
from handbook.monitoring.inbox import IMAGES, LABELS, is_table

if TYPE_CHECKING:
    import pandas as pd
from handbook.monitoring.suites import of_the_batch

COMPARED = ("label", "brightest", "mean", "ink")  # of the facts of a picture; the others differ for all or for none
NAMES_OF_ROWS = ("CustomerID",)


@dataclass(frozen=True)
class Content:
    """What a batch holds: a fact table (M rows), and, where there are answers, what the page's `load` makes of it."""

    facts: pd.DataFrame
    loaded: Table | Pictures | None  # the M rows with their answers; None without answers


def compared(page: ModuleType, facts: pd.DataFrame) -> pd.DataFrame:
    """The columns of a table of facts that are compared for drift: attributes and answers, but no names of rows."""
    if not is_table(page):
        return facts[list(COMPARED)]
    return facts[[name for name in page.COLUMNS if name in facts and name not in NAMES_OF_ROWS]]


def words(page: ModuleType, facts: pd.DataFrame) -> list[str]:
    """Which columns hold categories: text, and the labels of classes."""
    labels = {"label", target(page)} if is_table(page) and contract.dataset(page).classes else {"label"}
    from pandas.api.types import is_numeric_dtype

    return [str(name) for name in facts if name in labels or not is_numeric_dtype(facts[name].dtype)]


def target(page: ModuleType) -> str:
    """The column that is to be predicted; every table's page names it last."""
    return str(list(page.COLUMNS)[-1])


def read(page: ModuleType, pinned: Path, files: tuple[Path, ...], scratch: Path) -> Content:
    """What a batch holds, read by its dataset's page; `pinned` is the dataset's folder, `scratch` an empty one of ours.

    The rows come in an order of their own, so that nothing said of a batch depends on that of its file.
    Raises HandbookError for what the page cannot read; its message speaks of the batch's files.
    """
    try:
        if is_table(page):
            return _ordered(_read_table(page, pinned, files[0], scratch))
        return _ordered(_read_pictures(page, files, scratch))
    except HandbookError as error:
        raise HandbookError(of_the_batch(str(error), files, scratch)) from None


def _ordered(content: Content) -> Content:
    facts = content.facts.sort_values(list(content.facts.columns), kind="stable")
    order, loaded = facts.index.to_numpy(np.int64), content.loaded
    return Content(facts.reset_index(drop=True), None if loaded is None else loaded.take(order))


def _read_table(page: ModuleType, pinned: Path, file: Path, scratch: Path) -> Content:
    alone, joined = scratch / "alone", scratch / "joined"
    for place in (alone, joined):
        place.mkdir(parents=True)
    answers = target(page)
    text = file.read_bytes()
    separator = _lacks_only(answers, page, text)
    if separator:
        text = _with_stand_in(text, separator, pinned, page)
    _write(alone / page.FILES[0].name, text)
    facts = page.facts(alone)
    if separator:
        return Content(facts.drop(columns=answers), None)
    # Beside the pinned rows, because a page reads no table whose rows are all of one class
    own = _pinned_file(page, pinned)
    _write(joined / own.name, append(_plain_bytes(own), text))
    whole = page.load(joined)
    return Content(facts, whole.take(np.arange(len(whole) - len(facts), len(whole))))


def append(rows: bytes, batch: bytes) -> bytes:
    """One CSV of two with the same header."""
    return rows + (b"" if rows.endswith(b"\n") else b"\n") + batch.split(b"\n", 1)[1]


def _pinned_file(page: ModuleType, directory: Path) -> Path:
    """The file that the dataset's rows lie in, whichever form it is of."""
    names = [files[0].name for files in forms(page).values()]
    return next(directory / name for name in names if (directory / name).exists())


def _plain_bytes(path: Path) -> bytes:
    return unpacking.read(path) if path.suffix == ".gz" else path.read_bytes()


def _write(path: Path, text: bytes) -> None:
    path.write_bytes(gzip.compress(text, compresslevel=1, mtime=0) if path.suffix == ".gz" else text)


def _lacks_only(answers: str, page: ModuleType, text: bytes) -> str:
    """The separator of a CSV that has every column but the target; else nothing."""
    header = text.split(b"\n", 1)[0].decode(errors="replace").strip().replace('"', "")
    wanted = [name for name in page.COLUMNS if name != answers]
    return next((mark for mark in tables.DELIMITERS if header.split(mark) == wanted), "")


def _with_stand_in(text: bytes, separator: str, pinned: Path, page: ModuleType) -> bytes:
    """The CSV with some answer in every row, for a page that reads whole rows; it is taken out again after that."""
    own = _plain_bytes(_pinned_file(page, pinned)).split(b"\n", 2)
    mark = separator.encode()
    answer = own[1].rstrip(b"\r").rsplit(mark, 1)[1]
    header, *rows = text.rstrip(b"\r\n").replace(b"\r\n", b"\n").split(b"\n")
    lines = [header + mark + target(page).encode(), *(row + mark + answer for row in rows)]
    return b"\n".join(lines) + b"\n"


def _read_pictures(page: ModuleType, files: tuple[Path, ...], scratch: Path) -> Content:
    """The page reads pairs for training and for testing: the batch stands for both, and the test part is kept."""
    scratch.mkdir(parents=True, exist_ok=True)
    for split in ("train", "t10k"):
        for file, end in zip(files, (IMAGES, LABELS), strict=True):
            shutil.copyfile(file, scratch / f"{split}{end}")
    loaded, facts = page.load(scratch).test, page.facts(scratch)
    if not len(loaded):
        raise HandbookError(f"{files[0]} holds 0 pictures")
    return Content(facts[facts["split"] == "test"].reset_index(drop=True), loaded)


def whole(data: Table | LabelledImages) -> Table | Pictures:
    """All rows of a dataset, whatever they are for."""
    return data.train.join(data.test) if isinstance(data, LabelledImages) else data

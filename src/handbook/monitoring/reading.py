"""What a batch holds, and what may be expected of it.

The dataset's page reads a batch, and its suite judges it: of the expectations, those are kept that every part of a
table inherits from the whole (each value's range, no row twice); counts, means and sums speak of the whole alone.
"""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from handbook import contract
from handbook.data import images
from handbook.data.images import LabelledImages, Pictures
from handbook.data.tables import Table
from handbook.errors import HandbookError
from handbook.monitoring import rows
from handbook.monitoring.inbox import IMAGES, LABELS, is_table
from handbook.monitoring.suites import of_the_batch

if TYPE_CHECKING:
    import pandas as pd

COMPARED = ("label", "brightest", "mean", "ink")  # of the facts of a picture; the others differ for all or for none
NAMES_OF_ROWS = ("CustomerID",)
AGAIN = "Mend the batch, and put it there again"


@dataclass(frozen=True)
class Content:
    """What a batch holds: a fact table (M rows), and, where there are answers, what the page's `load` makes of it."""

    facts: pd.DataFrame
    loaded: Table | Pictures | None  # the M rows with their answers; None without answers


def compared(page: ModuleType, facts: pd.DataFrame, ignored: Collection[str] = ()) -> pd.DataFrame:
    """The columns of a table of facts that are compared for drift: attributes and answers, but no names of rows.

    `ignored` are the attributes that the case leaves out: what they do is nothing to it.
    """
    if not is_table(page):
        return facts[list(COMPARED)]
    left_out = {*NAMES_OF_ROWS, *ignored}
    return facts[[name for name in page.COLUMNS if name in facts and name not in left_out]]


def ignored(page: ModuleType, params: Any, features: Collection[str]) -> frozenset[str]:
    """The attributes of a table that a case makes nothing of: those not among its `features`, or that it ignores."""
    if not is_table(page):
        return frozenset()
    unused = {name for name in page.COLUMNS if name not in features and name != target(page)}
    return frozenset(unused | {*getattr(params, "ignore", ())})


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
    Raises HandbookError for what cannot be read, whatever the page stumbles over; its message speaks of the batch's
    files. A machine without room for it is another matter: OSError and MemoryError pass.
    """
    try:
        content = (
            _read_table(page, pinned, files[0], scratch) if is_table(page) else _read_pictures(page, files, scratch)
        )
        return _ordered(content)
    except HandbookError as error:
        raise HandbookError(f"{of_the_batch(str(error), files, scratch)}.\n{AGAIN}") from None
    except (OSError, MemoryError):
        raise
    except Exception as error:  # a batch holds whatever people put into it
        said = of_the_batch(f"{type(error).__name__}: {error}", files, scratch)
        raise HandbookError(
            f"{files[0].name} cannot be read as a batch ({said}). Compare it with {page.FILES[0].name}.\n{AGAIN}"
        ) from None


def _ordered(content: Content) -> Content:
    facts = content.facts.sort_values(list(content.facts.columns), kind="stable")
    order, loaded = facts.index.to_numpy(np.int64), content.loaded
    return Content(facts.reset_index(drop=True), None if loaded is None else loaded.take(order))


def _read_table(page: ModuleType, pinned: Path, file: Path, scratch: Path) -> Content:
    alone, joined = scratch / "alone", scratch / "joined"
    for place in (alone, joined):
        place.mkdir(parents=True)
    columns, own = list(page.COLUMNS), rows.pinned_file(page, pinned)
    own_text = rows.plain_bytes(own)
    separator, answer = rows.manner(own_text, columns)
    found = rows.read(file, columns, separator)
    if len(found.header) < len(columns):
        _write(alone / page.FILES[0].name, found.text(answer=answer, target=target(page)))
        return Content(page.facts(alone).drop(columns=target(page)), None)
    _write(alone / page.FILES[0].name, found.text())
    facts = page.facts(alone)
    # Before the pinned rows, because a page reads no table whose rows are all of one class; so its rows keep numbers
    _write(joined / own.name, append(found.text(), own_text))
    return Content(facts, page.load(joined).take(np.arange(len(facts))))


def append(one: bytes, other: bytes) -> bytes:
    """One CSV of two with the same header."""
    return one + (b"" if one.endswith(b"\n") else b"\n") + other.split(b"\n", 1)[1]


def _write(path: Path, text: bytes) -> None:
    path.write_bytes(gzip.compress(text, compresslevel=1, mtime=0) if path.suffix == ".gz" else text)


def _read_pictures(page: ModuleType, files: tuple[Path, ...], scratch: Path) -> Content:
    """The page reads pairs for training and for testing: the batch is to test on, a black picture to train on."""
    scratch.mkdir(parents=True, exist_ok=True)
    for file, end in zip(files, (IMAGES, LABELS), strict=True):
        shutil.copyfile(file, scratch / f"t10k{end}")
    images.write_idx(scratch / f"train{IMAGES}", np.zeros((1, images.SIDE, images.SIDE), np.uint8))
    images.write_idx(scratch / f"train{LABELS}", np.zeros(1, np.uint8))
    loaded = page.load(scratch).test
    if not len(loaded):
        raise HandbookError(f"{files[0]} holds 0 pictures")
    facts = page.facts(scratch)
    return Content(facts[facts["split"] == "test"].reset_index(drop=True), loaded)


def whole(data: Table | LabelledImages) -> Table | Pictures:
    """All rows of a dataset, whatever they are for."""
    return data.train.join(data.test) if isinstance(data, LabelledImages) else data

"""The book's split of the bank's rows as labs take it, and a key by which what is computed from it is kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from handbook.data import partition
from handbook.data.tables import Table

# As `bank:` in params.yaml and the dataset's page have them, both above what a lab may know; tests hold them together.
KNOWN_AFTER_THE_CALL = ("duration",)
TASK = partition.Task(
    seed=0,
    split_seed=4,
    test_share=0.33,
    validation_share=0.1,
    leave_out=(),
    threshold=None,
    false_negative=5.0,
    false_positive=1.0,
)


@dataclass(frozen=True, eq=False)
class Keyed:
    """What is equal, and of one hash, where all cells of its rows are: so that what is computed from it is kept."""

    digest: str

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, type(self)) and self.digest == other.digest


@dataclass(frozen=True, eq=False)
class Study(Keyed):
    """Rows to learn from, to choose by and to be judged by."""

    train: Table
    valid: Table
    test: Table

    @classmethod
    def of(cls, data: Table, leave_out: tuple[str, ...] = ()) -> Study:
        """The book's split without these columns; ValueError if there is no such column."""
        parts = partition.rows(data, replace(TASK, leave_out=leave_out))
        assert parts.valid is not None  # TASK holds rows out
        return cls(digest(data) + ",".join(leave_out), parts.train, parts.valid, parts.test)

    @property
    def development(self) -> Table:
        """All rows but those that judge."""
        return self.train.join(self.valid)


def digest(table: Table) -> str:
    """A hash of names, types, cells and target; the order of the rows counts, their index does not."""
    from pandas.util import hash_pandas_object

    state = hashlib.sha256(repr([(str(name), str(each.dtype)) for name, each in table.features.items()]).encode())
    state.update(hash_pandas_object(table.features, index=False).to_numpy().tobytes())
    state.update(table.target.tobytes())
    return state.hexdigest()

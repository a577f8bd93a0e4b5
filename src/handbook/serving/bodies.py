"""What a request holds, by its content type: pictures, rows, prompts or seeds, checked as `predict` checks files."""

from __future__ import annotations

import io
import json
import struct
import tokenize
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.serving import inputs, tables
from handbook.serving.choice import Chosen, columns_of, form_of, kind_of
from handbook.serving.inputs import Batch, Fault
from handbook.serving.limits import Limits, RefusalError
from handbook.serving.tables import Field

if TYPE_CHECKING:
    import pandas as pd

JSON, CSV, ARROW = "application/json", "text/csv", "application/vnd.apache.arrow.stream"
NPY, PNG, JPEG, PARTS = "application/x-npy", "image/png", "image/jpeg", "multipart/form-data"
TAKEN = {  # content types by what a model takes
    "pictures": (JSON, NPY, PNG, JPEG, PARTS),
    "rows": (JSON, CSV, ARROW),
    "prompts": (JSON,),
    "latents": (JSON,),
}
FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")  # of JSON, as MLflow's scoring server has them
PARSED_HEADER = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


@dataclass(frozen=True)
class Reader:
    """Reads requests to one model.

    Args:
        kind: What it takes: pictures, rows, prompts or latents.
        fields: The columns of its signature; none where it takes an array.
        form: Of pictures, their shape and ground.
        columns: Of rows, what each must hold.
        limits: What is refused unread.
    """

    kind: str
    fields: tuple[Field, ...]
    form: Any
    columns: Mapping[str, Any]
    limits: Limits

    @classmethod
    def of(cls, chosen: Chosen, schema: Any, changes: Mapping[str, Any]) -> Reader:
        """The reader for a model with that signature, with the usual limits and those changed."""
        kind = kind_of(chosen)
        form = form_of(chosen) if kind == "pictures" else None
        columns = columns_of(chosen) if kind == "rows" else {}
        return cls(kind, tables.fields_of(schema), form, columns, Limits.of(kind, changes))

    @property
    def types(self) -> tuple[str, ...]:
        """The content types that it reads."""
        return TAKEN[self.kind]

    def read(self, mime: str, options: Mapping[str, str], body: bytes) -> Batch:
        """The inputs of a request, all of them good. RefusalError for any that is not, HandbookError for the whole."""
        reads: dict[str, Callable[[], Batch]] = {
            JSON: lambda: self._json(body),
            CSV: lambda: self._lines(body),
            ARROW: lambda: self._frame(arrow(body, self.limits)),
            NPY: lambda: self._array(npy(body)),
            PNG: lambda: inputs.encoded([("1", body)], self.form),
            JPEG: lambda: inputs.encoded([("1", body)], self.form),
            PARTS: lambda: self._encoded(parts(body, options.get("boundary", ""), self.limits)),
        }
        if mime not in self.types:
            raise RefusalError(415, f"expected content type {', '.join(self.types)}, found {mime or 'none'}")
        batch = reads[mime]()
        if batch.faults:
            raise refused(batch.faults)
        if not len(batch.names):
            raise RefusalError(400, f"expected at least one of the {self.kind}, found none")
        return batch

    def _json(self, body: bytes) -> Batch:
        form, content = parsed(body, self.limits)
        if self.kind in ("pictures", "latents") and not self.fields:
            if form not in ("inputs", "instances"):
                raise RefusalError(400, f"expected the {self.kind} as a list under `inputs`, found `{form}`")
            return self._array(numbers(content))
        names = [field.name for field in self.fields]
        table = tables.table(form, content, names, names[0] if self.kind in ("prompts", "latents") else None)
        return self._frame(table)

    def _array(self, values: npt.NDArray[Any]) -> Batch:
        if self.kind == "pictures":
            if values.ndim == len(self.form.shape):
                values = values[None]  # one picture
            self.limits.check_count(len(values) if values.ndim else 0, self.kind)
            return inputs.array(values, self.form, _numbers(len(values) if values.ndim else 0))
        if values.ndim == 0:
            raise RefusalError(400, f"expected a list of {self.kind}, found {values!r}")
        self.limits.check_count(len(values), self.kind)
        return Batch(_numbers(len(values)), values, [""] * len(values))

    def _encoded(self, pictures: list[tuple[str, bytes]]) -> Batch:
        self.limits.check_count(len(pictures), self.kind)
        return inputs.encoded(pictures, self.form)

    def _frame(self, table: pd.DataFrame) -> Batch:
        self.limits.check_count(len(table), self.kind)
        if self.kind == "rows":
            return inputs.frame(table, self.columns)
        batch = tables.typed(table, self.fields)
        if self.kind == "prompts" and not batch.faults:
            self.limits.check_writing(*writing(batch.data))
        return batch

    def _lines(self, body: bytes) -> Batch:
        try:
            text = io.StringIO(body.decode("utf-8-sig"), newline="")
        except UnicodeDecodeError as error:
            raise RefusalError(400, f"expected CSV in UTF-8, found byte {body[error.start]:#04x}") from None
        return _joined(inputs.lines(text, self.columns, None), self.limits)


def refused(faults: list[Fault]) -> RefusalError:
    """The answer to a request of which some inputs are at fault."""
    first, names = faults[0], {fault.name for fault in faults}
    where = f"{first.name}, column {first.column!r}" if first.column else first.name
    more = f" (and {len(names) - 1:,} more)" if len(names) > 1 else ""
    return RefusalError(400, f"{where}: {first.problem}{more}", faults)


def writing(table: pd.DataFrame) -> tuple[list[str], list[float]]:
    """The prompts (N,) of a table, and how many characters are to be written after each (N,)."""
    from handbook.data.texts import Request

    lengths = table["length"].fillna(Request.length).tolist() if "length" in table else [Request.length]
    return table["prompt"].tolist(), lengths


def _numbers(count: int) -> list[str]:
    return [str(k + 1) for k in range(count)]


def _joined(batches: Iterable[Batch], limits: Limits) -> Batch:
    """One batch of several, read no further than the limit."""
    import pandas as pd

    found: list[Batch] = []
    for batch in batches:
        found.append(batch)
        limits.check_count(sum(len(each.names) + len(each.faults) for each in found), "rows")
    return Batch(
        [name for each in found for name in each.names],
        pd.concat([each.data for each in found], ignore_index=True) if found else pd.DataFrame(),
        [note for each in found for note in each.notes],
        [fault for each in found for fault in each.faults],
    )


def parsed(body: bytes, limits: Limits) -> tuple[str, Any]:
    """The form of a JSON body, one of FORMS, and what stands there. RefusalError for what is no such JSON."""
    limits.check_depth(body)
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RefusalError(400, f"expected JSON in UTF-8: {str(error)[:200]}") from None
    found = [form for form in FORMS if form in content] if isinstance(content, dict) else []
    if len(found) != 1:
        there = f"an object with {', '.join(found)}" if found else f"{type(content).__name__} {str(content)[:60]!r}"
        raise RefusalError(400, f"expected a JSON object with exactly one of {', '.join(FORMS)}, found {there}")
    return found[0], content[found[0]]


def numbers(content: Any) -> npt.NDArray[Any]:
    """A list of lists of numbers as an array; RefusalError for lists of several lengths, and for what is no number."""
    try:
        values = np.asarray(content)
    except ValueError:
        raise RefusalError(400, "expected lists of one length, found lists of several lengths") from None
    if values.dtype.kind not in "biuf":
        raise RefusalError(400, f"expected numbers, found {str(content)[:60]}")
    return values


def npy(body: bytes) -> npt.NDArray[Any]:
    """The array of a .npy file, without pickle, and without taking its header's word for its size."""
    width = 4 if body[6:7] == b"\2" else 2  # bytes that say how long the header is, by the version of the format
    start = 8 + width + int.from_bytes(body[8 : 8 + width], "little")
    try:
        shape, by_column, dtype = _described(body[:start])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError, SyntaxError, tokenize.TokenError):
        raise RefusalError(400, "expected a NumPy file (.npy), as numpy.save writes it; found none") from None
    if dtype.kind not in "biuf":
        raise RefusalError(400, f"expected an array of numbers, found dtype {dtype}")
    left, expected = len(body) - start, int(np.prod(shape, dtype=object)) * dtype.itemsize
    if left != expected:
        raise RefusalError(400, f"expected {expected:,} bytes after the header of the array, found {left:,}")
    return np.frombuffer(body, dtype, offset=start).reshape(shape, order="F" if by_column else "C")


@lru_cache(64)  # Python's own parser reads it, which takes longer than the pictures; clients send the same again
def _described(head: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    return PARSED_HEADER[np.lib.format.read_magic(stream := io.BytesIO(head))](stream)


def parts(body: bytes, boundary: str, limits: Limits) -> list[tuple[str, bytes]]:
    """The files of a form, each with its name, as a browser or `curl -F` sends them."""
    from werkzeug.exceptions import HTTPException
    from werkzeug.sansio import multipart

    decoder = multipart.MultipartDecoder(boundary.encode(), max_parts=limits.inputs)
    found: list[tuple[str, bytearray]] = []
    try:
        decoder.receive_data(body)
        decoder.receive_data(None)
        while not isinstance(event := decoder.next_event(), multipart.Epilogue | multipart.NeedData):
            if isinstance(event, multipart.File | multipart.Field):
                found.append((getattr(event, "filename", "") or event.name or str(len(found) + 1), bytearray()))
            elif isinstance(event, multipart.Data):
                found[-1][1].extend(event.data)
    except (ValueError, HTTPException) as error:
        raise RefusalError(400, f"expected a form as multipart/form-data: {error}") from None
    return [(name, bytes(content)) for name, content in found]


def arrow(body: bytes, limits: Limits) -> pd.DataFrame:
    """The rows of an Arrow IPC stream, one of numbers and words that is not compressed."""
    import pyarrow as pa

    try:
        _refuse_compressed(body)
        with pa.ipc.open_stream(pa.py_buffer(body)) as reader:
            strange = [field.name for field in reader.schema if not _plain(field.type)]
            if strange:
                raise RefusalError(400, f"expected columns of numbers and words, found {', '.join(strange)[:200]}")
            batches, count = [], 0
            for batch in reader:
                batch.validate(full=True)
                count += batch.num_rows
                limits.check_count(count, "rows")
                batches.append(batch)
            return _objects(pa.Table.from_batches(batches, reader.schema))
    except (pa.ArrowException, OSError, struct.error, IndexError, UnicodeDecodeError) as error:
        raise RefusalError(400, f"expected an Arrow IPC stream: {str(error)[:200]}") from None


def _plain(kind: Any) -> bool:
    import pyarrow as pa

    known = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_string)
    return any(test(kind) for test in (*known, pa.types.is_large_string))


def _objects(table: Any) -> pd.DataFrame:
    """A table of Python's own values, None for what is missing: what was an integer stays one beside a gap."""
    import pandas as pd

    columns = {name: table.column(k).to_pylist() for k, name in enumerate(table.column_names)}
    return pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()})


def _refuse_compressed(body: bytes) -> None:
    """RefusalError for batches that are compressed: their size in memory is known only once they are unpacked.

    By the format of the stream (Arrow columnar format, "Encapsulated message format"): messages one after another, of
    each its length and a FlatBuffer, whose header is a RecordBatch with `compression` as its fourth field.
    """
    place = 0
    while place + 8 <= len(body):
        mark, size = struct.unpack_from("<Ii", body, place)
        if mark != 0xFFFFFFFF or size <= 0:
            return  # its end; or no stream, which pyarrow finds
        message = memoryview(body)[place + 8 : place + 8 + size]
        root = struct.unpack_from("<I", message)[0]
        kind, header, length = (_field(message, root, k) for k in (1, 2, 3))
        if kind and header and message[kind] in (2, 3):  # DictionaryBatch, RecordBatch
            table = header + struct.unpack_from("<I", message, header)[0]
            if message[kind] == 2 and (data := _field(message, table, 1)):  # the batch inside it
                table = data + struct.unpack_from("<I", message, data)[0]
            if _field(message, table, 3):
                raise RefusalError(400, "expected an Arrow stream without compression, found a compressed one")
        place += 8 + size + (struct.unpack_from("<q", message, length)[0] if length else 0)


def _field(message: memoryview, table: int, number: int) -> int:
    """Where a field of a FlatBuffer's table lies; 0 if it is left out."""
    offsets = table - struct.unpack_from("<i", message, table)[0]
    if 4 + 2 * number >= struct.unpack_from("<H", message, offsets)[0]:
        return 0
    offset = struct.unpack_from("<H", message, offsets + 4 + 2 * number)[0]
    return table + offset if offset else 0

"""What a request holds is read whole or refused, whatever its bytes claim, in no more memory than it is long."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from handbook.serving import bodies
from handbook.serving.inputs import Fault
from handbook.serving.limits import Limits, RefusalError

LIMITS = Limits(inputs=10)
TABLE = pa.table({"age": pa.array([40, None], pa.int64()), "job": ["admin.", "x"], "share": [0.5, 1.0]})


def npy(array: Any) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=True)
    return out.getvalue()


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["uint8", "int16", "float64", ">f4"])
def test_a_numpy_file_is_read_as_numpy_reads_it(order: Any, dtype: str) -> None:
    array = np.asarray(np.arange(24).reshape(2, 3, 4), dtype=dtype, order=order)
    assert np.array_equal(bodies.npy(npy(array)), array)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"\x93NUMPY", npy(np.zeros(3))[:-1], npy(np.zeros(3)) + b"0", npy(np.array([{}, []], dtype=object)),
        npy(np.zeros(2, dtype=[("a", "i4")])), npy(np.array(["a"])), npy(np.zeros(8)).replace(b"(8,)", b"(9**"),
        npy(np.zeros(8)).replace(b"(8,), }      ", b"(99999999,),}"), b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535,
    ],
)  # fmt: skip
def test_a_numpy_file_that_claims_what_it_does_not_hold_is_refused(body: bytes) -> None:
    with pytest.raises(RefusalError, match="expected") as refused:
        bodies.npy(body)
    assert refused.value.status == 400


def stream(table: Any, **options: Any) -> bytes:
    out = io.BytesIO()
    with pa.ipc.new_stream(out, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return out.getvalue()


def test_rows_in_arrow_are_pythons_own_values_and_a_gap_is_none() -> None:
    found = bodies.arrow(stream(TABLE), LIMITS)
    assert found.to_dict("list") == {"age": [40, None], "job": ["admin.", "x"], "share": [0.5, 1.0]}
    assert isinstance(found["age"].iloc[0], int)


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_compressed_arrow_is_refused_before_it_is_unpacked(codec: str) -> None:
    bomb = stream(pa.table({"age": np.zeros(1_000_000)}), compression=codec)
    with pytest.raises(RefusalError, match="without compression"):
        bodies.arrow(bomb, LIMITS)


def test_arrow_of_more_rows_than_are_taken_and_of_other_columns_is_refused() -> None:
    with pytest.raises(RefusalError, match="at most 10 rows"):
        bodies.arrow(stream(pa.table({"age": list(range(11))})), LIMITS)
    with pytest.raises(RefusalError, match="at most 10 rows"):  # no bytes at all for a million rows
        bodies.arrow(stream(pa.table({"age": pa.array([], pa.int64())})).replace(b"", b"") and many(), LIMITS)
    for strange in (pa.array([[1]]), pa.array([b"a"]), pa.nulls(1), pa.array(["a"]).dictionary_encode()):
        with pytest.raises(RefusalError, match="numbers and words, found odd"):
            bodies.arrow(stream(pa.table({"odd": strange})), LIMITS)


def many() -> bytes:
    """A stream of a batch without columns that says it has a million rows."""
    empty = pa.RecordBatch.from_struct_array(pa.array([{}] * 1_000_000, pa.struct([])))
    return stream(pa.Table.from_batches([empty]))


def test_no_damaged_arrow_escapes_as_anything_but_a_refusal_or_rows() -> None:
    good, rng = stream(TABLE), np.random.default_rng(0)
    for _ in range(400):
        body = bytearray(good)
        for place in rng.integers(0, len(body), rng.integers(1, 6)):
            body[place] = rng.integers(0, 256)
        try:
            assert len(bodies.arrow(bytes(body[: rng.integers(1, len(body) + 1)]), LIMITS)) <= 10
        except RefusalError as refused:
            assert refused.status in (400, 413)


def form(*parts: tuple[str, bytes]) -> bytes:
    head = '--b\r\nContent-Disposition: form-data; name="p"; filename="{}"\r\n\r\n'
    return b"".join(head.format(name).encode() + body + b"\r\n" for name, body in parts) + b"--b--\r\n"


def test_the_files_of_a_form_keep_their_names_and_their_bytes() -> None:
    given = [("a.png", b"\r\n--c\r\n\x00\xff"), ("b.png", b"")]
    assert bodies.parts(form(*given), "b", LIMITS) == given


@pytest.mark.parametrize("body", [b"", b"--b", b"--b\r\n\r\n", b"x" * 100, form(*[("a", b"")] * 11)])
def test_a_form_that_is_none_or_too_long_is_refused(body: bytes) -> None:
    with pytest.raises(RefusalError):
        assert bodies.parts(body, "b", LIMITS)
        raise AssertionError("it was taken for a form")


def test_a_refusal_of_several_inputs_says_the_first_and_how_many_more() -> None:
    faults = [Fault("3", "age", "too old"), Fault("3", "job", "none"), Fault("7", "", "all of it")]
    refused = bodies.refused(faults)
    assert refused.message == "3, column 'age': too old (and 1 more)"
    assert refused.faults == faults


def test_what_is_to_be_written_is_as_long_as_the_default_where_nothing_is_said() -> None:
    table = pd.DataFrame({"prompt": ["a", "bc"], "length": [7.0, None]})
    assert bodies.writing(table) == (["a", "bc"], [7.0, 400.0])
    assert bodies.writing(table[["prompt"]]) == (["a", "bc"], [400])


def test_a_field_that_a_flatbuffer_leaves_out_is_nowhere() -> None:
    message = memoryview(
        struct.pack("<HHHxxi", 6, 8, 4, 8) + b"\x00" * 4
    )  # a table of one field, 8 bytes after its vtable
    assert bodies._field(message, 8, 0) == 12
    assert bodies._field(message, 8, 1) == 0

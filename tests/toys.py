"""Toys: a dataset of files that are carried along with a sample of them, and a table of four calls."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd

from handbook.data import fetch
from handbook.data.provenance import File

CONTENT = bytes(range(256)) * 64
# What a training leaves beside its model, of which the report shows the seconds and the device.
TRAINED = {
    "epochs": 1,
    "samples": 9,
    "seconds": 1.0,
    "samples_per_second": 9,
    "device": "cpu",
    "threads": 1,
    "key": "k",
}
CALLS = pd.DataFrame(
    {
        "age": [30, 40, 50, 60],
        "same": [7, 7, 7, 7],
        "month": pd.array(["may", "jan", "dec", "may"], dtype="str"),
        "day": [1, 15, 31, 2],
    }
)


def page(*names: str) -> Any:
    """A dataset of these files, of which the real ones are carried along."""

    def draw(directory: Path, seed: int) -> None:
        for number, name in enumerate(names):
            (directory / name).write_bytes(bytes([seed, number]) * 8)

    digest = hashlib.sha256(CONTENT).hexdigest()
    files = tuple(File(name, digest, (), lambda path: path.write_bytes(CONTENT) and None) for name in names)
    return SimpleNamespace(
        FILES=files, SOURCE="somewhere", LICENCE="none", ROWS={"all": 1}, SAMPLE_ROWS={"all": 1}, SAMPLE_LICENCE="none",
        __name__="toy", load=lambda directory: None, sample=draw,
    )  # fmt: skip


def obtain(toy: Any, tmp_path: Path) -> dict[str, Any]:
    return fetch.obtain(toy, tmp_path / "data" / "toy", fetch.Search("auto", tmp_path / "scratch"))


def refused_by(expectations: list[Any]) -> Callable[[pd.DataFrame], set[str]]:
    """A gate: the meanings of those expectations that a table does not meet."""
    import great_expectations as gx

    suite = gx.ExpectationSuite(name="a", expectations=expectations)
    assets = gx.get_context(mode="ephemeral").data_sources.add_pandas("p").add_dataframe_asset("a")
    whole = assets.add_batch_definition_whole_dataframe("b")

    def check(facts: pd.DataFrame) -> set[str]:
        found = whole.get_batch({"dataframe": facts}).validate(suite)
        return {str(each.expectation_config.description) for each in found.results if not each.success}

    return check

"""A sweep through Prefect: a process of its own, its progress shown, its proposal to look at."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import yaml
from pydantic import TypeAdapter

from flows import sweep
from handbook.errors import HandbookError
from tests.conftest import ROOT
from tests.flows.test_flows import artifact


def ranged(toy: Path) -> None:
    (toy / "params.yaml").write_text((toy / "params.yaml").read_text() + "\nsweeps: {apple: {weight: [0, 9]}}\n")


def test_the_form_offers_the_cases_with_ranges_alone(toy: Path) -> None:
    ranged(toy)
    offered = TypeAdapter(get_type_hints(sweep.sweep.fn, include_extras=True)["case"])
    assert offered.json_schema()["enum"] == ["apple"]


@pytest.mark.usefixtures("server")
def test_a_case_without_ranges_is_not_swept(toy: Path) -> None:
    ranged(toy)
    with pytest.raises(HandbookError, match="no case with ranges under `sweeps:` 'pear_book'; choose from apple"):
        sweep.sweep("pear_book")


@pytest.mark.usefixtures("server")
def test_a_sweep_that_fails_tells_why(toy: Path) -> None:
    ranged(toy)
    state: Any = sweep.sweep("apple", 1, return_state=True)
    assert state.is_failed()
    assert "the sweep of apple ended with 1:\n  error: no case page 'pome'" in state.message


@pytest.mark.slow
@pytest.mark.usefixtures("server")
def test_a_sweep_shows_how_far_it_is_and_what_it_proposes(
    toy: Path, samples: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = yaml.safe_load((ROOT / "params.yaml").read_text())
    numbers["cases"]["mlp"]["epochs"] = 1
    (toy / "params.yaml").write_text(yaml.safe_dump(numbers, sort_keys=False))
    shutil.copytree(samples("bank_marketing"), toy / "data" / "bank_marketing")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'src'}{os.pathsep}{ROOT}")
    state: Any = sweep.sweep("mlp", 3, return_state=True)
    assert state.is_completed(), state.message
    assert float(artifact("mlp-sweep")) == 100.0
    assert artifact("mlp-proposal").startswith("# mlp")

"""What a run is given: its device, its processes, its listener."""

from __future__ import annotations

import pytest

from handbook.training import run


def test_apples_accelerator_is_used_but_for_float64_and_for_several_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: True)
    assert run.device().type == "mps"
    assert run.device(double=True).type == "cpu"
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert run.device().type == "cpu"


def test_the_first_of_several_processes_writes_and_each_has_an_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.delenv("RANK", raising=False)
    assert (run.processes(), run.first()) == (1, True)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert run.device().index is None
    for name, value in (("WORLD_SIZE", "4"), ("RANK", "5"), ("LOCAL_RANK", "1")):
        monkeypatch.setenv(name, value)
    assert (run.processes(), run.first()) == (4, False)
    assert str(run.device()) == "cuda:1"

"""The cores that a process may use, not those that the machine has, and the threads that its user grants."""

from __future__ import annotations

import os

import pytest

from handbook.startup.cores import available_cores, granted_threads


def test_a_process_that_may_use_one_core_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert available_cores() == 1


def test_where_the_system_does_not_say_it_is_the_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert available_cores() == 5
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_cores() == 1


@pytest.mark.parametrize(("granted", "threads"), [("3", 3), ("4,2", 4), ("auto", 0), ("", 0), ("0", 0)])
def test_threads_are_granted_by_a_number_alone(granted: str, threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", granted)
    assert granted_threads() == threads

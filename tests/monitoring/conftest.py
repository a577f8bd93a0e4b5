"""Checkouts with a champion and a folder for what comes in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from handbook.project import Project
from tests.monitoring.toys import CASE, PICTURES, copied


@pytest.fixture
def watched(champion_of: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    return copied(champion_of(CASE), CASE, tmp_path / "project", monkeypatch)


@pytest.fixture
def seen(champion_of: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    return copied(champion_of(PICTURES), PICTURES, tmp_path / "project", monkeypatch)

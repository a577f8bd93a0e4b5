"""The suite itself: what several workers are given."""

from __future__ import annotations

import os

import pytest

from tests.conftest import group


def test_a_worker_is_given_whole_groups(request: pytest.FixtureRequest) -> None:
    """xdist reads a test's group off the end of its name, which it writes there before anything is run."""
    alone = "PYTEST_XDIST_WORKER" not in os.environ
    for item in request.session.items:
        assert item.nodeid.endswith("" if alone else f"@{group(item)}")

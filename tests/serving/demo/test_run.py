"""The demo's server: on this machine alone, and a port in use is reported before anything is loaded."""

from __future__ import annotations

import socket

import pytest

from handbook.errors import HandbookError
from handbook.project import Project
from handbook.serving.demo import run
from tests.conftest import ROOT


def test_it_is_opened_by_the_names_of_loopback_alone() -> None:
    with socket.create_server((run.HOST, 0)) as taken:
        port = taken.getsockname()[1]
        assert run.addresses(taken) == (f"http://127.0.0.1:{port}", f"http://localhost:{port}")


def test_a_port_in_use_is_named_with_the_way_out() -> None:
    with socket.create_server((run.HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(HandbookError, match=rf"port {port} of 127\.0\.0\.1 is in use.*--port"):
            run.demo(Project(ROOT), port)

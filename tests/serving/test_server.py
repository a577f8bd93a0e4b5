"""The server says where it is, by an address that can be typed."""

from __future__ import annotations

import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from handbook.serving import server


@pytest.mark.parametrize(("host", "typed"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1")])  # noqa: S104
def test_the_line_to_try_is_one_that_a_shell_takes_whatever_the_folder_is_called(host: str, typed: str) -> None:
    example = Path("/a folder/it's here.json")
    with socket.socket() as taken:
        taken.bind((host, 0))
        address = f"http://{typed}:{taken.getsockname()[1]}/invocations"
        said, line = server.announcement("toy version 1", taken, example).splitlines()
    assert said == f"toy version 1 is at {address}, until Ctrl-C. Try it:"
    words = shlex.split(line)
    assert words[:2] == ["curl", address]
    assert words[-1] == f"@{example}"


def test_the_server_knows_nothing_of_the_handbook_that_starts_it() -> None:
    loaded = "print([name for name in sys.modules if name.partition('.')[0] == 'handbook'])"
    script = f"import runpy, sys; runpy.run_path({server.__file__!r}); {loaded}"
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

"""What is freed stays with the process, and costs nothing when it is needed again."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from handbook.startup import memory

STEPS = """
import resource, sys
import numpy as np
from handbook.startup import memory
if sys.argv[1] == "kept":
    memory.keep_freed()
def step():
    layers = [np.ones(size) for size in (2**17, 2**21, 2**23)]  # 1, 16 and 64 MiB
for _ in range(3):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(*words: str) -> int:
    """The pages that the system handed out while ten steps took 81 MiB each and freed them."""
    done = subprocess.run([sys.executable, "-c", STEPS, *words], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has the switch")
def test_a_step_that_takes_as_much_as_the_one_before_gets_no_new_page() -> None:
    assert faults("kept") < 100
    assert faults("given back") > 200  # some of them large: the system hands out 2 MiB at once where it can


def test_where_there_is_no_such_switch_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda _: object())
    memory.keep_freed()

"""One process at a time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from handbook.files import locks


def test_one_process_holds_a_lock_and_the_next_waits_or_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "new" / ".lock"
    taking = "import sys; from pathlib import Path; from handbook.files import locks\n"
    other = [sys.executable, "-c", taking + "with locks.alone(Path(sys.argv[1]), 'busy'): print('held')", str(path)]
    with locks.alone(path):
        path.write_text("kept")
        refused = subprocess.run(other, capture_output=True, text=True, check=False)
        assert "HandbookError: busy" in refused.stderr
    taken = subprocess.run(other, capture_output=True, text=True, check=False)
    assert (taken.stdout, path.read_text()) == ("held\n", "kept")


def test_a_lock_is_given_back_when_its_work_fails_and_when_its_holder_is_killed(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with pytest.raises(ZeroDivisionError), locks.alone(path, "busy"):
        _ = 1 / 0
    taking = "import os, sys; from pathlib import Path; from handbook.files import locks\n"
    dying = taking + "with locks.alone(Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    killed = subprocess.run([sys.executable, "-c", dying, str(path)], check=False)
    assert killed.returncode == -9
    with locks.alone(path, "busy"):
        assert path.exists()

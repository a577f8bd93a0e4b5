"""What a machine may lack or have of its own: links, an accelerator, threads, locks, another checkout's environment."""

from __future__ import annotations

import locale
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows.machine import available_cores
from handbook import encoding, locks, runs, steps, storage
from handbook.errors import HandbookError
from handbook.project import Project


def test_a_file_in_the_place_of_the_link_raw_is_named_with_the_way_out(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.write_text("data")  # what git writes where core.symlinks is false
    with pytest.raises(HandbookError, match=r"raw must be a link to data, and is a file(?s:.*)core\.symlinks true"):
        steps.data(Project(tmp_path), ["iris"], "auto", or_sample=False)
    raw.unlink()
    raw.symlink_to("data")
    steps.data(Project(tmp_path), ["iris"], "auto", or_sample=False)
    assert (raw / "iris" / "provenance.json").exists()


@pytest.mark.parametrize(("granted", "threads"), [("3", 3), ("4,2", 4), ("auto", 0), ("", 0), ("0", 0)])
def test_threads_are_what_the_environment_grants_or_every_core(
    granted: str, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", granted)
    assert storage.threads() == (threads or available_cores())


def test_apples_accelerator_is_used_but_for_float64_and_for_several_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: True)
    assert runs.device().type == "mps"
    assert runs.device(double=True).type == "cpu"
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert runs.device().type == "cpu"


def test_one_process_holds_a_lock_and_the_next_waits_or_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "new" / ".lock"
    taking = "import sys; from pathlib import Path; from handbook import encoding, locks\n"
    other = [sys.executable, "-c", taking + "with locks.alone(Path(sys.argv[1]), 'busy'): print('held')", str(path)]
    with locks.alone(path):
        path.write_text("kept")
        refused = subprocess.run(other, capture_output=True, text=True, check=False)
        assert "HandbookError: busy" in refused.stderr
    taken = subprocess.run(other, capture_output=True, text=True, check=False)
    assert (taken.stdout, path.read_text()) == ("held\n", "kept")


def test_the_code_of_another_checkout_is_refused(tmp_path: Path) -> None:
    (tmp_path / "src/handbook").mkdir(parents=True)
    (tmp_path / "src/handbook/__main__.py").write_text("")
    (tmp_path / "params.yaml").write_text("")
    command = [sys.executable, "-m", "handbook", "check"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"the current folder belongs to {tmp_path}" in done.stderr
    assert "make setup" in done.stderr


def test_a_command_in_another_locale_starts_again_in_utf8(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setenv("PYTHONUTF8", "")
    monkeypatch.setattr(os, "execv", lambda _, words: started.append(words))
    monkeypatch.setattr(locale, "getencoding", lambda: "UTF-8")
    encoding.in_utf8()
    assert started == []
    monkeypatch.setattr(locale, "getencoding", lambda: "ISO-8859-15")
    encoding.in_utf8()
    utf8 = sys.flags.utf8_mode == 1  # make has seen to it already
    assert started == ([] if utf8 else [[sys.executable, *sys.orig_argv[1:]]])
    assert utf8 or os.environ["PYTHONUTF8"] == "1"

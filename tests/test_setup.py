"""The set-up: which Python is taken, when it is done again, and what the environment may not change."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path

import pytest

from tests.conftest import ROOT

REQUIREMENTS = ROOT / "requirements"
# a stand-in for Python that only notes what is asked
PYTHON = """#!/bin/sh
[ -n "{version}" ] || exit 127
case "$*" in
  *version_info*) echo {version} ;;
  *ensurepip*) exit {venv} ;;
  *"-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  *requires*) exit {cuda} ;;
  *purelib*) mkdir -p .venv/lib && echo .venv/lib ;;
  *pip*) echo "$* PIP_USER=$PIP_USER PIP_TARGET=$PIP_TARGET PYTHONHOME=$PYTHONHOME" >> asked
         case "$*" in *torch-cpu*) exit {cpu} ;; esac ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the set-up reads, in a folder whose name has a space and an é."""
    place = tmp_path / "a café"
    place.mkdir()
    shutil.copytree(REQUIREMENTS, place / "requirements")
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, place)
    return place


@pytest.fixture
def python(tmp_path: Path) -> Callable[..., Path]:
    """Puts a Python of this name and version on the path."""
    bin_ = tmp_path / "bin"
    bin_.mkdir()

    def put(name: str, version: str, venv: int = 0, cuda: int = 1, cpu: int = 0) -> Path:
        (bin_ / name).write_text(PYTHON.format(version=version, venv=venv, cuda=cuda, cpu=cpu))
        (bin_ / name).chmod(0o755)
        return bin_ / name

    return put


def setup(checkout: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`make setup`, with the stand-ins before the tools of the system and no other Python."""
    tools = checkout.parent / "tools"
    if not tools.exists():
        tools.mkdir()
        for name in ("sh", "make", "cat", "cksum", "awk", "sed", "mkdir", "cp", "rm", "readlink", "id"):
            (tools / name).symlink_to(str(shutil.which(name)))
    base = {"PATH": f"{checkout.parent / 'bin'}:{tools}", "HOME": str(checkout.parent), "PYENV_ROOT": "/nonexistent"}
    return subprocess.run(
        ["make", "setup", *words], cwd=checkout, capture_output=True, text=True, check=False, env=base | environment
    )


def requested(checkout: Path) -> str:
    return (checkout / "asked").read_text() if (checkout / "asked").exists() else ""


def test_a_fitting_python_is_set_up_once(checkout: Path, python: Callable[..., Path]) -> None:
    python("python3", "3.12.4")
    assert setup(checkout).returncode == 0
    first = requested(checkout)
    assert "--require-hashes -r .venv/half-0.txt" in first
    assert "--editable ." in first
    assert "DVC_SITE_CACHE_DIR" in (checkout / ".venv/lib/handbook_site_cache.pth").read_text()
    again = setup(checkout)
    assert (again.returncode, again.stderr, requested(checkout)) == (0, "", first)


@pytest.mark.parametrize(
    ("version", "fault"), [("3.10.13", "too old"), ("3.6.15", "too old"), ("2.7.18", "too old"), ("3.14.0", "too new")]
)
def test_a_python_that_does_not_fit_is_named_and_another_one_found(
    checkout: Path, python: Callable[..., Path], version: str, fault: str
) -> None:
    python("python3", version)
    none = setup(checkout)
    assert none.returncode != 0
    assert f"handbook needs Python 3.11, 3.12 or 3.13. python3 is Python {version}, which is {fault}" in none.stderr
    python("python3.12", "3.12.9")
    done = setup(checkout)
    assert done.returncode == 0
    assert f"python3 is Python {version}, which is {fault}; taking python3.12, which is Python 3.12.9" in done.stderr


def test_pyenv_is_looked_into_and_a_shim_that_does_not_start_is_passed_by(
    checkout: Path, python: Callable[..., Path]
) -> None:
    python("python3.13", "")  # pyenv's shim of a version that is not switched on
    created = python("made", "3.13.1")
    place = checkout.parent / "pyenv" / "versions" / "3.13.1" / "bin"
    place.mkdir(parents=True)
    created.rename(place / "python")
    done = setup(checkout, PYENV_ROOT=str(checkout.parent / "pyenv"))
    assert done.returncode == 0
    assert f"taking {place / 'python'}, which is Python 3.13.1" in done.stderr


def test_a_python_without_venv_says_what_to_install(checkout: Path, python: Callable[..., Path]) -> None:
    python("python3", "3.11.2", venv=1)
    assert "python3-venv" in setup(checkout).stderr


def test_the_python_that_is_named_is_taken_or_refused(checkout: Path, python: Callable[..., Path]) -> None:
    python("python3", "3.11.7")
    python("python3.12", "3.12.1")
    python("python3.10", "3.10.1")
    assert setup(checkout, "PYTHON=python3.12").returncode == 0
    assert "|3.12.1|" in (checkout / ".venv/.ready").read_text()
    assert setup(checkout).stderr == ""  # nobody asked for another
    assert "Python 3.11.7" in setup(checkout, "PYTHON=python3").stderr
    old = setup(checkout, "PYTHON=python3.10")
    assert "python3.10 is Python 3.10.1, which is too old. Choose another, say: make PYTHON=python3" in old.stderr
    gone = setup(checkout, "PYTHON=python9")
    assert gone.returncode != 0
    assert "there is no python9" in gone.stderr


def test_a_venv_that_was_copied_with_its_checkout_is_made_again(checkout: Path, python: Callable[..., Path]) -> None:
    python("python3", "3.11.7")
    setup(checkout)
    copy = checkout.with_name("copy")
    shutil.copytree(checkout, copy, symlinks=True)
    assert "Setting up .venv" in setup(copy).stderr
    assert setup(copy).stderr == ""


def test_a_set_up_that_was_cut_off_is_made_again(checkout: Path, python: Callable[..., Path]) -> None:
    python("python3", "3.11.7")
    setup(checkout)
    (checkout / ".venv/.ready").write_text("")
    assert "Setting up .venv" in setup(checkout).stderr
    (checkout / ".venv/.ready").unlink()
    assert "Setting up .venv" in setup(checkout).stderr
    with (checkout / "requirements/handbook.txt").open("a") as stream:
        stream.write("# changed\n")
    assert "Setting up .venv" in setup(checkout).stderr


def test_a_file_or_a_dangling_link_in_the_place_of_venv_is_named_and_kept(
    checkout: Path, python: Callable[..., Path]
) -> None:
    python("python3", "3.11.7")
    (checkout / ".venv").write_text("mine")
    assert "error: .venv is a file" in setup(checkout).stderr
    assert (checkout / ".venv").read_text() == "mine"
    (checkout / ".venv").unlink()
    (checkout / ".venv").symlink_to("/nonexistent/place")
    assert "error: .venv is a link to /nonexistent/place, which is not there" in setup(checkout).stderr
    (checkout / ".venv").unlink()
    (checkout / "elsewhere").mkdir()
    (checkout / ".venv").symlink_to("elsewhere")
    assert setup(checkout).returncode == 0


def test_what_the_environment_says_to_pip_and_python_changes_no_place(
    checkout: Path, python: Callable[..., Path]
) -> None:
    python("python3", "3.11.7")
    done = setup(checkout, PIP_USER="1", PIP_TARGET="/x", PYTHONHOME="/nonexistent", PYTHONPATH="/other/handbook")
    assert done.returncode == 0
    assert set(re.findall(r"PIP_USER=.*", requested(checkout))) == {"PIP_USER=0 PIP_TARGET= PYTHONHOME="}


def test_torch_is_the_cpu_build_where_one_is_offered_and_cuda_comes_only_with_the_other(
    checkout: Path, python: Callable[..., Path]
) -> None:
    def files() -> list[str]:
        found = re.findall(r"-r (?:requirements|\.venv)/(\S+)\.txt", requested(checkout))
        (checkout / "asked").unlink(missing_ok=True)
        return found[:1] + sorted(found[1:])  # after what builds, torch and the rest go side by side

    python("python3", "3.11.7")
    setup(checkout)
    assert files() == ["build", "half-0", "half-1", "torch-cpu"]
    python("python3", "3.11.8", cpu=1, cuda=0)  # no CPU build is offered, and the registry's asks for CUDA
    reported = setup(checkout, "PYTHON=python3").stderr
    assert files() == ["build", "cuda", "half-0", "half-1", "torch", "torch-cpu"]
    assert "make setup TORCH=cpu" in reported
    setup(checkout, "TORCH=cuda")
    assert files() == ["build", "cuda", "half-0", "half-1", "torch"]
    python("python3", "3.11.7")
    setup(checkout, "TORCH=cpu")
    assert files() == ["build", "half-0", "half-1", "torch-cpu"]
    setup(checkout)
    assert files() == []
    assert "TORCH=rocm: choose cpu or cuda" in setup(checkout, "TORCH=rocm").stderr


def packages(text: str) -> list[str]:
    """The packages of a file of requirements, each with its hashes."""
    return re.findall(r"^[^ #].*(?:\n .*)*", text, re.MULTILINE)


def test_the_two_halves_are_all_packages_each_with_its_hashes(checkout: Path, python: Callable[..., Path]) -> None:
    python("python3", "3.11.7")
    assert setup(checkout).returncode == 0
    whole, *halves = (
        packages((checkout / name).read_text())
        for name in ("requirements/handbook.txt", ".venv/half-0.txt", ".venv/half-1.txt")
    )
    assert halves[0] + halves[1] == whole
    assert min(map(len, halves)) > 100
    assert all("--hash=sha256:" in package for package in whole)


def test_what_is_installed_side_by_side_writes_no_file_of_the_other(
    checkout: Path, python: Callable[..., Path]
) -> None:
    python("python3", "3.11.7")
    setup(checkout)
    lot = {
        re.split(r"[=\s\[]", package)[0]: name
        for name in (".venv/half-0.txt", ".venv/half-1.txt", "requirements/torch.txt")
        for package in packages((checkout / name).read_text())
    }
    writers: dict[str, set[str]] = {}
    for installed in distributions():
        name = re.sub(r"[-_.]+", "-", installed.metadata["Name"]).lower()
        for file in installed.files or [] if name in lot else []:
            writers.setdefault(os.path.normpath(file), set()).add(lot[name])
    assert len(writers) > 10_000
    assert [file for file, lots in writers.items() if len(lots) > 1] == []


def test_who_has_no_home_and_no_name_is_given_them_and_a_missing_tmpdir_is_left_out(tmp_path: Path) -> None:
    place = tmp_path / "checkout"
    place.mkdir()
    shutil.copytree(REQUIREMENTS, place / "requirements")
    tail = '\nshow:\n\t@echo "home=$$HOME name=$$LOGNAME tmp=$$TMPDIR path=$$PYTHONPATH utf8=$$PYTHONUTF8"\n'
    (place / "Makefile").write_text((ROOT / "Makefile").read_text() + tail)
    path = {"PATH": os.environ["PATH"], "TMPDIR": "/nonexistent/tmp", "PYTHONPATH": "/other"}
    done = subprocess.run(["make", "show"], cwd=place, capture_output=True, text=True, check=True, env=path)
    assert f"home={place}/.cache/home " in done.stdout
    assert " tmp= path= utf8=1" in done.stdout
    assert "TMPDIR is /nonexistent/tmp, which is no folder" in done.stderr
    kept = subprocess.run(
        ["make", "show"], cwd=place, capture_output=True, text=True, check=True, env=path | {"HOME": str(tmp_path)}
    )
    assert f"home={tmp_path} " in kept.stdout

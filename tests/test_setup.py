"""The set-up: what is pinned, which Python is taken, and what the environment may not change."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.version import Version

from tests.conftest import ROOT

REQUIREMENTS = ROOT / "requirements"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = tomllib.loads((ROOT / "uv.lock").read_text())
PACKAGES = {package["name"]: package for package in LOCK["package"]}
ASKED = [
    Requirement(each)
    for each in [
        *PROJECT["dependencies"],
        *(each for extra in PROJECT["optional-dependencies"].values() for each in extra),
    ]
]
PIN = re.compile(r"^([\w.-]+)(?:\[[^]]*\])?={2,3}(\S+)", re.MULTILINE)
INSTALLED = ("pipeline", "labs", "dask", "postgres", "browser", "dev")
FILES = sorted(path.stem for path in REQUIREMENTS.glob("*.txt"))


def pins(name: str) -> dict[str, tuple[str, set[str]]]:
    """Each package of a requirements file with its version and its hashes."""
    text = (REQUIREMENTS / f"{name}.txt").read_text()
    starts = [*PIN.finditer(text)]
    ends = [*(each.start() for each in starts[1:]), len(text)]
    return {
        each[1]: (each[2], set(re.findall(r"--hash=(\S+)", text[each.start() : end])))
        for each, end in zip(starts, ends, strict=True)
    }


def hashes(package: dict[str, Any]) -> set[str]:
    files = [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else ())]
    return {each["hash"] for each in files}


def needed(*extras: str) -> set[str]:
    """All that the lock says these extras bring along, on any system."""
    own = PACKAGES["handbook"]
    ahead = [*own["dependencies"], *(each for extra in extras for each in own["optional-dependencies"][extra])]
    found: set[tuple[str, str]] = set()
    while ahead:
        dependency = ahead.pop()
        package = PACKAGES[dependency["name"]]
        for extra in ("", *dependency.get("extra", ())):
            if (package["name"], extra) not in found:
                found.add((package["name"], extra))
                ahead += package.get("optional-dependencies", {}).get(extra, []) if extra else []
                ahead += package.get("dependencies", []) if not extra else []
    return {name for name, _ in found}


def test_every_range_of_the_project_holds_its_pin() -> None:
    for requirement in ASKED:
        pinned = PACKAGES[requirement.name.lower().replace("_", "-")]["version"]
        assert Version(pinned) in requirement.specifier, requirement


def test_the_lock_is_that_of_pyproject() -> None:
    locked = PACKAGES["handbook"]["metadata"]["requires-dist"]
    plain = {each["name"] for each in locked if "marker" not in each}
    assert plain == {Requirement(each).name.lower() for each in PROJECT["dependencies"]}
    assert set(PACKAGES["handbook"]["metadata"]["provides-extras"]) == set(PROJECT["optional-dependencies"])
    asked = {(each.name.lower(), str(each.specifier)) for each in ASKED}
    held = {(each["name"], each.get("specifier", "")) for each in locked}
    assert {(name, frozenset(spec.split(","))) for name, spec in asked} == {
        (name, frozenset(spec.split(","))) for name, spec in held
    }


def test_the_lock_names_one_public_registry_and_one_version_for_every_python() -> None:
    registries = {p["source"]["registry"] for p in LOCK["package"] if p["name"] != "handbook"}
    assert len(registries) == 1
    addresses = re.findall(r'(?:url|registry) = "([^"]+)"', (ROOT / "uv.lock").read_text())
    assert all(re.match(r"https://[\w-]+(\.[\w-]+)+/", each) for each in addresses)
    assert not [each for each in addresses if re.search(r"localhost|://\d|\.(local|internal|lan|corp)[:/]", each)]
    assert len({each.split("/")[2] for each in addresses}) == 2  # the index, and where it keeps its files
    assert len(PACKAGES) == len(LOCK["package"])


@pytest.mark.parametrize("name", FILES)
def test_what_pip_installs_is_what_the_lock_pins_to_the_hash(name: str) -> None:
    held = pins(name)
    assert held
    for package, (version, digests) in held.items():
        if name == "torch-cpu":
            continue  # another index; see the next test
        assert version == PACKAGES[package]["version"]
        assert digests == hashes(PACKAGES[package])


def test_the_cpu_build_of_torch_is_of_the_version_that_the_lock_has() -> None:
    text = (REQUIREMENTS / "torch-cpu.txt").read_text()
    linux, mac = (line for line in text.splitlines() if line.startswith("torch=="))
    version = PACKAGES["torch"]["version"]
    assert linux.startswith(f"torch=={version}+cpu ; sys_platform == 'linux'")
    assert mac.startswith(f"torch=={version} ; sys_platform == 'darwin'")
    built = set(re.findall(r"--hash=(\S+)", text[: text.index(mac)]))
    assert len(built) == 6  # three Pythons on two kinds of processors
    assert not built & hashes(PACKAGES["torch"])


def test_all_that_is_needed_is_in_the_files_and_nothing_twice() -> None:
    always = [*pins("build"), *pins("torch"), *pins("cuda"), *pins("handbook")]
    assert len(always) == len(set(always))
    assert set(always) == needed(*INSTALLED)
    for extra in ("ray", "bench", "audit"):
        assert set(pins(extra)) == needed(*INSTALLED, extra) - set(always)


def test_no_library_of_nvidia_is_asked_for_but_by_torch() -> None:
    assert not [name for name in pins("handbook") if "nvidia" in name or name.startswith(("cuda", "triton"))]
    for package, block in zip(
        pins("cuda"), re.split(r"\n(?=\S)", (REQUIREMENTS / "cuda.txt").read_text())[1:], strict=True
    ):
        marker = Marker(block.partition(";")[2].partition("\\")[0].strip())
        assert not marker.evaluate({"sys_platform": "darwin"}), package


# ------------------------------------------------------------------ a stand-in for Python that only notes what is asked

PYTHON = """#!/bin/sh
[ -n "{version}" ] || exit 127
case "$*" in
  *version_info*) echo {version} ;;
  *ensurepip*) exit {venv} ;;
  *"-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  *requires*) exit {cuda} ;;
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


def asked(checkout: Path) -> str:
    return (checkout / "asked").read_text() if (checkout / "asked").exists() else ""


def test_a_fitting_python_is_set_up_once(checkout: Path, python: Callable[..., Path]) -> None:
    python("python3", "3.12.4")
    assert setup(checkout).returncode == 0
    first = asked(checkout)
    assert "--require-hashes -r requirements/handbook.txt" in first
    assert "--editable ." in first
    again = setup(checkout)
    assert (again.returncode, again.stderr, asked(checkout)) == (0, "", first)


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
    made = python("made", "3.13.1")
    place = checkout.parent / "pyenv" / "versions" / "3.13.1" / "bin"
    place.mkdir(parents=True)
    made.rename(place / "python")
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


def test_a_venv_that_was_copied_with_its_checkout_is_made_anew(checkout: Path, python: Callable[..., Path]) -> None:
    python("python3", "3.11.7")
    setup(checkout)
    copy = checkout.with_name("copy")
    shutil.copytree(checkout, copy, symlinks=True)
    assert "Setting up .venv" in setup(copy).stderr
    assert setup(copy).stderr == ""


def test_a_set_up_that_was_cut_off_is_made_anew(checkout: Path, python: Callable[..., Path]) -> None:
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
    assert set(re.findall(r"PIP_USER=.*", asked(checkout))) == {"PIP_USER=0 PIP_TARGET= PYTHONHOME="}


def test_torch_is_the_cpu_build_where_one_is_offered_and_cuda_comes_only_with_the_other(
    checkout: Path, python: Callable[..., Path]
) -> None:
    def files() -> list[str]:
        found = re.findall(r"-r requirements/(\S+)\.txt", asked(checkout))
        (checkout / "asked").unlink(missing_ok=True)
        return found

    python("python3", "3.11.7")
    setup(checkout)
    assert files() == ["build", "torch-cpu", "handbook"]
    python("python3", "3.11.8", cpu=1, cuda=0)  # no CPU build is offered, and the registry's asks for CUDA
    told = setup(checkout, "PYTHON=python3").stderr
    assert files() == ["build", "torch-cpu", "torch", "cuda", "handbook"]
    assert "make setup TORCH=cpu" in told
    setup(checkout, "TORCH=cuda")
    assert files() == ["build", "torch", "cuda", "handbook"]
    python("python3", "3.11.7")
    setup(checkout, "TORCH=cpu")
    assert files() == ["build", "torch-cpu", "handbook"]
    setup(checkout)
    assert files() == []
    assert "TORCH=rocm: choose cpu or cuda" in setup(checkout, "TORCH=rocm").stderr


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

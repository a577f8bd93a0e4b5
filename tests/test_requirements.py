"""What is pinned: uv.lock and the files with hashes that the set-up installs from it."""

from __future__ import annotations

import re
import tomllib
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
REQUIRED = [
    Requirement(each)
    for each in [
        *PROJECT["dependencies"],
        *(each for extra in PROJECT["optional-dependencies"].values() for each in extra),
    ]
]
PIN = re.compile(r"^([\w.-]+)(?:\[[^]]*\])?={2,3}(\S+)", re.MULTILINE)
INSTALLED = ("pipeline", "labs", "onnx", "dask", "postgres", "browser", "dev")
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
    for requirement in REQUIRED:
        pinned = PACKAGES[requirement.name.lower().replace("_", "-")]["version"]
        assert Version(pinned) in requirement.specifier, requirement


def test_the_lock_is_that_of_pyproject() -> None:
    locked = PACKAGES["handbook"]["metadata"]["requires-dist"]
    plain = {each["name"] for each in locked if "marker" not in each}
    assert plain == {Requirement(each).name.lower() for each in PROJECT["dependencies"]}
    assert set(PACKAGES["handbook"]["metadata"]["provides-extras"]) == set(PROJECT["optional-dependencies"])
    requested = {(each.name.lower(), str(each.specifier)) for each in REQUIRED}
    held = {(each["name"], each.get("specifier", "")) for each in locked}
    assert {(name, frozenset(spec.split(","))) for name, spec in requested} == {
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

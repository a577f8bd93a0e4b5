"""Tests mirror the rooms: a module's tests lie where the module lies, so that what is not tested is seen."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.conftest import ROOT

HOME, TESTS = ROOT / "src" / "handbook", ROOT / "tests"
PAGES = (
    "cases",
    "claims",
    "datasets",
    "labs",
)  # a page is tested whole, by its own file or one that it shares and that names it
RUN_BY_OTHERS = {"registry/served.py"}  # MLflow runs it; tests of serving and tracking start it


def modules() -> list[Path]:
    """The modules that do something, by their path in the package: no `__init__` that only says what a room is for."""
    return sorted(
        path.relative_to(HOME)
        for path in HOME.rglob("*.py")
        if path.name != "__init__.py" or not _only_says(path)
    )  # fmt: skip


def _only_says(path: Path) -> bool:
    """Whether a module holds no more than its docstring, and its version."""
    kinds = (ast.Expr, ast.Assign) if path.parent == HOME else (ast.Expr,)
    return all(isinstance(each, kinds) for each in ast.parse(path.read_text(encoding="utf-8")).body)


def mirrored(module: Path) -> Path:
    """Where a module's tests lie; those of a package beside its folder, as those of a module are."""
    named = module.parent if module.name == "__init__.py" else module.with_suffix("")
    return named.with_name(f"test_{named.name}.py")


def is_tested(module: Path) -> bool:
    if module.as_posix() in RUN_BY_OTHERS or (TESTS / mirrored(module)).exists():
        return True
    room, *below = module.parts
    if room not in PAGES:
        return False
    page = below[0].removesuffix(".py")
    files = [*(TESTS / room).glob("test_*.py")]
    return page == "__init__" or any(page in path.read_text(encoding="utf-8") for path in files)


def test_every_module_has_its_tests_at_the_mirrored_place() -> None:
    missing = [f"{module}: expected tests/{mirrored(module)}" for module in modules() if not is_tested(module)]
    assert not missing, "\n".join(missing)


def test_every_room_of_tests_is_a_room_of_the_package_and_every_file_in_it_has_its_module() -> None:
    known = {mirrored(module) for module in modules()}
    strangers = [
        path.relative_to(TESTS)
        for path in TESTS.glob("*/**/test_*.py")
        if path.relative_to(TESTS).parts[0] not in ("flows", *PAGES) and path.relative_to(TESTS) not in known
    ]
    assert not strangers


def test_a_module_without_tests_is_found_and_a_package_is_looked_for_beside_its_folder() -> None:
    assert not is_tested(Path("files/no_such_module.py"))
    assert not is_tested(Path("cases/no_such_page.py"))
    assert mirrored(Path("training/__init__.py")) == Path("test_training.py")
    assert mirrored(Path("evaluation/figures/style.py")) == Path("evaluation/figures/test_style.py")

"""Samples stay apart: what is built from stand-ins lives in `.sample/`, a checkout of its own inside this one.

It has data, models, results, a registry and a `dvc.lock` of its own, and shares the code, the numbers, the environment
and DVC's cache. So a build on samples changes no file that git keeps, and a build on real data neither disturbs it nor
is disturbed by it. Deleting the folder loses nothing that cannot be drawn again.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from handbook import datasets
from handbook.data import fetch, provenance
from handbook.errors import HandbookError
from handbook.files import leftovers
from handbook.files.formats import write_text
from handbook.project import SAMPLES, Project

LINKED = ("src", "flows", "params.yaml", "dvc.yaml")
SEED = 0
README = """This checkout holds what `make repro` builds from samples: stand-ins for data that could not be reached.
Nothing in it is a result. It is made again when it is missing; delete it whenever you like.
"""


def checkout(project: Project) -> Project:
    """The checkout for samples of a project, made or brought up to date; HandbookError where nothing can be linked."""
    if project.of_samples:
        return project
    place = project.root / SAMPLES
    for folder in ("data", ".dvc", "gx"):
        (place / folder).mkdir(parents=True, exist_ok=True)
    try:
        for name in LINKED:
            if (project.root / name).exists():
                _link(place / name, Path("..") / name)
        _link(place / "raw", Path("data"))
    except OSError as error:
        raise HandbookError(
            f"{place}: no symbolic link can be made there ({error.strerror}). Samples need links; on Windows, work in "
            "WSL, in a folder of its own file system"
        ) from None
    with leftovers.removed(place / "README.md", place / ".dvc"):
        write_text(place / "README.md", README)
        write_text(place / ".dvc" / "config", _settings(project.root))
    shutil.copyfile(project.gx / "great_expectations.yml", place / "gx" / "great_expectations.yml")
    return Project(place)


def _link(place: Path, target: Path) -> None:
    if place.is_symlink() and place.readlink() == target:
        return
    fresh = place.with_name(f".{place.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(target)
    fresh.replace(place)


def _settings(root: Path) -> str:
    """DVC's: those of the project, its cache, and no git, which would have to ignore every result once more."""
    own = (root / ".dvc" / "config").read_text(encoding="utf-8").rstrip()
    head, mark, rest = own.partition("[core]\n")
    return f"{head}{mark}    no_scm = true\n{rest}\n[cache]\n    dir = ../../.dvc/cache\n"


def draw(project: Project, names: list[str]) -> Project:
    """Draw the samples of those datasets in the checkout for them, which is returned."""
    apart = checkout(project)
    for name in names:
        fetch.draw_sample(datasets.page(name), apart.data(name), SEED)
    return apart


def where(project: Project) -> Project:
    """The checkout that is built and looked at: this one, if all its data are real and there, else that for samples."""
    if project.of_samples or all(_is_real(project.data(name)) for name in project.datasets()):
        return project
    apart = Project(project.root / SAMPLES)
    return apart if (apart.root / "params.yaml").exists() else project


def _is_real(directory: Path) -> bool:
    return (directory / provenance.PROVENANCE).exists() and provenance.provenance(directory)["kind"] == "real"

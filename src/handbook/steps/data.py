"""Put the datasets in place, or samples of all of them."""

from __future__ import annotations

import sys
from pathlib import Path

from handbook import datasets
from handbook.data import fetch, provenance
from handbook.errors import HandbookError
from handbook.project import Project
from handbook.steps import samples

BANNER = """
{line}
!!  SAMPLES: {why}
!!  Stand-ins were drawn for all datasets, in a checkout of their own: {place}
!!  What is built there is marked `sample`, and none of it is a result. For the real thing: set
!!  HANDBOOK_MIRROR to a folder or http address laid out like data/, and run again.
{line}
"""


def data(project: Project, names: list[str], source: str, or_sample: bool) -> None:
    """Put the datasets in place, by default all that the pipeline uses; say what each of them is.

    Samples go to a checkout of their own: those that are asked for, or, `or_sample`, all of them if any dataset cannot
    be fetched, so that whatever is built there is built from samples alone.
    """
    for name in names:
        datasets.page(name)  # all of them are known before any is fetched
    _refuse_file_for_link(project.root / "raw")
    chosen = names or project.datasets()
    if source == "sample" or project.of_samples:
        _draw_samples(project, chosen, "asked for")
        return
    search, missing = fetch.Search(source, project.cache), []
    for name in chosen:
        page, directory = datasets.page(name), project.data(name)
        try:
            origin = fetch.obtain(page, directory, search)
        except HandbookError as error:
            if not or_sample or provenance.damaged(page, directory):
                raise
            print(f"{name:<24} cannot be fetched", flush=True)
            missing.append(error)
            continue
        files = f"{len(origin['files'])} files in data/{name}, {search.came[name]}"
        print(f"{name:<24} {origin['kind']:<7} {files}", flush=True)
    if missing:
        print("\n".join(map(str, missing)), file=sys.stderr)
        _draw_samples(project, project.datasets(), f"{len(missing)} of {len(chosen)} datasets could not be fetched")


def _refuse_file_for_link(raw: Path) -> None:
    """HandbookError where git has written the link that stages read the data through as a file with its target."""
    if raw.is_file() and not raw.is_symlink():
        raise HandbookError(
            f"{raw} must be a link to data, and is a file: git could not make links here (core.symlinks is false).\n"
            "On Windows, clone inside WSL, in a folder of its own file system. Elsewhere: "
            "git config core.symlinks true && rm raw && git checkout raw"
        )


def _draw_samples(project: Project, names: list[str], why: str) -> None:
    apart = samples.draw(project, names)
    for name in names:
        print(f"{name:<24} sample  in {apart.data(name).relative_to(project.root)}")
    print(BANNER.format(line="!" * 90, why=why, place=apart.root), file=sys.stderr, flush=True)


def where(project: Project) -> None:
    """Print the checkout that is built and looked at: this one, or while its data are not there that for samples."""
    print(samples.where(project).root)

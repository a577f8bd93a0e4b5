"""python -m flows.share STAGE: give what a stage and those before it made to the other clones with this DVC remote.

`dvc push --run-cache` alone gives only what DVC's cache holds for the working tree. Metrics are kept by git, not by the
cache; but DVC's run-cache needs them too to give a stage back elsewhere, and keeps a copy, which is pushed here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from handbook.project import Project


def main() -> int:
    """The exit code: 0 given, 1 no remote, or one that cannot be written to."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    (stage,) = sys.argv[1:]
    try:
        with Repo(str(Project.here().root)) as repo, repo.lock:
            collected = repo.stage.collect(stage, with_deps=True)  # what comes before it may have been made with it
            # persist: a side effect, which each clone has for itself
            repo.cloud.push(
                {part for each in collected for out in each.outs if not out.persist for part in _parts(out)}
            )
            repo.stage_cache.push(None)
    except DvcException as error:
        print(f"error: {stage} could not be given to the other clones: {error}\nIs there a remote? dvc remote list")
        return 1
    return 0


def _parts(out: Any) -> Iterator[Any]:
    """The hashes of an output: its own, and of a folder those of the files in it."""
    if out.hash_info:
        yield out.hash_info
        yield from (part for _, _, part in out.get_obj() or ()) if out.is_dir_checksum else ()


if __name__ == "__main__":
    sys.exit(main())

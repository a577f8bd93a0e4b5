"""Refuse what must not be committed."""

from __future__ import annotations

import hashlib

from handbook.errors import HandbookError
from handbook.files import documents
from handbook.project import Project
from handbook.registry import results


def check(project: Project) -> None:
    """Refuse what must not be committed: results of samples, and a lock or README that does not match them."""
    from handbook.steps.report import readme as pages

    faults = [
        f"{path.relative_to(project.root)} was made from sample data"
        for pattern in ("*/metrics.json", "*/seeds.json", "*/validation.json", "labs/*/checks.json")
        for path in sorted((project.root / "reports").glob(pattern))
        if results.kind(project, *path.relative_to(project.root / "reports").parts) != "real"
    ]
    faults += _lock_faults(project)
    readme = documents.text(project.root / "README.md", "Bring it back: git checkout -- README.md")
    if not faults and pages.with_results(readme, pages.results(project)) != readme:
        faults.append("README.md does not show the results in reports/*/metrics.json. Mend it: make report")
    if faults:
        raise HandbookError(
            "not fit to be committed:\n  " + "\n  ".join(faults) + "\n"
            "Rebuild with the real data (make repro), or take back what git has: "
            "git checkout -- dvc.lock data.dvc reports gx README.md"
        )
    print("results are real, and dvc.lock and README.md agree with them")


def _lock_faults(project: Project) -> list[str]:
    """Files in git that are not those which dvc.lock was written with."""
    kept = [
        out
        for stage in project.locked().values()
        for out in stage.get("outs", [])
        if out["path"].endswith(("metrics.json", "validation.json", "checks.json", "built.json"))
    ]
    return [
        f"dvc.lock was written with another {out['path']} than the one here"
        for out in kept
        if not (path := project.root / out["path"]).exists()
        or hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() != out["md5"]
    ]

"""A registered record: a folder with the model, its report and the code that made it, every file of it written down.

The ledger holds the sha256 of the folder's list of files, and the list that of each file. Nothing of a record is used
that is not as it was written down.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import handbook
from handbook.data.provenance import sha256
from handbook.errors import HandbookError
from handbook.files import leftovers
from handbook.files.formats import write_json
from handbook.files.integrity import FILES, Sealed, differences, hashes
from handbook.project import Case, Project
from handbook.registry import results, standings
from handbook.registry.standings import LedgerState

EXTRA = "mlflow"  # in a record: what MLflow wants beside the model and its code
COMPILED = "__pycache__"
# Adds to a record what MLflow wants; of the example and the answers to it that are handed over, the signature as well.
Describe = Callable[[Path, dict[str, Any] | None], None]


def keep(project: Project, case: Case, entry: dict[str, Any], place: Path, describe: Describe) -> None:
    """Copy what is registered, its code included, so that no later change of page or model can reach it.

    What lies in its place and is not what the ledger vouches for is replaced. HandbookError if nothing was evaluated.
    """
    known = standings.opened(place.parent)
    if known is None:  # before the first record, so that one without a ledger beside it is always an error
        standings.write(place.parent, standings.blank())
    elif place.name in known["versions"] and not _damage(place.parent, known, place.name):
        return
    recorded = results.example(project, case.name)
    fresh = place.with_name(f".{place.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    with leftovers.removed(place):
        shutil.copytree(project.models(case.name), fresh / "model")
        shutil.copytree(project.reports(case.name), fresh / "report")
        shutil.copytree(Path(handbook.__file__).parent, fresh / "handbook", ignore=shutil.ignore_patterns(COMPILED))
        _never_compiled(fresh / "handbook")
        write_json(fresh / "example.json", recorded["inputs"])
        write_json(fresh / "entry.json", entry)
        describe(fresh, recorded)
        write_json(fresh / FILES, hashes(fresh))
        shutil.rmtree(place, ignore_errors=True)
        fresh.replace(place)


def _damage(store: Path, known: LedgerState, content: str) -> bool:
    """Whether a registered record is damaged, which is said; what takes its place comes from the pipeline's files."""
    try:
        sealed(store, known, content).check()
    except HandbookError as error:
        print(f"{error}\nIt is stored again, from models/{store.name} and the code of today", file=sys.stderr)
        return True
    return False


def _never_compiled(code: Path) -> None:
    """An empty file where Python would make a folder for compiled code.

    Nobody hashes what Python leaves there, and Python would run it in the place of the code that was hashed.
    """
    for folder in [code, *(each for each in code.rglob("*") if each.is_dir())]:
        (folder / COMPILED).touch()


def sealed(store: Path, known: LedgerState, content: str) -> Sealed:
    """A registered record with the sha256 of its files, as the ledger vouches for them; HandbookError without them."""
    place, title = store / content, f"{store.name} version {known['versions'].index(content) + 1}"
    listed = known.get("files", {}).get(content)
    if listed is None:
        raise HandbookError(
            f"{title} was registered by an older handbook, which did not write down all of its files, so nothing says "
            f"that they are as they were.\nCheck them against what was recorded, and record the rest: "
            f"python -m handbook register {store.name}"
        )
    way = (
        f"Bring it back from a backup; or store it again, if models/{store.name} still holds it: "
        f"python -m handbook register {store.name}; or choose another: "
        f"python -m handbook promote {store.name} --version N"
    )
    return Sealed(place, Sealed(place, {FILES: listed}, title, way).json(FILES), title, way)


def seal(store: Path, describe: Describe) -> list[str]:
    """Write down all files of what an older handbook registered, once; returns those records.

    Each is first held against what was written down of it then; what does not agree is named, and stays unused.
    """
    known = standings.opened(store)
    if known is None or "files" in known:
        return []
    known["files"] = {}
    for content in known["versions"]:
        place = store / content
        if fault := unsealed_fault(place):
            print(f"{store.name}: {fault}; it stays unused", file=sys.stderr)
            continue
        for folder in [*place.rglob(COMPILED)]:
            shutil.rmtree(folder, ignore_errors=True)
        _never_compiled(place / "handbook")
        describe(place, None)
        write_json(place / FILES, hashes(place))
        known["files"][content] = sha256(place / FILES)
    standings.write(store, known)
    return list(known["files"])


def unsealed_fault(place: Path) -> str:
    """What is wrong with a record that an older handbook kept: by its list of files, and by what its name stands for.

    Compiled code, which such a handbook left there, and what sealing adds do not count.
    """
    if not place.is_dir():
        return f"{place} is missing"
    try:
        listed = json.loads((place / FILES).read_text()) if (place / FILES).exists() else None
        if listed is not None and (faults := differences(place, _of_old(listed), _of_old(hashes(place)))):
            return "; ".join(faults)
        entry, metrics = (json.loads((place / path).read_text()) for path in ("entry.json", "report/metrics.json"))
        parts = entry["params"], metrics, place / "model"
        found = content_of(*parts, place / "report" / "figures")
        before = content_of(*parts)  # a record of before 2026-11-25: figures were no part of its name
    except (ValueError, OSError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return f"{place} cannot be read: {error}"
    if place.name not in (found, before):
        return f"{place}: parameters, metrics, model and figures hash to {found}, expected {place.name}"
    return ""


def _of_old(files: Mapping[str, str]) -> dict[str, str]:
    return {path: each for path, each in files.items() if COMPILED not in path and not path.startswith(f"{EXTRA}/")}


def content_of(params: dict[str, Any], metrics: dict[str, Any], *folders: Path) -> str:
    """The name of a record: a hash of the parameters, the metrics, and the files of its model and its figures."""
    digest = hashlib.sha256(json.dumps([params, metrics], sort_keys=True).encode())
    for path in (each for folder in folders if folder.exists() for each in sorted(folder.iterdir())):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]

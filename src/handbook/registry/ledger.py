"""The ledger: what was registered, in which order, and who is champion, as files.

`models/.registered/CASE` holds a folder for each record (the model, its report, the code that made it) and
`ledger.json`. The registry in MLflow is a view of these files; deleted, it is rebuilt from them.

A champion that was rolled back is `rejected`: the gate lets neither it nor what the same training makes pass, until
somebody promotes it.
"""

from __future__ import annotations

import contextlib
import copy
import os
import subprocess
from pathlib import Path
from typing import Any

from handbook.data.provenance import sha256
from handbook.errors import HandbookError
from handbook.files import documents
from handbook.files.integrity import FILES, Sealed
from handbook.project import Case, Project, plain
from handbook.registry import gate, kept, results, standings, trained
from handbook.registry.gate import Verdict
from handbook.registry.standings import ALIASES, LedgerState
from handbook.training.run import FLOW_RUN


class UnregisteredError(HandbookError):
    """Nothing was ever registered of a case."""


def store(project: Project, name: str) -> Path:
    """Where a case's ledger lies."""
    return project.root / "models" / ".registered" / name


def read(path: Path) -> Any:
    """A JSON file's content, or None where there is no file; HandbookError if it is no JSON."""
    if not os.path.lexists(path):
        return None
    way = "Make it again, or bring it back from a backup"
    return documents.value_of(documents.raw(path, way), path, way)


def enter(case: Case, store: Path, content: str, before: LedgerState | None = None) -> tuple[LedgerState, str]:
    """Write the challenger into the ledger, and the champion, if the gate says so; and what the gate says.

    With it stands the sha256 of the record's list of files: from here on no file of it can change unseen. `before` is
    the ledger as it was when this registration began, if that was cut off; by default, as it is.
    """
    known = copy.deepcopy(before or standings.opened(store) or standings.blank())
    if content not in known["versions"]:
        known["versions"].append(content)
    known["challenger"] = content
    known.setdefault("files", {})[content] = sha256(store / content / FILES)
    verdict = _judged(case, store, known)
    if verdict.passed:
        known["previous"], known["champion"] = known["champion"], content
    standings.write(store, known)
    return known, verdict.text


def _judged(case: Case, store: Path, known: LedgerState) -> Verdict:
    """What the gate says of the challenger, who may be the champion already, or have been rolled back."""
    challenger = _metrics(store, known, known["challenger"])
    if known["champion"] == known["challenger"]:
        return Verdict(f"is the champion ({case.page.PRIMARY} {challenger[case.page.PRIMARY]:.4f})")
    if rejected := _rejected(store, known):
        return Verdict(
            f"does not pass the gate: version {rejected}, of the same training, was rolled back.\n"
            f"If that was wrong: python -m handbook promote {case.name} --version {number(known)}"
        )
    champion = _metrics(store, known, known["champion"]) if known["champion"] else None
    return gate.verdict(case, challenger, champion)


def _rejected(store: Path, known: LedgerState) -> int | None:
    """The version that was rolled back and is the challenger, or was made by the same parameters, data and code."""
    key = training(kept.sealed(store, known, known["challenger"])).get("key")
    for content in known.get("rejected", []):
        if content == known["challenger"] or (key and key == _key(store, known, content)):
            return int(known["versions"].index(content)) + 1
    return None


def _key(store: Path, known: LedgerState, content: str) -> str | None:
    """The key of a record's training; of what is damaged, which `verify` tells, nothing is known."""
    with contextlib.suppress(HandbookError):
        return training(kept.sealed(store, known, content)).get("key")
    return None


def number(state: LedgerState, alias: str = "challenger") -> int | None:
    """The version number that an alias stands for, from 1 on."""
    return state["versions"].index(state[alias]) + 1 if state.get(alias) else None


def training(content: Sealed) -> dict[str, Any]:
    """How a registered record was trained: seconds, device, key, and the flow run where there was one."""
    where = "report/training.json"
    return dict(content.json(where)) if where in content.files else {}


def state(project: Project, name: str) -> LedgerState:
    """A case's ledger; UnregisteredError if nothing is registered, another HandbookError if the ledger is damaged."""
    known = standings.opened(store(project, name))
    if known is None or not known["versions"]:
        raise UnregisteredError(f"nothing is registered of {name}. Register it: handbook register {name}")
    return known


def sealed(project: Project, name: str, content: str) -> Sealed:
    """A registered record, every file of it vouched for; HandbookError if the ledger has no list of them."""
    return kept.sealed(store(project, name), state(project, name), content)


def chosen(project: Project, name: str, version: str) -> str:
    """The record that `version` names: a number from 1 on, or champion, challenger or previous."""
    known = state(project, name)
    available = _there(name, known)
    if version in ALIASES:
        if not known.get(version):
            raise HandbookError(f"{name} has no {version}; {available}")
        return str(known[version])
    if not version.isdecimal() or not 0 < int(version) <= len(known["versions"]):
        raise HandbookError(f"no version {version!r} of {name}; {available}")
    return str(known["versions"][int(version) - 1])


def _there(name: str, known: LedgerState) -> str:
    aliases = ", ".join(f"{alias} {number(known, alias)}" for alias in ALIASES if known.get(alias))
    return f"{name} has versions 1 to {len(known['versions'])}: {aliases}"


def roll_back(project: Project, case: Case) -> LedgerState:
    """The champion before becomes champion again, and the champion of today is rejected from now on.

    Raises HandbookError if there is none before, or if that one was made from samples and today's from real data.
    """
    known = state(project, case.name)
    if not known["champion"] or not known["previous"]:
        raise HandbookError(
            f"{case.name} has no previous champion to roll back to; {_there(case.name, known)}.\n"
            f"To choose one of them: python -m handbook promote {case.name} --version N"
        )
    _refuse_sample(store(project, case.name), known, known["previous"])
    rejected = [*known.get("rejected", []), known["champion"]]
    known |= {"champion": known["previous"], "previous": None, "rejected": list(dict.fromkeys(rejected))}
    standings.write(store(project, case.name), known)
    return known


def promote(project: Project, case: Case, version: str) -> LedgerState:
    """Make a version champion because somebody says so, gate or no gate; it is rejected no longer."""
    content, known = chosen(project, case.name, version), state(project, case.name)
    if content == known["champion"]:
        raise HandbookError(f"version {number(known, 'champion')} of {case.name} is the champion already")
    _refuse_sample(store(project, case.name), known, content)
    rejected = [each for each in known.get("rejected", []) if each != content]
    known |= {"champion": content, "previous": known["champion"], "rejected": rejected}
    standings.write(store(project, case.name), known)
    return known


def _refuse_sample(store: Path, known: LedgerState, content: str) -> None:
    """What was made from samples never takes the place of what was made from real data.

    A champion that is damaged may give way to anything that is not.
    """
    chosen, champion = _metrics(store, known, content)["data"], None
    with contextlib.suppress(HandbookError):
        champion = _metrics(store, known, known["champion"])["data"] if known["champion"] else None
    if (champion, chosen) == ("real", "sample"):
        version = known["versions"].index(content) + 1
        raise HandbookError(
            f"version {version} was made from sample data, the champion (version {number(known, 'champion')}) from real"
            f" data; it stays. Make another version from real data: make data, then dvc repro"
        )


def _metrics(store: Path, known: LedgerState, content: str) -> dict[str, Any]:
    return dict(kept.sealed(store, known, content).json("report/metrics.json"))


def entry(project: Project, case: Case) -> dict[str, Any]:
    """What is to be known of a registered model; its `content` is a hash of what it is and how well it does."""
    trained.check(project, case.name)
    metrics = results.metrics(project, case)
    validation = results.validation(project, case.dataset) or {}
    flow_run = os.environ.get(FLOW_RUN)
    return {
        "content": kept.content_of(
            plain(case.params), metrics, project.models(case.name), project.reports(case.name) / "figures"
        ),
        **({"flow_run": flow_run} if flow_run else {}),
        "case": case.name,
        "page": case.page.__name__.rsplit(".", 1)[1],
        "dataset": case.dataset,
        "data": metrics["data"],
        **({"form": metrics["form"]} if "form" in metrics else {}),
        "params": plain(case.params),
        "git": _git_commit(project),
        "dvc": _dvc_hashes(project, case),
        "expectations": {
            "success": validation.get("success", False),
            "number": len(validation.get("expectations", [])),
            "files": validation.get("files", {}),
        },
    }


def _git_commit(project: Project) -> str:
    """The commit that is checked out, with `-dirty` if the checkout differs from it; `none` outside git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "none"


def _dvc_hashes(project: Project, case: Case) -> dict[str, str]:
    """The hashes that dvc.lock has for what this case was made from."""
    stages = project.locked()
    recorded = [stages.get(f"{verb}@{case.name}", {}) for verb in ("train", "evaluate")]
    parts = [part for stage in recorded for side in ("deps", "outs") for part in stage.get(side, [])]
    return {part["path"]: part["md5"] for part in parts}

"""Hostile files of ours: trained models, the registry, and the documents that the steps leave for each other."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handbook import datasets
from handbook.data import provenance
from handbook.errors import HandbookError
from handbook.files import documents
from handbook.monitoring import archive, pages, reference
from handbook.project import Project
from handbook.registry import changes, ledger, lineage, results, standings, trained, verification
from handbook.serving import choice, differences, prediction
from tests.hostile import damage
from tests.hostile.law import Attack

NETWORK, ESTIMATOR = "lenet", "rbf_book"


@contextmanager
def changed(path: Path, content: bytes | None) -> Iterator[None]:
    """A file as it should not be, and afterwards as it was."""
    before = path.read_bytes()
    try:
        path.write_bytes(content) if content is not None else path.unlink()
        yield
    finally:
        path.write_bytes(before)


def damaged(path: Path, rng: random.Random) -> tuple[str, bytes | None]:
    """Damage of the kind that a file invites; None takes it away."""
    content = path.read_bytes()
    if rng.random() < 0.03:
        return "gone", None
    kind = {".json": damage.json_file, ".yaml": damage.yaml_file, ".lock": damage.yaml_file, ".csv": damage.table}
    return kind.get(path.suffix, damage.any_bytes)(content, rng)


def weights(model: Any) -> str:
    """What a model knows, as a hash."""
    parts = [tensor.numpy().tobytes() for tensor in model.state_dict().values()]
    known = json.dumps(model.facts, sort_keys=True, default=str).encode()
    return hashlib.sha256(b"".join([known, *parts])).hexdigest()


@dataclass
class Models:
    """Attacks on what training left: sealed by it, or, as an older handbook left it, without a seal."""

    project: Project

    def attacks(self, rng: random.Random) -> Iterator[Attack]:
        while True:
            name = rng.choice([NETWORK, ESTIMATOR])
            folders = self.project.models(name), self.project.reports(name)
            files = [*sorted(folders[0].iterdir()), folders[1] / "history.csv", folders[1] / "training.json"]
            path, seal = rng.choice(files), rng.random() < 0.5
            what, content = damaged(path, rng)
            act = self._sealed if seal else self._unsealed
            yield Attack(
                "models",
                f"{path.name} of {name}, {'sealed' if seal else 'not sealed'}: {what}",
                act(name, path, content),
            )

    def _sealed(self, name: str, path: Path, content: bytes | None) -> Callable[[], str]:
        def bring() -> str:
            with changed(path, content):
                same = path.exists() and content == before
                trained.check(self.project, name, judged=True)
                loaded = choice.choose(self.project, name)
            listed = path.name != "training.json"
            return f"{path.name} was changed, and used" if listed and not same and loaded else ""

        before = path.read_bytes()
        return bring

    def _unsealed(self, name: str, path: Path, content: bytes | None) -> Callable[[], str]:
        """Whatever can be loaded is, since nothing says what it was; what cannot is named."""
        training = self.project.reports(name) / "training.json"

        def bring() -> str:
            facts = json.loads(training.read_bytes())
            facts.pop(trained.SEAL)
            with changed(training, json.dumps(facts).encode()):
                given = json.dumps(facts).encode() if path == training and content is None else content
                with changed(path, given):
                    trained.check(self.project, name, judged=True)
                    chosen = choice.choose(self.project, name)
                    prediction.predicted(chosen, _example(self.project, chosen))
            return ""

        return bring


def _example(project: Project, chosen: Any) -> Any:
    from handbook.evaluation import examples
    from handbook.serving.inputs import Batch

    data = examples.frame_of(results.example(project, chosen.case.name)["inputs"])
    return Batch(list(range(len(data))), data, [""] * len(data))


@dataclass
class Registry:
    """Attacks on the ledger and on what it vouches for; NETWORK has two versions in it."""

    project: Project

    def attacks(self, rng: random.Random) -> Iterator[Attack]:
        store = ledger.store(self.project, NETWORK)
        files = [path for path in sorted(store.rglob("*")) if path.is_file()]
        ours = [path for path in files if "handbook" not in path.relative_to(store).parts]
        known = {version: self._of(version) for version in ("1", "2")}
        while True:
            path = rng.choice(ours if rng.random() < 0.9 else files)
            other = rng.choice([each for each in files if each.name == path.name])
            if rng.random() < 0.15 and other != path:
                what, content = f"another's {path.name}", other.read_bytes()
            else:
                what, content = damaged(path, rng)
            if path.name == standings.LEDGER and rng.random() < 0.5:  # an attacker who knows the checksum
                what, content = _with_checksum(what, content)
            yield Attack(
                "registry",
                f"{path.relative_to(store)}: {what}",
                self._bring(path, content, rng.choice(["1", "2"]), known),
            )

    def _of(self, version: str) -> str:
        chosen = choice.choose(self.project, NETWORK, version)
        return weights(chosen.model)

    def _bring(self, path: Path, content: bytes | None, version: str, known: dict[str, str]) -> Callable[[], str]:
        before, store = path.read_bytes(), ledger.store(self.project, NETWORK)

        def bring() -> str:
            with changed(path, content):
                found = list(verification._registered(self.project, NETWORK))
                if content != before and path.parent != store and not any(each.fault for each in found):
                    return f"verify finds no fault with {path.name}"
                refusals = []
                for act in (
                    lambda: lineage.lineage(self.project, f"models:/{NETWORK}/{version}"),
                    lambda: ledger.chosen(self.project, NETWORK, "champion"),
                    lambda: self._refused_or_same(version, known),
                ):
                    try:
                        act()
                    except HandbookError as refusal:
                        refusals.append(refusal)
                for refusal in refusals:
                    raise refusal
            return ""

        return bring

    def _refused_or_same(self, version: str, known: dict[str, str]) -> None:
        assert self._of(version) == known[version], "another model is used"


def _with_checksum(what: str, content: bytes | None) -> tuple[str, bytes | None]:
    try:
        body = json.loads(content or b"")
        body.pop(standings.CHECKSUM, None)
        return f"{what}, with a checksum", json.dumps(body | {standings.CHECKSUM: standings._checksum(body)}).encode()
    except (ValueError, TypeError, AttributeError, RecursionError):
        return what, content


@dataclass
class Documents:
    """Attacks on what the steps write and read: each file by whoever reads it."""

    project: Project

    def readers(self) -> dict[Path, Callable[[], Any]]:
        project, root = self.project, self.project.root
        case = project.case(NETWORK)
        iris = project.data("iris")
        record = archive.folder(project, NETWORK) / "a.json"
        shadow = differences.home(project, NETWORK) / "a.json"
        return {
            root / "params.yaml": lambda: [
                project.cases(),
                project.datasets(),
                project.labs(),
                project.case(NETWORK),
                project.judge(NETWORK),
                reference.limits(project),
            ],
            root / "dvc.lock": project.locked,
            iris / "provenance.json": lambda: [
                provenance.verify(datasets.page("iris"), iris),
                provenance.is_sample(iris),
            ],
            project.reports(NETWORK) / "metrics.json": lambda: results.metrics(project, case),
            project.reports(NETWORK) / "example.json": lambda: _example(project, _Of(case)),
            project.reports("iris") / "validation.json": lambda: results.validation(project, "iris"),
            project.reports("labs") / "units" / "checks.json": lambda: results.checks(project, "units"),
            record: lambda: [pages.build(NETWORK, archive.records(project, NETWORK), [])],
            shadow: lambda: differences.summary(project, NETWORK),
            ledger.store(project, NETWORK) / changes.UNFINISHED: lambda: changes.begun(
                ledger.store(project, NETWORK), "x"
            ),
            root / "history.csv": lambda: documents.rows(root / "history.csv", "Train again"),
        }

    def attacks(self, rng: random.Random) -> Iterator[Attack]:
        readers = self.readers()
        for path in readers:
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(_written(path))
        while True:
            path = rng.choice(list(readers))
            what, content = damaged(path, rng)

            def bring(path: Path = path, content: bytes | None = content) -> str:
                with changed(path, content):
                    readers[path]()
                return ""

            yield Attack("documents", f"{path.name}: {what}", bring, where="" if content is None else path.name)


def _written(path: Path) -> str:
    """What a document holds as long as nobody has spoilt it."""
    if path.suffix == ".csv":
        return "epoch,train_loss,valid_loss\n1,0.5,0.6\n2,0.4,0.5\n"
    kinds = {"shadow": SHADOW, NETWORK: RECORD}
    return json.dumps(WRITTEN.get(path.name) or kinds[path.parent.name], indent=2)


@dataclass
class _Of:
    case: Any


RECORD = {
    "batch": "a",
    "files": ["a.csv"],
    "folder": "incoming/lenet",
    "sha256": "0" * 64,
    "case": NETWORK,
    "data": "sample",
    "champion": "0" * 16,
    "dataset": "fashion_mnist",
    "judged": "2026-11-26T05:00:00+00:00",
    "outcome": "drifted",
    "labelled": True,
    "rows": 300,
    "limits": {"alpha": 0.001, "moved": 0.1},
    "reference_rows": 1000,
    "new_rows": 3,
    "columns": [{"column": "ink", "kind": "numbers", "p": 1e-9, "moved": 0.4, "drifted": True}],
    "score": {"metric": "accuracy", "value": 0.8, "low": 0.7, "high": 0.9, "before": 0.9, "fell": False},
    "groups": [],
    "expectations": 12,
    "detectable": 0.05,
}
SHADOW = {
    "case": NETWORK,
    "champion": "0" * 16,
    "challenger": "1" * 16,
    "champion_version": 1,
    "challenger_version": 2,
    "since": "2026-11-26T05:00:00+00:00",
    "until": "2026-11-26T05:10:00+00:00",
    "inputs": 9,
    "differ": 2,
    "failed": 0,
    "passed": 0,
    "requests": 3,
    "numbers": 9,
    "apart": 0.5,
    "most": 0.2,
    "pairs": [["bag", "boot", 2], ["bag", "bag", 7]],
}
WRITTEN: dict[str, Any] = {
    "dvc.lock": {
        "schema": "2.0",
        "stages": {
            "train@lenet": {
                "cmd": "x",
                "deps": [{"path": "a", "md5": "0"}],
                "outs": [{"path": "models/lenet", "md5": "1"}],
            }
        },
    },
    "checks.json": {"holds": True, "error": 0.1},
    "validation.json": {
        "data": "sample",
        "files": {"iris.data": "0" * 64},
        "rows": 150,
        "success": True,
        "expectations": [{"success": True, "sentence": "a"}],
    },
    changes.UNFINISHED: {"command": "x", "before": {"versions": [], "files": {}}},
}

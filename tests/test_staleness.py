"""What an edit runs again: real DVC, in a clone with two cases on samples. Slow, since each edit is a `dvc repro`."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from handbook.project import Project
from tests.conftest import ROOT, quick

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
CASES = ("lenet_book", "digits", "classifiers_iris")
EVERY = {f"{verb}@{case}" for verb in ("train", "evaluate") for case in CASES}
PICTURES = {each for each in EVERY if "iris" not in each}


class Clone:
    """A checkout of the code with few cases, and the checkout for samples inside it that DVC works in."""

    def __init__(self, root: Path) -> None:
        self.root, self.src = root, root / "src" / "handbook"
        for name in ("src", "flows", "gx"):
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "uncommitted"))
        for name in ("dvc.yaml", "README.md", ".dvcignore", ".dvc/config"):
            (root / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, root / name)
        numbers = Project(ROOT).numbers()
        blocks = {case: quick(numbers["cases"][case]) for case in CASES}
        few = {"datasets": ["fashion_mnist", "mnist", "iris"], "labs": ["units"], "cases": blocks}
        (root / "params.yaml").write_text(yaml.safe_dump(numbers | few, sort_keys=False))
        (root / "raw").symlink_to("data")
        self.run("-m", "handbook", "data", "--source", "sample", at=root)

    @property
    def sample(self) -> Project:
        return Project(self.root / ".sample")

    def run(self, *words: str, at: Path | None = None) -> str:
        """`python WORDS` with the clone's own code; its standard output."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        code = os.pathsep.join([str(self.root / "src"), str(self.root)])
        env = os.environ | {"PYTHONPATH": code, "PATH": path, "OMP_NUM_THREADS": "1"}
        env.pop("MLFLOW_TRACKING_URI", None)
        command, cwd = [sys.executable, *words], at or self.sample.root
        done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ran(self, *stages: str) -> set[str]:
        """The stages that `dvc repro` has to run, but `sources`, which looks at every edit."""
        return set(re.findall(r"Running stage '([^']+)'", self.run("-m", "dvc", "repro", *stages))) - {"sources"}

    def params(self, change: Callable[[dict[str, dict[str, object]]], None]) -> None:
        path = self.root / "params.yaml"
        numbers = yaml.safe_load(path.read_text())
        change(numbers)
        path.write_text(yaml.safe_dump(numbers, sort_keys=False))

    def edit(self, file: str, definition: str) -> None:
        """A function or class does one thing more, which is nothing: its code is another, its results are the same."""
        path = self.src / file
        text = path.read_text()
        body = next(each.body for each in ast.parse(text).body if getattr(each, "name", "") == definition)
        lines = text.splitlines(keepends=True)
        last = body[-1]
        lines.insert(last.lineno - 1, f"{' ' * last.col_offset}pass\n")
        path.write_text("".join(lines))

    def replace(self, file: str, before: str, after: str) -> None:
        path = self.src / file
        assert before in path.read_text()
        path.write_text(path.read_text().replace(before, after, 1))


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    created = Clone(tmp_path_factory.mktemp("clone"))
    created.run("-m", "dvc", "repro")
    yield created


# What is edited, how, and what has to run for it directly; what follows from that runs only where its inputs change.
# The report says of a case's seeds whether they are of today's code, so it follows every edit of a case.
EDITS: dict[str, tuple[Callable[[Clone], None], set[str]]] = {
    "nothing": (lambda _: None, set()),
    "a comment on a page": (lambda it: it.replace("cases/lenet.py", "\nfrom __f", "\n# seen\nfrom __f"), set()),
    "a docstring of a page": (lambda it: it.replace("cases/lenet.py", '"""', '"""Again: '), {"report"}),
    "the page of the report": (
        lambda it: it.replace("steps/report/report.html.j2", "</body>", "<p></p></body>"), {"report"},
    ),
    "a published figure": (
        lambda it: it.replace("steps/report/published.yaml", "value: 0.925", "value: 0.926"), {"report"},
    ),
    "errors.py": (lambda it: it.edit("errors.py", "unknown"), set()),
    "the client of MLflow": (lambda it: it.edit("registry/tracking.py", "register"), set()),
    "how models are served": (lambda it: it.edit("serving/serve.py", "serve"), set()),
    "how pictures are judged": (
        lambda it: it.edit("evaluation/recognition.py", "judge"), {"evaluate@lenet_book", "evaluate@digits", "report"},
    ),
    "augmentation": (
        lambda it: it.edit("training/augmentation.py", "shifted"), {"train@lenet_book", "train@digits", "report"},
    ),
    "the training loop": (
        lambda it: it.edit("training/batches.py", "Batches"), {"train@lenet_book", "train@digits", "report"},
    ),
    "a dataset page's load": (
        lambda it: it.edit("datasets/mnist.py", "load"),
        {"validate@mnist", "train@digits", "evaluate@digits", "report"},
    ),
    "a reader of tables": (
        lambda it: it.edit("data/tables.py", "read_csv"),
        {"validate@iris", "train@classifiers_iris", "evaluate@classifiers_iris", "report"},
    ),
    "one lab": (lambda it: it.edit("labs/units/activations.py", "tanh"), {"lab@units"}),
    "what a lab and a claim of the report share": (
        lambda it: it.edit("labs/units/activations.py", "sigmoid"), {"lab@units", "report"},
    ),
    "a book value": (
        lambda it: it.params(lambda numbers: numbers["cases"]["lenet_book"].update(book={"accuracy": 0.8})),
        {"evaluate@lenet_book", "register", "report"},
    ),
    "a parameter of one sibling": (
        lambda it: it.params(lambda numbers: numbers["cases"]["digits"].update(momentum=0.8)),
        {"train@digits", "evaluate@digits", "register", "report"},
    ),
    "a parameter that nobody has": (lambda it: it.params(lambda numbers: numbers.update(monitor={})), set()),
    "the preset": (
        lambda it: it.params(lambda numbers: numbers.update(preset="gpu") or [
            block.update(gpu={"momentum": 0.7} if name == "lenet_book" else {})
            for name, block in numbers["cases"].items()
        ]),
        {"train@lenet_book", "evaluate@lenet_book", "register", "report"},
    ),
}  # fmt: skip


def test_an_edit_runs_what_it_can_change_and_nothing_else(clone: Clone) -> None:
    """In turn, since each starts from where the one before has brought the clone; the table is printed (`-s`)."""
    found = {}
    for what, (edit, _) in EDITS.items():
        edit(clone)
        found[what] = clone.ran()
        print(f"{what:32} {', '.join(sorted(found[what])) or 'nothing'}", flush=True)
    assert found == {what: stages for what, (_, stages) in EDITS.items()}


def test_a_new_figure_is_judged_again_and_reaches_the_report_and_mlflow(clone: Clone) -> None:
    clone.ran()
    colours = "INK, BLUE, ORANGE, GREY = "
    clone.replace("evaluation/figures/style.py", colours, f"{colours}4 * ['#333333']\nBEFORE = ")
    ran = clone.ran()
    assert {"evaluate@lenet_book", "evaluate@classifiers_iris", "register", "report"} <= ran
    assert not {each for each in ran if each.startswith("train@")}
    content = json.loads((clone.sample.mlruns / "registered" / "lenet_book.json").read_text())["content"]
    kept = (
        clone.sample.root / "models" / ".registered" / "lenet_book" / content / "report" / "figures" / "confusion.png"
    )
    assert kept.read_bytes() == (clone.sample.reports("lenet_book") / "figures" / "confusion.png").read_bytes()
    shown = clone.run("-m", "handbook", "verify", "lenet_book")
    assert re.search(r"^MLflow +[1-9]\d* as written down, 0 not$", shown, re.MULTILINE)


def test_a_case_is_added_by_one_page_and_one_block(clone: Clone) -> None:
    clone.ran()
    before = {path: path.read_bytes() for path in clone.src.rglob("*.py")}
    shutil.copy(clone.src / "cases" / "lenet.py", clone.src / "cases" / "newcomer.py")
    clone.params(lambda numbers: numbers["cases"].update(fresh=numbers["cases"]["digits"] | {"page": "newcomer"}))
    assert clone.ran() == {"train@fresh", "evaluate@fresh", "register", "report"}
    assert all(path.read_bytes() == content for path, content in before.items())
    assert "fresh: version 1" in json.loads((clone.sample.mlruns / "registered" / "fresh.json").read_text())["said"]
    assert ">fresh<" in (clone.sample.root / "reports" / "index.html").read_text()
    script = "from handbook.steps.report import readme; from handbook.project import Project"
    assert "| [`fresh`](src/handbook/cases/newcomer.py)<br>mnist (sample)<br>accuracy |" in clone.run(
        "-c", f"{script}; print(readme.results(Project.here()))"
    )
    script = "from flows.case_study import Case; from pydantic import TypeAdapter"
    assert "'fresh'" in clone.run("-c", f"{script}; print(TypeAdapter(Case).json_schema())")

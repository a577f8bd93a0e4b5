"""What each stage is made of: which edits and parameters make it stale, and that nothing runs that is not in it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from handbook import datasets
from handbook.errors import HandbookError
from handbook.project import Project
from handbook.sources import APART, Name, Package
from handbook.steps import evaluate, sources, train
from handbook.steps.given import data_of
from tests.conftest import ROOT, UNTRACED
from tests.tracing import HOME, traced

CASES = Project(ROOT).cases()


def test_files_are_written_only_where_something_changed_and_removed_where_a_case_is_gone(project: Project) -> None:
    sources.sources(project)
    before = {path: path.stat().st_mtime_ns for path in project.sources.rglob("*.txt")}
    text = (project.root / "params.yaml").read_text()
    (project.root / "params.yaml").write_text(text.replace("  lenet_book:\n", "  lenet_copy:\n", 1))
    sources.sources(project)
    after = {path: path.stat().st_mtime_ns for path in project.sources.rglob("*.txt")}
    changed = {path for path in before.keys() | after if before.get(path) != after.get(path)}
    names = [f"{verb}/lenet_{end}.txt" for verb in ("train", "evaluate") for end in ("book", "copy")]
    assert changed == {project.sources / name for name in names}


@pytest.mark.parametrize(
    ("before", "after", "stale"),
    [
        ("book: {accuracy: 0.8412}", "book: {accuracy: 0.85}", {"evaluate/lenet_book", "evaluate/lenet"}),
        ("epochs: 10", "epochs: 11", {"train/lenet_book", "evaluate/lenet_book"}),
        ("gpu: {}", "gpu: {epochs: 99}", set()),
    ],
)
def test_a_parameter_makes_stale_what_it_is_for(before: str, after: str, stale: set[str], tmp_path: Path) -> None:
    text = (ROOT / "params.yaml").read_text()
    project, start = Project(tmp_path), text.index("  lenet_book:")
    created = []
    for content in (text, text[:start] + text[start:].replace(before, after, 1)):
        (tmp_path / "params.yaml").write_text(content)
        names = ((verb, name) for verb, names in sources.stages(project).items() for name in names)
        created.append({f"{verb}/{name}": sources.fingerprint(project, verb, name) for verb, name in names})
    assert {name for name in created[0] if created[0][name] != created[1][name]} == stale


def test_the_preset_makes_stale_only_what_it_changes(tmp_path: Path) -> None:
    project = Project(tmp_path)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    laptop = {name: sources.fingerprint(project, "train", name) for name in CASES}
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text().replace("preset: laptop", "preset: gpu"))
    changed = {name for name in CASES if sources.fingerprint(project, "train", name) != laptop[name]}
    assert changed == {name for name in CASES if project.numbers()["cases"][name].get("gpu")}


@pytest.mark.parametrize(
    ("edit", "another"),
    [
        (("training/augmentation.py", "torch.rand(", "torch.randn("), True),
        (("evaluation/recognition.py", "most: int = 18", "most: int = 17"), False),
        (("cases/lenet.py", "from __future__", "# changed\nfrom __future__"), False),
    ],
)
def test_a_checkpoint_goes_on_only_where_the_same_code_made_it(
    edit: tuple[str, str, str], another: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, origin = Project(ROOT), {"files": {"a": {"sha256": "0"}}}
    case = project.case("lenet")
    key = train.training_key(project, case, origin)
    shutil.copytree(HOME, tmp_path / "handbook", ignore=shutil.ignore_patterns("__pycache__"))
    file, before, after = edit
    path = tmp_path / "handbook" / file
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))
    monkeypatch.setattr(sources, "_package", lambda: Package(tmp_path / "handbook"))
    assert (train.training_key(project, case, origin) != key) == another


NAMED = {'"iris"': ("iris",), '("iris", "boston")': ("iris", "boston"), "()": ()}


@pytest.mark.parametrize("named", NAMED)
def test_a_lab_is_made_of_the_data_of_every_dataset_that_it_names(
    named: str, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(HOME, tmp_path / "handbook", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "handbook" / "labs" / "toy.py").write_text(f'"""A toy."""\n\nDATASET = {named}\n')
    monkeypatch.setattr(sources, "_package", lambda: Package(tmp_path / "handbook"))
    text = sources.fingerprint(project, "lab", "toy")
    assert "handbook.labs.toy.DATASET" in text
    for verb in ("load", "FILES", "sample"):
        read = {name for name in ("iris", "boston", "mnist") if f"handbook.datasets.{name}.{verb} " in text}
        assert read == set(NAMED[named])


@pytest.mark.parametrize("named", ["NAMES", "(NAME, 'iris')", "7"])
def test_a_lab_whose_datasets_cannot_be_read_from_its_source_is_named_with_its_line(
    named: str, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "handbook" / "labs").mkdir(parents=True)
    (tmp_path / "handbook" / "labs" / "toy.py").write_text(f'"""A toy."""\n\nDATASET = {named}\n')
    monkeypatch.setattr(sources, "_package", lambda: Package(tmp_path / "handbook"))
    with pytest.raises(HandbookError, match=r"toy\.py, line 3: expected DATASET to be a name in quotes"):
        sources.fingerprint(project, "lab", "toy")


@pytest.mark.parametrize("name", [each for each in CASES if each not in UNTRACED])
def test_all_that_runs_for_a_result_is_in_its_fingerprint(name: str, traces: Any) -> None:
    """The closure law: what `fit` and `evaluate` really execute, on samples, is a subset of what they are made of."""
    holds(Project(ROOT), name, traces(name))


@pytest.mark.parametrize("name", ["lenet_book", *(pytest.param(each, marks=pytest.mark.slow) for each in UNTRACED)])
def test_what_the_steps_around_a_page_run_is_in_its_fingerprint(name: str, project: Project) -> None:
    holds(project, name, executed(project, name))


def holds(project: Project, name: str, traces: tuple[set[Name], set[Name]]) -> None:
    for verb, ran in zip(("train", "evaluate"), traces, strict=True):
        text = sources.fingerprint(project, verb, name)
        known = {line.split()[0] for line in text.splitlines() if line.startswith("handbook.")}
        apart = tuple(f"handbook.{each}" for each in APART)
        known.add("handbook.datasets.names")  # by which `project`, which is apart, looks a dataset's name up
        missing = {f"{module}.{each}" for module, each in ran if not module.startswith(apart)} - known
        assert not missing, f"{verb} runs what is not in sources/{verb}/{name}.txt"
        assert len(ran) > 10


def executed(project: Project, name: str) -> tuple[set[Name], set[Name]]:
    """What runs as the steps `train` and `evaluate` do it, with one epoch."""
    case = project.case(name)
    datasets.page(case.dataset)  # imported here: what a module runs as it is loaded is in none of its stages
    with traced() as learned:
        train.fit(project, case, case.split(data_of(project, case)[0]), "k")
    with traced() as judged:
        evaluate.evaluate(project, name)
    return learned, judged

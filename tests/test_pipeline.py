"""dvc.yaml, params.yaml, data.dvc, dvc.lock and the README hold together."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from handbook import datasets, report, steps
from handbook.__main__ import VERBS
from handbook.errors import HandbookError
from handbook.project import Project
from tests.conftest import MIRROR, ROOT

PROJECT = Project(ROOT)
PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text())
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def dvc(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dvc", *words]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, env=os.environ | {"PATH": PATH}
    )


def test_every_case_is_an_artifact() -> None:
    told = {name: block["path"] for name, block in PIPELINE["artifacts"].items()}
    assert told == {name: f"models/{name}" for name in PROJECT.cases()}


def test_dvc_knows_a_stage_for_each_verb_and_name() -> None:
    listed = {line.split()[0] for line in dvc("stage", "list", "--all").stdout.splitlines() if line}
    expected = {f"validate@{name}" for name in PROJECT.datasets()} | {"report"}
    expected |= {f"lab@{name}" for name in PROJECT.labs()}
    expected |= {f"{verb}@{name}" for verb in ("train", "evaluate", "register") for name in PROJECT.cases()}
    assert expected <= listed


def test_every_dependency_in_git_exists() -> None:
    lock = yaml.safe_load((ROOT / "dvc.lock").read_text())["stages"]
    for name, stage in lock.items():
        for dep in stage["deps"]:
            if dep["path"].startswith("src/"):
                assert (ROOT / dep["path"]).exists(), f"{name}: {dep['path']}"


def test_a_stage_does_not_read_the_data_where_dvc_would_pin_them_anew() -> None:
    for name, stage in yaml.safe_load((ROOT / "dvc.lock").read_text())["stages"].items():
        assert not [dep["path"] for dep in stage["deps"] if dep["path"].startswith("data")], name
    assert (ROOT / "raw").readlink() == Path("data")


def test_what_git_holds_is_real_and_agrees_with_the_lock(capsys: pytest.CaptureFixture[str]) -> None:
    steps.check(PROJECT)
    assert "results are real" in capsys.readouterr().out


@pytest.mark.real
@pytest.mark.skipif(not MIRROR, reason="needs HANDBOOK_MIRROR")
def test_data_dvc_pins_the_bytes_that_the_pages_name(tmp_path: Path) -> None:
    from handbook import fetch

    for name in PROJECT.datasets():
        fetch.obtain(datasets.page(name), tmp_path / name, fetch.Search("mirror", tmp_path / ".scratch"))
    files = sorted(path for name in PROJECT.datasets() for path in (tmp_path / name).iterdir())
    listing = [
        {"md5": hashlib.md5(path.read_bytes()).hexdigest(), "relpath": path.relative_to(tmp_path).as_posix()}  # noqa: S324
        for path in files
    ]
    # DVC names a folder by the md5 of its listing (dvc_data.hashfile.tree)
    digest = hashlib.md5(json.dumps(listing, sort_keys=True).encode()).hexdigest()  # noqa: S324
    pinned = yaml.safe_load((ROOT / "data.dvc").read_text())["outs"][0]
    assert pinned["md5"] == f"{digest}.dir"
    assert pinned["nfiles"] == len(files)


def spoiled_checkout(tmp_path: Path) -> Project:
    """A copy of what git holds of the results."""
    import shutil

    for name in ("params.yaml", "dvc.lock", "README.md"):
        shutil.copy(ROOT / name, tmp_path / name)
    for path in (ROOT / "reports").rglob("*.json"):
        if path.name in ("metrics.json", "validation.json", "checks.json"):
            (tmp_path / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, tmp_path / path.relative_to(ROOT))
    return Project(tmp_path)


def _as_sample(project: Project) -> None:
    path = project.reports("lenet") / "metrics.json"
    path.write_text(path.read_text().replace('"data": "real"', '"data": "sample"'))


def _other_number(project: Project) -> None:
    path = project.reports("lenet") / "metrics.json"
    path.write_text(path.read_text().replace('"accuracy": 0.9', '"accuracy": 0.8', 1))


def _other_readme(project: Project) -> None:
    path = project.root / "README.md"
    path.write_text(path.read_text().replace(report.START, report.START + "\n| best | 100.00 % |"))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_as_sample, r"reports/lenet/metrics\.json was made from sample data"),
        (_other_number, r"dvc\.lock was written with another reports/lenet/metrics\.json"),
        (_other_readme, r"README\.md does not show the results"),
    ],
)
def test_the_check_refuses_what_must_not_be_committed(spoil: Any, message: str, tmp_path: Path) -> None:
    project = spoiled_checkout(tmp_path)
    steps.check(project)
    spoil(project)
    with pytest.raises(HandbookError, match=message):
        steps.check(project)


def handbook(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "handbook", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["train", "lenett"],
            f"no case 'lenett'; choose from {', '.join(sorted(PROJECT.cases()))} (did you mean lenet?)",
        ),
        (
            ["validate", "mnits"],
            f"no dataset 'mnits'; choose from {', '.join(sorted(datasets.names()))} (did you mean mnist?)",
        ),
        (["data", "x"], "no dataset 'x'"),
        (["evaluate", "digits"], "no model here: it is not trained yet"),
    ],
)
def test_an_error_is_told_without_a_traceback(words: list[str], message: str, project: Project) -> None:
    done = handbook(*words, cwd=project.root)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_command_line_is_refused(project: Project) -> None:
    assert handbook("trian", "lenet", cwd=project.root).returncode == 2
    assert handbook("data", "--source", "cloud", cwd=project.root).returncode == 2


def test_every_verb_says_what_it_does(project: Project) -> None:
    told = handbook("--help", cwd=project.root).stdout
    assert all(verb in told for verb in VERBS)


def test_what_runs_by_itself_from_raw_bytes_to_report_says_sample_everywhere(project: Project) -> None:
    """The whole chain in one process, on the sample, for the cheapest case."""
    numbers = project.numbers()
    numbers["cases"], numbers["labs"] = {"digits": numbers["cases"]["digits"]}, {"units": ""}
    (project.root / "params.yaml").write_text(yaml.safe_dump(numbers))
    (project.root / "README.md").write_text(f"{report.START}\nold\n{report.END}\n")
    steps.validate(project, "mnist")
    steps.train(project, "digits")
    steps.evaluate(project, "digits")
    steps.lab(project, "units")
    steps.report(project)
    metrics = json.loads((project.reports("digits") / "metrics.json").read_text())
    page = (project.root / "reports" / "index.html").read_text()
    assert metrics["data"] == "sample"
    assert 'role="alert">SAMPLE DATA' in page
    assert "(sample)" in page
    assert "old" in (project.root / "README.md").read_text()
    outside = re.findall(r"(?:src|href)=\"(https?://(?!127\.0\.0\.1)[^\"]+)\"", page)
    assert set(outside) <= {datasets.page(name).SOURCE for name in project.datasets()}
    first = {
        path: path.read_bytes()
        for path in project.reports("digits").rglob("*")
        if path.name != "training.json" and path.is_file()
    }
    steps.train(project, "digits")
    steps.evaluate(project, "digits")
    assert {path: path.read_bytes() for path in first} == first


def test_a_log_is_told_each_epoch_as_it_ends(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    steps.validate(project, "bank_marketing")
    steps.train(project, "mlp")
    epochs = re.findall(
        r"^epoch (\d+)/1: train_loss [\d.]+, .*valid_loss [\d.]+", capsys.readouterr().out, re.MULTILINE
    )
    assert epochs == ["1"]


def test_make_help_lists_the_targets() -> None:
    told = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in [
        "setup",
        "data",
        "repro",
        "flow",
        "ui",
        "test",
        "check",
        "audit",
        "bench",
        "lock",
        "report",
        "clean",
    ]:
        assert f"make {target} " in told

"""dvc.yaml, params.yaml, data.dvc, dvc.lock and the README hold together."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from handbook import datasets
from handbook.project import Project
from handbook.steps import check, evaluate, lab, report, train, validate
from handbook.steps.report import published, readme
from tests.conftest import MIRROR, ROOT

PROJECT = Project(ROOT)
PIPELINE = yaml.safe_load((ROOT / "dvc.yaml").read_text())
PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def dvc(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dvc", *words]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, check=False, env=os.environ | {"PATH": PATH}
    )


def test_dvc_knows_a_stage_for_each_verb_and_name() -> None:
    listed = {line.split()[0] for line in dvc("stage", "list", "--all").stdout.splitlines() if line}
    expected = {f"validate@{name}" for name in PROJECT.datasets()} | {"sources", "register", "report"}
    expected |= {f"lab@{name}" for name in PROJECT.labs()}
    expected |= {f"{verb}@{name}" for verb in ("train", "evaluate") for name in PROJECT.cases()}
    assert expected <= listed
    # a stage that is no more would be read and written again by every other one
    assert set(yaml.safe_load((ROOT / "dvc.lock").read_text())["stages"]) <= expected


def test_every_dependency_in_git_exists() -> None:
    lock = yaml.safe_load((ROOT / "dvc.lock").read_text())["stages"]
    for name, stage in lock.items():
        for dep in stage["deps"]:
            if dep["path"].startswith("src/"):
                assert (ROOT / dep["path"]).exists(), f"{name}: {dep['path']}"


def test_a_stage_does_not_read_the_data_where_dvc_would_pin_them_again() -> None:
    for name, stage in yaml.safe_load((ROOT / "dvc.lock").read_text())["stages"].items():
        assert not [dep["path"] for dep in stage["deps"] if dep["path"].startswith("data")], name
    assert (ROOT / "raw").readlink() == Path("data")


def test_what_git_holds_is_real_and_agrees_with_the_lock(capsys: pytest.CaptureFixture[str]) -> None:
    check.check(PROJECT)
    assert "results are real" in capsys.readouterr().out


@pytest.mark.real
@pytest.mark.skipif(not MIRROR, reason="needs HANDBOOK_MIRROR")
def test_data_dvc_pins_the_bytes_that_the_pages_name(tmp_path: Path) -> None:
    from handbook.data import fetch

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


def test_what_runs_by_itself_from_raw_bytes_to_report_says_sample_everywhere(project: Project) -> None:
    """The whole chain in one process, on the sample, for the cheapest case."""
    numbers = project.numbers()
    numbers["cases"], numbers["labs"] = {"digits": numbers["cases"]["digits"]}, ["units"]
    (project.root / "params.yaml").write_text(yaml.safe_dump(numbers))
    (project.root / "README.md").write_text(f"{readme.START}\nold\n{readme.END}\n")
    validate.validate(project, "mnist")
    train.train(project, "digits")
    evaluate.evaluate(project, "digits")
    lab.lab(project, "units")
    report.report(project)
    metrics = json.loads((project.reports("digits") / "metrics.json").read_text())
    page = (project.root / "reports" / "index.html").read_text()
    assert metrics["data"] == "sample"
    assert 'role="alert">SAMPLE DATA' in page
    assert "(sample)" in page
    assert "old" in (project.root / "README.md").read_text()
    outside = re.findall(r"(?:src|href)=\"(https?://(?!127\.0\.0\.1)[^\"]+)\"", page)
    sources = {result.address for results in published.entry("digits").results.values() for result in results}
    assert set(outside) <= sources | {datasets.page(name).SOURCE for name in project.datasets()}
    first = {
        path: path.read_bytes()
        for path in project.reports("digits").rglob("*")
        if path.name != "training.json" and path.is_file()
    }
    train.train(project, "digits")
    evaluate.evaluate(project, "digits")
    assert {path: path.read_bytes() for path in first} == first


def test_make_help_lists_the_targets() -> None:
    reported = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
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
        assert f"make {target} " in reported

"""Samples are built in a checkout of their own: what git keeps, and what real data made, stay as they are."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from handbook.data import provenance
from handbook.errors import HandbookError
from handbook.project import Project
from handbook.steps import data, samples
from tests.conftest import ROOT


@pytest.fixture
def bare(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project without data, whose mirror is empty."""
    shutil.rmtree(project.root / "data")
    (project.root / "mirror").mkdir()
    (project.root / ".dvc").mkdir()
    shutil.copy(ROOT / ".dvc" / "config", project.root / ".dvc")
    monkeypatch.setenv("HANDBOOK_MIRROR", str(project.root / "mirror"))
    return project


def test_if_one_dataset_cannot_be_fetched_all_are_drawn_apart(
    bare: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    data.data(bare, [], "mirror", or_sample=True)
    printed = capsys.readouterr()
    apart = samples.where(bare)
    assert apart.root == bare.root / ".sample"
    assert all(provenance.is_sample(apart.data(name)) for name in bare.datasets())
    assert not any(provenance.is_sample(bare.data(name)) for name in bare.datasets())
    assert str(apart.root) in printed.err
    assert "mnist/train-images-idx3-ubyte.gz" in printed.err  # what was sought, and where


def test_what_is_asked_for_as_a_sample_is_drawn_apart(bare: Project) -> None:
    data.data(bare, ["iris"], "sample", or_sample=False)
    assert provenance.is_sample(bare.root / ".sample" / "data" / "iris")
    assert not bare.data("iris").exists()


def test_without_leave_to_draw_samples_nothing_is_drawn(bare: Project) -> None:
    with pytest.raises(HandbookError, match="mnist"):
        data.data(bare, ["mnist"], "mirror", or_sample=False)
    assert not (bare.root / ".sample").exists()


def test_a_damaged_file_is_no_reason_for_samples(bare: Project) -> None:
    bare.data("macbeth").mkdir(parents=True)
    (bare.data("macbeth") / "macbeth.txt").write_text("To be, or not to be")
    with pytest.raises(HandbookError, match=r"macbeth\.txt"):
        data.data(bare, ["macbeth"], "mirror", or_sample=True)
    assert not (bare.root / ".sample").exists()


def test_a_checkout_whose_data_are_all_real_is_the_one_that_is_built(
    bare: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples.draw(bare, ["iris"])
    assert samples.where(bare).root == bare.root / ".sample"
    for name in bare.datasets():
        bare.data(name).mkdir(parents=True)
        (bare.data(name) / provenance.PROVENANCE).write_text(json.dumps({"dataset": name, "kind": "real", "files": {}}))
    assert samples.where(bare) == bare


def test_the_checkout_for_samples_is_itself_when_somebody_works_in_it(bare: Project) -> None:
    apart = samples.draw(bare, ["iris"])
    assert samples.where(apart) == apart
    data.data(apart, ["diabetes"], "auto", or_sample=False)
    assert provenance.is_sample(apart.data("diabetes"))
    assert not (apart.root / ".sample").exists()


def test_its_links_hold_wherever_the_project_is_moved(bare: Project, tmp_path: Path) -> None:
    samples.draw(bare, ["iris"])
    moved = tmp_path / "mövéd here"
    shutil.copytree(bare.root / ".sample", moved / ".sample", symlinks=True)
    shutil.copy(bare.root / "params.yaml", moved)
    assert Project(moved / ".sample").datasets() == bare.datasets()
    assert (moved / ".sample" / "raw" / "iris").is_dir()


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="a source archive has no git to ask")
def test_a_build_on_samples_leaves_git_clean_and_is_known_to_dvc(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    env = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(clone / "src"),
    }
    for words in (["handbook", "data", "iris", "--source", "sample"], ["handbook", "where"]):
        command = [sys.executable, "-m", *words]
        done = subprocess.run(command, cwd=clone, env=env, capture_output=True, text=True, check=True)
    apart = Path(done.stdout.strip())
    repro = [sys.executable, "-m", "dvc", "repro", "validate@iris"]
    for said in ("expectations are met", "didn't change, skipping"):
        done = subprocess.run(repro, cwd=apart, env=env, capture_output=True, text=True, check=False)
        assert said in done.stdout, done.stderr
    assert (apart / "reports" / "iris" / "validation.json").exists()
    status = subprocess.run(["git", "status", "--porcelain"], cwd=clone, capture_output=True, text=True, check=True)
    assert status.stdout == ""

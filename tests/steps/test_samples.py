"""The checkout for samples: made twice it is the same, and it is its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from handbook.files.integrity import hashes
from handbook.project import SAMPLES, Project
from handbook.steps import samples
from tests.conftest import ROOT


@pytest.fixture
def bare(tmp_path: Path) -> Project:
    """A checkout without data."""
    for name in ("params.yaml", "dvc.yaml", ".dvc/config", "gx/great_expectations.yml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "src").mkdir()
    return Project(tmp_path)


def test_a_checkout_made_again_is_the_same_and_shares_code_and_numbers_by_links(bare: Project) -> None:
    apart = samples.checkout(bare)
    before = hashes(apart.root)
    (apart.root / "params.yaml").unlink()
    (apart.root / "params.yaml").symlink_to("elsewhere")
    assert samples.checkout(bare) == apart
    assert hashes(apart.root) == before
    assert (apart.root / "params.yaml").samefile(bare.root / "params.yaml")
    assert (apart.root / "src").resolve() == bare.root / "src"
    assert not (apart.root / "flows").exists()  # which this checkout does not have


def test_within_it_it_is_itself_and_a_folder_of_that_name_alone_is_not(bare: Project, tmp_path: Path) -> None:
    apart = samples.checkout(bare)
    assert apart.of_samples
    assert samples.checkout(apart) == apart
    assert not bare.of_samples
    (tmp_path / "src" / SAMPLES).mkdir()
    assert not Project(tmp_path / "src" / SAMPLES).of_samples


def test_the_same_sample_is_drawn_each_time_and_is_what_is_looked_at(bare: Project) -> None:
    assert samples.where(bare) == bare
    apart = samples.draw(bare, ["iris"])
    before = hashes(apart.data("iris"))
    samples.draw(bare, ["iris"])
    assert hashes(apart.data("iris")) == before
    assert samples.where(bare) == apart
    assert not bare.data("iris").exists()

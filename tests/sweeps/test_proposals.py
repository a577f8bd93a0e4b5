"""Proposals: a patch changes one case alone, or there is none."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from handbook.project import Project
from handbook.sweeps import proposals

BLOCK = """\
preset: laptop
cases:
  one:
    rate: 0.1  # the peak
    hidden: [128, 64]
    gpu: {rate: 0.2}
  two:
    rate: 0.1
"""


def test_a_patch_changes_the_case_alone_and_keeps_its_comments(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_text(BLOCK)
    patch = proposals.patched(Project(tmp_path), "one", {"rate": 0.25, "hidden": [32]})
    (tmp_path / "a.patch").write_text(patch)
    subprocess.run(["git", "apply", "a.patch"], cwd=tmp_path, check=True)
    want = BLOCK.replace("rate: 0.1  #", "rate: 0.25  #").replace("[128, 64]", "[32]")
    assert (tmp_path / "params.yaml").read_text() == want


def test_a_patch_of_a_case_that_others_take_over_leaves_theirs_as_they_are(tmp_path: Path) -> None:
    text = BLOCK.replace("  one:", "  one: &one").replace(
        "  two:\n    rate: 0.1", "  two:\n    <<: *one\n    deep: true"
    )
    (tmp_path / "params.yaml").write_text(text)
    before = Project(tmp_path).numbers()["cases"]
    for name, change in (("one", {"rate": 0.25}), ("two", {"hidden": [16]})):
        (tmp_path / "a.patch").write_text(proposals.patched(Project(tmp_path), name, change))
        subprocess.run(["git", "apply", "a.patch"], cwd=tmp_path, check=True)
        before[name] |= change
        assert Project(tmp_path).numbers()["cases"] == before
    assert "<<: *one" in (tmp_path / "params.yaml").read_text()


@pytest.mark.parametrize("spoiled", [("laptop", "gpu"), ("[128, 64]", "\n    - 128\n    - 64")])
def test_where_a_patch_cannot_be_sure_there_is_none(tmp_path: Path, spoiled: tuple[str, str]) -> None:
    (tmp_path / "params.yaml").write_text(BLOCK.replace(*spoiled))
    assert proposals.patched(Project(tmp_path), "one", {"hidden": [32]}) == ""

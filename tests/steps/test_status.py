"""What is not built is said in a line a verb, with what to type, before DVC fails over it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from handbook.project import Project
from handbook.registry import pinned
from handbook.steps import sources, status


def lock(project: Project, *stages: str) -> None:
    """A dvc.lock that knows these stages, each made from its fingerprint of today and one file."""
    known: dict[str, Any] = {}
    for stage in stages:
        verb, _, name = stage.partition("@")
        out, dep = f"reports/{name}/{verb}.json", f"sources/{verb}/{name}.txt"
        (project.root / out).parent.mkdir(parents=True, exist_ok=True)
        (project.root / out).write_text("{}")
        parts = {
            key: [{"path": path, "md5": pinned.md5(project.root / path)}]
            for key, path in (("deps", dep), ("outs", out))
        }
        known[stage] = {"cmd": "x", **parts}
    (project.root / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": known}))


def test_each_stage_is_fresh_stale_or_not_built(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    status.status(project)
    said = capsys.readouterr().out
    assert f"train     0 of {len(project.cases())} fresh; {len(project.cases())} not built: " in said
    assert "report    0 of 1 fresh; 1 not built: report" in said
    assert "Build what is missing or stale: make repro" in said
    assert "Until then dvc plots show and dvc metrics show fail\n" in said
    sources.sources(project)
    lock(project, "train@lenet", "evaluate@lenet", "train@digits")
    numbers = project.numbers()
    numbers["cases"]["digits"]["epochs"] = 77
    (project.root / "params.yaml").write_text(yaml.safe_dump(numbers, sort_keys=False))
    (project.root / "reports" / "lenet" / "evaluate.json").unlink()
    sources.sources(project)
    found = {(each.verb, each.name): each.fault for each in status.states(project)}
    assert found["train", "lenet"] == ""
    assert found["train", "digits"] == "stale"
    assert found["evaluate", "lenet"] == "not built"


@pytest.mark.parametrize(("files", "fault"), [(0, ""), (1, "not built")])
def test_a_folder_without_files_is_built_where_none_was_to_come(project: Project, files: int, fault: str) -> None:
    sources.sources(project)
    lock(project, "evaluate@lenet")
    known = project.locked()
    known["evaluate@lenet"]["outs"].append({"path": "reports/lenet/tables", "md5": "0.dir", "nfiles": files})
    (project.root / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": known}))
    (project.root / "reports" / "lenet" / "tables").mkdir()
    found = {(each.verb, each.name): each.fault for each in status.states(project)}
    assert found["evaluate", "lenet"] == fault


def test_what_is_all_built_is_said_in_one_sentence(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sources, "stages", lambda _: {"train": ["lenet"], "report": ["report"]})
    monkeypatch.setattr(status, "states", lambda _: [status.State("train", "lenet"), status.State("report", "")])
    status.status(project)
    said = capsys.readouterr().out
    assert "train     1 of 1 fresh\nreport    1 of 1 fresh\nAll is built of today's code" in said

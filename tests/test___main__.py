"""The command line: what is wrong with it is reported without a traceback, and each verb says what it does."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from handbook import datasets
from handbook.__main__ import VERBS, main
from handbook.files import formats
from handbook.project import Project
from handbook.registry import trained
from handbook.steps import train
from tests.conftest import ROOT


def test_the_code_of_another_checkout_is_refused(tmp_path: Path) -> None:
    (tmp_path / "src/handbook").mkdir(parents=True)
    (tmp_path / "src/handbook/__main__.py").write_text("")
    (tmp_path / "params.yaml").write_text("")
    command = [sys.executable, "-m", "handbook", "check"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"the current folder belongs to {tmp_path}" in done.stderr
    assert "make setup" in done.stderr


def handbook(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "handbook", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["train", "lenett"],
            f"no case 'lenett'; choose from {', '.join(sorted(Project(ROOT).cases()))} (did you mean lenet?)",
        ),
        (
            ["validate", "mnits"],
            f"no dataset 'mnits'; choose from {', '.join(sorted(datasets.names()))} (did you mean mnist?)",
        ),
        (["data", "x"], "no dataset 'x'"),
        (["evaluate", "digits"], "no model here: it is not trained yet"),
    ],
)
def test_an_error_is_reported_without_a_traceback(words: list[str], message: str, project: Project) -> None:
    done = handbook(*words, cwd=project.root)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_command_line_is_refused(project: Project) -> None:
    assert handbook("trian", "lenet", cwd=project.root).returncode == 2
    assert handbook("data", "--source", "cloud", cwd=project.root).returncode == 2


def test_every_verb_says_what_it_does(project: Project) -> None:
    reported = handbook("--help", cwd=project.root).stdout
    assert all(verb in reported for verb in VERBS)


def in_here(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """The exit code of a command line, run in this process."""
    monkeypatch.setattr(sys, "argv", ["handbook", *words])
    return main()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES])
def test_what_the_system_refuses_is_a_sentence_and_leaves_nothing_half_written(
    number: int, project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A write that fails in its middle, in the middle of a verb that writes: `validate`, and then with room again."""
    write, gate = Path.write_text, project.reports("iris") / "validation.json"

    def refuse(path: Path, text: str, *more: str) -> int:
        write(path, text[: len(text) // 2])
        raise OSError(number, os.strerror(number), str(path))

    with monkeypatch.context() as full:
        full.setattr(Path, "write_text", refuse)
        assert in_here(monkeypatch, "validate", "iris") == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    assert not gate.exists()
    assert not list(project.root.rglob(".*.new"))


@pytest.mark.usefixtures("heard")
def test_a_training_that_is_asked_to_end_says_so_and_goes_on_where_it_was(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = project.numbers()
    numbers["cases"]["mlp"]["epochs"] = 3
    (project.root / "params.yaml").write_text(yaml.safe_dump(numbers))
    signals = iter((signal.SIGTERM, signal.SIGINT))

    def interrupt(row: dict[str, float]) -> None:
        """In the second epoch: the first one's checkpoint is there."""
        if row["epoch"] == 2 and (number := next(signals, None)):
            os.kill(os.getpid(), number)

    monkeypatch.setattr(train, "_listener", lambda *_: interrupt)
    for code, word in ((143, "terminated"), (130, "interrupted")):
        assert in_here(monkeypatch, "train", "mlp") == code
        assert f"{word}; run again to go on" in capsys.readouterr().err
        assert not project.models("mlp").exists()
    assert in_here(monkeypatch, "train", "mlp") == 0
    assert "resuming from" in capsys.readouterr().err
    trained.check(project, "mlp")
    assert len(formats.read_rows(project.reports("mlp") / "history.csv")) == 3

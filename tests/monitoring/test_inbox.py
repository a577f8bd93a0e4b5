"""What comes in is found whole, put away once, and never lost."""

from __future__ import annotations

import errno
import hashlib
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from handbook import datasets
from handbook.data import images
from handbook.errors import HandbookError
from handbook.monitoring import inbox
from handbook.project import Project
from tests.monitoring.toys import BANK, drawn, held_out, put

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"
)


def test_a_file_that_grows_while_we_look_is_left_alone(watched: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(watched, "growing.csv", drawn(held_out(watched), 0))

    def meanwhile(seconds: float) -> None:
        with path.open("ab") as stream:
            stream.write(b"1\n")

    monkeypatch.setattr(time, "sleep", meanwhile)
    found, waiting = inbox.find(path.parent, BANK, settle=60.0)
    assert not found
    assert [each.why for each in waiting] == ["it is still being written"]


def test_a_pair_that_a_kill_has_parted_is_put_together_again(tmp_path: Path) -> None:
    page = datasets.page("mnist")
    for end, array in ((inbox.IMAGES, np.zeros((2, 28, 28), np.uint8)), (inbox.LABELS, np.zeros(2, np.uint8))):
        images.write_idx(tmp_path / f"b{end}", array)
    (batch,), _ = inbox.find(tmp_path, page, settle=0)
    place = tmp_path / "done" / batch.name
    place.mkdir(parents=True)
    batch.files[0].replace(place / batch.files[0].name)
    inbox.finish_moves(tmp_path)
    assert sorted(path.name for path in place.iterdir()) == sorted(path.name for path in batch.files)
    assert not [path for path in tmp_path.iterdir() if path.is_file()]


def calls(folder: Path, name: str, text: str = "age;y\n1;no\n") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text)
    return folder


def test_what_is_judged_is_kept_and_what_became_of_the_file_meanwhile_stays(tmp_path: Path) -> None:
    folder = calls(tmp_path / "incoming", "a.csv")
    (batch,), waiting = inbox.find(folder, BANK, settle=0.0)
    assert waiting == []
    assert batch.sha256 == hashlib.sha256(b"age;y\n1;no\n").hexdigest()
    calls(folder, "a.csv", "age;y\n2;no\n")
    place = inbox.put_away(batch, refused=True)
    assert place == folder / "refused" / f"a-{batch.sha256[:8]}"
    assert [path.read_text() for path in place.iterdir()] == ["age;y\n1;no\n"]
    assert (folder / "a.csv").read_text() == "age;y\n2;no\n"
    (second,), _ = inbox.find(folder, BANK, settle=0.0)
    assert second.sha256 != batch.sha256
    inbox.put_away(second, refused=False)
    assert [path.name for path in folder.iterdir() if path.name not in ("done", "refused")] == []


def test_batches_whose_names_have_dots_have_names_of_their_own(tmp_path: Path) -> None:
    for day in ("01", "02", "03"):
        calls(tmp_path, f"bank.2026-11-{day}.csv")
    found, _ = inbox.find(tmp_path, BANK, settle=0.0)
    assert [each.name[:-9] for each in found] == ["bank.2026-11-01", "bank.2026-11-02", "bank.2026-11-03"]


STRANGE = [
    b"caf\xe9.csv",
    b"a**b.csv",
    b"100%#?.csv",
    b"x\ny.csv",
    b"a..csv",
    b"n" * 251 + b".csv",
    "März.csv".encode(),
]


def test_a_name_that_no_page_could_bear_is_replaced_and_the_file_judged_and_kept(tmp_path: Path) -> None:
    for name in STRANGE:
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as stream:  # noqa: PTH118, PTH123
            stream.write(b"age;y\n1;no\n")
    found, waiting = inbox.find(tmp_path, BANK, settle=0.0)
    assert not waiting
    assert len(found) == len(STRANGE)
    for batch in found:
        assert len(batch.name) <= inbox.LONGEST + 9
        assert not inbox.STRANGE.search(batch.name)
        assert (inbox.put_away(batch, refused=False) / batch.held[0].name).exists()
        assert inbox.shown(batch.files[0].name).isprintable()
    assert [path.name for path in tmp_path.iterdir()] == ["done"]


def test_only_regular_files_with_one_name_are_read(tmp_path: Path) -> None:
    folder, secret = calls(tmp_path / "incoming", "good.csv"), tmp_path / "secret"
    secret.write_text("age;y\n9;no\n")
    (folder / "link.csv").symlink_to(secret)
    (folder / "gone.csv").symlink_to(tmp_path / "nowhere")
    os.link(secret, folder / "hard.csv")
    os.mkfifo(folder / "pipe.csv")
    found, waiting = inbox.find(folder, BANK, settle=0.0)
    assert [each.files[0].name for each in found] == ["good.csv"]
    why = {each.path.name: each.why for each in waiting}
    assert why["link.csv"] == why["gone.csv"] == "it is a link, and links are not followed. Put the file itself there"
    assert why["hard.csv"].startswith("it has 2 names (hard links)")
    assert why["pipe.csv"] == "it is no regular file"


def test_where_nothing_can_be_kept_all_stays_and_the_way_is_named(tmp_path: Path) -> None:
    folder = calls(tmp_path / "incoming", "a.csv")
    (folder / "done").write_text("I am a file\n")
    found, _ = inbox.find(folder, BANK, settle=0.0)
    (batch,) = [each for each in found if each.files[0].name == "a.csv"]
    with pytest.raises(HandbookError, match=r"done/a-.* cannot be made: .*Judged batches are kept there"):
        inbox.put_away(batch, refused=False)
    assert (folder / "a.csv").exists()


@pytest.mark.parametrize(("number", "ours"), [(errno.ENOSPC, True), (errno.EDQUOT, True), (errno.EACCES, False)])
def test_what_cannot_be_copied_stays_and_a_full_disk_is_no_fault_of_the_file(
    number: int, ours: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = calls(tmp_path / "incoming", "a.csv")

    def refused(**_: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as full:
        full.setattr(tempfile, "mkdtemp", refused)
        found, (waiting,) = inbox.find(folder, BANK, settle=0.0)
    assert (found, waiting.ours) == ([], ours)
    assert waiting.said().startswith("a.csv: left alone, it cannot be copied")
    assert [path.name for path in folder.iterdir()] == ["a.csv"]
    assert len(inbox.find(folder, BANK, settle=0.0)[0]) == 1


def test_half_a_pair_that_is_kept_already_is_taken_away(tmp_path: Path) -> None:
    page = datasets.page("mnist")
    for end, array in ((inbox.IMAGES, np.zeros((2, 28, 28), np.uint8)), (inbox.LABELS, np.zeros(2, np.uint8))):
        images.write_idx(tmp_path / f"b.1{end}", array)
    (batch,), _ = inbox.find(tmp_path, page, settle=0)
    half = batch.files[1].read_bytes()
    inbox.put_away(batch, refused=False)
    batch.files[1].write_bytes(half)  # as a kill between the two leaves it
    inbox.finish_moves(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["done"]


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "it is empty so far"), ("age;y\n1;no", "it ends without a last newline, as if half written")],
)
def test_what_is_not_whole_waits_with_its_reason(text: str, why: str, tmp_path: Path) -> None:
    found, (waiting,) = inbox.find(calls(tmp_path / "incoming", "a.csv", text), BANK, settle=0.0)
    assert (found, waiting.why) == ([], why)


@pytest.mark.parametrize("name", ["a-images-idx3-ubyte", "a.png", "notes"])
def test_what_is_called_as_no_batch_learns_what_a_batch_is_called(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(bytes([0, 0, 8, 3]) + bytes(12))
    found, (waiting,) = inbox.find(tmp_path, datasets.page("mnist"), settle=0.0)
    assert (found, waiting.why.partition(";")[0]) == ([], "it is no batch")


def test_a_folder_that_is_not_there_or_empty_says_what_to_put_where(tmp_path: Path) -> None:
    wanted = f"NAME.csv with the columns of {BANK.FILES[0].name}"
    with pytest.raises(inbox.NothingCameError) as missing:
        inbox.find(tmp_path / "incoming", BANK, settle=0.0)
    assert str(missing.value) == f"no folder {tmp_path / 'incoming'}. Make it, and put batches there: {wanted}"
    with pytest.raises(inbox.NothingCameError, match=r"is empty: no batch has come in"):
        inbox.find(tmp_path, BANK, settle=0.0)

"""What comes in is found whole, put away once, and never lost."""

from __future__ import annotations

import hashlib
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


def test_a_batch_is_put_away_whole_and_what_was_changed_meanwhile_stays(tmp_path: Path) -> None:
    folder = calls(tmp_path / "incoming", "a.csv")
    (batch,), waiting = inbox.find(folder, BANK, settle=0.0)
    assert waiting == []
    assert batch.sha256 == hashlib.sha256(b"age;y\n1;no\n").hexdigest()
    calls(folder, "a.csv", "age;y\n2;no\n")
    with pytest.raises(HandbookError, match=r"a\.csv was changed while it was judged; it stays, and is judged again"):
        inbox.put_away(batch, refused=False)
    calls(folder, "a.csv")
    place = inbox.put_away(batch, refused=True)
    assert place == folder / "refused" / f"a-{batch.sha256[:8]}"
    assert [path.name for path in place.iterdir()] == ["a.csv"]
    assert inbox.put_away(batch, refused=True) == place  # moved already: nothing is lost


@pytest.mark.parametrize(
    ("text", "why"),
    [("", "it is empty so far"), ("age;y\n1;no", "it ends without a last newline, as if half written")],
)
def test_what_is_not_whole_waits_with_its_reason(text: str, why: str, tmp_path: Path) -> None:
    found, (waiting,) = inbox.find(calls(tmp_path / "incoming", "a.csv", text), BANK, settle=0.0)
    assert (found, waiting.why) == ([], why)


def test_a_folder_that_is_not_there_or_empty_says_what_to_put_where(tmp_path: Path) -> None:
    wanted = f"NAME.csv with the columns of {BANK.FILES[0].name}"
    with pytest.raises(inbox.NothingCameError) as missing:
        inbox.find(tmp_path / "incoming", BANK, settle=0.0)
    assert str(missing.value) == f"no folder {tmp_path / 'incoming'}. Make it, and put batches there: {wanted}"
    with pytest.raises(inbox.NothingCameError, match=r"is empty: no batch has come in"):
        inbox.find(tmp_path, BANK, settle=0.0)

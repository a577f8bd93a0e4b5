"""Where data come from, and what happens when they do not."""

from __future__ import annotations

import hashlib
import http.server
import threading
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from handbook.data import fetch, provenance
from handbook.data.fetch import Network
from handbook.data.provenance import File
from handbook.errors import HandbookError

CONTENT = bytes(range(256)) * 4096  # 1 MiB


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Any]:
    """A web server of one folder that knows ranges, can break off, and remembers what was asked of it."""
    state = SimpleNamespace(folder=tmp_path / "web", requested=[], break_after=None)
    state.folder.mkdir()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requested = self.headers.get("Range")
            state.requested.append((self.path, requested))
            path = state.folder / self.path.lstrip("/")
            if not path.is_file():
                self.send_error(404)
                return
            start = int(requested.removeprefix("bytes=").rstrip("-")) if requested else 0
            body = path.read_bytes()[start:]
            if not body:
                self.send_error(416)
                return
            self.send_response(206 if requested else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: state.break_after])

        def log_message(self, *_: Any) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


def page(url: str = "", sha256: str | None = None) -> Any:
    """A dataset of one file."""
    digest = sha256 or hashlib.sha256(CONTENT).hexdigest()
    urls = (f"{url}/thing.bin",) if url else ()
    return SimpleNamespace(
        FILES=(File("thing.bin", digest, urls),), SOURCE="somewhere", LICENCE="none", ROWS={"all": 1},
        SAMPLE_ROWS={"all": 1}, SAMPLE_LICENCE="none", __name__="toy", load=lambda directory: None,
        sample=lambda directory, seed: (directory / "thing.bin").write_bytes(bytes([seed]) * 8),
    )  # fmt: skip


pytestmark = pytest.mark.usefixtures("no_mirror")


def obtain(toy: Any, tmp_path: Path, source: str = "auto") -> dict[str, Any]:
    return fetch.obtain(toy, tmp_path / "data" / "toy", fetch.Search(source, tmp_path / "scratch"))


def test_whichever_way_the_bytes_come_everything_beside_them_is_the_same(
    served: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (served.folder / "thing.bin").write_bytes(CONTENT)
    (served.folder / "toy").mkdir()
    (served.folder / "toy" / "thing.bin").write_bytes(CONTENT)
    ways = {"upstream": "", "folder": str(served.folder), "web": served.url}
    found = []
    for way, mirror in ways.items():
        monkeypatch.setenv("HANDBOOK_MIRROR", mirror)
        obtain(page(served.url if way == "upstream" else ""), tmp_path / way)
        folder = tmp_path / way / "data" / "toy"
        found.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert found[0] == found[1] == found[2]
    assert set(found[0]) == {"thing.bin", "provenance.json"}


def test_what_is_there_already_is_not_fetched_again(served: Any, tmp_path: Path) -> None:
    (served.folder / "thing.bin").write_bytes(CONTENT)
    obtain(page(served.url), tmp_path)
    obtain(page(served.url), tmp_path)
    assert len(served.requested) == 1


def test_a_download_that_broke_off_goes_on_where_it_stopped(served: Any, tmp_path: Path) -> None:
    (served.folder / "thing.bin").write_bytes(CONTENT)
    served.break_after = 300_000
    with pytest.raises(HandbookError, match=r"thing\.bin could not be fetched"):
        obtain(page(served.url), tmp_path)
    assert not (tmp_path / "data" / "toy" / "thing.bin").exists()
    served.break_after = None
    obtain(page(served.url), tmp_path)
    assert served.requested[-1][1] == "bytes=300000-"
    assert (tmp_path / "data" / "toy" / "thing.bin").read_bytes() == CONTENT


def test_bytes_that_are_not_the_pinned_ones_never_come_in(served: Any, tmp_path: Path) -> None:
    (served.folder / "thing.bin").write_bytes(CONTENT[:-1] + b"!")
    with pytest.raises(HandbookError, match=r"expected sha256 \w{64}, found \w{64}"):
        obtain(page(served.url), tmp_path)
    assert not (tmp_path / "data" / "toy" / "thing.bin").exists()


def test_a_damaged_file_is_replaced_and_set_aside(served: Any, tmp_path: Path) -> None:
    (served.folder / "thing.bin").write_bytes(CONTENT)
    place = tmp_path / "data" / "toy" / "thing.bin"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"damaged")
    obtain(page(served.url), tmp_path)
    assert place.read_bytes() == CONTENT
    kept = list((tmp_path / fetch.REPLACED).rglob("thing.bin*"))
    assert [path.read_bytes() for path in kept] == [b"damaged"]


def test_a_damaged_file_stays_where_it_is_if_no_other_can_be_fetched(tmp_path: Path) -> None:
    place = tmp_path / "data" / "toy" / "thing.bin"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"damaged")
    with pytest.raises(HandbookError, match="HANDBOOK_MIRROR is not set"):
        obtain(page(), tmp_path)
    assert place.read_bytes() == b"damaged"


def test_nothing_in_reach_names_what_was_tried_and_the_two_ways_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDBOOK_MIRROR", str(tmp_path / "nowhere"))
    with pytest.raises(HandbookError) as caught:
        obtain(page("http://127.0.0.1:1"), tmp_path)
    for part in (
        str(tmp_path / "nowhere"),
        "http://127.0.0.1:1/thing.bin",
        "set HANDBOOK_MIRROR",
        "--source sample",
    ):
        assert part in str(caught.value)


def test_a_silent_network_is_given_up_after_two_hosts_in_a_row_and_one_that_answers_starts_the_count_again(
    served: Any,
) -> None:
    (served.folder / "thing.bin").write_bytes(CONTENT)
    network = Network()
    for port in (1, 2):  # nobody listens there
        with pytest.raises(OSError, match="refused"):
            network.open(f"http://127.0.0.1:{port}/file")
        if port == 1:
            network.open(f"{served.url}/thing.bin").close()
    network.open(f"{served.url}/thing.bin").close()
    with pytest.raises(OSError, match="host did not answer before"):
        network.open("http://127.0.0.1:1/file")
    for port in (3, 4, 5, 6):
        with pytest.raises(OSError, match=r"refused|no host answers"):
            network.open(f"http://127.0.0.1:{port}/file")
    assert len(network.silent) == 4


def test_a_sample_gives_way_to_the_real_thing(served: Any, tmp_path: Path) -> None:
    (served.folder / "thing.bin").write_bytes(CONTENT)
    folder = tmp_path / "data" / "toy"
    fetch.draw_sample(page(), folder, seed=1)
    assert obtain(page(served.url), tmp_path)["kind"] == "real"
    assert not provenance.is_sample(folder)


def pack(**members: bytes) -> bytes:
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, member in members.items():
            archive.writestr(name, member)
    return content.getvalue()


def from_archive(served: Any, archive: bytes, members: str) -> Any:
    (served.folder / "all.zip").write_bytes(archive)
    toy = page()
    toy.FILES = (File("thing.bin", toy.FILES[0].sha256, (f"{served.url}/all.zip#{members}",)),)
    return toy


def test_a_member_is_copied_out_of_an_archive_or_one_within_and_nothing_else(served: Any, tmp_path: Path) -> None:
    evil = {"../../escaped": b"!", "/tmp/escaped": b"!"}  # noqa: S108 (a path that must not be trusted)
    inner = pack(**{"data/thing.bin": CONTENT}, **evil)
    for number, (archive, members) in enumerate(
        ((inner, "data/thing.bin"), (pack(**{"in.zip": inner}, **evil), "in.zip#data/thing.bin"))
    ):
        here = tmp_path / str(number)
        obtain(from_archive(served, archive, members), here)
        files = {path.relative_to(here).as_posix() for path in here.rglob("*") if path.is_file()}
        assert files == {"data/toy/thing.bin", "data/toy/provenance.json"}
        assert (here / "data" / "toy" / "thing.bin").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "archive",
    [b"no archive", pack(other=CONTENT), pack(**{"thing.bin": CONTENT})[:-40]],
    ids=["none", "another member", "cut"],  # an archive has the time in it, and a test's name must not
)
def test_an_archive_that_is_none_lacks_the_member_or_is_cut_is_reported_as_such(
    archive: bytes, served: Any, tmp_path: Path
) -> None:
    with pytest.raises(HandbookError, match="not the expected archive"):
        obtain(from_archive(served, archive, "thing.bin"), tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.suffix == ".zip" and "web" not in path.parts]


def two_forms(served: Any) -> Any:
    """A dataset that is published whole, upstream, and of which the mirror has a part."""
    whole = File("whole.bin", hashlib.sha256(CONTENT).hexdigest(), (f"{served.url}/whole.bin",))
    part = File("part.bin", hashlib.sha256(CONTENT[:9]).hexdigest(), ())
    toy = page()
    toy.FORMS, toy.FILES, toy.ROWS = {"whole": (whole,), "part": (part,)}, (part,), {"whole": 99, "part": 9}
    return toy


def test_the_whole_is_taken_where_it_can_be_reached_and_the_part_where_it_cannot(
    served: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy, folder = two_forms(served), tmp_path / "data" / "toy"
    with pytest.raises(
        HandbookError, match=r"(?s)toy/whole.bin could not be fetched.*toy/part.bin could not be fetched"
    ):
        obtain(toy, tmp_path)
    (tmp_path / "mirror" / "toy").mkdir(parents=True)
    (tmp_path / "mirror" / "toy" / "part.bin").write_bytes(CONTENT[:9])
    monkeypatch.setenv("HANDBOOK_MIRROR", str(tmp_path / "mirror"))
    origin = obtain(toy, tmp_path)
    assert (origin["form"], origin["rows"], set(origin["files"])) == ("part", {"part": 9}, {"part.bin"})
    assert provenance.verify(toy, folder) == origin
    (served.folder / "whole.bin").write_bytes(CONTENT)
    assert obtain(toy, tmp_path)["form"] == "part"  # what is right is not fetched again
    origin = obtain(toy, tmp_path, "upstream")
    assert (origin["form"], origin["rows"]) == ("whole", {"whole": 99})
    assert {path.name for path in folder.iterdir()} == {"whole.bin", "provenance.json"}
    assert [path.name for path in (tmp_path / fetch.REPLACED).rglob("part.bin*")] == ["part.bin.0"]
    assert provenance.verify(toy, folder) == origin


def test_a_part_cannot_pass_for_the_whole(served: Any, tmp_path: Path) -> None:
    toy, folder = two_forms(served), tmp_path / "data" / "toy"
    (served.folder / "whole.bin").write_bytes(CONTENT)
    obtain(toy, tmp_path)
    (folder / "whole.bin").write_bytes(CONTENT[:9])
    with pytest.raises(HandbookError, match=r"whole\.bin is damaged"):
        provenance.verify(toy, folder)


def test_a_sample_overwrites_no_form_of_the_real_data(served: Any, tmp_path: Path) -> None:
    toy = two_forms(served)
    (served.folder / "whole.bin").write_bytes(CONTENT)
    obtain(toy, tmp_path)
    with pytest.raises(HandbookError, match=r"files that are no sample \(whole.bin\)"):
        fetch.draw_sample(toy, tmp_path / "data" / "toy", seed=0)


def test_what_a_library_carries_needs_no_network_and_is_checked_too(tmp_path: Path) -> None:
    toy = page()
    toy.FILES = (File("thing.bin", toy.FILES[0].sha256, (), lambda path: path.write_bytes(CONTENT)),)
    assert obtain(toy, tmp_path)["kind"] == "real"
    toy.FILES = (File("thing.bin", toy.FILES[0].sha256, (), lambda path: path.write_bytes(b"other")),)
    with pytest.raises(HandbookError, match=r"a library's bundle: expected sha256"):
        obtain(toy, tmp_path / "b")


def test_what_a_kill_left_half_moved_is_taken_away(served: Any, tmp_path: Path) -> None:
    (served.folder / "thing.bin").write_bytes(CONTENT)
    folder = tmp_path / "data" / "toy"
    folder.mkdir(parents=True)
    (folder / ".thing.bin.new").write_bytes(CONTENT[:99])
    (folder / ".provenance.json.new").write_bytes(b"{")
    obtain(page(served.url), tmp_path)
    assert {path.name for path in folder.iterdir()} == {"thing.bin", "provenance.json"}

"""Hostile answers of mirrors and hosts, and hostile archives: only the pinned bytes come in."""

from __future__ import annotations

import hashlib
import io
import itertools
import random
import shutil
import struct
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from handbook.data import fetch, sprites
from handbook.data.provenance import File
from handbook.errors import HandbookError
from tests.hostile import damage
from tests.hostile.law import Attack
from tests.hosts import CONTENT

SMALL = CONTENT[:4096]


def page(*urls: str) -> Any:
    """A dataset of one small file."""
    file = File("thing.bin", hashlib.sha256(SMALL).hexdigest(), urls)
    return SimpleNamespace(FILES=(file,), SOURCE="somewhere", LICENCE="none", ROWS={"all": 1}, __name__="toy")


@dataclass
class Mirrors:
    """Attacks by what answers: a mirror that is a folder, and a host that sends any bytes at all as its answer."""

    room: Path
    host: Any  # tests.hosts.Server, whose `answer` is ours to set
    monkeypatch: Any
    failures: tuple[type[BaseException], ...] = field(default=())

    def attacks(self, rng: random.Random) -> Iterator[Attack]:
        for number in itertools.count():
            what, body = damage.any_bytes(SMALL, rng)
            place = self.room / f"fetched-{number}"
            if rng.random() < 0.4:
                yield Attack("mirrors", f"a folder: {what}", self._folder(place, body), where="thing.bin")
            else:
                manner, raw = self._answer(body, rng)
                yield Attack("mirrors", f"a host, {manner}: {what}", self._host(place, raw), where="thing.bin")

    def _answer(self, body: bytes, rng: random.Random) -> tuple[str, bytes]:
        """A whole answer as bytes, head and all."""
        length = rng.choice([str(len(body)), str(len(body) + 9), "-1", "many", "", "9" * 30, str(len(SMALL))])
        status = rng.choice(
            ["200 OK", "200", "206 Partial Content", "204 No Content", "301 Moved", "404 Not Found", "999 ?", "OK"]
        )
        more = rng.choice(
            [
                "",
                "Content-Encoding: gzip\r\n",
                "Transfer-Encoding: chunked\r\n",
                "Location: \r\n",
                "Content-Range: bytes 5-9/3\r\n",
                "X: \x1b[31m\r\n",
                "Content-Length: 7\r\n",
                " folded\r\n",
            ]
        )
        head = f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{more}\r\n".encode()
        if rng.random() < 0.3:
            manner, raw = damage.any_bytes(head + body, rng)
            return f"{status}, {manner}", raw
        return f"{status}, length {length[:9]}, {more.strip()!r}", head + body

    def _host(self, place: Path, raw: bytes) -> Callable[[], str]:
        def answer(host: Any, _: bytes) -> None:
            host.wfile.write(raw)
            host.close_connection = True

        def bring() -> str:
            self.host.answer = answer
            self.monkeypatch.delenv("HANDBOOK_MIRROR", raising=False)
            return self._obtained(place, page(f"{self.host.url}/thing.bin"))

        return bring

    def _folder(self, place: Path, body: bytes) -> Callable[[], str]:
        def bring() -> str:
            mirror = place.with_name(f"{place.name}-mirror")
            (mirror / "toy").mkdir(parents=True)
            (mirror / "toy" / "thing.bin").write_bytes(body)
            self.monkeypatch.setenv("HANDBOOK_MIRROR", str(mirror))
            try:
                return self._obtained(place, page())
            finally:
                shutil.rmtree(mirror)

        return bring

    def _obtained(self, place: Path, toy: Any) -> str:
        try:
            fetch.obtain(toy, place / "data" / "toy", fetch.Search("auto", place / "scratch"))
            found = (place / "data" / "toy" / "thing.bin").read_bytes()
            return "" if found == SMALL else "other bytes came in"
        except HandbookError:
            if (place / "data" / "toy" / "thing.bin").exists():
                return "it was refused, and lies there all the same"
            raise
        finally:
            shutil.rmtree(place, ignore_errors=True)


@dataclass
class Archives:
    """Attacks by archives of sprites: paths that lead out, members that lie about themselves, and damage."""

    room: Path
    sample: Path  # the folder of a drawn sample

    def attacks(self, rng: random.Random) -> Iterator[Attack]:
        whole = next(self.sample.glob("*.zip")).read_bytes()
        for number in itertools.count():
            place = self.room / f"archive-{number}"
            manner = rng.choice([damage.any_bytes, _members, _headers])
            what, content = manner(whole if manner is damage.any_bytes else _small(whole), rng)
            yield Attack("archives", what, self._read(place, content), where="sprites.zip")

    def _read(self, place: Path, content: bytes) -> Callable[[], str]:
        def bring() -> str:
            place.mkdir()
            before = {path.name for path in self.room.iterdir()}
            try:
                (place / "sprites.zip").write_bytes(content)
                images, rows = sprites.decode_all(place / "sprites.zip")
                return "" if len(images) == len(rows) else f"{len(images)} pictures, {len(rows)} rows"
            finally:
                strange = {path.name for path in self.room.iterdir()} - before
                shutil.rmtree(place)
                assert not strange, f"written elsewhere: {strange}"

        return bring


def _small(whole: bytes) -> bytes:
    """The first members of an archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as given, zipfile.ZipFile(out, "w") as taken:
        for member in given.infolist()[:6]:
            taken.writestr(member, given.read(member))
    return out.getvalue()


def _members(whole: bytes, rng: random.Random) -> damage.Damaged:
    """An archive with one member of its own kind."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as given:
        names = given.namelist()
        name, content = names[0], given.read(names[0])
        inside = {each: given.read(each) for each in names}
    folder = name.rpartition("/")[0]
    strange = rng.choice(
        [
            "../../out.png",
            "/etc/out.png",
            f"{folder}/../../../out.png",
            f"{folder}/1.png\0.txt",
            "a" * 300 + ".png",
            f"{folder}/1.exe",
            f"{folder}/x.png",
            "C:\\out.png",
            f"{folder}/999999999999.png",
            f"{folder}/-1.png",
            name,
        ]
    )
    what, spoilt = damage.any_bytes(content, rng) if rng.random() < 0.7 else ("a bomb", bytes(8 << 20))
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as taken:
        for each, known in inside.items():
            taken.writestr(each, known)
        member = zipfile.ZipInfo(strange)
        if rng.random() < 0.2:
            member.external_attr = 0o120777 << 16  # a link
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the same name twice
            taken.writestr(member, spoilt, compress_type=zipfile.ZIP_DEFLATED)
    return f"{strange[:40]!r} {what}", out.getvalue()


def _headers(whole: bytes, rng: random.Random) -> damage.Damaged:
    """An archive whose directory says otherwise than its members are."""
    content = bytearray(whole)
    marks = [at for at in range(len(content) - 46) if content[at : at + 4] == b"PK\x01\x02"]
    at = rng.choice(marks)
    offset, form, what = rng.choice(
        [
            (8, "<H", "flags"),
            (10, "<H", "method"),
            (16, "<I", "checksum"),
            (20, "<I", "packed size"),
            (24, "<I", "size"),
            (28, "<H", "length of its name"),
            (42, "<I", "place"),
        ]
    )
    most = 0xFFFF if form == "<H" else 0xFFFFFFFF
    struct.pack_into(form, content, at + offset, rng.choice([0, 1, most, rng.randrange(most)]))
    return f"a member's {what}", bytes(content)

"""Sprites: an archive of small PNGs of any size and palette, decoded once into one array that is mapped, not read.

Names inside: `pokemon/<generation>/<game>/[shiny/]<national dex number>[-form].png`. Nothing in an archive is trusted:
members are read where they lie and never unpacked, and one whose path climbs out, that is a link, or that declares more
than a sprite can be, is refused by name. What merely cannot be read as a sprite gets a `fault` in the table of facts.

A sprite becomes 64 x 64 RGB: cut to what can be seen, laid on white, centred in a square; enlarged by a whole number
while it fits, so that its pixels stay square, or reduced by the average over areas. Of an animated PNG it is the first
picture, of 16 bits a channel the upper 8.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from handbook.data.split import Rows, drawn
from handbook.errors import HandbookError

Bytes = npt.NDArray[np.uint8]
SIDE = 64
SMALLEST = 8  # pixels a side; the smallest thing to be seen among the real sprites spans 13
LARGEST = 1024  # pixels a side that a member may declare, eight times the largest real sprite
MEMBER_BYTES = 1 << 20  # seventy times the largest real member
MEMBERS = 100_000
HELD_OUT = 10  # one dex number of so many is kept from training
NAME = re.compile(r"pokemon/(generation-[a-z]+)/([a-z-]+)/(shiny/)?([^/]+)\.png")
FORMS_FROM = 10_000  # from here on, numbers are of forms, and do not say of which Pokemon
UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, IndexError, zlib.error, struct.error)


@dataclass(frozen=True)
class Sprites:
    """Pictures (N, 64, 64, 3) uint8 on white, mapped from disk, and what their names say, each (N,).

    `part` is "train", "held out" or "" for what names no Pokemon for certain; a dex number is whole in one part.
    """

    images: Bytes
    dex: npt.NDArray[np.int64]
    game: npt.NDArray[np.str_]
    shiny: npt.NDArray[np.bool_]
    digest: npt.NDArray[np.str_]
    part: npt.NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.dex)

    def take(self, rows: Rows) -> Sprites:
        """The sprites at these positions, in this order, in memory."""
        return Sprites(*(np.asarray(each[rows]) for each in self._columns()))

    def join(self, other: Sprites) -> Sprites:
        """These sprites, then the other ones."""
        return Sprites(*map(np.concatenate, zip(self._columns(), other._columns(), strict=True)))

    def halve(self, share: float, seed: int) -> tuple[Sprites, Sprites]:
        """The sprites without a share of them, and that share, drawn by the seed."""
        kept, taken = drawn(len(self), share, seed)
        return self.take(kept), self.take(taken)

    def _columns(self) -> tuple[npt.NDArray[Any], ...]:
        return self.images, self.dex, self.game, self.shiny, self.digest, self.part


def part(dex: int) -> str:
    """Where a Pokemon belongs with all its variants, by a hash of its number: "train", "held out", or "" for none."""
    if not 0 < dex < FORMS_FROM:
        return ""
    digest = hashlib.blake2b(str(dex).encode(), digest_size=8).digest()
    return "held out" if int.from_bytes(digest, "big") % HELD_OUT == 0 else "train"


def read(archive: Path, key: str, cache: Path) -> tuple[Bytes, list[dict[str, Any]]]:
    """The pictures (N, 64, 64, 3) of an archive with the sha256 `key`, and a row of facts for each.

    Decoded on the first call, in some seconds; later ones map the array that lies under `cache`, named by `key` and by
    this file's own text, so that a change of either decodes again. The array is moved in last and in one step.
    """
    version = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    place = cache / f"{key[:16]}-{version[:16]}.npy"
    table = place.with_suffix(".json")
    try:
        images = np.load(place, mmap_mode="r", allow_pickle=False)
        rows = json.loads(table.read_text())
        if images.shape == (len(rows), SIDE, SIDE, 3) and images.dtype == np.uint8:
            return images, rows
    except (OSError, ValueError, EOFError):
        pass  # not decoded yet, or a file that was cut short
    pictures, rows = decode_all(archive)
    cache.mkdir(parents=True, exist_ok=True)
    for target, write in (
        (table, lambda s: s.write(json.dumps(rows).encode())),
        (place, lambda s: np.save(s, pictures)),
    ):
        fresh = target.with_name(f".{target.name}.{os.getpid()}")
        with fresh.open("wb") as stream:
            write(stream)
        fresh.replace(target)
    return np.load(place, mmap_mode="r", allow_pickle=False), rows


def decode_all(archive: Path) -> tuple[Bytes, list[dict[str, Any]]]:
    """Every sprite of an archive, in the order of names, and its facts; a HandbookError names what is not trusted."""
    try:
        with zipfile.ZipFile(archive) as stream:
            found = sorted(members(archive, stream.infolist()), key=lambda member: member.filename)
            pictures = np.full((len(found), SIDE, SIDE, 3), 255, np.uint8)
            rows = [_row(archive, stream, member, canvas) for member, canvas in zip(found, pictures, strict=True)]
    except FileNotFoundError:
        raise HandbookError(f"{archive} is missing. Fetch it: make data") from None
    except (zipfile.BadZipFile, IsADirectoryError) as error:
        raise HandbookError(f"{archive} is not a sound zip archive: {error}. Fetch it again: make data") from None
    return pictures, rows


def members(archive: Path, found: Iterable[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """The members that are sprites, folders left out; a HandbookError names the first that no honest archive holds."""
    sprites = [member for member in found if not member.is_dir()]
    for member in sprites:
        fault = _suspicion(member)
        if fault:
            raise HandbookError(
                f"{archive}: member {member.filename!r} {fault}. Do not use it; fetch it again: make data"
            )
    if not 0 < len(sprites) <= MEMBERS:
        raise HandbookError(f"{archive} holds {len(sprites):,} sprites; expected 1 to {MEMBERS:,}")
    names = {member.filename for member in sprites}
    if len(names) < len(sprites):
        raise HandbookError(f"{archive} holds {len(sprites) - len(names)} names twice; expected each once")
    return sprites


def _suspicion(member: zipfile.ZipInfo) -> str:
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if path.is_absolute() or re.match(r"[A-Za-z]:", member.filename) or ".." in path.parts:
        return "has a path that leads out of the archive"
    if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
        return "is a link or a device, not a file"
    if member.file_size > MEMBER_BYTES:
        return f"declares {member.file_size:,} bytes; a sprite has at most {MEMBER_BYTES:,}"
    if member.flag_bits & 1:
        return "is encrypted"
    if not NAME.fullmatch(member.filename):
        return "is not named pokemon/<generation>/<game>/[shiny/]<number>[-form].png"
    return ""


def _row(archive: Path, stream: zipfile.ZipFile, member: zipfile.ZipInfo, canvas: Bytes) -> dict[str, Any]:
    """Draw a member on its canvas (64, 64, 3); its facts, with a `fault` where it is no sprite."""
    match = NAME.fullmatch(member.filename)
    assert match is not None  # members() saw to it
    number = re.match(r"\d+", match[4])
    row: dict[str, Any] = {
        "name": member.filename, "generation": match[1], "game": match[2], "shiny": bool(match[3]),
        "dex": int(number[0]) if number else -1, "mode": "", "bits": 0, "frames": 0, "width": 0, "height": 0,
        "across": 0, "down": 0, "transparent": 0.0, "fault": "",
    }  # fmt: skip
    row["part"] = part(row["dex"])
    try:
        row |= draw(_content(stream, member), canvas)
    except _BombError as bomb:
        raise HandbookError(f"{archive}: member {member.filename!r} {bomb}") from None
    except UNREADABLE as error:
        row["fault"] = f"{member.filename}: {error or type(error).__name__}"
    row["digest"] = hashlib.blake2b(canvas.tobytes(), digest_size=8).hexdigest()
    return row


class _BombError(Exception):
    """A picture that declares more than a sprite can be."""


def _content(stream: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    try:
        return stream.read(member)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise OSError(f"cannot be read out of the archive ({error})") from None


def draw(raw: bytes, canvas: Bytes) -> dict[str, Any]:
    """Draw the bytes of a PNG on a white canvas (64, 64, 3), in place; what was found in it.

    Raises one of UNREADABLE if they are no whole PNG, or if there is too little to be seen.
    """
    from PIL import Image

    if raw[:8] != b"\x89PNG\r\n\x1a\n" or raw[12:16] != b"IHDR" or len(raw) < 29:
        raise ValueError("is not a PNG")
    width, height, bits = struct.unpack(">IIB", raw[16:25])
    if max(width, height) > LARGEST:
        raise _BombError(f"declares {width:,} x {height:,} pixels; a sprite has at most {LARGEST:,} a side")
    if min(width, height) < SMALLEST:
        raise ValueError(f"has {width} x {height} pixels, expected {SMALLEST} or more a side")
    with Image.open(io.BytesIO(raw), formats=("PNG",)) as picture:
        picture.load()
        colours, alpha = _layers(picture)
        facts = {"mode": picture.mode, "bits": bits, "frames": getattr(picture, "n_frames", 1)}
    rows, columns = np.flatnonzero(alpha.any(axis=1)), np.flatnonzero(alpha.any(axis=0))
    if min(len(rows), len(columns)) == 0 or max(np.ptp(rows), np.ptp(columns)) + 1 < SMALLEST:
        raise ValueError(f"shows next to nothing: {int((alpha > 0).sum())} pixels can be seen")
    visible = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
    _centre(_on_white(colours[visible], alpha[visible]), canvas)
    down, across = (part.stop - part.start for part in visible)
    size = {"width": width, "height": height, "across": int(across), "down": int(down)}
    return facts | size | {"transparent": round(float((alpha == 0).mean()), 4)}


def _layers(picture: Any) -> tuple[Bytes, Bytes]:
    """Colours (H, W, 3) and opacity (H, W), both 0-255, of a Pillow image of any mode."""
    if picture.mode.startswith("I"):  # 16 bits of grey, which Pillow would clip at 255 rather than scale
        deep = np.asarray(picture).astype(np.int64)
        clear = picture.info.get("transparency", -1)
        grey = (deep >> 8).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2), np.where(deep == clear, 0, 255).astype(np.uint8)
    pixels = np.asarray(picture.convert("RGBA"))
    return pixels[:, :, :3], pixels[:, :, 3]


def _on_white(colours: Bytes, alpha: Bytes) -> Bytes:
    """Pictures (H, W, 3) as they look on white, rounded to the nearest."""
    a = alpha[:, :, None].astype(np.uint32)
    return ((colours * a + 255 * (255 - a) + 127) // 255).astype(np.uint8)


def _centre(picture: Bytes, canvas: Bytes) -> None:
    """Lay a picture (H, W, 3) in the middle of the canvas, grown by a whole number or shrunk to fit."""
    from PIL import Image

    longest = max(picture.shape[:2])
    if longest > SIDE:
        down, across = (max(1, round(SIDE * length / longest)) for length in picture.shape[:2])
        picture = np.asarray(Image.fromarray(picture).resize((across, down), Image.Resampling.BOX))
    elif times := SIDE // longest:
        picture = picture.repeat(times, axis=0).repeat(times, axis=1)
    top, left = ((SIDE - length) // 2 for length in picture.shape[:2])
    canvas[top : top + picture.shape[0], left : left + picture.shape[1]] = picture


def gather(images: Bytes, rows: list[dict[str, Any]], archive: Path) -> Sprites:
    """Pictures and facts as one; a HandbookError names the sprites that cannot be read."""
    faults = [row["fault"] for row in rows if row["fault"]]
    if faults:
        listing = "\n  ".join(faults[:10]) + ("\n  ..." if len(faults) > 10 else "")
        raise HandbookError(f"{archive}: {len(faults)} of {len(rows):,} members are no sprites\n  {listing}")
    columns = {key: np.array([row[key] for row in rows]) for key in ("dex", "game", "shiny", "digest", "part")}
    return Sprites(images, **columns)

"""Laws of the archive of sprites: what is decoded, what gets a fault by name, and what is not trusted at all."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from handbook.data import sprites
from handbook.errors import HandbookError

NAME = "pokemon/generation-iii/emerald/{}.png"


def picture(side: int = 24, seed: int = 0, colours: int = 6) -> np.ndarray:
    """RGBA (side, side, 4) of few colours, its rim clear."""
    rng = np.random.default_rng(seed)
    palette = np.column_stack([rng.integers(0, 256, (colours, 3)), np.where(np.arange(colours), 255, 0)])
    indices = np.pad(rng.integers(1, colours, (side - 4, side - 4)), 2)
    return palette.astype(np.uint8)[indices]


def png(pixels: np.ndarray, **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", **options)
    return stream.getvalue()


def archive(place: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(place / "sprites.zip", "w") as out:
        for name, raw in members.items():
            out.writestr(name, raw)
    return place / "sprites.zip"


def drawn(raw: bytes) -> np.ndarray:
    canvas = np.full((64, 64, 3), 255, np.uint8)
    sprites.draw(raw, canvas)
    return canvas


@given(seed=st.integers(0, 1000), side=st.integers(12, 140))
@settings(max_examples=25, deadline=None)
def test_the_same_picture_by_palette_and_in_full_is_decoded_alike(seed: int, side: int) -> None:
    pixels = picture(side, seed)
    colours, indices = np.unique(pixels.reshape(-1, 4), axis=0, return_inverse=True)
    by_palette = Image.fromarray(indices.reshape(side, side).astype(np.uint8))
    by_palette.putpalette(colours[:, :3].tobytes())
    stream = io.BytesIO()
    clear = int(np.flatnonzero(colours[:, 3] == 0)[0])
    by_palette.save(stream, "PNG", transparency=clear)
    np.testing.assert_array_equal(drawn(stream.getvalue()), drawn(png(pixels)))


def test_empty_margins_change_nothing() -> None:
    pixels = picture()
    np.testing.assert_array_equal(drawn(png(pixels)), drawn(png(np.pad(pixels, ((3, 9), (20, 1), (0, 0))))))


def test_the_colour_of_what_is_clear_changes_nothing() -> None:
    pixels = picture()
    other = pixels.copy()
    other[pixels[:, :, 3] == 0, :3] = (255, 0, 255)
    np.testing.assert_array_equal(drawn(png(pixels)), drawn(png(other)))


@pytest.mark.parametrize(("side", "times"), [(14, 6), (20, 4), (36, 2), (44, 1)])
def test_pixels_that_are_enlarged_stay_square(side: int, times: int) -> None:
    pixels = picture(side)
    seen = pixels[2:-2, 2:-2, :3]
    canvas = drawn(png(pixels))
    grown = seen.repeat(times, axis=0).repeat(times, axis=1)
    margin = (64 - len(grown)) // 2
    np.testing.assert_array_equal(canvas[margin : margin + len(grown), margin : margin + len(grown)], grown)


def test_what_is_reduced_to_half_is_the_average_of_four_pixels() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    mean = pixels.reshape(64, 2, 64, 2, 3).mean(axis=(1, 3))
    assert np.abs(drawn(png(pixels)) - mean).max() <= 1  # rows and columns are rounded one after the other


def test_grey_of_16_bits_is_scaled_and_not_clipped() -> None:
    deep = np.random.default_rng(0).integers(0, 65536, (64, 64), dtype=np.uint16)
    canvas = drawn(png(deep))
    np.testing.assert_array_equal(canvas[:, :, 0], deep >> 8)
    canvas = np.full((64, 64, 3), 255, np.uint8)
    assert sprites.draw(png(deep), canvas)["bits"] == 16


def test_grey_with_opacity_is_laid_on_white() -> None:
    pixels = np.dstack([np.zeros((64, 64), np.uint8), np.full((64, 64), 51, np.uint8)])
    assert (drawn(png(pixels)) == 204).all()


def test_of_an_animated_picture_the_first_is_taken_and_the_number_reported() -> None:
    first, second = (Image.fromarray(picture(seed=seed)) for seed in (1, 2))
    stream = io.BytesIO()
    first.save(stream, "PNG", save_all=True, append_images=[second])
    np.testing.assert_array_equal(drawn(stream.getvalue()), drawn(png(picture(seed=1))))
    canvas = np.full((64, 64, 3), 255, np.uint8)
    assert sprites.draw(stream.getvalue(), canvas)["frames"] == 2


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


BOMB = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 6, 0, 0, 0))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (png(picture())[:-60], "truncated|broken|cut|not enough"),
        (png(picture())[:30], "truncated|cannot identify|broken|ends"),
        (png(np.full((1, 1, 4), 255, np.uint8)), "has 1 x 1 pixels, expected 8 or more"),
        (png(np.zeros((32, 32, 4), np.uint8)), "shows next to nothing: 0 pixels"),
        (b"GIF89a" + bytes(40), "is not a PNG"),
        (b"", "is not a PNG"),
        (png(picture()).replace(b"IDAT", b"IDOT"), "."),
    ],
)
def test_what_is_no_sprite_is_reported_by_name_and_refused(tmp_path: Path, raw: bytes, reason: str) -> None:
    place = archive(tmp_path, {NAME.format(1): png(picture()), NAME.format(7): raw})
    images, rows = sprites.decode_all(place)
    assert [bool(row["fault"]) for row in rows] == [False, True]
    assert (images[1] == 255).all() or rows[1]["fault"]
    with pytest.raises(HandbookError, match=rf"1 of 2 members are no sprites\n  {NAME.format(7)}: .*({reason})"):
        sprites.gather(images, rows, place)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../../evil.png", "leads out of the archive"),
        ("pokemon/../../evil.png", "leads out of the archive"),
        ("/etc/evil.png", "leads out of the archive"),
        ("pokemon\\..\\..\\evil.png", "leads out of the archive"),
        ("C:/evil.png", "leads out of the archive"),
        ("pokemon/generation-iii/emerald/notes.txt", "is not named pokemon/"),
        ("pikachu.png", "is not named pokemon/"),
    ],
)
def test_a_member_whose_path_is_not_honest_is_refused_by_name(tmp_path: Path, name: str, reason: str) -> None:
    place = archive(tmp_path, {NAME.format(1): png(picture()), name: png(picture())})
    with pytest.raises(HandbookError, match=reason) as refusal:
        sprites.decode_all(place)
    assert repr(name.replace("\\", "\\")) in str(refusal.value)
    assert list(tmp_path.iterdir()) == [place]


def test_a_link_is_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo(NAME.format(2))
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "sprites.zip", "w") as out:
        out.writestr(link, "/etc/passwd")
    with pytest.raises(HandbookError, match=r"emerald/2\.png' is a link"):
        sprites.decode_all(tmp_path / "sprites.zip")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "sprites.zip", "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr(NAME.format(3), bytes(sprites.MEMBER_BYTES + 1))
    with pytest.raises(
        HandbookError, match=r"emerald/3\.png' declares 1,048,577 bytes; a sprite has at most 1,048,576"
    ):
        sprites.decode_all(tmp_path / "sprites.zip")
    place = archive(tmp_path, {NAME.format(4): BOMB})
    with pytest.raises(HandbookError, match=r"emerald/4\.png' declares 60,000 x 60,000 pixels"):
        sprites.decode_all(place)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "holds 0 sprites; expected 1 to"),
        ({"pokemon/": b""}, "holds 0 sprites"),
    ],
)
def test_an_empty_archive_is_refused(tmp_path: Path, content: dict[str, bytes], message: str) -> None:
    with pytest.raises(HandbookError, match=message):
        sprites.decode_all(archive(tmp_path, content))


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04", b"no archive"])
def test_what_is_no_archive_is_refused(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "sprites.zip").write_bytes(raw)
    with pytest.raises(HandbookError, match=r"sprites\.zip is not a sound zip archive"):
        sprites.decode_all(tmp_path / "sprites.zip")
    with pytest.raises(HandbookError, match="is missing"):
        sprites.decode_all(tmp_path / "none.zip")


def test_a_member_with_a_wrong_checksum_is_reported_by_name(tmp_path: Path) -> None:
    place = archive(tmp_path, {NAME.format(1): png(picture())})
    raw = bytearray(place.read_bytes())
    raw[120] ^= 0xFF
    place.write_bytes(raw)
    assert "cannot be read out of the archive" in sprites.decode_all(place)[1][0]["fault"]


def test_a_decoded_archive_is_mapped_and_one_cut_short_is_decoded_again(tmp_path: Path) -> None:
    place = archive(tmp_path, {NAME.format(k): png(picture(seed=k)) for k in range(5)})
    cache = tmp_path / "cache"
    first, rows = sprites.read(place, "a" * 64, cache)
    assert isinstance(first, np.memmap)
    before = sorted(path.name for path in cache.iterdir())
    again, rows_ = sprites.read(tmp_path / "gone.zip", "a" * 64, cache)  # the archive is not looked at again
    np.testing.assert_array_equal(first, again)
    assert rows == rows_
    (array,) = cache.glob("*.npy")
    array.write_bytes(array.read_bytes()[:-1000])
    np.testing.assert_array_equal(sprites.read(place, "a" * 64, cache)[0], sprites.decode_all(place)[0])
    assert sorted(path.name for path in cache.iterdir()) == before  # nothing half-written is left
    assert len(list(cache.iterdir())) == 2


def test_another_archive_gets_another_array(tmp_path: Path) -> None:
    place = archive(tmp_path, {NAME.format(1): png(picture())})
    for key in ("a" * 64, "b" * 64):
        sprites.read(place, key, tmp_path / "cache")
    assert len(list((tmp_path / "cache").glob("*.npy"))) == 2


def test_a_pokemon_is_in_one_part_and_every_tenth_is_held_out() -> None:
    parts = [sprites.part(dex) for dex in range(1, 899)]
    assert set(parts) == {"train", "held out"}
    assert 0.08 < parts.count("held out") / len(parts) < 0.12
    assert {sprites.part(dex) for dex in (-1, 0, 10_001, 10_219)} == {""}

"""Pictures as a model takes them: nothing is guessed, every fault is named, what no real one is like is doubted."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from handbook import contract, datasets
from handbook.data import images
from handbook.errors import HandbookError
from handbook.project import Project
from handbook.serving import inputs
from tests.serving.test_prediction import PICTURES

FORM = inputs.Form((28, 28), 0, ((0, 0), (200, 255)))


def in_colour(pixels: Any) -> Image.Image:
    return Image.fromarray(pixels).convert("RGB")


def transparent(pixels: Any) -> Image.Image:
    """White, as opaque as the picture is bright."""
    return Image.fromarray(np.dstack([np.full((28, 28, 3), 255, np.uint8), pixels]))


def sixteen_bits(pixels: Any) -> Image.Image:
    return Image.fromarray(pixels.astype(np.uint16) * 257)


def with_palette(pixels: Any) -> Image.Image:
    picture = Image.fromarray(pixels).convert("P")
    picture.putpalette([tone for k in range(256) for tone in (k, k, k)])
    picture.putdata(pixels.ravel().tolist())
    return picture


@pytest.mark.parametrize("form", [Image.fromarray, in_colour, transparent, sixteen_bits, with_palette])
def test_a_picture_is_the_same_whatever_its_mode(form: Callable[..., Image.Image], tmp_path: Path, fitted: Any) -> None:
    pixels = fitted(PICTURES)[1].test_images[0]
    form(pixels).save(tmp_path / "picture.png")
    (batch,) = inputs.pictures([tmp_path / "picture.png"], FORM, 8)
    assert np.array_equal(batch.data[0], pixels)


def test_a_dark_picture_on_light_ground_is_answered_and_doubted(tmp_path: Path) -> None:
    dark = np.full((28, 28), 250, np.uint8)
    dark[10:18, 10:18] = 5
    Image.fromarray(dark).save(tmp_path / "dark.png")
    Image.new("L", (28, 28), 0).save(tmp_path / "nothing.png")
    (batch,) = inputs.pictures(inputs.picture_files([tmp_path]), FORM, 8)
    assert batch.notes[0].startswith("light ground")
    assert batch.notes[1].startswith("all of one tone")


def test_an_empty_folder_and_a_missing_file_are_errors_before_anything_is_made(project: Project) -> None:
    (project.root / "empty").mkdir()
    (project.root / "other").mkdir()
    (project.root / "other" / "notes.txt").touch()
    for name, reported in (
        ("empty", "no PNG or JPEG file, 0 of"),
        ("other", "1 of other kinds"),
        ("nowhere", "not there"),
    ):
        with pytest.raises(HandbookError, match=reported):
            inputs.picture_files([project.root / name])


DIGITS = inputs.Form((28, 28), 0, ((0, 0), (200, 255)))
SPRITES = inputs.Form((64, 64, 3), 255, ((0, 189), (255, 255)))
MIRROR = Path(os.environ.get("HANDBOOK_MIRROR") or "/no mirror")


def png(picture: Image.Image | Any) -> bytes:
    stream = io.BytesIO()
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(stream, "PNG")
    return stream.getvalue()


def read(pictures: list[Any], form: inputs.Form = DIGITS) -> inputs.Batch:
    return inputs.encoded([(str(k), png(each)) for k, each in enumerate(pictures)], form)


def grey_ink(pixels: Any) -> Image.Image:
    """Ink of a grey, as opaque as the picture is bright."""
    return Image.fromarray(np.dstack([np.full((28, 28), 110, np.uint8), pixels]))


def on(ground: int, ink: int) -> Callable[[Any], Any]:
    """The same strokes in another ink on another ground."""
    return lambda pixels: (ground + (ink - ground) * (pixels / 255)).round().astype(np.uint8)


SPOILED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "inverted": (on(255, 0), "light ground, about 255"),
    "dark on grey": (on(120, 0), "grey ground, about 120"),
    "dark on pale grey": (on(200, 20), "light ground, about 200"),
    "white on grey": (on(90, 255), "grey ground, about 90"),
    "white on dark grey": (on(40, 255), "grey ground, about 40"),
    "0 to 1 in 0 to 255": (lambda pixels: (pixels / 255).round().astype(np.uint8), "faint, its brightest is 1"),
    "faint": (on(0, 90), "faint, its brightest is 90"),
    "8 bits in 16": (lambda pixels: pixels.astype(np.uint16), "faint, its brightest is 1"),
    "grey ink on transparent": (grey_ink, "faint, its brightest is 110"),
    "black ink on transparent": (lambda p: Image.fromarray(np.dstack([np.zeros_like(p), p])), "all of one tone"),
}


@pytest.mark.parametrize("how", SPOILED)
def test_every_digit_that_is_brought_otherwise_than_they_are_is_doubted(how: str, samples: Any) -> None:
    spoil, note = SPOILED[how]
    digits = datasets.page("mnist").load(samples("mnist")).test_images
    batch = read([spoil(pixels) for pixels in digits])
    assert not batch.faults
    assert all(each.startswith(note) for each in batch.notes), [each for each in batch.notes if note not in each][:3]


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_no_picture_of_the_sample_is_doubted(name: str, samples: Any) -> None:
    page = datasets.page(name)
    usual = contract.usual(page)
    pictures = page.load(samples(name)).test_images
    assert set(inputs.array(pictures, inputs.Form((28, 28), usual.ground, usual.tones)).notes) == {""}


def one_by_one(picture: Any, form: inputs.Form) -> str:
    """The note of a picture that stands alone, by counting."""
    height, width = picture.shape[:2]
    edge = [(y, x) for y in range(height) for x in range(width) if y in (0, height - 1) or x in (0, width - 1)]
    low, high = int(picture.min()), int(picture.max())
    if low == high:
        return "all of one tone"
    found = []
    if form.ground is not None:
        near = [all(abs(int(tone) - form.ground) <= 16 for tone in np.atleast_1d(picture[place])) for place in edge]
        found += ["ground"] if sum(near) < 0.25 * len(edge) else []
    if form.tones:
        (darkest, lightest), (dullest, brightest) = form.tones
        dim, pale = high < dullest, not darkest - 8 <= low <= lightest + 8
        found += ["faint"] if dim else ["pale"] if pale else ["its brightest"] if high > brightest + 8 else []
    return " and ".join(found)


def mixed(shape: tuple[int, ...], rng: Any) -> Any:
    """Pictures of every kind, good and doubtful, among them such as lie on the very limit of a note."""
    low, span = rng.integers(0, 60, (300, 1, 1)), rng.choice([0, 1, 90, 180, 199, 200, 201, 255], (300, 1, 1))
    noise = rng.integers(0, 2, (300, *shape[:2])) * np.minimum(low + span, 255)
    pictures = np.maximum(noise, np.where(rng.random((300, 1, 1)) < 0.5, 0, low))
    frame = rng.choice([0, 8, 9, 16, 17, 100, 239, 238, 255], (300, 1))
    edges = rng.random((300, shape[1])) < rng.random((300, 1))
    for side in (pictures[:, 0], pictures[:, -1], pictures[:, :, 0], pictures[:, :, -1]):
        side[edges] = np.broadcast_to(frame, edges.shape)[edges]
    pictures = pictures.astype(np.uint8)
    if len(shape) == 2:
        return pictures
    colour = np.repeat(pictures[..., None], 3, axis=3)
    colour[::3, ..., 1] //= 2
    return colour


@pytest.mark.parametrize("ground", [0, 255, None])
@pytest.mark.parametrize("tones", [((0, 0), (200, 255)), ((0, 40), (120, 230)), None])
@pytest.mark.parametrize("shape", [(28, 28), (12, 12, 3)])
def test_pictures_together_are_doubted_as_each_alone(shape: tuple[int, ...], tones: Any, ground: int | None) -> None:
    form = inputs.Form(shape, ground, tones)
    pictures = mixed(shape, np.random.default_rng(0))
    together = inputs.array(pictures, form).notes
    assert together == [note for each in pictures for note in inputs.array(each[None], form).notes]
    kinds = ("all of one tone", "ground", "faint", "pale", "its brightest")
    named = [
        " and ".join(kind for part in note.split("; ") if part for kind in kinds if kind in part.partition(",")[0])
        for note in together
    ]
    assert named == [one_by_one(each, form) for each in pictures]
    assert len(set(named)) > 1


def test_pictures_that_are_bytes_are_copied_whatever_order_they_lie_in() -> None:
    pictures = np.asfortranarray(np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8))
    pictures.flags.writeable = False
    batch = inputs.array(pictures, DIGITS)
    assert np.array_equal(batch.data, pictures)
    assert batch.data.flags.writeable
    assert batch.data.flags.c_contiguous


@pytest.mark.real
@pytest.mark.skipif(not MIRROR.is_dir(), reason="HANDBOOK_MIRROR is not a folder with the real data")
@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_no_real_picture_is_doubted_and_all_are_that_are_inverted(name: str) -> None:
    usual = contract.usual(datasets.page(name))
    form = inputs.Form((28, 28), usual.ground, usual.tones)
    pictures = images.read_idx(MIRROR / name / "t10k-images-idx3-ubyte.gz")
    assert not any(inputs.array(pictures, form).notes)
    assert all(note.startswith(("light", "grey")) for note in inputs.array(255 - pictures[:2000], form).notes)


def creature() -> Any:
    """A sprite on a transparent ground, (64, 64, 4)."""
    pixels = np.zeros((64, 64, 4), np.uint8)
    pixels[16:48, 20:44] = (180, 60, 30, 255)
    pixels[16:48, 20] = (20, 20, 20, 255)
    return pixels


def test_what_is_transparent_becomes_the_ground_of_the_data_whatever_the_mode() -> None:
    by_palette = Image.fromarray(creature()).convert("P", palette=Image.Palette.ADAPTIVE)
    clear = by_palette.getpixel((0, 0))
    by_palette.info["transparency"] = clear
    black = Image.new("RGB", (64, 64))
    black.paste(Image.fromarray(creature()).convert("RGB"))
    grey = Image.fromarray(creature()).convert("LA")
    batch = read([Image.fromarray(creature()), by_palette, grey, black], SPRITES)
    assert batch.notes[:3] == ["", "", ""]
    assert batch.notes[3].startswith("dark ground, about 0: the model learnt from things on white")
    assert all((batch.data[k, 0, 0] == 255).all() for k in range(3))
    assert (batch.data[0, 30, 30] == (180, 60, 30)).all()


def test_a_deep_grey_picture_keeps_its_transparent_tone_on_the_ground() -> None:
    deep = np.full((28, 28), 65535, np.uint16)
    deep[8:20, 8:20] = 0
    stream = io.BytesIO()
    Image.fromarray(deep).save(stream, "PNG", transparency=0)
    (pixels,) = inputs.encoded([("deep", stream.getvalue())], inputs.Form((28, 28), 255)).data
    assert pixels.min() == 255


def declaring(width: int, height: int) -> bytes:
    """A PNG whose header promises so many pixels, and that holds none of them."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_a_bomb_is_named_and_the_pictures_beside_it_are_answered(fitted: Any) -> None:
    good = png(fitted(PICTURES)[1].test_images[0])
    bombs = [
        ("bomb", declaring(40_000, 40_000)),
        ("large", declaring(10_000, 10_000)),
        ("huge", declaring(2**31 - 1, 9)),
    ]
    batch = inputs.encoded([("good", good), *bombs, ("again", good)], DIGITS)
    assert batch.names == ["good", "again"]
    assert [fault.name for fault in batch.faults] == [name for name, _ in bombs]
    assert all("expected 28 x 28 pixels, found" in fault.problem for fault in batch.faults)


def test_whatever_bytes_are_damaged_the_picture_is_named_and_nothing_else_happens(fitted: Any) -> None:
    rng = np.random.default_rng(0)
    picture = Image.fromarray(fitted(PICTURES)[1].test_images[0])
    wholes = [png(picture), png(grey_ink(np.asarray(picture)))]
    stream = io.BytesIO()
    picture.save(stream, "JPEG")
    wholes.append(stream.getvalue())
    contents = []
    for number in range(600):
        raw = bytearray(wholes[number % 3])
        for place in rng.integers(0, len(raw), 1 + number % 4):
            raw[place] = rng.integers(256)
        contents.append((str(number), bytes(raw[: len(raw) if number % 5 else int(rng.integers(len(raw)))])))
    batch = inputs.encoded(contents, DIGITS)
    assert len(batch.names) + len(batch.faults) == 600
    assert len(batch.faults) > 100
    assert batch.data.shape == (len(batch.names), 28, 28)


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda pixels: pixels / 255, "found 0.[0-9]+. Multiply by 255, and round"),
        (lambda pixels: pixels + 0.5, "Round them|found .* to 255.5"),
        (lambda pixels: pixels - 1.0, "found -1 to"),
        (lambda pixels: pixels * 257.0, "found 0 to 65535"),
        (lambda pixels: np.where(pixels > 0, np.nan, 0), "found nan to nan"),
    ],
)
def test_what_becoming_bytes_would_change_is_a_fault_of_that_picture(spoil: Any, problem: str, fitted: Any) -> None:
    good = fitted(PICTURES)[1].test_images[0].astype(np.float64)
    batch = inputs.array(np.stack([good, spoil(good), good]), DIGITS, ["a", "b", "c"])
    assert batch.names == ["a", "c"]
    (fault,) = batch.faults
    assert fault.name == "b"
    with pytest.raises(AssertionError, match=problem):
        raise AssertionError(fault.problem)
    assert np.array_equal(batch.data[0], good)


@pytest.mark.parametrize(
    "given",
    [np.zeros((2, 28, 28), bool), np.zeros((28, 28)), np.full((1, 28, 28), "7"), [[1, 2], [3]], np.zeros((1, 28, 27))],
)
def test_what_is_no_array_of_such_pictures_is_refused_whole(given: Any) -> None:
    with pytest.raises(
        HandbookError, match=r"^expected pictures as numbers of 0 to 255 of shape \(N, 28, 28\), found "
    ):
        inputs.array(given, DIGITS)


def test_a_file_whose_name_is_not_utf_8_is_answered(tmp_path: Path, fitted: Any) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.png")
    path.write_bytes(png(fitted(PICTURES)[1].test_images[0]))
    (batch,) = inputs.pictures(inputs.picture_files([tmp_path]), DIGITS, 8)
    assert batch.names == [f"{tmp_path}/caf\\xe9.png"]


def test_a_pipe_is_named_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (batch,) = inputs.pictures(inputs.picture_files([tmp_path / "pipe.png"]), DIGITS, 8)
    assert batch.faults[0].problem == "expected a PNG or JPEG file, found no regular file"


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_what_is_no_name_of_a_file_is_an_error(name: str) -> None:
    with pytest.raises(HandbookError, match=r"is no name of a file|is not there"):
        inputs.picture_files([Path(name)])

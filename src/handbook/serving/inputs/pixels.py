"""Pictures: PNG and JPEG files, the bytes of such files, or arrays of intensities.

Colour and transparency are resolved, nothing is scaled, and nothing is changed by a cast: what does not fit is a fault.
"""

from __future__ import annotations

import io
import math
import struct
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.data.images import Bytes, as_bytes
from handbook.errors import HandbookError
from handbook.serving.inputs.batch import Batch, Fault, Form, legible

if TYPE_CHECKING:
    from PIL import Image

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG"}
NEAR = 16  # intensities that a pixel of the border may lie off the ground
SLACK = 8  # that compression may move the darkest tone by; a ground of 16 costs a network some of its accuracy
GROUNDED = (
    0.25  # of the border lies on the ground: of every real picture 0.277 or more, of an inverted one 0.196 or less
)
# What Pillow raises for a damaged picture; SyntaxError is its word for a damaged PNG
DAMAGED = (OSError, SyntaxError, EOFError, IndexError, KeyError, TypeError, ValueError, OverflowError, zlib.error,
           struct.error)  # fmt: skip


def picture_files(given: Sequence[Path]) -> list[Path]:
    """The files themselves, and the PNG and JPEG files in the folders, by name; HandbookError where there is none."""
    files: list[Path] = []
    for path in given:
        try:
            there, folder = path.exists(), path.is_dir()
        except (OSError, ValueError) as error:
            raise HandbookError(f"{legible(str(path))[:100]!r} is no name of a file: {error}") from None
        if not there:
            raise HandbookError(
                f"{legible(str(path))} is not there. Name a PNG or JPEG file, several, or a folder of them"
            )
        if not folder:
            files.append(path)
            continue
        inside = sorted(path.iterdir())
        found = [each for each in inside if each.suffix.lower() in FORMATS and each.is_file()]
        if not found:
            raise HandbookError(f"{legible(str(path))} holds no PNG or JPEG file, {len(inside)} of other kinds")
        files += found
    return files


def pictures(files: Sequence[Path], form: Form, size: int) -> Iterator[Batch]:
    """Batches of pictures (N, *shape) uint8 from files; a name is a path. Another size, say, is a fault of that one."""
    left = iter(files)
    while chosen := list(islice(left, size)):
        batch = _gathered(((legible(str(path)), partial(_of_file, path, form)) for path in chosen), form)
        batch.read = len(chosen)
        yield batch


def encoded(contents: Sequence[tuple[str, bytes]], form: Form) -> Batch:
    """A batch of pictures from names and the bytes of PNG or JPEG files."""
    batch = _gathered(((name, partial(_of_bytes, raw, form)) for name, raw in contents), form)
    batch.read = len(contents)
    return batch


def array(pixels: npt.ArrayLike, form: Form, names: Sequence[Any] | None = None) -> Batch:
    """A batch of pictures from intensities (N, *shape) of 0 to 255, of any numeric type.

    A picture that a cast to bytes would change is at fault. HandbookError for another shape, or for what is no number.
    """
    try:
        given = np.asarray(pixels)
    except ValueError:  # lists of several lengths
        given = np.zeros(0, dtype=object)
    if given.dtype.kind not in "uif" or given.shape[1:] != form.shape:
        expected = f"numbers of 0 to 255 of shape (N, {', '.join(map(str, form.shape))})"
        found = f"{given.dtype} of shape {given.shape}" if given.dtype != object else "no array of numbers"
        raise HandbookError(f"expected pictures as {expected}, found {found}")
    names = [k + 1 for k in range(len(given))] if names is None else list(names)
    if len(names) != len(given):
        raise HandbookError(f"expected a name for each of {len(given)} pictures, found {len(names)}")
    try:
        whole = np.array(given if given.dtype == np.uint8 else as_bytes(given), order="C")
    except ValueError:  # one of them is at fault: each by itself, which says whose it is
        batch = _gathered(((name, partial(as_bytes, each)) for name, each in zip(names, given, strict=True)), form)
    else:
        batch = Batch(names, whole, doubts(whole, form))
    batch.read = len(given)
    return batch


def _gathered(given: Iterable[tuple[Any, Callable[[], Bytes]]], form: Form) -> Batch:
    """The pictures that can be read, and the faults of the others."""
    batch, found = Batch([], None, []), []
    for name, picture in given:
        try:
            found.append(picture())
        except ValueError as problem:
            batch.faults.append(Fault(str(name), "", str(problem)))
        else:
            batch.names.append(name)
    batch.data = np.stack(found) if found else np.zeros((0, *form.shape), np.uint8)
    batch.notes = doubts(batch.data, form)
    return batch


def _of_file(path: Path, form: Form) -> Bytes:
    try:
        return _of_bytes(path, form)
    except OSError as error:
        raise ValueError(f"the file cannot be read: {error.strerror or error}") from None


def _of_bytes(source: Path | bytes, form: Form) -> Bytes:
    """One picture; ValueError says why it is none, or not as it must be. OSError for a file that cannot be opened."""
    if isinstance(source, bytes):
        return _decoded(io.BytesIO(source), len(source), form)
    if not source.is_file():
        raise ValueError("expected a PNG or JPEG file, found no regular file")
    with source.open("rb") as stream:
        return _decoded(stream, source.stat().st_size, form)


def _decoded(stream: Any, size: int, form: Form) -> Bytes:
    from PIL import Image, ImageOps, UnidentifiedImageError

    height, width = form.shape[:2]
    expected = f"expected {width} x {height} pixels"
    if size == 0:
        raise ValueError("the file is empty")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a size that is refused below, and of what is damaged beside the pixels
            with Image.open(stream, formats=tuple(set(FORMATS.values()))) as opened:
                found = opened.size
                fits = sorted(found) == sorted((width, height))  # before the pixels are unpacked, however many
                pixels = _resolved(ImageOps.exif_transpose(opened), form) if fits else None
    except Image.DecompressionBombError as error:
        raise ValueError(f"{expected}, found far more ({error})") from None
    except UnidentifiedImageError:
        raise ValueError("expected a PNG or JPEG file, found something else, or one that was cut short") from None
    except DAMAGED as error:
        raise ValueError(f"the picture cannot be read to its end, it is damaged or cut short ({error})") from None
    if pixels is None:
        raise ValueError(
            f"{expected}, found {found[0]} x {found[1]}. Crop it to what it shows and scale it to {width} x {height}"
        )
    if pixels.shape != form.shape:
        raise ValueError(f"{expected}, found {pixels.shape[1]} x {pixels.shape[0]}")
    return pixels


def _resolved(picture: Image.Image, form: Form) -> Bytes:
    """Grey or RGB of 0-255, whatever it was: 16 bits scaled down, transparent parts as the ground is."""
    from PIL import Image

    ground = form.ground or 0
    if picture.mode.startswith("I"):  # 16 bits a pixel, which Pillow would cut off at 255
        deep = np.asarray(picture, dtype=np.float64)
        clear = deep == picture.info.get("transparency", -1)
        picture = Image.fromarray(np.where(clear, ground, (deep / 257).round()).astype(np.uint8))
    if picture.has_transparency_data:
        seen = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", seen.size, (ground, ground, ground, 255)), seen)
    return np.asarray(picture.convert("RGB" if len(form.shape) == 3 else "L"), dtype=np.uint8)


def doubts(pictures: Bytes, form: Form) -> list[str]:
    """`doubt` of each of the pictures (N, *shape); all are looked at together, since few are doubtful."""
    flat = pictures.reshape(len(pictures), math.prod(form.shape))
    low, high = flat.min(axis=1).astype(np.int64), flat.max(axis=1).astype(np.int64)
    odd = low == high
    if form.ground is not None:
        odd |= _grounded(_border(pictures), form.ground) < GROUNDED
    if form.tones:
        darkest, brightest = form.tones
        odd |= (low < darkest[0] - SLACK) | (low > darkest[1] + SLACK)
        odd |= (high < brightest[0]) | (high > brightest[1] + SLACK)
    notes = [""] * len(pictures)
    for k in np.flatnonzero(odd):
        notes[k] = doubt(pictures[k], form)
    return notes


def doubt(pixels: Bytes, form: Form) -> str:
    """What makes an answer doubtful: nothing to be seen, another ground, or tones that no real picture has."""
    low, high = int(pixels.min()), int(pixels.max())
    if low == high:
        return "all of one tone: nothing is shown"
    notes = [_doubt_of_ground(pixels, form.ground)] if form.ground is not None else []
    if form.tones:
        notes += [_doubt_of_tones(low, high, *form.tones)]
    return "; ".join(filter(None, notes))


def _doubt_of_ground(pixels: Bytes, ground: int) -> str:
    border = _border(pixels[None])
    if _grounded(border, ground)[0] >= GROUNDED:
        return ""
    kind = "light" if ground < 128 else "dark"
    usual = {0: "black", 255: "white"}.get(ground, f"a ground of {ground}")
    middle = int(np.median(border))
    shade = kind if abs(middle - ground) > 127 else "grey"
    return f"{shade} ground, about {middle}: the model learnt from things on {usual}"


def _border(pictures: Bytes) -> npt.NDArray[np.int16]:
    """The pixels of the edge of each picture (N, height, width, ...): (N, pixels, ...)."""
    sides = [pictures[:, 0], pictures[:, -1], pictures[:, 1:-1, 0], pictures[:, 1:-1, -1]]
    return np.concatenate(sides, axis=1).astype(np.int16)


def _grounded(border: npt.NDArray[np.int16], ground: int) -> npt.NDArray[np.float64]:
    """Which share (N,) of a border's pixels (N, pixels, ...) lies on the ground, in all colours where it has some."""
    on_ground = abs(border - ground) <= NEAR
    return np.asarray((on_ground.all(axis=2) if on_ground.ndim == 3 else on_ground).mean(axis=1))


def _doubt_of_tones(low: int, high: int, darkest: tuple[int, int], brightest: tuple[int, int]) -> str:
    if high < brightest[0]:
        cause = ": were these values of 0 to 1?" if high <= 1 else ""
        return f"faint, its brightest is {high}, that of real pictures {brightest[0]} to {brightest[1]}{cause}"
    if not darkest[0] - SLACK <= low <= darkest[1] + SLACK:
        return f"pale, its darkest is {low}, that of real pictures {_span(*darkest)}"
    if high > brightest[1] + SLACK:
        return f"its brightest is {high}, that of real pictures {_span(*brightest)}"
    return ""


def _span(low: int, high: int) -> str:
    return f"{low}" if low == high else f"{low} to {high}"

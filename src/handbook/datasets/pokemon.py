"""Pokemon sprites: 13,271 front pictures of 898 Pokemon from ten games, normal and shiny, of any size and palette.

What it is: the front sprites of generations III to VII as PNGs, 13 to 232 pixels a side, on a transparent ground; pixel
art of 64 x 64 to 96 x 96 in the older games, pictures of three-dimensional figures in the newer ones.
Where from: the public repository PokeAPI/sprites, commit 7dee7abc of 2021-09-17, folder `sprites/pokemon/versions`. The
archive is a selection from it and lies at no public address, so it is written here: git brings that commit and the
files that `pokemon.txt` lists, and nothing else. Left out are back sprites, animations, icons, 719 byte-for-byte
duplicates and `generation-v/black-white/10180.png`, which is no image. A fork carries the same commit.
Licence, as that repository states it: "All image contents within are Copyright The Pokémon Company. This repository is
distributed under CC0 1.0 Universal". So: for research and teaching. **Do not publish the pictures**, nor sheets of
them: they belong in DVC's cache and in nobody's repository.
Not for: anything sold, and not for measuring how many kinds of Pokemon there are: forms, mega forms and genders are
numbered in several ways, and 369 sprites (numbers above 10,000, eggs, the unknown mark) do not say whose they are.
In the book: section 6.8 trains a DCGAN on another archive of sprites, that of d2l.ai, whose address is given there.

One dex number in ten, chosen by a hash, is held out with all its variants: nothing that is trained to draw sees it. The
sample is procedural: creatures grown by a cellular automaton, mirrored, in the same layout, sizes and encodings.
"""

from __future__ import annotations

import colorsys
import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.data import sprites
from handbook.data.git_archive import Selection
from handbook.data.provenance import File, sha256
from handbook.data.sprites import LARGEST, SMALLEST, Bytes, Sprites

if TYPE_CHECKING:
    import pandas as pd

ARCHIVE = "pokemon_sprites.zip"
ROWS = {"sprites": 13_271}
SAMPLE_ROWS = {"sprites": 600}
LICENCE = "images copyright The Pokemon Company, for research and teaching; the repository itself is CC0 1.0"
SAMPLE_LICENCE = "MIT (made here)"
SOURCE = "https://github.com/PokeAPI/sprites"
COMMIT = "7dee7abc317d8a10d6a0d94edd8c42b91ac25e60"
SELECTION = Selection(
    SOURCE, COMMIT, "sprites/pokemon/versions", "pokemon", Path(__file__).with_suffix(".txt"), (2021, 9, 17)
)
FORK = replace(SELECTION, repository="https://github.com/julesferreira/sprites")
FILES = (File(ARCHIVE, "e6b417ae824b1560f52356de316e7531926c44fa441caeb3147b91768700a1b6", (), far=(SELECTION, FORK)),)
# Sprites by generation and game, normal and shiny, as measured.
GAMES = {
    ("generation-iii", "emerald"): (417, 414),
    ("generation-iii", "firered-leafgreen"): (155, 155),
    ("generation-iii", "ruby-sapphire"): (415, 412),
    ("generation-iv", "diamond-pearl"): (552, 548),
    ("generation-iv", "heartgold-soulsilver"): (568, 557),
    ("generation-iv", "platinum"): (559, 559),
    ("generation-v", "black-white"): (1299, 1345),
    ("generation-vi", "omegaruby-alphasapphire"): (906, 905),
    ("generation-vi", "x-y"): (884, 836),
    ("generation-vii", "ultra-sun-ultra-moon"): (920, 865),
}
GROUND = 255  # what is transparent becomes white
TONES = ((0, 189), (255, 255))  # of what `load` makes of them, measured
KINDS = 75  # of creatures in the sample, each in four games, normal and shiny
FRAMES = {  # of the sample: pixels a side and those of a cell, how it is encoded
    ("generation-iii", "emerald"): (64, 2, "P"),
    ("generation-iv", "diamond-pearl"): (80, 3, "P"),
    ("generation-iv", "heartgold-soulsilver"): (80, 2, "RGBA"),
    ("generation-v", "black-white"): (96, 4, "RGBA"),
}
GRID = 20  # cells a side on which a creature grows; at most 80 of a frame's 96 pixels


def sample(directory: Path, seed: int) -> None:
    """Write an archive of 75 mirrored creatures in four games, normal and shiny, each variant a little its own."""
    rng = np.random.default_rng(seed)
    shapes = _grow(rng)
    hues = rng.uniform(size=KINDS)
    with zipfile.ZipFile(directory / ARCHIVE, "w") as out:
        for (generation, game), (frame, cell, mode) in FRAMES.items():
            variants = _weather(shapes, rng)
            for shiny, turn in (("", 0.0), ("shiny/", 0.35)):
                for dex, (cells, hue) in enumerate(zip(variants, hues, strict=True), start=1):
                    name = f"pokemon/{generation}/{game}/{shiny}{dex}.png"
                    raw = _encode(cells, _palette(hue + turn, dex), frame, cell, mode)
                    out.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), raw)


def _grow(rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Creatures (KINDS, GRID, GRID): 0 nothing, 1 outline, 2 to 4 tones, 5 eyes; each its own mirror image."""
    half = GRID // 2
    centre = 1 - np.hypot(*np.mgrid[-1 : 1 : GRID * 1j, 0 : 1 : half * 1j])
    alive = rng.uniform(size=(KINDS, GRID, half)) < 0.3 + 0.5 * centre
    for _ in range(2):  # a cell lives where most of the nine around it do
        alive = _around(alive) >= 5
    alive[:, half - 4 : half + 4, -4:] = True  # a trunk, so that none is empty
    bands = rng.integers(2, 5, (KINDS, GRID // 2, 5)).repeat(2, axis=1).repeat(2, axis=2)
    inside = _around(alive) == 9
    cells = np.where(inside, bands, np.where(alive, 1, 0))
    rows = rng.integers(half - 3, half, KINDS)
    cells[np.arange(KINDS), rows, half - 3] = 5
    return np.concatenate([cells, cells[:, :, ::-1]], axis=2)


def _around(alive: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """How many of the nine cells around each live; beyond the middle lies the mirror image, beyond the rest nothing."""
    padded = np.pad(alive.astype(np.int64), ((0, 0), (1, 1), (1, 1)))
    padded[:, :, -1] = padded[:, :, -2]
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return np.asarray(windows.sum(axis=(3, 4)))


def _weather(shapes: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """A game's own drawing of each creature: a few tones of one half changed, and in the other mirrored."""
    other = rng.integers(2, 5, shapes.shape)
    changed = (rng.uniform(size=shapes.shape) < 0.08) & (shapes >= 2) & (shapes < 5)
    half = np.where(changed, other, shapes)[:, :, : GRID // 2]
    return np.concatenate([half, half[:, :, ::-1]], axis=2)


def _palette(hue: float, dex: int) -> Bytes:
    """Colours (6, 4) of a creature: nothing, outline, three tones, eyes."""
    tones = [colorsys.hsv_to_rgb((hue + 0.07 * k) % 1, 0.35 + 0.05 * (dex % 8), 0.95 - 0.22 * k) for k in range(3)]
    rows = [(0, 0, 0, 0), (0.1, 0.08, 0.12, 1), *((*tone, 1) for tone in tones), (0.98, 0.98, 0.9, 1)]
    return np.array([[round(255 * channel) for channel in row] for row in rows], np.uint8)


def _encode(cells: npt.NDArray[np.int64], palette: Bytes, frame: int, cell: int, mode: str) -> bytes:
    """A creature as PNG: in the middle of its frame, each cell so many pixels, by palette or in full."""
    from PIL import Image

    drawn = cells.repeat(cell, axis=0).repeat(cell, axis=1).astype(np.uint8)
    margin = (frame - len(drawn)) // 2
    indices = np.pad(drawn, margin)
    stream = io.BytesIO()
    if mode == "RGBA":
        Image.fromarray(palette[indices]).save(stream, "PNG")
    else:
        picture = Image.fromarray(indices)  # grey, which a palette turns into one by palette
        picture.putpalette(palette[:, :3].tobytes())
        picture.save(stream, "PNG", transparency=0)
    return stream.getvalue()


def facts(directory: Path) -> pd.DataFrame:
    """The table that the suite looks at, a row a sprite; `fault` says by name what cannot be read."""
    import pandas as pd

    return pd.DataFrame(_read(directory)[1])


def load(directory: Path) -> Sprites:
    """The sprites; a HandbookError names the archive's untrusted member, or those that are no sprites."""
    return sprites.gather(*_read(directory), directory / ARCHIVE)


def _read(directory: Path) -> tuple[Bytes, list[dict[str, Any]]]:
    """Decoded once into the checkout's `.cache`, which lies beside the `data` that the directory lies in."""
    archive = directory / ARCHIVE
    if not archive.is_file():
        return sprites.decode_all(archive)  # which says what is wrong
    return sprites.read(archive, sha256(archive), directory.absolute().parent.parent / ".cache" / "sprites")


def expectations(sample: bool = False) -> list[Any]:
    """What must hold for the table of facts: the suite of Great Expectations."""
    rows = SAMPLE_ROWS if sample else ROWS
    games = dict.fromkeys(FRAMES, (KINDS, KINDS)) if sample else GAMES
    return [*_expect_table(rows["sprites"]), *_expect_pictures(), *_expect_games(games), *_expect_parts(sample)]


def _expect_table(rows: int) -> list[Any]:
    import great_expectations.expectations as gxe

    kinds = {
        "name": "str", "generation": "str", "game": "str", "shiny": "bool", "dex": "int64", "mode": "str",
        "bits": "int64", "frames": "int64", "width": "int64", "height": "int64", "across": "int64", "down": "int64",
        "transparent": "float64", "fault": "str", "part": "str", "digest": "str",
    }  # fmt: skip
    return [
        gxe.ExpectTableColumnsToMatchOrderedList(
            column_list=list(kinds), description=f"The columns are, in this order: {', '.join(kinds)}"
        ),
        *(
            gxe.ExpectColumnValuesToBeOfType(column=column, type_=kind, description=f"{column} is of type {kind}")
            for column, kind in kinds.items()
        ),
        gxe.ExpectTableRowCountToEqual(value=rows, description=f"There are {rows:,} sprites"),
        gxe.ExpectColumnValuesToBeUnique(column="name", description="Every name is there once"),
        gxe.ExpectColumnValuesToBeInSet(
            column="fault", value_set=[""], description="Every member of the archive can be read as a sprite"
        ),
    ]


def _expect_pictures() -> list[Any]:
    import great_expectations.expectations as gxe

    own = 0.93  # as measured 93.4 %, of the sample 98.7 %
    sides = (13, 232)  # as measured; the sample lies well within
    return [
        *(
            gxe.ExpectColumnValuesToBeBetween(
                column=column,
                min_value=low,
                max_value=high,
                description=f"{column} is {low} to {high} pixels; {SMALLEST} to {LARGEST} could be read",
            )
            for column in ("width", "height", "across", "down")
            for low, high in (sides,)
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="mode", value_set=["P", "RGBA", "LA"], description="Pixels are by palette, RGBA, or grey and alpha"
        ),
        gxe.ExpectColumnValuesToBeInSet(
            column="bits", value_set=[1, 2, 4, 8], description="No channel has 16 bits: none is cut to its upper 8"
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="frames", min_value=1, max_value=1, description="No sprite moves: none is cut to its first picture"
        ),
        gxe.ExpectColumnValuesToBeBetween(
            column="transparent",
            min_value=0.15,
            max_value=0.98,
            description="Of every sprite 15 % to 98 % is transparent ground",
        ),
        gxe.ExpectColumnProportionOfUniqueValuesToBeBetween(
            column="digest",
            min_value=own,
            max_value=1.0,
            description=f"Decoded, at least {own:.0%} of the pictures are their own",
        ),
    ]


def _expect_games(games: dict[tuple[str, str], tuple[int, int]]) -> list[Any]:
    import great_expectations.expectations as gxe
    from great_expectations.expectations.row_conditions import Column

    return [
        *(
            gxe.ExpectColumnDistinctValuesToEqualSet(
                column=column, value_set=names, description=f"The {column}s are {', '.join(names)}"
            )
            for column, names in (
                ("generation", sorted({generation for generation, _ in games})),
                ("game", sorted(game for _, game in games)),
            )
        ),
        *(
            gxe.ExpectTableRowCountToEqual(
                value=counts[shiny],
                row_condition=(Column("game") == game)
                & (Column("generation") == generation)
                & (Column("shiny") == bool(shiny)),
                description=f"{game} of {generation} has {counts[shiny]:,} {('normal', 'shiny')[shiny]} sprites",
            )
            for (generation, game), counts in games.items()
            for shiny in (0, 1)
        ),
    ]


def _expect_parts(sample: bool) -> list[Any]:
    import great_expectations.expectations as gxe
    from great_expectations.expectations.row_conditions import Column

    held_out = sum(sprites.part(dex) == "held out" for dex in range(1, KINDS + 1)) * 8 if sample else 1_280
    return [
        gxe.ExpectColumnValuesToBeBetween(
            column="dex",
            min_value=-1,
            max_value=898,
            row_condition=Column("dex") < sprites.FORMS_FROM,
            description="National dex numbers end at 898; 0 is the unknown mark, -1 a name without a number",
        ),
        gxe.ExpectColumnDistinctValuesToBeInSet(
            column="part",
            value_set=["train", "held out", ""],
            description="A sprite is trained on, held out, or neither",
        ),
        gxe.ExpectTableRowCountToEqual(
            value=held_out,
            row_condition=Column("part") == "held out",
            description=f"{held_out:,} sprites are held out, with all variants of their Pokemon",
        ),
    ]

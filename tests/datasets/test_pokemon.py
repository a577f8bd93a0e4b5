"""Laws of the page of Pokemon sprites: its parts, its stand-in, its suite."""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from handbook import datasets
from handbook.data import sprites
from handbook.data.sprites import Sprites
from handbook.errors import HandbookError
from tests.datasets.test_labelled_images import broken

Samples = Callable[[str], Path]
MIRROR = Path(os.environ.get("HANDBOOK_MIRROR") or "/no mirror")
pytestmark = pytest.mark.filterwarnings("ignore:module 'sre_[a-z]+' is deprecated:DeprecationWarning")
page = datasets.page("pokemon")


@pytest.fixture(scope="module")
def drawn(samples: Samples) -> Sprites:
    data = page.load(samples("pokemon"))
    assert isinstance(data, Sprites)
    return data


def test_no_pokemon_is_both_trained_on_and_held_out(drawn: Sprites) -> None:
    trained, held_out = (set(drawn.dex[drawn.part == part].tolist()) for part in ("train", "held out"))
    assert trained
    assert held_out
    assert not trained & held_out


def test_the_sprites_of_the_sample_are_mirror_images_of_themselves(drawn: Sprites) -> None:
    enlarged = drawn.images[drawn.game != "black-white"]  # of 80 pixels, what is reduced is rounded
    np.testing.assert_array_equal(enlarged, enlarged[:, :, ::-1])


def test_the_sample_has_each_creature_in_every_game_and_no_two_alike(drawn: Sprites) -> None:
    table = pd.DataFrame({"dex": drawn.dex, "game": drawn.game, "shiny": drawn.shiny})
    assert (table.groupby("dex").size() == 8).all()
    assert table.duplicated().sum() == 0
    normal = drawn.images[(drawn.game == "emerald") & ~drawn.shiny].reshape(75, -1)
    assert len(np.unique(normal, axis=0)) == 75


def test_the_archive_of_the_sample_lies_like_the_real_one(samples: Samples) -> None:
    with zipfile.ZipFile(samples("pokemon") / page.ARCHIVE) as archive:
        assert all(sprites.NAME.fullmatch(name) for name in archive.namelist())
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert set(page.FRAMES) <= set(page.GAMES)


def test_the_suite_sees_all_that_is_wrong(samples: Samples) -> None:
    table = page.facts(samples("pokemon"))
    spoiled = {
        "fault": ("pokemon/x.png: cut short", "can be read as a sprite"),
        "width": (1, "width is 13 to 232"),
        "frames": (3, "No sprite moves"),
        "bits": (16, "16 bits"),
        "mode": ("RGB", "Pixels are by palette"),
        "transparent": (0.0, "transparent ground"),
        "game": ("red-blue", "The games are"),
        "dex": (899, "dex numbers end at 898"),
        "digest": ("same", "their own"),
        "shiny": (True, "normal sprites"),
        "part": ("test", "held out, or neither"),
        "name": ("pokemon/y.png", "Every name is there once"),
    }
    for column, (value, _) in spoiled.items():
        table.loc[:90, column] = value
    found = broken(table.iloc[1:], page.expectations(sample=True))
    for _, reported in spoiled.values():
        assert any(reported in sentence for sentence in found), reported
    assert any("There are 600 sprites" in sentence for sentence in found)
    assert any("sprites are held out" in sentence for sentence in found)


def test_the_suite_names_what_cannot_be_read(samples: Samples, tmp_path: Path) -> None:
    directory = tmp_path / "data" / "pokemon"
    shutil.copytree(samples("pokemon"), directory)
    with zipfile.ZipFile(directory / page.ARCHIVE, "a") as out:
        out.writestr("pokemon/generation-iii/emerald/101.png", b"\x89PNG\r\n\x1a\n")
    faults = page.facts(directory).query("fault != ''").fault.tolist()
    assert faults == ["pokemon/generation-iii/emerald/101.png: is not a PNG"]
    with pytest.raises(HandbookError, match=r"emerald/101\.png: is not a PNG"):
        page.load(directory)


def test_what_is_decoded_lies_outside_the_data(samples: Samples, tmp_path: Path) -> None:
    directory = tmp_path / "data" / "pokemon"
    shutil.copytree(samples("pokemon"), directory)
    page.load(directory)
    assert sorted(path.name for path in directory.iterdir()) == ["pokemon_sprites.zip", "provenance.json"]
    assert list((tmp_path / ".cache" / "sprites").glob("*.npy"))


@pytest.mark.real
@pytest.mark.skipif(not (MIRROR / "pokemon").exists(), reason="needs the real data")
def test_the_real_archive_is_as_its_page_says(tmp_path: Path) -> None:
    directory = tmp_path / "data" / "pokemon"
    directory.mkdir(parents=True)
    (directory / page.ARCHIVE).symlink_to(MIRROR / "pokemon" / page.ARCHIVE)
    assert broken(page.facts(directory), page.expectations()) == []

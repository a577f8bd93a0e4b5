"""Overlays as files: each picture has its own, and nothing that was not made here is ever replaced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from handbook.errors import HandbookError
from handbook.serving.reasons import Reason
from handbook.serving.reasons.overlays import Overlays


def given(*names: Any) -> tuple[Any, ...]:
    """Names, pictures, reasons and answers."""
    reason = Reason("the log-odds of the answer", "an empty picture", 0.0, pixels=np.ones((4, 4)))
    answers = pd.DataFrame({"label": range(len(names))})
    return list(names), np.zeros((len(names), 4, 4), np.uint8), [reason] * len(names), answers


def test_pictures_of_one_name_keep_their_own_and_a_name_is_never_a_path(tmp_path: Path) -> None:
    output = tmp_path / "answers.csv"
    with Overlays(output) as overlays:
        first = overlays.take(*given("a/1.png", "b/1.png", "c/1-2.png"))
        second = overlays.take(*given("B/1.PNG", "x" * 300 + ".png", "caf\udce9\n.png"))
    why = [Path(each) for each in [*first["why"], *second["why"]]]
    assert len({str(each).lower() for each in why}) == 6
    assert all(each.parent == tmp_path / "answers.csv.why" for each in why)
    for each in why:
        with Image.open(each) as drawn:
            assert drawn.size == (280, 280)
    assert first["relative_to"].tolist() == ["an empty picture"] * 3
    assert sorted(tmp_path.iterdir()) == [tmp_path / "answers.csv.why"]


def test_a_second_run_takes_the_place_of_the_first_and_one_that_fails_leaves_it(tmp_path: Path) -> None:
    output = tmp_path / "answers.csv"
    for name in ("old", "new"):
        with Overlays(output) as overlays:
            overlays.take(*given(f"{name}.png"))
    with pytest.raises(KeyError), Overlays(output) as overlays:
        overlays.take(*given("broken.png"))
        raise KeyError
    assert [each.name for each in tmp_path.rglob("*")] == ["answers.csv.why", "new.png"]


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_was_not_made_here_is_refused_before_anything_is_done(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "answers.csv.why"
    if kind == "file":
        place.write_text("mine")
    elif kind == "folder":
        place.mkdir()
        (place / "thesis.tex").write_text("mine")
    else:
        place.symlink_to(tmp_path)
    with pytest.raises(HandbookError, match="no folder of PNG files alone"):
        Overlays(tmp_path / "answers.csv")
    assert place.exists()

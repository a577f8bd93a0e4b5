"""The reasons for answers to pictures as files: an overlay each, in a folder beside the table of answers."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from handbook.errors import HandbookError
from handbook.serving.reasons import Reason

if TYPE_CHECKING:
    import pandas as pd


class Overlays:
    """A folder of PNG files, written beside its place and moved in at the end: all of them, or none."""

    def __init__(self, output: Path) -> None:
        """The folder is OUTPUT.why; HandbookError if something is there that was not made here."""
        self.place = output.with_name(f"{output.name}.why")
        self.fresh = output.with_name(f".{output.name}.why.new")
        self.taken: set[str] = set()
        if self.place.is_symlink() or (self.place.exists() and not _is_ours(self.place)):
            raise HandbookError(
                f"{self.place} is there already, and is no folder of PNG files alone. The overlays would lie there: "
                "name another --output"
            )

    def __enter__(self) -> Overlays:
        shutil.rmtree(self.fresh, ignore_errors=True)
        self.fresh.mkdir()
        return self

    def take(self, names: list[Any], pictures: Any, reasons: list[Reason], answers: pd.DataFrame) -> pd.DataFrame:
        """Draw an overlay for each picture (N, ...); the answers with its place, and what it is relative to, beside."""
        from PIL import Image

        from handbook.serving.reasons.gradients import overlay  # late: it brings torch

        files = []
        for name, picture, reason in zip(names, pictures, reasons, strict=True):
            assert reason.pixels is not None  # `explain` of pictures sees to that
            files.append(self._free(Path(str(name)).stem))
            Image.fromarray(overlay(picture, reason.pixels)).save(self.fresh / files[-1])
        columns = {"why": [str(self.place / file) for file in files]}
        columns["effect_on"] = [reason.number for reason in reasons]
        columns["relative_to"] = [reason.relative_to for reason in reasons]
        return answers.reset_index(drop=True).assign(**columns)

    def _free(self, stem: str) -> str:
        """A file's name that no other picture has: two folders may each have a 1.png."""
        stem = "".join(mark if mark.isprintable() and mark not in "/\\" else "_" for mark in stem)[:60] or "picture"
        names = (f"{stem}{'' if k == 1 else f'-{k}'}.png" for k in range(1, len(self.taken) + 2))
        name = next(each for each in names if each.lower() not in self.taken)  # for file systems without capitals
        self.taken.add(name.lower())
        return name

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self.taken:
            shutil.rmtree(self.place, ignore_errors=True)
            self.fresh.replace(self.place)
        shutil.rmtree(self.fresh, ignore_errors=True)


def _is_ours(place: Path) -> bool:
    return place.is_dir() and all(each.suffix == ".png" and each.is_file() for each in place.iterdir())

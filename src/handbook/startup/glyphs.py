"""Figures of a text in a script that the drawing font lacks: one line says so, where Matplotlib warns a glyph."""

from __future__ import annotations

import sys
import warnings
from typing import Any

MISSING = "Glyph "


def summarised() -> None:
    """From here on the first warning of a missing glyph is a sentence, and the others are dropped."""
    shown = warnings.showwarning
    reported: list[bool] = []

    def show(message: Warning | str, *rest: Any, **more: Any) -> None:
        if not str(message).startswith(MISSING):
            shown(message, *rest, **more)
        elif not reported:
            reported.append(True)
            print("the figures' font lacks some characters of this text: they stand there as boxes", file=sys.stderr)

    warnings.showwarning = show

"""Figures by subject: what the room offers is all there, once, and drawn without pyplot's state."""

from __future__ import annotations

import subprocess
import sys

from handbook.evaluation import figures
from handbook.evaluation.figures import charts, classes, pictures, style


def test_whatever_draws_is_offered_and_returns_a_figure() -> None:
    drawing = {
        name
        for room in (charts, classes, pictures)
        for name, each in vars(room).items()
        if getattr(each, "__module__", "") == room.__name__ and not name.startswith("_")
        and str(each.__annotations__.get("return")) == "Figure"
    }  # fmt: skip
    own = {"canvas", "mark_form", "mark_sample", "BLUE", "GREY", "INK", "ORANGE"}
    assert own <= set(vars(style))
    assert drawing | own == set(figures.__all__)


def test_no_figure_needs_pyplot() -> None:
    script = "import sys; from handbook.evaluation import figures; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"

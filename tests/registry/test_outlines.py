"""A page's outline says what the page says, and needs nothing that computes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from handbook import contract
from handbook.errors import HandbookError
from handbook.project import Project, plain
from handbook.registry import outlines
from tests.conftest import ROOT

HEAVY = ("torch", "lightning", "sklearn", "matplotlib", "pandas", "mlflow")


@pytest.mark.parametrize("name", Project(ROOT).cases())
def test_an_outline_says_of_a_case_what_its_page_says(name: str) -> None:
    whole, outline = Project(ROOT).case(name), Project(ROOT).case(name, outlines.page)
    assert plain(outline.params) == plain(whole.params)
    assert outline.page.__doc__ == whole.page.__doc__
    assert outline.page.__name__.rpartition(".")[2] == whole.page.__name__.rpartition(".")[2]
    assert outline.page.__file__ == whole.page.__file__
    assert outline.page.PRIMARY == whole.page.PRIMARY
    assert contract.case(outline.page).lower_is_better == contract.case(whole.page).lower_is_better


def test_outlines_load_nothing_that_computes() -> None:
    """In a process of its own: this one has loaded all of it."""
    code = (
        "import sys; from handbook.registry import outlines; from handbook.project import Project\n"
        "for name in Project.here().cases(): Project.here().case(name, outlines.page)\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    environment = {"PYTHONPATH": ":".join(path for path in sys.path if path)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_what_is_wrong_in_params_is_named_by_an_outline_too(project: Project) -> None:
    path = project.root / "params.yaml"
    path.write_text(path.read_text().replace("nesterov:", "nestrov:"))
    with pytest.raises(HandbookError, match=r"no parameter 'nestrov'; .*did you mean nesterov"):
        project.case("lenet", outlines.page)
    with pytest.raises(HandbookError, match="no case page 'lenett'"):
        outlines.page("lenett")

"""What a result is made of: which edits change a fingerprint, and that nothing runs that is not in it."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

import handbook
from handbook.errors import HandbookError
from handbook.sources import Name, Package

HOME = Path(handbook.__file__).parent
PAGE = '''
    """A page."""
    from handbook.kit import judged, learned
    from handbook import kit
    RATE = 0.1

    def fit(data: list[float]) -> float:
        """Learn."""
        return learned(data) * RATE

    def evaluate(model):
        from handbook import drawing as draw
        return judged(model), draw.figure(model)
'''
KIT = '''
    """What pages share."""
    from handbook.low import total

    def learned(data):
        return total(data)  # a comment

    def judged(model):
        return model > _least()

    def _least():
        return 0

    def unused():
        return judged
'''
LOW = "def total(data):\n    return sum(data)\n"
DRAWING = "COLOUR = 'red'\n\n\ndef figure(model):\n    return COLOUR, model\n"


@pytest.fixture
def toy(tmp_path: Path) -> Callable[..., Package]:
    """A package of four modules; a change is (file, text before, text after)."""

    def make(*changes: tuple[str, str, str]) -> Package:
        for name, text in {"page": PAGE, "kit": KIT, "low": LOW, "drawing": DRAWING, "__init__": ""}.items():
            content = textwrap.dedent(text)
            for file, before, after in changes:
                if file == name:
                    assert before in content
                    content = content.replace(before, after)
            (tmp_path / f"{name}.py").write_text(content)
        return Package(tmp_path)

    return make


def parts_of(package: Package, verb: str) -> dict[Name, str]:
    return {name: package.hash(name) for name in package.closure([("handbook.page", verb)])}


def test_a_closure_holds_what_is_mentioned_and_nothing_else(toy: Callable[..., Package]) -> None:
    package = toy()
    assert set(parts_of(package, "fit")) == {
        ("handbook.page", "fit"), ("handbook.page", "RATE"), ("handbook.kit", "learned"), ("handbook.low", "total"),
    }  # fmt: skip
    assert set(parts_of(package, "evaluate")) == {
        ("handbook.page", "evaluate"), ("handbook.kit", "judged"), ("handbook.kit", "_least"),
        ("handbook.drawing", "figure"), ("handbook.drawing", "COLOUR"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "stale"),
    [
        (("kit", "# a comment", "# another comment"), ""),
        (("page", '"""Learn."""', '"""Learn from data."""'), ""),
        (("page", "list[float]", "list[int]"), ""),
        (("kit", "return judged", "return learned"), ""),  # in what nobody uses
        (("page", "RATE = 0.1", "RATE = 0.2"), "fit"),
        (("low", "sum(data)", "sum(data) / 2"), "fit"),
        (("kit", "return 0", "return 1"), "evaluate"),
        (("drawing", "'red'", "'blue'"), "evaluate"),
        (("page", "learned(data) * RATE", "kit.learned(data) * RATE + kit.judged(0)"), "fit"),
    ],
)
def test_an_edit_makes_stale_what_it_can_change(
    toy: Callable[..., Package], change: tuple[str, str, str], stale: str
) -> None:
    before = {verb: parts_of(toy(), verb) for verb in ("fit", "evaluate")}
    after = {verb: parts_of(toy(change), verb) for verb in ("fit", "evaluate")}
    assert [verb for verb in before if before[verb] != after[verb]] == ([stale] if stale else [])


def test_a_module_that_is_handed_on_counts_whole(toy: Callable[..., Package]) -> None:
    package = toy(("page", "learned(data) * RATE", "run(kit, data)"))
    assert package.whole("handbook.kit") <= set(parts_of(package, "fit"))


def test_a_definition_that_a_text_names_is_mentioned(toy: Callable[..., Package]) -> None:
    """So does `TRUSTED`, by which skops finds the class of a saved estimator."""
    package = toy(("page", "RATE = 0.1", "RATE = ['handbook.kit.judged', 'handbook.nothing', 'handbook']"))
    assert ("handbook.kit", "judged") in parts_of(package, "fit")


def test_a_definition_is_found_through_the_module_that_passes_it_on(toy: Callable[..., Package]) -> None:
    package = toy(
        ("page", "from handbook.kit import judged, learned", "from handbook.kit import judged, total as learned")
    )
    assert ("handbook.low", "total") in parts_of(package, "fit")


def test_a_hash_is_the_same_for_every_python(toy: Callable[..., Package]) -> None:
    """What 3.11 gave: a fingerprint in a lock made by one Python must not look stale to another."""
    strange = """
    def total(data):
        x: int = 1
        return f"{sum(data)!r:>{x}} {{}} {'a' 'b'}" if data else lambda *, k=1: (yield)
    """
    assert toy(("low", LOW, textwrap.dedent(strange))).hash(("handbook.low", "total")) == "3919f4f73f493bfb"


def test_a_page_that_is_no_python_is_named_with_its_line(toy: Callable[..., Package]) -> None:
    with pytest.raises(HandbookError, match=r"kit\.py, line \d+"):
        parts_of(toy(("kit", "def judged(model):", "def judged(model:")), "fit")


def test_no_module_works_when_it_is_imported() -> None:
    """Else an import could change a result without a name to follow. MLflow's own entry must, and is no import."""
    for module in Package(HOME).modules.values():
        calls = [each for each in module.tree.body if isinstance(each, ast.Expr) and isinstance(each.value, ast.Call)]
        assert not calls or module.name == "handbook.registry.served", module.name

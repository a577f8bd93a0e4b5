"""Every dataset, case and lab page offers what the contract says, and keeps what the contract promises of a split."""

from __future__ import annotations

import dataclasses
import difflib
import inspect
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, NoReturn

import numpy as np
import pytest

from handbook import cases, contract, datasets, labs
from handbook.contract import Split
from handbook.data.images import Pictures
from handbook.data.sprites import Sprites
from handbook.data.tables import Table
from handbook.data.texts import Passage
from handbook.errors import HandbookError
from handbook.project import Project
from handbook.training.models import Fitted
from tests.conftest import PAGES, ROOT, brief, judges

CASES = Project(ROOT).cases()
JUDGES = sorted({judge for name in CASES if (judge := Project(ROOT).judge(name))})
ONE_A_PAGE = list({PAGES[name]: name for name in reversed(CASES)}.values())
EMPTY = inspect.Parameter.empty
Samples = Callable[[str], Path]


def constants(offer: type) -> list[str]:
    """The constants that a Protocol names."""
    return [name for kind in offer.__mro__ for name in getattr(kind, "__annotations__", {}) if not name.startswith("_")]


def functions(offer: type) -> dict[str, inspect.Signature]:
    """The functions that a Protocol names, without the `self` that a module has none of."""
    found = {}
    for kind in reversed(offer.__mro__):
        for name, value in vars(kind).items():
            if inspect.isfunction(value) and not name.startswith("_"):
                first, *rest = inspect.signature(value).parameters.values()
                assert first.name == "self"
                found[name] = inspect.Signature(rest)
    return found


def agrees(own: inspect.Signature, wanted: inspect.Signature) -> bool:
    """Whether a page's function takes what the contract's does, by the same names; `*judge` stands for none or one.

    `*data` stands for as many as a lab names datasets.
    """
    given = list(own.parameters.values())
    for want in wanted.parameters.values():
        if want.kind == want.VAR_POSITIONAL:
            given = [] if len(given) <= 1 or want.name == "data" else given
        elif not given or given[0].name != want.name or (given[0].default is EMPTY) != (want.default is EMPTY):
            return False
        else:
            given.pop(0)
    return not given


def faults(page: ModuleType, offer: type, may: type) -> list[str]:
    """What a page lacks, offers in another form, or seems to have misspelt."""
    there = vars(page)
    missing = [name for name in (*constants(offer), *functions(offer)) if name not in there]
    others = [
        f"{name}{inspect.signature(there[name])}"
        for name, wanted in functions(offer).items()
        if name in there and name != "example" and not agrees(inspect.signature(there[name]), wanted)
    ]
    optional = [each.name if each.name in contract.FUNCTIONS else each.name.upper() for each in dataclasses.fields(may)]
    known = {*constants(offer), *functions(offer), *optional}
    near = [
        f"{name}: is {close[0]} meant?"
        for name in there
        if name not in known and not name.startswith("_") and (name.isupper() or inspect.isfunction(there[name]))
        if (close := difflib.get_close_matches(name, known, 1, 0.85))
    ]
    return [*missing, *others, *near]


@pytest.mark.parametrize("name", datasets.names())
def test_a_dataset_offers_what_the_contract_says(name: str) -> None:
    page = datasets.page(name)
    assert not faults(page, contract.DatasetPage, contract.Dataset)
    said = contract.dataset(page)
    assert page.FILES in said.forms.values()
    assert set(said.notes) <= set(said.forms)
    assert all(kind in (str, int, float) for kind in said.columns.values())
    assert all(isinstance(each, str) for each in said.classes)
    assert said.read is None or list(inspect.signature(said.read).parameters) == ["path"]
    usual = contract.usual(page)
    assert set(usual.ranges) <= set(said.columns)
    assert all(low < high for low, high in usual.ranges.values())
    assert usual.ground in (None, *range(256))
    assert usual.tones is None or all(0 <= low <= high <= 255 for low, high in usual.tones)
    assert bool(said.columns) == bool(usual.ranges)


@pytest.mark.parametrize("name", cases.names())
def test_a_case_offers_what_the_contract_says(name: str) -> None:
    page = cases.page(name)
    offer = contract.NetworkPage if "Model" in vars(page) else contract.CasePage
    assert not faults(page, offer, contract.Case)
    assert inspect.get_annotations(page.evaluate)["return"] == "Report"
    assert inspect.get_annotations(page.split)["return"].startswith("Split[")
    assert list(inspect.signature(page.example).parameters) in (["split"], ["split", "params"])
    assert dataclasses.is_dataclass(page.Params)
    assert not [each.name for each in dataclasses.fields(page.Params) if each.default is not dataclasses.MISSING]
    said = contract.case(page)
    assert type(said.lower_is_better) is bool
    assert said.input in (None, "latents", "prompts")
    assert isinstance(said.trusted, tuple)


@pytest.mark.parametrize("name", JUDGES)
def test_a_judge_offers_what_the_contract_says(name: str) -> None:
    assert not faults(Project(ROOT).case(name).page, contract.JudgingPage, contract.Case)


@pytest.mark.parametrize("name", labs.names())
def test_a_lab_offers_what_the_contract_says(name: str) -> None:
    page = labs.page(name)
    assert not faults(page, contract.LabPage, contract.Lab)
    said = contract.lab(page)
    takes = len(said.datasets)
    assert len(set(said.datasets) & set(datasets.names())) == takes
    for function in filter(None, (page.figures, page.checks, said.animations)):
        assert len(inspect.signature(function).parameters) == takes


def test_what_a_page_leaves_out_has_a_default() -> None:
    assert contract.case(SimpleNamespace()) == contract.Case(False, None, ())
    assert contract.lab(SimpleNamespace()) == contract.Lab((), None)
    assert contract.usual(SimpleNamespace()) == contract.Usual({}, None, None)
    assert contract.dataset(SimpleNamespace(FILES=("a",))) == contract.Dataset({"": ("a",)}, {}, {}, (), None)
    assert contract.case(SimpleNamespace(LOWER_IS_BETTER=True, INPUT="prompts")).lower_is_better
    assert contract.dataset(SimpleNamespace(FILES=("a",), read=print)).read is print


def test_a_page_that_breaks_the_contract_is_found_out() -> None:
    good = cases.page("mlp")
    page = ModuleType("toy")
    vars(page).update({key: value for key, value in vars(good).items() if key not in ("PRIMARY", "fit")})
    vars(page).update(fit=lambda data, params: None, LOWER_IS_BETER=True)
    found = faults(page, contract.NetworkPage, contract.Case)
    assert found == ["PRIMARY", "fit(data, params)", "LOWER_IS_BETER: is LOWER_IS_BETTER meant?"]


def test_pages_are_found_by_looking() -> None:
    for room, kind in ((cases, "case page"), (datasets, "dataset"), (labs, "lab")):
        assert room.names() == sorted(room.names())
        assert room.page(room.names()[0]).__name__ == f"{room.__name__}.{room.names()[0]}"
        with pytest.raises(HandbookError, match=f"no {kind} 'nowhere'; choose from {room.names()[0]}, "):
            room.page("nowhere")


def names_of_rows(part: Any) -> list[Any]:
    """What tells the rows of a part apart."""
    if isinstance(part, Table):
        return part.features.index.tolist()
    return [each.tobytes() for each in part.images]


@pytest.mark.parametrize("name", CASES)
def test_a_row_is_in_one_part_and_no_published_row_is_lost(name: str, samples: Samples) -> None:
    case = Project(ROOT).case(name)
    data = datasets.page(case.dataset).load(samples(case.dataset))
    split = case.split(data)
    parts = [part for part in (split.train, split.valid, split.test) if part is not None]
    assert all(len(part) for part in parts)
    if isinstance(split.test, Passage):
        whole = data.content.lower() if case.params.lower_case else data.content
        assert "".join(map(str, parts)) == whole
    elif split.test is split.train:  # judged by answers that it never saw
        assert names_of_rows(split.train) == names_of_rows(data)
    else:
        train, *others = (set(names_of_rows(part)) for part in parts)
        assert not train & set.union(*others)
        assert len(parts) < 3 or not others[0] & others[1]
        if not isinstance(split.test, Sprites):  # of which many do not say whose they are
            published = data.train.join(data.test) if isinstance(split.test, Pictures) else data
            assert set.union(train, *others) == set(names_of_rows(published))
    watched = getattr(case.params, "validation_share", 0)
    assert (split.valid is not None) == bool(watched)


class Untouchable:
    """A part that must not be looked at."""

    def __getattribute__(self, name: str) -> NoReturn:
        raise AssertionError(f"fit looked at split.test.{name}")

    def __len__(self) -> NoReturn:
        raise AssertionError("fit counted split.test")


@pytest.mark.parametrize("name", [*ONE_A_PAGE, "rbf_book", "char_lstm_book"])
def test_fit_never_looks_at_the_test_part(name: str, samples: Samples) -> None:
    case = brief(Project(ROOT).case(name), epochs=1)
    split = case.split(datasets.page(case.dataset).load(samples(case.dataset)))
    model = case.page.fit(dataclasses.replace(split, test=Untouchable()), case.params)
    assert isinstance(model, Fitted) or "Model" in vars(case.page)
    assert {"params", "facts", "history_", "training_"} <= set(vars(model))


@pytest.mark.parametrize(
    "name", ["mlp", "lenet", "regressors_boston", "som_applications", "char_rnn", "sprites", "gan"]
)
def test_evaluation_follows_the_test_part(name: str, fitted: Any, judged: Any) -> None:
    case, data, model = fitted(name)
    split, whole = case.split(data), judged(name)
    copied = type(split.test)(**{each.name: getattr(split.test, each.name) for each in dataclasses.fields(split.test)})
    again = case.page.evaluate(model, dataclasses.replace(split, test=copied), *judges(case, fitted))
    assert again.metrics == whole.metrics
    other, _ = split.test.halve(0.5, seed=0)
    fewer = case.page.evaluate(model, dataclasses.replace(split, test=other), *judges(case, fitted))
    assert fewer.metrics[case.page.PRIMARY] != whole.metrics[case.page.PRIMARY]


PARTS: dict[str, Callable[[Any], Any]] = {
    "bank_marketing": lambda data: data,
    "mnist": lambda data: data.train,
    "pokemon": lambda data: data.take(np.arange(50)),
    "macbeth": lambda data: Passage(np.arange(99), "x" * 99),
}


@pytest.mark.parametrize("name", PARTS)
def test_halves_joined_are_the_whole(name: str, samples: Samples) -> None:
    whole = PARTS[name](datasets.page(name).load(samples(name)))
    kept, taken = whole.halve(0.2, seed=3)
    assert (len(kept), len(taken)) == (len(whole) - round(len(whole) * 0.2), round(len(whole) * 0.2))
    both = kept.join(taken)
    if isinstance(whole, Passage):
        assert np.array_equal(both.codes, whole.codes)
    else:
        assert sorted(names_of_rows(both)) == sorted(names_of_rows(whole))
        assert (
            names_of_rows(whole.halve(0.2, seed=3)[1]) == names_of_rows(taken) != names_of_rows(kept.halve(0.2, 3)[1])
        )


@pytest.mark.parametrize("name", ["bank_marketing", "mnist"])
def test_a_row_is_new_once_and_only_if_it_was_not_known(name: str, samples: Samples) -> None:
    whole = PARTS[name](datasets.page(name).load(samples(name)))
    known, new = whole.take(np.arange(60)), whole.take(np.arange(40, 90))
    assert known.unknown(new.join(new)).tolist() == list(range(20, 50))
    assert known.unknown(known).tolist() == []


def test_the_development_rows_are_those_to_learn_from_and_to_choose_by() -> None:
    train, valid, test = (Passage(np.array([k]), "abc") for k in range(3))
    assert str(Split(train, valid, test).development) == "ab"
    assert Split(train, None, test).development is train


def test_only_the_contract_asks_a_page_what_it_offers() -> None:
    sniffed = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for room in ("src", "flows")
        for path in (ROOT / room).rglob("*.py")
        for line in path.read_text().splitlines()
        if any(
            f"{verb}({page}" in line for verb in ("getattr", "hasattr") for page in ("page", "case.page", "datasets.")
        )
    ]
    assert not sniffed

"""Hostile inputs made by a seed: no traceback, nothing wrong believed, each refusal says what, where, what to do."""

from __future__ import annotations

import itertools
import random
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from handbook.data import network
from handbook.project import Project
from handbook.registry import trained
from handbook.serving.choice import Chosen
from tests.hostile import damage, law
from tests.hostile.fetched import Archives, Mirrors
from tests.hostile.incoming import Batches, Predictions, Requests
from tests.hostile.law import Attack
from tests.hostile.records import ESTIMATOR, NETWORK, Documents, Models, Registry
from tests.hosts import Host, Server
from tests.serving import toys

MANY = {  # of each kind, in `make proof`: 5,600 in all
    "models": 600,
    "registry": 800,
    "documents": 900,
    "predictions": 1100,
    "batches": 500,
    "requests": 1200,
    "mirrors": 250,
    "archives": 250,
}
FEW = dict.fromkeys(MANY, 30) | {"models": 12, "archives": 16}  # in `make test`, 208 in all
pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def rows(fitted: Any) -> toys.Toy:
    case, data, model = fitted(ESTIMATOR)
    return case, model, case.example(case.split(data))


@pytest.fixture
def targets(  # noqa: PLR0917
    project: Project,
    placed: Callable[..., Any],
    entered: Callable[..., str],
    rows: toys.Toy,
    samples: Any,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[[str], Any]]:
    """What is attacked, by the kind of attack; made when it is asked for."""
    room = tmp_path_factory.mktemp("hostile")
    stopped = []

    def models() -> Models:
        for name in (NETWORK, ESTIMATOR):
            placed(name)
            trained.seal(project.models(name), project.reports(name))
        return Models(project)

    def registry() -> Registry:
        entered(NETWORK, 0.8)
        entered(NETWORK, 0.9)
        return Registry(project)

    def documents() -> Documents:
        placed(NETWORK)
        return Documents(project)

    def predictions() -> Predictions:
        toys_by_kind = {kind: toys.MAKERS[kind]() for kind in toys.MAKERS} | {"rows": rows}
        return Predictions(room, **{kind: chosen(*toy) for kind, toy in toys_by_kind.items()})

    def requests() -> Requests:
        toys_by_kind = {kind: toys.MAKERS[kind]() for kind in toys.MAKERS} | {"rows": rows}
        return Requests({kind: toys.application(room / kind, *toy)[0] for kind, toy in toys_by_kind.items()})

    def mirrors() -> Mirrors:
        for name in ("CONNECT_SECONDS", "ANSWER_SECONDS", "STALL_SECONDS"):
            monkeypatch.setattr(network, name, 0.5)
        server: Any = Server(("127.0.0.1", 0), Host)
        server.requested, server.answer, server.body = [], None, b""
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        stopped.append(server)
        return Mirrors(room, server, monkeypatch)

    makers: dict[str, Callable[[], Any]] = {
        "models": models,
        "registry": registry,
        "documents": documents,
        "predictions": predictions,
        "batches": lambda: Batches(room, {name: samples(name) for name in ("iris", "bank_marketing", "mnist")}),
        "requests": requests,
        "mirrors": mirrors,
        "archives": lambda: Archives(room, samples("pokemon")),
    }
    yield lambda kind: makers[kind]()
    for server in stopped:
        server.shutdown()
        server.server_close()


def chosen(case: Any, model: Any, example: Any) -> Chosen:
    return Chosen(case, model, f"{case.name} version 1", example)


def brought(target: Any, seed: int, count: int) -> str:
    """What a target does wrong with so many attacks, and a reminder that these are attacks: most are refused."""
    attacks = itertools.islice(target.attacks(random.Random(seed)), count)
    found, refused, wrong = law.account(attacks)
    assert sum(found.values()) == count
    return law.listed(wrong) or ("" if refused.total() else "nothing was refused")


@pytest.mark.parametrize("kind", MANY)
def test_a_few_hostile_inputs_of_each_kind_are_met_as_they_should(kind: str, targets: Callable[[str], Any]) -> None:
    wrong = brought(targets(kind), 1, FEW[kind])
    assert not wrong or wrong == "nothing was refused", f"\n{wrong}"


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", MANY)
def test_thousands_of_hostile_inputs_are_met_as_they_should(kind: str, targets: Callable[[str], Any]) -> None:
    wrong = brought(targets(kind), 2026, MANY[kind])
    assert not wrong, f"\n{wrong}"


def test_there_are_five_thousand_and_the_same_for_the_same_seed() -> None:
    assert sum(MANY.values()) >= 5000
    for make, content in (
        (damage.any_bytes, bytes(range(200))),
        (damage.json_file, b'{"a": [1, {"b": "c"}]}'),
        (damage.yaml_file, b"a: [1, {b: c}]\n"),
        (damage.table, b"a,b\n1,2\n3,4\n"),
    ):
        drawn = [[make(content, random.Random(seed)) for seed in range(200)] for _ in range(2)]
        assert drawn[0] == drawn[1]
        assert len({each for _, each in drawn[0]}) > 20


@pytest.mark.parametrize(
    ("bring", "fault"),
    [
        (lambda: {}["a"], "traceback: KeyError"),
        (lambda: "the wrong model", "believed: the wrong model"),
        (lambda: (_ for _ in ()).throw(law.HandbookError("x.json: it is damaged")), "without what to do"),
        (lambda: (_ for _ in ()).throw(law.HandbookError("It is damaged. Make it again")), "without where"),
        (lambda: (_ for _ in ()).throw(law.HandbookError("x.json is damaged. Make it again")), ""),
        (lambda: (_ for _ in ()).throw(OSError(28, "No space left on device", "x.json")), ""),
        (lambda: "", ""),
    ],
)
def test_the_law_finds_what_breaks_it(bring: Callable[[], str], fault: str) -> None:
    found = law.met(Attack("toy", "something", bring, where="x.json"))
    assert (fault in found.fault) and bool(found.fault) == bool(fault)
    assert (not fault) or fault.split(":", maxsplit=1)[0] in law.listed([found])

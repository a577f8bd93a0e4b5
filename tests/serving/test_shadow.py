"""The champion answers as ever, whatever becomes of what runs in its shadow: slow, gone, or wrong."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from handbook.project import Project
from handbook.registry import tracking
from handbook.serving import differences, shadow
from handbook.serving.shadow import Shadow
from tests.serving import toys
from tests.serving.test_serve import NAME, posted, started

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning", "ignore::UserWarning"
)


@pytest.fixture
def toy(tmp_path: Path) -> tuple[Any, tuple[str, bytes]]:
    """A champion, and a request that it answers."""
    case, model, pictures = toys.drawn()
    app, _ = toys.application(tmp_path, case, model, pictures)
    return app, ("application/json", json.dumps({"inputs": pictures.tolist()}).encode())


@pytest.fixture
def pair() -> Iterator[tuple[Shadow, socket.socket]]:
    """A shadow, and the end of its socket where a challenger would be."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Shadow(ours, "toy version 2"), theirs


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_challenger_that_never_answers_keeps_nobody_waiting_and_the_rest_is_passed_over(
    toy: Any, pair: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, request = toy
    shade, _ = pair
    (alone,) = toys.posted(app, request)
    answers = [toys.posted(shade.around(app), request)[0] for _ in range(shadow.ROOM + 5)]
    assert {each.content for each in answers} == {alone.content}
    assert {each.headers["content-type"] for each in answers} == {"application/json"}
    assert shade.alive
    assert shade.waiting.qsize() == shadow.ROOM
    assert shade.passed == 4  # one is in the thread's hands
    monkeypatch.setattr(shadow, "BYTES", 10)
    toys.posted(shade.around(app), request)
    assert shade.passed == 5
    text = toys.fetched(shade.around(app), "/metrics").text
    assert "handbook_shadow_passed_total 5.0" in text
    assert f"handbook_shadow_waiting {shadow.ROOM}.0" in text
    assert "handbook_requests_total" in text  # the champion's own, before them


def test_a_challenger_that_is_gone_is_reported_once_and_changes_nothing(toy: Any, pair: Any, capfd: Any) -> None:
    app, request = toy
    shade, theirs = pair
    theirs.close()
    before = toys.posted(app, request)[0].content
    assert toys.posted(shade.around(app), request)[0].content == before
    until(lambda: not shade.alive)
    for _ in range(3):
        assert toys.posted(shade.around(app), request)[0].content == before
    said = capfd.readouterr().err
    assert said.count("toy version 2, in the shadow, answers no more") == 1
    assert "handbook_shadow_up 0.0" in toys.fetched(shade.around(app), "/metrics").text
    assert shade.passed == 4


def test_what_was_answered_is_handed_on_as_it_came_and_what_was_refused_is_not(toy: Any, pair: Any) -> None:
    app, request = toy
    shade, theirs = pair
    heard: list[tuple[dict[str, Any], bytes, bytes]] = []

    def listen() -> None:
        with theirs.makefile("rb") as stream:
            sizes = json.loads(stream.readline())
            heard.append((sizes, stream.read(sizes["body"]), stream.read(sizes["answer"])))
            theirs.sendall(b'{"inputs": 3, "differ": 2, "failed": 0}\n')

    listener = threading.Thread(target=listen)
    listener.start()
    (refused,) = toys.posted(shade.around(app), ("application/json", b"{"))
    assert refused.status_code == 400
    (answer,) = toys.posted(shade.around(app), request)
    listener.join(20)
    assert heard == [
        (
            {"type": request[0], "body": len(request[1]), "answer": len(answer.content), "passed": 0},
            request[1],
            answer.content,
        )
    ]
    until(lambda: shade.counts["inputs"] == 3)
    text = toys.fetched(shade.around(app), "/metrics").text
    assert "handbook_shadow_differ_total 2.0" in text
    assert shade.held == 0


def test_other_paths_are_the_applications_own(toy: Any, pair: Any) -> None:
    app, shade = toy[0], pair[0]
    for path in ("/ping", "/openapi.json", "/no/such"):
        assert toys.fetched(shade.around(app), path).content == toys.fetched(app, path).content


def test_a_body_beyond_all_bounds_is_not_kept() -> None:
    kept = shadow._Kept()
    for _ in range(9):
        kept.take(bytes(1 << 20))
    assert not kept.whole
    assert not kept.parts


@pytest.mark.slow  # a registration, and three cold starts of torch and MLflow
def test_a_challenger_runs_beside_a_real_server_and_ends_with_it(
    project: Project, placed: Callable[..., Any], fitted: Any
) -> None:
    from handbook.errors import HandbookError
    from handbook.serving import serve

    tracking.register(project, placed(NAME, 0.9))
    with pytest.raises(HandbookError, match="is the one that answers: there is nothing to compare"):
        serve.serve(project, NAME, "127.0.0.1", 0, "", {"shadow": "challenger"})
    tracking.register(project, placed(NAME, 0.8))
    process, output = started(project, "--shadow")
    try:
        address = output.split(" is at ")[1].split(",")[0]
        body = json.dumps({"inputs": fitted(NAME)[1].test_images[:4].tolist()}).encode()
        status, _ = posted(address, body)
        assert status == 200
        metrics = address.replace("/invocations", "/metrics")

        def compared() -> bool:
            with urllib.request.urlopen(metrics) as answer:  # noqa: S310
                found = re.search(r"handbook_shadow_inputs_total (\d+)", answer.read().decode())
            time.sleep(0.2)
            return bool(found and int(found[1]) == 4)

        deadline = time.monotonic() + 120
        while not compared():
            assert time.monotonic() < deadline
    finally:
        process.terminate()
        process.wait(60)
        assert process.stdout
        process.stdout.close()
    until(lambda: not list((project.cache / "served").iterdir()))
    (both,) = differences.found(project, NAME)
    assert (both.champion, both.challenger, both.counts["inputs"], both.counts["differ"]) == (1, 2, 4, 0)

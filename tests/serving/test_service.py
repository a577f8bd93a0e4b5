"""What is served answers as MLflow's scoring server does, refuses as `predict` does, and keeps what it states."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from handbook.errors import HandbookError
from handbook.evaluation import examples
from handbook.serving import bodies, service
from handbook.serving.limits import Limits
from handbook.serving.service import Service
from tests.serving import toys

JSON = bodies.JSON
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")


@pytest.fixture(scope="session")
def toy(fitted: Any) -> Callable[[str], toys.Toy]:
    """A case that takes a kind of input, its model and an example, made once."""
    kept: dict[str, toys.Toy] = {}

    def make(kind: str) -> toys.Toy:
        if kind not in kept and kind == "rows":
            case, data, model = fitted(toys.KINDS[kind])
            kept[kind] = case, model, case.example(case.split(data))
        elif kind not in kept:
            kept[kind] = toys.MAKERS[kind]()
        return kept[kind]

    return make


@pytest.fixture
def served(toy: Callable[[str], toys.Toy], tmp_path: Path) -> Callable[..., Service]:
    return lambda kind, **limits: toys.application(tmp_path, *toy(kind), limits=limits)[0]


def forms(example: Any) -> dict[str, dict[str, Any]]:
    """The same inputs in each form that MLflow's protocol has for them."""
    if not hasattr(example, "columns"):
        return {"inputs": {"inputs": example.tolist()}, "instances": {"instances": example.tolist()}}
    split, records = example.to_dict("split"), example.to_dict("records")
    return {
        "dataframe_split": {"dataframe_split": {"columns": split["columns"], "data": split["data"]}},
        "dataframe_records": {"dataframe_records": records},
        "inputs": {"inputs": example.to_dict("list")},
        "instances": {"instances": records},
    }


def assert_alike(found: list[Any], expected: list[Any]) -> None:
    """The same answers; numbers may differ by what ONNX Runtime rounds otherwise."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one == (pytest.approx(other, abs=1e-6) if isinstance(other, dict) and "text" not in other else other)


@pytest.mark.parametrize("kind", toys.KINDS)
def test_valid_input_is_answered_in_every_form_of_json_as_mlflows_own_server_answers_it(
    kind: str, toy: Callable[[str], toys.Toy], tmp_path: Path
) -> None:
    from mlflow.pyfunc import scoring_server

    app, known = toys.application(tmp_path, *toy(kind))
    theirs = scoring_server.init(known)
    compared = 0
    for content in forms(examples.without_gaps(toy(kind)[2])).values():
        body = json.dumps(content).encode()
        (ours,), (expected,) = toys.posted(app, (JSON, body)), toys.posted(theirs, (JSON, body))
        assert ours.status_code == 200, ours.text
        if expected.status_code == 200:  # MLflow takes no `inputs` or `instances` for some signatures
            assert_alike(ours.json()["predictions"], expected.json()["predictions"])
            compared += 1
    assert compared >= 2


@pytest.mark.parametrize("kind", toys.KINDS)
def test_every_example_that_the_server_shows_is_answered(kind: str, served: Callable[..., Service]) -> None:
    app = served(kind)
    shown = [path for path in app.pages if path.startswith("/examples/")]
    assert len(shown) == len(bodies.TAKEN[kind])
    answers = {}
    for path in shown:
        example = toys.fetched(app, path)
        (answer,) = toys.posted(app, (example.headers["content-type"], example.content))
        assert answer.status_code == 200, answer.text
        answers[path] = answer.json()["predictions"]
    whole = [each for path, each in answers.items() if Path(path).stem != "picture"]
    assert all(each == whole[0] for each in whole)  # JSON, CSV, Arrow, NumPy and a form say the same


@pytest.mark.parametrize("kind", toys.KINDS)
@pytest.mark.parametrize(
    "body", [b"", b"[", b"7", b"{}", b'{"inputs": null}', b'{"inputs": "abc"}', b'{"inputs": [[true]]}', b"\xff\xfe",
             b"[" * 1_000_000, b'{"a":' * 1000, b'{"instances": [], "inputs": []}', b'{"dataframe_split": 3}',
             b'{"dataframe_records": [{"prompt": null}]}', b'{"inputs": [1e999]}', b"nan"],
)  # fmt: skip
def test_what_is_broken_is_refused_in_a_sentence_without_a_stack_trace(
    kind: str, body: bytes, served: Callable[..., Service]
) -> None:
    app = served(kind)
    for mime in (*bodies.TAKEN[kind], "text/html", "application/json; charset=latin1"):
        (answer,) = toys.posted(app, (mime, body))
        content = answer.json()
        assert answer.status_code in (400, 415), (mime, content)
        assert set(content) <= {"error_code", "message", "faults"}
        assert content["message"]
        assert "Traceback" not in answer.text
    assert b"handbook_errors_total 0.0" in app.counts.text()


def test_a_row_is_held_to_what_predict_holds_it_to_and_doubted_likewise(
    served: Callable[..., Service], toy: Callable[[str], toys.Toy]
) -> None:
    row = toy("rows")[2].to_dict("records")[0]
    app = served("rows")

    def response(**changes: Any) -> Any:
        body = json.dumps({"dataframe_records": [row, row | changes]}).encode()
        return toys.posted(app, (JSON, body))[0]

    for column, cell in (("age", 40.5), ("age", True), ("job", None), ("age", "forty"), ("balance", 1e300)):
        answer = response(**{column: cell})
        assert answer.status_code == 400
        (fault,) = answer.json()["faults"]
        assert (fault["name"], fault["column"]) == ("2", column)
    answer = response(job="astronaut").json()
    assert answer["notes"][0] == ""
    assert "astronaut" in answer["notes"][1]
    assert "notes" not in response().json()


def test_floats_of_zero_to_one_are_no_picture_and_a_light_ground_is_doubted(
    served: Callable[..., Service], toy: Callable[[str], toys.Toy]
) -> None:
    pictures, app = toy("pictures")[2], served("pictures")
    bad, doubtful = (json.dumps({"inputs": each.tolist()}).encode() for each in (pictures / 255, 255 - pictures))
    refused, noted = toys.posted(app, (JSON, bad), (JSON, doubtful))
    assert refused.status_code == 400
    assert len(refused.json()["faults"]) == 3
    assert all(noted.json()["notes"])


def test_a_prompt_of_foreign_characters_is_named_and_its_neighbours_in_other_requests_are_answered(
    served: Callable[..., Service],
) -> None:
    def body(*prompts: str) -> tuple[str, bytes]:
        return JSON, json.dumps({"inputs": {"prompt": prompts, "length": [5] * len(prompts)}}).encode()

    answers = toys.posted(served("prompts"), body("a"), body("b", "ω", "c"), body("d"), body("e", ""))
    assert [each.status_code for each in answers] == [200, 400, 200, 400]
    assert [each["name"] for each in answers[1].json()["faults"]] == ["2"]
    assert "'ω'" in answers[1].json()["message"]
    assert [each["name"] for each in answers[3].json()["faults"]] == ["2"]


def test_requests_beyond_a_limit_are_refused_with_the_limit(served: Callable[..., Service]) -> None:
    app = served("prompts", inputs=3, body=5000, length=50)
    for content, status, words in (
        ({"inputs": {"prompt": ["a"], "length": [1_000_000]}}, 413, "at most 50 characters to write"),
        ({"inputs": ["a"] * 4}, 413, "at most 3 prompts"),
        ({"inputs": ["a" * 6000]}, 413, "at most 5,000 bytes"),
    ):
        (answer,) = toys.posted(app, (JSON, json.dumps(content).encode()))
        assert answer.status_code == status
        assert words in answer.json()["message"]


def test_too_many_requests_at_a_time_are_asked_to_come_again(served: Callable[..., Service]) -> None:
    body = (JSON, json.dumps({"inputs": ["a"]}).encode())
    answers = toys.posted(served("prompts", clients=2), *[body] * 5)
    assert [each.status_code for each in answers].count(200) == 2
    late = next(each for each in answers if each.status_code == 503)
    assert late.headers["retry-after"] == "1"


def scope(**more: Any) -> dict[str, Any]:
    headers = [(b"content-type", JSON.encode()), *((k.encode(), v.encode()) for k, v in more.items())]
    return {"type": "http", "method": "POST", "path": "/invocations", "headers": headers}


async def exchange(app: Any, *messages: dict[str, Any], wait: float = 0.0) -> list[dict[str, Any]]:
    """What the application sends to a client that sends these messages, and then nothing, or leaves."""
    left, sent = list(messages), []

    async def receive() -> dict[str, Any]:
        if not left:
            await asyncio.sleep(3600)
        await asyncio.sleep(wait)
        return left.pop(0)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app(scope(), receive, send)
    return sent


def test_a_body_that_does_not_arrive_is_given_up_and_the_connection_with_it(served: Callable[..., Service]) -> None:
    app = served("prompts", sending=0.05)
    start, body = asyncio.run(exchange(app, {"type": "http.request", "body": b"{", "more_body": True}))
    assert start["status"] == 408
    assert (b"connection", b"close") in start["headers"]
    assert "0.05 s" in json.loads(body["body"])["message"]


def test_a_client_that_leaves_is_not_worked_for(served: Callable[..., Service], toy: Callable[[str], toys.Toy]) -> None:
    app, steps, begun = served("prompts"), [], threading.Event()
    network = app.chosen.model

    def seen(*_: Any) -> None:
        steps.append(1)
        begun.set()

    hook = network.register_forward_hook(seen)
    try:
        body = json.dumps({"inputs": {"prompt": ["a"], "length": [2000]}}).encode()

        async def test() -> None:
            request, leave = {"type": "http.request", "body": body}, {"type": "http.disconnect"}
            assert await exchange(app, request, leave, wait=0.02) == []
            await asyncio.to_thread(begun.wait, 30)
            while app.worker.busy:
                await asyncio.sleep(0.01)

        asyncio.run(test())
    finally:
        hook.remove()
    assert len(steps) < 2000
    assert b"handbook_clients_left_total 1.0" in app.counts.text()


def test_a_fault_of_the_server_says_so_and_no_more(
    served: Callable[..., Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = served("prompts")

    def broken(data: Any) -> Any:
        raise RuntimeError("/a/path of ours")

    monkeypatch.setattr(app.worker, "alone", broken)
    logged: list[str] = []
    # what other tests of this process have set, of levels and of who hears a log, is not asked here
    monkeypatch.setattr(logging.getLogger("uvicorn.error"), "error", lambda *_, exc_info: logged.append(str(exc_info)))
    (answer,) = toys.posted(app, (JSON, b'{"inputs": ["a"]}'))
    assert answer.status_code == 500
    assert "/a/path" not in answer.text
    assert logged == ["/a/path of ours"]
    assert b"handbook_errors_total 1.0" in app.counts.text()


def test_each_client_gets_the_answers_that_it_would_get_alone(
    served: Callable[..., Service], toy: Callable[[str], toys.Toy]
) -> None:
    app, pictures = served("pictures"), toy("pictures")[2]
    bodies_ = [(JSON, json.dumps({"inputs": pictures[k : k + 1].tolist()}).encode()) for k in (0, 1, 2)] * 5
    alone = [toys.posted(app, body)[0].json()["predictions"] for body in bodies_[:3]] * 5
    together = [each.json()["predictions"] for each in toys.posted(app, *bodies_)]
    for (one,), (other,) in zip(alone, together, strict=True):
        assert one["label"] == other["label"]
        assert one["probability"] == pytest.approx(other["probability"], rel=1e-5)


def test_what_is_counted_adds_up(served: Callable[..., Service], toy: Callable[[str], toys.Toy]) -> None:
    app, pictures = served("pictures"), toy("pictures")[2]
    good = (JSON, json.dumps({"inputs": pictures.tolist()}).encode())
    toys.posted(app, good, (JSON, b"{"), good)
    text = toys.fetched(app, "/metrics").text
    for line in (
        'handbook_requests_total{status="200"} 2.0', 'handbook_requests_total{status="400"} 1.0',
        "handbook_inputs_total 6.0", "handbook_batch_inputs_sum 6.0", 'handbook_seconds_count{part="write"} 2.0',
        'handbook_seconds_count{part="wait"} 2.0', "handbook_requests_in_progress 0.0",
        'handbook_model_info{model="lenet version 1"} 1.0',
    ):  # fmt: skip
        assert line in text


def test_other_paths_and_methods_are_answered_with_what_there_is(served: Callable[..., Service]) -> None:
    app = served("prompts")
    assert toys.fetched(app, "/ping").text == "\n"
    assert toys.fetched(app, "/health").status_code == 200
    assert toys.fetched(app, "/invocations").status_code == 405
    missing = toys.fetched(app, "/no/such")
    assert missing.status_code == 404
    assert "/metrics" in missing.json()["message"]


@pytest.mark.parametrize("kind", toys.KINDS)
def test_the_limits_that_are_kept_are_those_that_are_stated(kind: str, served: Callable[..., Service]) -> None:
    app = served(kind, body=777_777)
    stated = toys.fetched(app, "/openapi.json").json()["info"]["description"]
    page = toys.fetched(app, "/docs").text
    for text in app.limits.stated(kind).values():
        assert text in stated
        assert text in page
    assert "777,777 bytes" in stated
    assert dataclasses.replace(Limits.of(kind, {}), body=777_777) == app.limits


def test_what_is_answered_is_logged_and_a_log_that_fails_keeps_no_answer_back(
    toy: Callable[[str], toys.Toy], tmp_path: Path
) -> None:
    app, _ = toys.application(tmp_path, *toy("rows"), log=str(tmp_path / "log"), keep_inputs=True)
    example = toys.fetched(app, "/examples/rows.csv").content
    assert toys.posted(app, ("text/csv", example))[0].status_code == 200
    app.close()
    (kept,) = (tmp_path / "log" / "inputs").glob("*.csv")
    assert kept.read_bytes().replace(b";", b",") == example
    shutil.rmtree(tmp_path / "log")
    assert toys.posted(app, ("text/csv", example))[0].status_code == 200


def test_pictures_are_not_kept(toy: Callable[[str], toys.Toy], tmp_path: Path) -> None:
    with pytest.raises(HandbookError, match="inputs are kept of rows alone"):
        toys.application(tmp_path, *toy("pictures"), log=str(tmp_path / "log"), keep_inputs=True)


def test_an_answer_that_is_no_finite_number_is_none() -> None:
    answers = pd.DataFrame({"label": [1, 2], "score": [0.5, np.inf]})
    (fault,) = service.unanswered(bodies.Batch([1, 2], None, ["", ""]), service.plain(answers))
    assert fault.name == "2"
    assert "score inf" in fault.problem

"""The application that answers for one registered model over HTTP; `handbook serve` puts it behind a socket.

It is kept with each record, as all code of the handbook is, so that a model is served by the code that it was
registered with. `server.py`, which is not, hands it the model as MLflow loaded it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import time
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from handbook import contract, datasets
from handbook.errors import HandbookError
from handbook.evaluation import examples
from handbook.project import Case
from handbook.serving import bodies, description, messages, quick
from handbook.serving.batching import Job, StoppedError, Worker
from handbook.serving.bodies import Reader
from handbook.serving.choice import Chosen
from handbook.serving.counts import Counts
from handbook.serving.inputs import Batch, Fault
from handbook.serving.limits import RefusalError
from handbook.serving.log import Log
from handbook.serving.messages import JSON, PAGE, TEXT, Answer, Receive, Scope, Send
from handbook.serving.prediction import not_finite, predicted

TOGETHER = {"pictures": 128, "rows": 2048, "prompts": 16, "latents": 32}  # inputs of several requests predicted at once
LARGE = 1 << 16  # bytes of a body that is read beside the loop, so that small ones need not wait for it


def application(model: Any, place: Path, title: str, options: Mapping[str, Any]) -> Service:
    """The application for a model.

    Args:
        model: As `mlflow.pyfunc.load_model` gives it; its page and its network are taken out of it.
        place: The folder with the record's `entry.json` and `example.json`.
        title: Names the model in the description and in the metrics.
        options: `limits`, changes to `Limits`; `log`, a folder to log predictions in, and `keep_inputs`.
    """
    entry = json.loads((place / "entry.json").read_text())
    example = examples.frame_of(json.loads((place / "example.json").read_text()))
    served = model.unwrap_python_model()
    case = Case(entry["case"], served.page, entry["dataset"], {}, served.model.params)
    chosen = Chosen(case, served.model, title, example)
    reader = Reader.of(chosen, model.metadata.get_input_schema(), options.get("limits") or {})
    return Service(chosen, reader, _log(chosen, reader, options))


def _log(chosen: Chosen, reader: Reader, options: Mapping[str, Any]) -> Log | None:
    """The log that was asked for; HandbookError if it cannot be kept."""
    if not options.get("log"):
        return None
    keep = bool(options.get("keep_inputs"))
    if keep and reader.kind != "rows":
        raise HandbookError(
            f"inputs are kept of rows alone; {chosen.title} takes {reader.kind}. Leave --keep-inputs out"
        )
    page = datasets.page(chosen.case.dataset)
    return Log(Path(options["log"]), keep, contract.usual(page).separator)


class Service:
    """An ASGI application: MLflow's paths for scoring, and beside them metrics and a description."""

    def __init__(self, chosen: Chosen, reader: Reader, log: Log | None = None) -> None:
        self.chosen, self.reader, self.limits, self.log = chosen, reader, reader.limits, log
        self.answering = quick.answering(chosen)
        self.counts = Counts(chosen.title)
        self.worker = Worker(self._predict, self._alone, TOGETHER[reader.kind], chosen.model, self._count)
        self.readers = ThreadPoolExecutor(1, "read")
        self.clients = 0
        examples_ = description.examples_of(chosen.example, reader)
        described = description.openapi(chosen, reader, examples_)
        self.pages: dict[str, Callable[[], Answer]] = {
            "/ping": lambda: (200, JSON, b"\n"),
            "/health": lambda: (200, JSON, b"\n"),
            "/version": lambda: (200, JSON, description.version().encode()),
            "/metrics": lambda: (200, TEXT, self.counts.text()),
            "/openapi.json": lambda: (200, JSON, json.dumps(described).encode()),
            "/docs": lambda: (200, PAGE, description.page(described, examples_).encode()),
            **{f"/examples/{each.name}": each.answer for each in examples_},
        }

    def _predict(self, data: Any) -> list[Any]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # unknown words and numbers that grow without bound, which notes tell
            return plain(self.answering(data))

    def _alone(self, data: Any) -> list[Any]:
        """The answers to one request's inputs; RefusalError that names those which the page does not take."""
        try:
            return self._predict(data)
        except (ValueError, OverflowError) as problem:
            if len(data) == 1:
                raise bodies.refused([Fault("1", "", str(problem))]) from None
        names = [str(k + 1) for k in range(len(data))]
        raise bodies.refused(predicted(self.chosen, Batch(names, data, [""] * len(data)))[2])

    def _count(self, inputs: int, seconds: float) -> None:
        self.counts.batch.observe(inputs)
        self.counts.seconds["predict"].observe(seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; whatever goes wrong, no stack trace leaves."""
        if scope["type"] != "http":
            return
        path, method = scope["path"], scope["method"]
        if path == "/invocations" and method == "POST":
            await self._invoked(scope, receive, send)
        elif path in self.pages and method in ("GET", "HEAD"):
            await messages.answer(send, self.pages[path](), path)
        else:
            known = ", ".join([*self.pages, "/invocations (POST)"])
            status = 405 if path in (*self.pages, "/invocations") else 404
            await messages.answer(
                send, messages.refusal(RefusalError(status, f"{method} {path[:80]} is not here; there are {known}"))
            )

    async def _invoked(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read, predict and write, each part timed; at most so many requests at a time."""
        close = False
        self.clients += 1
        self.counts.working.inc()
        try:
            if self.clients > self.limits.clients:
                raise RefusalError(
                    503, f"{self.limits.clients} requests are being answered. Try again in a second", close=True
                )
            start = time.perf_counter()
            body = await messages.body(scope, receive, self.limits)
            batch = await self._batch(scope, body)
            self.counts.seconds["read"].observe(time.perf_counter() - start)
            answer = await self._answer(batch, receive)
        except (StoppedError, ConnectionError):
            self.counts.left.inc()
            return
        except Exception as problem:  # the answer says so, and the log why
            refusal = self._refused(problem)
            answer, close = messages.refusal(refusal), refusal.close
        finally:
            self.clients -= 1
            self.counts.working.dec()
        self.counts.requests.labels(answer[0]).inc()
        await messages.answer(send, answer, close=close)

    def _refused(self, problem: Exception) -> RefusalError:
        if isinstance(problem, RefusalError):
            return problem
        if isinstance(problem, HandbookError | ValueError):
            return RefusalError(400, str(problem))
        self.counts.errors.inc()
        logging.getLogger("uvicorn.error").error("a request failed", exc_info=problem)
        return RefusalError(500, "the server failed at this request; its log says why. Others are not concerned")

    async def _batch(self, scope: Scope, body: bytes) -> Batch:
        """The inputs in a body; a large one is read beside the loop."""
        mime, options = messages.content_type(messages.header(scope, b"content-type"))
        if len(body) < LARGE:
            return self.reader.read(mime, options, body)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.readers, self.reader.read, mime, options, body)

    def _note_down(self, batch: Batch, predictions: list[Any]) -> None:
        """Write them to the log, if there is one; one that cannot be written keeps no answer back, and says so once."""
        if self.log:
            try:
                self.log.write(batch, predictions)
            except OSError as error:
                logging.getLogger("uvicorn.error").error("the log of predictions ends: %s", error)
                self.log = None

    def close(self) -> None:
        """What the log has kept is made a batch; nothing is answered any more."""
        if self.log:
            self.log.close()

    async def _answer(self, batch: Batch, receive: Receive) -> Answer:
        start = time.perf_counter()
        job = Job(batch.data, time.monotonic() + self.limits.seconds, _effort(batch.data))
        watch = asyncio.create_task(messages.until_left(receive, job.leave))
        try:
            predictions = await self.worker.answers(job)
        finally:
            watch.cancel()
        finished = time.perf_counter()
        self.counts.seconds["wait"].observe(job.begun - start)
        if refused := unanswered(batch, predictions):
            raise bodies.refused(refused)
        self.counts.inputs.inc(len(batch.names))
        content: dict[str, Any] = {"predictions": predictions}
        if any(batch.notes):
            content["notes"] = batch.notes
            self.counts.doubtful.inc(sum(map(bool, batch.notes)))
        self._note_down(batch, predictions)
        written = json.dumps(content).encode()
        self.counts.seconds["write"].observe(time.perf_counter() - finished)
        return 200, JSON, written


def _effort(data: Any) -> float:
    """How long an input takes beside others: the characters of the longest text, else 1."""
    prompts, lengths = bodies.writing(data) if hasattr(data, "columns") and "prompt" in data else ([""], [1.0])
    return max(map(len, prompts)) + max(lengths)


def unanswered(batch: Batch, predictions: list[Any]) -> list[Fault]:
    """The inputs of which an answer is no finite number; looked for in what is sent, which costs the least."""
    return [
        Fault(str(name), "", not_finite(key, value))
        for name, answer in zip(batch.names, predictions, strict=True)
        if isinstance(answer, dict)
        for key, value in answer.items()
        if isinstance(value, float) and not math.isfinite(value)
    ]


def plain(answers: Any) -> list[Any]:
    """Answers as JSON has them, as MLflow's scoring server gives them: a list of objects, or of pictures."""
    if not hasattr(answers, "items"):
        return list(answers.tolist())
    columns = {str(name): column.tolist() for name, column in answers.items()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

"""Requests of many clients put together: what waits when the worker gets free is predicted at once, then taken apart.

There is no artificial delay: a request that comes alone is worked on alone. Work of a client that has left is not
begun, and what has begun ends between two steps of a network as soon as nobody waits for it any more.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from handbook.serving.limits import RefusalError

SIMILAR = 2  # requests are put together whose inputs take at most so many times as long as each other
PATIENCE = 1.0  # seconds for which shorter requests may go before a long one


class StoppedError(Exception):
    """Work that ended since nobody waits for it."""


@dataclass(eq=False)
class Job:
    """A request's inputs: an array or a table (N, ...), and until when somebody waits for the answers."""

    data: Any
    deadline: float  # of time.monotonic
    effort: float = 1.0  # how long an input takes beside others: characters of a text
    gone: bool = False  # the client
    since: float = field(default_factory=time.monotonic)
    begun: float = 0.0  # of time.perf_counter, when the worker came to it
    answer: asyncio.Future[list[Any]] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def key(self) -> Hashable:
        """What inputs must have in common to be put together."""
        if hasattr(self.data, "columns"):
            return tuple(self.data.columns), tuple(map(str, self.data.dtypes))
        return self.data.dtype.str, self.data.shape[1:]

    @property
    def wanted(self) -> bool:
        return not self.gone and time.monotonic() < self.deadline

    @property
    def turn(self) -> tuple[bool, float]:
        """By what it comes before others: that it has waited long enough, else that it is short."""
        age = time.monotonic() - self.since
        return (age < PATIENCE, -age if age >= PATIENCE else self.effort * len(self.data))

    def leave(self) -> None:
        """The client has left: nobody waits for the answers."""
        self.gone = True
        if not self.answer.done():
            self.answer.set_exception(StoppedError())


class Worker:
    """One thread that predicts what waits, a batch after another.

    Args:
        predict: A list of answers (N) to the inputs (N, ...) of several requests, an array or a table; any exception,
            if one of them is at fault. A table would have to be taken apart for each, at ten times the cost.
        alone: The same for one request; its exception is the answer to that.
        most: Inputs that are put together; a request with more is predicted alone.
        network: Where it is one, its steps are watched: it stops once nobody waits for what it makes.
        done: Called with the number of inputs and the seconds of each batch.
    """

    def __init__(
        self,
        predict: Callable[[Any], list[Any]],
        alone: Callable[[Any], list[Any]],
        most: int,
        network: Any = None,
        done: Callable[[int, float], None] = lambda *_: None,
    ) -> None:
        self.predict, self.alone, self.most, self.done = predict, alone, most, done
        self.waiting: deque[Job] = deque()
        self.running: Sequence[Job] = ()
        self.busy = False
        self.thread = ThreadPoolExecutor(1, "predict")
        if hasattr(network, "register_forward_pre_hook"):
            network.register_forward_pre_hook(lambda *_: self._check())

    def _check(self) -> None:
        """StoppedError if nobody waits for what runs; nothing runs where the network is called by somebody else."""
        if self.running and not any(job.wanted for job in self.running):
            raise StoppedError

    async def answers(self, job: Job) -> list[Any]:
        """The answers to a request's inputs. ValueError for what the model does not take, RefusalError out of time."""
        self.waiting.append(job)
        self._begin()
        try:
            async with asyncio.timeout(max(0.0, job.deadline - time.monotonic())):
                return await job.answer
        except TimeoutError:
            raise RefusalError(504, "the answer took longer than a request may take. Ask for less at a time") from None
        finally:
            job.gone = True  # whoever waited waits no more, be it that he left

    def _begin(self) -> None:
        """Start on the next batch, if nothing runs."""
        if self.busy or not (batch := self._next()):
            return
        self.busy = True
        running = asyncio.get_running_loop().run_in_executor(self.thread, self._work, batch)
        running.add_done_callback(lambda ended: self._end(batch, ended))

    def _next(self) -> list[Job]:
        """The requests that are put together next: the one whose turn it is, and those like it."""
        left = sorted((job for job in self.waiting if job.wanted), key=lambda job: job.turn)
        batch: list[Job] = []
        count = 0
        for job in left:
            first = batch[0] if batch else job
            alike = job.key == first.key and first.effort / SIMILAR <= job.effort <= first.effort * SIMILAR
            if not batch or (alike and count + len(job.data) <= self.most):
                batch.append(job)
                count += len(job.data)
            if count >= self.most:
                break
        chosen = set(map(id, batch))
        self.waiting = deque(job for job in left if id(job) not in chosen)
        return batch

    def _work(self, batch: list[Job]) -> list[Any]:
        """The answers of each request, or the exception that it alone has met with. Runs in the thread."""
        if len(batch) > 1:
            try:
                return list(_apart(self._run(batch), batch))
            except StoppedError:
                return [StoppedError()] * len(batch)
            except Exception:  # noqa: S110 (one of them is at fault: each by itself, which says whose it is)
                pass
        found: list[Any] = []
        for job in batch:
            try:
                found.append(self._run([job]) if job.wanted else StoppedError())
            except Exception as error:  # whatever it is, it is the answer to this request alone
                found.append(error)
        return found

    def _run(self, batch: list[Job]) -> list[Any]:
        start = time.perf_counter()
        for job in batch:
            job.begun = start
        with self._watched(batch):
            answers = (
                self.predict(_together([job.data for job in batch])) if len(batch) > 1 else self.alone(batch[0].data)
            )
        self.done(sum(len(job.data) for job in batch), time.perf_counter() - start)
        return answers

    @contextmanager
    def _watched(self, batch: list[Job]) -> Iterator[None]:
        self.running = batch
        try:
            yield
        finally:
            self.running = ()

    def _end(self, batch: list[Job], ended: asyncio.Future[list[Any]]) -> None:
        """Hand out the answers, and go on."""
        self.busy = False
        failure = ended.exception()
        for job, answer in zip(batch, [failure] * len(batch) if failure else ended.result(), strict=True):
            if job.answer.done():
                continue
            if isinstance(answer, BaseException):
                job.answer.set_exception(answer)
                job.answer.exception()  # looked at: of one whose client left nobody asks
            else:
                job.answer.set_result(answer)
        self._begin()


def _together(parts: list[Any]) -> Any:
    if len(parts) == 1:
        return parts[0]
    if hasattr(parts[0], "columns"):
        import pandas as pd

        return pd.concat(parts, ignore_index=True)
    return np.concatenate(parts)


def _apart(answers: list[Any], batch: list[Job]) -> Iterator[list[Any]]:
    """Each request's own answers."""
    start = 0
    for job in batch:
        end = start + len(job.data)
        yield answers[start:end]
        start = end

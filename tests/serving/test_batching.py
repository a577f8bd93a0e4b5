"""Requests put together: each gets its own answers, however many others are predicted with it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from handbook.serving.batching import Job, StoppedError, Worker
from handbook.serving.limits import RefusalError


def doubled(values: Any) -> list[Any]:
    if (values == 13).any():
        raise ValueError("13 is at fault")
    return list((values * 2).tolist())


def within(seconds: float = 30.0) -> float:
    return time.monotonic() + seconds


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(test())


def held(predict: Callable[[Any], Any]) -> tuple[Callable[[Any], Any], threading.Event, list[int]]:
    """A `predict` that waits to be let go, and the sizes of what it was called with."""
    go, sizes = threading.Event(), []

    def slow(values: Any) -> Any:
        sizes.append(len(values))
        assert go.wait(30)
        return predict(values)

    return slow, go, sizes


def test_what_waits_while_the_worker_is_busy_is_predicted_at_once_and_each_gets_its_own() -> None:
    async def test() -> None:
        slow, go, sizes = held(doubled)
        worker = Worker(slow, slow, most=8)
        jobs = [Job(np.arange(k, k + 2), within()) for k in range(0, 12, 2)]
        tasks = [asyncio.create_task(worker.answers(job)) for job in jobs]
        await asyncio.sleep(0)
        go.set()
        for job, answers in zip(jobs, await asyncio.gather(*tasks), strict=True):
            assert answers == (job.data * 2).tolist()
        assert sizes == [2, 8, 2]  # alone, since nothing waited; then no more than 8; then the rest

    run(test)


def test_each_gets_the_answers_to_its_own_rows_and_tables_of_other_columns_stay_apart() -> None:
    async def test() -> None:
        slow, go, sizes = held(lambda table: (table.iloc[:, 0] * 2).tolist())
        worker = Worker(slow, slow, most=8)
        jobs = [Job(pd.DataFrame({name: [k, k + 1]}), within()) for k, name in enumerate(["a", "a", "b", "a"])]
        tasks = [asyncio.create_task(worker.answers(job)) for job in jobs]
        await asyncio.sleep(0)
        go.set()
        for job, answers in zip(jobs, await asyncio.gather(*tasks), strict=True):
            assert answers == (job.data.iloc[:, 0] * 2).tolist()
        assert sorted(sizes) == [2, 2, 4]

    run(test)


def test_a_fault_of_one_request_is_its_own() -> None:
    async def test() -> None:
        slow, go, _ = held(doubled)
        worker = Worker(slow, slow, most=100)
        jobs = [Job(np.array([k]), within()) for k in (1, 2, 13, 4)]
        tasks = [asyncio.create_task(worker.answers(job)) for job in jobs]
        await asyncio.sleep(0)
        go.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [str(each) for each in found] == ["[2]", "[4]", "13 is at fault", "[8]"]

    run(test)


def test_work_of_a_client_that_left_is_not_begun() -> None:
    async def test() -> None:
        slow, go, sizes = held(doubled)
        worker = Worker(slow, slow, most=100)
        jobs = [Job(np.arange(k), within()) for k in (1, 2, 3)]
        tasks = [asyncio.create_task(worker.answers(job)) for job in jobs]
        await asyncio.sleep(0)
        jobs[1].leave()
        with pytest.raises(StoppedError):
            await tasks[1]
        go.set()
        assert len(await tasks[2]) == 3
        assert sizes == [1, 3]

    run(test)


class Endless(torch.nn.Module):
    """A network that is asked for the next step until it is stopped, and says once it has begun."""

    def __init__(self) -> None:
        super().__init__()
        self.steps, self.begun = 0, threading.Event()

    def forward(self, text: torch.Tensor) -> torch.Tensor:
        self.steps += 1
        self.begun.set()
        return text


def endless() -> tuple[Endless, Worker]:
    network = Endless()

    def write(values: Any) -> Any:
        while values[0] == 0 or network.steps < 3:
            network(torch.zeros(1))
            time.sleep(0.001)
        return values

    return network, Worker(write, write, 100, network)


@pytest.mark.parametrize("how", ["left", "late"])
def test_work_ends_between_two_steps_once_nobody_waits_for_it_and_the_next_is_served(how: str) -> None:
    async def test() -> None:
        network, worker = endless()
        job = Job(np.zeros(1), within(30 if how == "left" else 0.1))
        task = asyncio.create_task(worker.answers(job))
        await asyncio.to_thread(network.begun.wait, 30)
        if how == "left":
            job.leave()
        with pytest.raises(StoppedError if how == "left" else RefusalError):
            await task
        assert (await worker.answers(Job(np.ones(1), within(10)))).tolist() == [1]

    run(test)


def test_a_network_that_somebody_else_calls_is_not_stopped() -> None:
    async def test() -> None:
        network, _ = endless()
        assert network(torch.zeros(1)).tolist() == [0]

    run(test)


def test_a_short_text_goes_before_long_ones_and_not_beside_them_but_none_waits_for_ever() -> None:
    async def test() -> None:
        slow, go, sizes = held(doubled)
        worker = Worker(slow, slow, most=100)
        first, long, short = (Job(np.ones(n), within(), effort) for n, effort in ((1, 1), (2, 900), (3, 60)))
        tasks = [asyncio.create_task(worker.answers(job)) for job in (first, long, short)]
        await asyncio.sleep(0)
        go.set()
        await asyncio.gather(*tasks)
        assert sizes == [1, 3, 2]
        old = Job(np.ones(1), within(), 900, since=time.monotonic() - 5)
        assert min((short, old), key=lambda job: job.turn) is old

    run(test)

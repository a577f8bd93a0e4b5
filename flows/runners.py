"""Where the tasks of a flow run: threads of its own process, or the workers of a Dask or a Ray cluster.

Threads share one `Machine`, whose semaphores say how many train at a time. Workers share nothing, so there the cluster
itself is informed: it has `at_once` places for heavy stages and some for light ones, and a stage asks for one of them.
Dask gives a place to a stage that can begin. Ray gives it to one that may still wait for others, which would wait for
ever if they needed a place of the same kind; so there each verb has places of its own, and an evaluation may run beside
a training.
"""

from __future__ import annotations

import os
import sys
from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from importlib.util import find_spec
from typing import Any, Literal

from prefect import Task, allow_failure
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.futures import PrefectFuture

from flows.machine import gpus
from flows.stages import HEAVY
from handbook.errors import HandbookError, unknown
from handbook.startup.cores import available_cores

Name = Literal["threads", "dask", "ray"]
NAMES = ("threads", "dask", "ray")
# Every task of flows.tasks: Ray gives each verb a place, and a task that asks for another would wait for ever.
VERBS = ("sources", "validate", "train", "evaluate", "register", "registered", "lab", "report")
GPU = "gpu"  # the tag of tasks that use the accelerator; Prefect lets one of them run at a time
Place = Callable[[str], AbstractContextManager[Any]]  # a verb -> what its task is submitted inside of

_place: ContextVar[Place | None] = ContextVar("place", default=None)


class Despite(namedtuple("Despite", "value"), allow_failure):  # type: ignore[misc]
    """`allow_failure` around a future that is waited for, whether it fails or not, in a form that Dask hands on.

    Of a tuple around its futures Dask makes a plain one, unless it is a named one (dask._task_spec.parse_input): by the
    bare annotation one case that failed kept all others from the registry.
    """

    __slots__ = ()


def submit(task: Task[Any, Any], name: str = "", after: Sequence[Any] = ()) -> PrefectFuture[Any]:
    """Hand a verb's task to the flow's runner, to run after others; heavy ones ask for their place."""
    heavy = task.name in HEAVY
    tagged = task.with_options(tags={GPU}) if heavy and gpus() else task
    place = _place.get() or (lambda _: nullcontext())
    with place(task.name):
        return tagged.submit(*([name] if name else []), wait_for=list(after), return_state=False)


@contextmanager
def using(name: str, at_once: int, cluster: str | None = None) -> Iterator[None]:
    """The flow around us hands its tasks to this runner.

    Args:
        name: `threads`, `dask` or `ray`.
        at_once: Heavy stages at a time, on a cluster that is started here.
        cluster: Address of a running cluster; None starts one on this machine, which ends with the block.
    """
    if name not in NAMES:
        raise unknown("runner", name, NAMES)
    if gpus():
        _one_at_a_time()
    if name == "threads":
        if cluster:
            raise HandbookError(f"cluster {cluster}: threads need none. Choose runner dask or ray")
        yield
        return
    needed(name)
    runner, place = (_dask if name == "dask" else _ray)(at_once, cluster)
    around = FlowRunContext.get()
    assert around is not None  # a flow calls us
    before = _place.set(place)
    try:
        with runner as started, around.model_copy(update={"task_runner": started}):
            yield
    finally:
        _place.reset(before)


def needed(name: str) -> None:
    """HandbookError if the package that a runner needs is not there."""
    if name != "threads" and find_spec(f"prefect_{name}") is None:
        raise HandbookError(f"runner {name} needs the package prefect-{name}. Install it: pip install -e '.[{name}]'")


def _dask(at_once: int, cluster: str | None) -> tuple[Any, Place]:
    """A worker process for each heavy stage, and one for light ones.

    Dask gives a stage to the worker that ran what it waited for, and there it queues. Were that worker one for heavy
    stages too, all cases of a dataset would train on it, one after the other, and the other workers idle.
    """
    import dask
    from prefect_dask import DaskTaskRunner

    if cluster:
        _tell_of_open(cluster)
        runner = DaskTaskRunner(address=cluster)
    else:
        from distributed.security import Security

        # Whoever reaches a scheduler can run code in it, and loopback is every user's of the machine: keys that are
        # made for this run alone, and never written down, keep them out.
        security = Security.temporary()
        closed = {"host": "127.0.0.1", "protocol": "tls://", "security": security}
        places = [{"heavy": 1}] * at_once + [{"light": available_cores()}]
        workers = {number: _dask_worker(each, closed) for number, each in enumerate(places)}
        scheduler = {"cls": "distributed.Scheduler", "options": closed | {"dashboard": False}}
        local = {"workers": workers, "scheduler": scheduler, "security": security}
        runner = DaskTaskRunner(cluster_class="distributed.SpecCluster", cluster_kwargs=local)

    def place(verb: str) -> AbstractContextManager[Any]:
        resources: AbstractContextManager[Any] = dask.annotate(resources={"heavy" if verb in HEAVY else "light": 1})
        return resources

    return runner, place


def _dask_worker(places: dict[str, int], closed: dict[str, Any]) -> dict[str, Any]:
    """A process with so many places, and a thread for each."""
    options = closed | {"nthreads": sum(places.values()), "resources": places}
    return {"cls": "distributed.Nanny", "options": options}


def _tell_of_open(cluster: str) -> None:
    """Say so of a scheduler that lets everybody in."""
    if not cluster.startswith("tls://"):
        print(
            f"{cluster} has no TLS: whoever reaches it can run code there and here. docs/many-machines.md says how to "
            "close it",
            file=sys.stderr,
        )


def _ray(at_once: int, cluster: str | None) -> tuple[Any, Place]:
    """A place for each light verb, and `at_once` for each heavy one."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    from prefect_ray import RayTaskRunner
    from prefect_ray.context import remote_options

    local = {
        "num_cpus": available_cores(),
        "resources": {verb: at_once if verb in HEAVY else 1 for verb in VERBS},
        "include_dashboard": False,
    }
    runner = RayTaskRunner(address=cluster) if cluster else RayTaskRunner(init_kwargs=local)

    def place(verb: str) -> AbstractContextManager[Any]:
        options: AbstractContextManager[Any] = remote_options(num_cpus=0, resources={verb: 1}, max_retries=0)
        return options

    return runner, place


def _one_at_a_time() -> None:
    """Prefect's own limit on the tag, wherever the tasks run; one that a person has set is left as it is."""
    from prefect.exceptions import ObjectNotFound

    with get_client(sync_client=True) as client:
        try:
            client.read_concurrency_limit_by_tag(GPU)
        except ObjectNotFound:
            client.create_concurrency_limit(GPU, 1)

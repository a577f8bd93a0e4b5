"""python -m flows [CASE]: the whole handbook, or one case, through Prefect. What `make repro` runs."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from flows import servers
from flows.processes import interruptible
from flows.stages import SHARE
from handbook.errors import HandbookError, sentence, unknown
from handbook.files import locks
from handbook.files.formats import write_text
from handbook.project import SAMPLES, Project
from handbook.startup import encoding

WRONG_COMMAND_LINE, INTERRUPTED = 2, 130  # as argparse and a shell have it


def main() -> int:
    """The exit code: 0 all up to date, 1 something failed, 2 a wrong command line, 130 interrupted."""
    encoding.in_utf8()
    arguments = parser().parse_args()
    try:
        project = Project.here()
        if arguments.case and arguments.case not in project.cases():
            print(f"error: {unknown('case', arguments.case, project.cases())}", file=sys.stderr)
            return WRONG_COMMAND_LINE
        with interruptible(), one_at_a_time(project), servers.prefect_api(project.root) as api:
            os.environ.update(servers.environment(project.root) | api | ({SHARE: "1"} if arguments.share else {}))
            return run(arguments)
    except KeyboardInterrupt:
        print("interrupted; run again to go on", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        print(f"error: {sentence(error)}", file=sys.stderr)
        return 1


@contextmanager
def one_at_a_time(project: Project) -> Iterator[None]:
    """Of several in one checkout each waits for the one before, and says so: their stages need the same files."""
    lock, note = project.cache / "flow.lock", project.cache / "flow.txt"
    with ExitStack() as stack:
        try:
            stack.enter_context(locks.alone(lock, busy="held"))
        except HandbookError:
            who = note.read_text().strip() if note.exists() else "another"
            print(
                f"{who} is at work in {project.root}; this one begins when that has ended", file=sys.stderr, flush=True
            )
            stack.enter_context(locks.alone(lock))
        write_text(note, f"python -m flows, process {os.getpid()} since {time.strftime('%H:%M:%S')},\n")
        yield


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="flows", description=__doc__)
    top.add_argument("case", nargs="?", metavar="CASE", help="one case of params.yaml; default: all, and the report")
    top.add_argument(
        "--at-once", type=positive, metavar="N", help="trainers at a time (default: one a core, one on a GPU)"
    )
    top.add_argument("--runner", choices=("threads", "dask", "ray"), default="threads", help="where stages run")
    top.add_argument("--cluster", metavar="ADDRESS", help="of a Dask or Ray cluster; default: one is started here")
    shared = "other clones work on the same stages: take what they made from the DVC remote, and give them what is made"
    top.add_argument("--share", action="store_true", help=shared)
    return top


def positive(text: str) -> int:
    """A whole number from 1 up."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is too few; the least is 1")
    return number


def run(arguments: argparse.Namespace) -> int:
    """Run a flow against the server that the environment names, and print how its stages ended."""
    # Prefect reads its settings when it is imported, so not before the environment says where the server is
    from flows.case_study import case_study
    from flows.everything import everything
    from flows.verdict import table

    try:
        state: Any = (
            case_study(arguments.case, return_state=True)
            if arguments.case
            else everything(arguments.at_once, arguments.runner, arguments.cluster, return_state=True)
        )
    finally:
        tell_the_rest()
    rows = state.result(raise_on_failure=False)
    print(
        f"\n{table(rows)}\n\n{state.message}\n{what_to_look_at()}"
        if isinstance(rows, list)
        else f"error: {state.message}"
    )
    return 0 if state.is_completed() else 1


def what_to_look_at() -> str:
    """Where the report lies, and how the rest is looked at; how to use what was made from samples."""
    project = Project.here()
    lines = (
        [f"The report: {project.root / 'reports' / 'index.html'}"]
        if (project.root / "reports" / "index.html").exists()
        else []
    )
    lines.append("This run, models, experiments and Data Docs: make ui")
    if project.of_samples:
        lines.append(f"All of it was made from samples and is no result. Its models are used from there: cd {SAMPLES}")
    return "\n".join(lines)


def tell_the_rest() -> None:
    """Send what Prefect still holds back, logs and events: its server may be gone when the process ends."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    APILogWorker.drain_all(timeout=5)
    EventsWorker.drain_all(timeout=5)


if __name__ == "__main__":
    sys.exit(main())

"""python -m flows.ui: Prefect, MLflow, the report and Data Docs on loopback, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from flows import passwords, servers
from flows.entrance import link
from flows.passwords import AUTH, SERVER_AUTH
from flows.processes import interruptible
from flows.servers import Server
from handbook.errors import HandbookError, sentence
from handbook.project import Project
from handbook.registry import connection

PORTS = {"prefect": 4200, "mlflow": 5000, "reports": 8000}
SERVING = "polling for scheduled runs"  # what Prefect says once its deployments are known to the server


def main() -> int:
    """The exit code: 0 stopped by Ctrl-C or SIGTERM, 1 something did not start or ended by itself."""
    ports = vars(parser().parse_args())
    try:
        with interruptible(), everything(Project.here().root, ports) as running:
            watch(running)
    except KeyboardInterrupt:
        print("stopped")
    except Exception as error:
        print(f"error: {sentence(error)}\nThe others were stopped", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line: a port each."""
    top = argparse.ArgumentParser(prog="flows.ui", description=__doc__)
    for name, port in PORTS.items():
        text = f"default: {port}; taken, the next free one"
        top.add_argument(f"--{name}", type=int, default=port, metavar="PORT", help=text)
    return top


def watch(running: list[Server]) -> None:
    """Until one of them ends by itself, which is an error."""
    while True:
        time.sleep(0.5)
        for server in running:
            servers.refuse_dead(server)


@contextmanager
def everything(root: Path, ports: dict[str, int]) -> Iterator[list[Server]]:
    """All servers, each ready; ended with the block, the last started first."""
    with ExitStack() as stack:
        prefect = stack.enter_context(servers.prefect(root, ports["prefect"]))
        reports = stack.enter_context(files(root, ports["reports"]))
        mlflow = stack.enter_context(registry(root, ports["mlflow"]))
        for server in (prefect, reports, mlflow):
            servers.wait(server)
        env = {
            servers.API: f"{prefect.address}/api",
            servers.MLFLOW: mlflow.address,
            servers.REPORTS: reports.address,
        }
        deployments = stack.enter_context(runner(root, env | {AUTH: servers.password(root)}))
        servers.wait(deployments)
        stack.enter_context(servers.noted(root, env))
        print(addresses(root, prefect, mlflow, reports, ports), flush=True)
        yield [prefect, mlflow, reports, deployments]


@contextmanager
def files(root: Path, first: int) -> Iterator[Server]:
    """reports/ as a web site: the report, and Data Docs below it."""
    (root / "reports").mkdir(exist_ok=True)
    with servers.pages(root, "reports", first, ["--directory", str(root / "reports")], env={}) as server:
        yield server


@contextmanager
def registry(root: Path, first: int) -> Iterator[Server]:
    """MLflow's pages over its database, created or brought up to date first."""
    mlruns = root / "mlruns"
    mlruns.mkdir(exist_ok=True)
    database = connection.uri(Project(root))
    if database.startswith("http"):
        raise HandbookError(
            f"MLFLOW_TRACKING_URI names a server, {database}: its pages are there, and runs would go there.\n"
            "Unset it for a database of the project's own, or name a database: postgresql+psycopg2://USER@HOST/NAME"
        )
    upgrading = servers.running(root, "mlflow-upgrade", ["mlflow", "db", "upgrade", database], umask=servers.OWNER_ONLY)
    with upgrading as upgrade:
        servers.finish(upgrade)
    # runs keep their artifacts as files of this machine, so the server need not pass any through
    module = ["--artifacts", str(mlruns / "artifacts")]
    with servers.pages(root, "mlflow", first, module, env={"MLFLOW_BACKEND_STORE_URI": database}) as server:
        yield server


@contextmanager
def runner(root: Path, env: dict[str, str]) -> Iterator[Server]:
    """The process that offers the deployments, and runs what is started in Prefect's pages."""
    log = servers.log_of(root, "deployments")

    def serving() -> bool:
        return SERVING in log.read_text(errors="replace")

    with servers.running(root, "deployments", ["flows.deployments"], ready=serving, env=env) as server:
        yield server


def addresses(root: Path, prefect: Server, mlflow: Server, reports: Server, ports: dict[str, int]) -> str:
    """What runs where, for a person to click on; says which ports were taken, and how commands get in."""
    pages = [
        ("Prefect", entrance(root, prefect), "runs, artifacts, deployments"),
        ("MLflow", mlflow.address, "experiments, models"),
        ("Report", f"{reports.address}/index.html", "every case beside the book"),
        ("Service", f"{reports.address}/monitor/index.html", "what came in since training, case by case"),
        ("Data Docs", f"{reports.address}/data_docs/index.html", "what the data were checked for"),
    ]
    lines = [f"{name:9}  {address:45}  {what}" for name, address, what in pages]
    for server in (prefect, mlflow, reports):
        port = ports[server.name]
        if port and servers.port_of(server.address) != str(port):  # 0 asked for any
            lines.append(f"port {port} is taken: {server.name} is at {servers.port_of(server.address)}")
    return "\n".join([*lines, *commands(root, prefect), f"logs: {servers.log_of(root, '*')}", "Ctrl-C stops all"])


def entrance(root: Path, prefect: Server) -> str:
    """A link that lets in, with the password that was made here; a person's own is not printed."""
    return prefect.address if _persons_own() else link(prefect.address, servers.password(root))


def commands(root: Path, prefect: Server) -> list[str]:
    """What a person types so that `prefect` in another terminal reaches the server, the password unseen."""
    file = passwords.place(servers.home(root))
    if _persons_own():
        return [f"Prefect asks for the password that {SERVER_AUTH} or {AUTH} named"]
    return [
        f"Prefect's link holds its password, kept in {file}. For its commands:",
        f'  export {servers.API}={prefect.address}/api {AUTH}="$(cat {shlex.quote(str(file))})"',
    ]


def _persons_own() -> bool:
    return bool(os.environ.get(SERVER_AUTH) or os.environ.get(AUTH))


if __name__ == "__main__":
    sys.exit(main())

"""What `make ui` has started, for tests to ask and to attack."""

from __future__ import annotations

import base64
import os
import re
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from flows import servers
from flows.passwords import AUTH, SERVER_AUTH

ROOT = Path(__file__).parents[2]
# A request, all with one TLS context: to make one takes longer than a request.
send = partial(httpx.request, verify=ssl.create_default_context())


@dataclass(frozen=True)
class Open:
    """Where its servers are, what it printed, and the password that it made."""

    root: Path
    output: str
    prefect: str
    mlflow: str
    reports: str
    password: str

    def key(self, password: str = "") -> dict[str, str]:
        return {"Authorization": "Basic " + base64.b64encode((password or self.password).encode()).decode()}

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """As Prefect's own clients do: with the password, and with a token against forged requests."""
        known = self.key() | {"Prefect-Csrf-Client": "test"}
        token = send("GET", f"{self.prefect}/api/csrf-token?client=test", headers=known).json()["token"]
        known |= {"Prefect-Csrf-Token": token} | headers
        return send(method, f"{self.prefect}/api{path}", json=body, headers=known, timeout=30)

    @property
    def link(self) -> str:
        return f"{self.prefect}/enter#{self.password}"

    def deployment(self) -> dict[str, Any]:
        """The one that is attacked."""
        found: dict[str, Any] = self.ask("GET", "/deployments/name/case-study/case-study").json()
        return found

    def forget_runs(self) -> None:
        """As if no flow had run: an attack that starts one is found by their number."""
        for each in self.ask("POST", "/flow_runs/filter", {}).json():
            self.ask("DELETE", f"/flow_runs/{each['id']}")

    def untouched(self) -> None:
        """Nothing of what an attack wants has come to be: another deployment, a run, an experiment."""
        assert self.deployment()["description"] != "owned"
        assert self.ask("POST", "/flow_runs/count", {}).json() == 0
        found = send("GET", f"{self.mlflow}/api/2.0/mlflow/experiments/search?max_results=9").json()
        assert [each["name"] for each in found["experiments"]] == ["Default"]
        assert not (self.root / "owned").exists()


def clean(root: Path) -> dict[str, str]:
    """The environment of a person who has set nothing, around the checkout at `root`."""
    # MLflow leaves the address that it last used in the environment of the tests
    own = (AUTH, SERVER_AUTH, servers.API, "MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI")
    env = {name: text for name, text in os.environ.items() if name not in own}
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    site = str(root / ".dvc" / "site")
    return env | {"PREFECT_HOME": str(root / ".prefect"), "DVC_SITE_CACHE_DIR": site, "PYTHONPATH": path}


@contextmanager
def opened(root: Path) -> Iterator[Open]:
    """`make ui` around a toy checkout, on free ports, until the block ends."""
    command = [sys.executable, "-m", "flows.ui", "--prefect", "0", "--mlflow", "0", "--reports", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=clean(root), cwd=root) as process:
        assert process.stdout is not None
        output = ""
        while "Ctrl-C" not in output:
            line = process.stdout.readline()
            assert line, f"it ended before it was up: {output}"
            output += line
        at = dict(re.findall(r"^(Prefect|MLflow|Report) +(\S+)", output, re.MULTILINE))
        prefect, password = at["Prefect"].split("/enter#")
        yield Open(root, output, prefect, at["MLflow"], at["Report"].rsplit("/", 1)[0], password)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0

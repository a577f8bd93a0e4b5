"""What a command did to a case, sent to Prefect where a server of it is configured.

The package knows no scheduler, so the flows' own command tells it; without a server nothing is started.
"""

from __future__ import annotations

import os
import subprocess
import sys

from handbook.project import Project

PATIENCE = 60.0  # seconds that a server has to listen; the command is done already


def tell(project: Project, what: str, name: str) -> None:
    """Let the server know; a note on stderr if it does not hear, which changes nothing of what was done."""
    if not (os.environ.get("PREFECT_API_URL") or (project.cache / "ui" / "servers.json").exists()):
        return
    command = [sys.executable, "-m", "flows.events", what, name]
    try:
        done = subprocess.run(
            command, cwd=project.root, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE,
            check=False,
        )  # fmt: skip
        fault = done.stderr.strip() if done.returncode else ""
    except (OSError, subprocess.TimeoutExpired) as error:
        fault = str(error)
    if fault:
        print(f"note: it is done, but Prefect has not heard of it: {fault}", file=sys.stderr)

"""python -m flows.supervisor COMMAND...: run a command that must not outlive whoever holds the other end of our input.

A stage runs in a process group of its own, so that DVC can put its locks in order while its command is ended. When the
process that started it is killed, nobody is left to end that group; the pipe that closes with it tells us to.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

from flows.processes import stop, undisturbed

GRACE = 5.0  # seconds a stage has to end before it is killed, as in flows.machine


def main() -> int:
    """The command's exit code; that of a command that was ended if our input ends first."""
    with undisturbed():
        process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
        for number in (signal.SIGINT, signal.SIGTERM):  # meant for the command, which is in a group of its own
            signal.signal(number, lambda received, _: os.killpg(process.pid, received))
    threading.Thread(target=_watch, args=(process,), daemon=True).start()
    return abs(process.wait())


def _watch(process: subprocess.Popen[bytes]) -> None:
    """Until the pipe closes. Read without a buffer, whose lock would still be held when Python ends."""
    while os.read(0, 1024):
        pass
    stop(process, ask=signal.SIGINT, grace=GRACE)


if __name__ == "__main__":
    sys.exit(main())

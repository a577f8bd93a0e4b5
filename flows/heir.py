"""python heir.py GRACE: end the process groups that were entrusted to us when whoever entrusted them is gone.

Servers and stages run in process groups of their own, so that they are ended in order. When the process that started
them is killed, nobody is left to do that; the pipe that closes with it tells us to. It says `+NUMBER SIGNAL` of a group
that starts and `-NUMBER` of one that has ended. The standard library alone: nothing here may fail to load.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time


def main() -> int:
    """0, once nobody is left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # whoever ends those who entrusted us ends us last
        signal.signal(number, signal.SIG_IGN)
    entrusted: dict[int, int] = {}
    for line in sys.stdin:
        group, _, ask = line[1:].partition(" ")
        if line.startswith("+"):
            entrusted[int(group)] = int(ask)
        else:
            entrusted.pop(int(group), None)
    end(entrusted, float(sys.argv[1]))
    return 0


def end(groups: dict[int, int], grace: float) -> None:
    """Ask each of these groups by its signal; what is left after `grace` seconds is killed."""
    for group, ask in groups.items():
        _signal(group, ask)
    deadline = time.monotonic() + grace
    while time.monotonic() < deadline and any(_signal(group, 0) for group in groups):
        time.sleep(0.1)
    for group in groups:
        _signal(group, signal.SIGKILL)


def _signal(group: int, number: int) -> bool:
    """Send it; whether there is such a group."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())

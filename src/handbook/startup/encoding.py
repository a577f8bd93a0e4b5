"""Every text file of the handbook is UTF-8, whatever the locale says."""

from __future__ import annotations

import codecs
import locale
import os
import sys


def in_utf8() -> None:
    """Start this command again in Python's UTF-8 mode where the locale has another encoding.

    make exports the same variable; this is for who types the command. Python 3.15 has UTF-8 without it.
    """
    if codecs.lookup(locale.getencoding()).name != "utf-8" and not sys.flags.utf8_mode:
        os.environ["PYTHONUTF8"] = "1"  # also for what this process starts
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606  # the same command, no shell

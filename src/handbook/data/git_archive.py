"""Files of one commit of a public git repository, written as a zip: the same commit, the same bytes.

Fetched are the commit, its folders and the wanted files, nothing else of the history. Nothing is checked out: what a
tree holds is looked up by names that are pinned here, so no path in it is followed. Git runs without hooks, without the
user's settings and logins, and speaks only as the address does.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from handbook.data.downloads import bar
from handbook.data.network import Network, RefusedError, said
from handbook.errors import HandbookError

FETCH_SECONDS = 3600.0
STALL_SECONDS = 60  # in which not a byte comes
LARGEST = 1 << 20  # bytes of a file
KEPT = ("PATH", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "TMPDIR", "SYSTEMROOT")
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
FILE = re.compile(rb"(\d+) (\w+) ([0-9a-f]{40,64})\t(.*)", re.DOTALL)  # what ls-tree says of one
RECEIVED = re.compile(rb"Receiving objects: +\d+% \((\d+)/(\d+)\)")


@dataclass(frozen=True)
class Selection:
    """Files of a commit: in the repository they lie in `folder`, in the zip in `prefix`, dated and sorted by name.

    `names` is a file that lists them: a folder a line, and under it, indented, what stands in it: `7` for 7.png,
    `1..9` for nine of them, `201-a,b` for 201-a.png and 201-b.png, any other word for itself.
    """

    repository: str
    commit: str
    folder: str
    prefix: str
    names: Path
    date: tuple[int, int, int]

    @property
    def where(self) -> str:
        return f"{self.repository} at commit {self.commit[:12]}"

    def bring(self, part: Path, network: Network) -> None:
        """Fetch and write the zip; a HandbookError says what git said, or which file the commit lacks."""
        if shutil.which("git") is None:
            raise HandbookError("git is not installed")
        if urlsplit(self.repository).scheme != "file":
            _reach(self.repository, network)
        with tempfile.TemporaryDirectory(dir=part.parent) as room:
            git = Git(Path(room), self.repository)
            git.fetch(f"{part.name}: commit", [self.commit], "--depth=1")
            objects = self._chosen(git.run("ls-tree", "-r", "-z", "--full-tree", self.commit, "--", f"{self.folder}/"))
            git.fetch(part.name, sorted(set(objects.values())))
            self._write(part, objects, git)

    def _chosen(self, tree: bytes) -> dict[str, str]:
        """The object of each wanted file, by the name that it has in the zip, in order."""
        found = {match[4]: match for line in tree.split(b"\0") if (match := FILE.fullmatch(line))}
        objects, lacking = {}, []
        for name in listed(self.names.read_text()):
            entry = found.get(f"{self.folder}/{name}".encode())
            if entry is None or entry[1] not in (b"100644", b"100755"):
                lacking.append(name + (" (it is no file there)" if entry else ""))
            else:
                objects[f"{self.prefix}/{name}"] = entry[3].decode()
        if lacking:
            more = f" and {len(lacking) - 1:,} more" if len(lacking) > 1 else ""
            raise HandbookError(f"the commit lacks {self.folder}/{lacking[0]}{more}")
        return dict(sorted(objects.items()))

    def _write(self, part: Path, objects: dict[str, str], git: Git) -> None:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as out:
            for name, content in zip(objects, git.contents(list(objects.values())), strict=True):
                member = zipfile.ZipInfo(name, (*self.date, 0, 0, 0))
                member.create_system, member.external_attr = 3, 0o644 << 16  # as on Unix, whatever writes it
                out.writestr(member, content)


def _reach(repository: str, network: Network) -> None:
    """Raise an OSError within seconds if the host does not answer, since git itself may wait for minutes."""
    with contextlib.suppress(RefusedError):  # an answer; what the host has against it, git reports better
        network.open(f"{repository}/info/refs?service=git-upload-pack").close()


def listed(text: str) -> list[str]:
    """The names that a list stands for, each with its folder; for the form see `Selection`."""
    names, folder = [], ""
    for line in text.splitlines():
        if not line.startswith(" "):
            folder = line
            continue
        for word in line.split():
            names += [f"{folder}/{stem}.png" for stem in _meant(word)]
    return names


def _meant(word: str) -> list[str]:
    first, dots, last = word.partition("..")
    if dots:
        return [str(number) for number in range(int(first), int(last) + 1)]
    number, _, endings = word.partition("-")
    return [f"{number}-{ending}" for ending in endings.split(",")] if number.isdecimal() and endings else [word]


class Git:
    """A bare repository in a folder of ours, that knows one other."""

    def __init__(self, room: Path, remote: str) -> None:
        self._room, self._remote = room, remote
        self.run("init", "--quiet", "--bare", "--template=", ".")
        self.run("config", "remote.origin.url", remote)

    def run(self, *command: str) -> bytes:
        """What a command that needs no network says."""
        done = subprocess.run(
            self._command(command), cwd=self._room, env=self._environment(), stdin=subprocess.DEVNULL,
            capture_output=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise HandbookError(_complaint(done.stderr))
        return done.stdout

    def fetch(self, name: str, objects: list[str], *options: str) -> None:
        """Bring objects by their ids, of a commit its folders as well, but no file that is not named."""
        wanted = self._room / "wanted"
        wanted.write_text("".join(f"{each}\n" for each in objects))
        command = self._command(
            ["-c", "fetch.negotiationAlgorithm=noop", "fetch", "--progress", "--no-tags", "--no-write-fetch-head",
             "--recurse-submodules=no", "--filter=blob:none", *options, "--stdin", "origin"]
        )  # fmt: skip
        with wanted.open("rb") as stdin, bar(name, 0, unit=" objects") as shown:
            process = subprocess.Popen(
                command, cwd=self._room, env=self._environment(urlsplit(self._remote).scheme), stdin=stdin,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
            )  # fmt: skip
            with _ended(process, FETCH_SECONDS):
                assert process.stderr is not None  # a pipe
                said_last = _follow(process.stderr, shown)
                process.wait()
        if process.returncode:
            raise HandbookError(_complaint(said_last))

    def contents(self, objects: list[str]) -> Iterator[bytes]:
        """The bytes of files by their ids, in that order."""
        wanted = self._room / "wanted"
        wanted.write_text("".join(f"{each}\n" for each in objects))
        with wanted.open("rb") as stdin:
            process = subprocess.Popen(
                self._command(["cat-file", "--batch", "--buffer"]), cwd=self._room, env=self._environment(),
                stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
            with _ended(process, FETCH_SECONDS):
                assert process.stdout is not None  # a pipe
                for each in objects:
                    yield _content(process.stdout, each)

    def _command(self, command: Any) -> list[str]:
        settings = ("gc.auto=0", "maintenance.auto=false", "core.hooksPath=/dev/null", "credential.helper=")
        return ["git", *(part for setting in settings for part in ("-c", setting)), *command]

    def _environment(self, protocol: str = "none") -> dict[str, str]:
        """Nothing of the user's but the way to the web: no settings, no logins, no repository that we run in."""
        kept = {key: value for key, value in os.environ.items() if key in KEPT or key.lower() in PROXIES}
        return kept | {
            "HOME": str(self._room), "LC_ALL": "C", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "",
            "GIT_DIR": str(self._room), "GIT_ALLOW_PROTOCOL": protocol,
            "GIT_HTTP_LOW_SPEED_LIMIT": "1", "GIT_HTTP_LOW_SPEED_TIME": str(STALL_SECONDS),
        }  # fmt: skip


def _content(stream: IO[bytes], wanted: str) -> bytes:
    header = stream.readline().decode(errors="replace").split()
    if len(header) != 3 or header[:2] != [wanted, "blob"] or int(header[2]) > LARGEST:
        raise HandbookError(
            f"expected a file of at most {LARGEST:,} bytes as {wanted}, found {' '.join(header[1:]) or 'nothing'}"
        )
    content = stream.read(int(header[2]) + 1)
    if len(content) <= int(header[2]):
        raise HandbookError(f"git broke off in the middle of {wanted}")
    return content[:-1]


@contextlib.contextmanager
def _ended(process: subprocess.Popen[bytes], seconds: float) -> Iterator[None]:
    """A process that is gone at the end with all its children, and at the latest after so many seconds."""

    def kill() -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)

    timer = threading.Timer(seconds, kill)
    timer.start()
    try:
        with process:
            try:
                yield
            finally:
                if process.returncode is None:
                    kill()
    finally:
        timer.cancel()


def _follow(stream: IO[bytes], shown: Any) -> bytes:
    """Show what git says of its progress; returns the last of it."""
    said_so_far = b""
    while come := os.read(stream.fileno(), 1 << 16):
        said_so_far = (said_so_far + come)[-4096:]
        for received, total in RECEIVED.findall(come):
            shown.total = int(total)
            shown.update(int(received) - shown.n)
    return said_so_far


def _complaint(stderr: bytes) -> str:
    """Why git failed, as it says it, in one line."""
    lines = [line.strip() for line in re.split(r"[\r\n]", stderr.decode(errors="replace"))]
    complaints = [line for line in lines if line.startswith(("fatal:", "error:", "remote:"))] or [
        line for line in lines if line
    ]
    return said(
        HandbookError(f"git says: {complaints[-1]}" if complaints else "git was ended, after an hour at the latest")
    )

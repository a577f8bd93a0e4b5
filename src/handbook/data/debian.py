"""Data that Debian and Ubuntu carry as a package: read where it is installed, or brought by apt, which needs no root.

Debian empties the header of a gzip file, so that its builds are the same from day to day; what is packed stays as
it is. With the name and the time put back, the file is its publisher's, byte for byte.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from handbook.data.downloads import bar
from handbook.data.network import Network, said
from handbook.data.provenance import Place
from handbook.errors import HandbookError

LOCAL_SECONDS = 60.0  # for what apt knows without the network
FETCH_SECONDS = 1800.0
SILENT_SECONDS = 4  # without an answer, for each address of the archive
LARGEST = 64 << 20  # bytes of a file, twice the largest that is wanted
NAMED = 0x08  # the flag of a gzip header that holds a name
HEADER = re.compile(rb"\x1f\x8b\x08\x00....(..)", re.DOTALL)  # of a gzip file without name, comment or checksum


@dataclass(frozen=True)
class Package:
    """A package, the folder that it installs, and of its gzip files the time that their publisher's headers hold."""

    name: str
    folder: Path
    times: dict[str, int]  # by the file's name, in seconds since 1970

    def places(self, name: str) -> tuple[tuple[Place, ...], tuple[Place, ...]]:
        """Where a file of the package lies, near and far, as `File` takes them."""
        return (Installed(self, name),), (Fetched(self, name),)


@dataclass(frozen=True)
class Installed:
    """A file where the package is installed."""

    package: Package
    name: str

    @property
    def where(self) -> str:
        return f"Debian's package {self.package.name}, installed"

    def bring(self, part: Path, _: Network) -> None:
        path = self.package.folder / self.name
        if not path.is_file():
            raise HandbookError(f"no file {path}")
        part.write_bytes(restored(path.read_bytes(), self.name, self.package.times[self.name]))


@dataclass(frozen=True)
class Fetched:
    """A file of the package as apt brings it."""

    package: Package
    name: str

    @property
    def where(self) -> str:
        return f"Debian's package {self.package.name}, by apt-get download"

    def bring(self, part: Path, network: Network) -> None:
        """All files of the package are kept beside `part` at once, and each is taken from there when it is wanted."""
        kept = part.parent / self.package.name
        if not (kept / self.name).is_file():
            _keep(self.package, kept, network)
        if not (kept / self.name).is_file():
            raise HandbookError(f"the package holds no {self.package.folder / self.name}")
        part.write_bytes(restored((kept / self.name).read_bytes(), self.name, self.package.times[self.name]))
        (kept / self.name).unlink()
        if not any(kept.iterdir()):
            kept.rmdir()


def restored(packed: bytes, name: str, time: int) -> bytes:
    """A gzip file with its publisher's header: the name, without .gz, and the time in seconds since 1970."""
    header = HEADER.match(packed)
    if header is None:
        raise HandbookError(f"{name} does not begin with an empty gzip header, found {packed[:10].hex(' ')}")
    flag = bytes([NAMED])
    stem = name.removesuffix(".gz").encode()
    return b"\x1f\x8b\x08" + flag + time.to_bytes(4, "little") + header[1] + stem + b"\0" + packed[10:]


def _keep(package: Package, kept: Path, network: Network) -> None:
    """Bring the package by apt into a temporary folder, and keep those of its files that are wanted."""
    if "apt" in network.silent:
        raise HandbookError("apt-get could not fetch it on an earlier try")
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise HandbookError(f"this machine has no {tool}")
    with tempfile.TemporaryDirectory(dir=kept.parent) as room:
        try:
            archive = _download(package.name, Path(room))
        except HandbookError:
            network.silent.add("apt")
            raise
        _unpack(package, archive, Path(room) / "files")
        shutil.rmtree(kept, ignore_errors=True)
        (Path(room) / "files").replace(kept)


def _download(name: str, room: Path) -> Path:
    """The package's file, in a folder of ours."""
    command = ["apt-get", "-qq", "-o", "Acquire::Retries=0", "-o", "APT::Sandbox::User="]
    command += [f"-o=Acquire::{scheme}::Timeout={SILENT_SECONDS}" for scheme in ("http", "https")]
    environment = os.environ | {"LC_ALL": "C"}
    try:  # without the network: whether apt knows the package, and how large it is
        known = subprocess.run(
            [*command, "--print-uris", "download", name],
            cwd=room, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=LOCAL_SECONDS,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise HandbookError(f"apt-get gave no answer within {LOCAL_SECONDS:g} seconds") from None
    if known.returncode:
        raise HandbookError(f"apt-get does not know it: {_last(known.stderr)}")
    size = re.search(rb"' \S+ (\d+)", known.stdout)
    with (room / "messages").open("w+b") as messages:
        process = subprocess.Popen(
            [*command, "download", name],
            cwd=room, env=environment, stdin=subprocess.DEVNULL, stdout=messages, stderr=messages,
        )  # fmt: skip
        try:
            _watch(process, room, name, int(size[1]) if size else 0)
        finally:
            process.kill()
            process.wait()
        messages.seek(0)
        found = sorted(room.glob("*.deb"))
        if process.returncode or len(found) != 1:
            raise HandbookError(f"apt-get download failed: {_last(messages.read()) or 'it left no package'}")
    return found[0]


def _watch(process: subprocess.Popen[bytes], room: Path, name: str, size: int) -> None:
    """Show how much has come until the process ends, or has taken too long."""
    end = time.monotonic() + FETCH_SECONDS
    with bar(name, size) as shown:
        while process.poll() is None and time.monotonic() < end:
            come = sum(path.stat().st_size for path in room.glob("*.deb*"))
            shown.update(come - shown.n)
            time.sleep(0.1)


def _last(output: bytes) -> str:
    """The last thing that a program has said, in one line."""
    lines = [line for line in output.decode(errors="replace").splitlines() if line.strip() and line[:2] != "W:"]
    return said(HandbookError(lines[-1])) if lines else ""


def _unpack(package: Package, archive: Path, target: Path) -> None:
    """Copy the wanted files out of the package, by their own names; no path that it holds is followed."""
    target.mkdir()
    process = subprocess.Popen(
        ["dpkg-deb", "--fsys-tarfile", str(archive)],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wanted = {f".{package.folder / name}": name for name in package.times}
    try:
        with process, tarfile.open(fileobj=process.stdout, mode="r|") as members:
            for member in members:
                name = wanted.get(member.name)
                if name is None or not member.isreg() or member.size > LARGEST:
                    continue
                content = members.extractfile(member)
                assert content is not None  # a regular file
                (target / name).write_bytes(content.read())
    except (tarfile.TarError, OSError, EOFError) as error:
        raise HandbookError(f"{archive.name} is no sound package ({said(error)})") from None

"""Asks for the known vulnerabilities of every package that uv.lock pins: `make audit`.

The advisories are those of OSV, asked by pip-audit. Exit code 0: all were looked up, and none has a known one; 1: some
have; 2: not all could be looked up, so nothing is said of them.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parent.parent / "uv.lock"
# What was found, looked at, and does not concern this project, by its number, with the reason.
ACCEPTED: dict[str, str] = {}
CLEAN, FOUND, UNKNOWN = 0, 1, 2


def pinned(lock: Path) -> list[str]:
    """`name==version` of everything in the lock but the project itself, for every system and Python."""
    packages = tomllib.loads(lock.read_text(encoding="utf-8"))["package"]
    return [f"{each['name']}=={each['version']}" for each in packages if "registry" in each["source"]]


def asked(pins: list[str]) -> tuple[list[dict[str, Any]] | None, str]:
    """What pip-audit says of each package, or None with the last words of its error."""
    with tempfile.TemporaryDirectory() as folder:
        listing = Path(folder) / "pinned.txt"
        listing.write_text("\n".join(pins), encoding="utf-8")
        command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", "osv", "--format", "json"]
        command += ["--progress-spinner", "off", "--disable-pip", "--no-deps", "--requirement", str(listing)]
        command += [word for number in ACCEPTED for word in ("--ignore-vuln", number)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return None, (done.stderr.strip() or f"pip-audit ended with exit code {done.returncode}").splitlines()[-1]
    return packages, ""


def main(lock: Path = LOCK) -> int:
    """Ask, and say what was found."""
    pins = pinned(lock)
    packages, fault = asked(pins)
    if packages is None:
        print(
            f"error: no audit was made: {fault}\nThe advisories of osv.dev are needed; run `make audit` where the web "
            "can be reached. That nothing is listed here says nothing about the packages",
            file=sys.stderr,
        )
        return UNKNOWN
    answered = {each["name"]: each.get("vulns", []) for each in packages if "skip_reason" not in each}
    for name, faults in answered.items():
        for each in faults:
            fixed = ", ".join(each.get("fix_versions", [])) or "no version yet"
            print(f"{name}: {each['id']}, fixed in {fixed}")
    missing = [pin for pin in pins if pin.partition("==")[0] not in answered]
    if missing:
        print(f"error: {len(missing)} of {len(pins)} were not looked up: {', '.join(missing)}", file=sys.stderr)
    found = sum(map(len, answered.values()))
    print(f"{len(answered)} packages looked up, {found} known vulnerabilities, {len(ACCEPTED)} accepted")
    return FOUND if found else UNKNOWN if missing else CLEAN


if __name__ == "__main__":
    sys.exit(main())

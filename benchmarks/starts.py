"""What it takes to start a verb, beside an older commit: `HANDBOOK_BASE`, by default b47ad84.

Both commits are unpacked into folders of their own with sample data and a LeNet of one epoch that is evaluated and
registered. Then each command runs in the one and in the other, in turn and in the order turned round each time, as a
process of its own; the first run of each is not counted. *now* is this checkout as git has it, changes included. A
ratio is of the wall-clock seconds of a pair; `register` finds the model in the registry, as it does in every build
after the first, and *register, first* finds an empty ledger and a database that another case has made.

Where the seconds go: the modules whose import takes 0.1 s or more, what they import included, by `-X importtime`.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

BASE = os.environ.get("HANDBOOK_BASE", "b47ad84")
ROOT = Path(__file__).parent.parent
ROUNDS = int(os.environ.get("HANDBOOK_ROUNDS", "5"))
CASES = {"lenet": "fashion_mnist", "boosting": "bank_marketing"}  # the second, which needs no torch, makes the database
DATASETS = ("iris", *CASES.values())
NAMED = 0.1  # seconds
LINE = re.compile(r"import time:\s+\d+ \|\s+(\d+) \|(\s+)(\S+)")


@dataclass(frozen=True)
class Command:
    """A command line, and what has to be done before each run of it."""

    title: str
    words: tuple[str, ...]
    prepare: Callable[[Path], None] = lambda _: None


def _unregister(checkout: Path) -> None:
    """As if lenet had never been registered; MLflow, whose database stays, shows nothing of it either."""
    shutil.rmtree(checkout / "models" / ".registered" / "lenet", ignore_errors=True)
    for kept in ("mlflow.db", "artifacts"):
        place, whole = checkout / "mlruns" / kept, checkout / "before" / kept
        if place.is_dir():
            shutil.rmtree(place)
            shutil.copytree(whole, place)
        else:
            shutil.copy(whole, place)


COMMANDS = (
    Command("validate iris", ("validate", "iris")),
    Command("evaluate lenet", ("evaluate", "lenet")),
    Command("register lenet", ("register", "lenet")),
    Command("predict lenet FILE", ("predict", "lenet", "picture.png")),
    Command("register lenet, first", ("register", "lenet"), _unregister),
)


def run() -> list[str]:
    """The table of ratios, then the slow imports of each command as it is now."""
    with tempfile.TemporaryDirectory() as folder:
        base, now = checkout(Path(folder) / "base", BASE), checkout(Path(folder) / "now", "")
        lines = [
            f"| command | {BASE}, median s | now, median s | ratio, median | lowest – highest |",
            "|---|---:|---:|---:|---:|",
        ]
        for command in COMMANDS:
            pairs = [_pair(command, base, now, turned=bool(k % 2)) for k in range(ROUNDS + 1)][1:]
            ratios = [after / before for before, after in pairs]
            before, after = (statistics.median(side) for side in zip(*pairs, strict=True))
            lines.append(
                f"| `{command.title}` | {before:.2f} | {after:.2f} | **{statistics.median(ratios):.2f}** | "
                f"{min(ratios):.2f} – {max(ratios):.2f} |"
            )
        lines += ["", "| command, now | imports of 0.1 s or more, in seconds |", "|---|---|"]
        return lines + [f"| `{command.title}` | {', '.join(imports(command, now))} |" for command in COMMANDS]


def _pair(command: Command, base: Path, now: Path, turned: bool) -> tuple[float, float]:
    """Wall-clock seconds of a command in the older and in the newer checkout, one right after the other."""
    spent = {}
    for place in (now, base) if turned else (base, now):
        command.prepare(place)
        began = time.perf_counter()
        handbook(place, *command.words)
        spent[place] = time.perf_counter() - began
    return spent[base], spent[now]


def checkout(place: Path, commit: str) -> Path:
    """A commit's files, or this checkout's as they are, with samples, and two cases trained, evaluated, registered."""
    place.mkdir()
    if commit:
        packed = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x"], cwd=place, input=packed, check=True)
    else:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, check=True, capture_output=True, text=True,
        )  # fmt: skip
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file() and not (ROOT / name).is_symlink():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, place / name)
    _shorten(place / "params.yaml")
    handbook(place, "data", "--source", "sample", *DATASETS)
    if (place / ".sample").exists():  # where samples are built, since b47ad84
        place /= ".sample"
    _picture(place)
    for case in CASES:
        for verb in ("train", "evaluate"):
            handbook(place, verb, case)
    handbook(place, "register", "boosting")
    (place / "before").mkdir()
    shutil.copy(place / "mlruns" / "mlflow.db", place / "before")
    shutil.copytree(place / "mlruns" / "artifacts", place / "before" / "artifacts")
    handbook(place, "register", "lenet")
    return place


def _shorten(path: Path) -> None:
    """params.yaml with one epoch of lenet."""
    numbers = yaml.safe_load(path.read_text())
    numbers["cases"]["lenet"]["epochs"] = 1
    numbers["cases"]["boosting"]["max_iter"] = 20
    path.write_text(yaml.safe_dump(numbers, sort_keys=False))


def _picture(place: Path) -> None:
    """A picture to be predicted, of the sample's test pictures."""
    from PIL import Image

    from handbook import datasets

    data = datasets.page("fashion_mnist").load(place / "data" / "fashion_mnist")
    Image.fromarray(data.test_images[0]).save(place / "picture.png")


def handbook(place: Path, *words: str, options: tuple[str, ...] = ()) -> str:
    """What `python -m handbook WORDS` of a checkout says on stderr; it must succeed."""
    env = os.environ | {"PYTHONPATH": str(place / "src"), "MLFLOW_DISABLE_TELEMETRY": "true"}
    env.pop("MLFLOW_TRACKING_URI", None)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *options, "-m", "handbook", *words],
        cwd=place, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)} in {place} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stderr


def imports(command: Command, place: Path) -> list[str]:
    """The packages whose import takes long, the slowest first, each with its seconds, what it imports included."""
    command.prepare(place)
    found: dict[str, float] = {}
    for microseconds, _, name in LINE.findall(handbook(place, *command.words, options=("-X", "importtime"))):
        top = name.partition(".")[0]
        found[top] = max(found.get(top, 0.0), int(microseconds) / 1e6)
    slow = sorted(((seconds, name) for name, seconds in found.items() if seconds >= NAMED), reverse=True)
    return [f"{name} {seconds:.1f}" for seconds, name in slow]

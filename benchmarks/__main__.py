"""make bench: run every benchmark, and write what was found to benchmarks/results.md."""

from __future__ import annotations

import platform
import re
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import torch

from handbook.training.run import device

BENCHMARKS = (
    "lenet_epoch", "memory", "orchestration", "flow", "starts", "convolution", "rbf", "som", "char_lstm",
    "characters", "gan", "book", "accelerator", "serving", "endurance",
)  # fmt: skip


HEAD = """# Benchmarks

Made by `make bench`, a section a benchmark; ratios of times that were taken side by side in one run.
"""


def main() -> None:
    """Run the benchmarks that are named, or all; each replaces its own section of results.md once it has ended."""
    results = Path(__file__).with_name("results.md")
    default = [name for name in BENCHMARKS if name != "accelerator" or device().type != "cpu"]
    for name in sys.argv[1:] or default:
        module = import_module(f"benchmarks.{name}")
        print(f"{name} ...", flush=True)
        section = "\n".join([(module.__doc__ or "").strip(), "", *module.run(), "", machine()])
        print(section)
        results.write_text(with_section(results.read_text() if results.exists() else "", name, section))


def with_section(text: str, name: str, section: str) -> str:
    """The results with this section in its place, the others as they were."""
    kept = dict(re.findall(r"^## (\w+)\n\n(.*?)(?=\n+## |\n*\Z)", text, re.MULTILINE | re.DOTALL)) | {name: section}
    return "\n".join([HEAD, *(f"## {each}\n\n{kept[each]}\n" for each in BENCHMARKS if each in kept)])


def machine() -> str:
    """What the numbers were taken on."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "lightning", "dvc"))
    here = f"{platform.machine()}, {torch.get_num_threads()} threads, {gpu}"
    return f"{here}; Python {platform.python_version()}, {packages}."


if __name__ == "__main__":
    main()

"""make bench: run every benchmark, and write what was found to benchmarks/results.md."""

from __future__ import annotations

import platform
import sys
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import torch

BENCHMARKS = (
    "lenet_epoch", "orchestration", "flow", "convolution", "rbf", "som", "char_lstm", "gan", "serving"
)  # fmt: skip


def main() -> None:
    chosen = sys.argv[1:] or BENCHMARKS
    lines = [
        "# Benchmarks",
        "",
        "Made by `make bench`; ratios of times that were taken side by side in one run.",
        "",
        machine(),
    ]
    for name in chosen:
        module = import_module(f"benchmarks.{name}")
        print(f"{name} ...", flush=True)
        lines += ["", f"## {name}", "", (module.__doc__ or "").strip(), "", *module.run()]
    text = "\n".join(lines) + "\n"
    print(text)
    if tuple(chosen) == BENCHMARKS:
        Path(__file__).with_name("results.md").write_text(text)


def machine() -> str:
    """What the numbers were taken on."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "lightning", "dvc"))
    here = f"{platform.machine()}, {torch.get_num_threads()} threads, {gpu}"
    return f"{here}; Python {platform.python_version()}, {packages}."


if __name__ == "__main__":
    main()

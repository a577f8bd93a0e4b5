"""Pins everything again: `uv.lock` from pyproject.toml, and from it the files with hashes beside this one, for pip.

Run by `make lock`, which needs uv. What the lock pins already stays as it is as long as pyproject.toml allows it;
`uv lock --upgrade-package NAME` before it moves one package. A set-up reads only the files, so it needs no uv:

- `build.txt`: what builds the packages that are published as source alone
- `torch.txt`: the registry's build of torch, on Linux with CUDA; `torch-cpu.txt`: the build without, from elsewhere
- `cuda.txt`: NVIDIA's libraries, some GB, which only a torch built with CUDA asks for
- `handbook.txt`: all else that `make setup` installs; `ray.txt`, `bench.txt`, `audit.txt`, `docs.txt`: what each adds
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
EXTRAS = ("pipeline", "labs", "onnx", "dask", "postgres", "browser", "dev")  # what `make setup` installs
MORE = ("ray", "bench", "audit", "docs")  # what single targets add
CUDA = re.compile(r"nvidia-|cuda-|triton$")  # what torch names for its CUDA build alone

# PyTorch's own index has the CPU builds. uv cannot lock them: a lock has one torch for Linux, and that is the
# registry's. So their sha256 stand here, as that index lists them, for Linux on x86-64 and on ARM, Python 3.11 to 3.13.
CPU_INDEX = "https://download.pytorch.org/whl/cpu"  # setup.sh asks it
CPU_BUILDS = {
    "2.13.0": (
        "6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b",
        "84453b69508ec79902f899c5ed9495acb9e2bbe9fda5f1d5d6f19e3c3842e1a7",
        "4ca4a9394b0c771238a4f73590fdbbc4debad85ed0fa63d026ae1b085da7d6e2",
        "6f307c2c32d764ffc6ff6893b801fad6d4752f3e67966cb8abf1843427c02604",
        "3fbf9c9d1f3c10c2d59d04aca426dee9ccc6ceb32d255c61e93acc3b4f75fae6",
        "0b8f7d0423027ae8b90c7977c627f3379f325363a08224dffad9b4b2d684a83d",
    )
}
TITLE = "# Made by `make lock` from uv.lock; every file of a package that may be installed, by its sha256."


def exported(*extras: str) -> dict[str, str]:
    """Each package that these extras need, with its pin, its marker and its hashes, as a requirements file has it."""
    command = ["uv", "export", "--quiet", "--frozen", "--no-emit-project", "--no-header", "--no-annotate"]
    chosen = [word for extra in extras for word in ("--extra", extra)]
    text = subprocess.run([*command, *chosen], cwd=HERE.parent, capture_output=True, text=True, check=True).stdout
    blocks = re.split(r"\n(?=\S)", text.strip())
    return {re.split(r"[=\s\[]", block, maxsplit=1)[0]: block for block in blocks}


def hashes(digests: tuple[str, ...]) -> str:
    return "".join(f" \\\n    --hash=sha256:{digest}" for digest in digests)


def torch_files(block: str) -> dict[str, str]:
    """torch twice: the registry's build and the CPU build. Each file takes one and no other, wherever it is found."""
    pin, _, own = block.partition(" \\\n")
    version = pin.split(";")[0].strip().removeprefix("torch==")
    if version not in CPU_BUILDS:
        raise SystemExit(
            f"torch {version} is new: write the sha256 of its CPU builds into CPU_BUILDS of {Path(__file__).name},\n"
            f"from the addresses that {CPU_INDEX}/torch/ lists (manylinux, x86_64 and aarch64, cp311 to cp313)"
        )
    cpu = f"torch=={version}+cpu ; sys_platform == 'linux'{hashes(CPU_BUILDS[version])}"
    mac = f"torch=={version} ; sys_platform == 'darwin' \\\n{own}"  # one build, and the registry has it
    # `===`: the version to the letter, so not a `+cpu` that lies at hand
    return {"torch": block.replace("torch==", "torch===", 1), "torch-cpu": f"{cpu}\n{mac}"}


def files() -> dict[str, str]:
    """The text of each file, by its name without `.txt`."""
    everything = exported(*EXTRAS)
    texts = torch_files(everything.pop("torch"))
    texts["build"] = everything.pop("setuptools")
    cuda = [name for name in everything if CUDA.match(name)]
    texts["cuda"] = "\n".join(everything.pop(name) for name in cuda)
    texts["handbook"] = "\n".join(everything.values())
    known = {*everything, *cuda, "torch", "setuptools"}
    for extra in MORE:
        added = exported(*EXTRAS, extra)
        texts[extra] = "\n".join(block for name, block in added.items() if name not in known)
    return texts


def main() -> int:
    """Lock, and write the files; 1 without uv."""
    try:
        subprocess.run(["uv", "lock"], cwd=HERE.parent, check=True)
    except FileNotFoundError:
        print("`make lock` needs uv; install it, then run this again", file=sys.stderr)
        return 1
    for name, text in files().items():
        (HERE / f"{name}.txt").write_text(f"{TITLE}\n{text}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

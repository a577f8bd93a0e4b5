"""The map of `cases/self_organising_map` against four libraries: 284,807 x 30 rows, 10 x 10 units, same passes.

Rows are drawn from 50 Gaussian clusters with heavy tails. Every contender starts on the same rows, width 5 falling to
at most 1, and is judged by the quantisation error of its last nodes over all rows. fastersom and XPySom follow the
batch rule as ours does, with the same widths, so all three come to the same map (held by a test). MiniSom trains a row
at a time; TorchSOM in batches, its best of three sizes shown beside its default of 5, which is timed on a tenth of the
rows. Somoclu 1.7.6 is not there: its part in C++ did not build, and what is installed without it cannot train. Each
runs in a process of its own, which tells its peak memory over what the rows alone take. Then ours alone on 1, 2, 4 and
8 million rows. What follows the batch rule is shown by the fastest of three rounds.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from handbook.cases.self_organising_map import maps
from handbook.cases.self_organising_map.maps import Grid

ROWS, COLUMNS, SIDE, PASSES, SIGMA = 284_807, 30, 10, 3, 5.0
SIZES = (256, 2048, 16384)  # of TorchSOM's batches
MILLIONS, ROUNDS = (1, 2, 4, 8), 3
BY_BATCH = {"ours": "ours, batch rule", "fastersom": "fastersom", "xpysom": "XPySom"}


def generated(n: int) -> Tensor:
    """Rows (n, 30): clusters of Student's t with 4 degrees of freedom."""
    draw = torch.Generator().manual_seed(0)
    centres = 2 * torch.randn(50, COLUMNS, generator=draw)
    rows = torch.empty(n, COLUMNS)
    for part in torch.split(rows, 100_000):
        part.normal_(generator=draw)
        chi = torch.randn(len(part), 4, generator=draw).square().mean(1, keepdim=True)
        part.div_(chi.sqrt()).add_(centres[torch.randint(0, 50, (len(part),), generator=draw)])
    return rows


def start(rows: Tensor) -> Tensor:
    return maps.random_start(rows, Grid(SIDE, SIDE, False), torch.Generator().manual_seed(1))


def ours(rows: Tensor, passes: int) -> Callable[[], Tensor]:
    return lambda: maps.batch(rows, start(rows), Grid(SIDE, SIDE, False), passes, (SIGMA, 1.0))[0]


def ahead(passes: int) -> float:
    """Where a width that only ever nears its end must be headed for, to be 1 in the last pass."""
    return float(SIGMA * (1 / SIGMA) ** (passes / (passes - 1)))


def fastersom(rows: Tensor, passes: int) -> Callable[[], Tensor]:
    from fastersom import SOM

    widths = {"sigma_initial": SIGMA, "sigma_final": ahead(passes)}
    som = SOM(SIDE, SIDE, passes, **widths, init=start(rows), device="cpu", random_state=0)
    return lambda: torch.as_tensor(som.fit(rows).weights_)


def xpysom(rows: Tensor, passes: int) -> Callable[[], Tensor]:
    from xpysom import XPySom

    som = XPySom(SIDE, SIDE, COLUMNS, sigma=SIGMA, sigmaN=ahead(passes), std_coeff=1.0, random_seed=0)
    som._weights = start(rows).reshape(SIDE, SIDE, COLUMNS).numpy()
    data = rows.numpy()

    def train() -> Tensor:
        som.train(data, passes)
        return torch.from_numpy(som.get_weights().reshape(-1, COLUMNS))

    return train


def minisom(rows: Tensor, passes: int) -> Callable[[], Tensor]:
    from minisom import MiniSom

    som = MiniSom(SIDE, SIDE, COLUMNS, sigma=SIGMA, learning_rate=0.5, random_seed=0)
    som._weights = start(rows).reshape(SIDE, SIDE, COLUMNS).double().numpy()
    data = rows.double().numpy()

    def train() -> Tensor:
        som.train(data, passes * len(data), random_order=True)
        return torch.from_numpy(som.get_weights().reshape(-1, COLUMNS)).float()

    return train


def torchsom(rows: Tensor, passes: int, size: int) -> Callable[[], Tensor]:
    from torchsom import SOM

    som = SOM(SIDE, SIDE, COLUMNS, epochs=passes, batch_size=size, sigma=SIGMA, learning_rate=0.5, device="cpu")
    som.weights.data = start(rows).reshape(SIDE, SIDE, COLUMNS)

    def train() -> Tensor:
        som.fit(rows, verbose=False)
        nodes: Tensor = som.weights.data
        return nodes.reshape(-1, COLUMNS)

    return train


def memory(what: str) -> float:
    """MiB of this process: VmRSS, what it holds, or VmHWM, the most it held since `forget`."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(what)) / 1024


def forget() -> None:
    """Let VmHWM start again from what is held now (Linux, proc(5), clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5")


def one(name: str, n: int, passes: int, size: int) -> dict[str, float]:
    """Seconds of training, quantisation error after it, and MiB above what the process held before."""
    warnings.filterwarnings("ignore")
    rows = generated(n)
    makers: dict[str, Callable[[], Callable[[], Tensor]]] = {
        "ours": lambda: ours(rows, passes),
        "fastersom": lambda: fastersom(rows, passes),
        "xpysom": lambda: xpysom(rows, passes),
        "minisom": lambda: minisom(rows, passes),
        "torchsom": lambda: torchsom(rows, passes, size),
    }
    if name == "ours":
        ours(rows[:10_000], 1)()  # torch's first call sets threads and buffers up
    train = makers[name]()
    forget()
    held, begun = memory("VmRSS"), time.perf_counter()
    nodes = train()
    seconds = time.perf_counter() - begun
    grown = memory("VmHWM") - held
    error, _ = maps.errors(rows[:: max(1, n // ROWS)], nodes, Grid(SIDE, SIDE, False))
    return {"seconds": seconds, "error": error, "mib": grown}


def apart(name: str, n: int = ROWS, passes: int = PASSES, size: int = 0) -> dict[str, float]:
    """`one`, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.som", name, str(n), str(passes), str(size)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def run() -> list[str]:
    """The tables."""
    turns = [{name: apart(name) for name in BY_BATCH} for _ in range(ROUNDS)]
    results: dict[str, dict[str, Any]] = {
        shown: min((turn[name] for turn in turns), key=lambda each: each["seconds"]) for name, shown in BY_BATCH.items()
    }
    results["MiniSom"] = apart("minisom")
    for size in SIZES:
        results[f"TorchSOM, batches of {size:,}"] = apart("torchsom", size=size)
    tenth = apart("torchsom", ROWS // 10, PASSES, 5)
    results["TorchSOM, batches of 5 (a tenth of the rows, time × 10)"] = tenth | {"seconds": 10 * tenth["seconds"]}
    mine = results["ours, batch rule"]["seconds"]
    lines = [
        "| | seconds | × ours | quantisation error | peak memory above the rows, MiB |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, each in results.items():
        cost = f"{each['seconds']:.2f} | **{each['seconds'] / mine:.1f}**"
        lines.append(f"| {name} | {cost} | {each['error']:.3f} | {each['mib']:.0f} |")
    lines += [
        "",
        "| million rows | seconds a pass | µs a row | peak memory above the rows, MiB |",
        "|---:|---:|---:|---:|",
    ]
    rounds = [[apart("ours", million * 10**6, 2) for million in MILLIONS] for _ in range(ROUNDS)]
    for k, million in enumerate(MILLIONS):
        seconds = min(each[k]["seconds"] for each in rounds) / 2  # what others do to the machine only adds
        lines.append(f"| {million} | {seconds:.2f} | {seconds / million:.3f} | {rounds[0][k]['mib']:.0f} |")
    return lines


if __name__ == "__main__":
    print(json.dumps(one(sys.argv[1], *(int(each) for each in sys.argv[2:]))), flush=True)

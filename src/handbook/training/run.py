"""What a training run is given: where it may keep its state, the listener for its epochs, and the device.

Apart from `training`, so that a page without a network need not load Lightning, nor one without torch load that.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


Row = dict[str, float]
FLOW_RUN = "HANDBOOK_FLOW_RUN"  # the environment's word for the run of the flow that a step is part of


@dataclass(frozen=True)
class Run:
    """Where a training run may keep its checkpoint, and the listener that gets each epoch."""

    checkpoint: Path | None = None
    tell: Callable[[Row], None] | None = None


def processes() -> int:
    """How many train one model together, as torchrun tells each of them; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def first() -> bool:
    """Whether this is the process that writes what all of them made."""
    return int(os.environ.get("RANK", "0")) == 0


def device(double: bool = False) -> torch.device:
    """The accelerator there is, one for each process of this machine, or the processor.

    `double`: for work in float64, which Apple's accelerator (MPS) does not have; the processor does it there.
    """
    import torch

    if torch.cuda.is_available():
        return torch.device(f"cuda:{os.environ['LOCAL_RANK']}" if processes() > 1 else "cuda")
    if torch.backends.mps.is_available() and not double and processes() == 1:  # its processes cannot train together
        return torch.device("mps")
    return torch.device("cpu")

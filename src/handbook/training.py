"""Training: tensors on the device, whole batches at a time, checkpoints that resume to the same numbers."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import lightning as L
import torch
from torch import Tensor, nn

from handbook.runs import Row, Run, processes


class Batches:
    """Batches cut from tensors that lie on the device already; no worker, no copy, no per-sample Python.

    With a seed, every epoch's order, and all randomness of its augmentation and dropout, follow from (seed, epoch)
    alone: a run that resumes at epoch 7 sees the epoch 7 that an unbroken run sees. Of several processes each takes its
    share of every such batch, so that together they see what one would.
    """

    def __init__(
        self,
        *tensors: Tensor,
        size: int,
        seed: int | None = None,
        prepare: Callable[[Tensor, int], Tensor] | None = None,
    ) -> None:
        """`prepare` is handed the first tensor of each batch and the number of the epoch, from 0."""
        self.tensors, self.size, self.seed, self.prepare = tensors, size, seed, prepare
        self.epoch = 0
        self.batch_sampler = None  # where Lightning looks before it looks at `sampler`

    @property
    def sampler(self) -> Batches:
        """Where Lightning looks for `set_epoch`."""
        return self

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    @property
    def samples(self) -> int:
        return len(self.tensors[0])

    def __len__(self) -> int:
        return math.ceil(self.samples / self.size)

    def __iter__(self) -> Iterator[list[Tensor]]:
        for chosen in torch.split(self._order(), self.size):
            first, *rest = (tensor.index_select(0, chosen) for tensor in self.tensors)  # a tenth of what [] costs
            batch = [self.prepare(first, self.epoch) if self.prepare else first, *rest]
            yield batch if self.seed is None or processes() == 1 else _share(batch)

    def _order(self) -> Tensor:
        where = self.tensors[0].device
        if self.seed is None:
            return torch.arange(self.samples, device=where)
        torch.manual_seed(self.seed * 1_000_003 + self.epoch)
        return torch.randperm(self.samples, device=where)


def _share(batch: list[Tensor]) -> list[Tensor]:
    """This process's part of a batch; a last batch smaller than the number of processes is seen whole by all."""
    rank, world = int(os.environ["RANK"]), processes()
    return batch if len(batch[0]) < world else [each[rank::world] for each in batch]


class _Judged(L.Callback):
    """Keeps what the validation steps of an epoch return, with the number of samples of each."""

    def __init__(self) -> None:
        self.valid: list[tuple[int, dict[str, Tensor]]] = []

    def on_validation_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self.valid = []

    def on_validation_batch_end(  # noqa: PLR0917 (Lightning's signature)
        self,
        trainer: L.Trainer,
        module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        self.valid.append((len(batch[0]), outputs))


class _History(_Judged):
    """A row an epoch: mean losses and scores, the rate, the seconds; it travels inside the checkpoint."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run
        self.rows: list[Row] = []
        self.seconds = 0.0

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows, "seconds": self.seconds}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.rows, self.seconds = state["rows"], state["seconds"]

    def on_train_epoch_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self.started = time.perf_counter()
        self.train: list[tuple[int, dict[str, Tensor]]] = []

    def on_train_batch_end(
        self, trainer: L.Trainer, module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.train.append((len(batch[0]), {key: value.detach() for key, value in outputs.items()}))

    def on_train_epoch_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        row: Row = {"epoch": float(trainer.current_epoch + 1)}
        row |= _means("train", self.train) | _means("valid", self.valid)
        if trainer.world_size > 1:  # the shares are equal, but for a sample in the last batch
            row = {
                key: float(trainer.strategy.reduce(torch.tensor(value), reduce_op="mean")) for key, value in row.items()
            }
        row["learning_rate"] = float(trainer.optimizers[0].param_groups[0]["lr"])
        self.seconds += time.perf_counter() - self.started
        self.rows.append(row)
        if self.run.tell and trainer.is_global_zero:
            self.run.tell(row)


def _means(prefix: str, parts: list[tuple[int, dict[str, Tensor]]]) -> Row:
    """Means over samples, of what the steps returned as means over batches."""
    if not parts:
        return {}
    sizes = torch.tensor([size for size, _ in parts], dtype=torch.float64)
    values = {key: torch.stack([outputs[key] for _, outputs in parts]).cpu().double() for key in parts[0][1]}
    return {f"{prefix}_{key}": float((value * sizes).sum() / sizes.sum()) for key, value in values.items()}


class _Checkpoint(L.Callback):
    """The state after each epoch, moved into place in one step: a kill leaves the old one or the new one, whole."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_train_epoch_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".new")
        trainer.save_checkpoint(fresh)
        if trainer.is_global_zero:
            fresh.replace(self.path)


class BestEpoch(_Judged):
    """Early stopping (Prechelt 1998): no more epochs once the held-out loss has not fallen for `patience` of them.

    `restore` then puts back the weights of the best epoch, number `epoch`. All of it travels inside the checkpoint: a
    run that resumes stops where an unbroken one stops, with the same weights.
    """

    def __init__(self, patience: int) -> None:
        super().__init__()
        self.patience = patience
        self.best, self.epoch, self.last = math.inf, 0, 0
        self.weights: dict[str, Tensor] = {}

    def state_dict(self) -> dict[str, Any]:
        return {"best": self.best, "epoch": self.epoch, "last": self.last, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best, self.epoch, self.last, self.weights = (state[k] for k in ("best", "epoch", "last", "weights"))

    def on_train_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        trainer.should_stop = self._over()  # a run killed between its last epoch and its end is over all the same

    def on_validation_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        loss, self.last = _means("valid", self.valid)["valid_loss"], trainer.current_epoch + 1
        if loss < self.best:
            self.best, self.epoch = loss, self.last
            self.weights = {name: tensor.detach().cpu().clone() for name, tensor in module.state_dict().items()}
        trainer.should_stop = self._over()

    def _over(self) -> bool:
        return self.last - self.epoch >= self.patience

    def restore(self, module: L.LightningModule) -> None:
        """Put the best epoch's weights back; without a held-out part there is none, and the last ones stay."""
        if self.weights:
            module.load_state_dict(self.weights)


def train(
    module: L.LightningModule,
    batches: Batches,
    validation: Batches | None,
    *,
    epochs: int,
    run: Run,
    bf16: bool = False,
    threads: int | None = None,
    callbacks: Sequence[L.Callback] = (),
) -> None:
    """Fit a module for that many epochs, or for those that remain since its checkpoint, on that many threads.

    Leaves `module.history_` (a row an epoch) and `module.training_` (seconds, samples/s, device) on the module.
    """
    history = _History(run)
    # Order matters: the history's row is in the checkpoint, and what averages weights saves its average there.
    keep = [_Checkpoint(run.checkpoint)] if run.checkpoint else []
    resumes = str(run.checkpoint) if run.checkpoint and run.checkpoint.exists() else None
    if resumes:
        print(f"resuming from {resumes}", file=sys.stderr)
    trainer = _trainer(epochs, bf16, [*callbacks, history, *keep])
    with on_threads(threads), warnings.catch_warnings():
        # Lightning 2.6 asks torch 2.13 in a way that it calls old; nothing of ours can change that
        warnings.filterwarnings("ignore", message=".*LeafSpec.*")
        warnings.filterwarnings("ignore", message=".*no `val_dataloader`.*")  # a case may hold nothing out
        trainer.fit(module, batches, validation, ckpt_path=resumes, weights_only=True)
    if trainer.interrupted:
        raise KeyboardInterrupt
    module.eval()
    module.history_ = history.rows  # type: ignore[assignment]
    module.training_ = {  # type: ignore[assignment]
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "threads": threads or torch.get_num_threads(),
        "epochs": epochs,
        **({"processes": processes()} if processes() > 1 else {}),
        "samples": batches.samples,
        "seconds": round(history.seconds, 2),
        "samples_per_second": round(batches.samples * len(history.rows) / max(history.seconds, 1e-9)),
    }


@contextlib.contextmanager
def on_threads(number: int | None) -> Iterator[None]:
    """So many threads for torch's own work, or as many as it would take."""
    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _trainer(epochs: int, bf16: bool, callbacks: list[L.Callback]) -> L.Trainer:
    """Lightning without what small models pay for: logger, summary, sanity check; a bar only on a terminal."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    torch.set_float32_matmul_precision("high")
    return L.Trainer(
        max_epochs=epochs,
        accelerator="gpu" if torch.cuda.is_available() else "cpu",
        devices=int(os.environ["LOCAL_WORLD_SIZE"]) if processes() > 1 else 1,
        num_nodes=processes() // int(os.environ["LOCAL_WORLD_SIZE"]) if processes() > 1 else 1,
        strategy="ddp" if processes() > 1 else "auto",
        precision="bf16-mixed" if bf16 else "32-true",
        callbacks=callbacks,
        default_root_dir=tempfile.gettempdir(),
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=sys.stderr.isatty(),
        num_sanity_val_steps=0,
    )


def decayed(module: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Groups for an optimiser: matrices and kernels decay; nothing is gained by shrinking biases and scales."""
    parameters = list(module.parameters())
    return [
        {"params": [each for each in parameters if each.ndim > 1], "weight_decay": weight_decay},
        {"params": [each for each in parameters if each.ndim == 1], "weight_decay": 0.0},
    ]


def one_cycle(module: L.LightningModule, optimiser: torch.optim.Optimizer, **shape: Any) -> Any:
    """What Lightning asks for: the optimiser, its rate up over the first fifth of all steps, then down to nought.

    Smith and Topin 2018. `shape` changes what `OneCycleLR` is given.
    """
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimiser,
        optimiser.defaults["lr"],
        total_steps=int(module.trainer.estimated_stepping_batches),
        **{"pct_start": 0.2, "div_factor": 10, "cycle_momentum": False} | shape,
    )
    return {"optimizer": optimiser, "lr_scheduler": {"scheduler": cycle, "interval": "step"}}


def split(samples: int, share: float, seed: int) -> tuple[Tensor, Tensor]:
    """Indices of the training part and of the held-out share, drawn once from the seed."""
    order = torch.randperm(samples, generator=torch.Generator().manual_seed(seed))
    held_out = round(samples * share)
    return order[held_out:], order[:held_out]

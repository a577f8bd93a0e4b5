"""Lightning's side of training: the loop, its history, checkpoints that resume to the same numbers, early stopping."""

from __future__ import annotations

import logging
import math
import os
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightning as L
import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from handbook.training.batches import Batches
from handbook.training.run import Row, Run, device, processes

if TYPE_CHECKING:
    from handbook.training.networks import Learner, Player


class _SupervisedModule(L.LightningModule):
    """A `Learner` as a LightningModule."""

    def __init__(self, model: Learner) -> None:
        super().__init__()
        self.model = model

    def on_train_epoch_start(self) -> None:
        if hasattr(self.model, "start_epoch"):
            self.model.start_epoch(self.current_epoch)

    def training_step(self, batch: list[Tensor], index: int) -> Tensor:
        return self.model.training_step(batch)

    def validation_step(self, batch: list[Tensor], index: int) -> dict[str, Tensor]:
        return self.model.validation_step(batch)

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        # Lightning clips no fused optimiser's gradient in 16 bits, lest it be a scaled one; bfloat16 scales none.
        if gradient_clip_val:
            clip_grad_norm_([each for group in optimizer.param_groups for each in group["params"]], gradient_clip_val)

    def configure_optimizers(self) -> Any:
        optimiser, schedule = self.model.recipe(int(self.trainer.estimated_stepping_batches))
        if schedule is None:
            return optimiser
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


class _Match(L.LightningModule):
    """A `Player` as a LightningModule: each side is optimised by hand."""

    def __init__(self, model: Player) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.model = model

    def training_step(self, batch: list[Tensor], index: int) -> dict[str, Tensor]:
        batches, epochs = int(self.trainer.num_training_batches), int(self.trainer.max_epochs or 0)
        step = self.current_epoch * batches + index  # Lightning counts the steps of both sides
        return self.model.play(batch, step, batches * epochs, self._move)

    def configure_optimizers(self) -> Any:
        return self.model.optimisers(), []

    def _move(self, side: int, network: nn.Module, loss: Tensor) -> None:
        optimiser: Any = self.optimizers()[side]  # type: ignore[index]
        optimiser.zero_grad()
        self.manual_backward(loss, inputs=list(network.parameters()))  # and no gradient for the other side
        optimiser.step()


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


class _BestEpoch(_Judged):
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


def fit(
    model: Any, batches: Batches, validation: Batches | None, *, epochs: int, run: Run, clip: float, patience: int
) -> int:
    """What `handbook.training.train` says."""
    module = _Match(model) if hasattr(model, "play") else _SupervisedModule(model)
    history, best = _History(run), _BestEpoch(patience)
    # Order matters: what is in a checkpoint is what the callbacks before it have kept.
    callbacks = [*([best] if patience else []), history, *([_Checkpoint(run.checkpoint)] if run.checkpoint else [])]
    resumes = str(run.checkpoint) if run.checkpoint and run.checkpoint.exists() else None
    if resumes:
        print(f"resuming from {resumes}", file=sys.stderr)
    trainer = _trainer(epochs, clip, callbacks)
    with warnings.catch_warnings():
        # Lightning 2.6 asks torch 2.13 in a way that it calls old; nothing of ours can change that
        warnings.filterwarnings("ignore", message=".*LeafSpec.*")
        warnings.filterwarnings("ignore", message=".*no `val_dataloader`.*")  # a case may hold nothing out
        trainer.fit(module, batches, validation, ckpt_path=resumes, weights_only=True)
    if trainer.interrupted:
        raise KeyboardInterrupt
    best.restore(module)
    model.eval()
    model.history_ = history.rows
    model.training_ = {
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else device().type,
        "threads": torch.get_num_threads(),
        "precision": _precision(),
        "epochs": epochs,
        **({"processes": processes()} if processes() > 1 else {}),
        "samples": batches.samples,
        "seconds": round(history.seconds, 2),
        "samples_per_second": round(batches.samples * len(history.rows) / max(history.seconds, 1e-9)),
    }
    return best.epoch or len(history.rows)


def _precision() -> str:
    """float32, and bfloat16 beside it on a card that has instructions for it; never on a processor."""
    half = torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    return "bf16-mixed" if half else "32-true"


def _trainer(epochs: int, clip: float, callbacks: list[L.Callback]) -> L.Trainer:
    """Lightning without what small models pay for: logger, summary, sanity check; a bar only on a terminal."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    torch.set_float32_matmul_precision("high")
    return L.Trainer(
        max_epochs=epochs,
        accelerator={"cuda": "gpu"}.get(device().type, device().type),
        devices=int(os.environ["LOCAL_WORLD_SIZE"]) if processes() > 1 else 1,
        num_nodes=processes() // int(os.environ["LOCAL_WORLD_SIZE"]) if processes() > 1 else 1,
        strategy="ddp" if processes() > 1 else "auto",
        precision=_precision(),  # type: ignore[arg-type]
        gradient_clip_val=clip or None,
        callbacks=callbacks,
        default_root_dir=tempfile.gettempdir(),
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=sys.stderr.isatty(),
        num_sanity_val_steps=0,
    )

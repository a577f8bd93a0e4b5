"""A multilayer perceptron on tables (section 7.3, as the rival of the RBF network; Rumelhart, Hinton, Williams 1986).

Where an RBF network asks how near a row is to its centres, hidden units ask on which side of planes it lies:

    h = dropout(relu(W h_before + b)), layer by layer;   P(yes) = 1 / (1 + exp(-(w h + b)))

The book gives it one sentence, without code or settings: 88 % on bank marketing like its RBF network, at a higher cost.
That is the share of the clients who said no. Here words are one-hot, numbers bent by their quantiles, the day of the
year stands beside day and month, and the loss on rows held out is shown. `mlp_before_call` is not given `duration`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from handbook.contract import Split
from handbook.data import partition
from handbook.data.schema import categories, check_rows
from handbook.data.tables import Table
from handbook.evaluation import two_classes
from handbook.evaluation.report import Report
from handbook.training import encodings
from handbook.training.batches import Batches
from handbook.training.networks import Recipe, one_cycle, train
from handbook.training.run import Run, device

if TYPE_CHECKING:
    import pandas as pd

PRIMARY = "roc_auc"
JUDGING = 8192  # rows at a time where no gradient is kept


@dataclass(frozen=True)
class Params(partition.Task):
    epochs: int
    batch_size: int
    hidden: tuple[int, ...]  # units of each hidden layer
    dropout: float
    learning_rate: float  # peak of the cycle
    weight_decay: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.epochs, self.batch_size, *self.hidden) < 1:
            raise ValueError(f"epochs, batch_size and hidden must be 1 or more, found {self.epochs}, {self.hidden}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), found {self.dropout}")


class Model(nn.Module):
    """Encoded rows (B, inputs) in, log-odds (B,) of the second class out."""

    history_: list[dict[str, float]]

    def __init__(self, params: Params, **facts: Any) -> None:
        super().__init__()
        self.params, self.facts = params, facts
        layers: list[nn.Module] = []
        width = facts["inputs"]
        for units in params.hidden:
            layers += [nn.Linear(width, units), nn.ReLU(), nn.Dropout(params.dropout)]
            width = units
        self.layers = nn.Sequential(*layers, nn.Linear(width, 1))

    def forward(self, rows: Tensor) -> Tensor:
        outputs: Tensor = self.layers(rows)
        return outputs[:, 0]

    def training_step(self, batch: list[Tensor]) -> Tensor:
        rows, labels = batch
        return F.binary_cross_entropy_with_logits(self(rows), labels)

    def validation_step(self, batch: list[Tensor]) -> dict[str, Tensor]:
        rows, labels = batch
        outputs = self(rows)
        right = (outputs > 0) == (labels == 1)
        return {"loss": F.binary_cross_entropy_with_logits(outputs, labels), "accuracy": right.float().mean()}

    def recipe(self, steps: int) -> Recipe:
        p = self.params
        adam = torch.optim.AdamW(self.parameters(), p.learning_rate, weight_decay=p.weight_decay, fused=True)
        return one_cycle(adam, steps, div_factor=25, cycle_momentum=True)


def split(data: Table, params: Params) -> Split[Table]:
    """The book's test rows; a share of the others is there to choose the threshold by."""
    return partition.rows(data, params)


def fit(split: Split[Table], params: Params, run: Run | None = None) -> Model:
    """Train on the training rows but the validation rows; the last epoch's weights are the model."""
    torch.manual_seed(params.seed)
    encoding = encodings.scales(encodings.dated(split.train.features), {})
    inputs = encodings.encoded(encodings.dated(split.train.features.head(1)), encoding).shape[1]
    columns = categories(split.train.features)
    model = Model(
        params, inputs=inputs, encoding=encoding, columns=columns, classes=list(split.train.classes), threshold=0.5
    )

    def tensors(table: Table) -> tuple[Tensor, Tensor]:
        labels = torch.from_numpy(table.target.astype(np.float32))
        return _encoded(model, table.features).to(device()), labels.to(device())

    train(
        model,
        Batches(*tensors(split.train), size=params.batch_size, seed=params.seed),
        Batches(*tensors(split.valid), size=JUDGING) if split.valid else None,
        epochs=params.epochs,
        run=run,
    )
    model.facts["threshold"] = two_classes.threshold(params, split.valid, lambda rows: probabilities(model, rows))
    return model


def _encoded(model: Model, rows: pd.DataFrame) -> Tensor:
    return torch.from_numpy(encodings.encoded(encodings.dated(rows), model.facts["encoding"])).float()


@torch.inference_mode()
def probabilities(model: Model, rows: pd.DataFrame) -> npt.NDArray[np.float64]:
    """The probability (N,) that each row is of the second class, 0-1."""
    model = model.to(device())
    parts = torch.split(_encoded(model, rows), JUDGING)
    return np.asarray(torch.cat([model(part.to(device())).cpu().double().sigmoid() for part in parts]).numpy())


def predict(model: Model, inputs: pd.DataFrame) -> pd.DataFrame:
    """For each row: label, its name, and the probability of the second class. ValueError if a row is none of these."""
    rows = check_rows(inputs, model.facts["columns"])
    return two_classes.predictions(probabilities(model, rows), model.facts["threshold"], model.facts["classes"])


def example(split: Split[Table]) -> pd.DataFrame:
    """A few rows as a user would send them."""
    return split.test.features.head(4)


def evaluate(model: Model, split: Split[Table]) -> Report:
    """Judge on the test rows."""
    return two_classes.judge(model, probabilities(model, split.test.features), split)

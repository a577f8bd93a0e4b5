"""An ensemble of multilayer perceptrons on tables (section 7.3, as the rival of the RBF network).

Where an RBF network asks how near a row is to its centres, hidden units ask on which side of planes it lies
(Rumelhart, Hinton, Williams 1986). Planes through plain numbers bend too little for tables. So words are one-hot, and a
number is cut at its quantiles e_0 < e_1 < ... into pieces, and becomes how far it has come in each of them (Gorishniy,
Rubachev and Babenko 2022):

    x_t = clip((number - e_(t-1)) / (e_t - e_(t-1)), 0, 1),   t = 1 ... pieces

K members learn at once that share all but vectors (Wen, Tran and Ba 2020; Gorishniy, Kotelnikov and Babenko 2025):

    h_k = dropout(relu(s_k * W(r_k * h_k before) + b_k)), layer by layer;   P(yes) = mean of 1 / (1 + exp(-w_k h_k))

Signs drawn for the first r_k set the members apart; each has a loss of its own, and their probabilities are averaged.

The book gives its MLP one sentence, without code or settings: 88 % on bank marketing like its RBF network, at a higher
cost. That is the share of the clients who said no. `mlp_before_call` is not given `duration`.
"""

from __future__ import annotations

import itertools
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
from handbook.training.batches import Batches
from handbook.training.encodings import dated
from handbook.training.networks import Recipe, one_cycle, train
from handbook.training.run import Run, device

if TYPE_CHECKING:
    import pandas as pd

PRIMARY = "roc_auc"
JUDGING = 8192  # rows at a time where no gradient is kept
Encoding = dict[str, dict[str, Any]]  # of each column its `words`, or the `edges` that its numbers are cut at


@dataclass(frozen=True)
class Params(partition.Task):
    epochs: int
    batch_size: int
    members: int  # that share the weights
    pieces: int  # that a number is cut into, at most; fewer where values repeat
    hidden: tuple[int, ...]  # units of each hidden layer
    dropout: float
    learning_rate: float  # peak of the cycle
    weight_decay: float  # of the matrices; no member's vector decays

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.epochs, self.batch_size, self.members, self.pieces, *self.hidden) < 1:
            raise ValueError(
                f"epochs, batch_size, members, pieces and hidden must be 1 or more, found {self.epochs}, "
                f"{self.batch_size}, {self.members}, {self.pieces}, {self.hidden}"
            )
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), found {self.dropout}")


class Shared(nn.Module):
    """A dense layer of K members: (B, inputs) or (K, B, inputs) in, (K, B, outputs) out; the matrix is all members'."""

    def __init__(self, inputs: int, outputs: int, members: int, *, first: bool = False) -> None:
        super().__init__()
        bound = inputs**-0.5
        self.weight = nn.Parameter(torch.empty(inputs, outputs).uniform_(-bound, bound))
        signs = torch.randint(0, 2, (members, inputs, 1)) * 2.0 - 1
        self.before = nn.Parameter(signs if first else torch.ones(members, inputs, 1))
        self.after = nn.Parameter(torch.ones(members, 1, outputs))
        self.bias = nn.Parameter(torch.empty(members, 1, outputs).uniform_(-bound, bound))

    def matrices(self) -> Tensor:
        """Each member's own, (K, inputs, outputs): to scale a matrix costs less than to scale the rows of a batch."""
        return self.before * self.weight * self.after

    def forward(self, rows: Tensor) -> Tensor:
        return torch.matmul(rows, self.matrices()) + self.bias


class Model(nn.Module):
    """Encoded rows (B, inputs) in, each member's log-odds (K, B) of the second class out."""

    history_: list[dict[str, float]]

    def __init__(self, params: Params, **facts: Any) -> None:
        super().__init__()
        self.params, self.facts = params, facts
        widths = [facts["inputs"], *params.hidden]
        self.layers = nn.ModuleList(
            Shared(inputs, outputs, params.members, first=k == 0)
            for k, (inputs, outputs) in enumerate(itertools.pairwise(widths))
        )
        bound = widths[-1] ** -0.5  # the last layer is each member's own
        self.head = nn.Parameter(torch.empty(params.members, widths[-1], 1).uniform_(-bound, bound))
        self.head_bias = nn.Parameter(torch.zeros(params.members, 1, 1))

    def forward(self, rows: Tensor) -> Tensor:
        for layer in self.layers:
            rows = F.dropout(layer(rows).relu(), self.params.dropout, self.training)
        return (rows @ self.head + self.head_bias)[..., 0]

    def training_step(self, batch: list[Tensor]) -> Tensor:
        rows, labels = batch
        outputs = self(rows)
        return F.binary_cross_entropy_with_logits(outputs, labels.expand_as(outputs))

    def validation_step(self, batch: list[Tensor]) -> dict[str, Tensor]:
        rows, labels = batch
        chance = self(rows).sigmoid().mean(dim=0)
        right = (chance > 0.5) == (labels == 1)
        with torch.autocast(rows.device.type, enabled=False):  # torch takes no cross-entropy of 16-bit probabilities
            loss = F.binary_cross_entropy(chance.float(), labels)
        return {"loss": loss, "accuracy": right.float().mean()}

    def recipe(self, steps: int) -> Recipe:
        p = self.params
        matrices: list[Any] = [*(layer.weight for layer in self.layers), self.head]
        vectors = [each for each in self.parameters() if all(each is not matrix for matrix in matrices)]
        groups: list[dict[str, Any]] = [{"params": matrices}, {"params": vectors, "weight_decay": 0.0}]
        return one_cycle(torch.optim.AdamW(groups, p.learning_rate, weight_decay=p.weight_decay, fused=True), steps)


def encoding(features: pd.DataFrame, pieces: int) -> Encoding:
    """For `encoded`: words, and the different ones among the quantiles of numbers, by these rows."""
    columns: Encoding = {}
    for name, words in categories(features).items():
        if words is None:
            edges = np.unique(np.quantile(features[name].to_numpy(dtype=np.float64), np.linspace(0, 1, pieces + 1)))
            columns[name] = {"edges": edges.tolist() if len(edges) > 1 else [edges[0], edges[0] + 1.0]}
        else:
            columns[name] = {"words": words}
    return columns


def encoded(rows: pd.DataFrame, columns: Encoding) -> npt.NDArray[np.float32]:
    """Rows as values 0-1, (N, D), column by column in the order of their names; an unknown word counts as none."""
    blocks = []
    for name, how in sorted(columns.items()):
        if "words" in how:
            known = {word: k for k, word in enumerate(how["words"])}
            blocks.append(np.eye(len(known) + 1)[rows[name].map(known).fillna(len(known)).to_numpy(int), :-1])
        else:
            edges = np.array(how["edges"])
            blocks.append(np.clip((rows[name].to_numpy(float)[:, None] - edges[:-1]) / np.diff(edges), 0, 1))
    return np.concatenate(blocks, axis=1, dtype=np.float32, casting="same_kind")


def split(data: Table, params: Params) -> Split[Table]:
    """The book's test rows; a share of the others is there to choose the threshold by."""
    return partition.rows(data, params)


def fit(split: Split[Table], params: Params, run: Run | None = None) -> Model:
    """Train on the training rows but the validation rows; the last epoch's weights are the model."""
    torch.manual_seed(params.seed)
    columns = encoding(dated(split.train.features), params.pieces)
    inputs = encoded(dated(split.train.features.head(1)), columns).shape[1]
    facts = {"columns": categories(split.train.features), "classes": list(split.train.classes), "threshold": 0.5}
    model = Model(params, inputs=inputs, encoding=columns, **facts)

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
    return torch.from_numpy(encoded(dated(rows), model.facts["encoding"]))


@torch.no_grad()
def member_probabilities(model: Model, rows: pd.DataFrame) -> npt.NDArray[np.float64]:
    """What each member holds the probability to be that each row is of the second class, (K, N), 0-1."""
    model = model.to(device())
    parts = torch.split(_encoded(model, rows), JUDGING)
    return np.asarray(torch.cat([model(part.to(device())).cpu().double().sigmoid() for part in parts], dim=1).numpy())


def probabilities(model: Model, rows: pd.DataFrame) -> npt.NDArray[np.float64]:
    """The probability (N,) that each row is of the second class, 0-1: the members' mean."""
    return np.asarray(member_probabilities(model, rows).mean(axis=0))


def predict(model: Model, inputs: pd.DataFrame) -> pd.DataFrame:
    """For each row: label, its name, and the probability of the second class. ValueError if a row is none of these."""
    rows = check_rows(inputs, model.facts["columns"])
    return two_classes.predictions(probabilities(model, rows), model.facts["threshold"], model.facts["classes"])


def example(split: Split[Table]) -> pd.DataFrame:
    """A few rows as a user would send them."""
    return split.test.features.head(4)


def evaluate(model: Model, split: Split[Table]) -> Report:
    """Judge on the test rows; beside the mean of the members, what one of them is worth, on average."""
    return two_classes.judge_members(model, member_probabilities(model, split.test.features), split)

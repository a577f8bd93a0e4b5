"""A recurrent network that writes on, a character at a time (section 5.6; Hochreiter and Schmidhuber 1997).

The network reads a character, updates its memory, and names a chance for each character that may come next:

    h_t = cell(embedding(x_t), h_(t-1)),   P(x_(t+1) | x_1 ... x_t) = softmax(W h_t + b)

The book trains two LSTM layers of 300 on Macbeth in lower case. It hands the index of a character in as a number, as if
`b` lay between `a` and `c`; learns one character from each window of 50, so that 49 of 50 steps teach nothing; holds no
text out; and writes by always taking the likeliest, which soon goes round in circles. That is the block
`char_lstm_book`. In the others a character has an embedding, every step has a target, and the memory is carried from
window to window (truncated back-propagation, Williams and Peng 1990); `char_rnn` and `char_gru` have other cells.

Judged on the last tenth of the text, which no training sees, in bits a character: what the text would take if the model
were used to compress it. Beside it an n-gram model with modified Kneser-Ney smoothing (Chen and Goodman 1998).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from handbook.cases.char_lstm import gates
from handbook.contract import Split
from handbook.data import texts
from handbook.data.texts import Codes, Passage, Request, Text
from handbook.evaluation import language
from handbook.evaluation.report import Report
from handbook.training.batches import Batches
from handbook.training.networks import Recipe, decayed, on_one_thread, one_cycle, train
from handbook.training.run import Run, device

if TYPE_CHECKING:
    import pandas as pd


INPUT = "prompts"  # what `python -m handbook predict` reads for it
PRIMARY = "bits_per_character"
LOWER_IS_BETTER = True
CELLS: dict[str, Any] = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
Memory = Any  # what a cell keeps between steps: a tensor (layers, B, hidden), for the LSTM two of them
CONTEXT = 500  # characters that are read before the first that is judged
WRITTEN = {True: (500, 4), False: (150, 2)}  # characters for each of so many prompts; fewer where a window each is read
PIECE = 2048  # steps, or windows, at a time where no gradient is kept


@dataclass(frozen=True)
class Params:
    seed: int  # of the weights, the order, the dropout and where an epoch begins
    epochs: int
    cell: str  # rnn, gru or lstm
    lower_case: bool  # as the book does; else the model tells capitals, and has more to learn
    embedding: int  # width of a character's vector; 0: its index as a number from 0 to 1, as the book does
    hidden_size: int  # width of the memory
    layers: int
    rotations: bool  # recurrent weights start orthogonal (Saxe et al. 2014), forget gates open (Gers et al. 2000)
    dropout: float  # of what each layer hands on
    input_dropout: float  # of the embedding
    window: int  # characters through which an error travels back
    batch_size: int  # windows a step, which are as many places of the text read at once
    many_to_many: bool  # a target at every step and the memory carried on; else one a window, from an empty memory
    window_share: float  # of the windows with one target, how many an epoch looks at: 1 is the book's recipe
    learning_rate: float  # constant, or the peak of the cycle
    weight_decay: float
    one_cycle: bool  # rate rises to its peak over the first fifth, then falls to zero (Smith and Topin 2018)
    clip: float  # greatest length of the gradient (Pascanu et al. 2013); 0: any
    held_out: float  # the last share of the text, to judge on
    validation_share: float  # the last share of the rest, for the learning curves

    def __post_init__(self) -> None:
        if self.cell not in CELLS:
            raise ValueError(f"cell must be one of {', '.join(CELLS)}, found {self.cell}")
        least = min(self.epochs, self.batch_size, self.hidden_size, self.layers, self.window)
        if least < 1 or self.embedding < 0:
            raise ValueError(f"epochs, batch_size, hidden_size, layers and window must be 1 or more, found {least}")
        for name in ("dropout", "input_dropout", "validation_share"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be in [0, 1), found {getattr(self, name)}")
        if not 0 < self.held_out < 1 or not 0 < self.window_share <= 1:
            raise ValueError(
                f"held_out, window_share must be in (0, 1), (0, 1], found {self.held_out}, {self.window_share}"
            )


class Model(nn.Module):
    """Characters (B, T) as numbers in, a logit (B, T, V) for each that may come next out, and the memory then."""

    history_: list[dict[str, float]]

    def __init__(self, params: Params, alphabet: str) -> None:
        super().__init__()
        self.params, self.facts, self.alphabet = params, {"alphabet": alphabet}, alphabet
        if params.embedding:
            self.embed = nn.Embedding(len(alphabet), params.embedding)
        self.layers = nn.ModuleList(
            CELLS[params.cell](params.hidden_size if k else params.embedding or 1, params.hidden_size, batch_first=True)
            for k in range(params.layers)
        )
        self.head = nn.Linear(params.hidden_size, len(alphabet))
        self.memory: Memory = None
        if params.rotations:
            self._rotate()

    def _rotate(self) -> None:
        """Memory that neither fades nor grows at first: orthogonal recurrence, a forget gate that lets pass."""
        for name, each in self.layers.named_parameters():
            if "weight_hh" in name:
                nn.init.orthogonal_(each)
            elif self.params.cell == "lstm" and "bias_ih" in name:
                each.data[len(each) // 4 : len(each) // 2] += 1  # the gates are input, forget, cell, output

    def forward(self, text: Tensor, memory: Memory = None) -> tuple[Tensor, Memory]:
        p = self.params
        if p.embedding:
            signal = F.dropout(self.embed(text), p.input_dropout, self.training)  # (B, T) -> (B, T, embedding)
        else:
            signal = (text / len(self.alphabet)).unsqueeze(2)  # (B, T) -> (B, T, 1)
        after: list[Memory] = []
        for k, layer in enumerate(self.layers):
            signal, kept = layer(signal, memory[k] if memory else None)  # -> (B, T, hidden)
            signal = F.dropout(signal, p.dropout, self.training)
            after.append(kept)
        return self.head(signal), after

    def start_epoch(self, number: int) -> None:
        torch.manual_seed(self.params.seed * 1_000_003 + number)
        self.memory = None

    def training_step(self, batch: list[Tensor]) -> Tensor:
        inputs, targets = batch[0][:, :-1], batch[0][:, 1:]
        if not self.params.many_to_many:
            return F.cross_entropy(self(inputs)[0][:, -1].float(), targets[:, -1])
        logits, memory = self(inputs, self.memory)
        self.memory = [tuple(m.detach() for m in each) if isinstance(each, tuple) else each.detach() for each in memory]
        return F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten())

    def validation_step(self, batch: list[Tensor]) -> dict[str, Tensor]:
        return {"loss": self.surprise(batch[0][0], self.params.window).mean()}

    def recipe(self, steps: int) -> Recipe:
        p = self.params
        groups = decayed(self, p.weight_decay)
        if not p.one_cycle:
            return torch.optim.AdamW(groups, p.learning_rate, fused=True), None
        return one_cycle(torch.optim.AdamW(groups, p.learning_rate, betas=(0.9, 0.99), fused=True), steps)

    def surprise(self, text: Tensor, first: int) -> Tensor:
        """Nats (N - first,) that each character of a text (N,) costs from place `first` on, given those before it.

        With one target a window, each is predicted from the window before it, as in training.
        """
        p = self.params
        if not p.many_to_many:
            windows = text[first - p.window : -1].unfold(0, p.window, 1)  # (N - first, window), a view
            logits = torch.cat([self(piece)[0][:, -1].float() for piece in torch.split(windows, PIECE)])
            return F.cross_entropy(logits, text[first:], reduction="none")
        pieces, memory = [], None
        for piece in torch.split(text[:-1], PIECE):
            logits, memory = self(piece[None], memory)
            pieces.append(logits[0].float())
        return F.cross_entropy(torch.cat(pieces)[first - 1 :], text[first:], reduction="none")


def split(data: Text, params: Params) -> Split[Passage]:
    """The last share of the text to judge on, the last share of the rest for the learning curves.

    A HandbookError if the text is too short for that.
    """
    p = params
    return texts.parts(
        data, lower_case=p.lower_case, held_out=p.held_out, validation=p.validation_share, window=p.window
    )


def fit(split: Split[Passage], params: Params, run: Run | None = None) -> Model:
    """Train on the training part of a text; the last epoch's weights are the model."""
    torch.manual_seed(params.seed)
    with on_one_thread():  # an orthogonal matrix drawn by two threads has other last digits
        model = Model(params, split.train.alphabet)
    starts, size, prepare = windows(torch.from_numpy(split.train.codes).to(device()), params)
    watched = split.development.codes[len(split.train) - params.window :]
    train(
        model,
        Batches(starts, size=size, seed=None if params.many_to_many else params.seed, prepare=prepare),
        Batches(torch.from_numpy(watched)[None].to(device()), size=1) if split.valid else None,
        epochs=params.epochs,
        run=run,
        clip=params.clip,
    )
    return model


def windows(text: Tensor, params: Params) -> tuple[Tensor, int, Callable[[Tensor, int], Tensor]]:
    """Where the windows of a text (N,) start, how many make a step, and what cuts them out, (B, window + 1).

    Each epoch begins at another place of the text, which is read in a circle, so that no character is always the first
    of a window; where only a share of the windows is looked at, each epoch looks at other ones.
    """
    if params.many_to_many:
        start, size = texts.streams(len(text), params.window, params.batch_size)
        shifts = len(text)
    else:
        size, shifts = params.batch_size, round(1 / params.window_share)
        start = np.arange(0, len(text) - params.window - shifts + 1, shifts)
    within = torch.arange(params.window + 1, device=text.device)

    def prepare(first: Tensor, epoch: int) -> Tensor:
        shift = int(np.random.default_rng([params.seed, epoch]).integers(shifts))
        return text[(first[:, None] + shift + within) % len(text)]

    return torch.from_numpy(start).to(text.device), size, prepare


@torch.no_grad()
def bits(model: Model, codes: Codes, before: Codes) -> npt.NDArray[np.float64]:
    """Bits (N,) that each character costs, given those before it and the text before the first."""
    model = model.to(device()).eval()
    context = before[-max(CONTEXT, model.params.window) :]
    text = torch.from_numpy(np.concatenate([context, codes])).to(device())
    return np.asarray((model.surprise(text, len(context)).cpu().double() / language.NATS).numpy())


@torch.no_grad()
def continued(model: Model, requests: Sequence[Request]) -> list[str]:
    """The prompt of each request and what the model writes after it."""
    model = model.to(device()).eval()
    p, read = model.params, 0
    memory: Memory = None

    def follow(text: Tensor) -> Tensor:
        nonlocal memory, read
        unread = text[:, read:] if p.many_to_many else text[:, -p.window :]
        logits, kept = model(unread.to(device()), memory)
        if p.many_to_many:
            memory, read = kept, text.shape[1]
        last: Tensor = logits[:, -1]
        return last

    return texts.written(follow, requests, model.alphabet, lower_case=p.lower_case)


def predict(model: Model, inputs: pd.DataFrame | Sequence[str]) -> pd.DataFrame:
    """The text that goes on from each prompt, the prompt included, in the column `text`.

    `inputs` is a list of prompts or a table with the column `prompt` and any of `length`, `temperature`, `top_k`,
    `top_p` and `seed`. ValueError if a prompt is empty or holds a character that the training text has not.
    """
    return language.answers(lambda requests: continued(model, requests), inputs)


def example(split: Split[Passage]) -> pd.DataFrame:
    """Prompts as a user would send them; a setting that is missing in one of them may be left out."""
    return language.example(split)


def evaluate(model: Model, split: Split[Passage]) -> Report:
    """Judge on the held-out last share of the text, beside an n-gram, and look at what the model writes.

    The text may be another than the model learnt from. HandbookError for characters that the model has never seen.
    """
    split = texts.renumbered(split, model.alphabet)
    length, prompts = WRITTEN[model.params.many_to_many]
    judged = language.judge(
        lambda codes, before: bits(model, codes, before),
        split,
        lambda requests: continued(model, requests),
        rng=np.random.default_rng(model.params.seed),
        length=length,
        prompts=prompts,
    )
    return replace(judged, figures=language.curves(model.history_) | judged.figures | gates.figures(model, split))

"""A small transformer that writes on, a character at a time (Vaswani et al. 2017; the decoder alone, Radford 2018).

Where a recurrent network carries a memory from character to character, each place here looks back at all places before
it in a window, and nothing is carried from window to window:

    x = embedding(c) + position(t);   x <- x + attention(norm(x)),  x <- x + mlp(norm(x)),  block by block
    attention = softmax(Q K' / sqrt(d), places before alone) V,   P(next) = softmax(E norm(x)),  E the embedding

The setting is that of nanoGPT for a processor (Karpathy 2022, its README and `config/train_shakespeare_char.py`): 4
blocks, 4 heads, 128 wide, windows of 64, 12 of them a step, 2,000 steps; norms before the blocks, no biases, the output
layer tied to the embedding. It reports 1.88 nats a character on the last tenth of tiny Shakespeare after three minutes,
and 1.4697 for a network of 6 blocks, 384 wide, on an A100. Not in the book, whose section 5.7 ends before attention.

Judged as `char_lstm` is, on the last tenth of the text in bits a character, each character given at least three
quarters of a window; `nats_in_windows` is nanoGPT's way, each window read from its beginning, where little is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from handbook.cases.char_transformer import attention
from handbook.contract import Split
from handbook.data import texts
from handbook.data.texts import Codes, Passage, Request, Text
from handbook.evaluation import language
from handbook.evaluation.report import Report
from handbook.training.batches import Batches
from handbook.training.networks import Recipe, decayed, train
from handbook.training.run import Run, device

if TYPE_CHECKING:
    import pandas as pd


INPUT = "prompts"  # what `python -m handbook predict` reads for it
PRIMARY = "bits_per_character"
LOWER_IS_BETTER = True
SPREAD = 0.02  # of the weights at the start (Radford et al. 2018)
OVERLAP = 4  # windows by which a text is judged begin a quarter of a window apart
PIECE = 256  # windows at a time where no gradient is kept
WRITTEN = (300, 2)  # characters for each of so many prompts: every one costs a window


@dataclass(frozen=True)
class Params:
    seed: int  # of the weights, the windows and the dropout
    epochs: int
    steps: int  # of an epoch, each of `batch_size` windows drawn anywhere in the text
    batch_size: int
    lower_case: bool
    layers: int  # blocks
    heads: int
    width: int  # of a place's vector, a multiple of the heads
    context: int  # characters of a window: as far back as it ever looks
    dropout: float
    learning_rate: float  # at its peak
    least_rate: float  # where the cosine ends
    warm_up: int  # steps until the peak
    weight_decay: float
    beta2: float  # AdamW's memory of squared gradients
    clip: float  # greatest length of the gradient; 0: any
    held_out: float  # the last share of the text, to judge on
    validation_share: float  # the last share of the rest, for the learning curves and the mixture

    def __post_init__(self) -> None:
        whole = ("epochs", "steps", "batch_size", "layers", "heads", "width", "context")
        for name in whole:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, found {getattr(self, name)}")
        if self.width % self.heads:
            raise ValueError(f"width must be a multiple of the heads, found {self.width} for {self.heads} heads")
        for name in ("dropout", "validation_share"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be in [0, 1), found {getattr(self, name)}")
        if not 0 < self.held_out < 1:
            raise ValueError(f"held_out must be in (0, 1), found {self.held_out}")


class Block(nn.Module):
    """What every place takes from those before it, then what it makes of that; each added to what it was."""

    def __init__(self, params: Params) -> None:
        super().__init__()
        self.heads, self.dropout, width = params.heads, params.dropout, params.width
        self.before_attention, self.before_mlp = (nn.LayerNorm(width, bias=False) for _ in range(2))
        self.ask = nn.Linear(width, 3 * width, bias=False)  # queries, keys and values of all heads
        self.gather = nn.Linear(width, width, bias=False)
        self.widen = nn.Linear(width, 4 * width, bias=False)
        self.narrow = nn.Linear(4 * width, width, bias=False)

    def projected(self, x: Tensor) -> Tensor:
        """Queries, keys and values (3, B, heads, T, width / heads) of places (B, T, width)."""
        batch, places, width = x.shape
        parts: Tensor = self.ask(self.before_attention(x)).view(batch, places, 3, self.heads, width // self.heads)
        return parts.permute(2, 0, 3, 1, 4)

    def forward(self, x: Tensor) -> Tensor:
        drop = self.dropout if self.training else 0.0
        query, key, value = self.projected(x)
        found = F.scaled_dot_product_attention(query, key, value, dropout_p=drop, is_causal=True)
        x = x + F.dropout(self.gather(found.transpose(1, 2).flatten(2)), drop)  # (B, heads, T, d) -> (B, T, width)
        return x + F.dropout(self.narrow(F.gelu(self.widen(self.before_mlp(x)))), drop)


class Model(nn.Module):
    """Characters (B, T) as numbers in, T at most the context; a logit (B, T, V) for each that may come next out."""

    history_: list[dict[str, float]]

    def __init__(self, params: Params, alphabet: str) -> None:
        super().__init__()
        self.params, self.facts, self.alphabet = params, {"alphabet": alphabet}, alphabet
        self.embed = nn.Embedding(len(alphabet), params.width)
        self.place = nn.Embedding(params.context, params.width)
        self.blocks = nn.ModuleList(Block(params) for _ in range(params.layers))
        self.norm = nn.LayerNorm(params.width, bias=False)
        for name, each in self.named_parameters():
            if each.ndim > 1:  # what is added to the stream is the smaller, the more blocks add (Radford et al. 2019)
                last = name.endswith(("gather.weight", "narrow.weight"))
                nn.init.normal_(each, std=SPREAD / math.sqrt(2 * params.layers) if last else SPREAD)

    def stream(self, text: Tensor) -> Tensor:
        """What enters the first block (B, T, width)."""
        found = self.embed(text) + self.place.weight[: text.shape[1]]
        return F.dropout(found, self.params.dropout, self.training)

    def forward(self, text: Tensor) -> Tensor:
        x = self.stream(text)
        for block in self.blocks:
            x = block(x)
        return F.linear(self.norm(x), self.embed.weight)  # one matrix for both ends (Press and Wolf 2017)

    def training_step(self, batch: list[Tensor]) -> Tensor:
        logits = self(batch[0][:, :-1])
        return F.cross_entropy(logits.flatten(0, 1).float(), batch[0][:, 1:].flatten())

    def validation_step(self, batch: list[Tensor]) -> dict[str, Tensor]:
        return {"loss": self.surprise(batch[0][0], 1, self.params.context).mean()}

    def recipe(self, steps: int) -> Recipe:
        p = self.params
        groups = decayed(self, p.weight_decay)
        optimiser = torch.optim.AdamW(groups, p.learning_rate, betas=(0.9, p.beta2), fused=True)
        return optimiser, torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: rate(step, steps, p))

    def surprise(self, text: Tensor, first: int, stride: int) -> Tensor:
        """Nats (N - first,) that each character of a text (N,) costs from place `first` on, given those before it.

        Windows begin `stride` apart, so that each has at least a context less the stride before it, as far as the text
        goes back. A stride of the context reads each window from its beginning, as in training.
        """
        ends = len(text) - 1
        length = min(self.params.context, ends)
        stride = min(stride, length)
        place = torch.arange(first, ends + 1, device=text.device)
        window = (place - first) // stride  # that judges the place
        starts = (first + (torch.arange(int(window[-1]) + 1, device=text.device) + 1) * stride - 1 - length).clamp(
            0, ends - length
        )
        inputs = text[starts[:, None] + torch.arange(length + 1, device=text.device)]  # (windows, length + 1)
        costs = [
            F.cross_entropy(self(piece[:, :-1]).transpose(1, 2).float(), piece[:, 1:], reduction="none")
            for piece in torch.split(inputs, PIECE)
        ]
        return torch.cat(costs)[window, place - 1 - starts[window]]


def rate(step: int, steps: int, params: Params) -> float:
    """The rate at a step as a share of its peak: up in a line, then down half a cosine (Loshchilov and Hutter 2017)."""
    if step < params.warm_up:
        return (step + 1) / (params.warm_up + 1)
    least = params.least_rate / params.learning_rate
    done = min(1.0, (step - params.warm_up) / max(1, steps - params.warm_up))
    return least + (1 - least) * (1 + math.cos(math.pi * done)) / 2


def split(data: Text, params: Params) -> Split[Passage]:
    """The last share of the text to judge on, the last share of the rest for the learning curves.

    A HandbookError if the text is too short for that.
    """
    p = params
    return texts.parts(
        data, lower_case=p.lower_case, held_out=p.held_out, validation=p.validation_share, window=p.context
    )


def fit(split: Split[Passage], params: Params, run: Run | None = None) -> Model:
    """Train on the training part of a text; the last epoch's weights are the model."""
    torch.manual_seed(params.seed)
    model = Model(params, split.train.alphabet)
    text = torch.from_numpy(split.train.codes).to(device())
    watched = split.development.codes[len(split.train) - 1 :]
    passes = len(text) // (params.batch_size * params.context)  # steps that read as many characters as there are
    train(
        model,
        Batches(
            torch.arange(max(1, min(params.steps, passes)) * params.batch_size, device=device()),
            size=params.batch_size,
            seed=params.seed,
            prepare=windows(text, params),
        ),
        Batches(torch.from_numpy(watched)[None].to(device()), size=1) if split.valid else None,
        epochs=params.epochs,
        run=run,
        clip=params.clip,
    )
    return model


def windows(text: Tensor, params: Params) -> Callable[[Tensor, int], Tensor]:
    """What gives the windows (B, context + 1) of the numbers (B,) that they have in an epoch: each lies anywhere."""
    within = torch.arange(params.context + 1, device=text.device)

    def prepare(which: Tensor, epoch: int) -> Tensor:
        rng = np.random.default_rng([params.seed, epoch])
        starts = rng.integers(len(text) - params.context, size=params.steps * params.batch_size)
        return text[torch.from_numpy(starts).to(text.device)[which][:, None] + within]

    return prepare


@torch.no_grad()
def bits(model: Model, codes: Codes, before: Codes, overlap: int = OVERLAP) -> npt.NDArray[np.float64]:
    """Bits (N,) that each character costs, given those before it and the text before the first.

    Windows overlap so many times; 1: each is read from its beginning.
    """
    model = model.to(device()).eval()
    size = model.params.context
    known = before[-size:] if overlap > 1 else before[-1:]
    text = torch.from_numpy(np.concatenate([known, codes])).to(device())
    nats = model.surprise(text, len(known), max(1, size // overlap))
    return np.asarray((nats.cpu().double() / language.NATS).numpy())


@torch.no_grad()
def continued(model: Model, requests: Sequence[Request]) -> list[str]:
    """The prompt of each request and what the model writes after it, looking back a context at most."""
    model = model.to(device()).eval()

    def follow(text: Tensor) -> Tensor:
        last: Tensor = model(text[:, -model.params.context :].to(device()))[:, -1]
        return last

    return texts.written(follow, requests, model.alphabet, lower_case=model.params.lower_case)


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
    """Judge on the held-out last share of the text, beside an n-gram, and look at what it writes and looks back at.

    The text may be another than the model learnt from. HandbookError for characters that the model has never seen.
    """
    split = texts.renumbered(split, model.alphabet)
    length, prompts = WRITTEN
    judged = language.judge(
        lambda codes, before: bits(model, codes, before),
        split,
        lambda requests: continued(model, requests),
        rng=np.random.default_rng(model.params.seed),
        length=length,
        prompts=prompts,
    )
    apart = bits(model, split.test.codes, split.development.codes, overlap=1).mean() * language.NATS
    metrics: dict[str, Any] = judged.metrics | {"nats_in_windows": float(apart)}
    figures = language.curves(model.history_) | judged.figures | attention.figures(model, split)
    return replace(judged, metrics=metrics, figures=figures)

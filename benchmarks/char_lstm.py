"""Macbeth a character at a time, on one thread: how long until the training loss is where the book's recipe ends.

*book* is the case `char_lstm_book` in float32 with every window, 10 epochs; of these 1/20 is run, and its time is
multiplied. Where its loss ends is not measured but extrapolated: it goes on along the logarithm of the steps as it
fell over the second half of what was run. So there is a third line, which needs no such guess: the whole of our
training, to a loss that the book's is given for nothing. *ours* is the case `char_lstm`; its loss is the one that its
dropout leaves, which is higher than the network's own. Both train through `handbook.training`.
"""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import numpy as np

from handbook import datasets
from handbook.cases import char_lstm
from handbook.project import Project
from handbook.training.run import Run

SHARE, EPOCHS, BOOKS_EPOCHS = 0.05, 10, 10  # 10 epochs over a twentieth of the windows are a twentieth of the book's


def run() -> list[str]:
    """The table: what is reached, in which time, by whom."""
    project = Project.here()
    text = datasets.page("macbeth").load(project.data("macbeth"))
    book = dataclasses.replace(
        project.case("char_lstm_book").params,
        epochs=EPOCHS, window_share=SHARE, validation_share=0.0,
    )  # fmt: skip
    theirs, spent = timed(text, book)
    ours, seconds = timed(text, dataclasses.replace(project.case("char_lstm").params, validation_share=0.0))
    whole = spent[-1] * BOOKS_EPOCHS / (EPOCHS * SHARE)
    end = extrapolated(theirs, BOOKS_EPOCHS / SHARE)
    rows = [
        ("the part that was run", theirs[-1], spent[-1], reached(ours, seconds, theirs[-1])),
        ("its end, extrapolated", end, whole, reached(ours, seconds, end)),
        ("the end of ours, given to the book", ours[-1], whole, seconds[-1]),
    ]
    return [
        "| | training loss, bits a character | book, seconds | ours, seconds | times faster |",
        "|---|---:|---:|---:|---:|",
        *(f"| {what} | {loss:.2f} | {a:,.0f} | {b:.1f} | **{a / b:.0f}** |" for what, loss, a, b in rows),
    ]


def timed(text: Any, params: char_lstm.Params) -> tuple[list[float], list[float]]:
    """The training loss of each epoch in bits, and the seconds from the start until its end, the start-up left out."""
    losses: list[float] = []
    ends: list[float] = []

    def tell(row: dict[str, float]) -> None:
        losses.append(row["train_loss"] / float(np.log(2)))
        ends.append(time.perf_counter())

    model = char_lstm.fit(char_lstm.split(text, params), params, Run(tell=tell))
    first = float(model.training_["seconds"]) - (ends[-1] - ends[0])  # type: ignore[index]  # of the first epoch
    return losses, [first + end - ends[0] for end in ends]


def reached(losses: list[float], seconds: list[float], loss: float) -> float:
    """After how many seconds the loss was no higher, at the end of an epoch; the last epoch's if it never was."""
    return next((after for now, after in zip(losses, seconds, strict=True) if now <= loss), seconds[-1])


def extrapolated(losses: list[float], epochs: float) -> float:
    """The loss after so many epochs if it goes on falling with their logarithm as in the second half of these."""
    half = len(losses) // 2
    slope, start = np.polyfit(np.log(np.arange(half, len(losses)) + 1.0), losses[half:], 1)
    return float(start + slope * np.log(epochs))

"""Models that know nothing, in the place of champions: what the page does with them is what it does with any."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import torch

from handbook import datasets
from handbook.project import Project
from handbook.serving.choice import Chosen
from handbook.serving.demo.models import Models
from tests.conftest import ROOT

ALPHABET = "\n .abcdefghijklmnopqrstuvwxyz"
CLIENTS = pd.DataFrame({"age": [30, 60], "job": pd.array(["student", "retired"], dtype="str")})


def _likely(rows: pd.DataFrame) -> Any:
    return (1 / (1 + np.exp(-0.05 * (rows["age"] - 45) * (rows["job"] == "retired")))).to_numpy()


def _answers(rows: pd.DataFrame) -> pd.DataFrame:
    label = (_likely(rows) > 0.5).astype(int)
    return pd.DataFrame({"label": label, "name": np.array(["no", "yes"])[label], "probability": _likely(rows)})


def client() -> Chosen:
    page = SimpleNamespace(
        predict=lambda _, rows: _answers(rows), probabilities=lambda _, rows: _likely(rows), __name__="toy"
    )
    case: Any = SimpleNamespace(name="boosting_before_call", page=page, dataset="bank_marketing")
    facts = {"columns": {"age": None, "job": ["retired", "student"]}, "classes": ["no", "yes"], "threshold": 0.2}
    return Chosen(case, SimpleNamespace(facts=facts), "clients version 1", CLIENTS)


def seeing(title: str, *classes: str) -> Chosen:
    case = Project(ROOT).case("digits")
    pictures = np.random.default_rng(0).integers(0, 256, (4, 28, 28)).astype(np.uint8)
    pictures[:, [0, -1]] = pictures[:, :, [0, -1]] = 0
    return Chosen(case, case.page.Model(case.params, list(classes)).eval(), title, pictures)


def drawing() -> Chosen:
    case = Project(ROOT).case("gan_conditional")
    return Chosen(case, case.page.Model(case.params, 10), "digits drawn", pd.DataFrame({"seed": [0], "label": [7]}))


def writing() -> Chosen:
    case = Project(ROOT).case("char_lstm")
    params = dataclasses.replace(case.params, hidden_size=8, embedding=4)
    return Chosen(case, case.page.Model(params, ALPHABET).eval(), "a text")


def placing(samples: Callable[[str], Path]) -> Chosen:
    case = Project(ROOT).case("som_applications")
    params = dataclasses.replace(case.params, grid_rows=4, grid_columns=4, hexagonal=True, epochs=1)
    data = datasets.page(case.dataset).load(samples(case.dataset))
    model = case.page.fit(case.page.split(data, params), params)
    return Chosen(case, model, "a map", data.features.head(2), entry={"data": "sample"})


def toys(samples: Callable[[str], Path]) -> Models:
    """All six, none of which is looked for in a registry."""
    torch.manual_seed(0)
    models = Models(Project(ROOT))
    models.chosen |= {
        "digit": seeing("digits version 1", *map(str, range(10))),
        "garment": seeing("garments version 2", *(f"garment {k}" for k in range(10))),
        "drawing": drawing(),
        "writing": writing(),
        "client": client(),
        "transaction": placing(samples),
    }
    return models

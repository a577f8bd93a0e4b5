"""The settings that the book prints of its models of tables: the RBF network (7.3), the self-organising map (8.5)."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch

from handbook.cases import rbf_network
from handbook.cases import self_organising_map as som
from handbook.cases.self_organising_map.drawings import MARKS
from handbook.claims.setting import Setting
from handbook.data.tables import Table
from handbook.datasets import bank_marketing, credit_card_applications
from handbook.evaluation import two_classes
from handbook.training import encodings

Params = Any
ATTRIBUTES = [name for name in credit_card_applications.COLUMNS if name.startswith("A")]


def scaled_by_the_training_rows(p: Params) -> bool:
    """Whether the training rows of a table, and not all of them, have mean 0 and deviation 1 to the network."""
    import pandas as pd

    rng = np.random.default_rng(0)
    toy = Table(pd.DataFrame({"x": rng.gamma(2, size=60)}), np.arange(60) % 2, ("no", "yes"))
    split = rbf_network.split(toy, p)
    model = rbf_network.fit(split, dataclasses.replace(p, n_components=2))
    x = encodings.encoded(split.train.features, model.facts["encoding"])
    return bool(np.isclose(x.mean(), 0) and np.isclose(x.std(), 1))


def activation(p: Params) -> float:
    """Of a unit at a distance of the printed sigma, d / sqrt(2 M): 1 for eight centres at most 4 apart."""
    centres = torch.linspace(0, 4, 8, dtype=torch.float64)[:, None]
    sigma = p.width * rbf_network.spread(centres, p.neighbours)
    return float(rbf_network.activations(torch.ones(1, 1, dtype=torch.float64), centres[:1], sigma, intercept=False))


def scaled_by_the_map(p: Params) -> Any:
    """An attribute of 2, 4 and 6 as the map takes it."""
    import pandas as pd

    model = som.Model(p, like={"A1": None}, low={"A1": 2.0}, high={"A1": 6.0}, usual={}, threshold=0.0)
    return model.encode(pd.DataFrame({"A1": [2.0, 4.0, 6.0]})).numpy()


RBF = (
    Setting("7.3", "rbf_book", "attributes", "16", lambda p: len(bank_marketing.COLUMNS) - 1 - len(p.leave_out)),
    Setting("7.3", "rbf_book", "words are their place in the alphabet", "yes", lambda p: p.alphabetic),
    Setting("7.3", "rbf_book", "share of the test rows", "0.33", lambda p: p.test_share),
    Setting("7.3", "rbf_book", "seed of the split", "4", lambda p: p.split_seed),
    Setting("7.3", "rbf_book", "share of the other rows that chooses", "0 %", lambda p: p.validation_share),
    Setting("7.3", "rbf_book", "the training rows scale", "yes", scaled_by_the_training_rows),
    Setting("7.3", "rbf_book", "centres", "8", lambda p: p.n_components),
    Setting("7.3", "rbf_book", "found by k-means", "yes", lambda p: not p.sampled),
    Setting("7.3", "rbf_book", "in so many steps at most", "100", lambda p: rbf_network.LLOYD_STEPS),
    Setting("7.3", "rbf_book", "activation at a distance of sigma, e to the power of −¼", "0.7788", activation),
    Setting("7.3", "rbf_book", "an intercept", "no", lambda p: p.intercept),
    Setting("7.3", "rbf_book", "penalty of the weights", "0.0", lambda p: p.alpha),
    Setting("7.3", "rbf_book", "a logistic output", "no", lambda p: p.logistic),
    Setting("7.3", "rbf_book", "called from", "0.5", lambda p: p.threshold),
    Setting("7.3", "rbf_book", "what an output of just that is set to", "0.5",
            lambda p: float(two_classes.predictions(np.array([p.threshold]), p.threshold, ["no", "yes"])["label"][0]),
            "another", "1, as the words beside the listing have it"),
)  # fmt: skip

SOM = (
    Setting("8.5", "som_book", "attributes, A1 to A12", "12", lambda p: len(set(ATTRIBUTES) - set(p.ignore))),
    Setting("8.5", "som_book", "attributes, by its words", "15", lambda p: len(set(ATTRIBUTES) - set(p.ignore)),
            "another", "its listing takes twelve columns; the file has fourteen attributes, a number and a class"),
    Setting("8.5", "som_book", "codes are numbers", "yes", lambda p: p.numeric),
    Setting("8.5", "som_book", "attributes lie in", "0 to 1", scaled_by_the_map),
    Setting("8.5", "som_book", "rows that it learns from", "690",
            lambda p: round(credit_card_applications.ROWS["all"] * (1 - p.held_out)), "another",
            "a third is held out, and forged, to judge by; the book judges nothing"),
    Setting("8.5", "som_book", "rows and columns of the grid", "10 10", lambda p: (p.grid_rows, p.grid_columns)),
    Setting("8.5", "som_book", "sigma", "1.0", lambda p: p.sigma[0]),
    Setting("8.5", "som_book", "learning rate", "0.5", lambda p: p.learning_rate[0]),
    Setting("8.5", "som_book", "units begin on rows drawn at random", "yes", lambda p: not p.principal_start),
    Setting("8.5", "som_book", "iterations", "1,000", lambda p: p.iterations),
    Setting("8.5", "som_book", "iterations, by its words", "100", lambda p: p.iterations, "another",
            "its listing has 1,000"),
    Setting("8.5", "som_book", "marks of the two classes", "o s", lambda p: " ".join(MARKS)),
)  # fmt: skip

SETTINGS = RBF + SOM

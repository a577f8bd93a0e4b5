"""Chapter 8, self-organising maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from handbook.cases.self_organising_map import maps
from handbook.claims.claim import Claim, Data, check, foreign, metric, right, rows, unchecked, wrong
from handbook.claims.trials import runs
from handbook.datasets import credit_card_applications, credit_card_transactions

Array = npt.NDArray[np.float64]
# Section 8.4: a row, and the weights of nine nodes.
ROW = torch.tensor([[0.7, 0.6, 0.9]], dtype=torch.float64)
NODES = torch.tensor(
    [[0.31, 0.22, 0.10], [0.21, 0.34, 0.19], [0.39, 0.42, 0.45], [0.25, 0.32, 0.62], [0.24, 0.31, 0.16],
     [0.52, 0.33, 0.42], [0.31, 0.22, 0.10], [0.12, 0.41, 0.19], [0.34, 0.40, 0.51]], dtype=torch.float64,
)  # fmt: skip
TRANSACTIONS, FRAUDS = credit_card_transactions.ROWS["whole"], credit_card_transactions.FRAUD_SHARE["whole"]
ATTRIBUTES = [name for name in credit_card_applications.COLUMNS if name.startswith("A")]
CUSTOMERS = (  # of figure 8.5, as printed
    15776156, 15739548, 15662854, 15687688, 15713750, 15571121, 15726466, 15660390, 15663942, 15638610, 15644446,
    15585892, 15609356, 15803378, 15599440, 15693408, 15683168,
)  # fmt: skip


def winner() -> int:
    """The node that is nearest to the row, counted from 1."""
    return int(maps.matched(ROW, NODES)[0]) + 1


def distance(node: int) -> float:
    return float(torch.cdist(ROW, NODES)[0, node - 1])


def moved(node: int, rate: float = 0.5, near: float = 1.0) -> Array:
    """A node's weights after the row has pulled it, by the rate times how near it is to the winner, 0-1."""
    pull = torch.zeros(1, 9, dtype=torch.float64)
    pull[0, node - 1] = rate * near
    return np.asarray(maps.pulled(NODES, ROW, pull)[node - 1])


def short_rule_moves_neighbours_less() -> bool:
    """Whether the rule of 8.4.5, without a neighbourhood, moves a neighbour of influence ½ as that of 8.2 does."""
    before, row = np.asarray(NODES[5]), np.asarray(ROW[0])
    return bool(np.allclose(before + 0.5 * (row - before), moved(6, near=0.5)))


def decays() -> bool:
    values = np.asarray(maps.decayed((5.0, 0.1), torch.linspace(0, 1, 11, dtype=torch.float64)))
    return bool((np.diff(values) < 0).all() and np.allclose(np.diff(np.log(values)), np.diff(np.log(values))[0]))


def influence(squared: float, sigma: float = 1.0) -> float:
    return float(maps.neighbourhood(torch.tensor(squared, dtype=torch.float64), sigma))


def units_within(radius: float) -> int:
    """Of a grid of 10 x 10, how many lie within a radius of a unit in its middle, itself included."""
    squared = maps.Grid(10, 10, False).squared()[55]
    return int((squared <= radius**2).sum())


def radius_depends_on_scale() -> bool:
    """Whether a map of rows four times as large, from the same radius, is another than the map four times as large."""
    rows, grid = (
        torch.rand(60, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)),
        maps.Grid(3, 3, False),
    )
    one, four = (maps.batch(times * rows, times * rows[:9], grid, 5, (2.0, 1.0))[0] for times in (1, 4))
    return not torch.allclose(four, 4 * one)


def scaled_to_one() -> Array:
    x = np.random.default_rng(0).standard_normal((50, 3))
    return np.asarray((x - x.min(axis=0)) / (x.max(axis=0) - x.min(axis=0)))


def standardised() -> tuple[float, float]:
    x = 3 + 5 * np.random.default_rng(0).random(50)
    z = (x - x.mean()) / x.std()
    return abs(float(z.mean())), float(z.std())


def chosen_columns() -> int:
    """How many columns a slice from 1 to 13 takes."""
    return len(range(20)[1:13])


def amounts_are_there() -> bool:
    """Whether twelve columns have one of number 13."""
    return runs(lambda: np.zeros((1, chosen_columns()))[:, 13])


def customers(folder: Path) -> int:
    """How many of the printed customers are in the file."""
    known = set(credit_card_applications.load(folder).features.index)
    return sum(each in known for each in CUSTOMERS)


CLAIMS: tuple[Claim, ...] = (
    right("8.2", "the rule moves a node by rate and neighbourhood times its distance from the row: a half of a half",
          "0.25", lambda: float(((moved(6, near=0.5) - np.asarray(NODES[5])) / np.asarray(ROW[0] - NODES[5])).mean()),
          "of the way to the row"),
    unchecked("8.3", "cosine similarity in place of Euclid's distance", "–",
              "named, and not used anywhere; the lab `kohonen_maps` tries it"),
    right("8.4", "output nodes of a grid of 3 × 3", "9", lambda: len(maps.Grid(3, 3, False).squared()), "one a place"),
    right("8.4.1", "weights that a node carries, for rows of three numbers", "3", lambda: NODES.shape[1],
          "one a column"),
    right("8.4.1", "and for rows of twenty", "20",
          lambda: maps.random_start(torch.rand(30, 20, dtype=torch.float64), maps.Grid(3, 3, False),
                                    torch.Generator().manual_seed(0)).shape[1], "one a column"),
    wrong("8.4.1", "random weights put the nine nodes into different places: places", "9",
          lambda: len(np.unique(np.asarray(NODES), axis=0)), "the first and the seventh are the same"),
    wrong("8.4.2", "terms of the distance between rows of three, by the printed bounds 0 to n", "4",
          lambda: NODES.shape[1], "the sum has one too many; its coordinates count from 1"),
    wrong("8.4.2", "the best matching unit", "3", winner, "node 9 is nearer: 0.567 against 0.575"),
    wrong("8.4.2", "distance of node 3", "0.4", lambda: distance(3), "the root of 0.331"),
    wrong("8.4.2", "least distance of the nine", "0.4", lambda: distance(winner()), "the root of 0.322, of node 9"),
    unchecked("8.4.2", "distances of the first two nodes", "–",
              "they stand in pictures, figures 8.4c and 8.4d"),
    right("8.4.3", "the radius decays exponentially", "yes", decays, "by the same factor a step"),
    right("8.4.3", "in the end only the best unit is in its neighbourhood: units within a radius below 1", "1",
          lambda: units_within(0.9), "its neighbours on the grid are 1 away"),
    right("8.4.4", "radius for 10 by 10 and for 100 by 100, at half a side", "5 50",
          lambda: [each / 2 for each in (10, 100)],
          "the two examples follow one rule of thumb"),
    wrong("8.4.4", "the case study follows it: its radius on 10 by 10", "5",
          lambda: 1.0 * maps.Grid(10, 10, False).rows / 10,
          "section 8.5 takes 1, which the rule for scaled columns names"),
    wrong("8.4.4", "the radius to begin with depends on the scale of the rows", "yes", radius_depends_on_scale,
          "of rows four times as large it is the same map, four times as large: a radius counts steps of the grid"),
    right("8.4.4", "a radius of 4 is a good start for standardised columns: topographic error by that from 1",
          "below 1", check("kohonen_maps", "topographic error at sigma 4 by that at 1, standardised"), "on 10 by 10"),
    wrong("8.4.4", "a radius of 1 suits columns of 0 to 1: topographic error from 4 by that from 1", "above 1",
          check("kohonen_maps", "topographic error at sigma 4 by that at 1, 0 to 1"),
          "4 is better there too: from 1 no unit draws others than its neighbours"),
    wrong("8.4.5", "the rule moves a neighbour less than the winner, as that of section 8.2", "yes",
          short_rule_moves_neighbours_less, "it has no neighbourhood in it: all would move by the whole rate"),
    wrong("8.4.5", "the best matching unit, as this section names it", "4", winner,
          "it moves the weights of node 3, after 8.4.2 had named 3; the nearest is 9"),
    right("8.4.5", "distances of node 3 from the row", "0.31 0.18 0.45", lambda: np.asarray(ROW[0] - NODES[2]),
          "number by number"),
    right("8.4.5", "half of them", "0.155 0.09 0.225", lambda: moved(3) - np.asarray(NODES[2]), "the rate is 0.5"),
    right("8.4.5", "node 3 after the row has pulled it", "0.545 0.51 0.675", lambda: moved(3), "to every digit"),
    right("8.4.5", "influence at the best unit and far from it", "1 0", lambda: (influence(0.0), influence(100.0)),
          "a Gaussian of the distance on the grid"),
    unchecked("8.5", "size of the market for fraud detection, in billions of dollars by 2021", "33.19",
              "a forecast of a market report"),
    foreign("8.5.1", "rows of the file that the code loads", "284,807", rows("credit_card_applications"),
            "the text describes card transactions; the file is of applications for a card"),
    right("8.5.1", "rows of the card transactions that it describes", "284,807", lambda: TRANSACTIONS,
          "as published; what can be fetched here may be a subset, which its page says"),
    right("8.5.1", "frauds among them", "492", lambda: round(FRAUDS * TRANSACTIONS), "as published"),
    wrong("8.5.1", "their share", "0.172 %", lambda: FRAUDS, "cut off: 0.1727 rounds to 0.173"),
    right("8.5.1", "principal components among their columns", "28",
          lambda: sum(name.startswith("V") for name in credit_card_transactions.COLUMNS), "V1 to V28"),
    foreign("8.5.1", "principal components among the columns of the file that the code loads", "28",
            lambda: sum(name.startswith("V") for name in credit_card_applications.COLUMNS),
            "it has fourteen attributes, numbers and codes"),
    unchecked("8.5.1", "two days of September 2013, in Europe", "2",
              "the file has seconds since its first row, no dates"),
    wrong("8.5.1", "customers of figure 8.5 that are in the file", str(len(CUSTOMERS)),
          Data("credit_card_applications", customers), "two numbers are misprinted: 15713750 and 15693408"),
    right("8.5.1", "columns from 1 to 13, the last left out", "12", chosen_columns, "A1 to A12"),
    wrong("8.5.1", "so all attributes are taken: of the file's", "12", lambda: len(ATTRIBUTES),
          "A13 and A14 are left out"),
    wrong("8.5.1", "length of a row, as the text has it", "15", chosen_columns, "twelve columns were taken"),
    right("8.5.1", "min-max scaled columns", "0 to 1", scaled_to_one, "by the printed formula"),
    right("8.5.1", "mean and deviation of standardised ones", "0 1", standardised, "by the formula beside it"),
    unchecked("8.5.1", "iterations of the training", "100",
              "so the text; the listing beside it says 1,000, and no error "
              "of the map is printed that would decide"),
    wrong("8.5.1", "column 13 of what is found holds amounts", "yes", amounts_are_there,
          "twelve columns end at 11; and an application has no amount and no time"),
    unchecked("8.5.1", "white areas of figure 8.6 are frauds", "–",
              "the file says who was approved, and not who cheated; forged rows stand in for frauds here"),
    right("8.5.1", "outliers of such a map hold frauds, on the card transactions: ROC-AUC", "above 0.9",
          metric("som_transactions", "roc_auc"), "0.5 would be chance"),
    wrong("8.5.1", "outliers of the map hold those who were declined, on the applications: ROC-AUC by class",
          "above 0.6",
          metric("som_applications", "class_roc_auc"), "no better than chance: to be declined is not to be unusual"),
)  # fmt: skip

"""Whether like clients get like answers (Dwork et al. 2012; Zemel et al. 2013).

Two questions. Does the answer change if nothing but the protected attribute does? That asks what the model does with
the attribute, and says nothing of what stands in for it; nor is it a causal question, for somebody who had married
would differ in more. And: is a client answered as the nearest others are, near by all but the protected attribute?
Distance is Euclidean, over numbers in units of their deviation and words one-hot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.data.schema import encoder
from handbook.labs.responsible_use.fairness import Floats, Groups

if TYPE_CHECKING:
    import pandas as pd

NEAREST, ROWS = 5, 3000  # neighbours; of the test rows, whose pairs are looked at
Answer = Callable[["pd.DataFrame"], npt.NDArray[Any]]


@dataclass(frozen=True)
class Twins:
    """What a change of one attribute alone does to the answers to N rows."""

    moved: Floats  # (N,): greatest less least answer to the row and its doubles in the other groups

    @property
    def share(self) -> float:
        """Of the rows, those whose answer changes; of calls 0 and 1, the whole of it."""
        return float((self.moved > 0).mean())


def twins(rows: pd.DataFrame, groups: Groups, answer: Answer) -> Twins:
    """Each row in each of the groups, by that group's middle member, and how far its answers (N,) lie apart."""
    found = [answer(rows)]
    for place, name in enumerate(groups.names):
        column = rows[groups.attribute]
        member = column[groups.places == place]
        value = name if member.dtype == "str" else int(np.median(member)) if len(member) else None
        if value is not None:
            moved = rows.assign(**{groups.attribute: np.where(groups.places == place, column, value)})
            found.append(answer(moved.astype(rows.dtypes.to_dict())))
    return Twins(np.ptp(np.stack(found).astype(np.float64), axis=0))


def neighbours(
    rows: pd.DataFrame, leave_out: tuple[str, ...], rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """For each row the places of its `NEAREST` others by all columns but these, and of others by lot: (N, NEAREST)."""
    from sklearn.neighbors import NearestNeighbors

    known = rows.drop(columns=list(leave_out))
    place = encoder(known).fit_transform(known)
    near = NearestNeighbors(n_neighbors=NEAREST, algorithm="brute").fit(place).kneighbors(return_distance=False)
    return near, rng.integers(0, len(rows), near.shape)


def consistency(answers: Floats, others: tuple[npt.NDArray[np.int64], ...]) -> tuple[Floats, ...]:
    """How much of the answer (N,) to a row its others share, 0-1: (N,) for each way to have others, (N, NEAREST).

    1 less the distance from the answer to the mean of theirs (Zemel et al. 2013, eq. 6).
    """
    return tuple(1 - np.abs(answers - answers[each].mean(axis=1)) for each in others)


def share_interval(share: float, n: int, rng: np.random.Generator, draws: int = 1000) -> tuple[float, float]:
    """The 95 % bootstrap interval of a share of n rows: a draw of rows again is a draw from a binomial distribution."""
    low, high = np.percentile(rng.binomial(n, share, draws) / n, [2.5, 97.5])
    return float(low), float(high)


def some(rows: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """At most `ROWS` places of rows."""
    return np.sort(rng.permutation(rows)[:ROWS])

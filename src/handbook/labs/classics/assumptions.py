"""What least squares assumes, asked of real data (section 2.6.2): the book names the assumptions and tests none.

    linearity            RESET: does the square of the prediction still explain something?      (Ramsey 1969)
    equal noise          Breusch and Pagan, by Koenker: do the columns explain the squared errors? n R² is χ²(d)
    independent errors   Durbin and Watson: Σ(e_t − e_t₋₁)² / Σe², 2 where neighbours have nothing in common
    no collinearity      VIF = 1 / (1 − R² of a column by the others): by how much its variance is blown up
    normal errors        Jarque and Bera: n/6 (skewness² + (kurtosis − 3)²/4) is χ²(2)

Of these only the first bends the line itself. Unequal noise leaves the line where it is and makes its intervals wrong:
the usual ones take one σ² for all rows, the robust ones each row's own squared error, (XᵀX)⁻¹ Xᵀdiag(e²/(1 − h)²)X
(XᵀX)⁻¹ (HC3: MacKinnon and White 1985). `coverage` counts how often each holds the truth, where the truth is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from handbook.labs.classics.tree import Array

LEVEL = 0.95


@dataclass(frozen=True)
class Fit:
    """Least squares of y (n,) on a constant and columns: design (n, 1 + d), coefficients, errors, leverages."""

    design: Array
    w: Array
    errors: Array
    leverage: Array

    @property
    def freedom(self) -> int:
        """Rows less coefficients."""
        return len(self.design) - len(self.w)


def fit(x: Array, y: Array) -> Fit:
    """By the orthogonal factorisation of the design, whose rows' lengths are the leverages."""
    design = np.c_[np.ones(len(x)), x]
    q, r = np.linalg.qr(design)
    w = np.linalg.solve(r, q.T @ y)
    return Fit(design, w, y - design @ w, (q * q).sum(axis=1))


def r_squared(x: Array, y: Array) -> float:
    """The share of the variance of y that least squares explains."""
    return float(1 - fit(x, y).errors.var() / y.var())


def usual(found: Fit) -> Array:
    """Standard errors (1 + d,) as they are printed everywhere: one variance for all rows."""
    inverse = np.linalg.inv(found.design.T @ found.design)
    return np.sqrt(found.errors @ found.errors / found.freedom * inverse.diagonal())


def robust(found: Fit) -> Array:
    """Standard errors (1 + d,) that hold under unequal noise: HC3."""
    inverse = np.linalg.inv(found.design.T @ found.design)
    own = found.errors / (1 - found.leverage)
    middle = (found.design.T * own**2) @ found.design
    return np.sqrt((inverse @ middle @ inverse).diagonal())


def half_width(found: Fit, errors: Array) -> Array:
    """Of the 95 % intervals (1 + d,), by Student's t."""
    from scipy.stats import t

    return np.asarray(t.ppf((1 + LEVEL) / 2, found.freedom) * errors)


def breusch_pagan(x: Array, y: Array) -> tuple[float, float]:
    """The statistic and the chance of one as large if the noise is equal everywhere."""
    from scipy.stats import chi2

    statistic = len(x) * r_squared(x, fit(x, y).errors ** 2)
    return statistic, float(chi2.sf(statistic, x.shape[1]))


def reset(x: Array, y: Array) -> tuple[float, float]:
    """F of the squared prediction as a further column, and the chance of one as large if the line is straight."""
    from scipy.stats import f

    plain = fit(x, y)
    more = fit(np.c_[x, (plain.design @ plain.w) ** 2], y)
    left = more.errors @ more.errors
    statistic = float((plain.errors @ plain.errors - left) / (left / more.freedom))
    return statistic, float(f.sf(statistic, 1, more.freedom))


def durbin_watson(errors: Array) -> float:
    """Near 0: each error is like the one before; 2: they have nothing in common; near 4: each is its opposite."""
    return float((np.diff(errors) ** 2).sum() / (errors**2).sum())


def inflation(x: Array) -> Array:
    """VIF of every column (d,): the diagonal of the inverse of their correlations, which is 1/(1 − R²)."""
    return np.asarray(np.linalg.inv(np.corrcoef(x.T)).diagonal())


def jarque_bera(errors: Array) -> tuple[float, float]:
    """The statistic and the chance of one as large if the errors are normal."""
    from scipy.stats import chi2

    z = (errors - errors.mean()) / errors.std()
    statistic = len(z) / 6 * float((z**3).mean() ** 2 + ((z**4).mean() - 3) ** 2 / 4)
    return statistic, float(chi2.sf(statistic, 2))


@cache
def coverage(fanned: bool, sets: int = 2000, rows: int = 60) -> tuple[float, float]:
    """How often the usual and the robust 95 % interval hold the true slope, 2, over drawn training sets.

    The noise has the deviation 1, or grows with x squared (`fanned`). All sets are fitted at once: with one column,
    slope and errors are means over rows.
    """
    from scipy.stats import t

    rng = np.random.default_rng(0)
    x, noise = rng.random((sets, rows)), rng.standard_normal((sets, rows))
    y = 1 + 2 * x + noise * (3 * x**2 if fanned else 1)
    off = x - x.mean(axis=1, keepdims=True)
    square = (off**2).sum(axis=1, keepdims=True)
    slope = (off * y).sum(axis=1, keepdims=True) / square
    errors = y - y.mean(axis=1, keepdims=True) - slope * off
    own = errors / (1 - 1 / rows - off**2 / square)
    one = np.sqrt((errors**2).sum(axis=1, keepdims=True) / (rows - 2) / square)
    each = np.sqrt((off**2 * own**2).sum(axis=1, keepdims=True)) / square
    reach = t.ppf((1 + LEVEL) / 2, rows - 2)
    plain, held = (float((np.abs(slope - 2) <= reach * width).mean()) for width in (one, each))
    return plain, held

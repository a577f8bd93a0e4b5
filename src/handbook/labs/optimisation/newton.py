"""Newton's method and preconditioning (section 3.6, which names the second and shows neither).

Descent on a bowl ½ xᵀHx whose curvatures lie between l and L takes at best (κ − 1)/(κ + 1) off a step, κ = L/l: ten
times as long a valley, ten times as many steps. A preconditioner M changes the coordinates, y = M^½ x, in which the
bowl is rounder; in the old ones that is descent along M⁻¹∇f.

    M = I          descent
    M = diag H     Jacobi: a rate for each coordinate; all that is wrong with columns of different widths
    M = H          Newton: every bowl is round, one step

Off a bowl Newton's method doubles the right digits with each step once it is near, and before that it needs care: where
the curvature is negative it climbs, so that of x² − y² it finds the saddle. `newton` turns such curvatures round
(Nocedal and Wright 2006, section 3.4) and halves a step that does not go down.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from handbook.labs.optimisation.programmes import Array

Objective = Callable[[Array], tuple[float, Array, Array]]  # x (n,) -> value, gradient (n,), Hessian (n, n)
LEAST = 1e-8  # a curvature below which a direction is taken for level, by the largest


def condition(H: Array, M: Array) -> float:
    """κ of the bowl in the coordinates of the preconditioner: of M^-½ H M^-½."""
    root = np.linalg.inv(np.linalg.cholesky(M))
    values = np.linalg.eigvalsh(root @ H @ root.T)
    return float(values[-1] / values[0])


def descend(H: Array, start: Array, M: Array, steps: int) -> Array:
    """The path (steps + 1, n) on ½ xᵀHx along M⁻¹∇f, at the rate 2/(l + L) that is best for all of it."""
    root = np.linalg.inv(np.linalg.cholesky(M))
    values = np.linalg.eigvalsh(root @ H @ root.T)
    move = 2 / (values[0] + values[-1]) * np.linalg.solve(M, H)
    path = [np.asarray(start, float)]
    for _ in range(steps):
        path.append(path[-1] - move @ path[-1])
    return np.array(path)


def steps_to(path: Array, H: Array, share: float = 1e-6) -> int:
    """The first step from which on ½ xᵀHx is below a share of that at the start; −1 if there is none."""
    height = np.einsum("tn,nm,tm->t", path, H, path)
    above = np.flatnonzero(height > share * height[0])
    last = int(above[-1]) + 1 if len(above) else 0
    return last if last < len(path) else -1


def wide_columns(seed: int = 0) -> Array:
    """The bowl of a least squares with four correlated columns, whose widths are 1, 3, 10 and 30."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((200, 1))
    x = (0.6 * common + 0.8 * rng.standard_normal((200, 4))) * np.array([1.0, 3.0, 10.0, 30.0])
    return np.asarray(x.T @ x / len(x))


def preconditioners(H: Array) -> dict[str, Array]:
    """By name."""
    return {"none": np.eye(len(H)), "diagonal": np.diag(np.diag(H)), "Hessian": H}


def newton(f: Objective, start: Array, *, steps: int = 100, tolerance: float = 1e-10, careful: bool = True) -> Array:
    """The path (k + 1, n) to where no part of the gradient exceeds the tolerance; plain steps unless `careful`."""
    path = [np.asarray(start, float)]
    for _ in range(steps):
        value, g, H = f(path[-1])
        if np.abs(g).max() <= tolerance:
            break
        move = -_upright(H, g) if careful else -np.linalg.solve(H, g)
        share = 1.0
        while careful and f(path[-1] + share * move)[0] > value + 1e-4 * share * float(g @ move) and share > 1e-12:
            share /= 2
        path.append(path[-1] + share * move)
    return np.array(path)


def _upright(H: Array, g: Array) -> Array:
    """H⁻¹g with every curvature made positive."""
    values, vectors = np.linalg.eigh(H)
    size = np.maximum(np.abs(values), LEAST * np.abs(values).max())
    return np.asarray(vectors @ ((vectors.T @ g) / size))


def rosenbrock(p: Array) -> tuple[float, Array, Array]:
    """Value, gradient and Hessian of (1 − x)² + 100 (y − x²)²."""
    x, y = p
    bend = y - x * x
    slope = np.array([-2 * (1 - x) - 400 * x * bend, 200 * bend])
    bent = np.array([[2 - 400 * bend + 800 * x * x, -400 * x], [-400 * x, 200.0]])
    return float((1 - x) ** 2 + 100 * bend**2), slope, bent


def two_valleys(p: Array) -> tuple[float, Array, Array]:
    """Value, gradient and Hessian of x² − y² + y⁴/2: the book's saddle with a floor, least at y = ±1."""
    x, y = p
    return (
        float(x * x - y * y + y**4 / 2),
        np.array([2 * x, -2 * y + 2 * y**3]),
        np.diag([2.0, -2 + 6 * y * y]),
    )

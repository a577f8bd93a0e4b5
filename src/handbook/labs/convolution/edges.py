"""Two numbers that find edges, and how to learn them (sections 4.3.3 and 4.3.4).

The kernel [1, −1] takes from each pixel its neighbour on the right: zero where nothing changes, positive where
light turns dark, negative where dark turns light. The book's picture is white, 6 x 8, with columns 2 to 5 black. All
its rows are alike, so all rows of the result must be alike too, and each is

    0  1  0  0  0  −1  0

The book prints all six as 0 1 0 0 −1 0, one column short. So is the picture that it prints, of seven columns in place
of eight; its rows 5 and 6 differ from the others besides, and unequal rows do not give equal ones. Its layer ignores
the kernel, and its listing for learning writes into a leaf in place and crashes. Learnt here by SGD on a few pixels of
the result a step: L = Σ (y − t)² / m. The targets can be met exactly, so a constant rate converges.

How fast is up to the picture. Near the minimum L is curved like A = 2 E[u uᵀ] over its windows u. In a real picture
neighbours are nearly alike: A is nearly flat along [1, −1], and the same SGD needs some thirty times as long.
"""

from __future__ import annotations

import numpy as np

from handbook.labs.convolution.layers import Array, cross_correlate, cross_correlate_backward

KERNEL = np.array([[1.0, -1.0]])
BATCH, RATE = 14, 0.3  # pixels a step; in pictures of 0 to 1 the curvature is at most 4, and a rate below 2 / 4 is safe
STEPS, STEPS_ON_A_GARMENT = 200, 4000


def band() -> Array:
    """The book's picture: (6, 8), white 1, columns 2 to 5 black 0."""
    picture = np.ones((6, 8))
    picture[:, 2:6] = 0
    return picture


def across(picture: Array) -> Array:
    """Edges that stand, (H, W) -> (H, W − 1): 1 where white turns black, −1 where black turns white."""
    return np.asarray(cross_correlate(picture[None, None], KERNEL[None, None])[0, 0])


def down(picture: Array) -> Array:
    """Edges that lie, (H, W) -> (H − 1, W), by the same kernel set upright."""
    return np.asarray(cross_correlate(picture[None, None], KERNEL.T[None, None])[0, 0])


def learn(picture: Array, rng: np.random.Generator, steps: int = STEPS) -> Array:
    """The kernel after each step of SGD from a random start, (steps + 1, 1, 2), to give what `across` gives."""
    x, target = picture[None, None], across(picture)[None, None]
    w = rng.normal(0, 0.5, (1, 1, 1, 2))
    path = [w[0, 0]]
    for _ in range(steps):
        drawn = np.zeros(target.size)
        drawn[rng.choice(target.size, BATCH, replace=False)] = 1
        g = 2 * (cross_correlate(x, w) - target) * drawn.reshape(target.shape) / BATCH  # ∂L/∂y of the drawn pixels
        w = w - RATE * cross_correlate_backward(g, x, w).w
        path.append(w[0, 0])
    return np.stack(path)


def curvatures(picture: Array) -> tuple[float, float]:
    """Smallest and largest eigenvalue of A: along the flattest line an error shrinks by 1 − rate × smallest a step."""
    u = np.stack([picture[:, :-1].ravel(), picture[:, 1:].ravel()])  # (2, windows)
    smallest, largest = np.linalg.eigvalsh(2 * u @ u.T / u.shape[1])
    return float(smallest), float(largest)


def steps_to(path: Array, error: float = 1e-2) -> int:
    """The first step after which the kernel stays this near, number by number; the length of the path if never."""
    far = np.flatnonzero(np.abs(path - KERNEL).max(axis=(1, 2)) >= error)
    return int(far[-1] + 1) if len(far) else 0


def within(path: Array, error: float = 1e-2) -> bool:
    """Whether the kernel that was learned last is this near, number by number."""
    return bool(np.abs(path[-1] - KERNEL).max() < error)

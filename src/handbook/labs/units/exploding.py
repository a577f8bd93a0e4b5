"""Exploding gradients, and clipping (section 3.3.2.3, which has the vanishing ones alone; Pascanu et al. 2013).

An error that goes back through T steps of a recurrent layer is multiplied T times by its weights U and by the units'
slopes. What comes of it depends on the greatest |eigenvalue| of U, its spectral radius r:

    r < 1    the error fades as rᵀ
    r = 1    it keeps its size, where units are linear
    r > 1    it grows as rᵀ, unless tanh's flat ends stop it

Where it grows, the loss has a cliff, and a step down from its edge lands far away. Clipping keeps the direction and
limits the length: g ← g · min(1, c/|g|). The least cliff there is, x_T = w^T x_0: the loss (w^T − 1)²/2 is level below
w = 1 and rises like a wall above.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from handbook.labs.units import recurrent
from handbook.labs.units.activations import Array

STEPS, WIDTH = 50, 32
RADII = (0.8, 0.9, 1.0, 1.1, 1.2)
START, RATE, CLIP = 1.12, 0.001, 1.0  # on the wall of the cliff


def clip(gradients: Sequence[Array], most: float) -> tuple[list[Array], float]:
    """Gradients scaled together to a length of at most `most`, and the length that they had."""
    if not most > 0:
        raise ValueError(f"gradients can be clipped to a length above 0 only, found {most}")
    length = float(np.sqrt(sum(float((g * g).sum()) for g in gradients)))
    return [g * min(1.0, most / length) if length > 0 else g for g in gradients], length


def recurrent_weights(radius: float, rng: np.random.Generator, width: int = WIDTH) -> Array:
    """Weights (width, width) that turn and stretch by the radius and do no more: an orthogonal matrix times it."""
    q, r = np.linalg.qr(rng.standard_normal((width, width)))
    return np.asarray(radius * q * np.sign(np.diag(r)))


def linear_factor(radius: float, steps: int, rng: np.random.Generator) -> float:
    """By how much an error grows on its way back through so many steps of linear units."""
    U, error = recurrent_weights(radius, rng), rng.standard_normal(WIDTH)
    back = error
    for _ in range(steps):
        back = back @ U
    return float(np.linalg.norm(back) / np.linalg.norm(error))


@cache
def tanh_factors(radius: float, inputs: float, steps: int = STEPS, draws: int = 10) -> Array:
    """The same through an RNN of tanh units, (steps,) by how far back, for inputs of that deviation; mean of draws."""
    cell, found = recurrent.CELLS["RNN"], []
    for draw in range(draws):
        rng = np.random.default_rng(draw)
        w = recurrent.draw(cell, WIDTH, WIDTH, rng)
        w = w._replace(W=np.eye(WIDTH), U=recurrent_weights(radius, rng), b=np.zeros(WIDTH), c=np.zeros(WIDTH))
        h, _, tape = recurrent.forward(cell, inputs * rng.standard_normal((steps, 4, WIDTH)), w)
        dh = np.zeros_like(h)
        dh[-1] = rng.standard_normal(h[-1].shape)
        back = np.linalg.norm(recurrent.backward(cell, dh, tape, w)[0], axis=2).mean(axis=1)  # (steps,) in time
        found.append(back[::-1] / back[-1])
    return np.asarray(np.mean(found, axis=0))


def cliff(w: float, steps: int = STEPS) -> tuple[float, float]:
    """Loss (w^T − 1)²/2 and its slope."""
    gone = w**steps
    return (gone - 1) ** 2 / 2, (gone - 1) * steps * w ** (steps - 1)


def descend(start: float = START, rate: float = RATE, most: float | None = None, steps: int = 200) -> Array:
    """The weights (steps + 1,) of descent on the cliff, clipped or not; it ends where they are beyond ±10."""
    path = [start]
    for _ in range(steps):
        g = np.array([cliff(path[-1])[1]])
        g = g if most is None else clip([g], most)[0][0]
        path.append(path[-1] - rate * float(g[0]))
        if abs(path[-1]) > 10:
            break
    return np.array(path)

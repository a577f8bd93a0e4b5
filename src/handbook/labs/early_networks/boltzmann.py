"""The restricted Boltzmann machine (Smolensky 1986; Hinton 2002; section 1.2.3).

    E(v, h) = − a·v − b·h − v·W h,   p(v, h) = exp(−E) / Z;   h given v, and v given h, are independent coins:

    p(h = 1 | v) = σ(b + Wᵀ v),   p(v = 1 | h) = σ(a + W h),   F(v) = − a·v − Σ log(1 + exp(b + Wᵀ v))

with log p(v) = −F(v) − log Z. Its gradient is an expectation over the data less one over the model. The second needs Z,
a sum over all states; contrastive divergence takes k steps of Gibbs sampling from the data in its place (CD-k), and its
persistent kin goes on from where the last step ended (PCD; Tieleman 2008). Neither is the gradient of anything. On
bars and stripes of 3 x 3 (MacKay 2003), where Z can be summed, what they reach is held against what the gradient does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from handbook.labs.early_networks.digits import Digits

Array = npt.NDArray[Any]
SIDE, TOY_HIDDEN, TOY_STEPS, TOY_RATE, TOY_SEEDS, TOY_CHAINS = 3, 8, 1000, 0.3, 4, 100
EVERY = 25  # steps between two looks at the likelihood
HIDDEN, EPOCHS, BATCH, RATE = 100, 8, 50, 0.05
LABELLED, DRAWS = (50, 200, 1000), 5


def sigmoid(x: Array) -> Array:
    from scipy.special import expit

    return np.asarray(expit(x))


@dataclass
class Machine:
    """Weights W (V, H), biases a (V,) of what is seen and b (H,) of what is hidden."""

    W: Array
    a: Array
    b: Array

    @classmethod
    def start(cls, visible: int, hidden: int, rng: np.random.Generator) -> Machine:
        return cls(rng.normal(0, 0.1, (visible, hidden)), np.zeros(visible), np.zeros(hidden))

    def hidden(self, v: Array) -> Array:
        """Probabilities (N, H) for states seen (N, V)."""
        return sigmoid(v @ self.W + self.b)

    def visible(self, h: Array) -> Array:
        """Probabilities (N, V) for hidden states (N, H)."""
        return sigmoid(h @ self.W.T + self.a)

    def free_energy(self, v: Array) -> Array:
        """F of states seen (N, V), (N,)."""
        return np.asarray(-(v @ self.a) - np.logaddexp(0, v @ self.W + self.b).sum(axis=1))

    def log_partition(self) -> float:
        """log Z, by a sum over all hidden states; of a toy."""
        h = states(len(self.b))
        return float(np.logaddexp.reduce(h @ self.b + np.logaddexp(0, h @ self.W.T + self.a).sum(axis=1)))

    def log_likelihood(self, v: Array) -> float:
        """Mean log p of states seen (N, V), in nats; of a toy."""
        return float(-self.free_energy(v).mean() - self.log_partition())

    def expectations(self, v: Array, weights: Array | None = None) -> tuple[Array, Array, Array]:
        """Means of v hᵀ (V, H), v (V,) and h (H,) over states seen (N, V), h at its probabilities; as W, a, b."""
        share = np.full(len(v), 1 / len(v)) if weights is None else weights
        h = self.hidden(v)
        return (v * share[:, None]).T @ h, share @ v, share @ h

    def of_the_model(self) -> tuple[Array, Array, Array]:
        """The same over the model's own distribution, by a sum over all states; of a toy."""
        v = states(len(self.a))
        return self.expectations(v, np.exp(-self.free_energy(v) - self.log_partition()))

    def gibbs(self, v: Array, steps: int, rng: np.random.Generator) -> Array:
        """States seen (N, V) after so many steps there and back."""
        for _ in range(steps):
            h = rng.random((len(v), len(self.b))) < self.hidden(v)
            v = (rng.random(v.shape) < self.visible(h.astype(float))).astype(float)
        return v

    def step(self, data: Array, negative: tuple[Array, Array, Array], rate: float) -> None:
        """Up the likelihood of states seen (N, V), with what stands for the model's expectations."""
        change = [rate * (plus - minus) for plus, minus in zip(self.expectations(data), negative, strict=True)]
        self.W, self.a, self.b = self.W + change[0], self.a + change[1], self.b + change[2]

    def reconstruction_error(self, v: Array) -> float:
        """Squared error a state (N, V) of what comes back through the hidden probabilities."""
        return float(np.square(v - self.visible(self.hidden(v))).sum(axis=1).mean())


def states(n: int) -> Array:
    """All states of n coins, (2^n, n)."""
    return (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(float)


def bars_and_stripes() -> Array:
    """The pictures of 3 x 3 that consist of whole rows or of whole columns, (14, 9)."""
    lines = states(SIDE)
    every = [np.repeat(lines[:, :, None], SIDE, axis=2), np.repeat(lines[:, None, :], SIDE, axis=1)]
    return np.unique(np.concatenate(every).reshape(-1, SIDE**2), axis=0)


def best_likelihood() -> float:
    """What no model exceeds on bars and stripes: each picture with the same probability."""
    return float(-np.log(len(bars_and_stripes())))


@cache
def toy_runs() -> dict[str, Array]:
    """Log-likelihood of bars and stripes on the way, by where the model's expectations come from, (seeds, looks)."""
    return {name: np.array([_toy_run(name, seed) for seed in range(TOY_SEEDS)]) for name in ("gradient", "CD-1", "PCD")}


def _toy_run(name: str, seed: int) -> list[float]:
    rng = np.random.default_rng(seed)
    data = bars_and_stripes()
    machine = Machine.start(data.shape[1], TOY_HIDDEN, rng)
    chains = (rng.random((TOY_CHAINS, data.shape[1])) < 0.5).astype(float)
    seen = []
    for step in range(TOY_STEPS + 1):
        if step % EVERY == 0:
            seen.append(machine.log_likelihood(data))
        if name == "gradient":
            negative = machine.of_the_model()
        else:
            chains = machine.gibbs(chains if name == "PCD" else data[rng.integers(0, len(data), TOY_CHAINS)], 1, rng)
            negative = machine.expectations(chains)
        machine.step(data, negative, TOY_RATE)
    return seen


def binary(pictures: Array) -> Array:
    """Pictures of 0 to 1 as coins: white from one half on."""
    return (pictures >= 0.5).astype(float)


@cache
def machine(digits: Digits) -> Machine:
    """A machine of 100 hidden coins that has learnt the digits by persistent contrastive divergence."""
    rng, data = np.random.default_rng(0), binary(digits.arrays()[0])
    found = Machine.start(data.shape[1], HIDDEN, rng)
    shares = data.mean(axis=0).clip(0.01, 0.99)
    found.a = np.log(shares / (1 - shares))  # each pixel as often white as it is (Hinton 2012, section 8.1)
    chains = data[rng.integers(0, len(data), BATCH)]
    parts = max(1, len(data) // BATCH)
    for epoch in range(EPOCHS):
        for rows in np.array_split(rng.permutation(len(data)), parts):
            chains = found.gibbs(chains, 1, rng)
            found.step(data[rows], found.expectations(chains), RATE * (1 - epoch / EPOCHS))
    return found


@cache
def few_labels(digits: Digits) -> dict[int, tuple[Array, Array]]:
    """Accuracy on new digits of logistic regression on pixels and on the machine's features, by labels: (draws,)."""
    from sklearn.linear_model import LogisticRegression

    x, labels, new, answers = digits.arrays()
    known, inputs = machine(digits), {}
    for name, change in (("pixels", lambda v: v), ("features", lambda v: known.hidden(binary(v)))):
        inputs[name] = change(x), change(new)
    found = {}
    for n in (n for n in LABELLED if n <= len(x)):
        rows = [np.random.default_rng([n, draw]).permutation(len(x))[:n] for draw in range(DRAWS)]
        pixels, features = (
            np.array(
                [LogisticRegression(max_iter=1000).fit(old[each], labels[each]).score(fresh, answers) for each in rows]
            )
            for old, fresh in inputs.values()
        )
        found[n] = pixels, features
    return found

"""First-order rules (sections 3.7 to 3.11): what each makes of a gradient.

A rule remembers its constants and its moments; `step(theta, g)` returns the next point. Every one of them follows the
conventions of torch.optim, so that the two agree step for step, weight decay included:

    descent    theta -= eta g
    momentum   b = mu b + g;  theta -= eta b                                  (Polyak 1964)
    Nesterov   b = mu b + g;  theta -= eta (g + mu b)                         (Sutskever et al. 2013)
    AdaGrad    G += g²;  theta -= eta g / (sqrt G + eps)                      (Duchi, Hazan and Singer 2011)
    RMSprop    v = rho v + (1 - rho) g²;  theta -= eta g / (sqrt v + eps)     (Tieleman and Hinton 2012)
    Adadelta   as RMSprop, with the running size of its own moves on top      (Zeiler 2012)
    Adam       moments m of g and v of g², both corrected for their start     (Kingma and Ba 2015)
    AdamW      Adam, the decay taken off theta and not added to g             (Loshchilov and Hutter 2019)

Where the book is wrong: its code for Nesterov's method takes two gradients a step, that at the look-ahead point for the
position and that at the point itself for the velocity (`two_gradients`), and so comes to rest later than the method of
its text; its example of Adam computes the gradient once and never again, so it marches past the minimum at a constant
speed (`frozen`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]
Gradient = Callable[[Vector], Vector]


@dataclass
class Rule(ABC):
    """A learning rate eta, a weight decay lambda (the gradient of lambda/2 |theta|²), and the number of steps taken.

    Of many points side by side, theta (n, R), each may have a rate of its own, eta (R,).
    """

    eta: float | Vector
    decay: float = field(default=0.0, kw_only=True)
    t: int = field(default=0, init=False)
    shares: ClassVar[tuple[str, ...]] = ()  # constants that must lie in [0, 1)

    def __post_init__(self) -> None:
        name = type(self).__name__
        if not np.all(np.isfinite(self.eta) & (np.asarray(self.eta) > 0)):
            raise ValueError(f"{name}: eta must be positive and finite, found {self.eta}; 1e-3 is a usual start")
        if not (np.isfinite(self.decay) and self.decay >= 0):
            raise ValueError(f"{name}: decay must be zero or more, found {self.decay}; 0 switches it off")
        for share in self.shares:
            if not 0 <= getattr(self, share) < 1:
                raise ValueError(f"{name}: {share} must be in [0, 1), found {getattr(self, share)}")

    def step(self, theta: Vector, g: Vector) -> Vector:
        """The point after theta (n,), where the gradient is g (n,)."""
        self._check(theta, g)
        self.t += 1
        return theta - self.move(g + self.decay * theta)

    def _check(self, theta: Vector, g: Vector) -> None:
        if theta.shape != g.shape:
            raise ValueError(f"theta has shape {theta.shape} and its gradient {g.shape}; they must be the same")
        if not np.isfinite(g).all():
            raise ValueError(
                f"{type(self).__name__}: the gradient is not finite at step {self.t + 1}; lower eta, now {self.eta}"
            )

    @abstractmethod
    def move(self, g: Vector) -> Vector:
        """What is taken off theta, and the moments brought up to date."""


@dataclass
class Descent(Rule):
    """Gradient descent (Cauchy 1847)."""

    def move(self, g: Vector) -> Vector:
        return self.eta * g


@dataclass
class Momentum(Rule):
    """The heavy ball: old gradients fade by mu a step."""

    mu: float = 0.9
    b: Vector | float = field(default=0.0, init=False)
    shares = ("mu",)

    def move(self, g: Vector) -> Vector:
        self.b = self.mu * self.b + g
        return self.eta * self.b


@dataclass
class Nesterov(Momentum):
    """The accelerated gradient at the look-ahead point, theta - eta mu b: there it needs one gradient a step."""

    def move(self, g: Vector) -> Vector:
        self.b = self.mu * self.b + g
        return self.eta * (g + self.mu * self.b)


@dataclass
class AdaGrad(Rule):
    """Each coordinate's rate falls with the gradients that it has seen."""

    eps: float = 1e-10
    G: Vector | float = field(default=0.0, init=False)

    def move(self, g: Vector) -> Vector:
        self.G = self.G + g * g
        return self.eta * g / (np.sqrt(self.G) + self.eps)


@dataclass
class RMSprop(Rule):
    """AdaGrad that forgets: a running mean of g² in the place of the sum; the book's rho is 0.9, torch's 0.99."""

    rho: float = 0.9
    eps: float = 1e-8
    v: Vector | float = field(default=0.0, init=False)
    shares = ("rho",)

    def move(self, g: Vector) -> Vector:
        self.v = self.rho * self.v + (1 - self.rho) * g * g
        return self.eta * g / (np.sqrt(self.v) + self.eps)


@dataclass
class Adadelta(Rule):
    """A move has the units of theta, so past moves set its size, and eta may stay 1."""

    eta: float | Vector = 1.0
    rho: float = 0.9
    eps: float = 1e-6
    v: Vector | float = field(default=0.0, init=False)
    u: Vector | float = field(default=0.0, init=False)  # running mean of squared moves
    shares = ("rho",)

    def move(self, g: Vector) -> Vector:
        self.v = self.rho * self.v + (1 - self.rho) * g * g
        delta = np.sqrt(self.u + self.eps) / np.sqrt(self.v + self.eps) * g
        self.u = self.rho * self.u + (1 - self.rho) * delta * delta
        return np.asarray(self.eta * delta)


@dataclass
class Adam(Rule):
    """Adaptive moments; m and v start at zero, which the division by 1 - beta^t makes good."""

    eta: float | Vector = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    m: Vector | float = field(default=0.0, init=False)
    v: Vector | float = field(default=0.0, init=False)
    shares = ("beta1", "beta2")

    def move(self, g: Vector) -> Vector:
        self.m = self.beta1 * self.m + (1 - self.beta1) * g
        self.v = self.beta2 * self.v + (1 - self.beta2) * g * g
        m_hat = self.m / (1 - self.beta1**self.t)
        v_hat = self.v / (1 - self.beta2**self.t)
        return np.asarray(self.eta * m_hat / (np.sqrt(v_hat) + self.eps))


@dataclass
class AdamW(Adam):
    """Decoupled decay: theta shrinks by eta lambda, whatever the size of the gradients."""

    decay: float = field(default=0.01, kw_only=True)

    def step(self, theta: Vector, g: Vector) -> Vector:
        self._check(theta, g)
        self.t += 1
        return theta * (1 - self.eta * self.decay) - self.move(g)


RULES: dict[str, type[Rule]] = {
    "descent": Descent,
    "momentum": Momentum,
    "Nesterov": Nesterov,
    "AdaGrad": AdaGrad,
    "RMSprop": RMSprop,
    "Adadelta": Adadelta,
    "Adam": Adam,
    "AdamW": AdamW,
}


def walk(rule: Rule, gradient: Gradient, start: Vector, steps: int) -> Vector:
    """The path (steps + 1, n) of a rule from a start (n,), or (steps + 1, n, R) from R of them (n, R)."""
    path = [np.asarray(start, np.float64)]
    for _ in range(steps):
        path.append(rule.step(path[-1], gradient(path[-1])))
    return np.stack(path)


def look_ahead(gradient: Gradient, start: Vector, eta: float, mu: float, steps: int) -> Vector:
    """Nesterov's method as textbooks state it, path (steps + 1, n): v = mu v - eta g(theta + mu v); theta += v."""
    theta = np.asarray(start, np.float64)
    v, path = np.zeros_like(theta), [theta]
    for _ in range(steps):
        v = mu * v - eta * gradient(theta + mu * v)
        theta = theta + v
        path.append(theta)
    return np.stack(path)


def two_gradients(gradient: Gradient, start: Vector, eta: float, mu: float, steps: int) -> Vector:
    """The book's code for it, path (steps + 1, n): theta moves by the gradient ahead, v by the gradient at theta."""
    theta = np.asarray(start, np.float64)
    v, path = np.zeros_like(theta), [theta]
    for _ in range(steps):
        theta, v = theta + mu * v - eta * gradient(theta + mu * v), mu * v - eta * gradient(theta)
        path.append(theta)
    return np.stack(path)


def frozen(rule: Rule, gradient: Gradient, start: Vector, steps: int) -> Vector:
    """The path of a rule that is fed the first gradient for ever: the book's example of Adam."""
    g = gradient(start)
    return walk(rule, lambda _: g, start, steps)

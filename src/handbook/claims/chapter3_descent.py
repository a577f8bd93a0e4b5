"""Chapter 3, optimisers, schedules and LeNet: 3.6 to 3.13."""

from __future__ import annotations

import math
from functools import cache
from inspect import signature

import numpy as np
import numpy.typing as npt

from handbook.claims.claim import Claim, check, foreign, metric, right, rows, unchecked, wrong
from handbook.datasets import fashion_mnist
from handbook.labs.convolution.geometry import output_size
from handbook.labs.optimisers import descent, rules

Array = npt.NDArray[np.float64]
START = np.array([5.0])
PICTURES, BATCH, EPOCHS = fashion_mnist.ROWS["train"], 64, 10  # of section 3.13


def slope(x: Array) -> Array:
    """Of x², on which the book runs all its optimisers."""
    return 2 * x


@cache
def run(name: str) -> tuple[descent.Rows, Array]:
    """The book's run of that name, once for all rows that look at it."""
    return descent.printed(name)


def weights(name: str) -> Array:
    """Where it ends."""
    return np.asarray(run(name)[1][-1])


def updates(name: str) -> int:
    return len(run(name)[1]) - 1


def way_left(name: str) -> float:
    """Of the way from zero to the best weights, as a share."""
    best = run(name)[0].best()
    return float(np.linalg.norm(weights(name) - best) / np.linalg.norm(best))


def slope_by_listing() -> float:
    """The true derivative of the listing's loss along x1, by what its gradient says."""
    data = descent.printed_rows(np.random.RandomState(0))
    w, step = np.zeros(3), np.array([0.0, 1e-6, 0.0])
    true = (data.loss(w + step) - data.loss(w - step)) / 2e-6
    listed = data.x.T @ (data.x @ w - data.y) / len(data.y)
    return float(true / listed[1])


def scatter() -> float:
    """The variance of gradients over ten rows as a share of that over one."""
    data, rng = descent.rows(np.random.default_rng(0)), np.random.default_rng(1)
    spread = {}
    for size in (1, 10):
        order = descent.batches(100, size, rng)
        spread[size] = np.var([data.gradient(np.zeros(2), next(order)) for _ in range(1000)], axis=0).sum()
    return float(spread[10] / spread[1])


def momentum_is_ours() -> bool:
    """Whether velocity = 0.9 velocity + 0.1 gradient gives the path of our rule."""
    x, v, path = START, np.zeros(1), [START]
    for _ in range(20):
        v = 0.9 * v + 0.1 * slope(x)
        x = x - v
        path.append(x)
    return bool(np.allclose(path, rules.walk(rules.Momentum(0.1), slope, START, 20)))


def after(rule: rules.Rule, steps: int, start: Array = START) -> float:
    return float(np.abs(rules.walk(rule, slope, start, steps)[-1, 0]))


def listed_nesterov(steps: int) -> float:
    return float(rules.two_gradients(slope, START, 0.1, 0.9, steps)[-1, 0])


def listing_is_nesterov() -> bool:
    ahead = rules.look_ahead(slope, START, 0.1, 0.9, 10)
    return bool(np.allclose(ahead, rules.two_gradients(slope, START, 0.1, 0.9, 10)))


def formula_is_nesterov() -> bool:
    """Whether the printed equations, gradient at x − momentum · velocity, walk Nesterov's path."""
    x, v, path = START, np.zeros(1), [START]
    for _ in range(10):
        v = 0.9 * v + 0.1 * slope(x - 0.9 * v)
        x = x - v
        path.append(x)
    return bool(np.allclose(path, rules.look_ahead(slope, START, 0.1, 0.9, 10)))


def adagrad_rates() -> tuple[float, float]:
    """Rates of two coordinates after ten gradients of 1 and of 0.01."""
    gradients = np.array([1.0, 0.01])
    return tuple(0.1 / np.sqrt(10 * gradients**2))


def adagrad_by_its_text() -> float:
    """|x| after four steps from 1 whose rate is √G + ε, as step 4 of the text has it."""
    x, total = 1.0, 0.0
    for _ in range(4):
        total += (2 * x) ** 2
        x -= (math.sqrt(total) + 1e-8) * 2 * x
    return abs(x)


def losses_behind_a_return() -> int:
    """How many losses a function of a hundred steps hands back that records them in a line behind its return."""

    def descend() -> list[float]:
        x, losses = 1.0, list[float]()
        for _ in range(100):
            x -= 0.1 * 2 * x
        return losses  # and the line that would append to them comes after this one

    return len(descend())


def rate_kept(rule: type[rules.AdaGrad] | type[rules.RMSprop]) -> float:
    """The hundredth move by the tenth, under a gradient of 1 for ever."""
    path = rules.walk(rule(0.1), np.ones_like, np.zeros(1), 100)[:, 0]
    return float((path[100] - path[99]) / (path[10] - path[9]))


def rmsprop_is_ours() -> bool:
    x, cache, path = np.ones(1), np.zeros(1), [np.ones(1)]
    for _ in range(50):
        cache = 0.9 * cache + 0.1 * slope(x) ** 2
        x = x - 0.1 / (np.sqrt(cache) + 1e-8) * slope(x)
        path.append(x)
    return bool(np.allclose(path, rules.walk(rules.RMSprop(0.1), slope, np.ones(1), 50)))


def adam_defaults() -> tuple[float, float, float]:
    """Of torch."""
    import torch

    found = signature(torch.optim.Adam.__init__).parameters
    return (*found["betas"].default, found["eps"].default)


def adam_is_torchs() -> bool:
    import torch

    theta = torch.tensor([5.0], dtype=torch.float64, requires_grad=True)
    engine = torch.optim.Adam([theta], 0.1)
    for _ in range(20):
        engine.zero_grad()
        (theta**2).sum().backward()  # type: ignore[no-untyped-call]
        engine.step()
    return bool(np.allclose(theta.detach().numpy(), rules.walk(rules.Adam(0.1), slope, START, 20)[-1]))


def flattened() -> int:
    """Numbers that LeNet's second pooling hands on, of a picture of 28 x 28."""
    n = 28
    for k, s in ((5, 1), (2, 2), (5, 1), (2, 2)):
        n = output_size(n, k, stride=s)
    return 16 * n * n


def batches() -> int:
    """Of an epoch."""
    return math.ceil(PICTURES / BATCH)


CLAIMS: tuple[Claim, ...] = (
    right("3.6.1", "weights after batch descent", "0.06893943 2.00432774 1.2328745", lambda: weights("batch"),
          "to every digit, from seed 0; the listing under this section is cut off and stands under 3.6.3"),
    right("3.6.2", "weights after stochastic descent", "0.02922543 3.06187484 1.94812191",
          lambda: weights("stochastic"),
          "to every digit: single rows in the order of the table, gradient 2xe; its listing is lost"),
    right("3.6.3", "weights after mini-batch descent", "−0.05168228 3.11146125 1.94541002",
          lambda: weights("mini-batch"), "to every digit; its listing stands under 3.6.2"),
    foreign("3.6.2", "what the listing of this section prints", "0.02922543 3.06187484 1.94812191",
            lambda: weights("mini-batch"), "the listing is that of mini-batch descent"),
    foreign("3.6.3", "what the listing of this section prints", "−0.05168228 3.11146125 1.94541002",
            lambda: weights("batch"), "the listing is that of batch descent"),
    wrong("3.6.1", "the gradient is that of the mean squared error: the true slope by the listed", "1.0",
          slope_by_listing, "it is half of it, which acts as half the rate"),
    wrong("3.6.2", "losses that the mini-batch listing draws over its iterations", "100",
          lambda: updates("mini-batch"),
          "it records one after each of ten batches a pass; the plot stops with an error"),
    wrong("3.6.1", "batch descent arrives in its 100 iterations: share of the way left", "below 0.01",
          lambda: way_left("batch"), "each step takes 1 % off: 36 % are left, as the printed weights show"),
    right("3.6.3", "mini-batches have less scatter than single rows: share of the variance", "below 0.2", scatter,
          "a tenth, at ten rows a batch"),
    right("3.7", "the update of momentum, as printed", "yes", momentum_is_ours,
          "it is that of torch with the rate inside"),
    wrong("3.7", "momentum is faster: on the example's x², |x| after its 20 steps below that of descent", "yes",
          lambda: after(rules.Momentum(0.1), 20) < after(rules.Descent(0.1), 20),
          "1.75 against 0.06: on a round bowl at this rate it only swings"),
    right("3.8", "the printed equations look ahead along the momentum", "yes", formula_is_nesterov,
          "they are Nesterov's"),
    wrong("3.8", "the listing follows them", "yes", listing_is_nesterov,
          "its position takes the gradient ahead, its velocity the one at the point itself"),
    wrong("3.8", "it finds the optimal x in its ten steps: x", "−0.01 to 0.01", lambda: listed_nesterov(10),
          "it is still swinging; after a hundred it is within 0.002"),
    right("3.8", "Nesterov's method beats momentum on x²: |x| after 100 steps, as a share", "below 0.001",
          lambda: float(np.abs(rules.look_ahead(slope, START, 0.1, 0.9, 100)[-1, 0])) / after(rules.Momentum(0.1), 100),
          "1.5e-7 against 0.014"),
    right("3.9", "AdaGrad gives small gradients larger rates", "yes", lambda: adagrad_rates()[1] > adagrad_rates()[0],
          "a hundred times as large for a hundredth of the gradient"),
    wrong("3.9", "by step 4 of the text, rate √G + ε, x² is minimised: |x| after four steps from 1", "below 1",
          adagrad_by_its_text, "the root belongs below the rate, as in the listing; so it blows up"),
    wrong("3.9", "losses in the list that the listing returns", "100", losses_behind_a_return,
          "the line that records them stands behind the return"),
    right("3.9", "its rate may become too small: the hundredth step by the tenth, under the same gradient", "below 0.5",
          lambda: rate_kept(rules.AdaGrad), "it falls with the root of the steps"),
    right("3.10", "RMSprop keeps its rate: the hundredth step by the tenth, under the same gradient", "above 0.7",
          lambda: rate_kept(rules.RMSprop), "old gradients fade"),
    right("3.10", "the update of the listing", "yes", rmsprop_is_ours, "with decay 0.9 and 1e-8 outside the root"),
    right("3.11", "the update of Adam", "yes", adam_is_torchs, "torch walks the same path"),
    right("3.11", "usual constants of Adam", "0.9 0.999 1e-8", adam_defaults, "the defaults of torch"),
    wrong("3.11", "the example optimises: on x² such a run ends at", "−0.1 to 0.1",
          lambda: float(rules.frozen(rules.Adam(0.1), slope, START, 100)[-1, 0]),
          "its gradient is computed once and never again, so it marches on at 0.1 a step"),
    wrong("3.11", "one loss an iteration: losses after 100", "100", lambda: 100 * len(("w", "b")),
          "the line stands inside the loop over its two parameters"),
    right("3.12", "L-BFGS needs no stored Hessian and is efficient: steps on Rosenbrock's valley", "below 100",
          check("optimisers", "rosenbrock: arrival of L-BFGS"), "35, where Adam takes 404"),
    unchecked("3.12", "the template is run on three parameters", "–", "its functions are empty, and it prints nothing"),
    right("3.13", "categories of Fashion-MNIST", "10", lambda: len(fashion_mnist.CLASSES), "ten kinds of garments"),
    wrong("3.13", "pictures in Fashion-MNIST", "60,000", rows("fashion_mnist"),
          "60,000 are for training; 10,000 more are for the test, which the listing loads too"),
    right("3.13", "pictures of a category, for training", "6,000", lambda: PICTURES / len(fashion_mnist.CLASSES),
          "the dataset's gate counts them"),
    right("3.13", "inputs of LeNet's first dense layer, 16 · 4 · 4", "256", flattened,
          "28 → 24 → 12 → 8 → 4, with 16 maps"),
    wrong("3.13", "passes over the training pictures in ten epochs", "10", lambda: EPOCHS * batches(),
          "the listing loops over all batches inside the loop over batches"),
    wrong("3.13", "the loss is printed every 1,000 steps of an epoch: times in ten epochs", "above 0",
          lambda: EPOCHS * (batches() // 1000), "an epoch has 938"),
    Claim("3.13", "accuracy of LeNet after ten epochs", "84.12 %", metric("lenet_book", "accuracy"), "wrong",
          "ten passes over the listed intensities of 0 to 1 end lower: it lies above the 95 % interval of our run",
          metric("lenet_book", "interval", "accuracy")),
    wrong("3.13", "a warm-up starts at a higher rate: its first, as a share of the full one", "above 1",
          check("optimisers", "warm-up: first rate as a share of the full one"),
          "it starts low, since far from the minimum the full rate may diverge"),
    right("3.13", "a falling rate converges to a better solution: error above the best, cosine by constant",
          "below 0.1",
          lambda: _errors("cosine") / _errors("constant"), "single rows never come to rest at a constant rate"),
)  # fmt: skip


def _errors(name: str) -> float:
    from handbook.labs.optimisers import pictures

    data = descent.rows(np.random.default_rng(0))
    floor, plan = data.loss(data.best()), pictures.plans(400)[name]
    path = descent.descend(
        data, 1, 400, np.random.default_rng(0), rule=rules.Descent(0.15), schedule=lambda t: 0.15 * plan(t)
    )
    return float(np.mean([data.loss(w) - floor for w in path[-50:]]))

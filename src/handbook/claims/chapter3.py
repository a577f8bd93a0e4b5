"""Chapter 3, neural networks: units, landscapes and convexity, 3.2 to 3.4."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from handbook.claims.claim import Claim, check, right, unchecked, wrong
from handbook.labs.convolution.geometry import output_size
from handbook.labs.optimisation import convexity, landscape
from handbook.labs.optimisation.examples import REGION_G, REGION_H
from handbook.labs.units import activations, drawings, layers

Array = npt.NDArray[np.float64]
Function = Callable[[Array], Array]
GRID = np.linspace(-5, 5, 100)  # the book's range for its units
FAR = np.array([-1000.0, -5.0, 0.0, 5.0, 1000.0])


def slope_at(f: Function, x: float) -> float:
    """By a small step to both sides."""
    return float((f(np.array([x + 1e-6])) - f(np.array([x - 1e-6])))[0] / 2e-6)


def unit(name: str, at: float) -> float:
    return float(getattr(activations, name)(np.array([at]))[0])


def derivative_of_tanh() -> bool:
    return all(np.isclose(slope_at(np.tanh, x), 1 - np.tanh(x) ** 2, atol=1e-8) for x in (-3.0, -0.5, 0.0, 2.0))


def convolved_shape() -> tuple[int, ...]:
    """Ten pictures of 10 x 10 under eight filters of 3 x 3, the maps last as in the listing."""
    y = layers.convolution(np.zeros((10, 1, 10, 10)), np.zeros((8, 1, 3, 3)), np.zeros(8))
    return tuple(np.moveaxis(y, 1, -1).shape)


def empirical_curvature() -> bool:
    """Whether the mean squared distance to 1..5 is bent anywhere otherwise than x² is."""
    x = np.linspace(-10, 10, 100)
    g = landscape.empirical_risk(x, landscape.BOOK_SAMPLE)
    return not np.allclose(np.diff(g, 2), np.diff(x**2, 2))


def stationary_points() -> Array:
    return landscape.roots(landscape.wave_slope, *landscape.BOOK_INTERVAL)


def is_convex(f: Function, interval: tuple[float, float]) -> bool:
    found = convexity.property_checks(f, interval, seed=0)
    return all(found.values())


def attains_a_minimum(f: Function) -> bool:
    """Whether the least value on ever wider intervals stays inside them."""
    return all(0 < np.argmin(f(np.linspace(-w, w, 1001))) < 1000 for w in (1.0, 10.0, 100.0))


def minimisers(f: Function) -> int:
    """How many points of a grid are as low as the lowest."""
    values = f(np.linspace(-5, 5, 101))
    return int((values <= values.min() + 1e-12).sum())


def chord_is_above() -> bool:
    """Of x² between −1 and 1."""
    t = np.linspace(0, 1, 100)
    return bool((t * 1 + (1 - t) * 1 >= (t * -1 + (1 - t) * 1) ** 2 - 1e-12).all())


def listed_second_derivative() -> bool:
    """The listing's test: differences of differences of x², none below zero."""
    return bool((np.gradient(np.gradient(GRID**2)) >= -1e-6).all())


def listed_minimum() -> bool:
    """The listing's test: every value of x² within a millionth of the least."""
    values = GRID**2
    return bool((np.abs(values - values.min()) <= 1e-6).all())


def seeded() -> np.random.RandomState:
    """The book's seed, 0, by NumPy's old generator."""
    return np.random.RandomState(0)


def jensen_holds() -> bool:
    x = seeded().randn(100)
    return bool(x.mean() ** 2 <= (x**2).mean())


def combination_holds() -> bool:
    rng = seeded()
    x, weights = rng.randn(10), rng.dirichlet(np.ones(10))
    return bool(np.exp(x @ weights) <= np.exp(x) @ weights)


def combination_is_a_value() -> bool:
    """Whether the mean of −1 and −3 is among the values of eˣ, all of which are positive."""
    return bool(np.mean([-1.0, -3.0]) > 0)


def region_is_convex() -> bool:
    points = np.random.default_rng(0).uniform(0, 6, (4000, 2))
    return convexity.convex_set(
        lambda p: (p @ REGION_G.T <= REGION_H + 1e-9).all(axis=1), points, np.random.default_rng(1)
    )


CLAIMS: tuple[Claim, ...] = (
    right("3.2.1", "a linear unit of weight 2 and bias 1 is a line: its steps over an even grid differ by", "0",
          lambda: float(np.ptp(np.diff(activations.linear(GRID)))), "no bend anywhere"),
    right("3.2.2", "the sigmoid lies in 0 to 1", "0 to 1", lambda: activations.sigmoid(FAR), "at ±1000 too"),
    right("3.2.3", "ReLU returns positive input, and zero otherwise", "0 0 5",
          lambda: activations.relu(np.array([-5.0, 0.0, 5.0])), "by definition"),
    right("3.2.4", "leaky ReLU of slope 0.01 at −5, by max(αx, x)", "−0.05", check("units", "leaky ReLU at -5"),
          "the formula holds for slopes up to 1"),
    right("3.2.5", "outputs of the softmax sum to", "1", check("units", "softmax of (-1000, 1000) sums to"),
          "if the greatest input is taken off first"),
    wrong("3.2.5", "those of the listing's softmax do, for any input", "yes",
          lambda: bool(np.isclose(drawings.plain_softmax(np.array([-1000.0, 1000.0])).sum(), 1)),
          "it raises e to the power of x as it comes and overflows to nan above 709"),
    right("3.2.6", "a dense layer from 10 to 5 has outputs", "5", check("units", "dense 10 to 5: outputs"),
          "one a unit, for each of the 100 rows"),
    right("3.2.6", "a sigmoid at the end of the dense layer keeps its outputs in 0 to 1", "0 to 1",
          lambda: activations.sigmoid(np.random.default_rng(0).standard_normal((100, 10)) @ np.ones((10, 5))),
          "whatever the weights"),
    right("3.2.7", "output of 8 filters of 3 × 3 over 10 pictures of 10 × 10", "(10, 8, 8, 8)", convolved_shape,
          "10 − 3 + 1 places each way, filters last"),
    right("3.2.7", "side of a map, input less filter plus 1", "8", lambda: output_size(10, 3), "no padding, stride 1"),
    wrong("3.2.8", "the listed LSTM carries history: its gates at step 10 hear step 1", "yes",
          check("units", "LSTM without recurrent weights: gates at step 10 hear step 1"),
          "it has no weights for the hidden state, which never comes back to the gates"),
    right("3.2.8", "an LSTM with recurrent weights does", "yes",
          check("units", "LSTM with recurrent weights: gates at step 10 hear step 1"), "through the hidden state"),
    wrong("3.3.1", "the empirical risk of 1 to 5 is less smooth than the risk x²", "yes", empirical_curvature,
          "both are parabolas of the same curvature; a finite sample moves this one and does not roughen it"),
    wrong("3.3.1", "x² is the risk to which the data 1 to 5 belong: the empirical minimum lies at", "0",
          check("optimisation", "empirical risk of 1..5: its minimum"),
          "the risk of such data has its minimum at their mean, and not at 0"),
    right("3.3.2.1", "x cos πx has a local and a global minimum on −1 to 2", "2",
          lambda: len(landscape.wave_extrema(*landscape.BOOK_INTERVAL)[0]), "at −0.274 and at 1.090, the lower"),
    wrong("3.3.2.1", "the zeros of its derivative are its minima: zeros that are none", "0",
          lambda: len(stationary_points()) - len(landscape.wave_extrema(*landscape.BOOK_INTERVAL)[0]),
          "one of three is a maximum, at 0.274"),
    unchecked("3.3.2.1", "a symbolic solver prints the places of the minima", "–",
              "cot πx = πx has no solution in closed form, and the book prints none"),
    wrong("3.3.2.2", "x³ has a saddle at 0", "yes", check("optimisation", "x³ at 0 is a saddle"),
          "a saddle takes two variables; this is an inflection"),
    right("3.3.2.2", "the derivative of x³ at 0", "0", lambda: round(slope_at(lambda x: x**3, 0.0), 9),
          "3x² is zero there"),
    right("3.3.2.2", "x² − y² has a saddle at 0", "yes", check("optimisation", "x² − y² at 0 is a saddle"),
          "its curvatures are 2 and −2"),
    wrong("3.3.2.2", "x² − y² curves upward along y: its second derivative there is", "above 0",
          lambda: float(np.diff(-(np.array([-1.0, 0.0, 1.0]) ** 2), 2)[0]),
          "it curves upward along x and downward along y; the sentence has them exchanged"),
    right("3.3.2.2", "momentum leaves a saddle sooner: steps saved", "above 0",
          lambda: landscape.escape((1.0, 1e-6), 0.1, 0.0).steps - landscape.escape((1.0, 1e-6), 0.1, 0.9).steps,
          "36 steps in place of 76 (named in 3.3.2.3)"),
    right("3.3.2.3", "the derivative of tanh is 1 − tanh²", "yes", derivative_of_tanh, "by small steps"),
    right("3.3.2.3", "that derivative nearly vanishes for large input: at 10", "below 1e-6",
          lambda: float(1 - np.tanh(10.0) ** 2), "tanh is flat there"),
    right("3.3.2.3", "the derivative of ReLU at −1 and at 1", "0 1",
          lambda: activations.relu_slope(np.array([-1.0, 1.0])),
          "by definition"),
    wrong("3.3.2.3", "ReLU keeps gradients that tanh loses: gradient after 32 layers under the same start",
          "above 1e-7",
          check("optimisation", "gradient left after 32 layers: ReLU, the same start"),
          "under the same start it loses more than tanh, 5e-13 against 1e-8; what helps is He's start, or a way "
          "around"),
    right("3.3.2.3", "skip connections keep them", "above 0.1",
          check("optimisation", "gradient left after 32 layers: residual ReLU"), "a way around the units"),
    right("3.4.1", "x² is convex", "yes", lambda: is_convex(np.square, (-5, 5)), "all five properties hold"),
    right("3.4.1", "sin x is convex", "no", lambda: is_convex(np.sin, (-5, 5)), "chords cross its graph"),
    right("3.4.1", "x³ − x is convex", "no", lambda: is_convex(lambda x: x**3 - x, (-5, 5)), "it bends down below 0"),
    wrong("3.4.1", "convex functions have one global minimum: points as low as the lowest, of max(|x| − 1, 0)", "1",
          lambda: minimisers(lambda x: np.maximum(np.abs(x) - 1, 0)),
          "a flat bottom is convex; only strict convexity makes a minimum unique"),
    right("3.4.2.1", "a chord of x² lies above its graph", "yes", chord_is_above, "between −1 and 1, ends included"),
    right("3.4.2.2", "x² has no negative second derivative, by the listing's differences", "yes",
          listed_second_derivative, "they are positive everywhere"),
    wrong("3.4.2.3", "convex functions have a global minimum: eˣ has", "yes", lambda: attains_a_minimum(np.exp),
          "it falls for ever to the left"),
    wrong("3.4.2.3", "the listing's test finds that of x²", "yes", listed_minimum,
          "it asks every value to be within a millionth of the least, which only constants are"),
    right("3.4.2.4", "Jensen's inequality holds for x² on a hundred normal draws", "yes", jensen_holds,
          "it does; the listing draws X but passes x, an array of the pages before"),
    right("3.4.2.5", "the inequality of convex combinations holds for eˣ under Dirichlet weights", "yes",
          combination_holds, "with the listing's seed"),
    wrong("3.4.2.5", "a weighted sum of points lies within the range of the function", "yes", combination_is_a_value,
          "it lies in the domain; e to any power is positive, and the mean of −1 and −3 is not"),
    right("3.5.1", "the feasible region is convex", "yes", region_is_convex,
          "a triangle, an intersection of half-planes"),
)  # fmt: skip

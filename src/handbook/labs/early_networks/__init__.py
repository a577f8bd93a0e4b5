"""Networks before deep learning: the perceptron and the restricted Boltzmann machine (section 1.2).

The book's history begins with Rosenblatt's perceptron of 1958, which learns simple patterns, and lets deep learning
begin with the restricted Boltzmann machines of Hinton's deep belief networks in 2006. It shows neither.

    perceptron.py    the rule, the bound on its mistakes, met on digits; XOR, on which it never ends
    boltzmann.py     energy, contrastive divergence, likelihood by enumeration; features of digits
    drawing.py       figures

The perceptron's theorem is exact and so is its failure: on XOR the weights come back to where they were, so that the
rule goes round for ever. A Boltzmann machine's gradient is known in full only for toys; on one, contrastive divergence
is held against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from handbook.data.images import LabelledImages
from handbook.evaluation.metrics import mean_interval
from handbook.labs.early_networks import boltzmann, perceptron
from handbook.labs.early_networks.digits import Digits

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DATASET = "mnist"
SEED = 0


def figures(data: LabelledImages) -> dict[str, Figure]:
    """The lab's pictures, each with its finding as title."""
    from handbook.labs.early_networks import drawing

    digits = Digits.of(data)
    return {
        "perceptron_bound": drawing.mistakes(perceptron.pairs(digits)),
        "perceptron_xor": drawing.xor(),
        "toy_likelihood": drawing.likelihoods(boltzmann.toy_runs()),
        "kernels": drawing.receptive(boltzmann.machine(digits)),
        "fantasies": drawing.fantasies(digits, boltzmann.machine(digits)),
        "few_labels": drawing.few_labels(boltzmann.few_labels(digits)),
    }


def checks(data: LabelledImages) -> dict[str, float | bool]:
    """What was measured."""
    digits = Digits.of(data)
    return {**_perceptron(digits), **_toy(), **_boltzmann(digits)}


def _perceptron(digits: Digits) -> dict[str, float | bool]:
    facts: dict[str, float | bool] = {}
    found = perceptron.pairs(digits)
    for pair in found:
        facts[f"digits {pair.name}: mistakes of the perceptron"] = pair.mistakes
        facts[f"digits {pair.name}: the bound (R / margin)²"] = pair.bound
    facts["pairs of digits that a line parts"] = len(found)
    facts["mistakes are within the bound on every pair"] = all(pair.mistakes <= pair.bound for pair in found)
    start, length = perceptron.cycle(*perceptron.XOR)
    facts |= {"XOR: pass after which the weights repeat": start, "XOR: passes a round": length}
    facts["XOR with the product of its inputs: mistakes until none is left"] = perceptron.learn(
        perceptron.with_product(perceptron.XOR[0]), perceptron.XOR[1]
    ).mistakes
    return facts


def _toy() -> dict[str, float | bool]:
    facts: dict[str, float | bool] = {"bars and stripes: best log-likelihood (nats)": boltzmann.best_likelihood()}
    for name, paths in boltzmann.toy_runs().items():
        mean, low, high = mean_interval(paths[:, -1])
        facts |= {
            f"bars and stripes, {name}: log-likelihood (nats)": mean,
            f"bars and stripes, {name}: interval over seeds": (high - low) / 2,
        }
    return facts


def _boltzmann(digits: Digits) -> dict[str, float | bool]:
    facts: dict[str, float | bool] = {}
    for n, (pixels, features) in boltzmann.few_labels(digits).items():
        mean, low, high = mean_interval(features - pixels)
        facts |= {
            f"{n} labels: accuracy on pixels": float(pixels.mean()),
            f"{n} labels: accuracy on the machine's features": float(features.mean()),
            f"{n} labels: gain": mean, f"{n} labels: gain, low": low, f"{n} labels: gain, high": high,
        }  # fmt: skip
    machine, new = boltzmann.machine(digits), digits.arrays()[2]
    facts["reconstruction error a digit (of pixels 0 or 1)"] = machine.reconstruction_error(boltzmann.binary(new))
    return facts

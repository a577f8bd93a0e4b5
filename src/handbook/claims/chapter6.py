"""Chapter 6, generative adversarial networks, up to MNIST: 6.1 to 6.7."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from handbook.claims.claim import Claim, metric, right, rows, unchecked, wrong
from handbook.claims.trials import runs
from handbook.datasets import mnist
from handbook.labs.units import activations

STEPS, BATCH, EVERY = 10_000, 128, 200  # of section 6.7.9


def cross_entropy_is_torchs() -> bool:
    import torch

    o, y = np.array([-2.0, 0.5, 3.0]), np.array([0.0, 1.0, 1.0])
    d = activations.sigmoid(o)
    ours = (-y * np.log(d) - (1 - y) * np.log(1 - d)).mean()
    theirs = torch.nn.functional.binary_cross_entropy_with_logits(torch.tensor(o), torch.tensor(y))
    return bool(np.isclose(ours, float(theirs)))


def minimiser(loss: str) -> float:
    """The D(G(z)) of a grid at which a loss of the generator is least."""
    d = np.linspace(0.001, 0.999, 999)
    return float(d[np.argmin({"first": -np.log(1 - d), "second": -np.log(d)}[loss])])


def pull(loss: str, d: float) -> float:
    """How hard a loss pulls at the discriminator's output o, D = σ(o): |∂L/∂o|."""
    o = math.log(d / (1 - d))
    of = {"first": lambda o: math.log(1 - 1 / (1 + math.exp(-o))), "second": lambda o: math.log(1 / (1 + math.exp(-o)))}
    return abs(of[loss](o + 1e-5) - of[loss](o - 1e-5)) / 2e-5


def scaled(*intensities: int) -> np.ndarray:
    return np.array(intensities) / 255.0 * 2 - 1


def transposed(*strides: int) -> list[int]:
    """Sides of a picture of 7 x 7 after transposed convolutions of 3 x 3 that grow it by their strides."""
    import torch
    from torch import nn

    x, sides = torch.zeros(1, 1, 7, 7), []
    for stride in strides:
        x = nn.ConvTranspose2d(1, 1, 3, stride, 1, output_padding=stride - 1)(x)
        sides.append(x.shape[-1])
    return sides


def picture_fits_the_discriminator() -> bool:
    """Whether a layer of 784 inputs takes the generator's pictures of 28 x 28 x 1."""
    import torch

    return runs(lambda: torch.nn.Linear(28 * 28, 512)(torch.zeros(1, 28, 28, 1)))


def dead_gradient(slope: float) -> float:
    """The gradient at a negative input, by the slope of a leaky ReLU."""
    import torch

    x = torch.tensor(-1.0, requires_grad=True)
    torch.nn.functional.leaky_relu(x, slope).backward()  # type: ignore[no-untyped-call]
    return float(x.grad) if x.grad is not None else math.nan


def normalised() -> tuple[float, float]:
    """Mean and deviation of what batch normalisation hands on of a layer's shifted and stretched values."""
    import torch

    y = torch.nn.BatchNorm1d(1, affine=False)(3 + 5 * torch.randn(1000, 1, generator=torch.Generator().manual_seed(0)))
    return abs(float(y.mean())), float(y.std())


CLAIMS: tuple[Claim, ...] = (
    right("6.1", "the discriminator's loss is the cross-entropy", "yes", cross_entropy_is_torchs, "torch's, on logits"),
    right("6.1", "its output is a probability", "0 to 1", lambda: activations.sigmoid(np.array([-50.0, 0.0, 50.0])),
          "through the sigmoid"),
    wrong("6.1", "minimising the printed −log(1 − D(G(z))) makes D(G(z)) near", "1", lambda: minimiser("first"),
          "the sign is wrong: it makes pictures that are recognised as false; the game maximises it"),
    right("6.1", "minimising −log D(G(z)) makes D(G(z)) near", "1", lambda: minimiser("second"),
          "the loss that is used; the words beside it say the opposite of it"),
    wrong("6.1", "gradients are small where the generator is too good: pull of the first loss at D(G(z)) = 0.99",
          "below 0.1", lambda: pull("first", 0.99),
          "they are small where the discriminator is too good, D(G(z)) near 0, which is why the loss is changed"),
    right("6.1", "the second loss pulls where the first does not: at D(G(z)) = 0.01, second by first", "above 10",
          lambda: pull("second", 0.01) / pull("first", 0.01), "0.99 against 0.01"),
    right("6.5", "convolutional networks draw better: Fréchet distance of ours by that of the dense recipe", "below 1",
          replace(metric("gan", "frechet_distance"), by=metric("gan_book", "frechet_distance")),
          "in the features of our own classifier of digits, after as many steps; ours is given groups too"),
    right("6.5", "conditional GANs draw what they are asked for: digits that are recognised as such", "above 90 %",
          metric("gan_conditional", "conditional_accuracy"), "by our own classifier"),
    wrong("6.5", "Wasserstein GANs draw better: Fréchet distance by that of our plain one", "below 1",
          replace(metric("gan_wasserstein", "frechet_distance"), by=metric("gan", "frechet_distance")),
          "no better at the same size and number of steps, in the features of our own classifier"),
    unchecked("6.5", "progressive GANs draw finer, StyleGANs control style, CycleGANs need no pairs", "–",
              "no measure and no setting is given"),
    right("6.7.1", "pictures of MNIST in all", "70,000", rows("mnist"), "60,000 and 10,000"),
    right("6.7.1", "pictures for training and for the test", "60,000 10,000",
          lambda: (mnist.ROWS["train"], mnist.ROWS["test"]), "the dataset's gate counts them"),
    right("6.7.1", "digits", "10", lambda: len(mnist.CLASSES), "0 to 9"),
    right("6.7.3", "intensities of 0 and 255 scaled", "−1 1", lambda: scaled(0, 255), "divided, doubled, less one"),
    right("6.7.3", "numbers of a flattened picture", "784", lambda: 28 * 28, "28 × 28"),
    right("6.7.4", "numbers of the generator's dense layer, 7 · 7 · 128", "6,272",
          lambda: np.zeros((7, 7, 128)).size, "laid out as 128 maps of 7 × 7"),
    right("6.7.4", "side of the picture after the last layer", "28", lambda: transposed(2, 1, 2)[-1],
          "7 → 14 → 14 → 28"),
    wrong("6.7.4", "both hidden transposed convolutions enlarge: sides after them", "14 28",
          lambda: transposed(2, 1), "the second has stride 1 and keeps its 14"),
    wrong("6.7.6", "the combined model runs: the discriminator takes what the generator draws", "yes",
          picture_fits_the_discriminator, "it wants 784 numbers and gets 28 × 28 × 1; a flattening is missing"),
    right("6.7.4.1", "ReLU stops the gradient of a negative input", "0", lambda: dead_gradient(0.0), "its slope there"),
    right("6.7.4.1", "leaky ReLU of slope 0.01 lets it through", "0.01", lambda: dead_gradient(0.01),
          "its slope there"),
    right("6.7.4.2", "batch normalisation evens inputs out: mean and deviation", "0 1", normalised, "of a batch"),
    wrong("6.7.9", "times that the dataset is gone through", "10,000",
          lambda: STEPS * BATCH / mnist.ROWS["train"], "its epochs are steps of 128 pictures"),
    right("6.7.10", "pictures of a sheet, 5 by 5", "25", lambda: np.zeros((5, 5)).size, "rows times columns"),
    right("6.7.10", "what tanh draws, halved and moved up by a half", "0 to 1",
          lambda: 0.5 * np.tanh([-9.0, 9.0]) + 0.5,
          "as matplotlib wants it"),
    right("6.7.9", "sheets that are written", "at least 50", lambda: len(range(0, STEPS, EVERY)),
          "one every 200 of 10,000 steps; the loop itself is not printed"),
    wrong("6.7.13", "the file of the sheet after 1,000 steps", "0.png", lambda: f"{1000}.png",
          "by the naming of section 6.7.10; the listing shows the first sheet again"),
    unchecked("6.7.13", "steps behind figure 6.5", "1,000",
              "so its caption; the text and the listing beside it say 10,000"),
)  # fmt: skip

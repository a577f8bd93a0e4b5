"""Chapter 6, the DCGAN on sprites: section 6.8."""

from __future__ import annotations

from inspect import signature
from typing import Any

import numpy as np

from handbook.cases.dcgan import networks
from handbook.claims.claim import Claim, right, unchecked, wrong
from handbook.claims.trials import runs
from handbook.labs.convolution.geometry import output_size


def grown(n: int, k: int = 4, s: int = 2, p: int = 1) -> int:
    """The side of a transposed convolution's output, by the printed formula."""
    return k + s * (n - 1) - 2 * p


def block(inputs: int, outputs: int, up: bool, stride: int = 2, padding: int = 1) -> Any:
    """A block of the generator, or of the discriminator: convolution, batch norm, unit."""
    from torch import nn

    kind = nn.ConvTranspose2d if up else nn.Conv2d
    return nn.Sequential(
        kind(inputs, outputs, 4, stride, padding, bias=False), nn.BatchNorm2d(outputs),
        nn.ReLU() if up else nn.LeakyReLU(0.2),
    )  # fmt: skip


def shape(side: int, *, inputs: int = 3, up: bool = True, stride: int = 2, padding: int = 1) -> tuple[int, ...]:
    """Of two pictures of 3 channels behind such a block with 20 outputs."""
    import torch

    return tuple(block(inputs, 20, up, stride, padding)(torch.zeros(2, 3, side, side)).shape)


def takes_twenty_channels() -> bool:
    return runs(lambda: shape(16, inputs=20))


def can_be_called_with_one_argument() -> bool:
    """Whether a constructor of the listed five arguments, none with a default, takes one."""

    def constructor(in_channels: int, out_channels: int, kernel_size: int, stride: int, padding: int) -> None: ...

    return runs(lambda: signature(constructor).bind(20))


def drawn_side(blocks: int) -> int:
    """Of the generator's picture: 4 x 4 from the noise, so many blocks, and the layer that draws."""
    side = grown(1, s=1, p=0)
    for _ in range(blocks + 1):
        side = grown(side)
    return side


def maps_on_the_way() -> list[list[int]]:
    """Channels and sides of a picture of 64 x 64 in the discriminator, block by block, and its score."""
    import torch

    x, found = torch.zeros(2, 3, 64, 64), []
    for layer in networks.discriminator(64, normalised=True):
        x = layer(x)
        if isinstance(layer, torch.nn.LeakyReLU):
            found.append([int(n) for n in x.shape[1:]])
    return [*found, [int(n) for n in x.shape[1:]]]


def scores_of(side: int) -> tuple[int, ...]:
    """The shape of what the discriminator says of a picture of that size."""
    import torch

    return tuple(networks.discriminator(8, normalised=True)(torch.zeros(2, 3, side, side)).shape[1:])


def leaky_forms_agree() -> bool:
    """Whether max(αx, x) is x above zero and αx below, for the slopes of figure 6.7."""
    x = np.arange(-2, 1, 0.1)
    return all(np.allclose(np.maximum(a * x, x), np.where(x > 0, x, a * x)) for a in (0, 0.2, 0.4, 0.6, 0.8, 1))


def has_dense_layers() -> bool:
    from torch import nn

    nets = networks.generator(100, 8), networks.discriminator(8, normalised=True)
    return any(isinstance(layer, nn.Linear) for net in nets for layer in net.modules())


CLAIMS: tuple[Claim, ...] = (
    right("6.8", "a DCGAN has dense layers", "no", has_dense_layers,
          "convolutions alone, in our networks of the recipe"),
    unchecked("6.8.1", "the archive of sprites at the printed address", "–",
              "the address no longer answers; the sprites here are from another archive, pinned by their hashes"),
    right("6.8.1", "intensities less 0.5, divided by 0.5", "−1 to 1", lambda: (np.array([0.0, 0.3, 1.0]) - 0.5) / 0.5,
          "as tanh draws"),
    right("6.8.1", "halved and moved up by a half again", "0 to 1", lambda: np.array([-1.0, 0.2, 1.0]) / 2 + 0.5,
          "as they are shown"),
    right("6.8.1", "pictures in a grid of 4 by 5", "20", lambda: np.zeros((4, 5)).size, "figure 6.6"),
    right("6.8.2", "a block makes of a side of 16", "32", lambda: grown(16), "4 + 2 · 15 − 2"),
    right("6.8.2", "shape of two pictures behind it", "(2, 20, 32, 32)", lambda: shape(16), "20 maps, twice the side"),
    right("6.8.2", "of 1 × 1, at stride 1 without padding", "(2, 20, 4, 4)", lambda: shape(1, stride=1, padding=0),
          "three more each way"),
    wrong("6.8.2", "the block has 20 channels in, and takes the pictures of 3", "yes", takes_twenty_channels,
          "20 is what comes out; 3 go in"),
    wrong("6.8.2", "the block keeps the number of channels, 3", "3", lambda: shape(16)[1], "it makes 20 of 3"),
    wrong("6.8.2", "a block can be made with one argument, as its uses do", "yes", can_be_called_with_one_argument,
          "its constructor wants five and has no defaults"),
    right("6.8.2", "channels of the projected noise, 64 · 8", "512",
          lambda: networks.generator(100, 64)[1].out_channels, "the widest layer"),
    wrong("6.8.2", "side of a picture after four blocks and the layer that draws", "64", lambda: drawn_side(4),
          "one block too many: 4, 8, 16, 32, 64, 128"),
    right("6.8.2", "after three blocks and that layer", "64", lambda: drawn_side(3), "what the recipe needs"),
    right("6.8.3", "leaky ReLU as a maximum and by cases", "yes", leaky_forms_agree, "for slopes of at most 1"),
    right("6.8.3", "steps between the slopes of figure 6.7", "0.2", lambda: np.diff([0, 0.2, 0.4, 0.6, 0.8, 1]).mean(),
          "0 to 1, six of them"),
    wrong("6.8.3", "greatest input of figure 6.7", "1.0", lambda: float(np.arange(-2, 1, 0.1).max()),
          "a range without its end stops at 0.9"),
    right("6.8.3", "a block makes of a side of 16", "8", lambda: output_size(16, 4, padding=1, stride=2),
          "(16 − 4 + 2 + 2) / 2"),
    right("6.8.3", "shape of two pictures behind it", "(2, 20, 8, 8)", lambda: shape(16, up=False),
          "20 maps, half the side"),
    right("6.8.3", "maps and sides of 64 × 64 on their way", "64 32 32; 128 16 16; 256 8 8; 512 4 4; 1 1 1",
          maps_on_the_way, "each block halves the side"),
    wrong("6.8.3", "channels that the first block takes", "64",
          lambda: networks.discriminator(64, normalised=True)[0].in_channels,
          "3, those of the picture; 64 is what it gives"),
    wrong("6.8.3", "what it says of the printed generator's pictures", "(1, 1, 1)", lambda: scores_of(drawn_side(4)),
          "those have 128 × 128: the two printed networks do not fit each other"),
    right("6.8.4", "pictures drawn after each epoch, 3 rows of 7", "21", lambda: np.zeros((3, 7)).size, "one sheet"),
    unchecked("6.8.4", "epochs, rate and length of the noise", "–", "none is printed, nor any result"),
)  # fmt: skip

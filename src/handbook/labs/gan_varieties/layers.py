"""Layers of the growing and of the style-based networks, and the discriminator that both play against.

Equalised learning rate (Karras et al. 2018, section 4.1): weights are kept at deviation 1 and scaled when they are
used, by 1 / sqrt(inputs), so that Adam moves all of them at one pace. Pixel norm (4.2): the vector of channels at each
pixel is divided by its root mean square. Minibatch deviation (section 3): how much the pictures of a batch differ, as a
channel that lets the discriminator see a generator that draws one picture only.

Modulated convolution (Karras et al. 2020, equations 1 and 3): a style s scales the input channels i of the kernel, and
the outcome is brought back to the size that it would have for input of deviation 1,

    w'_oik = s_i w_oik        w''_oik = w'_oik / sqrt(sum_ik w'_oik² + eps)

Scaling the input before one shared convolution and the output after it is the same, without a kernel a picture.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

WIDTHS = (32, 32, 16, 8)  # channels at 4, 8, 16 and 32 pixels a side
EPS = 1e-8


class Dense(nn.Module):
    """(B, inputs) -> (B, outputs), its weights equalised."""

    def __init__(self, inputs: int, outputs: int, bias: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs))
        self.bias = nn.Parameter(torch.full((outputs,), bias))
        self.scale = inputs**-0.5

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight * self.scale, self.bias)


class Conv(nn.Module):
    """(B, inputs, H, W) -> (B, outputs, H, W), its weights equalised."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.scale, self.padding = (inputs * kernel**2) ** -0.5, kernel // 2

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight * self.scale, self.bias, padding=self.padding)


class ModulatedConv(nn.Module):
    """Maps (B, inputs, H, W) and styles w (B, width) -> (B, outputs, H, W)."""

    def __init__(self, inputs: int, outputs: int, width: int, kernel: int = 3, demodulate: bool = True) -> None:
        super().__init__()
        self.conv = Conv(inputs, outputs, kernel)
        self.style = Dense(width, inputs, bias=1.0)  # a style of zero changes nothing
        self.demodulate = demodulate

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        s = self.style(w)  # (B, width) -> (B, inputs)
        kernel = self.conv.weight * self.conv.scale
        y = F.conv2d(x * s[:, :, None, None], kernel, padding=self.conv.padding)
        if self.demodulate:
            size = s.square() @ kernel.square().sum(dim=(2, 3)).T  # sum of w'² of each picture, (B, outputs)
            y = y * (size + EPS).rsqrt()[:, :, None, None]
        return y + self.conv.bias[:, None, None]


def leaky(x: Tensor) -> Tensor:
    """Leaky ReLU of slope 0.2, times sqrt 2, so that the size of a signal is about kept (He et al. 2015)."""
    return F.leaky_relu(x, 0.2) * 2**0.5


def pixel_norm(x: Tensor) -> Tensor:
    """Vectors along dimension 1, (B, C, ...), divided by their root mean square."""
    return x * (x.square().mean(dim=1, keepdim=True) + EPS).rsqrt()


def doubled(x: Tensor) -> Tensor:
    """Each pixel four times: (B, C, S, S) -> (B, C, 2 S, 2 S)."""
    return F.interpolate(x, scale_factor=2.0, mode="nearest")


def halved(x: Tensor) -> Tensor:
    """The mean of each four pixels: (B, C, 2 S, 2 S) -> (B, C, S, S)."""
    return F.avg_pool2d(x, 2)


def with_deviation(x: Tensor) -> Tensor:
    """Maps (B, C, H, W) with one more: the deviation over the batch, averaged over channels and places."""
    deviation = (x.var(dim=0, unbiased=False) + EPS).sqrt().mean()
    return torch.cat([x, deviation.expand(len(x), 1, *x.shape[2:])], dim=1)


class Discriminator(nn.Module):
    """Pictures (B, 3, S, S) -> scores (B,): S is 8, 16 or 32 for 1, 2 or 3 rounds, each of which halves it.

    While a new round fades in, alpha below 1, it is mixed with what the smaller network sees of the halved picture.
    """

    def __init__(self) -> None:
        super().__init__()
        self.from_rgb = nn.ModuleList(Conv(3, fine, 1) for fine in WIDTHS[1:])
        self.rounds = nn.ModuleList(Conv(fine, coarse) for coarse, fine in pairwise(WIDTHS))
        self.last = Conv(WIDTHS[0] + 1, WIDTHS[0])
        self.dense, self.score = Dense(WIDTHS[0] * 16, WIDTHS[0]), Dense(WIDTHS[0], 1)

    def forward(self, pictures: Tensor, rounds: int, alpha: float = 1.0) -> Tensor:
        x = self._round(rounds - 1, leaky(self.from_rgb[rounds - 1](pictures)))
        if alpha < 1:
            x = torch.lerp(leaky(self.from_rgb[rounds - 2](halved(pictures))), x, alpha)
        for k in reversed(range(rounds - 1)):
            x = self._round(k, x)
        x = leaky(self.last(with_deviation(x)))  # (B, 32, 4, 4)
        scores: Tensor = self.score(leaky(self.dense(x.flatten(1)))).squeeze(1)
        return scores

    def _round(self, k: int, x: Tensor) -> Tensor:
        return halved(leaky(self.rounds[k](x)))

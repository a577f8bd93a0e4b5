"""The networks of the GAN on digits: the book's, and convolutional ones of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from handbook.training.adversarial import with_classes

if TYPE_CHECKING:
    from handbook.cases.gan import Params


def layers_of(deep: bool, inputs: int) -> nn.Sequential:
    """The generator's layers: noise (B, inputs) -> pictures (B, 1, 28, 28) of -1..1."""
    if deep:
        return nn.Sequential(
            nn.Linear(inputs, 96 * 49), nn.Unflatten(1, (96, 7, 7)), nn.BatchNorm2d(96), nn.ReLU(),
            nn.ConvTranspose2d(96, 48, 4, 2, 1), nn.BatchNorm2d(48), nn.ReLU(),  # -> (B, 48, 14, 14)
            nn.ConvTranspose2d(48, 1, 4, 2, 1), nn.Tanh(),
        )  # fmt: skip
    return nn.Sequential(
        nn.Linear(inputs, 128 * 49), nn.LeakyReLU(0.2), nn.Unflatten(1, (128, 7, 7)),
        nn.ConvTranspose2d(128, 128, 3, 2, 1, 1), nn.BatchNorm2d(128), nn.LeakyReLU(0.2),  # -> (B, 128, 14, 14)
        nn.ConvTranspose2d(128, 64, 3, 1, 1), nn.BatchNorm2d(64), nn.LeakyReLU(0.2),  # -> (B, 64, 14, 14)
        nn.ConvTranspose2d(64, 1, 3, 2, 1, 1), nn.Tanh(),
    )  # fmt: skip


class Generator(nn.Module):
    """Noise (B, latent) and, if there are any, classes (B,) in; pictures (B, 1, 28, 28) of -1..1 out.

    `classes`: how many digits or groups it is given; 0: none.
    """

    def __init__(self, params: Params, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.layers = layers_of(params.deep, params.latent + self.classes)
        if params.deep:
            self.apply(_small_weights)

    def forward(self, noise: Tensor, labels: Tensor | None = None) -> Tensor:
        if self.classes and labels is not None:
            noise = with_classes(noise, labels, self.classes)
        pictures: Tensor = self.layers(noise)
        return pictures


def _small_weights(layer: nn.Module) -> None:
    """Weights drawn small (Radford et al. 2016): wide ones saturate the tanh before anything is learnt."""
    if isinstance(layer, nn.Linear | nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, std=0.02)


def _he_weights(layer: nn.Module) -> None:
    """Weights that keep a signal's size (He et al. 2015); what the digits add to a score starts at zero."""
    if isinstance(layer, nn.Linear | nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, 0.2)
    elif isinstance(layer, nn.Embedding):
        nn.init.zeros_(layer.weight)


class Discriminator(nn.Module):
    """Pictures (B, 1, 28, 28) of -1..1 and, if there are any, classes (B,) in; scores (B,) out, greater for real.

    `classes`: how many digits or groups it is given; 0: none.
    """

    def __init__(self, params: Params, classes: int) -> None:
        super().__init__()
        if params.deep:
            width = 128 * 16
            self.body = nn.Sequential(
                nn.Conv2d(1, 32, 4, 2, 1), nn.LeakyReLU(0.2),  # -> (B, 32, 14, 14)
                nn.Conv2d(32, 64, 4, 2, 1), nn.LeakyReLU(0.2),  # -> (B, 64, 7, 7)
                nn.Conv2d(64, 128, 3, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(),  # -> (B, 128 * 4 * 4)
            )  # fmt: skip
        else:
            width = 256
            self.body = nn.Sequential(
                nn.Flatten(), nn.Linear(784, 512), nn.LeakyReLU(0.2), nn.Linear(512, 256), nn.LeakyReLU(0.2)
            )
        self.head = nn.Linear(width, 1)
        self.digit = nn.Embedding(classes, width) if classes else None
        if params.deep:
            self.apply(_he_weights)

    def forward(self, pictures: Tensor, labels: Tensor | None = None) -> Tensor:
        features = self.body(pictures)
        scores: Tensor = self.head(features).squeeze(1).float()
        return scores if self.digit is None else scores + (self.digit(labels) * features).float().sum(dim=1)

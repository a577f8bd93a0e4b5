"""The networks of the GAN on sprites, convolutional throughout: kernels of 4 x 4, in strides of 2.

    100 -> 512 @ 4 x 4 -> 256 @ 8 x 8 -> 128 @ 16 x 16 -> 64 @ 32 x 32 -> 3 @ 64 x 64, batch norm, ReLU, tanh

The discriminator mirrors it. Where there are groups of sprites, both are given the group.
"""

from __future__ import annotations

from torch import Tensor, nn

from handbook.training.adversarial import with_classes

SLOPE = 0.2  # of the discriminator's leaky ReLUs


def generator(latent: int, width: int) -> nn.Sequential:
    """Noise (B, latent) in, pictures (B, 3, 64, 64) of -1..1 out; weights as Radford et al. draw them."""
    layers: list[nn.Module] = [nn.Unflatten(1, (latent, 1, 1))]
    layers += _upwards(latent, 8 * width, stride=1, padding=0)  # -> (B, 8 width, 4, 4)
    for times in (8, 4, 2):
        layers += _upwards(times * width, times * width // 2)  # -> (B, width, 32, 32) at the end
    last = nn.ConvTranspose2d(width, 3, 4, 2, 1, bias=False)
    return nn.Sequential(*layers, last, nn.Tanh()).apply(_small_weights)


def _upwards(channels: int, fewer: int, stride: int = 2, padding: int = 1) -> list[nn.Module]:
    convolution = nn.ConvTranspose2d(channels, fewer, 4, stride, padding, bias=False)
    return [convolution, nn.BatchNorm2d(fewer), nn.ReLU()]


def discriminator(width: int, normalised: bool) -> nn.Sequential:
    """Pictures (B, 3, 64, 64) in, scores (B, 1, 1, 1) out.

    With batch norm its weights are drawn as the generator's; without, so that a signal keeps its size (He et al. 2015).
    """
    layers: list[nn.Module] = []
    channels = 3
    for wider in (width, 2 * width, 4 * width, 8 * width):  # -> (B, 8 width, 4, 4) at the end
        layers.append(nn.Conv2d(channels, wider, 4, 2, 1, bias=not normalised))
        layers += [nn.BatchNorm2d(wider), nn.LeakyReLU(SLOPE)] if normalised else [nn.LeakyReLU(SLOPE)]
        channels = wider
    layers.append(nn.Conv2d(channels, 1, 4, bias=not normalised))
    return nn.Sequential(*layers).apply(_small_weights if normalised else _he_weights)


def _small_weights(module: nn.Module) -> None:
    """Convolutions from normal(0, 0.02), as the paper has it; batch norm's weights from normal(1, 0.02)."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0 if isinstance(module, nn.BatchNorm2d) else 0.0, 0.02)


def _he_weights(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, SLOPE)


class GroupedGenerator(nn.Module):
    """Noise (B, latent) and groups (B,) in, pictures (B, 3, 64, 64) of -1..1 out."""

    def __init__(self, latent: int, width: int, groups: int) -> None:
        super().__init__()
        self.groups = groups
        self.layers = generator(latent + groups, width)

    def forward(self, noise: Tensor, groups: Tensor) -> Tensor:
        pictures: Tensor = self.layers(with_classes(noise, groups, self.groups))
        return pictures


class GroupedDiscriminator(nn.Module):
    """Pictures (B, 3, 64, 64) and their groups (B,) in, scores (B,) out: those of any picture and what a group adds.

    What it adds is a product of the picture's last maps with a vector of the group's own, 0 at first (Miyato and Koyama
    2018, equation 3).
    """

    def __init__(self, width: int, groups: int) -> None:
        super().__init__()
        *body, self.head = discriminator(width, normalised=False)
        self.body = nn.Sequential(*body)
        self.group = nn.Embedding(groups, 8 * width * 16)
        nn.init.zeros_(self.group.weight)

    def forward(self, pictures: Tensor, groups: Tensor) -> Tensor:
        maps = self.body(pictures)
        scores: Tensor = self.head(maps).flatten() + (self.group(groups) * maps.flatten(1)).sum(dim=1)
        return scores

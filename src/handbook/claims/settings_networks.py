"""The settings that the book prints of its networks: LeNet (3.13), the LSTM (5.6), GAN (6.7) and DCGAN (6.8)."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from handbook.cases import char_lstm, dcgan, gan, lenet
from handbook.claims.setting import Setting
from handbook.data import sprites
from handbook.training import adversarial

ENDS = torch.tensor([[[0, 255]]], dtype=torch.uint8)  # a picture (1, 1, 2) of the darkest and the brightest
Params = Any


def layers(network: nn.Module, kind: type[Any]) -> list[Any]:
    """Those of a kind, in the order of the network."""
    return [each for each in network.modules() if isinstance(each, kind)]


def optimiser(found: torch.optim.Optimizer) -> str:
    """Its name; AdamW without decay is Adam."""
    decays = any(group["weight_decay"] for group in found.param_groups)
    return type(found).__name__.removesuffix("" if decays else "W")


@cache
def of_lenet(p: Params) -> lenet.Model:
    return lenet.Model(p, list("0123456789"))


def scaled_by_lenet(p: Params) -> Any:
    """What the network makes of the darkest and the brightest."""
    centre, spread = lenet.scale(ENDS.numpy(), p)
    return (ENDS.numpy() - centre) / spread


def is_cross_entropy(p: Params) -> bool:
    """Whether LeNet's loss is the plain one."""
    model, images, labels = of_lenet(p), torch.zeros(3, 28, 28, dtype=torch.uint8), torch.tensor([0, 3, 9])
    return bool(torch.isclose(model.training_step([images, labels]), F.cross_entropy(model(images), labels)))


def pools_behind_relu(p: Params) -> bool:
    kinds = [type(each) for each in of_lenet(p).features]
    return kinds.index(nn.MaxPool2d) > kinds.index(nn.ReLU)


@cache
def of_lstm(p: Params) -> char_lstm.Model:
    return char_lstm.Model(p, "abc")


@cache
def of_gan(p: Params) -> gan.Model:
    return gan.Model(p, 10)


@cache
def of_dcgan(p: Params) -> dcgan.Model:
    torch.manual_seed(0)
    return dcgan.Model(p)


@cache
def round_of(page: Any, p: Params) -> dict[str, int]:
    """A round of a game as it is played: moves of either side, and batches of noise that are drawn from."""
    model: Any = {gan: of_gan, dcgan: of_dcgan}[page](p)
    counted = {"generator": 0, "discriminator": 0, "noise": 0}

    def move(side: int, network: nn.Module, loss: Tensor) -> None:
        counted[("generator", "discriminator")[side]] += 1

    def drawn(module: nn.Module, inputs: Any) -> None:
        counted["noise"] += 1

    hook = model.generator.register_forward_pre_hook(drawn)
    images = torch.zeros(2, *model.sheets.shape[2:], dtype=torch.uint8)
    model.play([images, torch.zeros(2, dtype=torch.int64)], 0, 1000, move)
    hook.remove()
    return counted


def loss_is_cross_entropy(p: Params) -> bool:
    """Whether the game's losses are those of ones and zeros."""
    game, real, generated = adversarial.GAMES[p.loss](), torch.tensor([0.3, -2.0]), torch.tensor([1.0, 0.1])
    bce = F.binary_cross_entropy_with_logits
    theirs = bce(real, torch.ones(2)) + bce(generated, torch.zeros(2))
    of_generator = torch.isclose(game.generator(generated), bce(generated, torch.ones(2)))
    return bool(torch.isclose(game.discriminator(real, generated), theirs) and of_generator)


def loss_of_two(p: Params) -> float:
    """The discriminator's loss of two equal pictures by that of one."""
    game = adversarial.GAMES[p.loss]()
    return float(game.discriminator(torch.zeros(2), torch.zeros(2)) / game.discriminator(*torch.zeros(2, 1)))


def blocks(network: nn.Module) -> int:
    """Those of a convolution and batch norm."""
    return len(layers(network, nn.BatchNorm2d))


def drawn_weights(p: Params, kind: type[Any]) -> Tensor:
    model = of_dcgan(p)
    found = [
        each.weight.detach().flatten() for net in (model.generator, model.discriminator) for each in layers(net, kind)
    ]
    return torch.cat(found)


def shape_of_blocks(p: Params) -> list[int]:
    """Kernel, stride and padding that all blocks but the generator's first have."""
    model = of_dcgan(p)
    found = layers(model.generator, nn.ConvTranspose2d)[1:] + layers(model.discriminator, nn.Conv2d)[:-1]
    (only,) = {(each.kernel_size[0], each.stride[0], each.padding[0]) for each in found}
    return list(only)


def side_drawn(p: Params) -> int:
    model = of_dcgan(p)  # made outside: in inference mode its weights could not be trained by who asks for it next
    with torch.inference_mode():
        return int(model.averaged.eval()(torch.zeros(1, p.latent)).shape[-1])


LENET = (
    Setting("3.13", "lenet_book", "maps of the convolutions", "6 16",
            lambda p: [each.out_channels for each in layers(of_lenet(p), nn.Conv2d)]),
    Setting("3.13", "lenet_book", "sides of their kernels", "5 5",
            lambda p: [each.kernel_size[0] for each in layers(of_lenet(p), nn.Conv2d)]),
    Setting("3.13", "lenet_book", "sides that are pooled", "2 2",
            lambda p: [each.kernel_size for each in layers(of_lenet(p), nn.MaxPool2d)]),
    Setting("3.13", "lenet_book", "ReLU comes before pooling", "yes", pools_behind_relu, "another",
            "the other way round gives the same values, with a quarter of the work for ReLU"),
    Setting("3.13", "lenet_book", "widths of the dense layers", "120 84 10",
            lambda p: [each.out_features for each in layers(of_lenet(p), nn.Linear)]),
    Setting("3.13", "lenet_book", "intensities", "0 to 1", scaled_by_lenet),
    Setting("3.13", "lenet_book", "pictures are mirrored or shifted", "no", lambda p: bool(p.flip or p.shift)),
    Setting("3.13", "lenet_book", "share of the training pictures held out", "0 %", lambda p: p.validation_share),
    Setting("3.13", "lenet_book", "the loss is the cross-entropy", "yes", is_cross_entropy),
    Setting("3.13", "lenet_book", "optimiser", "SGD", lambda p: optimiser(of_lenet(p).recipe(1)[0])),
    Setting("3.13", "lenet_book", "learning rate", "0.001", lambda p: p.learning_rate),
    Setting("3.13", "lenet_book", "which falls or rises", "no", lambda p: of_lenet(p).recipe(1)[1] is not None),
    Setting("3.13", "lenet_book", "momentum", "0.9", lambda p: p.momentum),
    Setting("3.13", "lenet_book", "pictures of a batch", "64", lambda p: p.batch_size),
    Setting("3.13", "lenet_book", "epochs", "10", lambda p: p.epochs),
)  # fmt: skip

LSTM = (
    Setting("5.6", "char_lstm_book", "text in lower case", "yes", lambda p: p.lower_case),
    Setting("5.6", "char_lstm_book", "characters of a window", "50", lambda p: p.window),
    Setting("5.6", "char_lstm_book", "numbers that stand for a character", "1",
            lambda p: of_lstm(p).layers[0].input_size),
    Setting("5.6", "char_lstm_book", "characters learnt from a window", "1",
            lambda p: p.window if p.many_to_many else 1),
    Setting("5.6", "char_lstm_book", "share of the windows in an epoch", "100 %", lambda p: p.window_share,
            "the same in full", "other windows each time, so that a laptop has it in minutes"),
    Setting("5.6", "char_lstm_book", "share of the text that is learnt from", "100 %",
            lambda p: 1 - p.held_out, "another",
            "the last tenth is to judge by; the book judges by no text"),
    Setting("5.6", "char_lstm_book", "cell", "LSTM", lambda p: type(of_lstm(p).layers[0]).__name__),
    Setting("5.6", "char_lstm_book", "units of its layers", "300 300",
            lambda p: [each.hidden_size for each in of_lstm(p).layers]),
    Setting("5.6", "char_lstm_book", "dropout behind each", "0.2", lambda p: p.dropout),
    Setting("5.6", "char_lstm_book", "optimiser", "Adam", lambda p: optimiser(of_lstm(p).recipe(1)[0])),
    Setting("5.6", "char_lstm_book", "windows of a batch", "128", lambda p: p.batch_size),
    Setting("5.6", "char_lstm_book", "epochs", "10", lambda p: p.epochs),
    Setting("5.6", "char_lstm_book", "characters that are written", "50",
            lambda p: char_lstm.WRITTEN[p.many_to_many][0], "another",
            "more of it shows the circles that always taking the likeliest goes round in"),
)  # fmt: skip

GAN = (
    Setting("6.7", "gan_book", "intensities", "−1 to 1", lambda p: of_gan(p).prepared(ENDS).numpy()),
    Setting("6.7", "gan_book", "numbers of the noise", "100", lambda p: p.latent),
    Setting("6.7", "gan_book", "numbers of the generator's dense layer", "6,272",
            lambda p: layers(of_gan(p).generator, nn.Linear)[0].out_features),
    Setting("6.7", "gan_book", "slopes of its leaky ReLUs, the first behind the dense layer", "0.2 0.2 0.2",
            lambda p: [each.negative_slope for each in layers(of_gan(p).generator, nn.LeakyReLU)]),
    Setting("6.7", "gan_book", "maps of its transposed convolutions", "128 64 1",
            lambda p: [each.out_channels for each in layers(of_gan(p).generator, nn.ConvTranspose2d)]),
    Setting("6.7", "gan_book", "sides of their kernels", "3 3 3",
            lambda p: [each.kernel_size[0] for each in layers(of_gan(p).generator, nn.ConvTranspose2d)]),
    Setting("6.7", "gan_book", "their strides", "2 1 2",
            lambda p: [each.stride[0] for each in layers(of_gan(p).generator, nn.ConvTranspose2d)]),
    Setting("6.7", "gan_book", "batch norms", "2", lambda p: blocks(of_gan(p).generator)),
    Setting("6.7", "gan_book", "what draws", "Tanh", lambda p: type([*of_gan(p).generator.modules()][-1]).__name__),
    Setting("6.7", "gan_book", "numbers that the discriminator takes", "784",
            lambda p: layers(of_gan(p).discriminator, nn.Linear)[0].in_features),
    Setting("6.7", "gan_book", "widths of its layers", "512 256 1",
            lambda p: [each.out_features for each in layers(of_gan(p).discriminator, nn.Linear)]),
    Setting("6.7", "gan_book", "slopes of its leaky ReLUs", "0.2 0.2",
            lambda p: [each.negative_slope for each in layers(of_gan(p).discriminator, nn.LeakyReLU)]),
    Setting("6.7", "gan_book", "the loss is the binary cross-entropy", "yes", loss_is_cross_entropy),
    Setting("6.7", "gan_book", "optimisers", "Adam Adam",
            lambda p: " ".join(optimiser(each) for each in of_gan(p).optimisers())),
    Setting("6.7", "gan_book", "their rates", "0.0002 0.0002", lambda p: (p.generator_rate, p.discriminator_rate)),
    Setting("6.7", "gan_book", "their first beta", "0.5", lambda p: p.betas[0]),
    Setting("6.7", "gan_book", "updates of the discriminator a step", "2", lambda p: round_of(gan, p)["discriminator"]),
    Setting("6.7", "gan_book", "updates of the generator a step", "1", lambda p: round_of(gan, p)["generator"]),
    Setting("6.7", "gan_book", "batches of noise a step", "2", lambda p: round_of(gan, p)["noise"]),
    Setting("6.7", "gan_book", "pictures of a batch", "128", lambda p: p.batch_size),
    Setting("6.7", "gan_book", "steps", "10,000", lambda p: p.epochs * p.steps, "the same in full",
            "a tenth, so that a laptop has it in minutes"),
    Setting("6.7", "gan_book", "steps between two sheets", "200", lambda p: p.sheet_every),
    Setting("6.7", "gan_book", "pictures on a sheet", "25", lambda p: of_gan(p).every.shape[1]),
)  # fmt: skip

DCGAN = (
    Setting("6.8", "dcgan_book", "intensities", "−1 to 1",
            lambda p: of_dcgan(p).prepared(ENDS[..., None].repeat(1, 1, 1, 3)).numpy()),
    Setting("6.8", "dcgan_book", "side of a picture", "64", lambda p: sprites.SIDE),
    Setting("6.8", "dcgan_book", "side of what is drawn", "64", side_drawn),
    Setting("6.8", "dcgan_book", "channels before the last convolution", "64", lambda p: p.width, "the same in full",
            "a quarter: at the book's width two cores would not see each sprite once in minutes"),
    Setting("6.8", "dcgan_book", "kernel, stride and padding of a block", "4 2 1", shape_of_blocks),
    Setting("6.8", "dcgan_book", "kernel, stride and padding of the generator's first layer", "4 1 0",
            lambda p: [getattr(layers(of_dcgan(p).generator, nn.ConvTranspose2d)[0], name)[0]
                       for name in ("kernel_size", "stride", "padding")]),
    Setting("6.8", "dcgan_book", "blocks behind it", "4", lambda p: blocks(of_dcgan(p).generator) - 1, "another",
            "four end at 128 x 128, where the discriminator wants 64 x 64"),
    Setting("6.8", "dcgan_book", "what draws", "Tanh", lambda p: type([*of_dcgan(p).generator.modules()][-1]).__name__),
    Setting("6.8", "dcgan_book", "blocks of the discriminator", "4", lambda p: blocks(of_dcgan(p).discriminator)),
    Setting("6.8", "dcgan_book", "slopes of its leaky ReLUs", "0.2 0.2 0.2 0.2",
            lambda p: [each.negative_slope for each in layers(of_dcgan(p).discriminator, nn.LeakyReLU)]),
    Setting("6.8", "dcgan_book", "convolutions have a bias", "no",
            lambda p: any(each.bias is not None for kind in (nn.Conv2d, nn.ConvTranspose2d)
                          for net in (of_dcgan(p).generator, of_dcgan(p).discriminator) for each in layers(net, kind))),
    Setting("6.8", "dcgan_book", "deviation of the first weights", "0.02",
            lambda p: float(drawn_weights(p, nn.ConvTranspose2d).std())),
    Setting("6.8", "dcgan_book", "mean of batch norm's first weights", "0.0",
            lambda p: float(drawn_weights(p, nn.BatchNorm2d).mean()), "another",
            "around 0 they multiply every channel by next to nothing; Radford et al. draw them around 1"),
    Setting("6.8", "dcgan_book", "the loss is the cross-entropy on logits", "yes", loss_is_cross_entropy),
    Setting("6.8", "dcgan_book", "loss of two equal pictures by that of one", "2", loss_of_two, "another",
            "a mean where the book sums; Adam takes the same steps"),
    Setting("6.8", "dcgan_book", "optimisers", "Adam Adam",
            lambda p: " ".join(optimiser(each) for each in of_dcgan(p).optimisers())),
    Setting("6.8", "dcgan_book", "their betas", "0.5 0.999", lambda p: p.betas),
    Setting("6.8", "dcgan_book", "batches of noise a step", "1", lambda p: round_of(dcgan, p)["noise"]),
    Setting("6.8", "dcgan_book", "pictures of a batch", "256", lambda p: p.batch_size, "the same in full",
            "a quarter, for more steps in the same time"),
    Setting("6.8", "dcgan_book", "pictures drawn to look at", "21", lambda p: of_dcgan(p).sheets.shape[1], "another",
            "ten, from the same noise each time, at eight moments"),
)  # fmt: skip

SETTINGS = LENET + LSTM + GAN + DCGAN

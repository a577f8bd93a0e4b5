"""Chapter 4, convolutional networks, up to the receptive field: 4.2 and 4.3."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from handbook.claims.claim import Claim, check, right, unchecked, wrong
from handbook.claims.trials import runs
from handbook.labs.convolution import edges, layers
from handbook.labs.convolution.geometry import output_size
from handbook.labs.convolution.receptive import Layer, receptive_fields
from handbook.labs.dense_to_convolution import chain

Array = npt.NDArray[np.float64]
MEGAPIXEL = 1000 * 1000


def correlated(x: Array, w: Array) -> Array:
    """One picture by one kernel, without their axes of one."""
    return np.asarray(layers.cross_correlate(x[None, None], w[None, None])[0, 0])


def kernel_weights(reach: int) -> int:
    """Of a kernel that reaches so many pixels to each side."""
    return chain.weights(1000, reach)["and local"]


def renamed_sum_is_the_same() -> bool:
    """Whether equations 4.1 and 4.2 give one H, W with weights W[i, j, k, l] = V[i, j, k − i, l − j]."""
    rng = np.random.default_rng(0)
    weights, x = rng.standard_normal((4, 4, 4, 4)), rng.standard_normal((4, 4))
    return bool(np.allclose(chain.dense(x, weights), chain.over_offsets(x, chain.by_offset(weights))))


def shifted_answers() -> tuple[Array, Array]:
    """The answers to a picture and to the same picture moved by one pixel, away from the rim."""
    rng = np.random.default_rng(0)
    x, w = np.zeros((9, 9)), rng.standard_normal((3, 3))
    x[3:6, 3:6] = rng.standard_normal((3, 3))
    return correlated(x, w), correlated(np.roll(x, 1, axis=1), w)


def shift_shifts() -> bool:
    before, after = shifted_answers()
    return bool(np.allclose(np.roll(before, 1, axis=1), after))


def shift_changes_nothing() -> bool:
    return bool(np.allclose(*shifted_answers()))


def turned_kernel() -> bool:
    """Whether true convolution, equation 4.7, is cross-correlation, 4.4, with the kernel turned by half a turn."""
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((5, 5)), rng.standard_normal((2, 2))
    true = [
        [sum(w[a, b] * x[i + 1 - a, j + 1 - b] for a in range(2) for b in range(2)) for j in range(4)] for i in range(4)
    ]
    return bool(np.allclose(true, correlated(x, w[::-1, ::-1])))


def over_channels() -> tuple[int, ...]:
    """The shape of equation 4.8: three channels in, five out, reach 1, size kept."""
    return layers.cross_correlate(np.zeros((1, 3, 8, 8)), np.zeros((5, 3, 3, 3)), padding="same").shape[1:]


def torch_weight(inputs: int, outputs: int, k: int) -> tuple[int, ...]:
    from torch import nn

    return tuple(nn.Conv2d(inputs, outputs, k).weight.shape)


def network_runs(side: int) -> bool:
    """Whether the two convolutions of section 4.3 and a dense layer for 32 maps of this size take 32 x 32 pictures."""
    import torch
    from torch import nn

    net = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.Flatten(),
        nn.Linear(32 * side * side, 1), nn.ReLU(),
    )  # fmt: skip
    return runs(lambda: net(torch.zeros(1, 3, 32, 32)))


def learned_shape() -> tuple[int, ...]:
    """What a kernel of 2 x 2 makes of the picture of 6 x 8."""
    return correlated(edges.band(), np.zeros((2, 2))).shape


def written_in_place() -> bool:
    """Whether a tensor that wants a gradient lets itself be written into, as the listing does."""
    import torch

    x = torch.ones((6, 8), requires_grad=True)
    return runs(lambda: x[:, 2:6].fill_(0))


def layer_of_random_weights() -> float:
    """The least that the listed layer gives: its weights are uniform in 0 to 1, and are not the kernel."""
    rng = np.random.default_rng(0)
    return float(min(correlated(edges.band(), rng.random((1, 2))).min() for _ in range(100)))


def torch_correlates() -> bool:
    import torch

    x, w = np.arange(9.0).reshape(3, 3), np.arange(4.0).reshape(2, 2)
    theirs = torch.nn.functional.conv2d(torch.tensor(x)[None, None], torch.tensor(w)[None, None])
    return bool(np.allclose(theirs.numpy()[0, 0], correlated(x, w)))


EDGES = edges.across(edges.band())

CLAIMS: tuple[Claim, ...] = (
    right("4.2", "weights from a megapixel to 1,000 hidden units", "1e9", lambda: MEGAPIXEL * 1000,
          "one each from every pixel to every unit"),
    right("4.2.2", "weights from 1000 × 1000 pixels to as many hidden ones", "1e12",
          lambda: chain.weights(1000, 2)["dense"], "one from every pixel to every other"),
    right("4.2.2", "counting pixels from the hidden one (equation 4.2) changes no sum", "yes", renamed_sum_is_the_same,
          "the same weights under other names"),
    right("4.2.3", "weights of one kernel for all places, of offsets within 1,000", "4e6",
          lambda: chain.weights(1000, 2)["shared by all places"], "1,999 each way: 3,996,001"),
    right("4.2.3", "a shift of the picture shifts the answer (equation 4.3)", "yes", shift_shifts,
          "the kernel is the same everywhere: this is equivariance"),
    wrong("4.2.4", "so features are invariant to translation", "yes", shift_changes_nothing,
          "they move with the picture; what does not change is made by pooling, later"),
    wrong("4.2.4", "weights of a kernel of reach 2, by the printed 4Δ²", "16", lambda: kernel_weights(2),
          "offsets from −Δ to Δ are 2Δ + 1, zero among them"),
    right("4.2.4", "with a reach below 10 they are a few hundred", "at most 400", lambda: kernel_weights(9),
          "361 at a reach of 9"),
    right("4.2.5", "convolution is cross-correlation with the kernel turned (4.7 and 4.4)", "yes", turned_kernel,
          "by half a turn"),
    right("4.2.6", "several channels (equation 4.8): 3 in, 5 out, 8 × 8 kept", "(5, 8, 8)", over_channels,
          "one sum over the channels for each output"),
    wrong("4.5", "the kernel of a layer is a tensor of so many axes", "3", lambda: len(torch_weight(3, 2, 3)),
          "the sentence itself lists four: height, width, inputs, outputs"),
    wrong("4.3", "the listed network takes its 32 × 32 pictures", "yes", lambda: network_runs(28),
          "its dense layer is sized for maps of 28 × 28"),
    wrong("4.3", "inputs of its first dense layer, printed as 32 · 28 · 28", "25,088",
          lambda: 32 * output_size(32, 3, padding=1) ** 2, "padding 1 keeps 32 × 32: 32 · 32 · 32"),
    right("4.3", "mended so, it runs", "yes", lambda: network_runs(32), "nothing else is wrong with its shapes"),
    right("4.3.1", "figure 4.3: first value of 0..8 by 0..3", "19",
          check("convolution", "worked example, first value"), "0 + 1 + 6 + 12"),
    right("4.3.1", "output of 3 × 3 under 2 × 2", "(2, 2)", lambda: (output_size(3, 2), output_size(3, 2)),
          "size less kernel plus 1, each way"),
    right("4.3.1", "its shape with axes for picture and channel", "(1, 1, 2, 2)",
          lambda: layers.cross_correlate(np.zeros((1, 1, 3, 3)), np.zeros((1, 1, 2, 2))).shape,
          "one picture, one kernel"),
    unchecked("4.3.1", "what the listing prints for 1..9 by 1..4", "–",
              "the book shows no output"),
    right("4.3.1", "a larger kernel leaves a smaller output: 5 less than 3, over 8", "below 0",
          lambda: output_size(8, 5) - output_size(8, 3), "4 against 6"),
    wrong("4.3.3", "columns of the image as printed", "7", lambda: edges.band().shape[1],
          "the listing, and the text above, have eight"),
    wrong("4.3.3", "its first row as printed", "1 1 0 0 0 1 1", lambda: edges.band()[0],
          "one black column is lost in the print"),
    wrong("4.3.3", "its fifth row as printed", "1 0 0 0 0 1 1", lambda: edges.band()[4],
          "rows 5 and 6 are printed otherwise than the first four; all six are alike"),
    right("4.3.3", "black columns in the middle of it", "4", lambda: int((edges.band()[0] == 0).sum()),
          "columns 2 to 5, as the text says"),
    wrong("4.3.3", "rows of the edges as printed", "0 1 0 0 −1 0", lambda: EDGES[0],
          "one column short: white to black after the second column, black to white after the sixth"),
    right("4.3.3", "1 marks white to black, −1 black to white", "1 −1", lambda: (EDGES[0, 1], EDGES[0, 5]),
          "the kernel takes the right neighbour off"),
    right("4.3.3", "the kernel on the transposed image: numbers that are not zero", "0",
          lambda: int(np.count_nonzero(edges.across(edges.band().T))), "its neighbours side by side are alike"),
    right("4.3.3", "shape of that result", "(8, 5)", lambda: edges.across(edges.band().T).shape, "as printed"),
    wrong("4.3.3", "that result has 1 and −1 for lying edges", "1 −1",
          lambda: (edges.across(edges.band().T).max(), edges.across(edges.band().T).min()),
          "the sentence contradicts the zeros above it: this kernel is blind to edges that lie"),
    wrong("4.3.3", "the listed layer applies the kernel: its least output", "−1", layer_of_random_weights,
          "it draws weights of its own in 0 to 1 and is never given the kernel"),
    wrong("4.3.4", "shape of the output that the learned kernel is held against", "(4, 4)", learned_shape,
          "its kernel of 2 × 2 makes 5 × 7 of 6 × 8"),
    wrong("4.3.4", "the listing runs: it may write into its input", "yes", written_in_place,
          "torch refuses to change a leaf that wants a gradient"),
    right("4.3.4", "the kernel can be learned by SGD", "yes",
          check("convolution", "kernel learned on the band within 0.01"), "within a hundredth, on the same image"),
    right("4.3.5", "torch's convolution is a cross-correlation", "yes", torch_correlates,
          "it does not turn the kernel"),
    right("4.3.6", "numbers of Y and of X that two layers of 2 × 2 see", "4 9",
          lambda: [r**2 for r in receptive_fields([Layer(2), Layer(2)])], "2 × 2 and 3 × 3"),
)  # fmt: skip

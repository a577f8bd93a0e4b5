"""Chapter 5, recurrent networks and the LSTM."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from handbook.claims.claim import Claim, check, right, unchecked, wrong
from handbook.claims.trials import runs
from handbook.labs.units.activations import sigmoid

Array = npt.NDArray[np.float64]
WINDOW = 50  # characters, section 5.6
TEXT = "tomorrow and tomorrow and tomorrow creeps in this petty pace from day to day"


class Cell:
    """An LSTM cell of torch, 3 inputs and 4 units, taken apart into its gates."""

    def __init__(self) -> None:
        import torch

        torch.manual_seed(0)
        self.cell = torch.nn.LSTMCell(3, 4).double()
        self.x, self.h, self.c = (torch.randn(1, n, dtype=torch.float64) for n in (3, 4, 4))

    def step(self, x: float = 1.0, h: float = 1.0, c: float = 1.0) -> tuple[Array, Array]:
        """Next hidden and cell state, with what goes in made so many times as large."""
        new_h, new_c = self.cell(x * self.x, (h * self.h, c * self.c))
        return new_h.detach().numpy(), new_c.detach().numpy()

    def gates(self, x: float = 1.0, h: float = 1.0, c: float = 1.0) -> dict[str, Array]:
        """Input, forget and output gate and the candidate, from what goes in and what comes out alone.

        The forget gate is what a unit more of the old cell state adds; the output gate what tanh of the new one is
        multiplied by. Both are measured, not read off the weights.
        """
        import torch

        old = (c * self.c).clone().requires_grad_()
        new_h, new_c = self.cell(x * self.x, (h * self.h, old))
        (forget,) = torch.autograd.grad(new_c.sum(), old, retain_graph=True)
        added = new_c - forget * old
        output = new_h / torch.tanh(new_c)
        return {
            name: value.detach().numpy()
            for name, value in {"forget": forget, "added": added, "output": output, "c": new_c, "h": new_h}.items()
        }

    def hears(self, gate: str, what: str) -> bool:
        """Whether a gate changes when the input, the hidden or the cell state does."""
        return not np.allclose(self.gates()[gate], self.gates(**{what: 2.0})[gate])


def memory_is_the_printed_sum() -> bool:
    """Whether C(t) = C(t−1) f + i g with sigmoid gates i, f and a tanh candidate g gives torch's cell."""
    cell = Cell()
    return bool(np.allclose(_updated(cell, twice=False), cell.step()[1]))


def memory_with_the_gated_candidate() -> bool:
    """The same sum with the candidate of section 5.5.2, which is gated already."""
    cell = Cell()
    return bool(np.allclose(_updated(cell, twice=True), cell.step()[1]))


def _updated(cell: Cell, twice: bool) -> Array:
    w = {name: each.detach().numpy() for name, each in cell.cell.named_parameters()}
    before = cell.x.numpy() @ w["weight_ih"].T + w["bias_ih"] + cell.h.numpy() @ w["weight_hh"].T + w["bias_hh"]
    i, f, g, _ = np.split(before, 4, axis=1)
    candidate = np.tanh(g) * (sigmoid(i) if twice else 1)
    return np.asarray(sigmoid(f) * cell.c.numpy() + sigmoid(i) * candidate)


def grown(radius: float, steps: int = 50) -> float:
    """By how much an error grows on its way back through linear recurrent weights of this spectral radius."""
    w = np.random.default_rng(0).standard_normal((8, 8))
    w *= radius / np.abs(np.linalg.eigvals(w)).max()
    return float(np.linalg.norm(np.linalg.matrix_power(w, steps)))


def clipped() -> float:
    """The norm of a gradient of norm 100 after clipping at 1."""
    import torch

    weight = torch.nn.Parameter(torch.zeros(4))
    weight.grad = torch.full((4,), 50.0)
    torch.nn.utils.clip_grad_norm_([weight], 1.0)
    return float(weight.grad.norm())


def recurrent_weights(steps: int) -> int:
    """Of a recurrent layer that has read so many steps."""
    import torch

    layer = torch.nn.RNN(3, 5)
    layer(torch.zeros(steps, 1, 3))
    return sum(each.numel() for each in layer.parameters())


def windows() -> Array:
    """Numbers of the characters of each window of a short text, (windows, 50, 1), by their number as shares."""
    known = {c: i for i, c in enumerate(sorted(set(TEXT)))}
    found = [[known[c] for c in TEXT[i : i + WINDOW]] for i in range(len(TEXT) - WINDOW)]
    return np.reshape(found, (len(found), WINDOW, 1)) / len(known)


def letters_can_be_appended() -> bool:
    """Whether a window with a letter in place of a number can be scaled for the next prediction."""
    return runs(lambda: np.reshape([1, 2, "a"], (1, 3, 1)) / 27.0)


def moved_window() -> int:
    """Its length after 50 characters were appended and as many taken off."""
    window = list(range(WINDOW))
    for each in range(50):
        window = [*window, each][1:]
    return len(window)


CLAIMS: tuple[Claim, ...] = (
    right("5.2", "an RNN has the same weights for sequences of any length: those for 50 steps less those for 5", "0",
          lambda: recurrent_weights(50) - recurrent_weights(5), "they are applied again at each step"),
    right("5.2", "recurrent networks use trends and patterns: error on months with a season by that of the last value",
          "below 1",
          replace(check("forecasting", "months, a month ahead: MASE of LSTM on changes over a year"),
                  by=check("forecasting", "months, a month ahead: MASE of last value")),
          "though linear autoregression, which costs nothing to train, errs less"),
    right("5.3", "in an RNN gradients vanish on their way back: share of an error left after 49 steps", "below 1e-9",
          check("units", "RNN: share of an error left 49 steps back"), "it shrinks by about half a step"),
    right("5.3", "and may explode: an error after 50 steps at a spectral radius of 1.2", "above 1,000",
          lambda: grown(1.2), "1.2 to the 50th power is 9,100"),
    right("5.3", "an LSTM mitigates that: its share left after 49 steps by that of an RNN", "above 10",
          replace(check("units", "LSTM: share of an error left 49 steps back"),
                  by=check("units", "RNN: share of an error left 49 steps back")),
          "though both all but vanish under a usual start"),
    right("5.4", "an LSTM keeps long memories: share left after 49 steps, forget bias 2", "above 0.01",
          check("units", "LSTM, forget bias 2: share of an error left 49 steps back"),
          "only if its forget gate is open, which the book does not mention"),
    right("5.4", "its gates lie in 0 to 1", "0 to 1",
          lambda: np.concatenate([Cell().gates()["forget"], Cell().gates()["output"]]), "sigmoids"),
    wrong("5.4", "the forget gate reads the previous cell state", "yes", lambda: Cell().hears("forget", "c"),
          "it reads the input and the previous hidden state, as section 5.5.1 has it"),
    right("5.5.1", "the forget gate reads the previous hidden state", "yes", lambda: Cell().hears("forget", "h"),
          "against section 5.4"),
    right("5.5.1", "and the input", "yes", lambda: Cell().hears("forget", "x"), "both are combined"),
    wrong("5.4", "the output gate reads the modified cell state", "yes", lambda: Cell().hears("output", "c"),
          "what it multiplies does, the gate does not; cells with such peepholes are another kind"),
    right("5.5.2", "the input gate and the candidate read the hidden state", "yes", lambda: Cell().hears("added", "h"),
          "and the input"),
    wrong("5.5.2", "the product of gate and tanh is the C of section 5.5.3's sum", "yes",
          memory_with_the_gated_candidate, "it would be gated twice; in the sum C is the candidate alone"),
    right("5.5.3", "the cell state is what the forget gate keeps, and what the input gate lets in", "yes",
          memory_is_the_printed_sum, "equal to torch's cell, C the candidate"),
    right("5.5.4", "the hidden state is the output gate times tanh of the cell state: within", "−1 to 1",
          lambda: Cell().gates()["h"], "a product of 0 to 1 and −1 to 1"),
    unchecked("5.4", "the price after 100, 110, 108, 120, 115", "–",
              "the example predicts none; networks that know the five name others from seed to seed"),
    wrong("5.4", "an LSTM suits prices: its error on prices that walk at random by that of the last price", "below 1",
          check("forecasting", "prices, a month ahead: error of LSTM on changes by that of last value"),
          "such a walk holds nothing to remember; what is found in it is chance"),
    right("5.6", "windows of 50 characters, each with its next: characters less windows", "50",
          lambda: len(TEXT) - len(windows()), "the last character of the text ends the last pair"),
    right("5.6", "shape of a window as input", "50 1", lambda: windows().shape[1:], "one number a character"),
    right("5.6", "numbers of characters, divided by how many there are", "0 to 1", windows,
          "they are scaled; that a is near b means nothing, which an embedding mends"),
    unchecked("5.6", "passes that the listing trains for", "1",
              "so the text below it; the listing says ten, and no result is printed that would decide"),
    right("5.6", "length of the window while 50 characters are written", "50", moved_window,
          "one is appended, one taken off"),
    wrong("5.6", "improvement 3: the character should be appended in place of its number", "yes",
          letters_can_be_appended, "the next step divides the window by a number, which letters do not let it"),
    right("5.7", "clipping tames an exploding gradient: a norm of 100, clipped at 1", "1.0", clipped,
          "and keeps its line"),
)  # fmt: skip

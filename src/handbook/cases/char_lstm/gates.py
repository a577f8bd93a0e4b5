"""Inside a gated cell as it reads (sections 5.5 to 5.5.4): its gates, a character at a time, from its weights.

    LSTM  f, i, o = sigmoid(W x + U h + b),  g = tanh(W x + U h + b),  c' = f c + i g,  h' = o tanh(c')
    GRU   r, z = sigmoid(W x + U h + b),  n = tanh(W x + b + r (U h + b')),  h' = (1 - z) n + z h

Hochreiter and Schmidhuber (1997), Gers et al. (2000), Cho et al. (2014). All gates read the input and the last hidden
state, as section 5.5.1 has it for the forget gate, and none reads the cell state, as 5.4 has it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.contract import Split
from handbook.data import texts
from handbook.data.texts import Codes, Passage
from handbook.evaluation.language import places_in_words

if TYPE_CHECKING:
    import torch
    from matplotlib.figure import Figure

Floats = npt.NDArray[Any]
SHOWN = 60  # characters of the passage that is drawn
UNITS = 8  # whose gates are drawn: those whose memory follows the words most closely
READ = 1000  # characters that means are taken over
KEEPS = {"lstm": "forget gate", "gru": "update gate"}  # the gate that a memory is multiplied by from step to step


def read(layer: torch.nn.Module, signal: Floats) -> dict[str, Floats]:
    """What a layer of torch computes of a signal (T, inputs) from an empty memory: gates and states (T, width).

    In float64 by the formulas above. ValueError for a cell without gates.
    """
    w = {name: each.detach().cpu().double().numpy() for name, each in layer.named_parameters()}
    step = {"LSTM": _lstm, "GRU": _gru}.get(type(layer).__name__)
    if step is None:
        raise ValueError(f"expected an LSTM or a GRU, found {type(layer).__name__}, which has no gates")
    inputs = signal @ w["weight_ih_l0"].T + w["bias_ih_l0"]  # (T, gates times width)
    width = w["weight_hh_l0"].shape[1]
    state: dict[str, Floats] = {"hidden state": np.zeros(width), "cell state": np.zeros(width)}
    kept: dict[str, list[Floats]] = {}
    for each in inputs:
        state = step(each, w["weight_hh_l0"] @ state["hidden state"] + w["bias_hh_l0"], state)
        for name, value in state.items():
            kept.setdefault(name, []).append(value)
    return {name: np.stack(values) for name, values in kept.items()}


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)))  # no exponent that could overflow


def _lstm(inputs: Floats, recurrent: Floats, before: dict[str, Floats]) -> dict[str, Floats]:
    i, f, g, o = np.split(inputs + recurrent, 4)  # in torch's order
    i, f, o, g = _sigmoid(i), _sigmoid(f), _sigmoid(o), np.tanh(g)
    c = f * before["cell state"] + i * g
    return {
        "forget gate": f, "input gate": i, "candidate": g, "output gate": o, "cell state": c,
        "hidden state": o * np.tanh(c),
    }  # fmt: skip


def _gru(inputs: Floats, recurrent: Floats, before: dict[str, Floats]) -> dict[str, Floats]:
    (r, z, n), (ur, uz, un) = np.split(inputs, 3), np.split(recurrent, 3)
    r, z = _sigmoid(r + ur), _sigmoid(z + uz)
    n = np.tanh(n + r * un)
    return {"reset gate": r, "update gate": z, "candidate": n, "hidden state": (1 - z) * n + z * before["hidden state"]}


def signal(model: Any, codes: Codes) -> Floats:
    """What the last layer of a network is given for a text (N,): (N, width of the layer before)."""
    import torch

    with torch.inference_mode():
        text = torch.from_numpy(codes)[None].to(next(model.parameters()).device)
        found = model.embed(text) if model.params.embedding else (text / len(model.alphabet)).unsqueeze(2)
        for layer in [*model.layers][:-1]:
            found, _ = layer(found)
    return np.asarray(found[0].cpu().double().numpy())


def figures(model: Any, split: Split[Passage]) -> dict[str, Figure]:
    """The gates of the last layer as it reads the test text, by a finding; none for a cell without gates."""
    if model.params.cell not in KEEPS:
        return {}
    codes = split.test.codes[: READ if model.params.many_to_many else model.params.window]  # as far as it ever reads
    found = read([*model.eval().layers][-1], signal(model, codes))
    place = places_in_words(codes, split.test.alphabet)
    return {"gates": _draw(found, place, codes, split.test.alphabet, KEEPS[model.params.cell])}


def _draw(found: dict[str, Floats], place: Codes, codes: Codes, alphabet: str, keeps: str) -> Figure:
    from handbook.evaluation.figures import canvas

    memory = found.get("cell state", found["hidden state"])
    units = tracking(memory, place)[:UNITS]
    start = min(len(codes) // 2, max(0, len(codes) - SHOWN))
    part = slice(start, start + SHOWN)
    marks = [{"\n": "¶", "\t": "→", " ": "␣"}.get(each, each) for each in texts.decode(codes[part], alphabet)]
    figure, axes = canvas(len(found), 1, size=(10.2, 1.15 * len(found) + 0.9), sharex=True)
    for axis, (name, values) in zip(axes, found.items(), strict=True):
        gate = name.endswith("gate")
        limit = 1.0 if name in ("candidate", "hidden state") else float(np.abs(values[part][:, units]).max())
        shown = axis.imshow(
            values[part][:, units].T, aspect="auto", cmap="viridis" if gate else "RdBu_r",
            vmin=0 if gate else -limit, vmax=1 if gate else limit, interpolation="nearest",
        )  # fmt: skip
        axis.set(yticks=[])
        axis.set_ylabel(name, rotation=0, ha="right", va="center", fontsize=9)
        figure.colorbar(shown, ax=axis, pad=0.01, aspect=6)
    axes[-1].set_xticks(range(len(marks)), marks, family="monospace", fontsize=9)
    axes[-1].set_xlabel(f"the text as it is read; rows are the {len(units)} units whose memory follows the words most")
    figure.suptitle(finding(found[keeps], place, keeps))
    return figure


def tracking(memory: Floats, place: Codes) -> npt.NDArray[Any]:
    """Units by how closely their memory (T, width) follows where in a word the text is (T,), most closely first."""
    wanted = place - place.mean()
    centred = memory - memory.mean(axis=0)
    spread = np.sqrt((centred**2).sum(axis=0) * (wanted**2).sum())
    return np.argsort(-np.abs(wanted @ centred) / np.maximum(spread, 1e-12), kind="stable")


def finding(gate: Floats, place: Codes, name: str) -> str:
    """How open the gate that keeps the memory is, (T, width), inside words and between them."""
    inside, between = (float(gate[where].mean()) if where.any() else float("nan") for where in (place > 0, place == -1))
    if not np.isfinite(inside + between):
        return f"The {name} is open to {gate.mean():.2f} on average"
    gap = round(between - inside, 2)
    how = "as much" if not gap else "less" if gap < 0 else "more"
    return (
        f"Between words the {name} is open to {between:.2f}, inside them to {inside:.2f}:\n"
        f"{how} is kept where a word ends ({len(place):,} characters)"
    )

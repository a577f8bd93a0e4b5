"""The pictures of a GAN's report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from handbook.contract import Split
from handbook.data.images import SIDE, Pictures
from handbook.evaluation import likeness
from handbook.evaluation.report import Floats
from handbook.training import adversarial, modes
from handbook.training.adversarial import Bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from handbook.cases.gan import Model


LEAST_SHARE = 0.05  # of what is drawn; below it a digit is said to be lost
MOST_SHARE = 0.15  # what no digit should exceed; drawn as a line
ACROSS = 10  # of the book's sheets beside each other


def figures(
    model: Model, split: Split[Pictures], generated: Bytes, features: tuple[Floats, Floats], share: Floats
) -> dict[str, Any]:
    """The page's pictures, each with its finding as title; features are those of the drawn and of the training ones."""
    from handbook.evaluation import figures as draw

    latent, conditional = model.params.latent, model.params.conditional
    steps = np.array([row["epoch"] for row in model.history_]) * int(model.moments[-1]) / len(model.history_)
    losses = {"generator": "train_loss", "discriminator": "train_discriminator_loss"}
    drawn = np.concatenate([generated[None, :12], *(
        split.train.images[likeness.nearest(mine[:12], theirs)[1]][None]
        for mine, theirs in (features, (generated, split.train.images))
    )])  # fmt: skip
    ends = torch.from_numpy(adversarial.latents(np.arange(12), latent))
    ways = torch.cat([likeness.great_circle(ends[2 * k], ends[2 * k + 1], 12) for k in range(6)]).numpy()
    if model.shares:  # the first number says the group, and a way is to stay in one
        ways[:, 0] = np.repeat(ways[::12, 0], 12)
    between = model.draw(ways, np.repeat(np.arange(6), 12)).reshape(6, 12, SIDE, SIDE)
    styles = np.tile(adversarial.latents(np.arange(10), latent), (10, 1))
    sheet = model.draw(styles, np.repeat(np.arange(10), 10)) if conditional else generated[:100]
    real = np.bincount(split.test.labels, minlength=len(share)) / len(split.test)
    least, most = (split.test.classes[k] for k in (share.argmin(), share.argmax()))
    pictures = {
        "losses": draw.paths(
            steps, {side: np.array([row[key] for row in model.history_]) for side, key in losses.items()},
            "Neither loss tells how good the pictures are", "step", f"{model.params.loss} loss", log=False,
        ),
        "training": draw.mosaic(
            model.sheets.cpu().numpy(), "The same ten latent vectors as training goes on",
            rows=[f"step {step}" for step in model.moments.tolist()],
        ),
        "sheet": draw.mosaic(
            sheet.reshape(10, 10, SIDE, SIDE),
            "A row is a digit asked for, a column a latent vector" if conditional else "What the seeds 0 to 99 draw",
            rows=split.test.classes if conditional else (),
        ),
        "interpolation": draw.mosaic(
            between,
            "From one latent vector to another, along the sphere that they lie near"
            + ("; each row is of one group" if model.shares else ""),
        ),
        "neighbours": draw.mosaic(
            drawn, "What is drawn, and the training pictures nearest to it", rows=("drawn", "by features", "by pixels")
        ),
        "coverage": draw.shares(
            split.test.classes, {"drawn": share, "test pictures": real},
            f"{most} is drawn most ({share.max():.1%}), {least} least ({share.min():.1%})", (LEAST_SHARE, MOST_SHARE),
        ),
    }  # fmt: skip
    if model.shares:
        pictures["groups"] = by_group(model.shares, generated, latent)
    return pictures | ({"sheets": sheets(model)} if model.params.sheet_every else {})


def by_group(shares: list[float], generated: Bytes, latent: int) -> Figure:
    """What the seeds 0, 1, 2, ... draw (N, 28, 28), sorted by the group that each asks for."""
    from handbook.evaluation import figures as draw

    _, group = modes.requested(adversarial.latents(np.arange(len(generated)), latent), shares)
    sizes = np.bincount(group, minlength=len(shares))
    largest = np.argsort(-sizes, kind="stable")[: min(10, np.count_nonzero(sizes))]
    across = min(12, sizes[largest].min())
    drawn = np.stack([generated[group == each][:across] for each in largest])
    return draw.mosaic(drawn, f"Rows: the largest of {len(shares)} groups of training pictures, found without labels")


def sheets(model: Model) -> Figure:
    """The sheets of 5 x 5 that the book keeps, in the order of time."""
    from handbook.evaluation import figures as draw

    every, drawn = model.params.sheet_every, model.sheets_drawn()
    number, side = len(drawn), 5 * (SIDE + 1)
    framed = np.pad(drawn, ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=255)
    whole = framed.reshape(number, 5, 5, SIDE + 1, SIDE + 1).transpose(0, 1, 3, 2, 4).reshape(number, side, side)
    across = min(ACROSS, number)
    down = -(-number // across)
    filled = np.pad(whole, ((0, down * across - number), (0, 0), (0, 0)), constant_values=255)
    return draw.mosaic(
        filled.reshape(down, across, side, side),
        f"Every {every} steps a sheet of 5 x 5 from new noise: {number} of them in {int(model.moments[-1]):,} steps",
        rows=[f"step {every * across * k:,}" for k in range(down)],
        columns=[f"+ {every * k:,}" for k in range(across)],
        side=max(1.1, 6.5 / across),
    )

"""The lab's pictures: digits in, a Figure out, the finding as its title."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from matplotlib.figure import Figure

from handbook.evaluation import figures as draw
from handbook.evaluation.figures import BLUE, GREY, ORANGE, canvas
from handbook.evaluation.figures.style import plain_axes
from handbook.evaluation.metrics import bootstrap
from handbook.evaluation.trials import share
from handbook.labs.autoencoders import judging
from handbook.labs.autoencoders.networks import DIMENSIONS, VAE_DIMENSIONS, Digits, autoencoder, elbo, vae

Array = npt.NDArray[Any]
SHOWN, SIDE, GRID = 12, 28, 12


def as_bytes(pictures: Array) -> Array:
    """Pictures (..., 784) of about 0 to 1 as bytes (..., 28, 28)."""
    return np.asarray(
        (255 * np.clip(pictures, 0, 1)).round().astype(np.uint8).reshape(*pictures.shape[:-1], SIDE, SIDE)
    )


def reconstructed(digits: Digits) -> Figure:
    """New digits, and what is left of them behind 2, 8 and 32 numbers."""
    new, found = digits.arrays()[2], judging.reconstructions(digits)
    rows = {"new digits": new[:SHOWN]}
    for d in DIMENSIONS:
        rows |= {f"{name}, {d}": found[name, d][:SHOWN] for name in ("PCA", "autoencoder")}
    d = DIMENSIONS[1]
    pca, ours = (judging.errors(digits)[name, d].mean() for name in ("PCA", "autoencoder"))
    return draw.mosaic(
        as_bytes(np.stack(list(rows.values()))),
        f"Behind {d} numbers the autoencoder leaves {ours / pca:.0%} of the squared error of PCA",
        list(rows),
    )


def by_dimension(digits: Digits, rng: np.random.Generator) -> Figure:
    """Errors of both by the number of dimensions, and their paired difference."""
    figure, (errors, gains) = canvas(1, 2, size=(9.4, 3.9))
    found = judging.errors(digits)
    places = np.arange(len(DIMENSIONS))
    for name, colour, mark in (("PCA", BLUE, "o"), ("autoencoder", ORANGE, "s")):
        each = [found[name, d].mean(axis=0) for d in DIMENSIONS]
        means, bounds = np.array([e.mean() for e in each]), np.array([bootstrap(e, rng) for e in each])
        errors.errorbar(places, means, [means - bounds[:, 0], bounds[:, 1] - means], fmt=mark + "-", color=colour,
                        capsize=3, label=name)  # fmt: skip
    shares = np.array([share_of_error(digits, d, rng) for d in DIMENSIONS]) * 100
    gains.errorbar(places, shares[:, 0], [shares[:, 0] - shares[:, 1], shares[:, 2] - shares[:, 0]], fmt="s",
                   color=ORANGE, capsize=3)  # fmt: skip
    gains.axhline(100, ls="--", color=GREY)
    errors.set(ylabel="squared error a digit, ‖x − x̂‖²")
    gains.set(ylabel="autoencoder's error (% of PCA's)", ylim=(0, max(120.0, 1.1 * shares.max())))
    for axes in (errors, gains):
        axes.set_xticks(places, [str(d) for d in DIMENSIONS])
        axes.set(xlabel="numbers a digit is squeezed into")
        plain_axes(axes)
    errors.legend(frameon=False)
    worse = [d for d, each in zip(DIMENSIONS, shares, strict=True) if each[2] >= 100]
    figure.suptitle(
        "Squeezed into " + ", ".join(str(d) for d in DIMENSIONS) + " numbers, an autoencoder leaves "
        + ", ".join(f"{each[0]:.0f} %" for each in shares) + " of PCA's error"
        + (f";\nfrom {worse[0]} numbers on it is no better, as trained here" if worse else "")
    )  # fmt: skip
    return figure


def share_of_error(digits: Digits, d: int, rng: np.random.Generator) -> tuple[float, float, float]:
    """The autoencoder's squared error as a share of PCA's, and its 95 % bootstrap interval over new digits."""
    pca, ours = (judging.errors(digits)[name, d].mean(axis=0) for name in ("PCA", "autoencoder"))
    rows = rng.integers(0, len(pca), (1000, len(pca)))
    low, high = np.percentile(ours[rows].mean(axis=1) / pca[rows].mean(axis=1), [2.5, 97.5])
    return float(ours.mean() / pca.mean()), float(low), float(high)


def planes(digits: Digits) -> Figure:
    """Where new digits lie in two dimensions, by each model, a colour a class."""
    _, _, new, answers = digits.arrays()
    x, d = torch.from_numpy(new), 2
    with torch.inference_mode():
        codes = {
            "PCA": judging.components(digits).codes(new, d),
            "autoencoder": autoencoder(digits, d, 0).encoder(x).numpy(),
            "VAE, means": vae(digits, d)[0](x)[0].numpy(),
        }
    figure, axes = canvas(1, 3, size=(12.0, 4.2))
    purity = {}
    for place, (name, points) in zip(axes, codes.items(), strict=True):
        for k in range(10):
            own = points[answers == k]
            place.plot(own[:, 0], own[:, 1], ".", ms=3, alpha=0.35, color=f"C{k}")
            middle = np.median(own, axis=0)
            place.text(*middle, str(k), fontsize=12, weight="bold", ha="center", va="center",
                       bbox={"fc": "white", "ec": f"C{k}", "boxstyle": "circle,pad=0.2"})  # fmt: skip
        purity[name] = neighbours_agree(points, answers)
        place.set_title(f"{name}: {purity[name]:.0%} of neighbours agree", fontsize=10)
        place.set(xlabel="first number", ylabel="second number")
    best = max(purity, key=lambda name: purity[name])
    figure.suptitle(
        f"Two numbers a digit, learnt without labels: {best.replace(', means', '')} parts the digits best\n"
        "(how often the nearest other digit is of the same class)"
    )
    return figure


def neighbours_agree(points: Array, labels: Array) -> float:
    """Share of points (N, d) whose nearest other one has the same label."""
    from scipy.spatial import cKDTree

    nearest = cKDTree(points).query(points, k=2)[1][:, 1]
    return float((labels[nearest] == labels).mean())


def manifold(digits: Digits) -> Figure:
    """What the VAE of two dimensions draws over a grid of the normal's quantiles."""
    from scipy.stats import norm

    line = norm.ppf(np.linspace(0.03, 0.97, GRID))
    z = np.stack(np.meshgrid(line, line[::-1]), axis=-1).reshape(-1, 2)
    with torch.inference_mode():
        pictures = vae(digits, 2)[0].pictures(torch.from_numpy(z).float()).numpy()
    classes = len(np.unique(_labels(digits, pictures)))
    return draw.mosaic(
        as_bytes(pictures.reshape(GRID, GRID, -1)),
        f"The plane of a VAE of two dimensions has places for {classes} of the ten digits", side=0.42,
    )  # fmt: skip


def _labels(digits: Digits, pictures: Array) -> Array:
    """The label of the nearest training digit of each picture (N, 784)."""
    x, labels, _, _ = digits.arrays()
    return np.asarray(labels[(np.square(x).sum(axis=1) - 2 * pictures.astype(np.float32) @ x.T).argmin(axis=1)])


def samples(digits: Digits) -> Figure:
    """Pictures that each model draws, and how many of them a neighbour would recognise."""
    found, pictures = judging.recognised(digits), judging.drawn(digits)
    rows = [f"{name}: {share(int(agree.sum()), len(agree))[0]:.0%}" for name, (agree, _) in found.items()]
    by_model = list(found)
    best = max(by_model[1:], key=lambda name: found[name][0].mean())
    low, high = share(int(found[best][0].sum()), judging.DRAWN)[1:]
    return draw.mosaic(
        as_bytes(np.stack([each[:SHOWN] for each in pictures.values()])),
        f"Of digits drawn from random codes, those of the {best.split(',')[0]} are recognised most: "
        f"{100 * low:.0f} to {high:.0%} (real: {found[by_model[0]][0].mean():.0%})",
        rows,
    )


def walk(digits: Digits) -> Figure:
    """From one new digit to another: along the sphere of the VAE's codes, and by mixing pixels."""
    new, answers = digits.arrays()[2:]
    pairs = [(3, 8), (4, 9), (1, 7), (0, 6)]
    net, rows, names = vae(digits, VAE_DIMENSIONS[-1])[0], [], []
    with torch.inference_mode():
        for pair in pairs:
            ends = [new[np.flatnonzero(answers == digit)[0]] for digit in pair]
            codes = net(torch.from_numpy(np.stack(ends)))[0].numpy()
            between = judging.great_circle(codes[0], codes[1], SHOWN)
            rows.append(net.pictures(torch.from_numpy(between).float()).numpy())
            names.append(f"codes, {pair[0]} to {pair[1]}")
    mixed = np.linspace(0, 1, SHOWN)[:, None]
    rows.append((1 - mixed) * ends[0] + mixed * ends[1])
    names.append("pixels mixed")
    middle = rows[-2][SHOWN // 2], rows[-1][SHOWN // 2]
    grey = [float(((each > 0.2) & (each < 0.8)).mean() / (each > 0.2).mean()) for each in middle]
    return draw.mosaic(
        as_bytes(np.stack(rows)),
        f"Half-way between 0 and 6, {grey[0]:.0%} of the inked pixels are grey by codes and {grey[1]:.0%} by mixing",
        names,
    )


def bounds(digits: Digits) -> Figure:
    """How the bound rises in training, and of what it is made on new digits."""
    figure, (curve, parts) = canvas(1, 2, size=(9.6, 3.8))
    x = torch.from_numpy(digits.arrays()[2])
    split = {}
    for d, colour in zip(VAE_DIMENSIONS, (BLUE, ORANGE), strict=True):
        net, losses = vae(digits, d)
        width = max(1, len(losses) // 50)
        smooth = np.convolve(-losses, np.full(width, 1 / width), mode="valid")
        curve.plot(np.arange(len(smooth)) + width, smooth, color=colour, label=f"{d} dimensions")
        with torch.inference_mode():
            noise = torch.randn(len(x), d, generator=torch.Generator().manual_seed(0))
            bound, divergence = (float(each.mean()) for each in elbo(net, x, noise))
        split[d] = bound, divergence
    curve.set(xlabel="step", ylabel="ELBO on the batch (nats)", ylim=(-260, None))
    curve.legend(frameon=False)
    places = np.arange(len(split))
    lost = np.array([-(bound + divergence) for bound, divergence in split.values()])
    used = np.array([divergence for _, divergence in split.values()])
    parts.bar(places, lost, color=BLUE, width=0.5, label="to draw the digit from its code")
    parts.bar(places, used, bottom=lost, color=ORANGE, width=0.5, label="to say the code (KL)")
    parts.set_xticks(places, [f"{d} dimensions" for d in split])
    parts.set(ylabel="nats a new digit", ylim=(0, 1.45 * (lost + used).max()))
    parts.legend(frameon=False)
    for axes in (curve, parts):
        plain_axes(axes)
    (small, _), (large, divergence) = split.values()
    figure.suptitle(
        f"With {VAE_DIMENSIONS[1]} dimensions in place of {VAE_DIMENSIONS[0]} the bound on new digits rises from "
        f"{small:.0f} to {large:.0f} nats, {divergence:.0f} of them for the code"
    )
    return figure

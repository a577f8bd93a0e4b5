"""The lab's pictures: components, how many clusters, trees, and clusters beside classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from handbook.evaluation.figures import BLUE, GREY, INK, ORANGE, canvas, gallery
from handbook.evaluation.figures.style import plain_axes
from handbook.labs.unsupervised import agreement as agreements
from handbook.labs.unsupervised import components, hierarchy
from handbook.labs.unsupervised.rows import Array, Rows
from handbook.labs.unsupervised.study import INDICES, OWN_TREES, K, Study

if TYPE_CHECKING:
    from collections.abc import Sequence

GREEN = "#2e8b57"
SPECIES = (BLUE, ORANGE, GREEN)
LEADING = 100  # components that are drawn


def explained(rows: dict[str, Rows]) -> Figure:
    """The share of the variance that the first components hold together."""
    figure, axes = canvas(1, len(rows), size=(8.8, 3.8))
    says = []
    for (name, each), place in zip(rows.items(), axes, strict=True):
        shares = each.components.shares
        number = components.needed(shares, 0.9)
        drawn = np.cumsum(shares)[:LEADING]
        place.plot(1 + np.arange(len(drawn)), 100 * drawn, "o-", ms=3, color=BLUE)
        place.axhline(90, ls="--", color=GREY)
        place.axvline(number, ls=":", color=ORANGE)
        place.annotate(f"{number}", (number, 90), (4, -14), textcoords="offset points", color=ORANGE)
        place.set(xlabel="components", title=f"{name}, {len(shares)} numbers a row", ylim=(0, 102))
        place.xaxis.get_major_locator().set_params(integer=True)
        says.append(f"{number} of {len(shares)} for {name}")
        plain_axes(place)
    axes[0].set(ylabel="variance held (%)")
    figure.suptitle(f"Components that hold 90 % of the variance: {', '.join(says)}")
    return figure


def choosing(studies: dict[str, Study]) -> Figure:
    """Each index over k, its choice, and the number of classes."""
    figure, axes = canvas(len(studies), len(INDICES), size=(10, 5.4), squeeze=False, sharex=True)
    says = []
    for (name, each), row in zip(studies.items(), axes, strict=True):
        classes = _classes(each)
        for (index, sign), place in zip(INDICES.items(), row, strict=True):
            chosen = each.chosen(index)
            place.plot(K, each.indices[index], "o-", ms=3, color=BLUE)
            place.axvline(classes, ls="--", color=GREY, label=f"{classes} classes")
            place.plot(chosen, each.indices[index][K.index(chosen)], "o", ms=8, mfc="none", mew=2, color=ORANGE,
                       label=f"chosen: {chosen}")  # fmt: skip
            place.set_title(f"{name}: {index}, {'greatest' if sign > 0 else 'least'} is best", fontsize=9)
            place.legend(frameon=False, fontsize=8)
            plain_axes(place)
        right = [index for index in INDICES if each.chosen(index) == classes]
        asks = ", ".join(f"{index} {each.chosen(index)}" for index in INDICES)
        says.append(f"{name}, {classes} classes: {asks}" + ("" if right else "; none is right"))
    for place in axes[-1]:
        place.set(xlabel="k")
        place.xaxis.get_major_locator().set_params(integer=True)
    figure.suptitle("Clusters that each index asks for\n" + "\n".join(says), fontsize=10.5)
    return figure


def _classes(study: Study) -> int:
    """How many there are: as many clusters were asked of every algorithm."""
    return int(study.clusters["k-means"].max()) + 1


def stability(studies: dict[str, Study]) -> Figure:
    """How far runs from different starts agree, and the inertia of the best of them."""
    figure, (same, bend) = canvas(1, 2, size=(9, 3.9))
    says = []
    for (name, each), colour, form in zip(studies.items(), (BLUE, ORANGE), ("o-", "s-"), strict=False):
        classes = _classes(each)
        same.plot(K, each.stability, form, ms=4, color=colour, label=name)
        bend.plot(K, each.inertia / each.inertia[0], form, ms=4, color=colour, label=name)
        for place, line in ((same, each.stability), (bend, each.inertia / each.inertia[0])):
            place.plot(classes, line[K.index(classes)], "o", ms=10, mfc="none", mew=2, color=colour)
        says.append(f"{each.stability[K.index(classes)]:.2f} with the {classes} of {name}")
    same.set(xlabel="k", ylabel="adjusted Rand index between starts", ylim=(0, 1.03))
    bend.set(xlabel="k (a ring: the number of classes)", ylabel="inertia, as a share of that at k = 2", ylim=(0, 1.03))
    for place in (same, bend):
        place.legend(frameon=False)
        plain_axes(place)
    figure.suptitle(f"How far k-means agrees with itself from another start: {', '.join(says)}", fontsize=10.5)
    return figure


def clusters(rows: Rows, study: Study) -> Figure:
    """Classes and clusters along the first two components."""
    figure, axes = canvas(1, 3, size=(10.5, 4), sharex=True, sharey=True)
    places = rows.components.project(rows.raw, 2)
    best = max((name for name in study.agreement if name != "k-means"), key=lambda name: _rand(study, name))
    shown = {"classes": rows.labels, "k-means": study.clusters["k-means"], best: study.clusters[best]}
    for (name, labels), place in zip(shown.items(), axes, strict=True):
        matched = labels if name == "classes" else _matched(labels, rows.labels)
        for k, (colour, form) in enumerate(zip(SPECIES, "os^", strict=False)):
            own = places[matched == k]
            place.plot(*own.T, form, ms=4, alpha=0.75, color=colour, label=rows.classes[k] if name == "classes" else "")
        title = name if name == "classes" else f"{name}: index {_rand(study, name):.2f}"
        place.set(xlabel="first component", title=title)
        plain_axes(place)
    axes[0].set(ylabel="second component")
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    figure.suptitle(
        f"Irises: k-means and species agree to {_rand(study, 'k-means'):.2f}, {best} to {_rand(study, best):.2f} "
        "(adjusted Rand index)"
    )
    return figure


def _rand(study: Study, name: str) -> float:
    return study.agreement[name]["adjusted Rand index"][0]


def _matched(labels: Array, classes: Array) -> Array:
    """The clusters numbered after the classes so that as many rows as possible have the same number."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(-agreements.table(labels, classes))
    return np.asarray(columns[np.argsort(rows)][labels])


def dendrograms(rows: Rows, study: Study) -> Figure:
    """The tree of every linkage over the irises, each leaf with its species' colour below."""
    from scipy.cluster.hierarchy import cophenet, dendrogram
    from scipy.spatial.distance import pdist

    figure, axes = canvas(2, 2, size=(10, 6.6))
    distances, judged = pdist(rows.x), {}
    for name, place in zip(hierarchy.LINKAGES, axes.flat, strict=True):
        own = len(rows.x) <= OWN_TREES
        tree = hierarchy.agglomerate(rows.x, name) if own else study.trees[name]
        drawn = dendrogram(tree, ax=place, no_labels=True, color_threshold=0, above_threshold_color=INK)
        judged[name] = float(cophenet(tree, distances)[0])
        classes = rows.labels[drawn["leaves"]]
        band = place.inset_axes((0, -0.07, 1, 0.05))
        _species(band, classes)
        height = (tree[-3, 2] + tree[-2, 2]) / 2  # between the mergers that leave three clusters and two
        place.axhline(height, ls="--", lw=0.9, color=ORANGE)
        index = study.agreement[f"{name} linkage"]["adjusted Rand index"][0]
        place.set_title(
            f"{name}: cut at three, index {index:.2f}; cophenetic correlation {judged[name]:.2f}", fontsize=9
        )
        place.set(ylabel="height of the merger (cm)" if name != "ward" else "height of the merger")
        place.spines[["top", "right", "bottom"]].set_visible(False)
    handles = [axes.flat[0].plot([], [], "s", color=c, label=n)[0] for n, c in zip(rows.classes, SPECIES, strict=False)]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    scores = {name: _rand(study, f"{name} linkage") for name in hierarchy.LINKAGES}
    best, worst = max(scores, key=lambda name: scores[name]), min(scores, key=lambda name: scores[name])
    closest = max(judged, key=lambda name: judged[name])
    figure.suptitle(
        f"Irises: {best} linkage comes nearest to the species ({scores[best]:.2f}), {worst} stays farthest "
        f"({scores[worst]:.2f});\nthe distances themselves are kept best by {closest} linkage", fontsize=10.5,
    )  # fmt: skip
    return figure


def _species(band: Axes, classes: Array) -> None:
    """A strip of one colour a leaf."""
    from matplotlib.colors import ListedColormap

    band.imshow(classes[None], aspect="auto", cmap=ListedColormap(SPECIES[: int(classes.max()) + 1]))
    band.axis("off")


def centres(rows: Rows, study: Study) -> Figure:
    """The mean picture of every cluster, and which digit most of its pictures show."""
    labels = study.clusters["k-means"]
    counts = agreements.table(labels, rows.labels)
    order = np.argsort(counts.argmax(axis=1), kind="stable")
    means = np.stack([rows.raw[labels == k].mean(axis=0) for k in order]).reshape(-1, 28, 28)
    captions = [
        f"{rows.classes[counts[k].argmax()]}: {counts[k].max() / counts[k].sum():.0%} of {counts[k].sum()}"
        for k in order
    ]
    leading = set(counts.argmax(axis=1).tolist())
    absent = [name for k, name in enumerate(rows.classes) if k not in leading]
    says = f"{_and(absent)} lead{'s' if len(absent) == 1 else ''} no cluster" if absent else "every digit leads one"
    title = f"The mean pictures of {len(order)} clusters of digits: {says}"
    return gallery(255 * means, captions, title, columns=5)


def _and(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def agreement(studies: dict[str, Study]) -> Figure:
    """How far each algorithm's clusters agree with the classes, with intervals."""
    figure, axes = canvas(1, len(studies), size=(9.6, 3.9), sharey=True)
    says = []
    for (name, each), place in zip(studies.items(), axes, strict=True):
        names = list(each.agreement)
        for (measure, colour, form), shift in zip(
            (("adjusted Rand index", BLUE, "o"), ("normalised mutual information", ORANGE, "s")), (-0.13, 0.13),
            strict=True,
        ):  # fmt: skip
            values, low, high = np.array([each.agreement[one][measure] for one in names]).T
            at = np.arange(len(names)) + shift
            place.hlines(at, low, high, color=colour, lw=2, alpha=0.6)
            place.plot(values, at, form, color=colour, ms=5, label=measure)
        place.set_yticks(range(len(names)), names)
        place.set(title=f"{name}, {_classes(each)} clusters", xlabel="agreement with the classes", xlim=(-0.03, 1.03))
        best = max(names, key=lambda one: _rand(each, one))
        says.append(f"{best} for {name} ({_rand(each, best):.2f}; k-means {_rand(each, 'k-means'):.2f})")
        plain_axes(place)
    axes[0].invert_yaxis()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    figure.suptitle(f"Nearest to the classes: {', '.join(says)}", fontsize=10.5)
    return figure

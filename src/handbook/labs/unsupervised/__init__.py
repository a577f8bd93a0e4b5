"""Unsupervised learning: clusters and components without a single label (section 2.4.2, and chapter 2's introduction).

Nothing is to be predicted here; rows that are alike shall come together, and many numbers shall become few. Two sets of
rows whose classes are known, but are not shown to any method, judge what is found: 150 irises of three species, and
1,500 handwritten digits.

    kmeans.py       k-means from NumPy: Lloyd's steps from k-means++ starts
    hierarchy.py    agglomeration from NumPy by single, complete, average and Ward's linkage
    components.py   principal components by singular values
    study.py        how many clusters there are, how stable they are, how far they agree with the classes
    agreement.py    adjusted Rand index and normalised mutual information, with bootstrap intervals
    drawings.py     the figures

Each of ours equals its namesake in scikit-learn or SciPy. The book names clustering and principal components here and
shows neither; k-means returns in its chapter 7 as the way to place the centres of an RBF network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from handbook.data.images import LabelledImages
    from handbook.data.tables import Table

DATASET = ("iris", "mnist")


def figures(iris: Table, digits: LabelledImages) -> dict[str, Figure]:
    """The lab's pictures, each with its finding as title."""
    from handbook.labs.unsupervised import drawings, study
    from handbook.labs.unsupervised.rows import Rows

    flowers, hand = Rows.of_table(iris), Rows.of_pictures(digits)
    studies = {"iris": study.studied(flowers), "digits": study.studied(hand)}
    return {
        "explained_variance": drawings.explained({"iris": flowers, "digits": hand}),
        "choosing_k": drawings.choosing(studies),
        "stability": drawings.stability(studies),
        "clusters": drawings.clusters(flowers, studies["iris"]),
        "dendrogram": drawings.dendrograms(flowers, studies["iris"]),
        "centres": drawings.centres(hand, studies["digits"]),
        "agreement": drawings.agreement(studies),
    }


def checks(iris: Table, digits: LabelledImages) -> dict[str, float | bool]:
    """How many clusters each index asks for, how far clusters and classes agree, and that ours equal the libraries'."""
    from handbook.labs.unsupervised import study
    from handbook.labs.unsupervised.rows import Rows

    facts: dict[str, float | bool] = {}
    for name, rows in (("iris", Rows.of_table(iris)), ("digits", Rows.of_pictures(digits))):
        facts |= {f"{name}: {key}": value for key, value in study.facts(rows, study.studied(rows)).items()}
    return facts

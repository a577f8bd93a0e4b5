"""The classics from NumPy: what chapter 2 tells step by step (sections 2.6 to 2.17).

Each algorithm is a page that can be read aloud, in NumPy alone, and equals its namesake in scikit-learn on the same
rows: predictions, coefficients, splits (tests/labs/test_classics.py). In reading order:

    linear         least squares, ridge, lasso by coordinate descent (2.6)
    logistic       Newton's method (2.7)
    support        the widest margin, by its dual (2.8)
    neighbours     ask the nearest (2.9)
    discriminant   within and between scatter (2.10)
    bayes          column by column (not in the book)
    tree           CART, for classes and for values (2.11)
    adaboost       weights on rows (2.15)
    boosting       trees on residuals (2.16)

Then what the chapter says of such models, measured: `variance` draws many training sets from a known truth, splits the
error into bias and variance and lets bagging lower the second (2.12, 2.17.1); `held_out` leaves every row out at the
price of one fit (2.17.2); `assumptions` asks real data whether they meet what least squares assumes (2.6.2);
`boosters` races XGBoost and LightGBM against scikit-learn and ours (2.12); `listings` runs the book's toys.

Where the book errs is in the ledger of claims. Its third step of LDA divides one matrix by another, and of the
assumptions that it names it tests none.

Shown is a part of the bank's calls, 8,000 of 45,211 (`calls.ROWS`), and scikit-learn's own iris and diabetes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from handbook.data.tables import Table
    from handbook.labs.classics.calls import Calls

DATASET = "bank_marketing"


def figures(data: Table) -> dict[str, Figure]:
    """The lab's pictures, in the order of the chapter, each with its finding as title."""
    from handbook.labs.classics import drawings, error_drawings
    from handbook.labs.classics.calls import Calls

    calls = Calls.of(data)
    return {
        "01_assumptions": error_drawings.assumed(),
        "02_intervals": error_drawings.covered(),
        "03_newton": drawings.steps_to_the_line(calls),
        "04_margin": drawings.margin(),
        "05_neighbours": drawings.nearest(calls),
        "06_discriminants": drawings.discriminants(),
        "07_first_cut": drawings.first_cut(),
        "08_adaboost": drawings.weak_learners(),
        "09_boosting": drawings.boosted(calls),
        "10_boosters": error_drawings.raced(calls),
        "11_bias_and_variance": error_drawings.traded(),
        "12_leave_one_out": error_drawings.left_out(),
    }


def checks(data: Table) -> dict[str, float | bool]:
    """The chapter's facts, measured."""
    from handbook.labs.classics.calls import Calls

    calls = Calls.of(data)
    return {**_listings(), **_algorithms(calls), **_boosters(calls), **_variance(), **_held_out(), **_assumptions()}


def _listings() -> dict[str, float | bool]:
    """What the book's toys come to."""
    from handbook.labs.classics import listings

    values, classes, ada, (boosted, tree, line) = (
        listings.support_values(), listings.support_classes(), listings.adaboost_accuracy(), listings.adaboost_error()
    )  # fmt: skip
    lda, ours = listings.discriminant_accuracy()
    return {
        "2.8.1: support vector regression at 1": float(values[0]),
        "2.8.1: support vector regression at 2": float(values[1]),
        "2.8.1: support vector regression at 3": float(values[2]),
        "2.8.1: of three points, classified right": int((classes == [0, 1, 0]).sum()),
        "2.10.1 on iris: accuracy of LDA": lda,
        "2.10.1 on iris: accuracy of ours": ours,
        "2.14.1 on iris: accuracy of extra trees": listings.extra_trees_accuracy(),
        "2.15.1: accuracy of AdaBoost": ada["scikit-learn"],
        "2.15.1: accuracy of ours": ada["ours"],
        "2.15.1: accuracy of one stump": ada["one stump"],
        "2.15.1: squared error of AdaBoost": boosted,
        "2.15.1: squared error of one of its trees": tree,
        "2.15.1: squared error of least squares": line,
    }


def _algorithms(calls: Calls) -> dict[str, float | bool]:
    """Each on real rows."""
    import numpy as np

    from handbook.labs.classics import adaboost, bayes, discriminant, drawings, linear, listings
    from handbook.labs.classics.calls import diabetes, iris

    x, labels = iris()
    lda, nb = discriminant.fit(x, labels), bayes.fit(x, labels)
    _, k, best, (low, high) = drawings.most_useful(calls)
    more, (least, most) = drawings.lost_by_haste(calls)
    newton, descent = drawings.newton(calls)
    measured, y, _ = diabetes()
    train, _, known, _ = listings.adaboost_rows()
    stumps = adaboost.fit(train, known, 100)
    slow, fast = (each.new for each in drawings.boosted_losses(calls).values())
    return {
        "lasso, λ = 442 on diabetes: coefficients at zero": int((linear.lasso(measured, y, 442.0).w == 0).sum()),
        "ridge, λ = 442 on diabetes: coefficients at zero": int((linear.ridge(measured, y, 442.0).w == 0).sum()),
        "logistic regression: Newton's steps": len(newton.path) - 1,
        "logistic regression: nats that 100 steps of descent lack": float(descent[-1] - newton.losses[-1]),
        "two species of iris: support vectors": int((drawings.petals()[2].alpha > 1e-8).sum()),
        "neighbours: ROC-AUC of 1": float(drawings.by_neighbours(calls)["Euclid, new calls"][0]),
        "neighbours: best number": k,
        "neighbours: its ROC-AUC": best,
        "neighbours: its ROC-AUC, from": low,
        "neighbours: its ROC-AUC, to": high,
        "LDA on iris: share of the separation on the first axis": float(lda.separation[0] / lda.separation.sum()),
        "LDA on iris: flowers wrong": int((lda.classes(x) != labels).sum()),
        "naive Bayes on iris: flowers wrong": int((nb.probabilities(x).argmax(axis=1) != labels).sum()),
        "tree on iris: first cuts that tie": len(drawings.cuts()[1]),
        "AdaBoost: training error never above its bound": bool(
            np.all(
                (stumps.staged(train).argmax(axis=2) != known).mean(axis=1)
                <= stumps.bound() + 1e-12
            )
        ),
        "boosting, rate 0.1: trees at its best": int(slow.argmin()) + 1,
        "boosting, rate 0.1: log loss there": float(slow.min()),
        "boosting, rate 0.5: trees at its best": int(fast.argmin()) + 1,
        "boosting, rate 0.5: log loss there": float(fast.min()),
        "boosting, rate 0.5: log loss after all 100": float(fast[-1]),
        "boosting, rate 0.5: log loss above that of 0.1": more,
        "boosting, rate 0.5: log loss above that of 0.1, from": least,
        "boosting, rate 0.5: log loss above that of 0.1, to": most,
    }  # fmt: skip


def _boosters(calls: Calls) -> dict[str, float | bool]:
    """ROC-AUC over the folds, and the bounds of each difference from scikit-learn's."""
    from handbook.labs.classics import boosters

    raced = boosters.race(calls)
    base = raced[boosters.MEASURED_BY]
    facts: dict[str, float | bool] = {f"ROC-AUC of {name}": scores.mean for name, scores in raced.items()}
    for name in raced:
        if name != boosters.MEASURED_BY:
            low, high = raced[name].less(base).interval()
            facts |= {
                f"ROC-AUC of {name}, above scikit-learn's: from": low,
                f"ROC-AUC of {name}, above scikit-learn's: to": high,
            }
    return facts


def _variance() -> dict[str, float | bool]:
    from handbook.labs.classics import variance

    swept = variance.swept()
    depth, near, bagged = swept["depth"], swept["neighbours"], swept["bagged"]
    rho, v = variance.correlated()
    trees = max(bagged)
    return {
        "tree of depth 1: bias²": depth[1].bias,
        "tree of depth 1: variance": depth[1].variance,
        "tree of depth 10: bias²": depth[10].bias,
        "tree of depth 10: variance": depth[10].variance,
        "depth of the least error": min(depth, key=lambda value: depth[value].error),
        "1 neighbour: variance by that of the noise": near[1].variance / variance.NOISE**2,
        "number of neighbours of the least error": min(near, key=lambda value: near[value].error),
        f"{trees} bagged trees: variance as a share of one's": bagged[trees].variance / bagged[1].variance,
        f"{trees} bagged trees: bias² less that of one": bagged[trees].bias - bagged[1].bias,
        "correlation of two bagged trees": rho,
        f"{trees} bagged trees: variance that ρv + (1 − ρ)v/B says": rho * v + (1 - rho) * v / trees,
        f"{trees} bagged trees: variance": bagged[trees].variance,
    }


def _held_out() -> dict[str, float | bool]:
    import numpy as np

    from handbook.labs.classics import error_drawings, held_out
    from handbook.labs.classics.calls import diabetes

    x, y, _ = diabetes()
    closed = held_out.errors(x, y)
    at, training, left = error_drawings.penalties()
    return {
        "leave-one-out equals brute force": bool(np.allclose(closed, held_out.brute(x, y), rtol=1e-9)),
        "leave-one-out: mean squared error on diabetes": float((closed**2).mean()),
        "in training: mean squared error on diabetes": float(((closed * (1 - held_out.leverage(x))) ** 2).mean()),
        "leverages sum to columns and 1": float(held_out.leverage(x).sum()),
        "ridge with products: λ of the least training error": float(at[training.argmin()]),
        "ridge with products: λ of the least error left out": float(at[left.argmin()]),
        "ridge with products: error left out there": float(left.min()),
        "ridge with products: error left out without a penalty to speak of": float(left[0]),
    }


def _assumptions() -> dict[str, float | bool]:
    from handbook.labs.classics import assumptions
    from handbook.labs.classics.calls import diabetes

    x, y, names = diabetes()
    found, blow = assumptions.fit(x, y), assumptions.inflation(x)
    ratio = (assumptions.robust(found) / assumptions.usual(found))[1:]
    even, fanned = assumptions.coverage(False), assumptions.coverage(True)
    return {
        "diabetes, straight? RESET p": assumptions.reset(x, y)[1],
        "diabetes, equal noise? Breusch-Pagan statistic": assumptions.breusch_pagan(x, y)[0],
        "diabetes, equal noise? Breusch-Pagan p": assumptions.breusch_pagan(x, y)[1],
        "diabetes, independent errors? Durbin-Watson": assumptions.durbin_watson(found.errors),
        "diabetes, normal errors? Jarque-Bera p": assumptions.jarque_bera(found.errors)[1],
        "diabetes, collinear? largest VIF": float(blow.max()),
        "diabetes, collinear? columns above 10": int((blow > 10).sum()),
        "diabetes, robust by usual standard error: least": float(ratio.min()),
        "diabetes, robust by usual standard error: greatest": float(ratio.max()),
        "equal noise: usual interval holds the truth": even[0],
        "equal noise: robust interval holds the truth": even[1],
        "growing noise: usual interval holds the truth": fanned[0],
        "growing noise: robust interval holds the truth": fanned[1],
        "diabetes: columns": len(names),
    }

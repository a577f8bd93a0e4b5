"""Chapter 2, what it says of models and never measures: as `labs/classics` found it."""

from __future__ import annotations

from handbook.claims.claim import Claim, Kept, check, right, wrong


def fact(name: str, by: str | None = None) -> Kept:
    """A fact of the lab, or how many times another one it is."""
    file, keys = "labs/classics/checks.json", (name,)
    return Kept(file, keys, check("classics", by) if by else None)


CLAIMS: tuple[Claim, ...] = (
    right("2.6.2", "unequal noise makes least squares unreliable: how often its 95 % interval then holds the truth",
          "below 0.92", fact("growing noise: usual interval holds the truth"),
          "the line stays where it is, its interval is too narrow; the robust one keeps its promise"),
    right("2.6.5", "ridge predicts better where columns are correlated: error left out, by that without a penalty",
          "below 1", fact("ridge with products: error left out there",
                          "ridge with products: error left out without a penalty to speak of"),
          "diabetes with all squares and products, λ chosen by leave-one-out"),
    right("2.8.1", "the listing's regression lets 1, 2 and 3 lie within its margin: predicted for 3", "2.9",
          fact("2.8.1: support vector regression at 3"), "the flattest line that keeps to the tube of 0.1"),
    wrong("2.8.1", "the listing's classification divides its points: of three, right", "3",
          fact("2.8.1: of three points, classified right"), "the middle one of three on a line is of another class"),
    right("2.12", "bagging lowers the variance of deep trees: that of 16, as a share of one's", "below 0.7",
          fact("16 bagged trees: variance as a share of one's"),
          "down to the correlation of two trees, and no further: ρv + (1 − ρ)v/B"),
    right("2.12", "boosted trees are more accurate than a line: ROC-AUC of XGBoost by logistic regression's", "above 1",
          fact("ROC-AUC of XGBoost", "ROC-AUC of logistic regression"), "on the bank's calls, without their length"),
    right("2.16", "too high a rate or too many rounds overfit: loss of 100 trees at rate 0.5, by the least", "above 1",
          fact("boosting, rate 0.5: log loss after all 100", "boosting, rate 0.5: log loss there"),
          "the least is reached after a few trees"),
    right("2.17.1", "simple models err by bias: bias² of a tree of one split, by its variance", "above 1",
          fact("tree of depth 1: bias²", "tree of depth 1: variance"), "eighty training sets from a known truth"),
    right("2.17.1", "complex ones by variance: that of ten levels, by that of one split", "above 2",
          fact("tree of depth 10: variance", "tree of depth 1: variance"), "the same training sets"),
    right("2.17.2", "errors on rows that took no part exceed those in training: left out, by training's, on diabetes",
          "above 1",
          fact("leave-one-out: mean squared error on diabetes", "in training: mean squared error on diabetes"),
          "each error grows by 1/(1 − h)"),
)  # fmt: skip

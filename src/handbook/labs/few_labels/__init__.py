"""Learning with few labels, and with wrong ones (sections 1.2.2, 1.3.5, 2.4.3, 2.4.4 and 4.2).

Labels are dear, pictures are not. Three ways out, each measured over several draws of the labels, with intervals:

    transfer.py          a network learns garments, then digits from 10 to 1,000 labels, and the way back: its features
                         frozen under a linear head, fine-tuned, or a network from scratch
    semi_supervised.py   few labels beside many pictures without: self-training, label propagation, label spreading
    noisy_labels.py      labels of which up to 60 % are wrong: cross-entropy, label smoothing, a robust loss
    network.py           the network of LeNet's shape, and its training
    pictures.py          the pictures, drawn label by label, and intervals over draws
    drawings.py          the figures

The book names transfer a milestone of 2014 (1.2.2) and says that features learnt from much data serve a smaller task,
frozen or fine-tuned (1.3.5, 4.2); Pratt (1993) transferred weights between networks long before. Its weakly supervised
learning (2.4.3) is what the next section calls semi-supervised: few labels beside many rows without. Zhou (2018) calls
that incomplete supervision, and sets inaccurate supervision beside it: labels that are wrong. Both are here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from handbook.data.images import LabelledImages

DATASET = ("fashion_mnist", "mnist")


def figures(garments: LabelledImages, digits: LabelledImages) -> dict[str, Figure]:
    """The lab's pictures, each with its finding as title."""
    from handbook.labs.few_labels import drawings, noisy_labels, semi_supervised, transfer
    from handbook.labs.few_labels.pictures import Given

    cloth, hand = Given.of(garments), Given.of(digits)
    return {
        "transfer": drawings.transferred(transfer.both_ways(cloth, hand)),
        "semi_supervised": drawings.with_few_labels({
            "digits": semi_supervised.measured(hand), "garments": semi_supervised.measured(cloth),
        }),
        "noisy_labels": drawings.with_wrong_labels(noisy_labels.measured(cloth)),
    }  # fmt: skip


def checks(garments: LabelledImages, digits: LabelledImages) -> dict[str, float | bool]:
    """Accuracies on new pictures, means over draws, and paired differences; `at least` is the end of an interval."""
    from handbook.labs.few_labels import noisy_labels, semi_supervised, transfer
    from handbook.labs.few_labels.pictures import Given

    cloth, hand = Given.of(garments), Given.of(digits)
    facts: dict[str, float | bool] = {}
    for way, found in transfer.both_ways(cloth, hand).items():
        facts |= {f"{way}: {name}": value for name, value in found.facts("from scratch").items()}
        facts[f"{way}: all {found.most:,} labels"] = found.ceiling
    for name, given in (("digits", hand), ("garments", cloth)):
        found = semi_supervised.measured(given)
        facts |= {f"{name}: {key}": value for key, value in found.facts("logistic regression").items()}
    return facts | noisy_labels.facts(noisy_labels.measured(cloth))

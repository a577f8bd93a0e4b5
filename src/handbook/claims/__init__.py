"""The ledger of printed claims: what the book prints, chapter by chapter, held against what comes out here.

A row has its section, the claim in words of our own, what is printed, a function that computes ours (or the place where
the pipeline keeps it), and a judgement with its reason. The judgement is written down; the value never is, and a test a
row holds one against the other. Read by `handbook claims`, the report, and the documentation. Beside it stands what the
book prints of its recipes' settings, held against the blocks that follow them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from handbook.claims import (
    chapter2,
    chapter2_measured,
    chapter2_metrics,
    chapter2_trees,
    chapter3,
    chapter3_descent,
    chapter3_measured,
    chapter3_programmes,
    chapter4,
    chapter4_layers,
    chapter5,
    chapter6,
    chapter6_sprites,
    chapter7,
    chapter8,
    settings_networks,
    settings_tables,
)
from handbook.claims.claim import JUDGEMENTS, Claim
from handbook.claims.setting import Setting

LEDGER: dict[int, tuple[Claim, ...]] = {
    2: chapter2.CLAIMS + chapter2_trees.CLAIMS + chapter2_metrics.CLAIMS + chapter2_measured.CLAIMS,
    3: chapter3.CLAIMS + chapter3_programmes.CLAIMS + chapter3_descent.CLAIMS + chapter3_measured.CLAIMS,
    4: chapter4.CLAIMS + chapter4_layers.CLAIMS,
    5: chapter5.CLAIMS,
    6: chapter6.CLAIMS + chapter6_sprites.CLAIMS,
    7: chapter7.CLAIMS,
    8: chapter8.CLAIMS,
}

SETTINGS: tuple[Setting, ...] = (
    settings_networks.SETTINGS + settings_tables.SETTINGS
)  # of the recipes, the `_book` blocks


def claims(section: str = "") -> Iterator[Claim]:
    """The rows of a section and of those inside it ("3.6" has 3.6.1), of a chapter ("3"), or all."""
    for rows in LEDGER.values():
        yield from (each for each in rows if _within(each.section, section))


def settings(section: str = "") -> Iterator[Setting]:
    """The settings that a section prints of its recipe, or a chapter, or all."""
    yield from (each for each in SETTINGS if _within(each.section, section))


def _within(inner: str, section: str) -> bool:
    return not section or f"{inner}.".startswith(f"{section}.")


def counted(chapter: int) -> dict[str, int]:
    """How many of a chapter's claims are right, wrong, and so on; those that none is are zero."""
    found = Counter(each.verdict for each in LEDGER[chapter])
    return {verdict: found[verdict] for verdict in JUDGEMENTS}

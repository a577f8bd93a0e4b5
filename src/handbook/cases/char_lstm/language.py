"""Judging what predicts a text a character at a time: bits a character, beside an n-gram model; and what it writes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from handbook.contract import Split
from handbook.data import texts
from handbook.data.texts import Codes, Passage, Request
from handbook.evaluation.metrics import bootstrap
from handbook.evaluation.report import Report

if TYPE_CHECKING:
    from matplotlib.figure import Figure


Floats = npt.NDArray[np.float64]
Writer = Callable[[Sequence[Request]], list[str]]
PLACES = 20_000  # that an n-gram model looks at in one go: a table of so many rows and a column a character
BLOCK = 200  # characters: neighbours are not independent, so the bootstrap draws whole blocks (Künsch 1989)
RUN = 8  # characters: of a text that goes round in circles, few runs of so many are different
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
ODD = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio, made odd: what Fibonacci hashing multiplies by
STYLES: dict[str, dict[str, Any]] = {
    "always the likeliest": {"top_k": 1},
    "temperature 0.5": {"temperature": 0.5},
    "temperature 0.8": {"temperature": 0.8},
    "temperature 1": {"temperature": 1.0},
    "temperature 1, top_p 0.9": {"temperature": 1.0, "top_p": 0.9},
    "temperature 1.3": {"temperature": 1.3},
}


class KneserNey:
    """An n-gram model of characters: interpolated modified Kneser-Ney (Chen and Goodman 1998, section 3).

    Of `order` characters the last is predicted from those before it. The longest grams count how often they occur,
    shorter ones after how many different characters: `q` is frequent, but nearly only `u` follows it.
    """

    def __init__(self, order: int, characters: int) -> None:
        most = int(62 / np.log2(max(characters, 2)))  # a gram is one number of 63 bits, its digits the characters
        if not 1 <= order <= most:
            raise ValueError(f"order must be 1 to {most} for {characters} characters, found {order}")
        self.order, self.characters = order, characters

    def fit(self, codes: Codes) -> KneserNey:
        """Count the grams of a text (N,)."""
        grams, counts = np.unique(self._grams(codes, self.order), return_counts=True)
        levels = [(grams, counts)]
        for length in range(self.order - 1, 0, -1):
            grams, counts = np.unique(grams % self.characters**length, return_counts=True)
            levels.append((grams, counts))
        self.levels_ = levels[::-1]  # from single characters to the longest grams
        self.discounts_ = [discounts(counts) for _, counts in self.levels_]
        return self

    def probabilities(self, codes: Codes) -> Floats:
        """Probabilities (N - order + 1, V) of each character at `order - 1` and every later place."""
        places = len(codes) - self.order + 1
        probabilities: Floats = np.full((places, self.characters), 1 / self.characters)
        for length, (level, discount) in enumerate(zip(self.levels_, self.discounts_, strict=True)):
            before = np.zeros(places, np.int64)
            if length:
                before = self._grams(codes[self.order - 1 - length : -1], length)
            probabilities = self._interpolated(before, level, discount, probabilities)
        return probabilities

    def bits(self, codes: Codes, before: Codes) -> Floats:
        """Bits (N,) that each character costs, given those before it and the text before the first."""
        memory = self.order - 1
        joined = np.concatenate([before[len(before) - memory :], codes])
        parts = []
        for start in range(0, len(codes), PLACES):
            probabilities = self.probabilities(joined[start : start + PLACES + memory])
            parts.append(probabilities[np.arange(len(probabilities)), codes[start : start + PLACES]])
        costs: Floats = -np.log2(np.concatenate(parts))
        return costs

    def _interpolated(self, before: Codes, level: tuple[Codes, Codes], discount: Floats, shorter: Floats) -> Floats:
        """What was counted after `before` (N,), less the discounts, which the shorter context shares out."""
        grams, counts = level
        wanted = before[:, None] * self.characters + np.arange(self.characters)  # (N, V)
        place = np.minimum(np.searchsorted(grams, wanted), len(grams) - 1)
        count: Codes = np.where(grams[place] == wanted, counts[place], 0)
        taken = discount[np.minimum(count, 3)]
        total = count.sum(axis=1, keepdims=True)
        mixed = (count - taken + taken.sum(axis=1, keepdims=True) * shorter) / np.maximum(total, 1)
        return np.asarray(np.where(total > 0, mixed, shorter))

    def _grams(self, codes: Codes, length: int) -> Codes:
        """Each run of so many characters as one number (N - length + 1,)."""
        grams = np.zeros(len(codes) - length + 1, np.int64)
        for offset in range(length):
            grams = grams * self.characters + codes[offset : len(grams) + offset]
        return grams


def discounts(counts: Codes) -> Floats:
    """What is taken off a count of 0, 1, 2 and 3 or more (Chen and Goodman 1998, equation 17); a tenth at least.

    Their estimate can be zero in a text that repeats itself, and then an unseen character would cost infinite bits.
    """
    n = np.maximum(np.bincount(np.minimum(counts, 5), minlength=6)[1:5], 1).astype(float)  # of counts 1 to 4
    y = n[0] / (n[0] + 2 * n[1])
    taken = np.array([0, *(k - (k + 1) * y * n[k] / n[k - 1] for k in (1, 2, 3))])
    return np.asarray(np.clip(taken, [0, 0.1, 0.1, 0.1], [0, 1, 2, 3]))


def best_order(codes: Codes, characters: int, share: float = 0.1) -> int:
    """The order of the Kneser-Ney model that predicts the last share of a text (N,) best from what stands before."""
    n_train = len(codes) - max(1, round(len(codes) * share))
    most = min(10, int(62 / np.log2(max(characters, 2))), n_train)
    orders = range(1, most + 1)
    bits = [KneserNey(k, characters).fit(codes[:n_train]).bits(codes[n_train:], codes[:n_train]).mean() for k in orders]
    return int(np.argmin(bits)) + 1


def words(text: str) -> list[str]:
    """The words of a text in lower case, an apostrophe inside being part of one."""
    return WORD.findall(text.lower())


def share_of_words(text: str, known: set[str]) -> float:
    """Which share of a text's words is known; cut-off words at both ends do not count."""
    found = words(text)[1:-1]
    return sum(word in known for word in found) / max(len(found), 1)


def longest_copy(text: Codes, source: Codes) -> tuple[int, int]:
    """Where in `text` (N,) its longest run lies that stands in `source` (M,) too, and how long it is: O(n log n).

    A run of length L + 1 holds one of L, so the length is found by halving; runs are compared by a hash of 64 bits
    (after Karp and Rabin 1987), which a million runs against a million confuse once in 10^7 texts.
    """
    low, high, start = 0, min(len(text), len(source)), 0
    while low < high:
        length = (low + high + 1) // 2
        hits = np.flatnonzero(np.isin(_hashes(text, length), _hashes(source, length)))
        if len(hits):
            low, start = length, int(hits[0])
        else:
            high = length - 1
    return start, low


def _hashes(codes: Codes, length: int) -> Any:
    """A hash of every run of so many numbers, by doubling: a run of 2^k is two runs of 2^(k - 1)."""
    hashes, have = codes.astype(np.uint64) + np.uint64(1), 1
    while have < length:
        step = min(have, length - have)
        factor = np.uint64(pow(ODD, have, 1 << 64))
        hashes = hashes[: len(hashes) - step] * factor + hashes[step:] * np.uint64(ODD + 2 * have)
        have += step
    return hashes


def judge(
    bits: Floats, split: Split[Passage], writer: Writer, *, rng: np.random.Generator, length: int, prompts: int
) -> Report:
    """The report on a model that takes so many bits (N,) for the test part, and whose `writer` answers requests.

    `length` characters are written after each of `prompts` places of the test part, in every style.
    """
    train, before, test, characters = split.train.codes, split.development.codes, split.test, len(split.test.alphabet)
    order = best_order(train, characters)
    by_gram, by_count = (KneserNey(k, characters).fit(train).bits(test.codes, before) for k in (order, 1))
    saved = bootstrap(_blocks(by_gram - bits), rng)
    rows, shown = writings(split, writer, length, prompts)
    even = float(np.log2(characters))
    gram = f"Kneser-Ney, order {order}"
    ours = float(bits.mean())
    verdict = "better" if saved[0] > 0 else "worse" if saved[1] < 0 else "no better and no worse, for all one can tell,"
    return Report(
        metrics={
            "bits_per_character": ours,
            "bits_saved_against_n_gram": float((by_gram - bits).mean()),
            "algorithms": {
                "this network": {"bits_per_character": ours},
                gram: {"bits_per_character": float(by_gram.mean())},
                "frequency of each character": {"bits_per_character": float(by_count.mean())},
                "every character alike": {"bits_per_character": even},
            },
        },
        baseline={"bits_per_character": even},
        interval={"bits_per_character": bootstrap(_blocks(bits), rng), "bits_saved_against_n_gram": saved},
        figures=_figures(bits, by_gram, gram, test, rows, shown),
        tables={
            "writing": rows,
            "samples": [{"style": style, "text": each} for style, several in shown.items() for each in several],
        },
        finding=f"{ours:.3f} bits a character on the held-out text; {verdict} than the best n-gram ({gram}), which "
        f"takes {by_gram.mean():.3f} (difference {saved[0]:+.3f} to {saved[1]:+.3f}).",
    )


def _blocks(values: Floats) -> Floats:
    """The means of successive blocks: what a bootstrap may draw as if independent."""
    return np.array([block.mean() for block in np.array_split(values, max(2, len(values) // BLOCK))])


def writings(
    split: Split[Passage], writer: Writer, length: int, prompts: int
) -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
    """What is written in each style after the same places of the test part, measured; and the texts themselves.

    The last row measures, in the same way, what really stands there.
    """
    test = str(split.test)
    length = max(1, min(length, len(test) // 2))
    room = min(40, len(test) - length)
    places = np.linspace(0, len(test) - length - room, prompts).astype(int)
    starts = [test[place : place + room] for place in places]
    answers = writer(
        [Request(start, length, **style, seed=k) for style in STYLES.values() for k, start in enumerate(starts)]
    )
    shown = {style: answers[k * prompts : (k + 1) * prompts] for k, style in enumerate(STYLES)}
    really = [test[place : place + room + length] for place in places]
    known = set(words(str(split.development.join(split.test))))
    learned = set(words(str(split.train)))
    rows = []
    for style, several in (shown | {"what really stands there": really}).items():
        vocabulary = learned if style not in shown else known
        rows.append({"style": style} | _measured([text[room:] for text in several], split.train, vocabulary))
    return rows, shown


def _measured(written: list[str], train: Passage, vocabulary: set[str]) -> dict[str, Any]:
    """Share of real words, longest copy of the training text, and how little of it goes round in circles."""
    codes = [texts.encode(text, train.alphabet) for text in written]
    runs = [text[k : k + RUN] for text in written for k in range(len(text) - RUN + 1)]
    return {
        "share_of_words": float(np.mean([share_of_words(text, vocabulary) for text in written])),
        "longest_copy": max(longest_copy(each, train.codes)[1] for each in codes),
        "share_of_new_runs": len(set(runs)) / max(len(runs), 1),
        "characters": sum(len(text) for text in written),
    }


def places_in_words(codes: Codes, alphabet: str) -> Codes:
    """The place (N,) of each character in its word, from 0; what is no letter or apostrophe comes before a word: -1."""
    inside = np.array([character.isalpha() or character in "'’" for character in alphabet])[codes]
    count = np.arange(1, len(codes) + 1)
    last = np.maximum.accumulate(np.where(inside, 0, count))
    return np.where(inside, count - last - 1, -1)


def _figures(  # noqa: PLR0917
    bits: Floats, by_gram: Floats, gram: str, test: Passage, rows: list[dict[str, Any]], shown: dict[str, list[str]]
) -> dict[str, Figure]:
    """The pictures of a report on text, each with its finding as title."""
    from handbook.evaluation import figures as draw

    place = places_in_words(test.codes, test.alphabet)
    here = [k for k in range(-1, 8) if (place == k).sum() >= 20] or [int(place.max())]
    lines = {
        name: np.array([cost[place == k].mean() for k in here])
        for name, cost in (("this network", bits), (gram, by_gram))
    }
    start, end = len(test.codes) // 3, len(test.codes) // 3 + 700
    captions = {
        f"{row['style']}: {row['share_of_words']:.0%} real words, longest copy {row['longest_copy']}, "
        f"{row['share_of_new_runs']:.0%} new": shown[row["style"]][0]
        for row in rows
        if row["style"] in shown
    }
    inside, starts = place > 0, place == 0
    costs = [float(cost[where].mean()) for where in (starts, inside) for cost in (bits, by_gram) if where.any()]
    return {
        "surprise": draw.passage(
            texts.decode(test.codes[start:end], test.alphabet),
            bits[start:end],
            f"What it did not see coming: {bits[start:end].mean():.2f} bits a character in this passage",
            "bits",
        ),
        "places_in_words": draw.paths(
            np.array(here) + 1, lines,
            "Bits for a word's first letter: network {:.2f}, n-gram {:.2f}; inside: {:.2f}, {:.2f}".format(*costs)
            if len(costs) == 4 else "Bits by place in the word",
            "letter of the word; 0: what stands between words", "bits a character", log=False,
        ),
        "samples": draw.specimens(captions, "What follows the same prompt: the colder, the surer and the more alike"),
    }  # fmt: skip

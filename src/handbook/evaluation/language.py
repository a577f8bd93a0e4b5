"""Judging what predicts a text a character at a time: bits a character, beside an n-gram model; and what it writes.

The network and the n-gram err at different places: a mixture of their probabilities takes fewer bits than either. Its
share is chosen on the validation text, and it stands beside the network as a figure of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from handbook.contract import Split
from handbook.data import texts
from handbook.data.texts import Codes, Passage, Request
from handbook.evaluation.metrics import bootstrap
from handbook.evaluation.n_grams import Floats, KneserNey, best_order, best_share, mixed
from handbook.evaluation.report import Report

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


Writer = Callable[[Sequence[Request]], list[str]]
Cost = Callable[[Codes, Codes], Floats]  # bits (N,) that a text takes, given the text before it
NATS = float(np.log(2))  # of a bit
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


def words(text: str) -> list[str]:
    """The words of a text in lower case, an apostrophe inside being part of one."""
    return WORD.findall(text.lower())


def share_of_words(text: str, known: set[str]) -> float:
    """Which share of a text's words is known; cut-off words at both ends do not count."""
    found = words(text)[1:-1]
    return sum(word in known for word in found) / max(len(found), 1)


class Runs:
    """The runs of a text (M,), sorted by their hash once for each length that is asked for."""

    def __init__(self, codes: Codes) -> None:
        self.codes = codes
        self._known: dict[int, Any] = {}

    def hold(self, hashes: Any, length: int) -> Any:
        """Which of the hashes (N,) of runs of so many numbers are those of runs of this text."""
        if length not in self._known:
            self._known[length] = np.sort(_hashes(self.codes, length))
        known = self._known[length]
        return known[np.minimum(np.searchsorted(known, hashes), len(known) - 1)] == hashes


def longest_copy(text: Codes, source: Runs) -> tuple[int, int]:
    """Where in `text` (N,) its longest run lies that stands in the source (M,) too, and how long it is: O(n log n).

    A run of length L + 1 holds one of L, so the length is found by halving; runs are compared by a hash of 64 bits
    (after Karp and Rabin 1987), which a million runs against a million confuse once in 10^7 texts.
    """
    low, high, start = 0, min(len(text), len(source.codes)), 0
    while low < high:
        length = (low + high + 1) // 2
        hits = np.flatnonzero(source.hold(_hashes(text, length), length))
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
    cost: Cost, split: Split[Passage], writer: Writer, *, rng: np.random.Generator, length: int, prompts: int
) -> Report:
    """The report on a model by what it takes for the test part, and by what its `writer` answers to requests.

    `length` characters are written after each of `prompts` places of the test part, in every style. Where there is a
    validation part, the mixture with the n-gram is judged too.
    """
    before, test, characters = split.development.codes, split.test, len(split.test.alphabet)
    order = best_order(split.train.codes, characters)
    gram, unigram = (KneserNey(k, characters).fit(split.train.codes) for k in (order, 1))
    bits, by_gram, by_count = (each(test.codes, before) for each in (cost, gram.bits, unigram.bits))
    saved = bootstrap(_blocks(by_gram - bits), rng)
    rows, shown = writings(split, writer, length, prompts)
    even, ours = float(np.log2(characters)), float(bits.mean())
    name = f"Kneser-Ney, order {order}"
    verdict = "better" if saved[0] > 0 else "worse" if saved[1] < 0 else "no better and no worse, for all one can tell,"
    report = Report(
        metrics={
            "bits_per_character": ours,
            "nats_per_character": ours * NATS,
            "bits_saved_against_n_gram": float((by_gram - bits).mean()),
            "algorithms": {
                "this network": {"bits_per_character": ours},
                name: {"bits_per_character": float(by_gram.mean())},
                "frequency of each character": {"bits_per_character": float(by_count.mean())},
                "every character alike": {"bits_per_character": even},
            },
        },
        baseline={"bits_per_character": even},
        interval={"bits_per_character": bootstrap(_blocks(bits), rng), "bits_saved_against_n_gram": saved},
        figures=_figures(bits, by_gram, name, test, rows, shown),
        tables={
            "writing": rows,
            "samples": [{"style": style, "text": each} for style, several in shown.items() for each in several],
        },
        finding=f"{ours:.3f} bits a character on the held-out text; {verdict} than the best n-gram ({name}), which "
        f"takes {by_gram.mean():.3f} (difference {saved[0]:+.3f} to {saved[1]:+.3f}).",
    )
    if split.valid is None:
        return report
    watched, learnt = split.valid.codes, split.train.codes
    share = best_share(cost(watched, learnt), gram.bits(watched, learnt))
    return _with_mixture(report, mixed(bits, by_gram, share), share, rng)


def _with_mixture(report: Report, bits: Floats, share: float, rng: np.random.Generator) -> Report:
    """The report, and what the mixture of the network and the n-gram takes, of which the network is that share."""
    ours = float(bits.mean())
    algorithms = report.metrics["algorithms"] | {"network and n-gram, mixed": {"bits_per_character": ours}}
    figures = {"bits_per_character_mixed": ours, "share_of_network_in_mixture": share, "algorithms": algorithms}
    return replace(
        report,
        metrics=report.metrics | figures,
        interval=report.interval | {"bits_per_character_mixed": bootstrap(_blocks(bits), rng)},
        finding=f"{report.finding} Mixed, {share:.0%} network (chosen on the validation text) and the rest n-gram, "
        f"they take {ours:.3f}.",
    )


def curves(history: Sequence[dict[str, float]]) -> dict[str, Figure]:
    """The learning curves of a network, by its rows of losses in nats; the title has them in bits."""
    from handbook.evaluation import figures as draw

    last = {key: value / NATS for key, value in history[-1].items()}
    watched = f", {last['valid_loss']:.2f} held out" if "valid_loss" in last else ""
    title = f"Bits a character at the end: {last['train_loss']:.2f} in training{watched}"
    return {"learning_curves": draw.learning_curves([*history], title)}


def example(split: Split[Passage]) -> pd.DataFrame:
    """Prompts as a user would send them; a setting that is missing in one of them may be left out.

    Settings are floats, whole ones too: MLflow has no whole number that may be missing.
    """
    import pandas as pd

    start = str(split.train).strip()[:40]
    settings = {"length": [60.0, None], "temperature": [0.5, None], "top_k": [5.0, None], "top_p": [0.9, None]}
    return pd.DataFrame({"prompt": [start, start], **settings, "seed": [1.0, None]})


def answers(writer: Writer, inputs: pd.DataFrame | Sequence[str]) -> pd.DataFrame:
    """What the writer goes on with from each prompt, the prompt included, in the column `text`.

    `inputs` is a list of prompts or a table with the column `prompt` and any of `length`, `temperature`, `top_k`,
    `top_p` and `seed`. ValueError if a prompt is empty or holds a character that the training text has not.
    """
    import pandas as pd

    requests = texts.requests(inputs)
    return pd.DataFrame({"text": pd.Series(writer(requests) if requests else [], dtype="str")})


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
    rows, source = [], Runs(split.train.codes)
    for style, several in (shown | {"what really stands there": really}).items():
        vocabulary = learned if style not in shown else known
        rows.append(
            {"style": style} | _measured([text[room:] for text in several], split.train.alphabet, source, vocabulary)
        )
    return rows, shown


def _measured(written: list[str], alphabet: str, source: Runs, vocabulary: set[str]) -> dict[str, Any]:
    """Share of real words, longest copy of the training text, and how little of it goes round in circles."""
    codes = [texts.encode(text, alphabet) for text in written]
    runs = [text[k : k + RUN] for text in written for k in range(len(text) - RUN + 1)]
    return {
        "share_of_words": float(np.mean([share_of_words(text, vocabulary) for text in written])),
        "longest_copy": max(longest_copy(each, source)[1] for each in codes),
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

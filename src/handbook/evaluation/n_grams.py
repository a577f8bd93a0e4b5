"""N-gram models of characters: what a network that writes must beat, and what it may be mixed with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from handbook.data.texts import Codes

Floats = npt.NDArray[np.float64]
PLACES = 20_000  # that are looked at in one go


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

    def probabilities(self, codes: Codes, following: Codes | None = None) -> Floats:
        """Probabilities (N - order + 1, K) at `order - 1` and every later place of the K characters `following` there.

        `following` is (N - order + 1, K); by default each of the V characters, in their order.
        """
        places = len(codes) - self.order + 1
        wanted = np.arange(self.characters)[None] if following is None else following  # (1, V) or (places, K)
        probabilities: Floats = np.full((places, wanted.shape[1]), 1 / self.characters)
        for length, (level, discount) in enumerate(zip(self.levels_, self.discounts_, strict=True)):
            before = np.zeros(places, np.int64)
            if length:
                before = self._grams(codes[self.order - 1 - length : -1], length)
            probabilities = self._interpolated(before, wanted, level, discount, probabilities)
        return probabilities

    def bits(self, codes: Codes, before: Codes) -> Floats:
        """Bits (N,) that each character costs, given those before it and the text before the first."""
        memory = self.order - 1
        joined = np.concatenate([before[len(before) - memory :], codes])
        parts = []
        for start in range(0, len(codes), PLACES):
            there = codes[start : start + PLACES]
            parts.append(self.probabilities(joined[start : start + PLACES + memory], there[:, None])[:, 0])
        costs: Floats = -np.log2(np.concatenate(parts))
        return costs

    def _interpolated(
        self, before: Codes, wanted: Codes, level: tuple[Codes, Codes], discount: Floats, shorter: Floats
    ) -> Floats:
        """What was counted after `before` (N,), less the discounts, which the shorter context shares out.

        The grams are sorted, so those that go on from a context lie side by side: their sums are differences of two.
        """
        grams, counts = level
        sought = before[:, None] * self.characters + wanted  # (N, K)
        place = np.minimum(np.searchsorted(grams, sought), len(grams) - 1)
        count: Codes = np.where(grams[place] == sought, counts[place], 0)
        edges = np.searchsorted(grams, before[:, None] * self.characters + [0, self.characters])  # (N, 2)
        total = np.diff(_sums(counts)[edges], axis=1)  # (N, 1)
        shared = sum(discount[k] * np.diff(_sums(np.minimum(counts, 3) == k)[edges], axis=1) for k in (1, 2, 3))
        mixed = (count - discount[np.minimum(count, 3)] + shared * shorter) / np.maximum(total, 1)
        return np.asarray(np.where(total > 0, mixed, shorter))

    def _grams(self, codes: Codes, length: int) -> Codes:
        """Each run of so many characters as one number (N - length + 1,)."""
        grams = np.zeros(len(codes) - length + 1, np.int64)
        for offset in range(length):
            grams = grams * self.characters + codes[offset : len(grams) + offset]
        return grams


def _sums(values: npt.NDArray[np.generic]) -> Codes:
    """The sums (N + 1,) of the first 0, 1, ... N values."""
    return np.concatenate([[0], np.cumsum(values, dtype=np.int64)])


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


def mixed(ours: Floats, theirs: Floats, share: float) -> Floats:
    """Bits (N,) where a share of each probability is ours and the rest theirs, from the bits (N,) that both take."""
    with np.errstate(divide="ignore"):  # a share of none has the logarithm minus infinity, which is right here
        return np.asarray(-np.logaddexp2(np.log2(share) - ours, np.log2(1 - share) - theirs))


def best_share(ours: Floats, theirs: Floats) -> float:
    """The share of ours, 0 to 1, at which the mixture takes the fewest bits (N,): their mean has one minimum."""
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(lambda share: mixed(ours, theirs, share).mean(), bounds=(0, 1), method="bounded")
    return float(found.x)

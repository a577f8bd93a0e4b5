"""Pictures as a key: the same are equal and of one hash, and come back as they were."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np

from handbook import datasets
from handbook.data.subsets import Subset


def test_the_first_pictures_come_back_and_the_same_are_the_same_key(samples: Callable[[str], Path]) -> None:
    data = datasets.page("mnist").load(samples("mnist"))
    part = Subset.first(data, 50, 20)
    pictures, labels, new, answers = part.flat()
    np.testing.assert_array_equal(pictures.reshape(-1, 28, 28), data.train_images[:50])
    np.testing.assert_array_equal(new.reshape(-1, 28, 28), data.test_images[:20])
    assert labels.tolist() == data.train_labels[:50].tolist()
    assert answers.tolist() == data.test_labels[:20].tolist()
    assert hash(part) == hash(Subset.first(data, 50, 20))
    assert part == Subset.first(data, 50, 20)
    assert part != dataclasses.replace(part, answers=bytes(20))


def test_no_more_are_taken_than_there_are(samples: Callable[[str], Path]) -> None:
    data = datasets.page("mnist").load(samples("mnist"))
    assert len(Subset.first(data, 10**9, 10**9).labels) == len(data.train_labels)

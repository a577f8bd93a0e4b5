"""Laws of the two pages of labelled pictures: Fashion-MNIST and MNIST, their stand-ins and their suites."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

from handbook import datasets
from handbook.data import images
from handbook.data.images import Bytes, LabelledImages
from handbook.errors import HandbookError

Samples = Callable[[str], Path]  # conftest.py: the folder of a dataset's sample
NAMES = ("fashion_mnist", "mnist")
MIRROR = Path(os.environ.get("HANDBOOK_MIRROR") or "/no mirror")
# Great Expectations 1.24 imports modules of the standard library that are deprecated since Python 3.11
pytestmark = pytest.mark.filterwarnings("ignore:module 'sre_[a-z]+' is deprecated:DeprecationWarning")


@pytest.fixture(scope="module", params=NAMES)
def page(request: pytest.FixtureRequest) -> ModuleType:
    return datasets.page(request.param)


@pytest.fixture(scope="module")
def drawn(page: ModuleType, samples: Samples) -> LabelledImages:
    data = page.load(samples(name(page)))
    assert isinstance(data, LabelledImages)
    return data


def name(page: ModuleType) -> str:
    return page.__name__.rpartition(".")[2]


def broken(table: pd.DataFrame, expectations: list[Any]) -> list[str]:
    """What the suite says is wrong with a table of facts, as a checkpoint of Great Expectations finds it."""
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("pandas").add_dataframe_asset("facts")
    batch = asset.add_batch_definition_whole_dataframe("whole")
    suite = context.suites.add(gx.ExpectationSuite(name="facts", expectations=expectations))
    definition = gx.ValidationDefinition(name="facts", data=batch, suite=suite)
    context.validation_definitions.add(definition)
    checkpoint = context.checkpoints.add(gx.Checkpoint(name="facts", validation_definitions=[definition]))
    outcome = checkpoint.run(batch_parameters={"dataframe": table})
    results = [result for run in outcome.run_results.values() for result in run.results]
    assert len(results) == len(expectations)
    assert not any(result.exception_info.get("raised_exception") for result in results)
    return [str(result.expectation_config.description) for result in results if not result.success]


def test_a_misspelt_dataset_is_an_error_that_lists_the_pages() -> None:
    with pytest.raises(HandbookError, match=r"no dataset 'mnits'; choose from .*did you mean mnist\?"):
        datasets.page("mnits")
    assert set(NAMES) <= set(datasets.names())


def test_a_page_says_what_its_files_are_and_who_publishes_them(page: ModuleType) -> None:
    assert len({file.name for file in page.FILES}) == 4
    for file in page.FILES:
        assert len(file.sha256) == 64
        assert len(file.urls) >= 2
        assert all(url.endswith("/" + file.name) for url in file.urls)
    for said in ("What it is", "Where from", "Licence", "Not for", "In the book"):
        assert said in str(page.__doc__)
    assert page.LICENCE
    assert page.SOURCE.startswith("http")


def test_the_sample_is_the_same_for_the_same_seed_and_another_for_another(
    page: ModuleType, samples: Samples, tmp_path: Path
) -> None:
    for seed in (0, 1):
        (tmp_path / str(seed)).mkdir()
        page.sample(tmp_path / str(seed), seed=seed)
    folder = samples(name(page))
    for file in page.FILES:
        assert (tmp_path / "0" / file.name).read_bytes() == (folder / file.name).read_bytes()
        assert (tmp_path / "1" / file.name).read_bytes() != (folder / file.name).read_bytes()


def test_the_sample_has_the_sizes_that_the_page_says(page: ModuleType, drawn: LabelledImages) -> None:
    assert {"train": len(drawn.train_labels), "test": len(drawn.test_labels)} == page.SAMPLE_ROWS
    assert drawn.classes == page.CLASSES


def test_classes_of_the_sample_are_balanced(page: ModuleType, drawn: LabelledImages) -> None:
    for labels in (drawn.train_labels, drawn.test_labels):
        counts = np.bincount(labels, minlength=10)
        spread = counts.max() - counts.min()
        assert spread <= (0 if page.SAMPLE_ROWS["train"] % 10 == 0 else 9)  # scikit-learn has 174 to 183 of a digit


def test_no_picture_of_the_sample_is_in_both_splits(drawn: LabelledImages) -> None:
    train, test = ({picture.tobytes() for picture in split} for split in (drawn.train_images, drawn.test_images))
    assert not train & test
    assert len(train) + len(test) == len(drawn.train_images) + len(drawn.test_images)


def test_every_digit_of_scikit_learn_is_used_once_whatever_the_seed(tmp_path: Path) -> None:
    mnist = datasets.page("mnist")
    found = []
    for seed in (0, 1):
        (tmp_path / str(seed)).mkdir()
        mnist.sample(tmp_path / str(seed), seed=seed)
        data = mnist.load(tmp_path / str(seed))
        found.append({picture.tobytes() for picture in (*data.train_images, *data.test_images)})
    assert found[0] == found[1]
    assert len(found[0]) == 1797


def test_digits_are_centred_by_mass(samples: Samples) -> None:
    digits = datasets.page("mnist").load(samples("mnist")).train_images.astype(float)
    mass = digits.sum(axis=(1, 2))
    for axis in (1, 2):
        centre = (digits.sum(axis=3 - axis) @ np.arange(28)) / mass
        assert np.abs(centre - 13.5).max() < 1  # the halo that was taken away had weight too


def test_nearest_centroids_tell_garments_apart_but_not_all(samples: Samples) -> None:
    data = datasets.page("fashion_mnist").load(samples("fashion_mnist"))
    train, test = (part.reshape(len(part), -1) / 255.0 for part in (data.train_images, data.test_images))
    centroids = np.stack([train[data.train_labels == label].mean(axis=0) for label in range(10)])
    distances = ((test[:, None] - centroids) ** 2).sum(axis=-1)  # (1000, 10)
    accuracy = (distances.argmin(axis=1) == data.test_labels).mean()
    assert 0.5 < accuracy < 0.9  # 0.677 on the original


def test_the_suite_accepts_the_sample(page: ModuleType, drawn: LabelledImages) -> None:
    assert broken(images.facts(drawn), page.expectations(sample=True)) == []


def test_every_expectation_says_in_words_what_it_guards(page: ModuleType) -> None:
    reported = [expectation.description for expectation in page.expectations()]
    assert all(reported)
    assert len(set(reported)) == len(reported)


def first(array: Bytes, value: Any) -> Bytes:
    """A copy whose first entry is another one."""
    changed = array.copy()
    changed[0] = value
    return changed


def relabel(labels: Bytes, old: int, new: int, at_most: int) -> Bytes:
    changed = labels.copy()
    changed[np.flatnonzero(labels == old)[:at_most]] = new
    return changed


Spoiling = Callable[[LabelledImages], LabelledImages]
SPOILINGS: dict[str, tuple[Spoiling, str]] = {
    "a blank picture": (lambda d: replace(d, train_images=first(d.train_images, 0)), "none is blank"),
    "a picture of one tone": (lambda d: replace(d, test_images=first(d.test_images, 255)), "of one tone"),
    "pictures scaled to 0-1": (
        lambda d: replace(d, test_images=d.test_images // 255),
        "scaled to 0-1",
    ),
    "pictures of 27 columns": (
        lambda d: replace(d, train_images=d.train_images[:, :, :27], test_images=d.test_images[:, :, :27]),
        "Every picture has 28 columns",
    ),
    "a picture twice in train": (
        lambda d: replace(d, train_images=first(d.train_images, d.train_images[1])),
        "No picture appears twice in a split",
    ),
    "a picture to train on among those to be judged by": (
        lambda d: replace(d, test_images=first(d.test_images, d.train_images[0])),
        "not even once in train and once in test",
    ),
    "a picture too few": (
        lambda d: replace(d, train_images=d.train_images[1:], train_labels=d.train_labels[1:]),
        "train holds",
    ),
    "a class that is missing": (
        lambda d: replace(d, test_labels=relabel(d.test_labels, 9, 8, at_most=1000)),
        "test holds every label from 0 to 9",
    ),
    "a class that grew at the cost of another": (
        lambda d: replace(d, train_labels=relabel(d.train_labels, 3, 4, at_most=40)),
        "pictures of class 3",
    ),
}


@pytest.mark.parametrize("spoiling", SPOILINGS)
def test_the_suite_rejects(page: ModuleType, drawn: LabelledImages, spoiling: str) -> None:
    spoil, words = SPOILINGS[spoiling]
    complaints = broken(images.facts(spoil(drawn)), page.expectations(sample=True))
    assert any(words in complaint for complaint in complaints), complaints


def test_one_label_changed_is_one_too_many_where_classes_are_equal(samples: Samples) -> None:
    page = datasets.page("fashion_mnist")
    data = page.load(samples("fashion_mnist"))
    spoiled = replace(data, train_labels=relabel(data.train_labels, 3, 4, at_most=1))
    assert broken(images.facts(spoiled), page.expectations(sample=True)) == [
        "train holds 150 pictures of class 3 (Dress)",
        "train holds 150 pictures of class 4 (Coat)",
    ]


@pytest.mark.parametrize(
    "mislabel",
    [lambda labels: np.roll(labels, 1), lambda labels: np.array([0, 2, 1, *range(3, 10)], np.uint8)[labels]],
    ids=["labels one picture late", "trousers and pullovers swapped"],
)
def test_the_suite_rejects_labels_out_of_step(samples: Samples, mislabel: Callable[[Bytes], Bytes]) -> None:
    page = datasets.page("fashion_mnist")
    data = page.load(samples("fashion_mnist"))
    spoiled = replace(data, train_labels=mislabel(data.train_labels))
    complaints = broken(images.facts(spoiled), page.expectations(sample=True))
    assert complaints
    assert all("train labels are in step" in complaint for complaint in complaints), complaints


@pytest.mark.real
@pytest.mark.skipif(not MIRROR.is_dir(), reason="HANDBOOK_MIRROR is not a folder with the real data")
def test_the_real_files_are_the_pinned_ones_and_pass_their_suite(page: ModuleType) -> None:
    folder = MIRROR / name(page)
    for file in page.FILES:
        assert hashlib.sha256((folder / file.name).read_bytes()).hexdigest() == file.sha256
    assert broken(page.facts(folder), page.expectations()) == []


@pytest.mark.real
@pytest.mark.skipif(not MIRROR.is_dir(), reason="HANDBOOK_MIRROR is not a folder with the real data")
def test_the_suite_rejects_real_labels_out_of_step(page: ModuleType) -> None:
    data = page.load(MIRROR / name(page))
    spoiled = replace(data, test_labels=np.roll(data.test_labels, 1))
    complaints = broken(images.facts(spoiled), page.expectations())
    assert any("test labels are in step" in complaint for complaint in complaints)

"""What batches are held against: the champion's own rows and data, and limits that are none of an address."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from handbook.errors import HandbookError
from handbook.monitoring import reference
from handbook.project import Project
from tests.monitoring.toys import CASE, held_out, learnt

BLOCK = {"alpha": 0.001, "moved": 0.1, "fall": 0.03, "least_rows": 100, "settle": 0.0, "drifted_of": [2, 3]}


def project_with(folder: Path, monitor: object) -> Project:
    (folder / "params.yaml").write_text(yaml.safe_dump({"cases": {}, "monitor": monitor}))
    return Project(folder)


def test_a_batch_is_held_against_rows_that_the_champion_learnt_from_and_none_that_it_is_judged_by(
    watched: Project,
) -> None:
    watch = reference.watch(watched, CASE)
    columns = list(watch.reference)
    assert set(columns).isdisjoint(watch.ignored)
    pd.testing.assert_frame_equal(
        watch.reference.reset_index(drop=True), learnt(watched)[columns].reset_index(drop=True)
    )
    assert len(watch.reference) + len(held_out(watched)) == len(watch.data.features)
    assert (watch.name, watch.kind, watch.champion.case.name) == (CASE, "sample", CASE)


def test_a_champion_of_other_data_than_lie_here_is_refused_with_the_way_out(watched: Project) -> None:
    watch = reference.watch(watched, CASE)
    file = next(watched.data(watch.champion.case.dataset).glob("*.csv"))
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(HandbookError, match=file.name):
        reference.watch(watched, CASE)


def test_the_webhook_is_an_address_and_no_limit(tmp_path: Path) -> None:
    limits = reference.limits(project_with(tmp_path, BLOCK | {"webhook": "https://host/hook"}))
    assert (limits.alpha, limits.least_rows, tuple(limits.drifted_of)) == (0.001, 100, (2, 3))


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (None, "no block `monitor:`"),
        (BLOCK | {"alpha": 2}, r"params\.yaml, monitor.*alpha"),
        (BLOCK | {"drifted_of": [3, 2]}, "k of the last n"),
    ],
)
def test_limits_that_cannot_be_are_named_with_their_place(tmp_path: Path, block: object, said: str) -> None:
    with pytest.raises(HandbookError, match=said):
        reference.limits(project_with(tmp_path, block))


def test_a_scratch_folder_is_empty_and_gone_at_the_end_whatever_happens(tmp_path: Path) -> None:
    project = Project(tmp_path)
    with pytest.raises(KeyError), reference.scratch(project) as place:
        assert not list(place.iterdir())
        (place / "a.csv").write_text("x")
        raise KeyError
    assert not list((project.cache / "monitor").iterdir())

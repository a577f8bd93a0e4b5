"""A champion is judged on a batch exactly as it was evaluated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from handbook.data import images, tables
from handbook.monitoring import champions

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"
)


def whole_rows(data: tables.Table, part: tables.Table) -> tables.Table:
    """The rows of a part with all their columns, as they would come in."""
    return data.take(data.features.index.get_indexer(part.features.index).astype(np.int64))


@pytest.mark.parametrize("name", ["boosting_before_call", "regressors_diabetes", "som_applications", "lenet"])
def test_the_test_rows_judged_as_a_batch_have_the_metrics_of_the_evaluation(name: str, fitted: Any) -> None:
    case, data, model = fitted(name)
    split = case.split(data)
    batch = data.test if isinstance(data, images.LabelledImages) else whole_rows(data, split.test)
    once = case.page.evaluate(model, split)
    value, interval = champions.score(case, champions.report(case, model, split, batch))
    assert value == once.metrics[case.page.PRIMARY]
    assert interval == once.interval[case.page.PRIMARY]

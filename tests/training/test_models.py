"""Models as files: nothing runs that nobody has reviewed, and what a fit cost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from handbook.errors import HandbookError
from handbook.files.integrity import hashes
from handbook.startup.cores import available_cores
from handbook.training import models


@pytest.mark.parametrize(("granted", "threads"), [("3", 3), ("4,2", 4), ("auto", 0), ("", 0), ("0", 0)])
def test_threads_are_what_the_environment_grants_or_every_core(
    granted: str, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", granted)
    assert models.threads() == (threads or available_cores())


def test_an_estimator_of_a_type_that_nobody_reviewed_is_not_loaded(tmp_path: Any) -> None:
    import types

    from sklearn.preprocessing import FunctionTransformer

    page = types.SimpleNamespace(__name__="page", TRUSTED=("functools.partial",))
    models.save(models.Fitted(FunctionTransformer(print), None, {}), tmp_path / "bad")
    with pytest.raises(HandbookError, match=r"types that nobody has reviewed: builtins\.print"):
        models.load(page, None, tmp_path / "bad")  # type: ignore[arg-type]


class Line(nn.Module):
    """A network of one layer, as a page's `Model` makes it of params and facts."""

    def __init__(self, params: Any, width: int) -> None:
        super().__init__()
        self.facts = {"width": width}
        self.layer = nn.Linear(width, 1)


PAGE: Any = SimpleNamespace(__name__="page", Model=Line)


def test_a_network_comes_back_with_the_same_weights_and_the_same_model_is_the_same_bytes(tmp_path: Path) -> None:
    model = Line(None, 3)
    for name in ("one", "two"):
        models.save(model, tmp_path / name)
    assert hashes(tmp_path / "one") == hashes(tmp_path / "two")
    loaded = models.load(PAGE, None, tmp_path / "one")
    assert not loaded.training
    for name, weights in model.state_dict().items():
        assert torch.equal(weights, loaded.state_dict()[name])


def test_an_estimator_comes_back_with_the_same_answers_and_the_same_bytes(tmp_path: Path) -> None:
    from sklearn.linear_model import LogisticRegression

    x = np.arange(20.0)[:, None]
    for name in ("one", "two"):
        fitted = LogisticRegression().fit(x, x[:, 0] > 7)
        models.save(models.Fitted([fitted], None, {"n": 1}), tmp_path / name)
    assert hashes(tmp_path / "one") == hashes(tmp_path / "two")
    loaded = models.load(PAGE, {"seed": 1}, tmp_path / "one")
    np.testing.assert_array_equal(loaded.estimator[0].predict_proba(x), fitted.predict_proba(x))
    assert (loaded.facts, loaded.params) == ({"n": 1}, {"seed": 1})


def test_saving_replaces_all_that_lay_there_and_what_cannot_be_saved_replaces_nothing(tmp_path: Path) -> None:
    models.save(Line(None, 3), tmp_path / "model")
    before = hashes(tmp_path / "model")
    broken = Line(None, 2)
    broken.facts = {"width": object()}  # type: ignore[dict-item]
    with pytest.raises(TypeError):
        models.save(broken, tmp_path / "model")
    assert hashes(tmp_path / "model") == before
    (tmp_path / "model" / "left.txt").touch()
    models.save(Line(None, 4), tmp_path / "model")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["facts.json", "model", "model.safetensors"]


def _gone(place: Path) -> None:
    (place / "facts.json").unlink()


def _no_json(place: Path) -> None:
    (place / "facts.json").write_text("{")


def _other_width(place: Path) -> None:
    (place / "facts.json").write_text('{"width": 5}')


def _cut(place: Path) -> None:
    path = place / "model.safetensors"
    path.write_bytes(path.read_bytes()[:20])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_gone, r"no model here: it is not trained yet(?s:.*)Make it: dvc repro train@model"),
        (_no_json, r"facts\.json is not JSON: .* Train again, or bring it back: dvc checkout"),
        (
            _other_width,
            r"model\.safetensors does not fit the parameters in params\.yaml; train again(?s:.*)size mismatch",
        ),
        (_cut, r"model\.safetensors is damaged: .* Train again, or bring it back: dvc checkout"),
    ],
)
def test_each_fault_of_a_model_has_its_own_error_with_the_way_out(
    spoil: Callable[[Path], None], message: str, tmp_path: Path
) -> None:
    models.save(Line(None, 3), tmp_path / "model")
    spoil(tmp_path / "model")
    with pytest.raises(HandbookError, match=message):
        models.load(PAGE, None, tmp_path / "model")


def test_what_is_handed_over_is_loaded_and_not_what_lies_there(tmp_path: Path) -> None:
    models.save(Line(None, 3), tmp_path / "model")
    kept = {path.name: path.read_bytes() for path in (tmp_path / "model").iterdir()}
    models.save(Line(None, 4), tmp_path / "model")
    assert models.load(PAGE, None, tmp_path / "model", kept).facts == {"width": 3}


def test_the_effort_counts_every_pass_over_every_sample() -> None:
    found = models.effort(2.0, 300, epochs=4)
    assert (found["seconds"], found["samples_per_second"]) == (2.0, 600)
    assert models.effort(0.0, 1)["samples_per_second"] > 0

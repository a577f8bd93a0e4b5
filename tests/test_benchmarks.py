"""Results of benchmarks, each in a section of its own; and the one that is run where an accelerator is lent."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks import accelerator, gan, lenet_epoch
from benchmarks.__main__ import BENCHMARKS, with_section
from handbook import datasets
from handbook.cases import gan as case_gan
from handbook.cases import lenet
from handbook.contract import Split
from handbook.project import Project
from handbook.training.adversarial import FEWEST, Draws
from handbook.training.batches import Batches, tensors
from tests.conftest import ROOT


def test_a_section_is_replaced_and_the_others_stay_in_their_order() -> None:
    first, second = BENCHMARKS[:2]
    text = with_section(with_section("", second, "two\n\n| a |\n|---|"), first, "one")
    assert text.index(f"## {first}\n\none") < text.index(f"## {second}\n\ntwo\n\n| a |\n|---|")
    assert with_section(text, first, "one") == text
    assert with_section(text, first, "another") == text.replace("one\n", "another\n")


def assert_same_weights(one: torch.nn.Module, other: torch.nn.Module) -> None:
    pairs = zip(one.parameters(), other.parameters(), strict=True)
    assert all(torch.allclose(mine, theirs, rtol=1e-3, atol=1e-5) for mine, theirs in pairs)


def test_the_bare_loop_of_the_gan_plays_the_game_of_the_case(samples: Any) -> None:
    params = dataclasses.replace(gan.parameters(Project(ROOT)), batch_size=8, steps=3)
    data = datasets.page("mnist").load(samples("mnist"))
    few = Split(data.train.take(np.arange(8 * FEWEST)), None, data.test)
    torch.manual_seed(params.seed)
    alone = gan.bare(params, Draws(*tensors(few.train), size=8, steps=3, seed=params.seed))
    assert_same_weights(alone, case_gan.fit(few, params))


def test_the_bare_loop_of_lenet_takes_the_steps_of_the_case(samples: Any) -> None:
    params = dataclasses.replace(lenet_epoch.parameters(Project(ROOT)), batch_size=50, clip=0.01, weight_decay=0.5)
    few = tensors(datasets.page("fashion_mnist").load(samples("fashion_mnist")).train.take(np.arange(300)))
    batches = Batches(*few, size=50, seed=0, prepare=lenet.augmentation(params))
    torch.manual_seed(1)
    alone = lenet_epoch.bare(params, len(batches), lambda: batches, lambda images: images)
    torch.manual_seed(1)
    assert_same_weights(alone, lenet_epoch.ours(params, *few))


def test_a_trial_makes_a_step_and_has_a_few_inputs_answered(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accelerator, "BRIEF", True)
    notes: list[dict[str, Any]] = []
    accelerator.learn(project, "digits", lambda state: notes.append(dict(state)))
    assert [each["epochs"] for each in notes] == [1, 1]
    answered, _, inputs = notes[-1]["said"].removesuffix(" answered").split()
    assert int(answered) == int(inputs) > 0
    assert "value" not in notes[-1]


@pytest.mark.parametrize("name", accelerator.networks(Project(ROOT)))
def test_a_trial_keeps_the_networks_of_a_whole_training(name: str, samples: Any) -> None:
    case = Project(ROOT).case(name, preset="gpu")
    split = case.split(datasets.page(case.dataset).load(samples(case.dataset)))
    brief, part = accelerator.one_step(case, split)
    changed = {key for key, value in vars(case.params).items() if getattr(brief.params, key) != value}
    assert changed <= {"epochs", "steps", "window_share", "ablation_epochs", "ablation_seeds"}
    assert brief.params.epochs == 1
    assert 0 < len(part.train) <= len(split.train)


def test_a_case_that_did_not_end_says_how_far_it_came_and_one_that_failed_why(tmp_path: Path) -> None:
    (tmp_path / "apple.log").write_text("Traceback\n  here\nValueError: too small\n")
    assert accelerator.known(tmp_path, "apple", failed=True) == {"said": "ValueError: too small"}
    (tmp_path / "apple.jsonl").write_text("".join(json.dumps({"epochs": k}) + "\n" for k in (1, 2)))
    assert accelerator.known(tmp_path, "apple", failed=False) == {"epochs": 2}
    assert accelerator.known(tmp_path, "apple", failed=True) == {"epochs": 2, "said": "ValueError: too small"}


def test_what_there_is_no_time_for_is_not_begun(tmp_path: Path) -> None:
    assert accelerator._all(["apple"], tmp_path, deadline=0.0) == {"apple": {"said": "not begun"}}

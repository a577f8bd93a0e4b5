"""What pages learn with: the rate's course, what decays, and threads that are given back."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from handbook.training import networks


def test_the_rate_rises_over_a_fifth_of_the_steps_to_its_peak_and_ends_near_nothing() -> None:
    optimiser, schedule = networks.one_cycle(torch.optim.SGD([torch.zeros(1)], 0.5), 100)
    rates = []
    for _ in range(100):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step() if len(rates) < 100 else None
    assert rates[0] == pytest.approx(0.05)
    assert max(rates) == pytest.approx(0.5)
    assert rates.index(max(rates)) in (19, 20)
    assert rates[-1] < 1e-5


@pytest.mark.parametrize("steps", range(1, 12))
def test_the_rate_has_a_course_however_few_steps_there_are(steps: int) -> None:
    optimiser, schedule = networks.one_cycle(torch.optim.SGD([torch.zeros(1)], 0.5), steps)
    rates = [optimiser.param_groups[0]["lr"]]
    for _ in range(steps - 1):
        optimiser.step()
        schedule.step()
        rates.append(optimiser.param_groups[0]["lr"])
    assert all(0 <= rate <= 0.5 for rate in rates)


def test_every_parameter_is_in_one_group_and_only_matrices_and_kernels_decay() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2, 1))
    shrinking, others = networks.decayed(network, 0.1)
    assert (shrinking["weight_decay"], others["weight_decay"]) == (0.1, 0.0)
    grouped = [id(each) for group in (shrinking, others) for each in group["params"]]
    assert sorted(grouped) == sorted(id(each) for each in network.parameters())
    assert {id(each) for each in shrinking["params"]} == {id(network[0].weight), id(network[3].weight)}


def test_threads_are_given_back_when_a_training_fails() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with pytest.raises(ZeroDivisionError), networks.on_one_thread():
            assert torch.get_num_threads() == 1
            _ = 1 / 0
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)

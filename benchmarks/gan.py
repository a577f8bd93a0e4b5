"""Forty steps of the case `gan` at batch 128, one thread: Lightning's manual optimisation against a bare loop.

*bare* is a hand-written PyTorch loop over the same networks, losses, optimisers, averaging and precision; *ours* is
`cases.gan` through `handbook.training`, history included. Taken in turn; the table shows the median and the spread of
the rounds' ratios to *bare* in the same round. The groups of the case are left out: to find them is no step of a
training. That both then end at the same weights is held by `tests/test_benchmarks.py`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor

from benchmarks.lenet_epoch import race, table
from handbook import datasets
from handbook.cases import gan
from handbook.contract import Split
from handbook.project import Project
from handbook.training import adversarial
from handbook.training.adversarial import FEWEST, Draws

STEPS = 40


def bare(params: gan.Params, batches: Iterable[Sequence[Tensor]]) -> gan.Model:
    """The loop that one writes by hand."""
    model = gan.Model(params, classes=10)
    optimisers = model.optimisers()
    for step, (images, *_) in enumerate(batches):
        real = adversarial.as_pixels(images)
        generated = model.generator(torch.randn(len(real), params.latent))
        scores = model.discriminator(torch.cat([real, generated.detach()]))
        of_discriminator = model.game.discriminator(scores[: len(real)], scores[len(real) :])
        optimisers[1].zero_grad()
        of_discriminator.backward(inputs=list(model.discriminator.parameters()))  # type: ignore[no-untyped-call]
        optimisers[1].step()
        of_generator = model.game.generator(model.discriminator(generated))
        optimisers[0].zero_grad()
        of_generator.backward(inputs=list(model.generator.parameters()))  # type: ignore[no-untyped-call]
        optimisers[0].step()
        adversarial.follow(model.averaged, model.generator, params.averaging, step)
    return model


def parameters(project: Project) -> gan.Params:
    """The case's parameters, for `STEPS` steps and without groups."""
    params: gan.Params = project.case("gan").params
    return dataclasses.replace(params, epochs=1, steps=STEPS, modes=0)


def run() -> list[str]:
    """The table, a line a contender."""
    torch.set_num_threads(1)
    project = Project.here()
    params = parameters(project)
    data = datasets.page("mnist").load(project.data("mnist"))
    enough = FEWEST * params.batch_size  # of fewer pictures the batches would be smaller than those of the bare loop
    small = Split(data.train.take(np.arange(enough)), None, data.test)
    images = torch.from_numpy(small.train.images)
    draws = Draws(images, size=params.batch_size, steps=STEPS, seed=0)
    assert (draws.size, draws.steps) == (params.batch_size, STEPS)

    def permuted() -> Iterable[Sequence[Tensor]]:
        return ([images[part]] for part in torch.split(torch.randperm(enough), params.batch_size)[:STEPS])

    return table(race({"bare": lambda: bare(params, permuted()), "ours": lambda: gan.fit(small, params)}), "bare")

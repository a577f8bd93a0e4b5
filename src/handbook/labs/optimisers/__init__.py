"""Optimisers from scratch, and their races (sections 3.6 to 3.13).

An optimiser turns gradients into steps. Descent goes where the gradient points; momentum remembers where it was going;
the adaptive rules give each weight a rate of its own; L-BFGS learns the curvature; a schedule changes the rate as time
goes on. All are written here in NumPy on flat float64 vectors, and each equals its namesake in torch.optim.

    descent.py        batch, stochastic and mini-batch descent on the book's y = 3 x1 + 2 x2 + noise
    rules.py          descent, momentum, Nesterov, AdaGrad, RMSprop, Adadelta, Adam, AdamW
    quasi_newton.py   L-BFGS: two-loop recursion, strong Wolfe line search
    schedules.py      decay, step, exponential, cosine, one-cycle, warm-up, plateau
    races.py          a quadratic, Rosenbrock's valley, a saddle
    garments.py       LeNet's shapes on a slice of Fashion-MNIST (torch computes the gradients there, and only there)
    pictures.py       figures and the animation
    printed_runs.py   the runs behind the book's figures 3.22 to 3.26

The book prints three results here, the weights after batch, stochastic and mini-batch descent, and they are repeated to
the last digit. Where its listings are wrong (the three of descent mixed up, Nesterov's two gradients, Adam's frozen
one, the empty L-BFGS, warm-up upside down), the page concerned says so, and `checks` measures what the error does.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from handbook.data.images import LabelledImages

DATASET = "fashion_mnist"


def figures(data: LabelledImages) -> dict[str, Figure]:
    """Every picture of the lab, each with its finding as title."""
    from handbook.labs.optimisers import garments, pictures, printed_runs, races

    return {
        "batch_sizes": pictures.batch_sizes(),
        "printed_descent": pictures.printed_descent(),
        "traps": pictures.traps(),
        "printed_runs": printed_runs.figure(),
        **{name: pictures.paths(name) for name in races.LANDSCAPES},
        "saddle_escape": pictures.escapes(),
        "schedules": pictures.schedule_curves(),
        "garments": pictures.garment_curves(garments.Slice.of(data)),
    }


def animations(data: LabelledImages) -> dict[str, Callable[[Path], None]]:
    """What has to move: each writes a GIF to the path that it is given."""
    from handbook.labs.optimisers import pictures

    return {"rosenbrock_race": pictures.animate}


def checks(data: LabelledImages) -> dict[str, float | bool]:
    """The chapter's facts as measured here; counts are steps, -1 stands for never."""
    from handbook.labs.optimisers import printed_runs

    return {
        **_batch_facts(),
        **_trap_facts(),
        **printed_runs.facts(),
        **_race_facts(),
        **_schedule_facts(),
        **_garment_facts(data),
    }


def _batch_facts() -> dict[str, float | bool]:
    from handbook.labs.optimisers import descent

    data = descent.rows(np.random.default_rng(0))
    facts: dict[str, float | bool] = {}
    for name, size in descent.SIZES.items():
        path = descent.descend(data, size, descent.STEPS, np.random.default_rng(1))
        facts[f"{name}: distance left after 100 steps"] = _left(path[-1], data.best())
        table, run = descent.printed(name)
        facts[f"{name}: distance left after the book's 100 passes"] = _left(run[-1], table.best())
        facts[f"{name}: greatest difference to the printed weights"] = float(
            np.abs(run[-1] - descent.PRINTED[name]).max()
        )
    path = descent.descend(data, descent.ROWS, descent.STEPS, np.random.default_rng(1))
    facts["batch: equals its closed form"] = bool(np.allclose(path[-1], descent.after(data, descent.STEPS), atol=1e-12))
    return facts


def _left(w: np.ndarray, best: np.ndarray) -> float:
    """As a share of the way from zero to the best weights."""
    return float(np.linalg.norm(w - best) / np.linalg.norm(best))


def _trap_facts() -> dict[str, float | bool]:
    from handbook.labs.optimisers import rules

    def slope(x: rules.Vector) -> rules.Vector:
        return 2 * x

    start = np.array([5.0])
    momentum = rules.walk(rules.Momentum(0.1), slope, start, 100)
    ahead, listed = (path(slope, start, 0.1, 0.9, 100) for path in (rules.look_ahead, rules.two_gradients))
    return {
        "x² by momentum: |x| after 100 steps": float(np.abs(momentum[-1, 0])),
        "x² by Nesterov: |x| after 100 steps": float(np.abs(ahead[-1, 0])),
        "x² by Nesterov with two gradients (the book's code): x after 10 steps": float(listed[10, 0]),
        "x² by Nesterov with two gradients (the book's code): |x| after 100 steps": float(np.abs(listed[-1, 0])),
        "x² by Adam (0.1): |x| after 100 steps": float(
            np.abs(rules.walk(rules.Adam(0.1), slope, start, 100)[-1, 0]),
        ),
        "x² by Adam (0.1) with its first gradient for ever (the book's): x after 100 steps": float(
            rules.frozen(rules.Adam(0.1), slope, start, 100)[-1, 0]
        ),
    }


def _race_facts() -> dict[str, float | bool]:
    from handbook.labs.optimisers import quasi_newton, races, rules

    facts: dict[str, float | bool] = {
        f"{place}: arrival of {name}": path.arrival()
        for place in races.LANDSCAPES
        for name, path in races.race(place).items()
    }
    found = quasi_newton.lbfgs(races.rosenbrock, np.array([-1.5, 2.0]))
    facts["rosenbrock: evaluations of L-BFGS"] = found.evaluations
    facts["rosenbrock: L-BFGS is within 1e-8 of (1, 1)"] = bool(np.abs(found.path[-1] - 1).max() < 1e-8)
    for name in ("descent", "momentum", "Adam"):
        for offset in (1e-3, 1e-9):
            facts[f"saddle: escape of {name} from {offset:g}"] = races.escape(rules.RULES[name], offset)
    return facts


def _schedule_facts() -> dict[str, float | bool]:
    from handbook.labs.optimisers import pictures, races, schedules

    facts: dict[str, float | bool] = {
        f"schedule {name}: error above the best at the end": float(losses[-50:].mean())
        for name, losses in pictures.schedule_race().items()
    }
    warm = schedules.warm_up(0.3, 100, 0.01)
    facts["warm-up: first rate as a share of the full one"] = warm(0) / 0.3
    facts["warm-up: x⁴/4 from 3 at 0.3 diverges without it"] = bool(np.isinf(races.cold_start(schedules.constant(0.3))))
    facts["warm-up: and ends with it at"] = races.cold_start(warm)
    return facts


def _garment_facts(data: LabelledImages) -> dict[str, float | bool]:
    from handbook.labs.optimisers import garments

    part = garments.Slice.of(data)
    facts: dict[str, float | bool] = {}
    for name, ran in garments.race(part).items():
        facts[f"garments: loss of {name} after {part.steps} steps"] = float(f"{ran.final:.3g}")
        facts[f"garments: accuracy of {name} on {len(part.answers)} new"] = ran.accuracy
    return facts

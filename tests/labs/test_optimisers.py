"""Laws of the optimisers: torch.optim and SciPy agree with them, and the book's errors do what the page says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from handbook.datasets import fashion_mnist
from handbook.labs.optimisers import descent, garments, pictures, quasi_newton, races, rules, schedules
from handbook.labs.optimisers.rules import Vector

STEPS = 80
TORCH: dict[str, tuple[Callable[..., rules.Rule], Callable[..., torch.optim.Optimizer]]] = {
    "descent": (lambda d: rules.Descent(1e-3, decay=d), lambda p, d: torch.optim.SGD(p, 1e-3, weight_decay=d)),
    "momentum": (
        lambda d: rules.Momentum(1e-3, decay=d),
        lambda p, d: torch.optim.SGD(p, 1e-3, momentum=0.9, weight_decay=d),
    ),
    "Nesterov": (
        lambda d: rules.Nesterov(1e-3, decay=d),
        lambda p, d: torch.optim.SGD(p, 1e-3, momentum=0.9, nesterov=True, weight_decay=d),
    ),
    "AdaGrad": (lambda d: rules.AdaGrad(0.3, decay=d), lambda p, d: torch.optim.Adagrad(p, 0.3, weight_decay=d)),
    # any faster and it arrives, where v is next to zero and each rounding is divided by its root
    "RMSprop": (
        lambda d: rules.RMSprop(0.003, decay=d),
        lambda p, d: torch.optim.RMSprop(p, 0.003, alpha=0.9, weight_decay=d),
    ),
    "Adadelta": (lambda d: rules.Adadelta(decay=d), lambda p, d: torch.optim.Adadelta(p, weight_decay=d)),
    "Adam": (lambda d: rules.Adam(0.05, decay=d), lambda p, d: torch.optim.Adam(p, 0.05, weight_decay=d)),
    "AdamW": (lambda d: rules.AdamW(0.05, decay=d), lambda p, d: torch.optim.AdamW(p, 0.05, weight_decay=d)),
}


def bowl(n: int = 7) -> tuple[Vector, Vector]:
    """A least-squares problem that is neither square nor aligned with the axes: matrix (12, n), target (12,)."""
    rng = np.random.default_rng(5)
    return rng.standard_normal((12, n)), rng.standard_normal(12)


def value(theta: Vector) -> tuple[float, Vector]:
    """log cosh of the residuals, summed: convex and not quadratic."""
    a, b = bowl(len(theta))
    r = a @ theta - b
    return float(np.log(np.cosh(r)).sum()), a.T @ np.tanh(r)


def slope(theta: Vector) -> Vector:
    return value(theta)[1]


def torch_path(optimiser: Callable[[list[torch.Tensor]], torch.optim.Optimizer], start: Vector, f: Any) -> Vector:
    """The path of a torch optimiser on f, (STEPS + 1, n); closures are allowed for."""
    theta = torch.tensor(start, requires_grad=True)
    engine, path = optimiser([theta]), [start]

    def closure() -> float:
        height, g = f(theta.detach().numpy().copy())
        theta.grad = torch.from_numpy(np.asarray(g))
        return float(height)

    for _ in range(STEPS):
        if isinstance(engine, torch.optim.LBFGS):
            engine.step(closure)
        else:
            closure()
            engine.step()
        path.append(theta.detach().numpy().copy())
    return np.stack(path)


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("f", [races.rosenbrock, value], ids=["rosenbrock", "log cosh"])
@pytest.mark.parametrize("name", TORCH)
def test_a_rule_equals_torch_step_for_step(name: str, f: Any, decay: float) -> None:
    ours, theirs = TORCH[name]
    start = np.array([-0.7, 0.9]) if f is races.rosenbrock else np.linspace(-2, 2, 7)
    path = rules.walk(ours(decay), lambda theta: f(theta)[1], start, STEPS)
    assert len(path) == 81
    assert np.ptp(path, axis=0).min() > 1e-3
    np.testing.assert_allclose(path, torch_path(lambda p: theirs(p, decay), start, f), rtol=1e-11, atol=1e-12)


def test_decoupled_decay_is_not_the_decay_of_the_gradient() -> None:
    start = np.linspace(-2, 2, 7)
    adam = rules.walk(rules.Adam(0.05, decay=0.1), slope, start, STEPS)
    adamw = rules.walk(rules.AdamW(0.05, decay=0.1), slope, start, STEPS)
    assert np.abs(adam - adamw).max() > 1e-2
    plain, none = (rules.walk(kind(0.05, decay=0), slope, start, STEPS) for kind in (rules.Adam, rules.AdamW))
    np.testing.assert_array_equal(plain, none)


def test_nesterovs_look_ahead_is_torchs_form_seen_from_the_point_looked_at() -> None:
    start, eta, mu = np.linspace(-2, 2, 7), 0.01, 0.9
    reported = rules.look_ahead(slope, start, eta, mu, STEPS)
    v = np.diff(reported, axis=0, prepend=reported[:1])  # theta_t - theta_(t-1)
    np.testing.assert_allclose(reported + mu * v, rules.walk(rules.Nesterov(eta, mu), slope, start, STEPS), atol=1e-11)


def test_on_the_books_parabola_its_two_gradients_converge_later_than_nesterovs_one_and_sooner_than_momentum() -> None:
    start = np.array([5.0])
    ahead, listed = (path(lambda x: 2 * x, start, 0.1, 0.9, 200) for path in (rules.look_ahead, rules.two_gradients))
    momentum = rules.walk(rules.Momentum(0.1), lambda x: 2 * x, start, 200)
    # the determinants of the iterations, mu (1 - 2 eta), mu (1 - 4 eta²) and mu, are the squares of their rates
    for path, determinant in ((ahead, 0.72), (listed, 0.864), (momentum, 0.9)):
        rate = (np.abs(path[-20:]).max() / np.abs(path[-120:-100]).max()) ** (1 / 100)
        assert rate == pytest.approx(np.sqrt(determinant), rel=0.02)
    assert listed[10, 0] == pytest.approx(-0.977, abs=5e-4)


@pytest.mark.parametrize(
    ("name", "weights", "updates"),
    [("batch", (0.06893943, 2.00432774, 1.2328745), 100),
     ("stochastic", (0.02922543, 3.06187484, 1.94812191), 10_000),
     ("mini-batch", (-0.05168228, 3.11146125, 1.94541002), 1_000)],
)  # fmt: skip
def test_the_books_three_runs_end_at_the_weights_that_it_prints(name: str, weights: Any, updates: int) -> None:
    _, path = descent.printed(name)
    assert len(path) == updates + 1
    np.testing.assert_array_equal(weights, descent.PRINTED[name])
    np.testing.assert_allclose(path[-1], weights, atol=5.1e-9)


def test_adam_with_a_frozen_gradient_moves_at_a_constant_speed_past_the_minimum() -> None:
    path = rules.frozen(rules.Adam(0.1), lambda x: 2 * x, np.array([5.0]), 100)[:, 0]
    np.testing.assert_allclose(path, 5 - 0.1 * np.arange(101), atol=1e-7)


def test_the_first_step_of_adam_is_the_rate_whatever_the_gradient() -> None:
    for scale in (1e-3, 1.0, 1e6):
        moved = rules.Adam(0.01).step(np.zeros(3), scale * np.array([1.0, -2.0, 3.0]))
        np.testing.assert_allclose(moved, 0.01 * np.array([-1, 1, -1]), rtol=2e-5)


@pytest.mark.parametrize("name", ["AdaGrad", "RMSprop", "Adam"])
def test_the_scale_of_the_loss_does_not_move_an_adaptive_rule(name: str) -> None:
    kind, start = rules.RULES[name], np.linspace(-2, 2, 7)
    one, thousand = (rules.walk(kind(0.05), lambda x, k=k: k * slope(x), start, 30) for k in (1, 1000))  # type: ignore[misc]
    np.testing.assert_allclose(one, thousand, atol=1e-5)


def test_batch_descent_follows_its_closed_form_and_leaves_an_eighth_of_the_way() -> None:
    data = descent.rows(np.random.default_rng(0))
    path = descent.descend(data, 100, 100, np.random.default_rng(1))
    np.testing.assert_allclose(path[-1], descent.after(data, 100), atol=1e-12)
    assert 0.05 < np.linalg.norm(path[-1] - data.best()) / np.linalg.norm(data.best()) < 0.2


@pytest.mark.parametrize("size", descent.SIZES.values())
def test_descent_equals_torch_on_the_same_batches(size: int) -> None:
    data = descent.rows(np.random.default_rng(0))
    w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    sgd, x, y = torch.optim.SGD([w], 0.01), torch.from_numpy(data.x), torch.from_numpy(data.y)
    path = descent.descend(data, size, 100, np.random.default_rng(3))
    for t, rows in zip(range(100), descent.batches(100, size, np.random.default_rng(3)), strict=False):
        sgd.zero_grad()
        torch.mean((x[rows] @ w - y[rows]) ** 2).backward()
        sgd.step()
        np.testing.assert_allclose(w.detach().numpy(), path[t + 1], atol=1e-12)


def test_the_gradients_of_the_batches_of_a_pass_average_to_that_of_all_rows() -> None:
    data, w = descent.rows(np.random.default_rng(0)), np.array([0.3, -1.0])
    order = descent.batches(100, 10, np.random.default_rng(2))
    parts = [data.gradient(w, next(order)) for _ in range(10)]
    np.testing.assert_allclose(np.mean(parts, axis=0), data.gradient(w), atol=1e-13)


def test_small_batches_do_not_come_to_rest() -> None:
    data = descent.rows(np.random.default_rng(0))
    restless = [
        np.mean(
            [np.sum((w - data.best()) ** 2) for w in descent.descend(data, size, 3000, np.random.default_rng(1))[-500:]]
        )
        for size in (100, 10, 1)
    ]
    assert restless[0] < 1e-20
    assert 1e-8 < restless[1] < restless[2] / 3


def test_the_two_loops_equal_the_dense_update_of_the_inverse_hessian() -> None:
    rng, n = np.random.default_rng(0), 6
    hessian = np.cov(rng.standard_normal((n, 2 * n))) + np.eye(n)
    memory, pairs = quasi_newton.Memory(4), []
    for _ in range(4):
        s = rng.standard_normal(n)
        pairs.append((s, hessian @ s))
        memory.learn(*pairs[-1])
    s, y = pairs[-1]
    h = (y @ s) / (y @ y) * np.eye(n)
    for s, y in pairs:  # Nocedal and Wright, equation 7.16
        v = np.eye(n) - np.outer(y, s) / (y @ s)
        h = v.T @ h @ v + np.outer(s, s) / (y @ s)
    g = rng.standard_normal(n)
    np.testing.assert_allclose(memory.times(g), h @ g, rtol=1e-10)
    np.testing.assert_allclose(memory.times(pairs[-1][1]), pairs[-1][0], rtol=1e-9)  # the secant equation


@pytest.mark.parametrize("memory", [3, 10])
def test_l_bfgs_with_fixed_steps_equals_torch_step_for_step(memory: int) -> None:
    # a step of torch's with max_iter=1 keeps its memory for the next; tolerances of 0 keep it from stopping early
    start = np.linspace(-2, 2, 7)
    theirs = torch_path(
        lambda p: torch.optim.LBFGS(p, 0.2, 1, tolerance_grad=0, tolerance_change=0, history_size=memory), start, value
    )
    ours = quasi_newton.fixed_steps(value, start, 0.2, STEPS, memory)
    np.testing.assert_allclose(ours, theirs, atol=1e-10)


def many(theta: Vector) -> tuple[float, Vector]:
    """Rosenbrock's function in n variables."""
    from scipy.optimize import rosen, rosen_der

    return float(rosen(theta)), np.asarray(rosen_der(theta))


@pytest.mark.parametrize("n", [2, 10, 50])
def test_l_bfgs_finds_rosenbrocks_minimum_as_torch_and_scipy_do(n: int) -> None:
    from scipy.optimize import minimize

    start = np.tile([-1.5, 2.0], n // 2)
    ours = quasi_newton.lbfgs(many, start, steps=500)
    scipys = minimize(many, start, jac=True, method="L-BFGS-B", options={"gtol": 1e-9, "ftol": 0, "maxiter": 500})
    theta = torch.tensor(start, requires_grad=True)
    engine = torch.optim.LBFGS(
        [theta], max_iter=500, tolerance_grad=1e-9, tolerance_change=0, history_size=10, line_search_fn="strong_wolfe"
    )

    def closure() -> float:
        height, g = many(theta.detach().numpy())
        theta.grad = torch.from_numpy(g)
        return height

    engine.step(closure)
    assert ours.converged
    for found in (ours.path[-1], scipys.x, theta.detach().numpy()):
        np.testing.assert_allclose(found, 1, atol=1e-6)
    others = max(scipys.nfev, engine.state[theta]["func_evals"])
    assert ours.evaluations <= 1.5 * others
    assert (np.diff(ours.values) <= 0).all()


@pytest.mark.parametrize("t", [1e-4, 0.1, 1.0, 30.0, 1e4])
def test_the_line_search_satisfies_both_wolfe_conditions_from_any_first_step(t: float) -> None:
    theta = np.array([-1.5, 2.0])
    height, g = races.rosenbrock(theta)
    d = -g / np.abs(g).sum()

    def line(t: float) -> quasi_newton.Trial:
        f, slope_there = races.rosenbrock(theta + t * d)
        return quasi_newton.Trial(t, f, float(slope_there @ d), slope_there)

    start = quasi_newton.Trial(0, height, float(g @ d), g)
    for c2 in (0.9, 0.1):
        found = quasi_newton.strong_wolfe(line, start, t, c2=c2)
        assert found.f <= height + 1e-4 * found.t * start.slope
        assert abs(found.slope) <= c2 * abs(start.slope)


def engine(eta: float) -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.zeros(1, requires_grad=True)], eta)


LR: Any = torch.optim.lr_scheduler
NAMESAKES: dict[str, tuple[schedules.Schedule, Callable[[Any], Any]]] = {
    "constant": (schedules.constant(0.3), lambda o: LR.LambdaLR(o, lambda t: 1.0)),
    "decay": (schedules.decay(0.3, 0.05), lambda o: LR.LambdaLR(o, lambda t: 1 / (1 + 0.05 * t))),
    "step": (schedules.step(0.3, 7, 0.5), lambda o: LR.StepLR(o, 7, 0.5)),
    "exponential": (schedules.exponential(0.3, 0.95), lambda o: LR.ExponentialLR(o, 0.95)),
    "cosine": (schedules.cosine(0.3, 40, 0.01), lambda o: LR.CosineAnnealingLR(o, 40, 0.01)),
    "one-cycle": (
        schedules.one_cycle(0.3, 100),
        lambda o: LR.OneCycleLR(o, 0.3, total_steps=100, cycle_momentum=False),
    ),
    "one-cycle, late": (
        schedules.one_cycle(0.3, 100, 0.45, 0.1, 1e-2),
        lambda o: LR.OneCycleLR(
            o, 0.3, total_steps=100, pct_start=0.45, div_factor=10, final_div_factor=100, cycle_momentum=False
        ),
    ),
    "warm-up": (schedules.warm_up(0.3, 12, 0.1), lambda o: LR.LinearLR(o, 0.1, total_iters=12)),
    "warm-up, then cosine": (
        schedules.warm_up(0.3, 12, 0.1, schedules.cosine(0.3, 60)),
        lambda o: LR.SequentialLR(o, [LR.LinearLR(o, 0.1, total_iters=12), LR.CosineAnnealingLR(o, 60)], [12]),
    ),
}


# SequentialLR itself passes an epoch to its parts, which torch deprecates in others
@pytest.mark.filterwarnings("ignore:The epoch parameter in `scheduler.step")
@pytest.mark.parametrize("name", NAMESAKES)
def test_a_schedule_equals_torch_at_every_step(name: str) -> None:
    ours, theirs = NAMESAKES[name]
    optimiser = engine(0.3)
    scheduler, rates = theirs(optimiser), []
    steps = 72 if "then" in name else 100
    for t in range(steps):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        if t < steps - 1:
            scheduler.step()
    np.testing.assert_allclose([ours(t) for t in range(steps)], rates, rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("patience", [0, 2, 5])
def test_plateau_equals_torch_on_a_restless_loss(patience: int) -> None:
    rng = np.random.default_rng(patience)
    losses = np.exp(-np.arange(200) / 20) + 0.2 * rng.random(200)
    optimiser = engine(0.3)
    scheduler = LR.ReduceLROnPlateau(optimiser, factor=0.5, patience=patience, threshold=1e-3, min_lr=1e-4)
    ours, rates = schedules.Plateau(0.3, 0.5, patience, margin=1e-3, low=1e-4), []
    for loss in losses:
        scheduler.step(loss)
        rates.append(optimiser.param_groups[0]["lr"])
    np.testing.assert_allclose([ours.see(loss) for loss in losses], rates, rtol=1e-14)
    assert rates[-1] < 0.3 / 8


def test_warm_up_starts_low_and_carries_a_rate_that_diverges_from_a_cold_start() -> None:
    warm = schedules.warm_up(0.3, 100, 0.01)
    assert warm(0) < warm(50) < warm(100) == 0.3
    assert np.isinf(races.cold_start(schedules.constant(0.3)))
    assert races.cold_start(warm) < 0.2


@pytest.mark.parametrize("name", races.LANDSCAPES)
def test_the_gradient_of_a_landscape_is_that_of_its_values(name: str) -> None:
    land = races.LANDSCAPES[name]
    for p in np.random.default_rng(0).uniform(-2, 2, (20, 2)):
        slopes = [(land.f(p + 1e-6 * e)[0] - land.f(p - 1e-6 * e)[0]) / 2e-6 for e in np.eye(2)]
        np.testing.assert_allclose(land.f(p)[1], slopes, rtol=1e-5, atol=1e-5)


def test_a_race_never_goes_below_the_lowest_value() -> None:
    for name in races.LANDSCAPES:
        ran = races.race(name)
        assert min(path.excess.min() for path in ran.values()) > -1e-12
        assert min(path.arrival() for path in ran.values() if path.arrival() >= 0) == ran["L-BFGS"].arrival()


def test_momentum_leaves_a_saddle_faster_and_adam_does_not_mind_how_flat_it_is() -> None:
    assert races.escape(rules.Momentum, 1e-9) < races.escape(rules.Descent, 1e-9) / 3
    assert races.escape(rules.Adam, 1e-9) <= races.escape(rules.Adam, 1e-3) + 3
    assert races.escape(rules.Descent, 0.0) == -1  # on the ridge itself there is no way down


@pytest.mark.parametrize("name", races.LANDSCAPES)
@pytest.mark.parametrize("kind", [rules.Momentum, rules.Adadelta, rules.Adam])
def test_rates_side_by_side_walk_the_paths_that_each_walks_alone(name: str, kind: type[rules.Rule]) -> None:
    land, rates = races.LANDSCAPES[name], np.array([1e-3, 1e-2, 10.0])
    together = {path.eta: path for path in races.run(land, kind, rates, 50)}
    for eta in rates.tolist():
        rule, points = kind(eta), [np.asarray(land.start)]
        while len(points) <= 50 and land.f(points[-1])[0] < races.FAR:
            points.append(rule.step(points[-1], land.f(points[-1])[1]))
        if land.f(points[-1])[0] < races.FAR:
            np.testing.assert_allclose(together[eta].points, points, rtol=1e-6, atol=1e-12)
        else:
            assert eta not in together


def test_runs_by_single_rows_side_by_side_are_those_of_each_seed() -> None:
    data, plan = descent.rows(np.random.default_rng(0)), schedules.cosine(1.0, 50)
    for seed, path in enumerate(descent.descend_each(data, 50, range(3), plan, 0.1)):
        rng, rule = np.random.default_rng(seed), rules.Descent(0.1)
        alone = descent.descend(data, 1, 50, rng, rule=rule, schedule=lambda t: 0.1 * plan(t))
        np.testing.assert_allclose(path, alone, rtol=1e-12)


def test_every_falling_rate_beats_a_constant_one_on_single_rows() -> None:
    ran = pictures.schedule_race(seeds=5)
    ends = {name: losses[-50:].mean() for name, losses in ran.items()}
    assert max(end for name, end in ends.items() if name != "constant") < ends["constant"] / 10


@pytest.fixture(scope="module")
def pieces(samples: Callable[[str], Path]) -> garments.Slice:
    return garments.Slice.of(fashion_mnist.load(samples("fashion_mnist")))


def test_the_flat_network_is_lenet_and_its_gradient_that_of_finite_differences(pieces: garments.Slice) -> None:
    from torch import nn

    theta = garments.weights(np.random.default_rng(0))
    assert theta.shape == (44_426,)
    lenet = nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(256, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    ).double()  # fmt: skip
    nn.utils.vector_to_parameters(torch.from_numpy(theta), lenet.parameters())
    pictures_, labels = garments._tensors(pieces.pictures[: 784 * 8], pieces.labels[:8])
    torch.testing.assert_close(garments.logits(torch.from_numpy(theta), pictures_), lenet(pictures_.unsqueeze(1)))
    _, g = garments.loss(theta, pictures_, labels)
    way = np.random.default_rng(1).standard_normal(len(theta))
    ends = [garments.loss(theta + k * 1e-6 * way, pictures_, labels)[0] for k in (1, -1)]
    assert (ends[0] - ends[1]) / 2e-6 == pytest.approx(float(g @ way), rel=1e-4)


def test_a_lap_is_the_same_for_the_same_seed_and_learns(pieces: garments.Slice) -> None:
    first, second = (garments.lap(pieces, rules.AdamW(0.002), steps=60) for _ in range(2))
    np.testing.assert_array_equal(first.losses, second.losses)
    other = garments.lap(pieces, rules.AdamW(0.002), steps=2, seed=1)
    assert other.losses[0] != first.losses[0]
    assert first.final < first.losses[0] / 2


def test_the_animation_is_a_small_gif_that_moves(tmp_path: Path) -> None:
    from PIL import Image

    pictures.animate(tmp_path / "race.gif", frames=6)
    with Image.open(tmp_path / "race.gif") as gif:
        assert gif.format == "GIF"
        assert getattr(gif, "n_frames") > 4  # noqa: B009 - Pillow's type of an opened file does not know it
    assert (tmp_path / "race.gif").stat().st_size < 1 << 20


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: rules.Descent(0.0), "eta must be positive"),
        (lambda: rules.Adam(float("nan")), "eta must be positive"),
        (lambda: rules.Momentum(0.1, 1.0), r"mu must be in \[0, 1\), found 1.0"),
        (lambda: rules.Adam(0.1, beta2=-0.1), "beta2 must be in"),
        (lambda: rules.Descent(0.1, decay=-1), "decay must be zero or more"),
        (lambda: rules.Descent(0.1).step(np.zeros(2), np.zeros(3)), r"shape \(2,\) and its gradient \(3,\)"),
        (lambda: rules.Descent(0.1).step(np.zeros(1), np.array([np.nan])), "not finite at step 1; lower eta"),
        (lambda: next(descent.batches(10, 0, np.random.default_rng(0))), "1 to 10 rows, found 0"),
        (lambda: quasi_newton.Memory(0), "size must be 1 or more"),
        (lambda: quasi_newton.lbfgs(lambda x: (float(x.sum()), np.ones(2)), np.zeros(2)), "has no bottom this way"),
        (lambda: schedules.one_cycle(1, 10, rise=1), "rise must be a share"),
        (lambda: schedules.one_cycle(1, 10)(10), "step 10 is not among them"),
        (lambda: schedules.warm_up(1, 10, first=3), "a warm-up starts low"),
        (lambda: schedules.step(1, 0), "every must be more than zero"),
        (lambda: schedules.Plateau(1, 1), "gamma must be below 1"),
    ],
)
def test_what_cannot_work_is_refused_with_the_way_out(make: Callable[[], Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        make()

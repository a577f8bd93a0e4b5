"""Forecasts: cells equal to torch's, classics equal to their definitions, and no method that looks ahead."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from handbook.labs.forecasting import cells, classics, contest, drawings, networks, series
from handbook.labs.forecasting.series import YEAR

METHODS: dict[str, classics.Method] = {
    "naive": classics.naive,
    "drift": classics.drift,
    "seasonal naive": classics.seasonal_naive,
    "autoregression": classics.autoregression(13),
    "smoothing": classics.exponential_smoothing(YEAR),
    "smoothing without season": classics.exponential_smoothing(1),
}


@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
def test_each_network_is_torchs_layer_with_its_own_weights(cell: str) -> None:
    w = cells.draw(cell, 3, 5, seed=0)
    x = torch.randn(3, 4, 7, generator=torch.Generator().manual_seed(1))
    named, state = cells.read(cell, w, x)
    for k in range(3):
        layer: Any = getattr(torch.nn, cell)(1, 5, batch_first=True)
        layer.load_state_dict({
            "weight_ih_l0": w.inputs[k].T, "weight_hh_l0": w.recurrent[k].T,
            "bias_ih_l0": w.bias[k, 0], "bias_hh_l0": w.recurrent_bias[k, 0],
        })  # fmt: skip
        theirs, last = layer(x[k][:, :, None])
        torch.testing.assert_close(named[k], (theirs @ w.outer[k] + w.shift[k])[:, :, 0], atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(state[0][k], (last[0] if cell == "LSTM" else last)[0], atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
def test_reading_in_two_parts_is_reading_at_once(cell: str) -> None:
    w, x = cells.draw(cell, 2, 4, seed=0), torch.randn(2, 3, 9, generator=torch.Generator().manual_seed(1))
    whole, _ = cells.read(cell, w, x)
    first, state = cells.read(cell, w, x[:, :, :4])
    second, _ = cells.read(cell, w, x[:, :, 4:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=2), whole)
    with pytest.raises(ValueError, match="nothing to read"):
        cells.read(cell, w, x[:, :, :0])


def test_networks_trained_side_by_side_are_those_trained_alone() -> None:
    values = series.months(np.random.default_rng(0), series=2, years=8)
    together = networks.train("LSTM", np.repeat(values[:1], 2, axis=0), YEAR, seed=0, updates=10)
    pair = networks.train("LSTM", values, YEAR, seed=0, updates=10)
    for one, other in zip(together.weights, pair.weights, strict=True):
        assert_allclose(one[0], other[0], atol=1e-6)  # what the second one learns from is nothing to the first
    assert not np.allclose(together.weights[0][0], together.weights[0][1])


@pytest.mark.parametrize("lag", [0, 1, YEAR])
def test_what_is_handed_in_comes_back(lag: int) -> None:
    values = series.months(np.random.default_rng(0), series=3, years=6)
    handed = networks.Handed.of(values, lag)
    seen = handed(values)
    assert_allclose(seen.mean(axis=1), 0, atol=1e-12)
    assert_allclose(seen.std(axis=1), 1)
    steps = 20
    back = handed.back(seen[:, None, -steps:], values[:, None, :-steps])
    assert_allclose(back[:, 0], values[:, -steps:], atol=1e-9)


@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
def test_a_year_ahead_is_twelve_months_that_read_their_own_forecasts(cell: str) -> None:
    values = series.months(np.random.default_rng(0), series=2, years=6)
    trained = networks.train(cell, values, 0, seed=0, updates=3)
    whole = networks.forecast(trained, values[:, None], 3)[:, 0]
    seen = torch.from_numpy(trained.handed(values[:, -networks.WINDOW :])).float()[:, None]
    w = cells.Weights(*map(torch.from_numpy, trained.weights))
    for step in range(3):
        named, _ = cells.read(cell, w, seen)
        seen = torch.cat([seen, named[:, :, -1:]], dim=2)
        found = named[:, 0, -1].numpy() * trained.handed.spread[:, 0] + trained.handed.centre[:, 0]
        assert_allclose(found, whole[:, step], rtol=1e-4)


def test_training_lowers_the_error_and_is_the_same_twice() -> None:
    values = series.months(np.random.default_rng(0), series=3, years=8)
    first, again = (networks.train("GRU", values, 0, seed=1, updates=40) for _ in range(2))
    assert (first.losses[-5:].mean(axis=0) < 0.8 * first.losses[:5].mean(axis=0)).all()
    assert (first.losses == again.losses).all()


def test_the_values_held_out_teach_nothing_but_when_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    values = series.months(np.random.default_rng(0), series=2, years=8)
    other = values.copy()
    other[1, -networks.HELD :] += 50 * np.random.default_rng(1).normal(size=networks.HELD)
    scales = networks.Handed.of(values, 0)
    monkeypatch.setattr(networks.Handed, "of", lambda past, lag: scales)  # by both alike
    monkeypatch.setattr(networks, "LOOK", 2)
    first, second = (networks.train("LSTM", each, 0, seed=0, updates=12) for each in (values, other))
    assert (first.losses == second.losses).all()
    assert any((a[1] != b[1]).any() for a, b in zip(first.weights, second.weights, strict=True))
    assert all((a[0] == b[0]).all() for a, b in zip(first.weights, second.weights, strict=True))


def test_no_gradient_is_longer_than_the_clip() -> None:
    leaves = [torch.zeros(3, 2, 2, requires_grad=True), torch.zeros(3, 1, 4, requires_grad=True)]
    for each, size in zip(leaves, (5.0, 0.01), strict=True):
        each.grad = torch.full_like(each, size)
        each.grad[2] /= 1e4
    networks._clip(tuple(leaves))
    lengths = sum(each.grad.square().sum(dim=(1, 2)) for each in leaves if each.grad is not None).sqrt()  # type: ignore[union-attr]
    assert_allclose(lengths[:2], networks.CLIP, rtol=1e-5)
    assert lengths[2] == pytest.approx((4 * 5e-4**2 + 4 * 1e-6**2) ** 0.5, rel=1e-4)


@pytest.mark.parametrize("name", METHODS)
def test_a_line_with_the_season_that_a_method_knows_is_forecast_without_error(name: str) -> None:
    t = np.arange(8 * YEAR)
    season = 5 * np.sin(2 * np.pi * t / YEAR) if name in ("seasonal naive", "autoregression", "smoothing") else 0 * t
    line = {"naive": 0.0, "seasonal naive": 0.0}.get(name, 0.3)
    values = 50 + line * t + season
    rule = METHODS[name](values[: 6 * YEAR])
    assert_allclose(rule(values[: 6 * YEAR], 2 * YEAR), values[6 * YEAR :], atol=1e-2)


@pytest.mark.parametrize("name", METHODS)
def test_no_rule_changes_the_history_or_depends_on_how_far_ahead_it_looks(name: str) -> None:
    values = series.months(np.random.default_rng(3), series=1, years=7)[0]
    rule, history = METHODS[name](values[: 5 * YEAR]), values[: 6 * YEAR].copy()
    assert_allclose(rule(history, 5), rule(history, YEAR)[:5])
    assert (history == values[: 6 * YEAR]).all()


def test_smoothing_is_its_definition_step_by_step() -> None:
    values = series.months(np.random.default_rng(3), series=1, years=4)[0]
    alpha, beta, gamma = 0.4, 0.1, 0.2
    errors, level, trend, coming = classics.smoothed(values, np.array([alpha, beta, gamma]), YEAR)
    again, at, slope, seasons = classics.smoothed(values[:-1], np.array([alpha, beta, gamma]), YEAR)
    assert_allclose(again, errors[:-1])
    # Holt and Winters in their own form: shares of what is new and what was known; gamma* is gamma / (1 - alpha)
    new = alpha * (values[-1] - seasons[0]) + (1 - alpha) * (at + slope)
    assert level == pytest.approx(new)
    assert trend == pytest.approx(beta * (new - at) + (1 - beta) * slope)
    star = gamma / (1 - alpha)
    assert coming[-1] == pytest.approx(star * (values[-1] - new) + (1 - star) * seasons[0])


def test_last_years_month_has_a_scaled_error_of_one_where_it_was_scaled() -> None:
    values = series.months(np.random.default_rng(0), series=1)[0]
    rule = classics.seasonal_naive(values)
    errors = [abs(rule(values[:t], 1)[0] - values[t]) for t in range(YEAR, len(values))]
    assert np.mean(errors) / classics.scale(values, YEAR) == pytest.approx(1)


def test_nothing_is_forecast_from_values_that_come_after() -> None:
    values = series.months(np.random.default_rng(0), series=2)
    for ahead in (1, YEAR):
        histories = contest._histories(values, ahead)
        assert histories.shape[1] == series.TEST - ahead + 1
        for k, back in enumerate(contest.origins(ahead)):
            assert (histories[:, k, -1] == values[:, -back - 1]).all()


def test_the_errors_of_a_contest_are_those_of_its_definition() -> None:
    values = series.months(np.random.default_rng(0), series=3, years=6)
    found = contest.held(values, {"last value": classics.naive}, (YEAR,), YEAR, updates=10)
    end = values.shape[1] - series.TEST
    scales = [np.abs(each[YEAR:end] - each[: end - YEAR]).mean() for each in values]
    month = np.abs(np.diff(values[:, end - 1 :], axis=1)).mean(axis=1)
    assert_allclose(found.month["last value"], month / scales)
    year = [np.mean([np.abs(each[t : t + YEAR] - each[t - 1]) for t in range(end, end + 13)]) for each in values]
    assert_allclose(found.year["last value"], np.array(year) / scales)
    assert set(found.trained) == {"LSTM on changes over a year", "GRU on changes over a year"}


def test_a_wave_has_its_period() -> None:
    t = np.arange(192)
    assert drawings.period(0.1 * t + np.cos(2 * np.pi * t / 12)) == 12

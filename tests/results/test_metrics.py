"""Figures of merit against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from marketsim.results.metrics import _widening, bootstrap_interval, max_drawdown, sharpe, sortino

RETURNS = np.array([0.01, -0.02, 0.03, 0.0, -0.01])
MORE = np.tile(RETURNS, 3)


def test_sharpe_and_sortino_by_hand() -> None:
    assert sharpe(RETURNS, 252) == pytest.approx(0.002 / np.sqrt(np.sum((RETURNS - 0.002) ** 2) / 4) * np.sqrt(252))
    assert sortino(RETURNS, 365) == pytest.approx(0.002 / np.sqrt((0.02**2 + 0.01**2) / 5) * np.sqrt(365))


def test_figures_that_a_series_cannot_carry_are_none() -> None:
    assert sharpe(np.array([0.1]), 365) is None
    assert sharpe(np.full(5, 0.1), 365) is None
    assert sortino(np.array([0.1, 0.2]), 365) is None
    assert bootstrap_interval(np.zeros(9), 0) is None


def test_max_drawdown_counts_from_the_start_and_from_the_highest_peak() -> None:
    assert max_drawdown(np.array([0.1, -0.2, 0.05, -0.3, 0.6])) == pytest.approx(0.45)
    assert max_drawdown(np.array([-0.1, 0.2])) == pytest.approx(0.1)
    assert max_drawdown(np.array([0.1, 0.2])) == 0.0


def test_the_interval_is_the_same_for_the_same_seed_and_moves_with_the_mean() -> None:
    low, high = bootstrap_interval(MORE, 7) or (0.0, 0.0)
    assert (low, high) == bootstrap_interval(MORE, 7)
    assert bootstrap_interval(MORE + 1.0, 7) == pytest.approx((low + 1, high + 1))
    assert low < MORE.mean() < high


def test_the_ends_are_moved_outward_as_students_t_asks() -> None:
    for blocks in (4, 5, 14, 60):
        t, z = (quantile(0.975) for quantile in (stats.t(blocks - 1).ppf, stats.norm.ppf))
        assert _widening(blocks) == pytest.approx(t / z * np.sqrt(blocks / (blocks - 1)), rel=2e-3)


@pytest.mark.parametrize("count", [10, 27, 70, 71])
def test_resampled_means_are_means_of_whole_blocks(count: int) -> None:
    assert bootstrap_interval(np.full(count, 0.25), 3) == pytest.approx((0.25, 0.25))


def test_the_interval_covers_the_mean_about_as_often_as_it_says_and_widens_with_dependence() -> None:
    rng = np.random.default_rng(1)
    for count in (10, 20, 70):
        worlds = rng.standard_normal((600, count))
        covered = [low <= 0 <= high for low, high in (bootstrap_interval(world, 2) or (1, 1) for world in worlds)]
        assert 0.93 <= np.mean(covered) <= 0.975
    worlds = rng.standard_normal((50, 140))
    dependent = np.array([np.convolve(world, np.ones(5), "valid") for world in worlds])
    shuffled = rng.permuted(dependent, axis=1)
    width = [
        np.mean([np.subtract(*(bootstrap_interval(w, 2) or (0, 0))[::-1]) for w in ws]) for ws in (dependent, shuffled)
    ]
    assert width[0] > 1.5 * width[1]


def test_what_is_only_a_rounding_is_no_spread_and_no_loss() -> None:
    constant = np.full(30, 0.1) + np.array([0.0, 1e-17, -1e-17] * 10)
    assert np.ptp(constant + 0.3) > 0
    assert sharpe(constant + 0.3, 252) is None
    gains = np.array([0.1, 0.2, -1e-18] * 5)
    assert sortino(gains, 252) is None
    assert max_drawdown(gains) == 0.0
    rich = 1e4 + np.array([0.0, 1e-9, 0.0, 1e-9])  # what was traded is large, and so is its rounding
    assert sharpe(rich, 252) is None
    assert sharpe(np.array([1e-9, 2e-9, 4e-9]), 252) is not None

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


def resampled(returns: np.ndarray, seed: int) -> tuple[float, float]:
    """The interval as its definition has it: blocks drawn, joined and cut, one resample after the other."""
    count = len(returns)
    block = next(size for size in range(1, count) if size**3 >= count)
    blocks = -(-count // block)
    starts = np.random.default_rng(seed).integers(0, count - block, (2000, blocks), endpoint=True)
    means = []
    for drawn in starts:
        joined = [value for start in drawn for value in returns[start : start + block]]
        means.append(np.mean(joined[:count]))
    off = np.sort(means) - np.mean(means)
    return returns.mean() + off[50] * _widening(blocks), returns.mean() + off[1949] * _widening(blocks)


@pytest.mark.parametrize("count", [10, 27, 70])
def test_the_interval_is_that_of_joined_blocks(count: int) -> None:
    returns = np.random.default_rng(count).standard_t(4, count)
    assert bootstrap_interval(returns, 5) == pytest.approx(resampled(returns, 5), rel=1e-9)


@pytest.mark.parametrize("blocks", [2, 4, 9])
def test_the_ends_are_moved_outward_by_the_terms_of_the_handbook(blocks: int) -> None:
    terms = [  # of 26.7.5: powers of z with their factors, and the divisor
        ({3: 1, 1: 1}, 4),
        ({5: 5, 3: 16, 1: 3}, 96),
        ({7: 3, 5: 19, 3: 17, 1: -15}, 384),
        ({9: 79, 7: 776, 5: 1482, 3: -1920, 1: -945}, 92160),
    ]
    z, freedom = 1.959964, blocks - 1
    t = z + sum(
        sum(factor * z**power for power, factor in polynomial.items()) / divisor / freedom**n
        for n, (polynomial, divisor) in enumerate(terms, 1)
    )
    assert _widening(blocks) == pytest.approx(t / z * np.sqrt(blocks / freedom), rel=1e-12)


def test_two_returns_have_a_sharpe_and_none_has_a_figure_of_its_own() -> None:
    assert sharpe(np.array([0.0, 0.2]), 1) == pytest.approx(0.1 / np.sqrt(0.02))
    assert sortino(np.array([]), 365) is None
    assert max_drawdown(np.array([])) == 0.0


def test_rounding_is_measured_by_the_largest_amount() -> None:
    large = np.array([1e6, -1e6, 5e-7])  # a unit in the last place of a million is 1e-10
    assert sortino(np.array([1e6, 1e6, -5e-7]), 1) is None
    assert sortino(np.array([1.0, 1.0, -5e-7]), 1) is not None
    assert max_drawdown(np.array([1e6, -5e-7])) == 0.0
    assert max_drawdown(np.array([1.0, -5e-7])) == pytest.approx(5e-7)
    assert sharpe(large, 1) is not None

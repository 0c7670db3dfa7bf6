"""Intervals against their definitions and against worlds whose mean is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from marketsim.results.metrics import sharpe, sortino
from marketsim.results.risk_intervals import sharpe_interval, sortino_interval
from marketsim.results.significance import Interval, in_bps, mean_interval, widening

MORE = np.tile([0.01, -0.02, 0.03, 0.0, -0.01], 3)


def interval(returns: np.ndarray, seed: int) -> Interval:
    found = mean_interval(returns, seed)
    assert found is not None
    return found


def ends(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


def test_the_interval_is_the_same_for_the_same_seed_and_moves_with_the_mean() -> None:
    found = interval(MORE, 7)
    assert found == interval(MORE, 7)
    assert ends(interval(MORE + 1.0, 7)) == pytest.approx((found.low + 1, found.high + 1))
    assert found.low < MORE.mean() < found.high


def test_the_ends_are_moved_outward_as_students_t_asks() -> None:
    for blocks in (4, 5, 14, 60):
        t, z = (quantile(0.975) for quantile in (stats.t(blocks - 1).ppf, stats.norm.ppf))
        assert widening(blocks) == pytest.approx(t / z * np.sqrt(blocks / (blocks - 1)), rel=2e-3)


@pytest.mark.parametrize("count", [10, 27, 70, 71])
def test_resampled_means_are_means_of_whole_blocks(count: int) -> None:
    assert ends(interval(np.full(count, 0.25), 3)) == pytest.approx((0.25, 0.25))


def test_the_interval_covers_the_mean_about_as_often_as_it_says_and_widens_with_dependence() -> None:
    rng = np.random.default_rng(1)
    for count in (10, 20, 70):
        worlds = rng.standard_normal((600, count))
        covered = [low <= 0 <= high for low, high in (ends(interval(world, 2)) for world in worlds)]
        assert 0.93 <= np.mean(covered) <= 0.975
    worlds = rng.standard_normal((50, 140))
    dependent = np.array([np.convolve(world, np.ones(5), "valid") for world in worlds])
    shuffled = rng.permuted(dependent, axis=1)
    width = [np.mean([np.subtract(*ends(interval(w, 2))[::-1]) for w in ws]) for ws in (dependent, shuffled)]
    assert width[0] > 1.5 * width[1]


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
    return returns.mean() + off[50] * widening(blocks), returns.mean() + off[1949] * widening(blocks)


@pytest.mark.parametrize("count", [10, 27, 70])
def test_the_interval_is_that_of_joined_blocks(count: int) -> None:
    returns = np.random.default_rng(count).standard_t(4, count)
    assert ends(interval(returns, 5)) == pytest.approx(resampled(returns, 5), rel=1e-9)


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
    assert widening(blocks) == pytest.approx(t / z * np.sqrt(blocks / freedom), rel=1e-12)


def test_nine_bars_that_earned_or_lost_are_too_few_for_an_interval() -> None:
    returns = np.zeros(70)
    returns[:9] = 0.01
    assert mean_interval(returns, 0) is None
    assert mean_interval(np.ones(9), 0) is None
    returns[9] = 1e-17  # a rounding
    assert mean_interval(returns, 0) is None
    returns[9] = -0.01
    assert mean_interval(returns, 0) is not None


def test_the_smallest_edge_is_shown_in_four_of_five_walks() -> None:
    worlds = np.random.default_rng(3).standard_normal((400, 250))
    edge = np.mean([interval(world, 1).smallest_edge for world in worlds])
    shown = np.mean([interval(world + edge, 1).low > 0 for world in worlds])
    assert 0.74 <= shown <= 0.86


def test_an_interval_in_basis_points_keeps_its_reach() -> None:
    found = in_bps(Interval(-0.0014, 0.0028, 2.5))
    assert found is not None
    assert (found.low, found.high, found.reach) == (pytest.approx(-14.0), pytest.approx(28.0), 2.5)
    assert in_bps(None) is None


def test_the_bars_that_an_edge_needs_shrink_with_its_square() -> None:
    found = Interval(-140.0, 140.0)
    assert found.smallest_edge == pytest.approx(2.8 * 140 / 1.96, rel=1e-3)
    assert found.bars_for(found.smallest_edge, 70) == 70
    assert found.bars_for(10, 70) == pytest.approx(70 * 20**2, rel=2e-3)


@pytest.mark.parametrize(("ratio", "of"), [(sharpe, sharpe_interval), (sortino, sortino_interval)])
def test_the_interval_of_a_ratio_covers_it_about_as_often_as_it_says(ratio, of) -> None:
    long = 0.1 + np.random.default_rng(8).standard_normal(200_000)
    true = ratio(long, 365)
    worlds = 0.1 + np.random.default_rng(9).standard_normal((300, 140))
    found = [of(world, ratio(world, 365), 365, 4) for world in worlds]
    assert 0.91 <= np.mean([each.low <= true <= each.high for each in found]) <= 0.985


def test_a_ratio_that_resamples_do_not_carry_has_no_interval() -> None:
    one_loss = np.full(40, 0.01)
    one_loss[3] = -0.02
    assert sortino_interval(one_loss, sortino(one_loss, 365), 365, 1) is None
    assert sharpe_interval(np.zeros(40), None, 365, 1) is None
    assert sharpe_interval(one_loss, sharpe(one_loss, 365), 365, 1) is None
    mixed = np.tile([0.01, -0.02, 0.03], 20)
    found = sortino_interval(mixed, sortino(mixed, 365), 365, 1)
    assert found is not None
    assert found.low < (sortino(mixed, 365) or 0) < found.high

"""Several symbols are one mean, and what moves together counts as one."""

from __future__ import annotations

import numpy as np
import pytest

from marketsim.results.blocks import Blocks
from marketsim.results.dated_profits import DatedProfits, side_by_side
from marketsim.results.pooling import pool
from marketsim.results.significance import around, mean_interval
from tests.dated import dated


def test_series_stand_side_by_side_by_date() -> None:
    table = side_by_side(
        [DatedProfits(["d2", "d3"], np.array([1.0, 2.0])), DatedProfits(["d1", "d3"], np.array([3.0, 4.0]))]
    )
    np.testing.assert_equal(table, [[np.nan, 3], [1, np.nan], [2, 4]])


def test_the_mean_is_over_all_bars() -> None:
    pooled = pool(dated(np.array([[np.nan, 3], [1, np.nan], [2, 4.0]])), 1)
    assert (pooled.mean, pooled.bars, pooled.dates, pooled.interval) == (2.5, 4, 3, None)


def test_symbols_that_move_as_one_count_as_one() -> None:
    profits = np.random.default_rng(2).standard_normal(70)
    alone = mean_interval(profits, 5)
    assert alone is not None
    pooled = pool(dated(np.column_stack([profits] * 10)), 5).interval
    assert pooled is not None
    assert (pooled.low, pooled.high) == pytest.approx((alone.low, alone.high))
    apart = pool(dated(np.random.default_rng(2).standard_normal((70, 10))), 5).interval
    assert apart is not None
    assert apart.high - apart.low < 0.5 * (pooled.high - pooled.low)


def test_the_interval_covers_the_mean_of_correlated_symbols_with_missing_bars() -> None:
    hits = []
    for seed in range(400):
        rng = np.random.default_rng([3, seed])
        profits = rng.standard_normal((70, 1)) + rng.standard_normal((70, 8))
        profits[rng.random(profits.shape) < np.linspace(0, 0.6, 8)] = np.nan
        interval = pool(dated(profits), seed).interval
        assert interval is not None
        hits.append(interval.low <= 0 <= interval.high)
    assert 0.925 <= np.mean(hits) <= 0.98


def test_a_resample_s_mean_is_that_of_the_bars_that_it_holds() -> None:
    """Dates with few bars count little: one resample after the other, from the dates that it draws."""
    rng = np.random.default_rng(4)
    profits = 0.5 + rng.standard_normal((50, 6))
    profits[rng.random(profits.shape) < np.linspace(0, 0.9, 50)[:, None]] = np.nan
    profits[7] = np.nan
    profits[7, 2] = 3.0
    pooled, blocks = pool(dated(profits), 9), Blocks.drawn(50, 9)
    beyond = []
    for starts in blocks.starts:
        dates = [date for start in starts for date in range(start, start + blocks.length)][:50]
        held = [value for date in dates for value in profits[date] if not np.isnan(value)]
        beyond.append(np.mean(held) - pooled.mean)
    expected = around(pooled.mean, np.array(beyond), blocks.blocks)
    assert pooled.interval is not None
    assert (pooled.interval.low, pooled.interval.high) == pytest.approx((expected.low, expected.high))


def test_dates_without_profit_are_too_few_for_an_interval() -> None:
    profits = np.zeros((70, 3))
    profits[:9, 1] = 0.1
    assert pool(dated(profits), 1).interval is None
    profits[9, 2] = 0.1
    assert pool(dated(profits), 1).interval is not None

"""The best of several is tested as the best of several."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from marketsim.results.blocks import Blocks
from marketsim.results.dated_profits import DatedProfits
from marketsim.results.pooling import pool
from marketsim.results.reality_check import TOGETHER, reality_check
from tests.dated import dated


def worlds(dates: int, count: int, seed: int) -> np.ndarray:
    """Series `[D, K]` that earn nothing and share half of their variance."""
    rng = np.random.default_rng(seed)
    return np.sqrt(0.5) * (rng.standard_normal((dates, 1)) + rng.standard_normal((dates, count)))


def by_hand(profits: np.ndarray, seed: int) -> np.ndarray:
    """The p of each series by its definition: one resample after the other, the largest t of those not better."""
    dates, count = profits.shape
    length = next(size for size in range(1, dates) if size**3 >= dates)
    blocks = -(-dates // length)
    starts = np.random.default_rng(seed).integers(0, dates - length, (2000, blocks), endpoint=True)
    sums = np.array([profits[i : i + length].sum(0) for i in range(dates - length + 1)])
    sums -= length * profits.mean(0)
    centred = sums - sums.mean(0)
    variance = (centred**2).mean(0)
    t = profits.mean(0) * dates / np.sqrt(variance * dates / length * blocks / (blocks - 1))
    drawn = []
    for row in starts:
        picked = centred[row]
        spread = np.sqrt(2 / 3) * blocks * picked.var(0, ddof=1) + (1 - np.sqrt(2 / 3)) * blocks * variance
        drawn.append(picked.sum(0) / np.sqrt(spread))
    p = []
    for k in range(count):
        others = [j for j in range(count) if t[j] <= t[k]]
        p.append((1 + sum(max(row[j] for j in others) >= t[k] for row in drawn)) / 2001)
    return np.array([max(p[j] for j in range(count) if t[j] >= t[k]) for k in range(count)])


@pytest.mark.parametrize(("dates", "count"), [(30, 1), (70, 3), (71, TOGETHER + 3)])
def test_each_p_is_that_of_its_definition(dates: int, count: int) -> None:
    profits = worlds(dates, count, 5) + np.linspace(0, 0.3, count)
    assert reality_check(dated(profits), 9).p == pytest.approx(by_hand(profits, 9), abs=1e-12)


def test_the_best_of_several_worthless_series_looks_good_about_as_often_as_it_says() -> None:
    found = [reality_check(dated(worlds(250, 10, seed)), seed).best for seed in range(200)]
    assert 0.02 <= np.mean([p is not None and p <= 0.05 for p in found]) <= 0.085


def test_a_series_that_is_there_twice_counts_once() -> None:
    profits = worlds(70, 1, 3)[:, 0] + 0.2
    once, twice = (reality_check(dated(np.column_stack([profits] * times)), 4) for times in (1, 2))
    assert twice.p.tolist() == [once.p[0]] * 2
    more = reality_check(dated(np.column_stack([profits, worlds(70, 20, 8) - 0.1])), 4)
    assert more.p[0] > once.p[0]


def test_the_smallest_edge_counts_all_that_was_tried() -> None:
    """It grows by as much as the half of the interval: what it lies beyond that is the power, not the tries."""
    profits = worlds(70, 20, 8)
    alone, together = (reality_check(dated(profits[:, :count]), 4).intervals[0] for count in (1, 20))
    assert alone is not None
    assert together is not None
    halves = [(each.high - each.low) / 2 for each in (alone, together)]
    assert halves[1] > 1.2 * halves[0]
    assert together.smallest_edge - alone.smallest_edge == pytest.approx(halves[1] - halves[0])


def test_what_has_no_spread_is_not_tried() -> None:
    profits = worlds(70, 3, 3)
    profits[:, 1] = 0.0
    profits[:, 2] = np.nan
    check = reality_check(dated(profits), 4)
    assert np.isnan(check.p).tolist() == [False, True, True]
    assert [each is None for each in check.intervals] == [False, True, True]
    assert check.p[0] == reality_check(dated(profits[:, :1]), 4).p[0]
    assert reality_check(dated(np.zeros((70, 2))), 4).best is None
    assert reality_check(dated(np.zeros((0, 2))), 4).best is None
    assert reality_check(dated(worlds(1, 2, 1)), 4).best is None


def test_the_intervals_hold_together_and_are_wider_than_one_alone() -> None:
    missed, wider = [], []
    for seed in range(100):
        profits = worlds(100, 8, seed)
        together, (alone,) = (
            reality_check(dated(profits), seed).intervals,
            reality_check(dated(profits[:, :1]), seed).intervals,
        )
        assert alone is not None
        assert together[0] is not None
        missed.append(any(not each.low <= 0 <= each.high for each in together if each))
        wider.append((together[0].high - together[0].low) / (alone.high - alone.low))
    assert 0.01 <= np.mean(missed) <= 0.1
    assert min(wider) > 1.0


def test_bars_that_a_series_lacks_are_none_of_its_bars() -> None:
    profits = worlds(70, 1, 6) + 0.3
    padded = np.concatenate([np.full((70, 1), np.nan), profits])
    full, apart = (reality_check(dated(each), 1).intervals[0] for each in (profits, padded))
    assert full is not None
    assert apart is not None
    assert (apart.low + apart.high) / 2 == pytest.approx((full.low + full.high) / 2)
    as_zeros = reality_check(dated(np.nan_to_num(padded)), 1).intervals[0]
    assert as_zeros is not None
    assert as_zeros.high < apart.high


@pytest.mark.parametrize("statistic", [reality_check, pool])
def test_series_of_other_dates_are_never_held_as_one_table(statistic: Callable[..., object]) -> None:
    """Nor are the resamples of those that earned something: both together would be four times the table."""
    count, bars = 1000, 5
    profits = np.zeros((count, bars))
    profits[:TOGETHER] = worlds(bars, TOGETHER, 1).T
    series = [
        DatedProfits([f"{date:06d}" for date in range(first, first + bars)], own) for first, own in enumerate(profits)
    ]
    dates = count + bars - 1
    Blocks.drawn(dates, 3)
    tracemalloc.start()
    statistic(series, 3)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < dates * count * 8


def test_how_much_is_held_at_once_changes_no_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    profits = worlds(71, TOGETHER + 1, 5) + np.linspace(0, 0.3, TOGETHER + 1)
    profits[:30, ::3] = np.nan
    series = dated(profits)
    tested, pooled = reality_check(series, 9), pool(series, 9)
    monkeypatch.setattr("marketsim.results.reality_check.DRAWN", 1)
    monkeypatch.setattr("marketsim.results.pooling.CELLS", 1)
    again = reality_check(series, 9)
    assert (again.p.tolist(), again.intervals) == (tested.p.tolist(), tested.intervals)
    assert pool(series, 9) == pooled


def test_the_order_of_the_series_changes_no_digit() -> None:
    series = dated(worlds(71, TOGETHER + 1, 5) + np.linspace(0, 0.3, TOGETHER + 1))
    there, back = reality_check(series, 9), reality_check(series[::-1], 9)
    assert (back.p[::-1].tolist(), back.intervals[::-1]) == (there.p.tolist(), there.intervals)

"""Which finer bars belong to a bar, whether all are there, and whether they agree."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from marketsim.data.bars import Bars, make_bars
from marketsim.data.finer_bars import Inside
from marketsim.data.resample import resample
from marketsim.errors import DataError, UsageError

DAYS = 6


def crypto_hours(days: int = DAYS, seed: int = 0) -> Bars:
    """Hours around the clock."""
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(0.005 * random.standard_normal(24 * days)))
    return hours_of("BTCUSD", np.arange(24 * days) * 3600 + 1_704_067_200, close)


def hours_of(symbol: str, seconds: np.ndarray, close: np.ndarray) -> Bars:
    open_ = np.append(100.0, close[:-1])
    high, low = np.maximum(open_, close) * 1.001, np.minimum(open_, close) * 0.999
    ohlcv = np.column_stack([open_, high, low, close, np.ones(len(close))])
    return make_bars(symbol, "made up", seconds.astype("datetime64[s]"), ohlcv)


def inside(bars: Bars, *finer: Bars) -> Inside:
    return Inside.of(bars, finer, np.arange(len(bars)))


def test_all_hours_of_a_day_belong_to_it() -> None:
    hours = crypto_hours()
    found = inside(resample(hours, "1d"), hours)
    np.testing.assert_array_equal(found.prices.reshape(-1, 4), hours.ohlcv[:, :4])
    assert found.count.tolist() == [24] * DAYS
    assert not found.disagreeing.any()
    assert (found.apart == 0).all()


def test_a_day_that_lacks_an_hour_is_its_own_only_one() -> None:
    hours, days = crypto_hours(), resample(crypto_hours(), "1d")
    for lost in (24, 30, 47):
        kept = np.delete(np.arange(len(hours)), lost)
        found = inside(days, replace(hours, time=hours.time[kept], ohlcv=hours.ohlcv[kept]))
        assert found.count.tolist() == [24, 1, 24, 24, 24, 24]
        np.testing.assert_array_equal(found.prices[1, 0], days.ohlcv[1, :4])
        assert not found.disagreeing.any()


def test_a_thin_market_has_hours_without_trades() -> None:
    """Where one hour in ten is missing, the missing ones had no trades."""
    hours, days = crypto_hours(20), resample(crypto_hours(20), "1d")
    extremes = {int(np.argmax(hours.high[d * 24 : d * 24 + 24])) + d * 24 for d in range(20)}
    extremes |= {int(np.argmin(hours.low[d * 24 : d * 24 + 24])) + d * 24 for d in range(20)}
    lost = [i for i in range(3, len(hours), 9) if i not in extremes and i % 24 not in (0, 23)]
    kept = np.delete(np.arange(len(hours)), lost)
    found = inside(days, replace(hours, time=hours.time[kept], ohlcv=hours.ohlcv[kept]))
    assert (found.used[:4] == -1).all()  # nothing is known yet of how thin trade is
    assert (found.used[6:] == 0).all()
    assert found.count[6:].sum() == np.count_nonzero(kept >= 6 * 24)
    later = np.delete(np.arange(len(hours)), [i for i in lost if i < 15 * 24])
    before = inside(days, replace(hours, time=hours.time[later], ohlcv=hours.ohlcv[later]))
    np.testing.assert_array_equal(before.used[:15], found.used[:15])  # and later hours tell nothing of earlier ones


def test_bars_that_make_another_bar_are_not_used() -> None:
    hours, days = crypto_hours(), resample(crypto_hours(), "1d")
    wrong = hours.ohlcv.copy()
    wrong[24 + 5, 1] *= 1.1
    found = inside(days, replace(hours, ohlcv=wrong))
    assert found.disagreeing.tolist() == [False, True, False, False, False, False]
    assert found.count.tolist() == [24, 1, 24, 24, 24, 24]


def test_within_the_tolerance_the_bar_has_the_last_word() -> None:
    hours, days = crypto_hours(), resample(crypto_hours(), "1d")
    near = hours.ohlcv * np.random.default_rng(1).uniform(0.9998, 1.0002, (len(hours), 1))
    found = inside(days, replace(hours, ohlcv=near))
    assert (found.used == 0).all()
    assert (found.apart > 0).all()
    np.testing.assert_array_equal(found.prices[..., 1].max(1), days.high)
    np.testing.assert_array_equal(found.prices[..., 2].min(1), days.low)
    np.testing.assert_array_equal(found.prices[:, 0, 0], days.open)
    np.testing.assert_array_equal(found.prices[:, -1, 3], days.close)
    assert (found.prices[..., 1] >= found.prices.max(2)).all()
    assert (found.prices[..., 2] <= found.prices.min(2)).all()


@pytest.mark.parametrize(("share", "agree"), [(0.045, True), (0.055, False)])
def test_a_price_may_differ_by_a_twentieth_of_its_bars_range(share: float, agree: bool) -> None:
    hours, days = crypto_hours(), resample(crypto_hours(), "1d")
    moved = hours.ohlcv.copy()
    moved[24 + int(np.argmax(hours.high[24:48])), 1] += share * (days.high[1] - days.low[1])
    assert (inside(days, replace(hours, ohlcv=moved)).used[1] == 0) == agree


@pytest.mark.parametrize(("share", "agree"), [(0.9e-4, True), (1.1e-4, False)])
def test_a_price_of_a_flat_bar_may_differ_by_a_basis_point(share: float, agree: bool) -> None:
    hours = crypto_hours()
    flat = replace(hours, ohlcv=np.full(hours.ohlcv.shape, 100.0))
    moved = flat.ohlcv.copy()
    moved[30, 1] *= 1 + share
    assert (inside(resample(flat, "1d"), replace(hours, ohlcv=moved)).used[1] == 0) == agree


def test_finer_bars_of_adjusted_ones_are_rescaled() -> None:
    hours, days = crypto_hours(), resample(crypto_hours(), "1d")
    factor = np.where(np.arange(DAYS) < 3, 0.25, 1.0)[:, None]
    adjusted = replace(days, ohlcv=np.hstack([days.ohlcv[:, :4] * factor, days.ohlcv[:, 4:]]))
    found = inside(adjusted, hours)
    assert found.rescaled.tolist() == [True] * 3 + [False] * 3
    np.testing.assert_allclose(found.prices.reshape(-1, 4), hours.ohlcv[:, :4] * np.repeat(factor, 24)[:, None])


def test_the_finest_that_covers_a_bar_is_used() -> None:
    hours = crypto_hours()
    days, quarters = resample(hours, "1d"), resample(hours, "6h")
    part = replace(hours, time=hours.time[48:], ohlcv=hours.ohlcv[48:])
    found = inside(days, quarters, part)
    assert found.used.tolist() == [0, 0, 1, 1, 1, 1]
    assert found.count.tolist() == [4, 4, 24, 24, 24, 24]


def test_what_a_bar_has_inside_is_told_by_its_own_time_alone() -> None:
    """Finer bars of later days change nothing."""
    hours, days = crypto_hours(), resample(crypto_hours(), "1d")
    scrambled = hours.ohlcv.copy()
    scrambled[72:] = scrambled[72:][::-1]
    before, after = inside(days, hours), inside(days, replace(hours, ohlcv=scrambled))
    np.testing.assert_array_equal(before.prices[:3], after.prices[:3])
    np.testing.assert_array_equal(before.used[:3], after.used[:3])


def new_york_hours(first: str, last: str) -> Bars:
    """Hours of sessions in New York, half days too."""
    stamps = []
    for day in np.arange(first, last, dtype="datetime64[D]"):
        if np.is_busday(day) and str(day) != "2023-11-23":
            summer = str(day) < "2023-11-05"
            opens = np.datetime64(f"{day}T13:30") if summer else np.datetime64(f"{day}T14:30")
            stamps += [opens + np.timedelta64(i, "h") for i in range(4 if str(day) == "2023-11-24" else 7)]
    seconds = np.array(stamps, "datetime64[s]").astype(np.int64)
    close = 100 * np.exp(np.cumsum(0.004 * np.random.default_rng(2).standard_normal(len(seconds))))
    return hours_of("NVDA", seconds, close)


def test_sessions_half_days_and_clock_changes_are_those_of_the_calendar() -> None:
    hours = new_york_hours("2023-10-25", "2023-12-01")
    days = resample(hours, "1d")
    found = inside(days, hours)
    assert str(days.names()[0]) == "2023-10-25"
    counts = dict(zip(days.names().tolist(), found.count.tolist(), strict=True))
    assert counts.pop("2023-11-24") == 4
    assert set(counts.values()) == {7}


def test_trades_before_the_open_do_not_count() -> None:
    """Hours of extended trading around a session belong to no daily bar of its hours."""
    hours = new_york_hours("2023-11-06", "2023-12-01")
    days = resample(hours, "1d")
    early = hours.time[::7][:10] - np.timedelta64(2, "h")
    order = np.argsort(np.concatenate([hours.time, early]), kind="stable")
    time = np.concatenate([hours.time, early])[order]
    ohlcv = np.concatenate([hours.ohlcv, np.full((len(early), 5), 200.0)])[order]
    found = inside(days, replace(hours, time=time, ohlcv=ohlcv))
    assert (found.used == 0).all()
    assert found.prices.max() < 200


def test_resampled_bars_leave_out_what_is_not_whole() -> None:
    hours = crypto_hours()
    part = replace(hours, time=hours.time[5:-3], ohlcv=hours.ohlcv[5:-3])
    days = resample(part, "1d")
    assert days.names().tolist() == [f"2024-01-0{i}" for i in range(2, 6)]
    assert "2 of 6 bars of 1d lack bars of 1h and are left out, 2024-01-01 the first" in days.notes[-1]
    np.testing.assert_array_equal(days.volume, 24.0)
    assert len(resample(hours, "6h")) == 4 * DAYS
    assert [str(t) for t in resample(crypto_hours(21), "1w").time] == [
        "2024-01-01T00:00:00",
        "2024-01-08T00:00:00",
        "2024-01-15T00:00:00",
    ]
    assert len(resample(crypto_hours(62), "1mo")) == 2
    with pytest.raises(DataError, match="no bar of 1w has all"):
        resample(hours, "1w")


@pytest.mark.parametrize("timeframe", ["1h", "30m", "90m"])
def test_bars_are_made_of_shorter_ones_that_divide_them(timeframe: str) -> None:
    with pytest.raises(UsageError, match="cannot be made of 1h bars"):
        resample(crypto_hours(), timeframe)


def test_finer_bars_are_part_of_the_fingerprint() -> None:
    hours, days = crypto_hours(), resample(crypto_hours(), "1d")
    other = replace(hours, ohlcv=hours.ohlcv * 1.0001)
    prints = {days.fingerprint, days.with_finer(hours).fingerprint, days.with_finer(other).fingerprint}
    assert len(prints) == 3


def test_only_finer_bars_of_the_same_symbol_are_taken() -> None:
    hours, days = crypto_hours(), resample(crypto_hours(), "1d")
    for wrong in (days, replace(hours, symbol="ETHUSD")):
        with pytest.raises(UsageError, match="no finer bars of BTCUSD"):
            days.with_finer(wrong)

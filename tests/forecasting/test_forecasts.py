import re
from types import SimpleNamespace

import numpy as np
import pytest
from msgspec.structs import replace

from marketsim.errors import DataError, MarketsimError
from marketsim.forecasting.cache.sqlite import SqliteCache
from marketsim.forecasting.forecaster import make_forecasts
from marketsim.forecasting.forecasts import CLOSE, HIGH, LEVELS, LOW, MEDIAN, OPEN
from marketsim.forecasting.keys import fingerprint, series_keys
from marketsim.forecasting.series import Series
from marketsim.models.har import Har
from marketsim.models.rolling_quantile import RollingQuantile
from marketsim.profiling import Clock
from tests.candles import random_bars, random_ohlcv, series_of

BARS = random_bars(300)


class Told(RollingQuantile):
    """Forecasts what it is told to, and counts the origins that it is asked for."""

    name = "told"

    def __init__(self, **channels):
        self.channels = {"open": 0.0, "high": 0.01, "low": -0.01, "close": 0.0} | channels
        self.asked = []

    def forecast(self, series, origins):
        self.asked += origins.tolist()
        one = np.stack([np.broadcast_to(value, len(LEVELS)) for value in self.channels.values()])
        return np.repeat(one[None], len(origins), 0) + 1e-3 * origins[:, None, None]


def forecast(model, origins=(10,), bars=BARS, cache=None, clock=None):
    return make_forecasts(model, bars, np.array(origins), cache, clock or Clock())


def test_incoherent_median_is_widened_and_counted() -> None:
    told = Told(open=0.02, close=-0.03, high=np.linspace(-0.02, 0.04, 9), low=np.linspace(-0.02, 0.01, 9))
    forecasts = forecast(told, (1, 2, 3))
    assert forecasts.repaired.sum() == 3
    raw = told.forecast(Series.of(BARS), np.array([1]))[0]
    moves = forecasts.moves[0]
    assert moves[HIGH, MEDIAN] == raw[OPEN, MEDIAN]
    assert moves[LOW, MEDIAN] == raw[CLOSE, MEDIAN]
    np.testing.assert_array_equal(moves[HIGH, -1], raw[HIGH, -1])
    assert (np.diff(moves, axis=-1) >= 0).all()
    np.testing.assert_array_equal(
        [forecasts.high[0], forecasts.low[0], forecasts.close[0]], moves[[HIGH, LOW, CLOSE], MEDIAN]
    )


def test_coherent_median_is_not_counted_though_a_tail_is_widened() -> None:
    forecasts = forecast(Told(high=np.r_[-0.02, np.full(8, 0.01)]))
    assert forecasts.repaired.sum() == 0
    assert forecasts.moves[0, HIGH, 0] == forecasts.moves[0, CLOSE, 0]


def test_crossing_quantiles_are_sorted() -> None:
    told = Told(close=np.linspace(0.004, -0.004, 9))
    np.testing.assert_allclose(forecast(told).moves[0, CLOSE], np.linspace(-0.004, 0.004, 9) + 0.01, atol=1e-15)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_non_finite_forecast_names_the_model(bad: float) -> None:
    with pytest.raises(MarketsimError, match="TEST: model 'told' returned 9 of 36 moves that are not finite"):
        forecast(Told(high=bad))


@pytest.mark.parametrize("bad", [-5.0, -1.1, 11.0])
def test_moves_that_no_price_can_make_are_refused(bad: float) -> None:
    with pytest.raises(MarketsimError, match="returned 9 of 36 moves outside -100 % to"):
        forecast(Told(high=bad))


def test_wrong_shape_names_the_model() -> None:
    told = Told()
    told.forecast = lambda series, origins: np.zeros((len(origins), 4, 3))
    with pytest.raises(
        MarketsimError, match=re.escape("model 'told' returned moves in shape (1, 4, 3), not (1, 4, 9)")
    ):
        forecast(told)


def test_too_few_bars_say_how_many_are_needed() -> None:
    with pytest.raises(DataError, match="needs 2 bars up to its first origin, there are 1: lower --sims"):
        forecast(Told(), (0, 1))


@pytest.mark.parametrize("origins", [(-1, 4), (4, 4), (5, 4), (299, 300)])
def test_origins_must_be_increasing_bar_indices(origins: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="increasing"):
        forecast(Told(), origins)


def test_fingerprint_follows_name_version_and_parameters() -> None:
    def identity(**changes):
        return fingerprint(SimpleNamespace(**{"name": "m", "version": "1", "parameters": {"a": 1, "b": 2.0}} | changes))

    assert identity() == identity(parameters={"b": 2.0, "a": 1})
    assert re.fullmatch("[0-9a-f]{64}", identity())
    assert len({identity(), identity(name="n"), identity(version="2"), identity(parameters={"a": 1})}) == 4


def test_keys_follow_the_past_alone() -> None:
    ohlcv, origins = random_ohlcv(50), np.array([3, 4, 20])
    keys = series_keys(series_of(ohlcv), origins)
    assert len(set(keys)) == 3
    assert {len(key) for key in keys} == {20}
    assert series_keys(series_of(ohlcv).until(20), origins) == keys
    assert series_keys(series_of(ohlcv), np.arange(50))[3] == keys[0]
    for row, changed in ((0, 3), (4, 2), (20, 1), (21, 0)):
        other = ohlcv.copy()
        other[row, 3] = np.nextafter(other[row, 3], 0)
        assert sum(a != b for a, b in zip(series_keys(series_of(other), origins), keys, strict=True)) == changed


def test_a_key_of_a_history_holds_its_calendar_and_its_symbol() -> None:
    ohlcv, origins = random_ohlcv(50), np.array([3, 20])
    series, keys = series_of(ohlcv), series_keys(series_of(ohlcv), origins)
    assert not set(keys) & set(series_keys(series_of(ohlcv, "OTHER"), origins))
    assert not set(keys) & set(series_keys(replace(series, zone="Asia/Tokyo"), origins))
    for row, changed in ((0, 2), (4, 1), (21, 0)):
        times = series.times.copy()
        times[row] += np.timedelta64(1, "s")
        pairs = zip(series_keys(replace(series, times=times), origins), keys, strict=True)
        assert sum(a != b for a, b in pairs) == changed


@pytest.mark.parametrize("column", range(5))
def test_a_key_holds_every_column_and_the_volume_too(column: int) -> None:
    ohlcv, origins = random_ohlcv(50), np.array([3, 4, 20])
    for row, changed in ((0, 3), (4, 2), (20, 1), (21, 0)):
        for value in (ohlcv[row, column] * 2, np.nan):
            other = ohlcv.copy()
            other[row, column] = value
            pairs = zip(series_keys(series_of(other), origins), series_keys(series_of(ohlcv), origins), strict=True)
            assert sum(a != b for a, b in pairs) == changed


def test_only_what_is_new_is_made(tmp_path) -> None:
    told = Told()
    with SqliteCache(tmp_path) as cache:
        first = forecast(told, range(100, 120), cache=cache)
        assert (first.made, first.reused) == (20, 0)
        longer = forecast(told, range(90, 121), cache=cache)
    assert (longer.made, longer.reused) == (11, 20)
    assert told.asked == [*range(100, 120), *range(90, 100), 120]
    with SqliteCache(tmp_path) as cache:
        appended = forecast(told, range(90, 122), random_bars(300), cache)
    assert (appended.made, appended.reused) == (1, 31)


def test_cached_and_uncached_forecasts_are_equal_to_the_bit(tmp_path) -> None:
    origins = range(200, 300)
    plain = forecast(Har(), origins)
    with SqliteCache(tmp_path) as cache:
        forecast(Har(), range(250, 260), cache=cache)
        mixed, full = (forecast(Har(), origins, cache=cache) for _ in range(2))
    assert (mixed.reused, full.reused) == (10, 100)
    for other in (mixed, full):
        np.testing.assert_array_equal(other.moves, plain.moves)
        np.testing.assert_array_equal(other.repaired, plain.repaired)


def test_repairs_are_counted_for_cached_forecasts_too(tmp_path) -> None:
    with SqliteCache(tmp_path) as cache:
        counts = [forecast(Told(close=0.02), (5, 6), cache=cache).repaired.sum() for _ in range(2)]
    assert counts == [2, 2]


@pytest.mark.parametrize(
    "row",
    [np.zeros((2, 2)), np.full((4, 9), np.nan), np.full((4, 9), -5.0), np.tile(np.linspace(0.01, -0.01, 9), (4, 1))],
)
def test_unfit_rows_of_the_cache_are_made_again(tmp_path, row) -> None:
    told = Told()
    with SqliteCache(tmp_path) as cache:
        cache.put(told, dict.fromkeys(series_keys(Series.of(BARS), np.array([5, 6])), row), "TEST")
        forecasts = forecast(told, (5, 6), cache=cache)
    assert forecasts.made == 2
    np.testing.assert_array_equal(forecasts.moves, forecast(told, (5, 6)).moves)


def test_stages_are_charged(tmp_path) -> None:
    first, second = Clock(), Clock()
    with SqliteCache(tmp_path) as cache:
        forecast(Told(), cache=cache, clock=first)
        forecast(Told(), cache=cache, clock=second)
    assert first.calls == {
        "cache": 2,
        "cache/read": 1,
        "cache/write": 1,
        "forecast": 2,
        "forecast/model": 1,
        "forecast/repair": 1,
    }
    assert second.calls == {"cache": 1, "cache/read": 1, "forecast": 1, "forecast/repair": 1}

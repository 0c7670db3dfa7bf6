"""Keys of forecasts against their layout, written out byte by byte: what is kept must be found by later versions."""

from __future__ import annotations

import hashlib
import struct

import numpy as np
import pytest

from marketsim.forecasting.contexts import Contexts
from marketsim.forecasting.keys import context_keys, contexts_of, fingerprint, keys_of, series_keys
from marketsim.forecasting.series import Series
from marketsim.models.har import Har
from tests.candles import random_bars, series_of

ORIGINS = np.array([4, 5, 9])


def digest(*parts: bytes) -> bytes:
    return hashlib.blake2b(b"".join(parts), digest_size=20).digest()


def stamps(times: np.ndarray) -> bytes:
    return struct.pack(f"<{len(times)}q", *times.astype("datetime64[s]").astype(np.int64).tolist())


class ReadsContexts:
    """What keys ask of a model with weights."""

    context = 4

    def __init__(self, ahead: int | None = None) -> None:
        if ahead is not None:
            self.ahead = ahead


def test_a_fingerprint_is_the_digest_of_canonical_json() -> None:
    class Model:
        name, version, parameters = "m", "3", {"b": 2, "a": "x"}

    written = b'{"name":"m","parameters":{"a":"x","b":2},"version":"3"}'
    assert fingerprint(Model()) == hashlib.sha256(written).hexdigest()


def test_a_history_is_keyed_by_its_symbol_zone_stamps_prices_and_volume() -> None:
    series = series_of(random_bars(12, 3).ohlcv, "ABC")
    rows = [
        struct.pack("<q5d", int(time), *bar)
        for time, bar in zip(series.times.astype("datetime64[s]").astype(np.int64), series.ohlcv, strict=True)
    ]
    wanted = [digest(b"ABC\0UTC\0", *rows[: origin + 1]) for origin in ORIGINS]
    assert series_keys(series, ORIGINS) == wanted
    finer = Series(series.symbol, series.times.astype("datetime64[ns]"), series.ohlcv, series.zone)
    assert series_keys(finer, ORIGINS) == wanted


def test_bars_shorter_than_a_day_are_keyed_by_when_the_next_one_should_open_too() -> None:
    daily = series_of(random_bars(12, 3).ohlcv, "ABC")
    opens = daily.times.astype("datetime64[s]")
    series = Series("ABC", opens, daily.ohlcv, "UTC", opens + np.timedelta64(3600, "s"))
    times, following = (each.astype(np.int64) for each in (opens, series.following))
    rows = [struct.pack("<q5dq", *row) for row in zip(times, *series.ohlcv.T, following, strict=True)]
    assert series_keys(series, ORIGINS) == [digest(b"ABC\0UTC\0", *rows[: origin + 1]) for origin in ORIGINS]


def test_a_history_model_is_keyed_by_its_series() -> None:
    bars = random_bars(12, 3)
    assert keys_of(Har(), bars, ORIGINS) == series_keys(Series.of(bars), ORIGINS)


@pytest.mark.parametrize("ahead", [None, 3])
def test_a_context_is_keyed_by_its_bars_and_for_each_bar_ahead_the_stamps_up_to_it(ahead: int | None) -> None:
    bars, model = random_bars(12, 3), ReadsContexts(ahead)
    contexts = contexts_of(model, bars, ORIGINS)
    keys = context_keys(contexts)
    assert keys == keys_of(model, bars, ORIGINS)
    for row, key in enumerate(keys):
        seen, times = contexts.at(row)
        assert len(times) == len(seen) + (ahead or 1)
        prices = struct.pack(f"<{seen.size}d", *seen.ravel().tolist())
        stops = range(len(seen) + 1, len(times) + 1)
        assert key == b"".join(digest(prices, stamps(times[:stop])) for stop in stops)


def test_one_bar_ahead_is_the_beginning_of_several() -> None:
    bars = random_bars(12, 3)
    one, three = (context_keys(Contexts.of(bars, ORIGINS, 4, ahead)) for ahead in (1, 3))
    assert [key[:20] for key in three] == one

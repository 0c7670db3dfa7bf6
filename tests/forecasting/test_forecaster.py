"""Contexts: which bytes a model is handed, in which batches, and what is kept when something fails."""

import numpy as np
import pytest
from msgspec.structs import replace

from marketsim.data.bars import make_bars
from marketsim.errors import MarketsimError, Success
from marketsim.forecasting.cache.sqlite import SqliteCache
from marketsim.forecasting.cache.verification import verify
from marketsim.forecasting.forecaster import make_forecasts
from marketsim.forecasting.forecasts import LEVELS
from marketsim.forecasting.keys import contexts_of, keys_of
from marketsim.forecasting.model_forecaster import ModelForecaster
from marketsim.forecasting.requests import ForecastRequest
from marketsim.models.har import Har
from marketsim.profiling import Clock
from tests.candles import random_bars

BARS = [random_bars(60, seed=seed) for seed in (0, 1)]


class Zeroshot:
    """Forecasts from the sum of what it is handed, and remembers the sizes of its batches."""

    name = "zeroshot"
    version = "1"
    trained_until = "unknown"
    training = "nobody says"
    minimum_bars = 3
    context = 20
    parameters = {"context": 20}  # noqa: RUF012

    def __init__(self, batch=8, room=10**9, fails_at=None):
        self.batch, self.room, self.fails_at = batch, room, fails_at
        self.sizes = []
        self.lengths = []

    def forecast(self, contexts, times):
        if len(contexts) > self.room:
            raise MemoryError
        if self.fails_at is not None and len(self.sizes) == self.fails_at:
            raise KeyboardInterrupt
        assert contexts.shape[:2] == (times.shape[0], times.shape[1] - 1)
        self.sizes.append(len(contexts))
        self.lengths.append(contexts.shape[1])
        middle = np.tanh(contexts[..., :4].sum((1, 2)) + times.astype(np.int64).sum(1) % 97) / 100
        return middle[:, None, None] + np.linspace(-0.01, 0.01, len(LEVELS)) * np.array([1, 2, 2, 1])[:, None]


def forecasts_of(model, origins, cache=None, bars=BARS, clock=None):
    forecaster = ModelForecaster(model, cache, clock or Clock())
    requests = [ForecastRequest(each, np.array(origins)) for each in bars]
    return forecaster, [value(outcome) for outcome in forecaster.forecasts(requests)]


def value(outcome):
    """What came out, or the error."""
    return outcome.value if isinstance(outcome, Success) else outcome.error


def test_all_symbols_share_batches_of_one_length():
    model = Zeroshot()
    _, found = forecasts_of(model, range(16, 30))
    assert model.lengths == [17, 18, 19, 20, 20, 20]
    assert model.sizes == [2, 2, 2, 8, 8, 6]
    for bars, forecasts in zip(BARS, found, strict=True):
        alone = make_forecasts(Zeroshot(batch=1), bars, np.arange(16, 30), None, Clock())
        np.testing.assert_array_equal(forecasts.moves, alone.moves)
        assert (forecasts.made, forecasts.reused) == (14, 0)


def test_a_context_ends_at_its_origin_whatever_comes_after():
    bars = BARS[0]
    cut = bars.between(None, str(bars.time[40].astype("datetime64[D]")))
    assert len(cut) == 41
    whole = make_forecasts(Zeroshot(), bars, np.array([30, 40]), None, Clock())
    np.testing.assert_array_equal(make_forecasts(Zeroshot(), cut, np.array([30, 40]), None, Clock()).moves, whole.moves)
    assert keys_of(Zeroshot(), cut, np.array([30, 40])) == keys_of(Zeroshot(), bars, np.array([30, 40]))


def test_a_key_is_what_the_model_is_handed():
    bars, origins = BARS[0], np.array([30])
    (key,) = keys_of(Zeroshot(), bars, origins)
    for row, same in ((10, True), (11, False), (30, False), (31, True)):
        other = random_bars(60, seed=0)
        other.ohlcv[row, 4] += 1.0
        assert (keys_of(Zeroshot(), other, origins) == [key]) is same


def test_a_key_of_a_context_holds_its_calendar():
    bars, origins = BARS[0], np.array([30])
    shifted = replace(bars, time=bars.time + np.timedelta64(1, "D"))
    np.testing.assert_array_equal(shifted.ohlcv, bars.ohlcv)
    assert keys_of(Zeroshot(), shifted, origins) != keys_of(Zeroshot(), bars, origins)
    for row, same in ((10, True), (11, False), (30, False)):
        other = bars.time.copy()
        other[row] += np.timedelta64(1, "s")
        assert (keys_of(Zeroshot(), replace(bars, time=other), origins) == keys_of(Zeroshot(), bars, origins)) is same


def test_stamps_of_a_context_are_what_the_exchanges_clocks_show():
    """Half past nine in New York is 14:30 in winter and 13:30 in summer; a coin keeps UTC."""
    days = ["2024-03-06", "2024-03-07", "2024-03-08", "2024-03-11", "2024-03-12", "2024-03-13"]
    opens = [f"{day}T{hour}:30" for day in days for hour in ((14, 15) if day < "2024-03-10" else (13, 14))]
    stamps = np.array(opens, "datetime64[s]")
    seen = {}
    for symbol in ("NVDA", "ETHUSD"):
        bars = make_bars(symbol, "test", stamps, np.full((len(stamps), 5), 5.0))
        _, seen[symbol] = contexts_of(Zeroshot(), bars, np.array([len(stamps) - 1])).at(0)
    np.testing.assert_array_equal(seen["ETHUSD"][:-1], stamps)
    assert [str(stamp)[11:16] for stamp in seen["NVDA"][:-1]] == ["09:30", "10:30"] * 6


def test_too_large_a_batch_is_halved_once_for_all_and_said_once():
    model = Zeroshot(batch=16, room=5)
    made, found = forecasts_of(model, range(20, 40))
    assert model.sizes == [4] * 10
    assert made.notes == ["the device has no room for 16 contexts of 'zeroshot' at once; using fewer"]
    whole = forecasts_of(Zeroshot(), range(20, 40))[1]
    for some, all_ in zip(found, whole, strict=True):
        np.testing.assert_array_equal(some.moves, all_.moves)


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_a_model_is_given_no_more_at_once_than_was_asked_for(batch):
    model, requests = Zeroshot(batch=8), [ForecastRequest(bars, np.arange(20, 30)) for bars in BARS]
    made = ModelForecaster(model, None, Clock(), batch=batch).forecasts(requests)
    assert max(model.sizes) == min(batch, 20) and sum(model.sizes) == 20
    history = ModelForecaster(Har(), None, Clock(), batch=batch).forecasts(requests)
    for some, other in zip(
        [*made, *history], [*forecasts_of(Zeroshot(), range(20, 30))[1], *hars(20, 30)], strict=True
    ):
        np.testing.assert_array_equal(value(some).moves, other.moves)


def hars(first, end):
    return [make_forecasts(Har(), bars, np.arange(first, end), None, Clock()) for bars in BARS]


def test_no_room_for_a_single_context_is_an_error_with_a_remedy():
    with pytest.raises(MarketsimError, match=r"no room .* lower --context, or use --device cpu"):
        forecasts_of(Zeroshot(room=0), range(20, 24))


def test_what_a_batch_gave_is_kept_when_the_next_one_is_interrupted(tmp_path):
    with SqliteCache(tmp_path) as cache:
        with pytest.raises(KeyboardInterrupt):
            forecasts_of(Zeroshot(batch=8, fails_at=2), range(20, 40), cache)
        model = Zeroshot(batch=8)
        _, found = forecasts_of(model, range(20, 40), cache)
    assert sum(each.reused for each in found) == 16
    assert sum(model.sizes) == 24


def test_a_symbol_that_a_model_fails_on_leaves_the_others_alone(tmp_path):
    spoilt = random_bars(60, seed=2)
    spoilt.ohlcv[35, 3] = np.nan
    with SqliteCache(tmp_path) as cache:
        _, (first, bad, last) = forecasts_of(Zeroshot(), range(20, 50), cache, [BARS[0], spoilt, BARS[1]])
        assert isinstance(bad, MarketsimError)
        assert "model 'zeroshot' returned" in str(bad)
        assert first.made == last.made == 30
        again = forecasts_of(Zeroshot(), range(20, 50), cache, [BARS[0], BARS[1]])[1]
    assert [each.reused for each in again] == [30, 30]


def test_cached_contexts_can_be_verified(tmp_path):
    with SqliteCache(tmp_path) as cache:
        forecasts_of(Zeroshot(), range(20, 40), cache)
        found = verify(cache, Zeroshot(), BARS[0], seed=0)
    assert (found.cached, found.checked, found.different) == (20, 20, ())


@pytest.mark.parametrize(
    ("crypto", "expected"),
    [(True, "2024-03-29"), (False, "2024-04-01")],  # the day after a Thursday, and the Monday after Good Friday
)
def test_a_context_model_is_told_when_the_calendar_opens_the_next_bar(crypto, expected):
    days = np.array(["2024-03-25", "2024-03-26", "2024-03-27", "2024-03-28"], "datetime64[s]")
    bars = make_bars("X", "test", days, np.full((4, 5), 5.0), crypto=crypto)
    _, times = contexts_of(Zeroshot(), bars, np.array([3])).at(0)
    np.testing.assert_array_equal(times, np.append(days, np.datetime64(expected, "s")))

"""Paths through the sweep and the cache: each bar of them is made once, and found again whatever path asks for it."""

import numpy as np
import pytest

from marketsim.data.bars import make_bars
from marketsim.errors import value_of
from marketsim.forecasting.cache.sqlite import SqliteCache
from marketsim.forecasting.forecaster import make_forecasts
from marketsim.forecasting.forecasts import HIGH, HIGHEST, LEVELS, LOW, LOWEST, repair
from marketsim.forecasting.keys import KEY, fingerprint, keys_of
from marketsim.forecasting.model_forecaster import ModelForecaster
from marketsim.forecasting.path_forecasts import PathCache, Paths, bar_identity
from marketsim.forecasting.requests import ForecastRequest
from marketsim.profiling import Clock
from tests.candles import random_bars

BARS = [random_bars(60, seed=seed) for seed in (0, 1)]
NEWEST = np.array([59])


class Drawn:
    """Moves that tell the context, the stamp and the bar ahead; remembers what it was handed."""

    name = "drawn"
    version = "1"
    trained_until = "unknown"
    training = "nobody says"
    minimum_bars = 3
    context = 20
    horizon = 100
    batch = 40
    parameters = {"context": 20}  # noqa: RUF012

    def __init__(self, shift=0.0, room=10**9):
        self.shift, self.room = shift, room
        self.handed = []

    def forecast(self, contexts, times):
        return self.paths(contexts, times)[:, 0, :4]

    def paths(self, contexts, times):
        if len(contexts) > self.room:
            raise MemoryError
        self.handed.append((contexts, times))
        ahead = times.shape[1] - contexts.shape[1]
        told = np.tanh(contexts[..., :4].sum((1, 2))[:, None] + np.arange(ahead)) / 100 + self.shift
        spread = np.linspace(-0.01, 0.01, len(LEVELS)) * np.array([1, 2, 2, 1, 3, 3])[:, None]
        return told[:, :, None, None] + spread + np.array([0, 0.01, -0.01, 0, 0.02, -0.02])[:, None]


def paths_of(model, ahead, cache=None, bars=BARS, origins=NEWEST):
    paths = Paths.of(model, ahead)
    kept = None if cache is None else PathCache(cache, paths)
    forecaster = ModelForecaster(paths, kept, Clock(), shape=paths.shape)
    return [value_of(outcome) for outcome in forecaster.forecasts([ForecastRequest(each, origins) for each in bars])]


def test_one_pass_makes_every_bar_of_every_symbol():
    model = Drawn()
    found = paths_of(model, 5)
    ((contexts, times),) = model.handed
    assert contexts.shape == (2, 20, 5)
    for each, forecasts, stamps in zip(BARS, found, times, strict=True):
        np.testing.assert_array_equal(stamps[:20], each.time[-20:])
        np.testing.assert_array_equal(stamps[20:], each.next_opens(5))
        assert forecasts.moves.shape == (1, 5, 6, len(LEVELS))
        (alone,) = make_forecasts(Drawn(), each, NEWEST, None, Clock()).moves
        np.testing.assert_array_equal(forecasts.moves[0, 0, :4], alone)
        np.testing.assert_array_equal(forecasts.moves[0, 0, [HIGHEST, LOWEST]], alone[[HIGH, LOW]])


def test_a_batch_that_the_device_refuses_is_halved():
    model = Drawn(room=1)
    assert [each.made for each in paths_of(model, 3)] == [1, 1]
    assert [len(contexts) for contexts, _ in model.handed] == [1, 1]
    assert Paths.of(model, 3).batch == 13
    assert Paths.of(model, 99).batch == 1


@pytest.mark.parametrize("ahead", [1, 2, 4])
def test_a_longer_path_holds_the_shorter_ones(ahead, tmp_path):
    with SqliteCache(tmp_path) as cache:
        longest = paths_of(Drawn(), 4, cache)
        model = Drawn(shift=0.5)
        again = paths_of(model, ahead, cache)
    assert not model.handed
    for found, whole in zip(again, longest, strict=True):
        assert (found.made, found.reused) == (0, 1)
        np.testing.assert_array_equal(found.moves, whole.moves[:, :ahead])


def test_the_next_bar_is_shared_with_a_backtest(tmp_path):
    with SqliteCache(tmp_path) as cache:
        paths_of(Drawn(), 3, cache)
        model = Drawn()
        assert make_forecasts(model, BARS[0], NEWEST, cache, Clock()).reused == 1
        assert not model.handed


def test_what_was_made_first_is_kept(tmp_path):
    with SqliteCache(tmp_path) as cache:
        first = make_forecasts(Drawn(), BARS[0], NEWEST, cache, Clock()).moves
        (longer,) = paths_of(Drawn(shift=1e-9), 3, cache, BARS[:1])
        assert longer.made == 1
        np.testing.assert_array_equal(make_forecasts(Drawn(), BARS[0], NEWEST, cache, Clock()).moves, first)
        (again,) = paths_of(Drawn(), 3, cache, BARS[:1])
    np.testing.assert_array_equal(again.moves[:, 0, :4], first)
    np.testing.assert_array_equal(again.moves[:, 1:, :4], longer.moves[:, 1:, :4])
    with SqliteCache(tmp_path, "refresh") as cache:
        (anew,) = paths_of(Drawn(shift=1e-3), 3, cache, BARS[:1])
        assert anew.made == 1
    with SqliteCache(tmp_path) as cache:
        np.testing.assert_array_equal(paths_of(Drawn(), 3, cache, BARS[:1])[0].moves, anew.moves)


def test_a_row_that_is_no_bar_of_a_path_is_made_again(tmp_path):
    with SqliteCache(tmp_path) as cache:
        (expected,) = paths_of(Drawn(), 2, cache, BARS[:1])
        (key,) = keys_of(Paths.of(Drawn(), 2), BARS[0], NEWEST)
        for spoilt in (np.zeros((4, 9)), np.full((6, 9), np.nan)):
            cache.put(bar_identity(Drawn(), 2), {key[KEY:]: spoilt}, "TEST")
            (found,) = paths_of(Drawn(), 2, cache, BARS[:1])
            assert found.made == 1
            np.testing.assert_array_equal(found.moves, expected.moves)
        assert paths_of(Drawn(), 2, cache, BARS[:1])[0].made == 0


def test_extremes_are_widened_to_cover_every_bar_so_far():
    moves = np.random.default_rng(0).normal(size=(2, 4, 6, len(LEVELS)))
    widened, repaired = repair(moves)
    assert repaired.shape == (2, 4) and repaired.any()
    np.testing.assert_array_equal(widened[:, :, :4].reshape(8, 4, -1), repair(moves[:, :, :4].reshape(8, 4, -1))[0])
    for k in range(4):
        high, low = widened[:, : k + 1, [HIGH, HIGHEST]], widened[:, : k + 1, [LOW, LOWEST]]
        np.testing.assert_array_equal(widened[:, k, HIGHEST], high.max((1, 2)))
        np.testing.assert_array_equal(widened[:, k, LOWEST], low.min((1, 2)))


def test_bars_ahead_are_told_apart_and_the_next_one_is_the_models_own():
    model = Drawn()
    steps = [bar_identity(model, k) for k in (1, 2, 3)]
    assert fingerprint(steps[0]) == fingerprint(model)
    assert len({fingerprint(each) for each in steps}) == 3
    for each in steps:
        named = (each.name, each.version, each.trained_until, each.training, each.minimum_bars)
        assert named == ("drawn", "1", "unknown", "nobody says", 3)


def test_a_key_of_a_path_holds_the_stamp_of_every_bar_up_to_its_own(tmp_path):
    """2024-07-03 to 05: New York is closed on the 4th, Tokyo is not."""
    days = np.arange(np.datetime64("2024-05-01"), np.datetime64("2024-07-03") + 1)
    days = days[np.is_busday(days, holidays=["2024-05-27", "2024-06-19"])]
    york = make_bars("X", "test", days.astype("datetime64[s]")[:-1], np.full((len(days) - 1, 5), 5.0))
    newest = np.array([len(york) - 1])
    (here,), (there,) = (keys_of(Paths.of(Drawn(), 2), bars, newest) for bars in (york, york.on("weekdays")))
    assert here[:KEY] == there[:KEY] == keys_of(Drawn(), york, newest)[0]
    assert here[KEY:] != there[KEY:]
    with SqliteCache(tmp_path) as cache:
        for bars, made in ((york, 1), (york.on("weekdays"), 1), (york, 0)):
            (found,) = paths_of(Drawn(), 2, cache, [bars], newest)
            assert found.made == made

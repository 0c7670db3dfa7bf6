"""Models of one's own: what they must return, what becomes of it where they do not, and what tells one from another."""

from __future__ import annotations

import re
import types

import numpy as np
import pytest

from marketsim.errors import MarketsimError, UsageError
from marketsim.forecasting.cache.sqlite import SqliteCache
from marketsim.forecasting.forecaster import make_forecasts
from marketsim.forecasting.forecasts import LEVELS
from marketsim.forecasting.keys import fingerprint
from marketsim.models.har import Har
from marketsim.models.own import OwnContextModel, adopt
from marketsim.models.state_digest import digest_state
from marketsim.profiling import Clock
from tests.candles import random_bars

BARS, ORIGINS = random_bars(300), np.arange(250, 300)
MOVES = np.linspace(-0.02, 0.02, len(LEVELS)) + np.array([0.0, 0.01, -0.01, 0.0])[:, None]


class Told:
    """Returns what it is told to, and says nothing of itself."""

    def __init__(self, moves=MOVES):
        self.moves = moves if moves is None else np.asarray(moves)

    def forecast(self, series, origins):
        return None if self.moves is None else np.repeat(self.moves[None], len(origins), 0)


def forecast(model, bars=BARS, origins=ORIGINS, cache=None):
    return make_forecasts(adopt(model), bars, origins, cache, Clock())


def test_an_object_with_a_method_is_enough():
    found = forecast(Told())
    np.testing.assert_array_equal(found.moves[3], MOVES)
    assert (found.model.name, found.model.trained_until, found.model.minimum_bars) == ("Told", "unknown", 2)
    assert "does not say what it was trained on" in found.model.training


def test_it_is_handed_symbol_times_and_bars_up_to_the_newest_origin():
    class Seeing(Told):
        def forecast(self, series, origins):
            self.seen = series, origins
            series.ohlcv[:] = 0  # it is a copy
            return super().forecast(series, origins)

    model = Seeing()
    forecast(model, origins=np.array([100, 200]))
    series, origins = model.seen
    assert (series.symbol, len(series), series.zone, origins.tolist()) == ("TEST", 201, "UTC", [100, 200])
    np.testing.assert_array_equal(series.times, BARS.time[:201])
    assert BARS.ohlcv.min() > 0


def test_a_parameter_called_ohlcv_is_handed_the_array():
    class Plain(Told):
        def forecast(self, ohlcv, origins):
            assert isinstance(ohlcv, np.ndarray) and ohlcv.shape == (300, 5)
            return super().forecast(ohlcv, origins)

    np.testing.assert_array_equal(forecast(Plain()).moves[0], MOVES)


def spoilt(channel, level, value):
    moves = MOVES.copy()
    moves[channel, level] = value
    return moves


@pytest.mark.parametrize(
    ("moves", "words"),
    [
        (MOVES[:, :3], "shape (50, 4, 3), not (50, 4, 9): (origins, 4: open high low close, 9: quantiles 10% to 90%)"),
        (MOVES[1], "shape (50, 9), not (50, 4, 9)"),
        (spoilt(2, 4, np.nan), "nan as the 50% quantile of the low after bar 250: it must be a finite number"),
        (spoilt(1, 8, np.inf), "inf as the 90% quantile of the high"),
        (MOVES[:, ::-1], "quantiles of the open that fall from 10% to 20% after bar 250: they must rise"),
        (MOVES[[0, 2, 1, 3]], "a high below the low at most origins: the channels are open, high, low, close"),
        (spoilt(2, 0, -5.0), "50 of 1800 moves outside -100 % to +1,000 % of the last close, -5 the first"),
        (None, "nothing; `return` is missing"),
        ([["a"]], "ndarray, not numbers in shape (50, 4: open high low close"),
    ],
)
def test_what_breaks_the_contract_is_one_clear_error(moves, words):
    with pytest.raises(MarketsimError, match=re.escape(f"TEST: model 'Told' returned {words}")) as caught:
        forecast(Told(moves))
    assert "\n" not in str(caught.value)


def test_an_exception_names_the_line_of_the_model():
    class Failing(Told):
        def forecast(self, series, origins):
            return np.linalg.inv(np.zeros((2, 2)))

    with pytest.raises(MarketsimError, match=r"TEST: model 'Failing' raised LinAlgError: .* \(test_own.py, line \d+\)"):
        forecast(Failing())


def test_quantiles_that_fall_by_rounding_are_in_order():
    assert (np.diff(forecast(Told(MOVES + 1e-10 * np.array([1, -1] * 4 + [1]))).moves) >= 0).all()


def test_some_highs_below_their_lows_are_repaired_and_counted():
    class Mixed(Told):
        def forecast(self, series, origins):
            moves = super().forecast(series, origins)
            moves[::5] = moves[::5][:, [0, 2, 1, 3]]
            return moves

    found = forecast(Mixed())
    assert found.repaired.sum() == 10


def test_what_it_prints_is_no_data(capsys):
    class Talking(Told):
        def forecast(self, series, origins):
            print("hello")
            return super().forecast(series, origins)

    forecast(Talking())
    assert capsys.readouterr() == ("", "hello\n")


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (Told, "Told is a class: pass an object, Told(...)"),
        (object(), "object is not a model: it needs a method `forecast(series, origins)`"),
        (3, "int is not a model"),
    ],
)
def test_what_is_no_model_is_told(thing, words):
    with pytest.raises(UsageError, match=re.escape(words)):
        adopt(thing)


def test_a_name_of_marketsims_own_is_refused_and_its_models_are_taken_as_they_are():
    model = Told()
    model.name = "har"
    with pytest.raises(UsageError, match="'har' is the name of one of marketsim's own models"):
        adopt(model)
    assert isinstance(adopt(har := Har()), Har) and adopt(har) is har


class Reading:
    """A model with weights of its own, which reads contexts."""

    name = "reading"
    trained_until = "2019-12-31"
    minimum_bars = 5
    context = 20

    def forecast(self, contexts, times):
        assert contexts.shape[1:] == (20, 5) and times.shape == (len(contexts), 21)
        return np.repeat(MOVES[None], len(contexts), 0)


def test_an_object_with_a_context_is_handed_contexts():
    assert isinstance(adopt(Reading()), OwnContextModel)
    found = forecast(Reading())
    np.testing.assert_array_equal(found.moves[0], MOVES)
    assert (found.model.trained_until, found.model.training) == (
        "2019-12-31",
        "trained until 2019-12-31, says its author",
    )
    with pytest.raises(MarketsimError, match="model 'Broken' returned shape"):
        forecast(type("Broken", (Reading,), {"name": "Broken", "forecast": lambda self, contexts, times: MOVES})())


def test_objects_are_told_apart_by_what_they_were_made_with(tmp_path):
    assert fingerprint(adopt(Told())) == fingerprint(adopt(Told()))
    assert fingerprint(adopt(Told())) != fingerprint(adopt(Told(MOVES + 1e-9)))
    with SqliteCache(tmp_path) as cache:
        assert [forecast(Told(), cache=cache).made for _ in range(2)] == [50, 0]
        assert forecast(Told(MOVES * 2), cache=cache).made == 50


def test_what_cannot_be_told_apart_is_never_reused(tmp_path):
    first, second = Told(), Told()
    first.unknown, second.unknown = object(), object()
    with SqliteCache(tmp_path) as cache:
        assert [forecast(model, cache=cache).made for model in (first, second)] == [50, 50]
    assert not adopt(first).identified
    typed = types.ModuleType("__main__")
    exec("class Typed:\n    def forecast(self, series, origins): pass", typed.__dict__)
    assert not adopt(typed.Typed()).identified


def test_parameters_that_are_stated_stand_for_the_state():
    first, second = Told(), Told()
    first.unknown, second.unknown = object(), object()
    first.parameters = second.parameters = {"span": 3}
    assert fingerprint(adopt(first)) == fingerprint(adopt(second))
    second.parameters = {"span": 4}
    assert fingerprint(adopt(first)) != fingerprint(adopt(second))
    assert adopt(first).parameters["span"] == 3


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        ("1", 1),
        (True, 1),
        ([1, 2], [12]),
        ([[1], 2], [[1, 2]]),
        ({"a": 1}, {"a": 2}),
        (np.zeros(2), np.zeros(3)),
        (np.zeros(2), np.zeros(2, "f4")),
        (None, ""),
        ((1,), [1]),
        ({1, 2}, {1, 3}),
    ],
)
def test_values_have_digests_of_their_own(one, other):
    assert digest_state(types.SimpleNamespace(x=one)) != digest_state(types.SimpleNamespace(x=other))
    assert digest_state(types.SimpleNamespace(x=one)) == digest_state(types.SimpleNamespace(x=one))

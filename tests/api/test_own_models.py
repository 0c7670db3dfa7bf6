"""Models of a caller's own through the front door; what they must keep to is tested in tests/models/test_own.py."""

from __future__ import annotations

import numpy as np
import pytest

import marketsim
from marketsim.forecasting.series import Series
from marketsim.models.own import OwnModel, adopt
from marketsim.models.rolling_quantile import RollingQuantile
from tests.candles import random_bars

SHORT = {"sims": 5, "window": 10}


class Mine:
    name = "mine"

    def forecast(self, ohlcv, origins):
        times = np.arange(len(ohlcv)).astype("datetime64[s]")
        return RollingQuantile().forecast(Series("TEST", times, ohlcv), origins)


class Changed(Mine):
    """`Mine`, and then what `change` does to its moves."""

    def __init__(self, change):
        self.change = change

    def forecast(self, ohlcv, origins):
        return self.change(super().forecast(ohlcv, origins))


def test_a_name_and_forecasts_are_enough():
    bars = random_bars(60)
    mine = marketsim.backtest(bars, model=Mine(), **SHORT)
    theirs = marketsim.backtest(bars, model="rolling-quantile", **SHORT)
    assert mine.summary.equals(theirs.summary)
    model = mine.to_dict()["symbols"][0]["model"]
    assert (model["name"], model["trained_until"], model["exposure"]["unknown"]) == ("mine", "unknown", 5)
    assert mine.decision == "CAN'T TELL"
    assert any("nobody says how far the model's training data reach" in reason for reason in mine.reasons)


def test_what_the_model_says_of_itself_counts():
    class Told(Mine):
        trained_until = None
        training = "fits on past bars only"
        version = "7"
        minimum_bars = 40

    bars = random_bars(60)
    model = marketsim.backtest(bars, model=Told(), sims=2, window=5).to_dict()["symbols"][0]["model"]
    assert (model["version"], model["exposure"]["clean"]) == ("7", 2)
    with pytest.raises(marketsim.DataError, match="need 70"):
        marketsim.backtest(bars, model=Told(), sims=20, window=10)


def test_it_forecasts_and_is_compared_and_another_one_is_not_taken_for_it():
    bars = random_bars(60)
    assert marketsim.forecast(bars, model=Mine()).prices.equals(
        marketsim.forecast(bars, model="rolling-quantile").prices
    )
    compared = marketsim.compare_models(bars, ["har", Mine()], **SHORT)
    assert list(compared.forecasts.index) == [("TEST", "har"), ("TEST", "mine")]
    doubled = marketsim.backtest(bars, model=Changed(lambda moves: 2 * moves), **SHORT)
    assert not doubled.summary.equals(marketsim.backtest(bars, model=Mine(), **SHORT).summary)


def test_a_model_cannot_change_the_bars():
    class Careless(Mine):
        def forecast(self, ohlcv, origins):
            moves = super().forecast(ohlcv, origins)
            ohlcv[:] = 1.0
            return moves

    bars = random_bars(60)
    marketsim.backtest(bars, model=Careless(), **SHORT)
    assert bars.fingerprint == random_bars(60).fingerprint


def test_breaking_the_contract_is_one_clear_error():
    with pytest.raises(
        marketsim.MarketsimError, match=r"TEST: model 'mine' returned shape \(16, 4\), not \(16, 4, 9\)"
    ):
        marketsim.backtest(random_bars(60), model=Changed(lambda moves: moves[..., 4]), **SHORT)


@pytest.mark.parametrize("model", [object(), type("Mute", (), {"name": "x"})()])
def test_what_is_no_model_is_refused(model):
    with pytest.raises(marketsim.UsageError, match="is not a model: it needs a method `forecast"):
        marketsim.backtest("ETHUSD", model=model)


def test_names_of_marketsim_are_its_own():
    class Har(Mine):
        name = "har"

    with pytest.raises(marketsim.UsageError, match="give yours another"):
        adopt(Har())
    assert isinstance(adopt(Mine()), OwnModel)
    assert isinstance(adopt(RollingQuantile()), RollingQuantile)
    with pytest.raises(marketsim.UsageError, match=r"backtest\(samples=...\): has no meaning for a model in memory"):
        marketsim.backtest("ETHUSD", model=Mine(), samples=5)


def test_a_model_that_looks_ahead_has_no_result_unless_that_is_allowed():
    class Peeking(Mine):
        def forecast(self, ohlcv, origins):
            prices = ohlcv[np.minimum(origins + 1, len(ohlcv) - 1), :4]
            return np.repeat((prices / ohlcv[origins, 3, None] - 1)[..., None], 9, -1)

    bars = random_bars(60)
    with pytest.raises(marketsim.AuditError, match=r"model 'mine' looks ahead \(TEST, origin 2020-0"):
        marketsim.backtest(bars, model=Peeking(), **SHORT)
    shown = marketsim.backtest(bars, model=Peeking(), allow_lookahead=True, **SHORT)
    assert shown.verdict.startswith("LOOK-AHEAD, so no profit here counts")
    assert shown.document["model"]["look_ahead"]
    marketsim.forecast(bars, model=Peeking())  # nothing follows the newest bar

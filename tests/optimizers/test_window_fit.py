"""Windows are fitted each as if alone, in whatever company."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from marketsim.backtesting.simulation import Market, market_terms, windows_of
from marketsim.data.sample import SampleSource
from marketsim.data.walk_forward import make_walk
from marketsim.execution.windows import Windows
from marketsim.forecasting.forecaster import make_forecasts
from marketsim.models.har import Har
from marketsim.optimizers import window_fit
from marketsim.optimizers.exact import Exact
from marketsim.optimizers.window_fit import fit_windows
from marketsim.profiling import Clock
from marketsim.settings.settings import Settings
from tests.problems import BOUNDS

SIMULATIONS = 70


@cache
def market_of(symbol: str, window: int) -> Market:
    bars = SampleSource().load(symbol)
    walk = make_walk(len(bars), SIMULATIONS, window, 2, symbol, whole=SIMULATIONS)
    forecasts = make_forecasts(Har(), bars, walk.origins, None, Clock())
    return Market.of(bars, walk, forecasts, Settings().costs)


def windows_under(symbol: str, window: int, strategy: str, fill: str, close_at_eod: bool) -> tuple[Market, Windows]:
    market, rules = market_of(symbol, window), Settings.of(fill=fill).rules
    return market, windows_of(market.legs(strategy), market, rules, close_at_eod)


def test_what_a_window_gets_does_not_depend_on_the_windows_beside_it() -> None:
    market, windows = windows_under("ETHUSD", 7, "always-on", "expected", False)
    terms = market_terms(market, Settings().rules)
    together = fit_windows(windows, terms, Exact(), BOUNDS, 0)
    for s in (0, 17, 50):
        alone = fit_windows(windows.at(np.array([s])), terms, Exact(), BOUNDS, 0)
        assert alone.high_multiplier[0] == together.high_multiplier[s]
        assert alone.low_multiplier[0] == together.low_multiplier[s]
        assert (alone.in_sample[0], alone.t[0]) == (together.in_sample[s], together.t[s])


@pytest.mark.parametrize("together", [1, 100])
def test_windows_are_fitted_some_at_a_time_where_they_are_many(together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    market, windows = windows_under("NVDA", 20, "always-on", "expected", False)
    windows, terms = windows.at(slice(0, 12)), market_terms(market, Settings().rules)
    whole = fit_windows(windows, terms, Exact(), BOUNDS, 0)
    monkeypatch.setattr(window_fit, "TOGETHER", together)
    parts = fit_windows(windows, terms, Exact(), BOUNDS, 0)
    for name in ("high_multiplier", "low_multiplier", "in_sample", "t", "claimed", "allowed"):
        np.testing.assert_array_equal(getattr(parts, name), getattr(whole, name))

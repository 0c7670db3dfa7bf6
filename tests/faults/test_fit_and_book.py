"""What a fit claims is what the book pays for the same bars and levels."""

from __future__ import annotations

import numpy as np
import pytest

from marketsim.backtesting.simulation import market_terms
from marketsim.data.sample import SampleSource
from marketsim.execution.track_record import book
from marketsim.optimizers.exact import Exact
from marketsim.optimizers.window_fit import fit_windows
from marketsim.settings.settings import Settings
from tests import oracle
from tests.optimizers.test_window_fit import SIMULATIONS, windows_under
from tests.problems import BOUNDS

HALF_A_BASIS_POINT = 0.5e-4


@pytest.mark.parametrize("strategy", ["entry-exit", "always-on"])
@pytest.mark.parametrize("symbol", SampleSource().symbols())
def test_surface_and_book_agree_to_half_a_basis_point_a_bar_on_every_window(symbol: str, strategy: str) -> None:
    market, windows = windows_under(symbol, 60, strategy, "expected", False)
    fit = fit_windows(windows, market_terms(market, Settings().rules), Exact(), BOUNDS, 0)
    apart = np.abs(fit.claimed - fit.in_sample) / 60
    assert apart.max() < HALF_A_BASIS_POINT


@pytest.mark.parametrize("symbol", ["ETHUSD", "TSLA"])
def test_short_windows_where_a_bar_counts_for_more_agree_too(symbol: str) -> None:
    market, windows = windows_under(symbol, 7, "always-on", "expected", False)
    fit = fit_windows(windows, market_terms(market, Settings().rules), Exact(), BOUNDS, 0)
    assert (np.abs(fit.claimed - fit.in_sample) / 7).max() < HALF_A_BASIS_POINT


@pytest.mark.parametrize("close_at_eod", [False, True])
@pytest.mark.parametrize("fill", ["provable", "expected", "touch"])
def test_in_sample_is_what_the_book_pays_for_the_same_bars_and_levels(fill: str, close_at_eod: bool) -> None:
    market, windows = windows_under("NVDA", 20, "always-on", fill, close_at_eod)
    fit = fit_windows(windows, market_terms(market, Settings.of(fill=fill).rules), Exact(), BOUNDS, 0)
    for s in (0, 35, SIMULATIONS):
        rows, count = windows.rows[s], windows.rows.shape[1]
        chosen = np.full(count, fit.high_multiplier[s]), np.full(count, fit.low_multiplier[s])
        track = book(
            "always-on",
            windows.levels.at(rows),
            windows.outcomes.at(rows),
            windows.legs.at(rows),
            windows.costs,
            fill,
            chosen,
            np.full(count, close_at_eod),
        )
        one = windows.at(np.array([s]))
        booked = one.booked(fit.high_multiplier[[s]], fit.low_multiplier[[s]])[0]
        np.testing.assert_allclose(booked, track.profits[fill], rtol=0, atol=1e-15)
        assert fit.in_sample[s] == pytest.approx(booked.sum(), abs=1e-15)
        assert fit.t[s] == pytest.approx(oracle.t_statistic(booked, np.ones(count)), rel=1e-6)

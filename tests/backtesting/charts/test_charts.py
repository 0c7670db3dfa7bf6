"""The pictures of a report are those of the very run: surfaces, forecasts and fills."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec import json

from marketsim.backtesting import pipeline
from marketsim.backtesting.charts import charts_of, places_for
from marketsim.backtesting.simulation import Market, market_terms, windows_of
from marketsim.comparison.models import compare
from marketsim.errors import value_of
from marketsim.execution.evaluation import evaluate
from marketsim.profiling import Clock
from marketsim.results.charts import Charts
from marketsim.results.document import symbol_document
from marketsim.results.html.packing import unpack
from marketsim.results.result import Result
from marketsim.settings.settings import Settings

SETTINGS = Settings.of(sims=8, window=20, min_t=0.0, cache="off", half_life=15.0)
PLACES = 5


@pytest.fixture(scope="module")
def result() -> Result:
    return value_of(pipeline.run(["NVDA"], SETTINGS, Clock())[0].outcome)


@pytest.fixture(scope="module")
def charts(result: Result) -> Charts:
    return json.decode(charts_of(result, SETTINGS, None, PLACES), type=Charts)


def test_a_surface_is_the_profit_of_its_window(result: Result, charts: Charts) -> None:
    facts, arrays = unpack(charts.arrays)
    market = Market.of(result.bars, result.walk, result.forecasts, SETTINGS.costs)
    along = np.linspace(*SETTINGS.rules.bounds, PLACES)
    l, h = (each.ravel()[None] for each in np.meshgrid(along, along, indexing="ij"))
    oldest_first = [*range(7, -1, -1), 8]
    for i, track in enumerate(result.strategies):
        shown = arrays[f"surface {i}"].astype(np.int64)
        for axis in range(3):
            shown = np.cumsum(shown, axis=axis)
        shown = shown.astype(np.int16).reshape(9, -1) * facts["step"]
        for row, s in enumerate(oldest_first):
            windows = windows_of(market.legs(track.name), market, SETTINGS.rules, bool(track.fit.close_at_eod[s]))
            problem = windows.at(np.array([s])).fitted_to(market_terms(market, SETTINGS.rules)).gathered()
            expected = 1e4 / 20 * evaluate(problem, h, l)[0]
            np.testing.assert_allclose(shown[row], expected, rtol=0, atol=facts["step"] / 2 + 1e-9)


def test_what_a_fit_chose_is_the_best_that_its_floor_allows(result: Result, charts: Charts) -> None:
    facts, arrays = unpack(charts.arrays)
    along = np.linspace(*charts.bounds, PLACES)
    for i, strategy in enumerate(charts.objective):
        shown = arrays[f"surface {i}"].astype(np.int64)
        for axis in range(3):
            shown = np.cumsum(shown, axis=axis)
        shown = shown.astype(np.int16) * facts["step"]
        for surface, window in zip(shown, strategy.windows, strict=True):
            allowed = True if window.floor is None else along - along[:, None] >= window.floor
            assert np.where(allowed, surface, -np.inf).max() <= window.profit_bps + 0.5  # what a surface may be off
            assert max(window.tick_away_bps) <= window.profit_bps + 0.5


def test_windows_are_those_of_the_document(result: Result, charts: Charts) -> None:
    document = symbol_document(result)
    for strategy, plan in zip(charts.objective, document.plan, strict=True):
        last = strategy.windows[-1]
        assert (last.bar, last.h, last.l) == (plan.bar, plan.high_multiplier, plan.low_multiplier)
        assert (last.t, last.close_at_eod, last.stood_aside) == (plan.t, plan.close_at_eod, plan.stood_aside)
        assert strategy.windows[0].bar == document.evaluated.first
        assert strategy.windows[-2].bar == document.evaluated.last
        mean = np.mean([window.profit_bps for window in strategy.windows[:-1]])
        (row,) = [row for row in document.rows if row.name == strategy.strategy]
        assert mean == pytest.approx(row.in_sample_bps)


def test_the_quality_of_forecasts_is_that_of_a_comparison(charts: Charts) -> None:
    document, _ = compare(["NVDA"], ["har"], SETTINGS)
    (model,) = document.symbols[0].models
    for channel in charts.forecast.channels:
        assert channel.coverage == pytest.approx(getattr(model.coverage, channel.channel))
        assert channel.loss_bps == pytest.approx(getattr(model.pinball_bps, channel.channel))
        assert sum(channel.pit) == pytest.approx(1)
        assert [skill.against for skill in channel.skills] == ["rolling-quantile", "last-bar"]
    losses = [miss.loss_bps for miss in charts.forecast.misses]
    assert losses == sorted(losses, reverse=True)


def test_every_bar_with_a_trade_is_known_somehow(result: Result, charts: Charts) -> None:
    for track, counts in zip(result.strategies, charts.fills, strict=True):
        assert counts.certain + counts.settled + counts.left == np.count_nonzero(track.trades)
        assert counts.left == np.count_nonzero(track.ambiguous)
        assert counts.settled == 0  # there are no finer bars


def test_finer_bars_settle_fills_and_tell_what_probabilities_are_worth() -> None:
    settings = SETTINGS.replace(fine="sample", min_t=0.0, sims=30)
    found = value_of(pipeline.run(["AAPL"], settings, Clock())[0].outcome)
    charts = json.decode(charts_of(found, settings, None, PLACES), type=Charts)
    assert found.fine is not None and charts.reliability is not None
    assert charts.reliability.fine.covered == found.fine.covered
    assert sum(counts.settled for counts in charts.fills) > 0


def test_hundreds_of_symbols_have_coarser_surfaces() -> None:
    assert places_for(1) == places_for(20) > places_for(21)

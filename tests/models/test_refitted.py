"""`arma`, `garch` and `egarch`: fitted every 50 bars by a library, filtered in between, about as good as `har`."""

from __future__ import annotations

import importlib.metadata
import math
from collections.abc import Iterator

import numpy as np
import pytest

from marketsim.data import open_source
from marketsim.errors import MissingExtra
from marketsim.forecasting.forecasts import LEVELS, actual_moves
from marketsim.forecasting.keys import fingerprint
from marketsim.forecasting.scores import pinball
from marketsim.forecasting.series import Series
from marketsim.models import refitted
from marketsim.models.arma import Arma
from marketsim.models.garch import Egarch, Garch
from marketsim.models.har import Har
from marketsim.models.refitted import Refitted
from tests.candles import random_ohlcv, series_of
from tests.libraries import needed

needed("arch", "statsmodels", extra="econometrics")

MODELS = (Arma, Garch, Egarch)


@pytest.fixture(params=MODELS)
def kind(request: pytest.FixtureRequest) -> Iterator[type[Refitted]]:
    """A model; fits of a test that replaces them are remembered neither before nor after it."""
    refitted._parameters.cache_clear()
    yield request.param
    refitted._parameters.cache_clear()


def values_of(kind: type[Refitted], bars: int, seed: int = 0):
    return kind.values(*refitted._ranges(random_ohlcv(bars, seed)))


def test_each_fit_rests_on_the_bars_up_to_its_own_and_holds_for_fifty(kind, monkeypatch):
    fits, filters = [], []

    def fitted(values):
        fits.append(values)
        return (float(len(values)),)

    def filtered(values, parameters):
        filters.append((len(values), *parameters))
        return np.zeros(len(values))

    monkeypatch.setattr(kind, "fitted", staticmethod(fitted))
    monkeypatch.setattr(kind, "filtered", staticmethod(filtered))
    series = series_of(random_ohlcv(321))
    kind().forecast(series, np.array([320]))
    expected = values_of(kind, 321)
    assert [len(fit) for fit in fits] == [220, 251, 301]  # har's least, then every fiftieth bar
    for fit in fits:
        np.testing.assert_allclose(fit, expected[: len(fit)], rtol=0, atol=1e-9)
    assert filters == [(250, 220.0), (300, 251.0), (321, 301.0)]
    kind().forecast(series, np.array([310, 320]))
    assert len(fits) == 3  # remembered


def test_between_fits_it_is_the_librarys_own_filter():
    from arch import univariate

    for kind in (Garch, Egarch):
        values = values_of(kind, 400)
        unit, before, *parameters = kind.fitted(values[:300])
        twin = univariate.ZeroMean(np.append(values / unit, 0.0), volatility=kind.process(), rescale=False)
        expected = twin.fix(parameters, first_obs=0).conditional_volatility[1:]
        found = np.exp(kind.filtered(values, (unit, before, *parameters)) / 2) / unit
        np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_arma_is_the_recursion_that_it_says_once_the_start_is_forgotten():
    values = values_of(Arma, 400)
    mean, a, b = Arma.fitted(values)
    assert 0.5 < a < 1
    assert -1 < b < 0
    forecast, expected = mean, []
    for value in values:
        forecast = mean + a * (value - mean) + b * (value - forecast)
        expected.append(forecast)
    np.testing.assert_allclose(Arma.filtered(values, (mean, a, b))[200:], expected[200:], atol=1e-6)


def test_a_fit_is_no_worse_than_its_neighbors():
    values = Arma.values(*refitted._ranges(open_source("sample").load("NVDA").ohlcv[:500]))
    parameters = Arma.fitted(values)

    def squares(mean, a, b):
        return ((Arma.filtered(values, (mean, a, b))[:-1] - values[1:]) ** 2).sum()

    least = squares(*parameters)
    mean, a, b = parameters
    for step in (-0.02, 0.02):
        assert least < squares(mean, a + step, b)
        assert least < squares(mean, a, b + step)


def test_a_jump_raises_what_is_expected_and_a_fall_may_raise_it_more():
    for kind, parameters in ((Garch, (0.05, 0.1, 0.1, 0.8)), (Egarch, (0.0, 0.2, -0.1, 0.9))):
        quiet, rise, fall = (
            kind.log_variances([1.0] * 50 + [value], 1.0 if kind is Garch else 0.0, *parameters)[-1]
            for value in (1.0, 3.0, -3.0)
        )
        assert quiet < rise < fall


@pytest.mark.parametrize("nothing", [math.nan, math.inf, -math.inf])
def test_where_a_fit_gives_no_number_the_range_is_averaged(kind, nothing, monkeypatch):
    monkeypatch.setattr(kind, "fitted", staticmethod(lambda values: (nothing,)))
    monkeypatch.setattr(kind, "filtered", staticmethod(lambda values, fit: np.full(len(values), *fit)))
    ohlcv = random_ohlcv(300)
    log_range = np.log(refitted._ranges(ohlcv)[0])
    weights = 0.94 ** np.arange(300)[::-1]
    sigma = kind()._scales(ohlcv, 0)
    assert sigma[-1] == pytest.approx(math.exp(np.average(log_range, weights=weights)))


def test_the_loss_is_within_half_a_per_cent_of_hars(kind):
    bars = open_source("sample").load("NVDA")
    origins = np.arange(len(bars) - 301, len(bars) - 1)
    losses = [
        pinball(model.forecast(Series.of(bars), origins), actual_moves(bars, origins), LEVELS).mean(0)[1:]
        for model in (kind(), Har())
    ]
    assert (losses[0] / losses[1]).mean() < 1.005


def test_another_release_of_the_library_is_another_model(kind, monkeypatch):
    before = fingerprint(kind())
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.0")
    assert fingerprint(kind()) != before


def test_without_the_library_the_extra_is_named(kind, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=rf"'{kind.name}' needs the extra 'econometrics'"):
        kind()

"""What every model that fits on histories must keep to, whatever it believes about markets."""

from contextlib import suppress

import numpy as np
import pytest

from marketsim import registry
from marketsim.errors import MissingExtra
from marketsim.forecasting.forecaster import make_forecasts
from marketsim.forecasting.forecasts import CLOSE, HIGH, LEVELS, LOW, MEDIAN, OPEN
from marketsim.forecasting.keys import fingerprint
from marketsim.forecasting.protocols import Model
from marketsim.forecasting.series import Series
from marketsim.models.rolling_quantile import RollingQuantile
from marketsim.profiling import Clock
from tests.candles import random_bars, random_ohlcv, series_of

BARS = 760  # more than any window and any fallback of the models
ORIGINS = np.array([2, 3, 18, 19, 20, 60, 218, 219, 220, 221, 300, 511, 512, 513, 640, 700, 701])


@pytest.fixture(params=registry.HISTORY_MODELS)
def model(request: pytest.FixtureRequest) -> Model:
    try:
        found: Model = registry.load(registry.MODELS, "model", request.param)()
    except MissingExtra as error:
        pytest.skip(str(error))
    return found


def check_independence(model: Model) -> None:
    """A forecast is the same to the bit with other batch mates, in another order, and with another future."""
    ohlcv = random_ohlcv(BARS)
    expected = model.forecast(series_of(ohlcv), ORIGINS)
    np.testing.assert_array_equal(model.forecast(series_of(ohlcv), np.arange(2, BARS))[ORIGINS - 2], expected)
    order = np.random.default_rng(1).permutation(len(ORIGINS))
    np.testing.assert_array_equal(model.forecast(series_of(ohlcv), ORIGINS[order]), expected[order])
    for origin, forecast in zip(ORIGINS, expected, strict=True):
        cut = ohlcv[: origin + 1].copy()
        other = np.concatenate([cut, random_ohlcv(BARS - origin - 1, seed=2)])
        for seen in (cut, other):
            np.testing.assert_array_equal(model.forecast(series_of(seen), np.array([origin]))[0], forecast)
    scrambled = ohlcv.copy()
    scrambled[ORIGINS[-1] + 1 :] = scrambled[ORIGINS[-1] + 1 :][::-1] * 3
    np.testing.assert_array_equal(model.forecast(series_of(scrambled), ORIGINS), expected)


def test_forecast_depends_on_its_past_alone(model: Model) -> None:
    check_independence(model)


class Leaking(RollingQuantile):
    """Looks at the bar that it forecasts."""

    def forecast(self, series, origins):
        following = np.minimum(origins + 1, len(series) - 1)
        return super().forecast(series, origins) + 1e-12 * series.ohlcv[following, 3, None, None]


class Mingling(RollingQuantile):
    """Looks at its batch mates."""

    def forecast(self, series, origins):
        return super().forecast(series, origins) + 1e-12 * len(origins)


@pytest.mark.parametrize("planted", [Leaking, Mingling])
def test_planted_fault_is_caught_by_the_same_check(planted: type[Model]) -> None:
    with pytest.raises(AssertionError):
        check_independence(planted())


def test_forecasts_are_finite_rising_and_coherent(model: Model) -> None:
    bars = random_bars(BARS)
    forecasts = make_forecasts(model, bars, np.arange(model.minimum_bars - 1, BARS), None, Clock())
    moves = forecasts.moves
    assert moves.shape == (BARS - model.minimum_bars + 1, 4, len(LEVELS))
    assert moves.dtype == np.float64
    assert np.isfinite(moves).all()
    assert (moves > -1).all()
    assert (np.diff(moves, axis=-1) >= 0).all()
    median = moves[..., MEDIAN]
    assert (median[:, LOW] <= median[:, [OPEN, CLOSE]].min(1)).all()
    assert (median[:, HIGH] >= median[:, [OPEN, CLOSE]].max(1)).all()


def test_price_scale_does_not_matter(model: Model) -> None:
    ohlcv = random_ohlcv(BARS)
    expected = model.forecast(series_of(ohlcv), ORIGINS)
    for scale in (1e-6, 1e6, 1e-200, 1e200):
        scaled = np.concatenate([ohlcv[:, :4] * scale, ohlcv[:, 4:]], axis=1)
        np.testing.assert_allclose(model.forecast(series_of(scaled), ORIGINS), expected, atol=1e-9)


@pytest.mark.parametrize("moving", [0, 1, 5, 300])
def test_flat_bars(model: Model, moving: int) -> None:
    ohlcv = np.tile([7.0, 7.0, 7.0, 7.0, 0.0], (700, 1))
    if moving:
        ohlcv[350 : 350 + moving] = random_ohlcv(moving)
    forecasts = model.forecast(series_of(ohlcv), np.arange(model.minimum_bars - 1, 700))
    assert np.isfinite(forecasts).all()
    if not moving:
        np.testing.assert_array_equal(forecasts, 0.0)


def test_volume_may_be_absent_or_nothing(model: Model) -> None:
    ohlcv = random_ohlcv(400)
    for volume in (np.nan, 0.0):
        for rows in (slice(None), slice(100, 200), slice(380, None)):
            other = ohlcv.copy()
            other[rows, 4] = volume
            assert np.isfinite(model.forecast(series_of(other), np.arange(2, 400))).all()


def test_wild_prices_stay_finite(model: Model) -> None:
    ohlcv = random_ohlcv(600)
    ohlcv[:, :4] *= np.where(np.arange(600) % 7 == 0, 1e12, 1.0)[:, None]
    assert np.isfinite(model.forecast(series_of(ohlcv), np.arange(2, 600))).all()


def test_fewest_bars_suffice_and_no_origins_give_none(model: Model) -> None:
    bars = random_bars(model.minimum_bars)
    last = np.array([model.minimum_bars - 1])
    assert make_forecasts(model, bars, last, None, Clock()).moves.shape == (1, 4, len(LEVELS))
    assert make_forecasts(model, bars, last[:0], None, Clock()).moves.shape == (0, 4, len(LEVELS))
    assert model.forecast(Series.of(bars), last[:0]).shape == (0, 4, len(LEVELS))


def test_registry_name_is_the_models_own_and_fingerprints_differ() -> None:
    models = {}
    for name in registry.HISTORY_MODELS:
        with suppress(MissingExtra):
            models[name] = registry.load(registry.MODELS, "model", name)()
    assert all(model.name == name for name, model in models.items())
    assert len({fingerprint(model) for model in models.values()}) == len(models)


def test_bars_are_left_as_they_were(model: Model) -> None:
    bars = random_bars(300)
    kept = bars.ohlcv.copy()
    bars.ohlcv.setflags(write=False)
    model.forecast(Series.of(bars), np.arange(2, 300))
    np.testing.assert_array_equal(bars.ohlcv, kept)

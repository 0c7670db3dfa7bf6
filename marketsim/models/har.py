"""`har`: heterogeneous autoregression of the true range, with rolling standardized quantiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from marketsim.forecasting.series import Series
from marketsim.models.past_model import PastModel
from marketsim.models.rolling_quantile import log_moves, rolling_quantiles
from marketsim.profiling import part

SPANS = (3, 5, 10, 20, 60)  # bars, of the means that the regression sees
RIDGE = 10.0
WINDOW = 500  # bars, of the standardized moves
REGRESSION_BARS = 220  # fewer do not carry the regression
SCALING_BARS = 20  # fewer do not carry a volatility either
DECAY = 0.94
FLOOR = 1e-5  # least true range, a tenth of a basis point: it has a logarithm
FLAT_SHARE = 0.2  # of the mean range of bars that moved: the range of one that did not
FLAT_SPAN = 60  # bars, of that mean
LIMIT = np.log(11.0)  # quantiles end at a move of +1,000 %, where levels end too
BLOCK = 512  # bars solved at once: about 2 MB of systems

Array = NDArray[np.float64]


class Har(PastModel):
    """HAR regression of the log true range (Corsi 2009), quantiles of past moves in units of its forecast.

    With the true range `R[t] = log(max(High[t], Close[t-1]) / min(Low[t], Close[t-1]))`:

        y[t]     = log R[t+1] = x[t]' b + error
        sigma[t] = exp(x[t]' b),  b by ridge regression on all pairs (x[s], y[s]), s < t
        u[s]     = log(X[s+1] / Close[s]) / sigma[s],  X each of open, high, low, close
        forecast = exp(sigma[t] * quantile of u[t-500 .. t-1]) - 1

    `x` holds a constant (not penalised); log R and its means over 3, 5, 10, 20 and 60 bars; the log absolute
    return and the same means; the return over R, and the 5- and 20-bar returns over the sum of R of the same
    bars; log volume less its 5- and 20-bar means, 0 where it is absent; the log variance of 20 returns.
    Where fewer bars than a span are known, those are taken. A bar that did not move, as happens where the price is
    coarse or trade is thin, has a fifth of the mean range of the last 60 bars that did: its logarithm is no outlier.

    With fewer than 220 bars `sigma` is the exponentially weighted geometric mean of R (decay 0.94); with
    fewer than 20 it is 1, and the quantiles are those of the moves themselves. A sigma never leaves the
    range of the R seen before.

    Bars shorter than a day have a pattern of the day and of the week, which is taken out before and put back after:
    see `marketsim.models.intraday`.

    Source: F. Corsi, "A Simple Approximate Long-Memory Model of Realized Volatility", Journal of Financial
    Econometrics 7(2), 2009. Every step is elementwise or a running sum from bar 0, and none is BLAS: the bits
    of a forecast depend on its own past, not on the other origins of the call.
    """

    name = "har"
    version = "3"
    parameters: ClassVar[Mapping[str, float | int | str]] = {
        "ridge": RIDGE,
        "window": WINDOW,
        "regression_bars": REGRESSION_BARS,
        "scaling_bars": SCALING_BARS,
        "decay": DECAY,
        "floor": FLOOR,
        "flat_share": FLAT_SHARE,
        "flat_span": FLAT_SPAN,
    }

    def forecast(self, series: Series, origins: NDArray[np.int64]) -> Array:
        """Quantiles of moves `[N, 4, Q]` at `origins` `[N]`; see `HistoryModel.forecast`."""
        return forecast_from_scales(series, origins, scales)


def forecast_from_scales(series: Series, origins: NDArray[np.int64], scales: Callable[[Array, int], Array]) -> Array:
    """Quantiles of moves `[N, 4, Q]` at `origins` `[N]`: past moves in units of `scales`.

    `scales(bars, first)` gives sigma `[T]` of the bar after each of `bars` `[T, 5]`, those up to the newest origin,
    from `first` on. Of bars shorter than a day it is given what is left of them without the pattern of the day.
    """
    if not len(origins):
        return rolling_quantiles(np.empty((4, 0)), origins, WINDOW)
    series = series.until(int(origins.max()))
    if series.following is not None:
        from marketsim.models.intraday import intraday_quantiles  # a run on daily bars does not need it

        log_range = np.log(true_ranges(series.ohlcv))
        scaled = intraday_quantiles(series, origins, log_range, scales, WINDOW, SCALING_BARS)
        return np.asarray(np.expm1(np.clip(scaled, -LIMIT, LIMIT)))
    ohlcv = series.ohlcv
    moves = log_moves(ohlcv)
    first = max(int(origins.min()) - WINDOW, 0)
    sigma = scales(ohlcv, first)
    with part("post-processing"):
        units = moves.copy()
        units[:, first:] /= sigma[first:-1]
        scaled = sigma[origins][:, None, None] * rolling_quantiles(units, origins, WINDOW)
        short = origins + 1 < SCALING_BARS
        scaled[short] = rolling_quantiles(moves, origins[short], WINDOW)
        quantiles: Array = np.expm1(np.clip(scaled, -LIMIT, LIMIT))
    return quantiles


def scales(ohlcv: Array, first: int, regress: Callable[[Array, Array, int], Array] | None = None) -> Array:
    """`sigma` `[T]` of the bar after each bar, in log units; meaningless before `first`.

    `regress(x, y, start)` predicts `y[t+1]` from `x[:, t]`, x `[P, T]`, for t from `start` on, each from its past; None
    for ridge regression.
    """
    with part("preparation"):
        x, log_range = _features(ohlcv)
    return scales_of(log_range, first, lambda start: (regress or _regress)(x, log_range, start))


def scales_of(log_range: Array, first: int, predict: Callable[[int], Array]) -> Array:
    """`sigma` `[T]` as `scales` has it, of log true ranges `[T]`: averaged where they are too few to be predicted.

    `predict(start)` gives predictions of `log_range[t+1]` for t from `start` on, each from its past.
    """
    early = log_range[: REGRESSION_BARS - 1]
    weight = DECAY ** -np.arange(len(early))
    start = max(first, len(early))
    low, high = np.minimum.accumulate(log_range), np.maximum.accumulate(log_range)
    prediction = low.copy()
    prediction[: len(early)] = np.cumsum(weight * early) / np.cumsum(weight)
    with part("forward"):
        prediction[start:] = predict(start)
    sigma: Array = np.exp(np.clip(prediction, low, high))
    return sigma


def _features(ohlcv: Array) -> tuple[Array, Array]:
    """The regressors `x` `[P, T]`, each of bars up to its own, and the log true range `[T]`."""
    opened, _, _, close = np.log(np.ascontiguousarray(ohlcv[:, :4].T))
    true_range = true_ranges(ohlcv)
    returns = close - np.concatenate([opened[:1], close[:-1]])
    variance = _mean(returns**2, 20) - _mean(returns, 20) ** 2
    volume = np.ascontiguousarray(ohlcv[:, 4])
    traded = np.where(volume > 0, 1.0, 0.0)
    log_volume = np.log(np.where(volume > 0, volume, 1.0))
    share = {span: np.maximum(_mean(traded, span), 1 / span) for span in (5, 20)}  # of bars with a volume
    log_range, log_return = np.log(true_range), np.log(np.abs(returns) + FLOOR)
    rows = [
        np.ones(len(close)),
        *(row for series in (log_range, log_return) for row in (series, *(_mean(series, span) for span in SPANS))),
        returns / true_range,
        *(_mean(returns, span) / _mean(true_range, span) for span in (5, 20)),
        *(traded * (log_volume - _mean(log_volume, span) / share[span]) for span in share),
        np.log(np.maximum(variance, 0.0) + FLOOR**2),
    ]
    return np.stack(rows), log_range


def true_ranges(ohlcv: Array) -> Array:
    """True ranges `[T]` in log units, none of them zero."""
    opened, high, low, close = np.log(np.ascontiguousarray(ohlcv[:, :4].T))
    before = np.concatenate([opened[:1], close[:-1]])
    return without_flat_bars(np.maximum(high, before) - np.minimum(low, before))


def without_flat_bars(true_range: Array) -> Array:
    """True ranges `[T]` in which a bar that did not move counts as one that moved little."""
    moved = true_range > FLOOR
    share = np.maximum(_mean(np.where(moved, 1.0, 0.0), FLAT_SPAN), 1 / FLAT_SPAN)  # of the bars that moved
    usual = _mean(np.where(moved, true_range, 0.0), FLAT_SPAN) / share
    return np.where(moved, true_range, np.maximum(FLAT_SHARE * usual, FLOOR))


def _mean(values: Array, span: int) -> Array:
    """The mean `[T]` of the last `span` values up to each, or of those that there are."""
    total = np.cumsum(values)
    total[span:] -= total[:-span].copy()
    return total / np.minimum(np.arange(1, len(values) + 1), span)


def _regress(x: Array, y: Array, start: int) -> Array:
    """Predictions of `y[t+1]` from `x[:, t]`, x `[P, T]`, for t from `start` on, each fitted on its past."""
    features, bars = x.shape
    pairs = np.zeros((features + 1, bars))  # column t: x[t-1] and what followed it, y[t]
    pairs[:-1, 1:], pairs[-1, 1:] = x[:, :-1], y[1:]
    i, j = np.triu_indices(features + 1)
    place = np.empty((features + 1, features + 1), np.int64)
    place[i, j] = place[j, i] = np.arange(len(i))
    total, predictions = np.zeros(len(i)), [np.empty(0)]
    for begin in range(0, bars, BLOCK):
        block = pairs[:, begin : begin + BLOCK]
        moments = block[i] * block[j]
        moments[:, 0] += total
        moments = np.cumsum(moments, axis=1)
        total = moments[:, -1]
        wanted = slice(max(start - begin, 0), None)
        predictions.append(_solve(moments[:, wanted][place], x[:, begin : begin + BLOCK][:, wanted]))
    return np.concatenate(predictions)


def _solve(system: Array, x: Array) -> Array:
    """`x' b` `[B]` of B ridge regressions: `system` `[P + 1, P + 1, B]` holds the moments, and is lost.

    Gaussian elimination of `[[A, A b], [x', 0]]` leaves `-x' b` in the corner. A is positive definite, so
    that no pivoting is needed.
    """
    features = len(x)
    penalised = np.arange(1, features)
    system[penalised, penalised] += RIDGE
    system[-1, :-1], system[-1, -1] = x, 0.0
    for k in range(features):
        factor = system[k + 1 :, k] / system[k, k]
        system[k + 1 :, k + 1 :] -= factor[:, None] * system[k, None, k + 1 :]
    prediction: Array = -system[-1, -1]
    return prediction

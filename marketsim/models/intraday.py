"""Bars shorter than a day: the time of day in the forecast range, and jumps over pauses.

On most markets the open and the close are busy. Each bar's moves are divided by a factor of its time, so that a model
of ranges sees bars that are alike, as days are; its forecast is multiplied by the factor of the bar ahead. Bars after
a pause, such as the first of a session, open away from the last close and have quantiles of their own.

The pattern is multiplicative, as in T. G. Andersen and T. Bollerslev, "Intraday periodicity and volatility persistence
in financial markets", Journal of Empirical Finance 4, 1997; here it is learnt anew at every bar, from earlier ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.data.calendars.zones import DAY, Stamps
from marketsim.forecasting.series import Series
from marketsim.models.rolling_quantile import log_moves, rolling_quantiles

WEEK = np.timedelta64(7, "D")  # before a bar, whose mean range is the measure of the bar's
RECENT = 250  # bars at a time, of which a factor is learnt
PRIOR_DAY = 5  # bars that a time of the day must outweigh to be told from others,
PRIOR_WEEK = 20  # and a time of the week to be told from the time of the day
PAUSE = 1.5  # times the usual distance of bars: beyond it there is a pause
LOOKBACK = 2_000  # bars, among which are the pauses that quantiles are taken of
LEAST = 10  # pauses; fewer do not carry quantiles of their own

Array = NDArray[np.float64]
Rows = NDArray[np.int64]


class Pattern(Struct, frozen=True):
    """The effect of the time of day at each of T bars, estimated from the bars up to it."""

    own: Array  # [T] log factor of the bar itself, learnt before it
    ahead: Array  # [T] of the bar after it
    pause: NDArray[np.bool_]  # [T] whether that one comes after a pause

    @classmethod
    def of(cls, series: Series, log_range: Array) -> Pattern:
        """The pattern of log true ranges `[T]`."""
        following = series.local_following
        assert following is not None and series.following is not None
        total = np.concatenate([[0.0], np.cumsum(log_range)])
        bar = np.arange(len(series))
        first = np.searchsorted(series.times, series.times - WEEK, "left")
        mean = (total[bar] - total[first]) / np.maximum(bar - first, 1)
        unusual = np.where(bar > first, log_range - mean, 0.0)
        times, ahead = _Times.of(series.local_times), _Times.of(following)
        nothing = _Factors(np.zeros(len(series)), np.zeros(len(series)))
        by_day = _learnt(unusual, times.of_day, ahead.of_day, PRIOR_DAY, nothing)
        by_week = _learnt(unusual, times.of_week, ahead.of_week, PRIOR_WEEK, by_day)
        distance = (series.following - series.times).astype(np.int64)
        return cls(by_week.own, by_week.ahead, distance > PAUSE * np.minimum.accumulate(distance))


class _Times(NamedTuple):
    """When bars open, in seconds."""

    of_day: Rows
    of_week: Rows

    @classmethod
    def of(cls, local: Stamps) -> _Times:
        seconds = local.astype("datetime64[s]").astype(np.int64)
        return cls(seconds % DAY, seconds % (7 * DAY))


class _Factors(NamedTuple):
    own: Array  # [T]
    ahead: Array  # [T]


def _learnt(unusual: Array, times: Rows, ahead: Rows, weight: int, prior: _Factors) -> _Factors:
    """The mean of what was `unusual` `[T]` at the bars of each time; a prior counts as much as `weight` bars."""
    found = _Factors(np.empty(len(unusual)), np.empty(len(unusual)))
    for time in np.unique(np.concatenate([times, ahead])):
        (bars,), (before,) = np.nonzero(times == time), np.nonzero(ahead == time)
        total = np.concatenate([[0.0], np.cumsum(unusual[bars])])

        def mean(known: Rows, at_prior: Array, total: Array = total) -> Array:
            first = np.maximum(known - RECENT, 0)
            learnt: Array = (total[known] - total[first] + weight * at_prior) / (known - first + weight)
            return learnt

        found.own[bars] = mean(np.arange(len(bars)), prior.own[bars])
        found.ahead[before] = mean(np.searchsorted(bars, before, "right"), prior.ahead[before])
    return found


def without_pattern(ohlcv: Array, pattern: Pattern) -> Array:
    """Bars `[T, 5]` whose moves from the close before are divided by the factor of their time."""
    logs = np.log(np.ascontiguousarray(ohlcv[:, :4].T))
    before = np.concatenate([logs[0, :1], logs[3, :-1]])
    moves = (logs - before) * np.exp(-pattern.own)
    close = np.concatenate([[0.0], np.cumsum(moves[3])[:-1]])
    return np.column_stack([*np.exp(close + moves), ohlcv[:, 4]])


def intraday_quantiles(
    series: Series,
    origins: Rows,
    log_range: Array,
    scales: Callable[[Array, int], Array],
    window: int,
    shortest: int,
) -> Array:
    """Quantiles of log moves `[N, 4, Q]` at `origins` `[N]`, the newest the series' last.

    They are those of past moves in units of `scales`, see `har.forecast_from_scales`: of the last `window` bars within
    sessions, or of those after pauses. Before `shortest` bars they are of the moves themselves.
    """
    pattern = Pattern.of(series, log_range)
    first = max(int(origins.min()) - LOOKBACK, 0)
    sigma = scales(without_pattern(series.ohlcv, pattern), first) * np.exp(pattern.ahead)
    moves = log_moves(series.ohlcv)
    units = moves.copy()
    units[:, first:] /= sigma[first:-1]
    within = np.flatnonzero(~pattern.pause[:-1])
    known = np.searchsorted(within, origins)
    found = rolling_quantiles(units[:, within], np.maximum(known, 1), window)
    after = np.flatnonzero(pattern.pause[:-1])
    oldest = np.searchsorted(after, np.maximum(origins - LOOKBACK, 0))
    newest = np.searchsorted(after, origins)
    for count in np.unique(newest - oldest):
        rows = np.flatnonzero(pattern.pause[origins] & (newest - oldest == count))
        if len(rows):
            own, ends = (after, newest[rows]) if count >= LEAST else (np.arange(len(moves.T)), origins[rows])
            found[rows] = rolling_quantiles(units[:, own], ends, max(int(count), 1) if count >= LEAST else window)
    found *= sigma[origins][:, None, None]
    short = origins + 1 < shortest
    found[short] = rolling_quantiles(moves, origins[short], window)
    return found

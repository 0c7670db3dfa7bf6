"""Forecasts of prices or of moves, recognized and converted to moves; impossible ones are refused."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.data.bars import CHANNELS, Bars
from marketsim.errors import DataError
from marketsim.forecasting.files.matching import NONE, Matched
from marketsim.forecasting.files.names import MOVES, PRICES
from marketsim.forecasting.files.quantiles import at_our_levels
from marketsim.forecasting.files.symbol_forecasts import SymbolForecasts
from marketsim.forecasting.forecasts import HIGH, LOW, MEDIAN

NEAR = 5.0  # times the last close: a price is no further from it
SAMPLE = 20  # of the oldest forecasts, that tell whether they can be of these bars
MOST = 0.9  # of them
WIDE = 20.0  # times the range of the bars: forecasts that reach so far are in per cent
SHOWN = 5  # rows in a message
ROUNDING = 1e-9  # of a move; quantiles that fall by no more are in order

Floats = NDArray[np.float64]


class GivenMoves(Struct, frozen=True, eq=False):
    """A symbol's forecasts at the T bars that they were made at, as moves from their closes; K levels."""

    unit: str  # that they were given in
    levels: tuple[float, ...]
    quantiles: Floats  # [T, 4, K], NaN where there is none; not more than one of them where a point stands alone
    points: Floats  # [T, 4] NaN where there is none, or quantiles stand beside it


def moves_of(found: SymbolForecasts, bars: Bars, matched: Matched, newest: int) -> GivenMoves:
    """The forecasts that were made up to the bar `newest`, as moves; DataError for what these cannot be.

    A point forecast beside quantiles is their median, where they have none.
    """
    rows = np.where(np.arange(len(bars)) <= newest, matched.rows, NONE)
    at = np.flatnonzero(rows != NONE)
    unit = found.unit or _unit(found, bars, at, rows)
    levels, quantiles = _with_points(found)
    moves = np.full((len(bars), len(CHANNELS), len(levels)), np.nan)
    moves[at] = quantiles[rows[at]]
    if unit == PRICES:
        ratio = moves / bars.close[:, None, None]
        _check_near(ratio, moves, bars, found, rows)
        moves = ratio - 1
    _check_order(moves, levels, found, rows)
    _check_bars(moves, bars, at, newest, found, unit)
    alone = np.count_nonzero(~np.isnan(moves), axis=-1) == 1
    middle = moves[..., levels.index(0.5)] if 0.5 in levels else np.full(moves.shape[:2], np.nan)
    points = np.where(alone, middle, np.nan)
    _check_sides(np.where(alone, points, at_our_levels(moves, levels)[..., MEDIAN]), bars, found, rows, unit)
    return GivenMoves(unit, levels, moves, points)


def _with_points(found: SymbolForecasts) -> tuple[tuple[float, ...], Floats]:
    """Levels and quantiles with the points among them, as medians."""
    if np.isnan(found.points).all():
        return found.levels, found.quantiles
    levels = tuple(sorted({*found.levels, 0.5}))
    middle = levels.index(0.5)
    known = 0.5 in found.levels
    quantiles = found.quantiles.copy() if known else np.insert(found.quantiles, middle, np.nan, axis=-1)
    column = quantiles[..., middle]
    quantiles[..., middle] = np.where(np.isnan(column), found.points, column)
    return levels, quantiles


def _unit(found: SymbolForecasts, bars: Bars, at: NDArray[np.int64], rows: NDArray[np.int64]) -> str:
    """Prices are positive, and near the last close of the first of them; what is neither is told by its size."""
    every = np.concatenate([found.quantiles.ravel(), found.points.ravel()])
    if (every <= 0).any() or not len(at):  # NaN is not
        _check_positive(found)
        return MOVES
    first = np.concatenate([found.quantiles[rows[at[0]]].ravel(), found.points[rows[at[0]]]])
    middle = float(np.nanmedian(first))
    near = 1 / NEAR < middle / float(bars.close[at[0]]) < NEAR
    return PRICES if near or middle > 1 else MOVES


def _check_positive(found: SymbolForecasts) -> None:
    """DataError for a price of nothing or less among others."""
    values = np.concatenate([found.quantiles, found.points[..., None]], -1)
    if np.nanmedian(np.abs(values)) > 1:  # no moves are so large
        row, channel, level = np.argwhere(values <= 0)[0].tolist()
        value = values[row, channel, level]
        raise DataError(f"{found.place(row)}: a {CHANNELS[channel]} of {value:g} among prices")


def _check_near(ratio: Floats, prices: Floats, bars: Bars, found: SymbolForecasts, rows: NDArray[np.int64]) -> None:
    """DataError for the first price that is far from the last close."""
    wrong = np.argwhere((ratio > NEAR) | (ratio < 1 / NEAR))
    if len(wrong):
        t, channel, level = wrong[0].tolist()
        times = ratio[t, channel, level]
        raise DataError(
            f"{found.place(int(rows[t]))}: a {CHANNELS[channel]} of {prices[t, channel, level]:g} is {times:.3g} times "
            f"the last close, {bars.close[t]:g}: prices of another scale, currency or symbol"
        )


def _check_order(moves: Floats, levels: tuple[float, ...], found: SymbolForecasts, rows: NDArray[np.int64]) -> None:
    """DataError for the first quantile that lies below the one before it."""
    before = np.fmax.accumulate(moves, axis=-1)
    wrong = np.argwhere(moves < before - ROUNDING)
    if len(wrong):
        t, channel, level = wrong[0].tolist()
        raise DataError(
            f"{found.place(int(rows[t]))}: quantiles of the {CHANNELS[channel]} that cross: the "
            f"{100 * levels[level]:g} % one lies below one that should be lower"
        )


def _check_sides(medians: Floats, bars: Bars, found: SymbolForecasts, rows: NDArray[np.int64], unit: str) -> None:
    """DataError for forecasts whose high lies below their low, by medians `[T, 4]` or points; no bar is like that."""
    wrong = np.flatnonzero(medians[:, HIGH] < medians[:, LOW] - ROUNDING)
    if not len(wrong):
        return
    first = int(wrong[0])
    values = medians[first] if unit == MOVES else bars.close[first] * (1 + medians[first])
    sides = f"a high of {values[HIGH]:.6g} below the low of {values[LOW]:.6g}"
    of_all = f"in {len(wrong)} of {np.count_nonzero(rows != NONE)} forecasts of {bars.symbol}"
    more = [found.place(int(rows[t])).rpartition(", ")[2] for t in wrong[1:SHOWN]]
    also = f"; also {', '.join(more)}{', ...' if len(wrong) > SHOWN else ''}" if more else ""
    raise DataError(f"{found.place(int(rows[first]))}: {sides}, {of_all}{also}")


def _check_bars(
    moves: Floats, bars: Bars, at: NDArray[np.int64], newest: int, found: SymbolForecasts, unit: str
) -> None:
    """DataError where the oldest forecasts cannot be of these bars: they are the bars themselves, or far from them."""
    at = at[at < newest][:SAMPLE]
    if len(at) < 5:
        return
    actual = bars.ohlcv[at + 1, :4] / bars.close[at, None] - 1
    told = ~np.isnan(moves[at])
    where, name = found.place(0).rpartition(", ")[0], bars.symbol
    if (np.abs(moves[at] - actual[..., None])[told] < ROUNDING).all():
        raise DataError(f"{where}: the forecasts of {name} are the bars themselves: look-ahead, not forecasts")
    reach = np.nanmedian(np.nanmax(np.abs(moves[at]), axis=(1, 2)))
    usual = np.median(np.abs(bars.ohlcv[1 : newest + 1, :4] / bars.close[:newest, None] - 1).max(1))
    if unit == MOVES and reach > WIDE * usual:
        raise DataError(
            f"{where}: moves of {name} that reach {reach:.3g} at the median, where its bars reach {usual:.3g}: a move "
            "is a fraction of the last close, 0.02 for 2 %"
        )
    low, high = np.nanmin(moves[at], axis=(1, 2)), np.nanmax(moves[at], axis=(1, 2))
    apart = (high < actual[:, LOW]) | (low > actual[:, HIGH])
    if apart.mean() >= MOST:
        raise DataError(
            f"{where}: {apart.sum()} of the first {len(at)} bars of {name} lie wholly beyond what is forecast of them: "
            "prices of another currency or symbol, or wrong stamps"
        )

"""Calibration of the take-profit probability w, on bars whose finer bars show the order of their prices.

Longs and shorts are placed between parts of the forecast high and low of every bar: levels that nothing has fitted.
Each is booked twice, without and with the finer bars; no costs are charged.
"""

from __future__ import annotations

import itertools

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from marketsim.backtesting.finer_market import with_order
from marketsim.data.bars import Bars
from marketsim.errors import DataError
from marketsim.execution.bar_variance import path_variance
from marketsim.execution.profit_terms import Costs, Levels, Outcomes
from marketsim.execution.strategies import Legs
from marketsim.execution.track_record import TrackRecord, book
from marketsim.forecasting.forecasts import CLOSE, HIGH, LOW, OPEN, Forecasts, actual_moves
from marketsim.results.calibration_schema import CalibratedSymbol, TenthRow
from marketsim.results.schema import FineFacts
from marketsim.results.significance import Z
from marketsim.settings.choices import BASIS_POINTS, EXPECTED, FILLS, PROVABLE, TOUCH

HISTORY = 220  # bars before the first forecast, or a third of fewer: the regression of `har` asks for so many
PARTS = (0.25, 0.5, 1.0)  # of the forecast high and low
TENTHS = 10
LEAST = 5  # cases, fewer of which have no interval

Floats = NDArray[np.float64]


class Trades(Struct, frozen=True):
    """Longs and shorts at P pairs of levels on N bars, booked by what a bar proves and by its finer bars."""

    trades: NDArray[np.int64]  # [P, N] 1 where entered
    profits: dict[str, Floats]  # [P, N] by fill policy, of the bar alone
    path: dict[str, Floats]  # [P, N] by fill policy, of its finer bars: the least, the likeliest and the most
    w: Floats  # [P, N] NaN where the bar alone leaves no doubt
    known: NDArray[np.bool_]  # [P, N] in doubt by the bar alone, and settled by its finer bars
    covered: NDArray[np.bool_]  # [N]
    fine: FineFacts

    @property
    def observed(self) -> Floats:
        """Whether the take-profit was filled `[P, N]`, where that is known."""
        least, most = self.profits[PROVABLE], self.profits[TOUCH]
        share = (self.path[EXPECTED] - least) / np.where(self.known, most - least, np.nan)
        return np.rint(share)


def origins_of(bars: Bars) -> NDArray[np.int64]:
    """The origins of all bars that are long enough into the series."""
    return np.arange(min(HISTORY, len(bars) // 3), len(bars) - 1)


def trades_of(bars: Bars, origins: NDArray[np.int64], forecasts: Forecasts) -> Trades:
    """All trades on the bars after the `origins`; DataError where no bar has finer ones."""
    levels = Levels(forecasts.high, forecasts.low, *path_variance(forecasts.moves))
    moves = actual_moves(bars, origins)
    alone = Outcomes(moves[:, OPEN], moves[:, HIGH], moves[:, LOW], moves[:, CLOSE])
    ordered, fine = with_order(alone, bars, origins, levels)
    if not fine.covered:
        raise DataError(f"{bars.symbol}: no bar is covered by finer ones: --fine names those of the same days")
    assert ordered.inside is not None
    covered = ordered.inside.count > 1
    found, by_path = zip(*((_booked(pair, alone), _booked(pair, ordered)) for pair in _pairs(levels)), strict=True)
    ambiguous, left = (np.stack([track.ambiguous for track in tracks]) for tracks in (found, by_path))
    return Trades(
        trades=np.stack([track.trades for track in found]) * covered,
        profits={fill: np.stack([track.profits[fill] for track in found]) for fill in FILLS},
        path={fill: np.stack([track.profits[fill] for track in by_path]) for fill in FILLS},
        w=np.where(covered, np.stack([track.probability for track in found]), np.nan),
        known=ambiguous & ~left & covered,
        covered=covered,
        fine=fine,
    )


class _Pair(Struct, frozen=True):
    levels: Levels
    legs: Legs


def _pairs(levels: Levels) -> list[_Pair]:
    every = np.ones(len(levels.high_move), bool)
    sides = (Legs(every, None), Legs(~every, every))
    return [
        _Pair(replace(levels, high_move=high * levels.high_move, low_move=low * levels.low_move), legs)
        for low, high, legs in itertools.product(PARTS, PARTS, sides)
    ]


def _booked(pair: _Pair, outcomes: Outcomes) -> TrackRecord:
    zeros = np.zeros(len(outcomes.close))
    never = zeros > 0
    return book("", pair.levels, outcomes, pair.legs, Costs(0.0, 0.0), EXPECTED, (zeros, zeros), never)


def calibration(bars: Bars, found: Trades) -> CalibratedSymbol:
    """Compare w with how often the take-profits in doubt were filled."""
    pair, bar = np.nonzero(found.known)
    w, observed = found.w[pair, bar], found.observed[pair, bar]
    trades = int(found.trades.sum())
    off = ((found.profits[EXPECTED] - found.path[EXPECTED]) * found.trades).sum(0)[found.covered]
    base = observed.mean() if len(observed) else np.nan
    gain = np.bincount(bar, (observed - base) ** 2 - (observed - w) ** 2, minlength=len(found.covered))
    return CalibratedSymbol(
        symbol=bars.symbol,
        source=bars.source,
        fine=found.fine,
        trades=trades,
        ambiguous=int((~np.isnan(found.w)).sum()),
        known=len(w),
        tenths=[_tenth(i, w, observed, bar) for i in range(TENTHS)],
        brier=float(((observed - w) ** 2).mean()) if len(w) else None,
        constant=float(((observed - base) ** 2).mean()) if len(w) else None,
        gain_error=float(Z * np.sqrt((gain**2).sum()) / len(w)) if len(w) >= LEAST else None,
        bias_bps=float(BASIS_POINTS * off.sum() / trades) if trades else None,
        bias_error_bps=float(BASIS_POINTS * Z * off.std(ddof=1) * np.sqrt(len(off)) / trades) if trades else None,
        least_bps=_mean_off(found, PROVABLE),
        most_bps=_mean_off(found, TOUCH),
    )


def _mean_off(found: Trades, path: str) -> float | None:
    """By how much `expected` is above the least, or the most, that the finer bars allow, in basis points a trade."""
    trades = found.trades.sum()
    off = ((found.profits[EXPECTED] - found.path[path]) * found.trades).sum()
    return float(BASIS_POINTS * off / trades) if trades else None


def _tenth(number: int, w: Floats, observed: Floats, bar: NDArray[np.int64]) -> TenthRow:
    """The cases in one tenth of w; several on one bar are one piece of evidence."""
    inside = np.minimum((TENTHS * w).astype(np.int64), TENTHS - 1) == number
    cases = int(inside.sum())
    if not cases:
        return TenthRow(above=number / TENTHS, cases=0, predicted=None, observed=None, low=None, high=None)
    rate = float(observed[inside].mean())
    by_bar = np.bincount(bar[inside], observed[inside] - rate)
    error = Z * float(np.sqrt((by_bar**2).sum())) / cases
    certain = cases < LEAST or error == 0  # nothing varies
    return TenthRow(
        above=number / TENTHS,
        cases=cases,
        predicted=float(w[inside].mean()),
        observed=rate,
        low=None if certain else max(0.0, rate - error),
        high=None if certain else min(1.0, rate + error),
    )

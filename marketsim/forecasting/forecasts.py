"""Forecasts: quantiles of moves, their validity, and the actual moves.

Letters: T bars, N origins, Q quantile levels; channels are open, high, low, close, in this order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.data.bars import Bars
from marketsim.forecasting.protocols import Identity

if TYPE_CHECKING:
    from marketsim.forecasting.contamination import Exposure

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
MEDIAN = 4  # index in LEVELS; a model may put another point forecast there
OPEN, HIGH, LOW, CLOSE = range(4)
LEAST_MOVE, LARGEST_MOVE = -1.0, 10.0  # a price cannot fall below nothing; levels end at +1,000 % too
HIGHEST, LOWEST = 4, 5  # of a path: the extremes of all its bars up to one, beside the four channels of that one


class Forecasts(Struct, frozen=True):
    """Coherent quantile forecasts of the bar after each origin, as moves from the origin's close."""

    model: Identity  # that made them
    origins: NDArray[np.int64]  # [N] bar index, increasing
    moves: NDArray[np.float64]  # [N, 4, Q], of paths [N, K, 6, Q], rising in Q, fractions of the origin's close
    repaired: NDArray[np.bool_]  # [N], of paths [N, K], whose median was incoherent and was widened
    made: int  # forecasts computed now
    reused: int  # forecasts read from the cache
    notes: tuple[str, ...] = ()  # one-line remarks for stderr
    exposure: Sequence[Exposure] | None = None  # [N] of the bars that are forecast, where it is not the model's to tell
    doubt: str | None = None  # why some of them are unknown
    sealed: NDArray[np.bool_] | None = None  # [N] before their bar was over; None where no journal was asked
    look_ahead: str | None = None  # how the model was caught, in words; None where it was not
    implausible: str | None = None  # why they are implausible, in words; None where they are not

    @property
    def high(self) -> NDArray[np.float64]:
        """Median move of the high, `[N]`, of paths `[N, K]`."""
        return self.moves[..., HIGH, MEDIAN]

    @property
    def low(self) -> NDArray[np.float64]:
        """Median move of the low, `[N]`, of paths `[N, K]`."""
        return self.moves[..., LOW, MEDIAN]

    @property
    def close(self) -> NDArray[np.float64]:
        """Median move of the close, `[N]`, of paths `[N, K]`."""
        return self.moves[..., CLOSE, MEDIAN]


class ForecastBars(Struct, frozen=True):
    """A symbol's bars, and what is forecast of them."""

    bars: Bars
    forecasts: Forecasts

    @property
    def notes(self) -> tuple[str, ...]:
        """Remarks for stderr."""
        return *self.bars.notes, *self.forecasts.notes


def actual_moves(bars: Bars, origins: NDArray[np.int64]) -> NDArray[np.float64]:
    """What the bars after the `origins` did: moves `[N, 4]` from the origins' closes."""
    moves: NDArray[np.float64] = bars.ohlcv[origins + 1, :4] / bars.close[origins, None] - 1
    return moves


def fault(moves: NDArray[np.float64], shape: tuple[int, ...]) -> str | None:
    """What is wrong with forecasts that should have `shape`, in words; None where they may be used.

    The same is asked of what a model returns and of what a cache returns.
    """
    if moves.shape != shape:
        return f"moves in shape {moves.shape}, not {shape}"
    if wrong := np.count_nonzero(~np.isfinite(moves)):
        return f"{wrong} of {moves.size} moves that are not finite"
    outside = (moves < LEAST_MOVE) | (moves > LARGEST_MOVE * (1 + 1e-9))
    if outside.any():
        return (
            f"{np.count_nonzero(outside)} of {moves.size} moves outside -100 % to +1,000 % of the last close, "
            f"{moves[outside][0]:.4g} the first"
        )
    return None


def repair(moves: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Sort the quantiles, widen high and low to cover open and close, and tell `[N]` whose median needed it.

    A high above two others has every quantile above theirs, so each level is widened by the same rule. So are the
    extremes of paths `[N, K, 6, Q]`, to cover the highs and lows of all bars so far.
    """
    moves = np.sort(moves, axis=-1)
    body = moves[..., [OPEN, CLOSE], :]
    high = np.maximum(moves[..., HIGH, :], body.max(-2))
    low = np.minimum(moves[..., LOW, :], body.min(-2))
    widened = (high != moves[..., HIGH, :]) | (low != moves[..., LOW, :])
    moves[..., HIGH, :], moves[..., LOW, :] = high, low
    if moves.shape[-2] > LOWEST:
        for row, widen, least in ((HIGHEST, np.maximum, high), (LOWEST, np.minimum, low)):
            moves[..., row, :] = widen.accumulate(widen(moves[..., row, :], least), axis=-2)
    return moves, widened[..., MEDIAN]

"""Ten common ways to look ahead by mistake, each with a clean version of the same few lines.

Every leak is a model that is handed a `Series` and knows more at its origin than was known then. Its clean twin is the
same class with `leaks=False`. `marketsim audit --selftest` must catch all ten, and let all twins pass.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from marketsim.data.bars import Bars
from marketsim.forecasting.forecasts import LEVELS
from marketsim.forecasting.keys import contexts_of, keys_of, reads_contexts
from marketsim.forecasting.protocols import Model
from marketsim.forecasting.series import Series
from marketsim.models.past_model import PastModel

Floats = NDArray[np.float64]

LARGEST = 0.02  # of a move that is forecast
SPREAD = np.array([[0.0], [0.01], [-0.01], [0.0]]) + 0.01 * (np.array(LEVELS) - 0.5)  # [4, Q] around the close
WEEK = 5  # bars


class Twin(PastModel):
    """A leak, or its clean twin: a point forecast of the next close, with a constant spread around it."""

    leak: ClassVar[str]  # in words
    minimum_bars = 30

    def __init__(self, leaks: bool) -> None:
        self.leaks = leaks
        self.name = f"{type(self).__name__} {'leak' if leaks else 'twin'}"

    def forecast(self, series: Series, origins: NDArray[np.int64]) -> Floats:
        """See `HistoryModel.forecast`."""
        guesses = np.array([self.guess(series, int(origin)) for origin in origins])
        moves: Floats = LARGEST * np.tanh(guesses)[:, None, None] + SPREAD
        return moves

    def seen(self, series: Series, origin: int) -> Series:
        """The bars that may be used at the origin; the leak uses all bars."""
        return series if self.leaks else series.until(origin)

    @abstractmethod
    def guess(self, series: Series, origin: int) -> float:
        """The next move, about 1 for a large one."""


class FullWindowNormalization(Twin):
    """Prices are standardised by a mean and a deviation of the whole series."""

    leak = "normalized by the whole series"

    def guess(self, series: Series, origin: int) -> float:
        """How far the close lies below the mean."""
        closes = np.log(closes_of(self.seen(series, origin)))
        return float((closes.mean() - closes[origin]) / closes.std())


class CentredAverage(Twin):
    """A moving average whose window reaches as far ahead as back."""

    leak = "centered moving average"

    def guess(self, series: Series, origin: int) -> float:
        """The average against the close."""
        closes = closes_of(self.seen(series, origin))
        window = closes[origin - 2 : origin + 3] if self.leaks else closes[origin - 4 : origin + 1]
        return float(50 * (window.mean() / closes[origin] - 1))


class TargetInFeatures(Twin):
    """A regression whose features have the target among them, through a column that was shifted the wrong way."""

    leak = "target among the features"

    def guess(self, series: Series, origin: int) -> float:
        """The regression's prediction."""
        moves = np.diff(np.log(closes_of(series)), append=np.nan)  # row t: the move after bar t
        shifted = np.roll(moves, 0 if self.leaks else 1)
        past = np.arange(5, origin)
        slope = np.dot(shifted[past], moves[past]) / (np.dot(shifted[past], shifted[past]) + 1e-12)
        return float(np.nan_to_num(50 * slope * shifted[origin]))


class OriginOffByOne(Twin):
    """The origin is taken for the bar to be forecast."""

    leak = "origin off by one"

    def guess(self, series: Series, origin: int) -> float:
        """The last move again."""
        closes = closes_of(series)
        newest = min(origin + 1, len(closes) - 1) if self.leaks else origin
        return float(50 * (closes[newest] / closes[newest - 1] - 1))


class LateResampling(Twin):
    """Bars of a week stand under the stamp of its first day, with a close that only its last day has."""

    leak = "resampled bars that close late"

    def guess(self, series: Series, origin: int) -> float:
        """The close of the week against the last one."""
        closes = closes_of(series)
        week = origin // WEEK if self.leaks else (origin + 1) // WEEK - 1  # the one it is in, or the last whole one
        end = min((week + 1) * WEEK, len(closes)) - 1
        return float(20 * (closes[end] / closes[origin] - 1))


class BackwardFill(Twin):
    """A volume that is missing is taken from the next bar that has one."""

    leak = "missing values filled backwards"

    def guess(self, series: Series, origin: int) -> float:
        """The volume of the origin against the usual one."""
        volume = series.ohlcv[:, 4]
        known = np.flatnonzero(~np.isnan(volume))
        before, after = known[known <= origin], known[known >= origin]
        source = after[0] if self.leaks and len(after) else before[-1]
        return float(np.log(volume[source] / np.nanmedian(volume[: origin + 1])))


class ScalerFittedOnAll(Twin):
    """A feature is standardised by the whole table, before the table is parted in past and future."""

    leak = "scaler fitted on past and future"

    def guess(self, series: Series, origin: int) -> float:
        """How wide the origin's bar is among all bars."""
        ranges = _ranges(self.seen(series, origin))
        return float((ranges[origin] - ranges.mean()) / ranges.std())


class FutureSplitFactor(Twin):
    """Prices are adjusted for splits that were not known yet, and how far they have come is a feature."""

    leak = "adjusted by a future split"

    def guess(self, series: Series, origin: int) -> float:
        """How much cheaper the share looks than on its first bar."""
        closes = closes_of(self.seen(series, origin))
        ratios = closes[1:] / closes[:-1]
        splits = np.where(ratios < 0.3, ratios, 1.0)  # of one bar each
        return float(-np.log(closes[origin] * splits[origin:].prod() / closes[0]))


class OtherSymbol(Twin):
    """What another symbol did at the stamp that is to be forecast, remembered from when that one was forecast."""

    leak = "another symbol at the same stamp"

    def __init__(self, leaks: bool) -> None:
        super().__init__(leaks)
        self.remembered: dict[str, Series] = {}

    def guess(self, series: Series, origin: int) -> float:
        """The last move, and that of the other symbol."""
        self.remembered[series.symbol] = series
        closes = closes_of(series)
        moves = [closes[origin] / closes[origin - 1] - 1]
        if self.leaks and origin + 1 < len(series):
            others = [bars for symbol, bars in self.remembered.items() if symbol != series.symbol]
            moves += [_move_at(other, series.times[origin + 1]) for other in others]
        return float(50 * np.sum(moves))


class KeyWithoutCalendar(Twin):
    """A model that reads the day of the bar to be forecast, kept under a key that does not hold that day."""

    leak = "cache key without the calendar"
    context = 30

    def forecast(self, contexts: Floats, times: NDArray[np.datetime64]) -> Floats:  # type: ignore[override]
        """See `ContextModel.forecast`."""
        weekday = times[:, -1].astype("datetime64[D]").astype(int) % 7
        moves: Floats = LARGEST * np.tanh(weekday - 3.0)[:, None, None] + SPREAD
        return moves

    @property
    def batch(self) -> int:
        """See `ContextModel.batch`."""
        return 16

    def guess(self, series: Series, origin: int) -> float:
        """It has no history to guess from."""
        raise NotImplementedError

    def keys(self, model: Model, bars: Bars, origins: NDArray[np.int64]) -> list[bytes]:
        """The cache keys: the right ones, or digests of the prices only."""
        if not self.leaks:
            return keys_of(model, bars, origins)
        assert reads_contexts(model)
        contexts = contexts_of(model, bars, origins)
        return [hashlib.blake2b(contexts.at(row)[0].tobytes()).digest() for row in range(len(origins))]


LEAKS: tuple[type[Twin], ...] = (
    FullWindowNormalization,
    CentredAverage,
    TargetInFeatures,
    OriginOffByOne,
    LateResampling,
    BackwardFill,
    ScalerFittedOnAll,
    KeyWithoutCalendar,
    FutureSplitFactor,
    OtherSymbol,
)


def closes_of(series: Series) -> Floats:
    """Closes `[T]`."""
    return series.ohlcv[:, 3]


def _ranges(series: Series) -> Floats:
    """High over low `[T]`, in logs."""
    return np.log(series.ohlcv[:, 1] / series.ohlcv[:, 2])


def _move_at(series: Series, stamp: np.datetime64) -> float:
    """The move of a symbol's bar that opens at that time, 0 without one."""
    row = int(np.searchsorted(series.times, stamp))
    if not 0 < row < len(series) or series.times[row] != stamp:
        return 0.0
    closes = closes_of(series)
    return float(closes[row] / closes[row - 1] - 1)

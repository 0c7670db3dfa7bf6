"""Bars: one symbol's open, high, low, close and volume, their checks and their fingerprint.

A valid series is strictly increasing in time, its prices are finite and positive, `low <= min(open, close)`,
`high >= max(open, close)`, and its volume is absent (NaN) or not negative.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from marketsim.data.calendar import DAY
from marketsim.data.symbols import is_crypto
from marketsim.errors import DataError, UsageError

CHANNELS = ("open", "high", "low", "close")
LONGEST_CLOSURE = 4 * DAY  # of a stock market in an ordinary year: a weekend with a holiday on either side


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """One symbol's T bars, oldest first; `make_bars` builds checked ones."""

    symbol: str  # canonical, such as "ETHUSD"
    source: str  # where they come from, in words
    time: NDArray[np.datetime64]  # [T] datetime64[s], UTC, the bar's open
    ohlcv: NDArray[np.float64]  # [T, 5] open, high, low, close (price units), volume (units or NaN)
    crypto: bool  # sets the fees, whether a short is possible, and the trading days of a year
    dropped: int = 0  # bad rows that were left out
    notes: tuple[str, ...] = ()  # one-line remarks for stderr

    def __len__(self) -> int:
        return len(self.time)

    @property
    def open(self) -> NDArray[np.float64]:
        """[T] view, price units."""
        return self.ohlcv[:, 0]

    @property
    def high(self) -> NDArray[np.float64]:
        """[T] view, price units."""
        return self.ohlcv[:, 1]

    @property
    def low(self) -> NDArray[np.float64]:
        """[T] view, price units."""
        return self.ohlcv[:, 2]

    @property
    def close(self) -> NDArray[np.float64]:
        """[T] view, price units."""
        return self.ohlcv[:, 3]

    @property
    def volume(self) -> NDArray[np.float64]:
        """[T] view, units, NaN where absent."""
        return self.ohlcv[:, 4]

    @property
    def periods_per_year(self) -> int:
        """Bars a year, to annualise with: 365 (crypto) or 252 for daily bars, whose median spacing is a day.

        Bars of another spacing are counted: 365 days over their mean spacing, closing hours included.
        """
        steps = self._steps()
        if not steps.size or np.median(steps) == DAY:
            return 365 if self.crypto else 252
        return max(1, round(365 * DAY / float(steps.mean())))

    @property
    def gaps(self) -> int:
        """Holes in the calendar, never filled. Crypto: missing bars at the median spacing.

        Other markets close: pauses above four days, or above twice the median spacing if that is longer.
        """
        steps = self._steps()
        if not steps.size:
            return 0
        usual = float(np.median(steps))
        if self.crypto:
            return int(np.maximum(np.rint(steps / usual) - 1, 0).sum())
        return int((steps > max(LONGEST_CLOSURE, 2 * usual)).sum())

    @property
    def fingerprint(self) -> str:
        """sha256, in hex, of the bytes of time (int64 seconds) and of ohlcv (float64), little-endian."""
        digest = hashlib.sha256(self.time.astype("<i8").tobytes())
        digest.update(self.ohlcv.astype("<f8").tobytes())
        return digest.hexdigest()

    def between(self, start: str | None, end: str | None) -> Bars:
        """The bars from the day `start` to the day `end`, both ISO dates and both included.

        UsageError for what is not an ISO date, DataError when no bar is left.
        """
        keep = np.ones(len(self), dtype=bool)
        if start is not None:
            keep &= self.time >= _day(start)
        if end is not None:
            keep &= self.time < _day(end) + np.timedelta64(1, "D")
        if not keep.any():
            raise DataError(
                f"{self.symbol}: no bar from {start or 'the first'} to {end or 'the last'}; "
                f"there are bars from {self.time[0]} to {self.time[-1]}"
            )
        return replace(self, time=self.time[keep], ohlcv=self.ohlcv[keep])

    def _steps(self) -> NDArray[np.int64]:
        """[T - 1] seconds from bar to bar."""
        return np.diff(self.time).astype(np.int64)


def make_bars(
    symbol: str,
    source: str,
    time: NDArray[np.datetime64],
    ohlcv: NDArray[np.float64],
    *,
    crypto: bool | None = None,
    drop: bool = False,
    unreadable: Mapping[int, str] | None = None,
    place: Callable[[int], str] = "row {}".format,
    time_column: str = "time",
    notes: tuple[str, ...] = (),
) -> Bars:
    """Checked bars from `time` [T] (datetime64[s], UTC) and `ohlcv` [T, 5].

    The first bad row is a DataError that names `place(row)`, column and value. With `drop`, bad rows and
    repeated stamps (all but the first) are left out and counted; stamps out of order stay an error, for
    which row is wrong cannot be told. `unreadable`: row -> words, for cells that could not be read as
    numbers. `crypto` None decides from the symbol.
    """
    steps = np.diff(time).astype(np.int64)
    if (steps < 0).any():
        row = int(np.argmax(steps < 0)) + 1
        raise DataError(
            f"{place(row)}, column '{time_column}': {time[row]} comes after {time[row - 1]}; "
            "stamps must increase, oldest first"
        )
    bad = faults(ohlcv) | dict(unreadable or {})
    good = np.ones(len(time), dtype=bool)
    good[list(bad)] = False
    kept = np.flatnonzero(good)
    for row in kept[1:][time[kept[1:]] == time[kept[:-1]]]:
        bad[int(row)] = f"column '{time_column}': {time[row]} is there twice"
        good[row] = False
    if bad:
        first = min(bad)
        words = f"{place(first)}, {bad[first]}"
        if not drop:
            raise DataError(f"{words} (--on-bad-bars drop leaves bad rows out)")
        if not good.any():
            raise DataError(f"{words}; no good row is left of {len(time)}")
        plural = "s" if len(bad) > 1 else ""
        notes = (*notes, f"{symbol}: {len(bad)} bad row{plural} left out, the first at {words}")
        time, ohlcv = time[good], ohlcv[good]
    ohlcv = np.ascontiguousarray(ohlcv, dtype=np.float64)
    return Bars(symbol, source, time, ohlcv, is_crypto(symbol) if crypto is None else crypto, len(bad), notes)


def faults(ohlcv: NDArray[np.float64]) -> dict[int, str]:
    """The rows of `ohlcv` [T, 5] that break a rule, each with column, value and rule in words."""
    open_, high, low, close, volume = ohlcv.T
    rules = [
        (name, values, ~((values > 0) & (values < np.inf)), "is not a positive, finite price")
        for name, values in zip(CHANNELS, ohlcv.T, strict=False)
    ]
    rules += [
        ("high", high, high < low, "is below the low"),
        ("high", high, high < np.maximum(open_, close), "is below the open or the close"),
        ("low", low, low > np.minimum(open_, close), "is above the open or the close"),
        ("volume", volume, (volume < 0) | np.isinf(volume), "is negative or infinite"),
    ]
    found: dict[int, str] = {}
    for name, values, wrong, words in rules:
        for row in np.flatnonzero(wrong):
            found.setdefault(int(row), f"column '{name}': {values[row]} {words}")
    return found


def _day(text: str) -> np.datetime64:
    try:
        return np.datetime64(date.fromisoformat(text), "s")
    except ValueError:
        raise UsageError(f"{text!a} is not a date; dates look like 2020-12-31") from None

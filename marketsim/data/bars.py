"""Bars: one symbol's open, high, low, close and volume, their checks and their fingerprint.

A valid series is strictly increasing in time, its prices are finite and positive, `low <= min(open, close)`,
`high >= max(open, close)`, and its volume is absent (NaN) or not negative.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from marketsim.data.assets import asset_of
from marketsim.data.calendars.calendar import open_calendar
from marketsim.data.calendars.regularity import choose_timetable, make_timetable, misfit
from marketsim.data.calendars.timetable import Timetable
from marketsim.data.faults import CHANNELS as CHANNELS
from marketsim.data.faults import bad_bars, check_order, remedy
from marketsim.data.present import day_or_stamp
from marketsim.digests import sha256
from marketsim.errors import DataError, UsageError

if TYPE_CHECKING:
    import pandas as pd

UNKNOWN = np.datetime64("NaT", "s")
MOST_BAD = 0.05  # share of the rows: more are no single bad rows, but a file that was misread
NEWEST = 1_000  # bars among which the unfinished ones are


class Bars(Struct, frozen=True, eq=False):
    """One symbol's T bars, oldest first; `make_bars` builds checked ones.

    >>> import marketsim
    >>> marketsim.load_bars("ETHUSD").to_frame().columns.tolist()
    ['Open', 'High', 'Low', 'Close', 'Volume']
    """

    symbol: str  # canonical, such as "ETHUSD"
    source: str  # where they come from, in words
    time: NDArray[np.datetime64]  # [T] datetime64[s], UTC, the bar's open
    ohlcv: NDArray[np.float64]  # [T, 5] open, high, low, close (price units), volume (units or NaN)
    crypto: bool  # sets the fees and whether a short is possible
    timetable: Timetable  # when its bars open and end
    dropped: int = 0  # bad rows that were left out
    read_at: np.datetime64 = UNKNOWN  # UTC, the present when they were read; sets which bars are past
    notes: tuple[str, ...] = ()  # one-line remarks for stderr
    doubt: str | None = None  # about the calendar, in one line
    finer: tuple[Bars, ...] = ()  # shorter ones, which tell the order of prices inside these

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

    def to_frame(self) -> pd.DataFrame:
        """The bars as a DataFrame: Open, High, Low, Close (price units), Volume (NaN where absent), float64.

        The index is the bars' opens in UTC.

        Examples
        --------
        >>> from marketsim.data import open_source
        >>> float(open_source("sample").load("ETHUSD").to_frame().Close.iloc[-1])
        595.03
        """
        from marketsim.data.frames import to_frame

        return to_frame(self)

    @staticmethod
    def from_frame(frame: pd.DataFrame, *, symbol: str, crypto: bool | None = None, on_bad_bars: str = "error") -> Bars:
        """Checked bars from a DataFrame.

        Parameters
        ----------
        frame
            Open, High, Low, Close and, if known, Volume, in any case, by a DatetimeIndex of the opens (naive: UTC).
        symbol, crypto
            Such as "NVDA"; decides fees, calendar and whether a short is possible. `crypto` overrides what it says.
        on_bad_bars
            "error", or "drop" to leave bad rows out and count them.

        Raises
        ------
        DataError
            A column is missing, or a row is bad: it names the row, the column and the value.

        Examples
        --------
        >>> from marketsim.data import open_source
        >>> frame = open_source("sample").load("NVDA").to_frame()
        >>> len(Bars.from_frame(frame, symbol="NVDA")) == len(frame)
        True
        """
        from marketsim.data.frames import from_frame

        return from_frame(frame, symbol, crypto, drop=on_bad_bars == "drop")

    @property
    def periods_per_year(self) -> int:
        """Bars a year, to annualize with, by the calendar: 365 (crypto) or 252 (XNYS) where a bar is a day."""
        return self.timetable.bars_per_year

    @property
    def gaps(self) -> int:
        """Bars between the first and the last that the calendar has and the series lacks; they are never filled."""
        return self.timetable.missing(self.time)

    @property
    def fingerprint(self) -> str:
        """sha256, in hex, of the bytes of time (int64 seconds) and of ohlcv (float64), little-endian.

        Where there are finer bars, their fingerprints follow.
        """
        digest = sha256(self.time.astype("<i8").tobytes())
        digest.update(self.ohlcv.astype("<f8").tobytes())
        for finer in self.finer:
            digest.update(bytes.fromhex(finer.fingerprint))
        return digest.hexdigest()

    def names(self, times: NDArray[np.datetime64] | None = None) -> NDArray[np.str_]:
        """What bars at `times` (its own, if None) are called: the dates of daily ones, the UTC stamps of others."""
        times = self.time if times is None else times
        return (self.timetable.dates(times) if self.timetable.named_by_date else times).astype(np.str_)

    def following(self, origins: NDArray[np.int64]) -> NDArray[np.datetime64]:
        """When the bar after each of the `origins` `[N]` should open, as far as was known at its end."""
        return self.timetable.following(self.time[origins])

    def next_opens(self, count: int) -> NDArray[np.datetime64]:
        """When the `count` bars after the newest one should open."""
        return next_opens(self.timetable, self.time[-1], count)

    def on(self, calendar: str) -> Bars:
        """The same bars by the calendar of this name; see `calendar.open_calendar`."""
        market, zone = open_calendar(calendar), self.timetable.zone
        table = make_timetable(self.time, market, zone)
        return replace(self, timetable=table, doubt=misfit(self.symbol, self.time, table))

    def with_finer(self, *finer: Bars) -> Bars:
        """The same bars with finer ones, which show the order of prices inside them.

        Of several series the finest that covers a bar and agrees with it is used. UsageError for bars of another
        symbol, or that are not finer.
        """
        for bars in finer:
            if bars.symbol != self.symbol or bars.timetable.spacing >= self.timetable.spacing:
                raise UsageError(f"{bars.symbol}, {bars.source}: no finer bars of {self.symbol}, {self.source}")
        return replace(self, finer=finer)

    def between(self, start: str | None, end: str | None) -> Bars:
        """The bars from `start` to `end`, both included: ISO dates, which are days of the bars' zone, or stamps.

        A stamp without a zone is UTC, and is compared with a bar's open.

        UsageError for what is neither, DataError when no bar is left.
        """
        keep = np.ones(len(self), dtype=bool)
        for text, late in ((start, False), (end, True)):
            if text is not None:
                bound = day_or_stamp(text)
                own = self.timetable.dates(self.time) if bound.dtype == "datetime64[D]" else self.time
                keep &= own <= bound if late else own >= bound
        if not keep.any():
            names = self.names(self.time[[0, -1]])
            raise DataError(
                f"{self.symbol}: no bar from {start or 'the first'} to {end or 'the last'}; "
                f"there are bars from {names[0]} to {names[1]}"
            )
        return replace(self, time=self.time[keep], ohlcv=self.ohlcv[keep])

    def is_past(self, opens: np.datetime64) -> bool:
        """Whether the bar that opens then, one of these or a later one, was complete when these were read."""
        return bool(self.timetable.ends(np.array([opens]))[0] <= self.read_at)

    def as_of(self, now: np.datetime64, keep_partial: bool = False) -> Bars:
        """The bars as they are read at the UTC stamp `now`: those not complete then are left out, with a note, or kept.

        DataError where none is left, or where a bar had not begun by then.
        """
        if self.timetable.starts(self.time[-1:])[0] > now:
            raise DataError(
                f"{self.symbol}: the bar {self.names(self.time[-1:])[0]} lies in the future (it is "
                f"{now} UTC): wrong dates or a wrong time zone (--end leaves later bars out)"
            )
        bars = replace(self, read_at=now, notes=self.notes if self.doubt is None else (*self.notes, self.doubt))
        unfinished = int(np.count_nonzero(self.timetable.ends(self.time[-NEWEST:]) > now))
        if not unfinished:
            return bars
        first = self.names(self.time[-unfinished:])[0]
        end = self.timetable.ends(self.time[-1:])[0]
        words = f"{self.symbol}: the bar {first} is not complete before {end} UTC"
        if keep_partial:
            return replace(bars, notes=(*bars.notes, f"{words}; it is used as it is (--partial keep)"))
        if unfinished == len(self):
            raise DataError(f"{words}, and there is none before it (--partial keep uses it as it is)")
        left_out = f"{words} and is left out (--partial keep uses it)"
        return replace(
            bars,
            time=self.time[:-unfinished],
            ohlcv=self.ohlcv[:-unfinished],
            notes=(*bars.notes, left_out),
        )


def make_bars(
    symbol: str,
    source: str,
    time: NDArray[np.datetime64],
    ohlcv: NDArray[np.float64],
    *,
    crypto: bool | None = None,
    calendar: str | None = None,
    zone: str | None = None,
    drop: bool = False,
    unreadable: Mapping[int, str] | None = None,
    place: Callable[[int], str] = "row {}".format,
    time_column: str = "time",
    notes: tuple[str, ...] = (),
) -> Bars:
    """Checked bars from `time` [T] (datetime64[s], UTC) and `ohlcv` [T, 5].

    The first bad row is a DataError that names `place(row)`, column and value. With `drop`, bad rows and repeated
    stamps (all but the first) are left out and counted; stamps out of order stay an error, for which row is wrong
    cannot be told. `unreadable`: row -> words, for cells that are no numbers. `crypto` None decides from the symbol;
    `calendar` None from that, the symbol and the days that have bars. `zone` is the one that the file states, an IANA
    name or an offset: stamps that are midnight there are its dates.
    """
    check_order(time, place, time_column)
    bad, wrong = bad_bars(time, ohlcv, unreadable or {}, time_column)
    if len(bad):
        words = f"{place(int(bad[0]))}, {wrong}"
        if len(bad) > max(1, MOST_BAD * len(time)):
            raise DataError(
                f"{words}; {len(bad):,} of {len(time):,} rows are bad, so that the file is misread or broken "
                "(--on-bad-bars drop is for single rows)"
            )
        if not drop:
            raise DataError(words + remedy(wrong, time[bad[0]], zone))
        good = np.delete(np.arange(len(time)), bad)
        if not len(good):
            raise DataError(f"{words}; no good row is left of {len(time)}")
        plural = "s" if len(bad) > 1 else ""
        notes = (*notes, f"{symbol}: {len(bad)} bad row{plural} left out, the first at {words}")
        time, ohlcv = time[good], ohlcv[good]
    ohlcv = np.ascontiguousarray(ohlcv, dtype=np.float64)
    if crypto is None:
        crypto, said = asset_of(symbol, time, ohlcv[:, 3])
        notes = notes if said is None else (*notes, said)
    if calendar is None:
        table, doubt = choose_timetable(symbol, crypto, time, zone)
    else:
        table, doubt = make_timetable(time, open_calendar(calendar), zone), None
    return Bars(
        symbol=symbol,
        source=source,
        time=time,
        ohlcv=ohlcv,
        crypto=crypto,
        timetable=table,
        dropped=len(bad),
        notes=notes,
        doubt=doubt,
    )


def next_opens(timetable: Timetable, after: np.datetime64, count: int) -> NDArray[np.datetime64]:
    """When the `count` bars after the one that opens at `after` should open, one after another."""
    opens = [np.array([after])]
    for _ in range(count):
        opens.append(timetable.following(opens[-1]))
    return np.concatenate(opens)[1:]

"""The rows of one symbol from its files, before they are adjusted and checked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from marketsim.data.calendars.regularity import usual_spacing
from marketsim.data.calendars.zones import DAY
from marketsim.data.reading.adjustments import NOISE, Prices
from marketsim.errors import DataError

SAME_SPACING = 1.5  # times the shortest usual distance of bars in a file that the longest may be
SAME_DAYS = 3  # the same for bars of a day or more: a short file may have few bars that no weekend parts


class Series(Struct, frozen=True):
    """R rows, neither adjusted nor checked."""

    time: NDArray[np.datetime64]  # [R] datetime64[ns], UTC; NaT where unreadable
    prices: Prices  # [R]
    unreadable: dict[int, str]  # row -> its first cell that could not be read, in words
    place: Callable[[int], str]  # row -> file and line, for messages
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.time)

    def take(self, rows: NDArray[np.int64]) -> Series:
        """Some rows, in the order of `rows`."""
        place, bad, prices = self.place, {}, self.prices
        if self.unreadable:
            bad = {i: self.unreadable[row] for i, row in enumerate(rows.tolist()) if row in self.unreadable}
        return replace(
            self,
            time=self.time[rows],
            prices=replace(
                prices,
                ohlcv=prices.ohlcv[rows],
                adjusted=None if prices.adjusted is None else prices.adjusted[rows],
                split=None if prices.split is None else prices.split[rows],
                dividend=None if prices.dividend is None else prices.dividend[rows],
            ),
            unreadable=bad,
            place=lambda i: place(int(rows[i])),
        )

    def oldest_first(self, name: str) -> Series:
        """The same, turned where the newest is first, with a note."""
        known = self.time[~np.isnat(self.time)]
        if len(known) < 2 or not known[0] > known[-1] or (known[1:] > known[:-1]).any():
            return self
        turned = self.take(np.arange(len(self))[::-1])
        return replace(turned, notes=(*self.notes, f"{name}: the newest bar is first; the order is reversed"))


def join(parts: Sequence[Series], symbol: str, adjust: str) -> Series:
    """The rows of several files as one series; bars that two files have are the same in both, or it is a DataError.

    Their adjusted closes too, unless `adjust` is "none": two downloads may be adjusted up to different days.
    """
    if len(parts) == 1:
        return parts[0]
    known = [part for part in parts if not np.isnat(part.time).all()]
    ordered = sorted(known, key=lambda part: np.nanmin(part.time))
    _same_spacing(ordered, symbol)
    sizes = np.cumsum([0, *map(len, ordered)])

    def place(row: int) -> str:
        at = int(np.searchsorted(sizes, row, "right")) - 1
        return ordered[at].place(row - int(sizes[at]))

    whole = Series(
        np.concatenate([part.time for part in ordered]),
        _prices(ordered),
        {
            int(start) + row: words
            for start, part in zip(sizes, ordered, strict=False)
            for row, words in part.unreadable.items()
        },
        place,
        tuple(dict.fromkeys(note for part in ordered for note in part.notes)),
    )
    files = np.repeat(np.arange(len(ordered)), np.diff(sizes))
    order = np.argsort(whole.time, kind="stable")
    time, values, file = whole.time[order], whole.prices.ohlcv[order], files[order]
    again = np.flatnonzero((time[1:] == time[:-1]) & (file[1:] != file[:-1])) + 1
    for row in again.tolist():
        own, other = int(order[row]), int(order[row - 1])
        same = np.array_equal(values[row], values[row - 1], equal_nan=True)
        if not same or (adjust != "none" and _adjusted_apart(whole.prices, own, other)):
            of = " in the adjusted close (--adjust none does not use it)" if same else ""
            raise DataError(
                f"{symbol}: {place(own)} and {place(other)} differ on the bar {time[row]}{of}; keep one of the files"
            )
    return whole.take(np.delete(order, again))


def _adjusted_apart(prices: Prices, row: int, other: int) -> bool:
    """Whether the adjusted closes of two rows differ; one that is not known differs from none."""
    if prices.adjusted is None:
        return False
    own, its = prices.adjusted[[row, other], 3]
    return bool(abs(own - its) > NOISE * abs(own))


def _prices(parts: Sequence[Series]) -> Prices:
    every = [part.prices for part in parts]

    def columns(values: Sequence[NDArray[np.float64] | None]) -> NDArray[np.float64] | None:
        there = next((value for value in values if value is not None), None)
        if there is None:
            return None
        empty = [np.full((len(part), *there.shape[1:]), np.nan) for part in parts]
        return np.concatenate(
            [blank if column is None else column for column, blank in zip(values, empty, strict=True)]
        )

    return Prices(
        np.concatenate([part.ohlcv for part in every]),
        columns([part.adjusted for part in every]),
        columns([part.split for part in every]),
        columns([part.dividend for part in every]),
    )


def _same_spacing(parts: Sequence[Series], symbol: str) -> None:
    """DataError where files have bars of different lengths, such as ETHUSD-1h.csv and ETHUSD-1d.csv."""
    usual = {}
    for part in parts:
        times = part.time[~np.isnat(part.time)].astype("datetime64[s]")
        if np.count_nonzero(times[1:] > times[:-1]) >= 3:
            usual[part.place(0)] = usual_spacing(times)
    if not usual:
        return
    least, most = min(usual.values()), max(usual.values())
    if most > (SAME_DAYS if least >= DAY else SAME_SPACING) * least:
        shortest, longest = min(usual, key=usual.__getitem__), max(usual, key=usual.__getitem__)
        raise DataError(
            f"{symbol} has bars of different lengths: {_file(shortest)} and {_file(longest)}; "
            f"name the file: {symbol}={_file(longest)}"
        )


def _file(place: str) -> str:
    return place.rpartition(", ")[0]

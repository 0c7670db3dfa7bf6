"""The download of one series: bars are saved on the way, and revised history is noticed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from marketsim.data import store
from marketsim.data.calendars.timeframe import Timeframe
from marketsim.data.faults import bad_rows, fault
from marketsim.data.sources import Instrument, Page, Provider
from marketsim.data.store import Origin, StoredBars

OVERLAP = 10  # bars that are fetched again, to see whether the past is still the same
SAME = 2e-5  # relative difference of two prices that are one: adjusted prices come with noise
SAVE = 30.0  # seconds after which what came is saved


class PastChanged(Exception):
    """The provider's bars are not those that it gave before."""


class Download(Struct):
    """The bars of one file, from `since` on, as far as they were fetched."""

    provider: Provider
    instrument: Instrument
    timeframe: Timeframe
    path: Path
    origin: Origin
    since: np.datetime64
    progress: Callable[[str, int, int], None]
    notes: list[str] = field(default_factory=list)

    def extend(self, until: np.datetime64, kept: StoredBars | None = None) -> StoredBars:
        """The file's bars with all that the provider has up to `until`; what came before an interruption is kept.

        `kept` is what the file holds, where that is known.
        PastChanged where bars that are there already, but for the newest few, are others by now.
        """
        kept = store.read_if_sound(self.path) if kept is None else kept
        if kept is None or kept.origin != self.origin or kept.since > self.since:
            kept = StoredBars(self.origin, self.since, np.empty(0, "datetime64[s]"), np.empty((0, 5)))
        begin = kept.time[-OVERLAP] if len(kept) >= OVERLAP else kept.since
        known, pages, saved = kept, list[Page](), time.monotonic()
        step = np.timedelta64(self.timeframe.seconds, "s")
        what, total = f"{self.origin.symbol} {self.timeframe}", max(1, int((until - begin) / step))
        try:
            for page in self.provider.pages(self.instrument, self.timeframe, begin, until):
                page = self._sound(page, begin, until)
                if not len(page):
                    continue
                if not pages:
                    self._compare(kept, page)
                pages.append(page)
                self.progress(what, min(total - 1, int((page.time[-1] - begin) / step)), total)
                if time.monotonic() - saved > SAVE:
                    known, pages, saved = _joined(known, pages), [page], time.monotonic()
                    store.write(self.path, known)
        finally:
            known = _joined(known, pages)
            if pages and known.digest != kept.digest:
                store.write(self.path, known)
        return known

    def _sound(self, page: Page, begin: np.datetime64, until: np.datetime64) -> Page:
        """The page's good bars in the requested time."""
        inside = (page.time >= begin) & (page.time <= until)
        page = Page(page.time[inside], page.ohlcv[inside])
        bad = bad_rows(page.ohlcv)
        if not len(bad):
            return page
        row = bad[0]
        plural = "s" if len(bad) > 1 else ""
        self.notes.append(
            f"{self.origin.symbol}: {len(bad)} bad bar{plural} of {self.origin.source} left out, the first "
            f"{page.time[row]}, {fault(page.ohlcv[row])}"
        )
        good = np.ones(len(page), bool)
        good[bad] = False
        return Page(page.time[good], page.ohlcv[good])

    def _compare(self, kept: StoredBars, page: Page) -> None:
        """Note revised bars among the newest; PastChanged if the oldest of them was revised too."""
        newest = StoredBars(kept.origin, kept.since, kept.time[-OVERLAP:-1], kept.ohlcv[-OVERLAP:-1])
        different = differing(newest, page)
        if len(different) and different[0]:
            raise PastChanged
        self.notes += [
            f"{self.origin.symbol}: {self.origin.source} revised the bar {moment}"
            for moment in newest.time[different].tolist()
        ]


def differing(bars: StoredBars, other: StoredBars | Page) -> NDArray[np.bool_]:
    """Which of the `bars` `[T]` are among the others with other prices."""
    row = np.searchsorted(other.time, bars.time)
    there = np.flatnonzero(np.isin(bars.time, other.time))
    different = np.zeros(len(bars), bool)
    ours, theirs = bars.ohlcv[there, :4], other.ohlcv[row[there], :4]
    different[there] = (np.abs(ours - theirs) > SAME * np.abs(ours)).any(axis=1)
    return different


def _joined(kept: StoredBars, pages: list[Page]) -> StoredBars:
    """All bars in order; of those with one stamp, the one that came last."""
    time = np.concatenate([kept.time, *(page.time for page in pages)])
    ohlcv = np.concatenate([kept.ohlcv, *(page.ohlcv for page in pages)])
    stamps, from_the_end = np.unique(time[::-1], return_index=True)
    return StoredBars(kept.origin, kept.since, stamps, ohlcv[len(time) - 1 - from_the_end])

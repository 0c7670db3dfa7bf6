"""Fetching bars into the store: only missing ones and the last bar again, without losing any."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from marketsim.data import store
from marketsim.data.bars import Bars
from marketsim.data.calendars.timeframe import Timeframe
from marketsim.data.download import Download, PastChanged, differing
from marketsim.data.reading.contents import printable
from marketsim.data.reading.read_options import Reading
from marketsim.data.sources import Instrument, Provider
from marketsim.data.store import Origin, Store, StoredBars, StoreSource
from marketsim.errors import DataError

EPOCH = np.datetime64(0, "s")  # before which exchanges know no stamp
FIRST = 3_000  # bars that are fetched of a new symbol where nobody says since when

Progress = Callable[[str, int, int], None]


class Fetched(Struct, frozen=True):
    """The outcome of fetching one symbol."""

    stored: StoredBars
    path: Path
    new: int  # bars that were not there before
    notes: tuple[str, ...]  # what the user must know: of the symbol, a past that changed, bars left out


class Fetcher(Struct, frozen=True):
    """A provider, the store that it fills, and the present."""

    provider: Provider
    store: Store
    timeframe: Timeframe
    now: np.datetime64  # UTC
    replace: bool = False  # whether what is there already is fetched anew
    progress: Progress = lambda what, done, total: None

    def fetch(self, symbol: str, since: np.datetime64 | None = None) -> Fetched:
        """Bring the bars of `symbol` up to date, from `since` on; of None, from where they begin.

        Raises
        ------
        DataError
            The provider has no such symbol or no bars of it, or the store has bars of another provider.
        MarketsimError
            It does not answer, or another process holds the series.
        """
        instrument = self.provider.instrument(symbol)
        with self.store.lock(instrument.symbol, self.timeframe):
            fetched = self._up_to_date(instrument, since)
        return replace(fetched, notes=(*instrument.notes, *fetched.notes))

    def _up_to_date(self, instrument: Instrument, since: np.datetime64 | None) -> Fetched:
        path = self.store.file(instrument.symbol, self.timeframe)
        if self.replace:
            return self._whole(instrument, since, store.read_if_sound(path))
        kept = store.read(path)
        if kept is None:
            return self._whole(instrument, since, None)
        self._refuse_a_mixture(kept, instrument)
        try:
            return self._rest(instrument, since, kept)
        except PastChanged:
            return self._whole(instrument, min(since or kept.since, kept.since), kept)

    def _rest(self, instrument: Instrument, since: np.datetime64 | None, kept: StoredBars) -> Fetched:
        """What is missing before and after the bars that are there; PastChanged where those are others by now."""
        series = self._download(instrument, self.store.file(instrument.symbol, self.timeframe), kept.since)
        there, notes = kept, tuple[str, ...]()
        if since is not None and since < kept.since:
            earlier = self._download(instrument, self._unfinished(instrument, "earlier"), since)
            found = earlier.extend(kept.time[0])
            if differing(found, kept).any():
                raise PastChanged
            there = store.join(found, kept)
            store.write(series.path, there)
            notes = tuple(earlier.notes)
        return self._finish(series.extend(self.now, there), series.path, kept, (*notes, *series.notes))

    def _whole(self, instrument: Instrument, since: np.datetime64 | None, kept: StoredBars | None) -> Fetched:
        """All bars from `since` on; those that are there stay until the new ones are whole."""
        if since is None:
            begin = self.now - FIRST * np.timedelta64(self.timeframe.seconds, "s")
            since = kept.since if kept is not None else max(begin, EPOCH)
        path = self.store.file(instrument.symbol, self.timeframe)
        series = self._download(instrument, self._unfinished(instrument, "anew") if path.exists() else path, since)
        try:
            found = series.extend(self.now)
        except PastChanged:  # since an earlier, interrupted try
            series.path.unlink()
            found = series.extend(self.now)
        changes = () if kept is None or kept.origin != found.origin else _changes(kept, found)
        return self._finish(found, series.path, kept, (*series.notes, *changes))

    def _finish(self, stored: StoredBars, kept_in: Path, before: StoredBars | None, notes: tuple[str, ...]) -> Fetched:
        origin, path = stored.origin, self.store.file(stored.origin.symbol, self.timeframe)
        if not len(stored):
            path.unlink(missing_ok=True)
            raise DataError(
                f"{origin.source} has no {origin.timeframe} bars of {origin.name} from {stored.since} on; it spells "
                f"symbols as {self.provider.spelling}"
            )
        if kept_in != path:
            store.write(path, stored)
        for what in ("earlier", "anew"):
            self.store.unfinished(origin.symbol, self.timeframe, what).unlink(missing_ok=True)
        new = len(stored) if before is None else int(np.count_nonzero(~np.isin(stored.time, before.time)))
        return Fetched(stored, path, new, notes)

    def _download(self, instrument: Instrument, path: Path, since: np.datetime64) -> Download:
        return Download(self.provider, instrument, self.timeframe, path, self._origin(instrument), since, self.progress)

    def _unfinished(self, instrument: Instrument, what: str) -> Path:
        return self.store.unfinished(instrument.symbol, self.timeframe, what)

    def _refuse_a_mixture(self, kept: StoredBars, instrument: Instrument) -> None:
        there, new = kept.origin, self._origin(instrument)
        if there != new:
            raise DataError(
                f"{printable(self.store.file(there.symbol, self.timeframe))} has bars of {there.source} ({there.name}, "
                f"{there.adjusted}); those of {new.source} ({new.name}, {new.adjusted}) are not mixed with them: "
                "--replace fetches all anew"
            )

    def _origin(self, instrument: Instrument) -> Origin:
        return Origin(
            symbol=instrument.symbol,
            timeframe=str(self.timeframe),
            source=self.provider.name,
            name=instrument.name,
            crypto=instrument.crypto,
            zone=instrument.zone,
            adjusted=instrument.adjusted,
        )


def _changes(kept: StoredBars, found: StoredBars) -> tuple[str, ...]:
    """In what way the bars that were there differ from the same bars now."""
    different = differing(kept, found)
    different[-1:] = False  # the last bar may not have been complete
    if not different.any():
        return ()
    common = np.isin(found.time, kept.time[different])
    factors = found.ohlcv[common, 3] / kept.ohlcv[different, 3]
    return (
        f"{kept.origin.symbol}: {kept.origin.source} revised its history, perhaps for a split or a dividend: "
        f"{different.sum():,} of {len(kept):,} bars differ, the first {kept.time[different][0]}, closes by factors of "
        f"{factors.min():.6g} to {factors.max():.6g}; all were fetched again",
    )


class FetchedSource(StoreSource):
    """Bars of the store that are brought up to date before they are read; see `Source`."""

    name = "fetched"

    def __init__(self, fetcher: Fetcher, since: np.datetime64 | None, options: Reading | None = None) -> None:
        super().__init__(str(fetcher.store.path), options)
        self._fetcher, self._since = fetcher, since

    def load(self, symbol: str, crypto: bool | None = None) -> Bars:
        """See `Source.load`."""
        fetched = self._fetcher.fetch(symbol, self._since)
        bars = self._bars(fetched.stored, crypto)
        return replace(bars, notes=(*fetched.notes, *bars.notes))

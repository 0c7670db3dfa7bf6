"""Bars with finer ones: those that `--fine` names, from the sample, the store, or files."""

from __future__ import annotations

import os
import re
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from marketsim.data import Source, open_source
from marketsim.data.bars import Bars
from marketsim.data.calendars.timeframe import parse_timeframe
from marketsim.data.resample import resample
from marketsim.data.sample import sampled
from marketsim.data.symbols import parse_symbol, part_place
from marketsim.errors import UsageError
from marketsim.settings.choices import SAMPLE, STORE
from marketsim.settings.groups import BarsSettings

TIMEFRAME = re.compile(r"[1-9]\d{0,4}(mo|[mhdwM])")


class FinerSource:
    """A source whose bars bring those of `--fine` along; see `Source`.

    Where no other bars than those of `--fine` are named, the longer ones are made of them.
    """

    def __init__(self, coarse: Source, chosen: BarsSettings) -> None:
        """`chosen.fine` names finer bars for those of `coarse`."""
        assert chosen.fine is not None
        self.name, self._coarse, self._chosen = coarse.name, coarse, chosen
        names = [chosen.fine] if os.path.exists(chosen.fine) else chosen.fine.split(",")
        self._places = [_place(name, chosen) for name in names]
        elsewhere = any(name == SAMPLE or TIMEFRAME.fullmatch(name) for name in names)
        self._alone = coarse.name == SAMPLE and not elsewhere

    def symbols(self) -> list[str]:
        """See `Source.symbols`."""
        if not self._alone:
            return self._coarse.symbols()
        return sorted({symbol for place in self._places for symbol in place.symbols()})

    def load(self, symbol: str, crypto: bool | None = None) -> Bars:
        """See `Source.load`."""
        symbol = parse_symbol(symbol)
        if self._alone or (self._coarse.name == SAMPLE and symbol not in self._coarse.symbols()):
            finer = self._finer(symbol, crypto)
            bars = self._made_of(finer) or self._coarse.load(symbol, crypto)
        else:
            bars = self._coarse.load(symbol, crypto)
            finer = self._finer(symbol, bars.crypto)
            if self._coarse.name == SAMPLE:
                bars = self._of_the_same_days(bars, finer)
        return with_finer(bars, finer, f"--fine {self._chosen.fine}")

    def _of_the_same_days(self, bars: Bars, finer: list[Bars]) -> Bars:
        """The bars, or, where none of the finer ones is of their days, those that these make."""
        shorter = [series for series in finer if series.timetable.spacing < bars.timetable.spacing]
        if any(series.time[0] <= bars.time[-1] and bars.time[0] <= series.time[-1] for series in shorter):
            return bars
        made = self._made_of(finer)
        if made is None:
            return bars
        length = self._chosen.timeframe
        note = f"{bars.symbol}: the sample's bars of {length} are for other days; they are built from the finer bars"
        return replace(made, notes=(*made.notes, note))

    def _made_of(self, finer: list[Bars]) -> Bars | None:
        """The longer bars, of the longest that are shorter."""
        length = parse_timeframe(self._chosen.timeframe).seconds
        shorter = [series for series in finer if series.timetable.spacing < length]
        if not shorter:
            return None
        return resample(max(shorter, key=lambda bars: bars.timetable.spacing), self._chosen.timeframe)

    def _finer(self, symbol: str, crypto: bool | None) -> list[Bars]:
        return [bars for place in self._places for bars in place.load(symbol, crypto)]


def with_finer(bars: Bars, finer: list[Bars], name: str) -> Bars:
    """The bars with those that are finer, and what is to be remarked on these."""
    shorter = [series for series in finer if series.timetable.spacing < bars.timetable.spacing]
    notes = [note for series in shorter for note in series.notes]
    if not shorter:
        notes = [f"{bars.symbol}: no finer bars in {name}; take-profits in doubt count with their probability"]
    return replace(bars, notes=tuple(dict.fromkeys((*bars.notes, *notes)))).with_finer(*shorter)


class _Place(Protocol):
    """Where finer bars are."""

    def symbols(self) -> list[str]: ...

    def load(self, symbol: str, crypto: bool | None) -> list[Bars]: ...


def _place(name: str, chosen: BarsSettings) -> _Place:
    own = replace(chosen, fine=None)
    if name in (SAMPLE, STORE):
        return _EveryTimeframe(name, own)
    if not TIMEFRAME.fullmatch(name):
        if not os.path.exists(part_place(name)[1] or name):
            raise UsageError(f"--fine {name}: neither sample, store, a timeframe such as 1h, nor a file or a folder")
        return _Files(open_source("files", name, own), os.path.isdir(name))
    if chosen.data is not None:
        raise UsageError(
            f"--fine {name} is a timeframe of the sample or the store; with --data name a file or a folder"
        )

    from marketsim.backtesting.chosen_bars import open_bars

    return _Files(open_bars(replace(own, timeframe=str(parse_timeframe(name)))), several=True)


class _Files(Struct, frozen=True):
    """Bars of one source; of `several` symbols, or of one."""

    source: Source
    several: bool

    def symbols(self) -> list[str]:
        return self.source.symbols()

    def load(self, symbol: str, crypto: bool | None) -> list[Bars]:
        there = self.source.symbols()
        if symbol not in there and (self.several or len(there) > 1):
            return []
        return [self.source.load(symbol, crypto)]


class _EveryTimeframe(Struct, frozen=True):
    """All that the sample or the store has of a symbol."""

    name: str
    chosen: BarsSettings

    def symbols(self) -> list[str]:
        return sorted({symbol for symbol, _ in self._there()})

    def load(self, symbol: str, crypto: bool | None) -> list[Bars]:
        timeframes = [timeframe for name, timeframe in self._there() if name == symbol]
        return [self._open(timeframe).load(symbol, crypto) for timeframe in timeframes]

    def _there(self) -> list[tuple[str, str]]:
        if self.name == SAMPLE:
            return sampled()

        from marketsim.data.store import Store

        return [(symbol, str(timeframe)) for symbol, timeframe in Store(self.chosen.store).names()]

    def _open(self, timeframe: str) -> Source:
        place = self.chosen.store if self.name == STORE else None
        return open_source(self.name, place, replace(self.chosen, timeframe=timeframe))

"""The bars that the settings choose: source, days and asset class."""

from __future__ import annotations

import numpy as np

from marketsim.data import Source, open_source
from marketsim.data.bars import Bars
from marketsim.data.present import present, utc
from marketsim.data.symbols import part_place
from marketsim.settings.choices import AUTO, CRYPTO, KEEP, STOCK, STORE
from marketsim.settings.groups import BarsSettings


def open_bars(chosen: BarsSettings) -> Source:
    """The source of the bars."""
    if chosen.fetch is not None:
        source = _fetched(chosen)
    else:
        source = open_source(chosen.source, chosen.store if chosen.source == STORE else chosen.data, chosen)
    return with_finer(source, chosen)


def with_finer(source: Source, chosen: BarsSettings) -> Source:
    """The source, whose bars bring finer ones along where such were chosen."""
    if chosen.fine is None:
        return source

    from marketsim.backtesting.finer_source import FinerSource  # a run without finer bars does not need it

    return FinerSource(source, chosen)


def load(symbol: str, chosen: BarsSettings, source: Source) -> Bars:
    """The bars of `symbol` that were chosen, as of the present; "AAPL=FILE" are those of that file."""
    crypto = {CRYPTO: True, STOCK: False}.get(chosen.asset)
    symbol, place = part_place(symbol)
    if place is not None:
        from marketsim.data.reading.files import FileSource  # a run on other sources does not need it

        source = with_finer(FileSource(place, chosen, symbol), chosen)
    bars = source.load(symbol, crypto)
    if chosen.calendar != AUTO:
        bars = bars.on(chosen.calendar)
    return bars.between(chosen.start, chosen.end).as_of(present(chosen.now), keep_partial=chosen.partial == KEEP)


def _fetched(chosen: BarsSettings) -> Source:
    """The store, which a provider brings up to date."""
    from marketsim.data.calendars.timeframe import parse_timeframe
    from marketsim.data.fetching import FetchedSource, Fetcher
    from marketsim.data.sources import open_provider
    from marketsim.data.sources.patience import Patience
    from marketsim.data.store import Store

    assert chosen.fetch is not None
    fetcher = Fetcher(
        open_provider(chosen.fetch, Patience()),
        Store(chosen.store),
        parse_timeframe(chosen.timeframe),
        present(chosen.now),
    )
    since: np.datetime64 | None = None if chosen.start is None else utc(chosen.start)
    return FetchedSource(fetcher, since, chosen)

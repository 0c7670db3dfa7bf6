"""The first step of `marketsim evening`: stored bars are updated from their providers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from marketsim.cli import output
from marketsim.cli.evening_document import FetchedSymbol
from marketsim.data.calendars.timeframe import Timeframe, parse_timeframe
from marketsim.data.fetching import Fetcher
from marketsim.data.present import present
from marketsim.data.sources import open_provider
from marketsim.data.sources.patience import Patience
from marketsim.data.store import Store, read_if_sound
from marketsim.data.symbols import parse_symbol, part_place
from marketsim.errors import MarketsimError
from marketsim.settings.choices import STORE
from marketsim.settings.settings import Settings


class Brought(Struct, frozen=True):
    """The result of fetching, and the settings that read the fetched bars."""

    settings: Settings
    rows: list[FetchedSymbol]


def fetch(symbols: Sequence[str], settings: Settings, origins: Mapping[str, str]) -> Brought:
    """Bring the symbols up to date, each by the provider that its stored bars came from, or by `--fetch`.

    Bars that somebody named another source for are read as they are; where nobody named one and the store has one of
    the symbols, it is the source. A provider that does not answer leaves the bars that are there.
    """
    store, timeframe = Store(settings.bars.store), parse_timeframe(settings.bars.timeframe)
    providers = {symbol: _provider(symbol, settings, store, timeframe) for symbol in symbols}
    named = origins["source"] != "default" or origins["data"] != "default"
    if settings.bars.fetch is None and settings.bars.source != STORE and (named or not any(providers.values())):
        return Brought(settings, [])
    rows = []
    for symbol, provider in providers.items():
        if provider is not None:
            rows.append(_fetched(symbol, provider, settings, store, timeframe))
    return Brought(settings.replace(source=STORE, fetch=None), rows)


def _provider(symbol: str, settings: Settings, store: Store, timeframe: Timeframe) -> str | None:
    """Where a symbol's bars come from; None where the store has none and no provider is named."""
    if part_place(symbol)[1] is not None:
        return None
    try:
        kept = read_if_sound(store.file(parse_symbol(symbol), timeframe))
    except MarketsimError:
        return settings.bars.fetch
    return settings.bars.fetch or (None if kept is None else kept.origin.source)


def _fetched(symbol: str, provider: str, settings: Settings, store: Store, timeframe: Timeframe) -> FetchedSymbol:
    try:
        opened = open_provider(provider, Patience(say=lambda words: output.notes([words])))
        found = Fetcher(opened, store, timeframe, present(settings.bars.now)).fetch(symbol)
    except MarketsimError as error:
        output.fail(f"{error}; the stored bars are used")
        return FetchedSymbol(symbol=symbol, provider=provider, new=0, error=str(error))
    output.notes(found.notes)
    return FetchedSymbol(symbol=found.stored.origin.symbol, provider=provider, new=found.new, error=None)

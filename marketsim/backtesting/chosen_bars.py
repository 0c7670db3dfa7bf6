"""The bars that the settings choose: from which source, of which days, as which class of asset."""

from __future__ import annotations

from marketsim.data import Source, open_source
from marketsim.data.bars import Bars
from marketsim.data.present import present
from marketsim.settings.choices import AUTO, CRYPTO, KEEP, STOCK
from marketsim.settings.groups import BarsSettings


def open_bars(chosen: BarsSettings) -> Source:
    """The source of the bars."""
    return open_source(chosen.source, chosen.data, chosen)


def load(symbol: str, chosen: BarsSettings, source: Source) -> Bars:
    """The bars of `symbol` that were chosen, as of the present."""
    crypto = {CRYPTO: True, STOCK: False}.get(chosen.asset)
    bars = source.load(symbol, crypto)
    if chosen.calendar != AUTO:
        bars = bars.on(chosen.calendar)
    return bars.between(chosen.start, chosen.end).as_of(present(chosen.now), keep_partial=chosen.partial == KEEP)

"""The bars that the settings choose: from which source, of which days, as which class of asset."""

from __future__ import annotations

from marketsim.data import Source, open_source
from marketsim.data.bars import Bars
from marketsim.settings.choices import CRYPTO, STOCK
from marketsim.settings.groups import BarsSettings


def open_bars(chosen: BarsSettings) -> Source:
    """The source of the bars."""
    return open_source(chosen.source, chosen.data, chosen.on_bad_bars)


def load(symbol: str, chosen: BarsSettings, source: Source) -> Bars:
    """The bars of `symbol` that were chosen."""
    crypto = {CRYPTO: True, STOCK: False}.get(chosen.asset)
    return source.load(symbol, crypto).between(chosen.start, chosen.end)

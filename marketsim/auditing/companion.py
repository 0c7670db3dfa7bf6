"""Another symbol, which the model forecasts before the audited one: it must not influence it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from msgspec.structs import replace

from marketsim.backtesting.chosen_bars import load
from marketsim.data import Source
from marketsim.data.bars import Bars
from marketsim.errors import MarketsimError
from marketsim.forecasting.futures import scrambled
from marketsim.settings.groups import BarsSettings

LOOKED_AT = 8  # symbols of the source


def companion(bars: Bars, chosen: BarsSettings, source: Source, seed: int) -> Bars:
    """Bars of another symbol of the source with common times, or else the same bars scrambled.

    No bars are fetched for that.
    """
    for other in _others(bars, chosen, source) if chosen.fetch is None else ():
        if np.isin(bars.time[-1], other.time):
            return other
    return replace(scrambled(bars, 0, seed), symbol=f"{bars.symbol} scrambled")


def _others(bars: Bars, chosen: BarsSettings, source: Source) -> Iterator[Bars]:
    for symbol in itertools.islice(source.symbols(), LOOKED_AT):
        try:
            other = load(symbol, chosen, source)
        except MarketsimError:
            continue
        if other.symbol != bars.symbol:
            yield other

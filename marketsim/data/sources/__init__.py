"""Providers of bars over the network: one file and one line in `registry.PROVIDERS` each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim import registry
from marketsim.data.calendars.timeframe import Timeframe
from marketsim.data.sources.patience import Patience


class Instrument(Struct, frozen=True):
    """What a provider says of a symbol."""

    symbol: str  # canonical
    name: str  # as the provider spells it
    crypto: bool
    zone: str = "UTC"  # whose dates daily bars have
    adjusted: str = "not adjusted"  # for splits and dividends
    notes: tuple[str, ...] = ()  # what the user must know of it


class Page(Struct, frozen=True, eq=False):
    """Bars that came together."""

    time: NDArray[np.datetime64]  # [N] datetime64[s], UTC, increasing
    ohlcv: NDArray[np.float64]  # [N, 5]

    def __len__(self) -> int:
        return len(self.time)


class Provider(Protocol):
    """Bars over the network. It is built from the word after its name and a colon, if any, and a `Patience`."""

    name: str  # as `--from` has it, such as "ccxt:binance"
    spelling: str  # of symbols, by examples

    def instrument(self, symbol: str) -> Instrument:
        """What is known of `symbol`, in the provider's spelling or any of ours.

        DataError where it has no such symbol; MarketsimError where it does not answer.
        """
        ...

    def pages(
        self, instrument: Instrument, timeframe: Timeframe, since: np.datetime64, until: np.datetime64
    ) -> Iterator[Page]:
        """The bars that open from `since` to `until`, oldest first; a bar may come twice, the later one counts.

        UsageError where it has no such timeframe. It may have nothing so old, and then begins with what it has.
        """
        ...


def open_provider(name: str, patience: Patience) -> Provider:
    """The provider called `name`, such as "yahoo" or "ccxt:binance"; UsageError names the nearest known one."""
    key, _, detail = name.partition(":")
    provider: Provider = registry.load(registry.PROVIDERS, "provider", key)(detail, patience)
    return provider

"""Bars from the caller's memory."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from marketsim.data.bars import Bars
from marketsim.data.symbols import parse_symbol
from marketsim.errors import DataError, UsageError
from marketsim.registry import nearest


class MemorySource:
    """A source of the bars that it is built from."""

    name = "memory"

    def __init__(self, bars: Iterable[Bars]) -> None:
        self._bars: dict[str, Bars] = {}
        for series in bars:
            if series.symbol in self._bars:
                raise UsageError(f"{series.symbol} occurs twice; give every series its own symbol")
            self._bars[series.symbol] = series

    def symbols(self) -> list[str]:
        """See `Source.symbols`."""
        return sorted(self._bars)

    def load(self, symbol: str, crypto: bool | None = None) -> Bars:
        """See `Source.load`."""
        name = parse_symbol(symbol)
        if name not in self._bars:
            raise DataError(f"no bars of {name} in memory{nearest(name, self._bars)}")
        bars = self._bars[name]
        return bars if crypto is None else replace(bars, crypto=crypto)

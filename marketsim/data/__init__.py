"""Where bars come from: one file a source, one line in `registry.SOURCES` each."""

from __future__ import annotations

from typing import Protocol

from marketsim import registry
from marketsim.data.bars import Bars


class Source(Protocol):
    """Bars by symbol. A source is built from `--data` (or None) and `--on-bad-bars` ("error" or "drop")."""

    name: str

    def symbols(self) -> list[str]:
        """Canonical symbols, sorted. DataError when the place cannot be read."""
        ...

    def load(self, symbol: str, crypto: bool | None = None) -> Bars:
        """Checked bars of `symbol`, in any of its forms; `crypto` None decides from the symbol.

        DataError when there is no such symbol (it names the nearest known one) or a row is bad.
        """
        ...


def open_source(source: str, data: str | None = None, on_bad_bars: str = "error") -> Source:
    """The source called `source`; bars of one's own, `data`, take the place of the sample."""
    name = "files" if source == "sample" and data is not None else source
    opened: Source = registry.load(registry.SOURCES, "source", name)(data, on_bad_bars)
    return opened

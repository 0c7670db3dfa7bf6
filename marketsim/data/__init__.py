"""Sources of bars: one file and one line in `registry.SOURCES` each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from marketsim import registry

if TYPE_CHECKING:  # the command line asks for symbols before it needs numpy
    from marketsim.data.bars import Bars
    from marketsim.data.reading.read_options import Reading


class Source(Protocol):
    """Bars by symbol. A source is built from `--data` (or None) and `ReadOptions`."""

    name: str

    def symbols(self) -> list[str]:
        """Canonical symbols, sorted. DataError when the place cannot be read."""
        ...

    def load(self, symbol: str, crypto: bool | None = None) -> Bars:
        """Checked bars of `symbol`, in any of its forms; `crypto` None decides from the symbol.

        DataError when there is no such symbol (it names the nearest known one) or a row is bad.
        """
        ...


def open_source(source: str, data: str | None = None, options: Reading | None = None) -> Source:
    """The source called `source`; the user's files, `data`, replace the sample."""
    from marketsim.data.reading.read_options import ReadOptions

    name = "files" if source == "sample" and data is not None else source
    opened: Source = registry.load(registry.SOURCES, "source", name)(data, options or ReadOptions())
    return opened


def read_bars(path: str | Path, symbol: str | None = None, options: Reading | None = None) -> Bars | dict[str, Bars]:
    """The bars in a file, or in a folder of files, of any layout that is known.

    Parameters
    ----------
    path
        A CSV, text, JSON, Parquet or Feather file, also compressed, or a folder of them.
    symbol
        The one to read; it names the symbol of a file that names none, or another. None: all there are.
    options
        How to read what a file leaves open: dates, zone, adjustments, bad rows.

    Returns
    -------
    Bars or dict
        The bars of the symbol, or of the only one there is; by canonical symbol where there are several.

    Raises
    ------
    DataError
        No such symbol, or no bars that can be read: file, line, what is wrong and which option mends it.

    Examples
    --------
    >>> open_source("sample").load("NVDA").to_frame().to_csv("NVDA.csv")
    >>> len(read_bars("NVDA.csv"))
    1500
    """
    from marketsim.data.reading.files import FileSource  # a run on other sources does not need it

    if symbol is not None:
        return FileSource(str(path), options, symbol if Path(path).is_file() else None).load(symbol)
    source = FileSource(str(path), options)
    bars = {symbol: source.load(symbol) for symbol in source.symbols()}
    return next(iter(bars.values())) if len(bars) == 1 else bars

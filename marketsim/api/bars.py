"""Bars for scripts and notebooks: by symbol, or from the user's own files."""

from __future__ import annotations

import os
from typing import Any

from marketsim import data
from marketsim.api.given import READING, chosen, takes
from marketsim.backtesting.chosen_bars import load, open_bars
from marketsim.data.bars import Bars
from marketsim.settings.groups import BarsSettings
from marketsim.settings.settings import keys_of

_BARS = keys_of(BarsSettings)


@takes(*_BARS)
def load_bars(symbol: str, **settings: Any) -> Bars:
    """The bars of a symbol, from the sample in the package or from your own files.

    Parameters
    ----------
    symbol
        Such as "ETHUSD", "eth/usd" or "NVDA".
    **settings
        Settings of bars, by the names that docs/settings.md has: `data` (a file or a folder of your own), `source`,
        `start`, `end`, `asset`, `on_bad_bars` and so on. None leaves a setting as it is.

    Returns
    -------
    Bars
        Checked: oldest first, prices positive and finite, high and low around open and close.

    Raises
    ------
    DataError
        There is no such symbol, or a row is bad.

    Examples
    --------
    >>> import marketsim
    >>> bars = marketsim.load_bars("ETHUSD", start="2020-01-01")
    >>> len(bars), float(bars.close[-1])
    (343, 595.03)
    """
    bars = chosen("load_bars", settings).bars
    return load(symbol, bars, open_bars(bars))


@takes(*READING)
def read_bars(path: str | os.PathLike[str], symbol: str | None = None, **settings: Any) -> Bars | dict[str, Bars]:
    """The bars in a file, or in a folder of files, of any layout that is known.

    Parameters
    ----------
    path
        A CSV, text, JSON, Parquet or Feather file, also compressed, or a folder of them.
    symbol
        The one to read; it also names the bars of a file that does not. None: all there are.
    **settings
        What a file may leave open: `date_format`, `timezone`, `adjust`, `on_bad_bars`; docs/settings.md explains them.

    Returns
    -------
    Bars or dict
        The bars of the symbol, or of the only one there is; by symbol where there are several.

    Raises
    ------
    DataError
        The file cannot be read, a row is bad, or it has no bars of the symbol.

    Examples
    --------
    >>> import marketsim
    >>> marketsim.load_bars("NVDA").to_frame().to_csv("NVDA.csv")
    >>> len(marketsim.read_bars("NVDA.csv"))
    1500
    """
    return data.read_bars(os.fspath(path), symbol, chosen("read_bars", settings).bars)

"""Bars as pandas DataFrames, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from marketsim.data.bars import Bars, make_bars
from marketsim.data.faults import COLUMNS
from marketsim.data.symbols import parse_symbol
from marketsim.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


def to_frame(bars: Bars) -> pd.DataFrame:
    """See `Bars.to_frame`."""
    import pandas as pd

    index = pd.DatetimeIndex(bars.time, tz="UTC", name="time")
    return pd.DataFrame(bars.ohlcv.copy(), index, [name.capitalize() for name in COLUMNS])


def from_frame(frame: pd.DataFrame, symbol: str, crypto: bool | None, drop: bool) -> Bars:
    """See `Bars.from_frame`."""
    symbol = parse_symbol(symbol)
    time, notes = _times(frame, symbol)
    ohlcv = np.column_stack([_numbers(frame, name, symbol) for name in COLUMNS])
    return make_bars(
        symbol,
        "DataFrame",
        time,
        ohlcv,
        crypto=crypto,
        drop=drop,
        place=lambda row: f"{symbol}: row {row} of the frame ({frame.index[row]})",
        time_column="index",
        notes=notes,
    )


def _times(frame: pd.DataFrame, symbol: str) -> tuple[NDArray[np.datetime64], tuple[str, ...]]:
    import pandas as pd

    index = frame.index
    if not isinstance(index, pd.DatetimeIndex):
        raise DataError(
            f"{symbol}: the frame needs a DatetimeIndex of the bars' opens, not {type(index).__name__}: "
            "frame.set_index(pd.to_datetime(...))"
        )
    if not len(index) or index.hasnans:
        raise DataError(f"{symbol}: the frame has {'a row without a time' if len(index) else 'no rows'}")
    naive = index.tz is None
    stamps = index if naive else index.tz_convert("UTC").tz_localize(None)
    time = stamps.to_numpy().astype("datetime64[s]")
    if (pd.DatetimeIndex(time) != stamps).any():
        raise DataError(f"{symbol}: the index has fractions of a second; bars are labeled by whole seconds")
    told = naive and bool((stamps != stamps.normalize()).any())
    return time, (f"{symbol}: time stamps without a zone are taken as UTC",) if told else ()


def _numbers(frame: pd.DataFrame, name: str, symbol: str) -> NDArray[np.float64]:
    """A column in any letter case; NaN for a volume that is not there."""
    places = [i for i, column in enumerate(frame.columns) if str(column).strip().lower() == name]
    if len(places) > 1 or not (places or name == "volume"):
        have = ", ".join(map(str, frame.columns))
        what = "occurs twice" if places else "is missing"
        raise DataError(f"{symbol}: column '{name.capitalize()}' {what}; the frame has {have}")
    if not places:
        return np.full(len(frame), np.nan)
    try:
        return frame.iloc[:, places[0]].to_numpy(np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise DataError(f"{symbol}: column '{name.capitalize()}' is not all numbers: {error}") from None

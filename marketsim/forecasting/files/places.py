"""Places of forecasts: `[SYMBOL=]PATH[:MODEL]`."""

from __future__ import annotations

import os
from pathlib import Path

from marketsim.data.symbols import parse_symbol, part_place


def parted(spec: str) -> tuple[str, str, str | None]:
    """Symbol, path and model of `[SYMBOL=]PATH[:MODEL]`; "" and None for what is not named."""
    symbol, place = part_place(spec)
    if place is None or Path(spec).exists():
        symbol, place = "", spec
    model = None
    if not Path(place).exists() and ":" in place:
        place, _, model = place.rpartition(":")
    return (parse_symbol(symbol) if symbol else ""), place, model


def absolute(spec: str) -> str:
    """The same forecasts, by a path that does not depend on the working directory."""
    symbol, place, model = parted(spec)
    return (f"{symbol}=" if symbol else "") + os.path.abspath(place) + (f":{model}" if model else "")

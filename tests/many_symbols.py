"""A small universe: cheap symbols in files of their own, and runs over them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from marketsim.backtesting import parallel
from marketsim.profiling import Clock
from marketsim.results.result import FinishedSymbol
from marketsim.results.schema import FailedSymbol, SymbolDocument
from marketsim.settings.settings import Settings
from tests.candles import random_bars

BARS = 40
SESSIONS = np.busday_offset("2021-07-06", np.arange(BARS)).astype(str)  # no holiday among them
CHEAP = {"sims": 3, "window": 5, "model": "last-bar", "strategy": "always-on", "fill": "provable"}
OPTIONS = [word for key, value in CHEAP.items() for word in (f"--{key}", str(value))]


def write_universe(directory: Path, count: int) -> list[str]:
    """The names of `count` symbols, a CSV file each."""
    directory.mkdir()
    names = [f"S{i:03d}" for i in range(count)]
    for i, name in enumerate(names):
        bars = random_bars(BARS, i)
        rows = zip(SESSIONS, *bars.ohlcv.T.tolist(), strict=True)
        lines = ["date,open,high,low,close,volume", *(",".join(map(str, row)) for row in rows)]
        (directory / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return names


def cheap(data: Path, **changes: Any) -> Settings:
    return Settings.of(**CHEAP | {"data": str(data), "cache": "off"} | changes)


def names(data: Path) -> list[str]:
    return sorted(path.stem for path in data.iterdir())


def run(symbols: list[str], settings: Settings) -> list[FinishedSymbol]:
    return list(parallel.stream(symbols, settings, Clock()))


def documents(runs: list[FinishedSymbol]) -> list[SymbolDocument | FailedSymbol]:
    return [each.document for each in runs]

"""Plug-ins as other packages have them: named by module and class, or by an entry point."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from marketsim.backtesting.executors.local import Local
from marketsim.data.bars import Bars, make_bars
from marketsim.data.symbols import parse_symbol
from marketsim.errors import DataError
from marketsim.optimizers import Search
from marketsim.optimizers.objective import Objective
from marketsim.registry import nearest


class RandomSearch(Search):
    """Candidates drawn evenly, then ever nearer to the best."""

    def search(self, objective: Objective, seed: int) -> None:
        rng = np.random.default_rng(seed)
        low, high = np.array(objective.bounds).T
        for step in range(10_000):
            center, width = (low + high) / 2, (high - low) / 2
            if objective.best is not None and step > 20:
                center = np.array([objective.best.high_multiplier, objective.best.low_multiplier])
                width = width * 0.98 ** (step % 200)
            objective(np.clip(center + width * rng.uniform(-1, 1, 2), low, high))


class FolderSource:
    """One CSV file a symbol, as `Bars.to_frame` writes them."""

    name = "folder"

    def __init__(self, data: str | None = None, options: object = None) -> None:
        self.files = {parse_symbol(path.stem): path for path in Path(data or ".").glob("*.csv")}

    def symbols(self) -> list[str]:
        return sorted(self.files)

    def load(self, symbol: str, crypto: bool | None = None) -> Bars:
        symbol = parse_symbol(symbol)
        if symbol not in self.files:
            raise DataError(f"no bars of {symbol}{nearest(symbol, self.files)}")
        rows = [line.split(",") for line in self.files[symbol].read_text().splitlines()[1:]]
        times = np.array([row[0][:19] for row in rows], "datetime64[s]")
        return make_bars(symbol, "folder", times, np.array([row[1:] for row in rows], float), crypto=crypto)


class InThisProcess(Local):
    """Tasks one after the other, here."""

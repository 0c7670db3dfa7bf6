"""The reference system's published benchmark: its 200 bars, drawn on its GPU, and its fee."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

FEE = 0.0015  # a fraction of the position
COLUMNS = ("close_actual", "high_actual", "high_pred", "low_actual", "low_pred", "positions")


def benchmark_bars() -> dict[str, NDArray[np.float32]]:
    """The bars by the names of `entry_exit_profit`'s parameters, each `[200]`.

    Momentum returns, highs and lows around them, and noisy forecasts, drawn with seed 42 by the generator of a GPU: no
    CPU draws them again.

    Example:
        >>> from marketsim.reference import entry_exit_profit
        >>> from marketsim.reference.benchmark import FEE, benchmark_bars
        >>> round(float(entry_exit_profit(**benchmark_bars(), trading_fee=FEE).sum()), 4)
        0.1083

    """
    with files(__package__).joinpath("benchmark.csv").open(encoding="utf-8") as file:
        columns = np.loadtxt(file, np.float32, delimiter=",", skiprows=1, unpack=True)
    return dict(zip(COLUMNS, columns, strict=True))

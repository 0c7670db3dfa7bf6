"""A plot of a strategy's profit with its worst and best case, and of its baselines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from marketsim.results.plots.figures import BLUE, GRAY, ORANGE, RED, date_axis
from marketsim.results.plots.symbol_pictures import StrategyPictures, SymbolPictures

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(drawn: Figure, symbol: SymbolPictures, strategy: StrategyPictures) -> None:
    """Summed profits above, and the fall of the headline from its peak below."""
    above, below = drawn.subplots(2, sharex=True, height_ratios=(3, 1))
    bars, name = np.arange(len(symbol.times)), strategy.name
    above.axhline(0, color=GRAY, linewidth=0.8)
    above.fill_between(
        bars,
        100 * strategy.worst,
        100 * strategy.best,
        color=BLUE,
        alpha=0.25,
        linewidth=0,
        label="worst to best case of its fills",
    )
    above.plot(bars, 100 * strategy.headline, color=BLUE, linewidth=2, label=f"{name}, {symbol.fill} fills")
    above.plot(bars, 100 * strategy.unfitted, color=ORANGE, linestyle="--", label=f"{name} unfitted")
    above.plot(bars, 100 * symbol.holding, color=GRAY, linestyle=":", linewidth=1.6, label="buy-and-hold")
    above.set(title=f"{symbol.symbol}: profit after costs", ylabel="% of the stake, summed")
    above.legend(fontsize="small", framealpha=0.8)
    fall = strategy.headline - np.maximum.accumulate(np.maximum(strategy.headline, 0.0))
    below.fill_between(bars, 100 * fall, color=RED, alpha=0.5, linewidth=0)
    below.set(ylabel="drawdown, %")
    date_axis(below, symbol.times)

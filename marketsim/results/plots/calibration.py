"""A plot of forecast calibration: how often prices were between the quantiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from marketsim.forecasting.forecasts import LEVELS
from marketsim.results.plots.figures import BLUE, ORANGE, percent
from marketsim.results.plots.symbol_pictures import SymbolPictures

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(drawn: Figure, symbol: SymbolPictures) -> None:
    """The histogram of the probability integral transform of each price, and what the outermost quantiles covered."""
    quality = symbol.forecast
    panels = drawn.subplots(1, len(quality.channels), sharey=True)
    edges = np.array([0.0, *LEVELS, 1.0])
    for panel, channel in zip(panels, quality.channels, strict=True):
        shares = np.array(channel.pit) / np.diff(edges)
        panel.bar(edges[:-1], shares, np.diff(edges), align="edge", color=BLUE, alpha=0.6, edgecolor="white")
        panel.axhline(1, color=ORANGE, linestyle="--")
        panel.set(
            title=f"{channel.channel}: {percent(channel.coverage)} covered\n"
            f"({percent(channel.coverage_low)} to {percent(channel.coverage_high)})",
            xlim=(0, 1),
            xticks=[0, 0.5, 1],
        )
    panels[0].set_ylabel("share of bars, 1 where calibrated")
    wanted = percent(LEVELS[-1] - LEVELS[0])
    drawn.suptitle(f"{symbol.symbol}: forecasts by {symbol.model} on {quality.bars:,} bars; {wanted} should be covered")
    drawn.supxlabel("probability integral transform: quantile of the forecast at which the price came")

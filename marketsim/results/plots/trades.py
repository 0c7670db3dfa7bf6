"""A plot of the walk's bars as candles, with forecast quantiles, levels and trades."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from marketsim.results.plots.figures import BLUE, GRAY, GREEN, ORANGE, RED, date_axis, percent
from marketsim.results.plots.symbol_pictures import Leg, StrategyPictures, SymbolPictures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HALF = 0.35  # of the width of a candle, in bars
MARKS = {"long": ("^", "v", GREEN), "short": ("v", "^", ORANGE)}  # entry and exit point as their orders go


def draw(drawn: Figure, symbol: SymbolPictures, strategy: StrategyPictures) -> None:
    """One panel; an entry is filled, an exit hollow, and an ambiguous bar is shaded."""
    axes = drawn.subplots()
    _fan(axes, symbol)
    _candles(axes, symbol)
    bars = np.arange(len(symbol.times))
    for level, color, name in ((strategy.upper, RED, "upper level"), (strategy.lower, BLUE, "lower level")):
        axes.hlines(level, bars - 0.5, bars + 0.5, color=color, linewidth=1, label=name)
    for i in np.flatnonzero(strategy.in_doubt):
        axes.axvspan(i - 0.5, i + 0.5, color=ORANGE, alpha=0.25, linewidth=0)
    for leg in strategy.legs:
        if len(leg.bars):
            _trades(axes, leg)
    doubtful = int(strategy.in_doubt.sum())
    shaded = f"; shaded: {doubtful} ambiguous" if doubtful else ""
    axes.set(title=f"{symbol.symbol}: {strategy.name}, trades and levels{shaded}", ylabel="price")
    axes.legend(fontsize="small", framealpha=0.8, ncols=2)
    date_axis(axes, symbol.times)


def _fan(axes: Axes, symbol: SymbolPictures) -> None:
    edges = np.repeat(np.arange(len(symbol.times) + 1) - 0.5, 2)[1:-1]
    steps = np.repeat(symbol.quantiles, 2, axis=0)
    for i in range(len(symbol.levels) // 2):
        band = f"forecast of the close, {percent(symbol.levels[i])} to {percent(symbol.levels[-1 - i])}"
        axes.fill_between(
            edges, steps[:, i], steps[:, -1 - i], color=GRAY, alpha=0.12, linewidth=0, label="" if i else band
        )


def _candles(axes: Axes, symbol: SymbolPictures) -> None:
    opened, high, low, close = symbol.bars.T
    bars = np.arange(len(close))
    axes.vlines(bars, low, high, color="black", linewidth=0.8)
    axes.bar(
        bars,
        np.abs(close - opened),
        2 * HALF,
        np.minimum(opened, close),
        color=np.where(close >= opened, "white", "black"),
        edgecolor="black",
        linewidth=0.8,
        label="bar (hollow: rose)",
    )


def _trades(axes: Axes, leg: Leg) -> None:
    into, out, color = MARKS[leg.side]
    look: dict[str, Any] = {"s": 34.0, "edgecolors": color, "linewidths": 1.3, "zorder": 3}
    entry, exit_ = f"{leg.side} entry", f"{leg.side} exit"
    axes.scatter(leg.bars - HALF, leg.entries, marker=into, facecolors=color, label=entry, **look)
    for some, marker, label in ((~leg.in_doubt, out, exit_), (leg.in_doubt, "D", f"{leg.side} take-profit in doubt")):
        if some.any():
            axes.scatter(leg.bars[some] + HALF, leg.exits[some], marker=marker, facecolors="none", label=label, **look)

"""A plot of profit over the multipliers: the optimum, the plateau around it, and the path of the optimum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from marketsim.results.plots.figures import percent
from marketsim.results.plots.symbol_pictures import StrategyPictures, SymbolPictures

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PLATEAU = 0.9  # of the best profit, from which on the others are on the plateau
X, Y, PROFIT = "h, offset added to the predicted high", "l, offset added to the predicted low", "profit, bps/bar"

Floats = NDArray[np.float64]


def heat_map(drawn: Figure, h: ArrayLike, l: ArrayLike, profit: ArrayLike) -> Axes:
    """Axes with the profits `[l, h]`, basis points a bar, in color."""
    axes = drawn.add_subplot()
    mesh = axes.pcolormesh(h, l, profit, cmap="viridis", shading="nearest", rasterized=True)
    drawn.colorbar(mesh, label=PROFIT)
    axes.set(xlabel=X, ylabel=Y)
    axes.grid(visible=False)
    return axes


def draw(drawn: Figure, symbol: SymbolPictures, strategy: StrategyPictures) -> None:
    """The newest window, with the optimum of the plan and those of the walk before it."""
    *_, plan = strategy.fits
    h = l = np.linspace(*symbol.bounds, len(strategy.surface))
    axes = heat_map(drawn, h, l, strategy.surface)
    if plan.profit_bps > 0:
        axes.contour(h, l, strategy.surface, levels=[PLATEAU * plan.profit_bps], colors="white", linewidths=1.5)
        axes.plot([], [], color="white", label=f"{percent(PLATEAU)} of the best profit or more")
    if plan.floor is not None:
        _floor(axes, plan.floor, h, l)
    axes.plot(
        [fit.h for fit in strategy.fits],
        [fit.l for fit in strategy.fits],
        color="black",
        linewidth=0.6,
        marker=".",
        markersize=4,
        clip_on=False,
        label="optima of the walk, up to this one",
    )
    look: dict[str, Any] = {"color": "red", "markeredgecolor": "white", "markersize": 11, "clip_on": False}
    axes.plot(plan.h, plan.l, "P", label=f"optimum, {plan.profit_bps:+.1f} bps/bar", **look)
    way = "exit at the close" if plan.close_at_eod else "take-profit"
    axes.set_title(
        f"{symbol.symbol}: {strategy.name}, {way}, {symbol.fill} fills\n"
        f"the {symbol.window} bars up to {symbol.times[-1]}, for {plan.bar}"
    )
    drawn.legend(loc="outside lower center", ncols=2, fontsize="small", facecolor="lightgray")


def _floor(axes: Axes, floor: float, h: Floats, l: Floats) -> None:
    """Hatched: the levels are so near that a take-profit does not pay the costs."""
    axes.contourf(h, l, (h[None] - l[:, None] < floor).astype(float), levels=[0.5, 1.5], colors="none", hatches=["//"])
    axes.fill_between([], [], [], hatch="//", facecolor="none", edgecolor="black", label="take-profits below the costs")

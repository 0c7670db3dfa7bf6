"""The verdict: what the numbers of one strategy say, in plain words."""

from __future__ import annotations

from marketsim.execution.tolerance import without_rounding
from marketsim.results.schema import StrategyRow
from marketsim.settings.choices import BASIS_POINTS, TOUCH


def verdict(row: StrategyRow, fill: str) -> str:
    """What can be said of one strategy, in plain words."""
    name, low, high = row.name, row.low_bps, row.high_bps
    if not row.orders:
        return f"{name} placed no order: {_why_none(row)}"
    if not row.trades:
        return f"{name} placed {row.orders} orders, and none was filled"
    if low is None or high is None:
        words = f"{name}: {row.bars} bars are too few for an interval"
    elif without_rounding(low / BASIS_POINTS) > 0:
        words = f"{name} earned: the 95 % interval of {low:+.1f} to {high:+.1f} bps a bar is above zero"
    elif without_rounding(high / BASIS_POINTS) < 0:
        words = f"{name} lost: the 95 % interval of {low:+.1f} to {high:+.1f} bps a bar is below zero"
    else:
        words = f"{name} cannot be told from zero: 95 % interval {low:+.1f} to {high:+.1f} bps a bar"
    if fill == TOUCH:
        return f"{words}, and 'touch' counts fills that the bars cannot prove"
    if without_rounding(row.provable) <= 0 < without_rounding(row.touch):
        words += f", and any profit rests on {row.ambiguous} ambiguous bars"
    return words


def _why_none(row: StrategyRow) -> str:
    """Why a strategy placed no order on any bar."""
    short = "side was short, and the asset cannot be shorted"
    if not row.stood_aside:
        return f"every bar's {short}"
    aside = f"it stood aside on {row.stood_aside} of {row.bars} bars, where its in-sample t was too low"
    return aside if row.stood_aside == row.bars else f"{aside}; every other bar's {short}"

"""How the trades of a bar ended, from the row of its simulation."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Literal

from marketsim.results.schema import CostsRow
from marketsim.settings.choices import BASIS_POINTS

Exit = Literal["not filled", "close", "take-profit", "in doubt"]


def exits(row: Mapping[str, str], before: float | None, costs: CostsRow) -> tuple[Exit, Exit]:
    """The ends of the long and of the short of a row of simulations.csv; `before` is the close before the bar.

    Where nothing is in doubt the profit tells them: of all ends that there may have been, those that come nearest to
    it. Without the close before, a take-profit was filled where the bar reached it.
    """
    open_, high, low, close, upper, lower = (
        float(row[name]) for name in ("open", "high", "low", "close", "upper", "lower")
    )
    sides = () if row["stood_aside"] == "True" else row["side"].split(" and ")
    filled = ("long" in sides and low < lower, "short" in sides and high > upper)
    reached = (high >= upper, low <= lower)
    possible: list[tuple[Exit, ...]] = []
    for entered, took in zip(filled, reached, strict=True):
        if not entered or row["trades"] == "0":
            possible.append(("not filled",))
        elif row["close_at_eod"] == "True" or not took:
            possible.append(("close",))
        elif row["ambiguous"] == "True":
            possible.append(("in doubt",))
        else:
            possible.append(("take-profit", "close"))
    longs, shorts = possible
    ways = list(itertools.product(longs, shorts))
    if before is None or len(ways) == 1:
        return ways[0]
    fee, slippage = costs.fee_bps / BASIS_POINTS, costs.slippage_bps / BASIS_POINTS

    def earned(way: tuple[Exit, Exit]) -> float:
        long, short = way
        profit = 0.0
        if long != "not filled":
            out = upper if long == "take-profit" else close * (1 - slippage)
            profit += out * (1 - fee) - min(lower, open_) * (1 + fee)
        if short != "not filled":
            out = lower if short == "take-profit" else close * (1 + slippage)
            profit += max(upper, open_) * (1 - fee) - out * (1 + fee)
        return profit / before

    return min(ways, key=lambda way: abs(earned(way) - float(row["expected"])))

"""Baselines that hold a position from close to close, without any fit.

Both trade at closes with market orders, so every change of position pays the fee and slippage, and no bar is
ambiguous. Rows are newest first, as in every track.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from marketsim.execution.profit_terms import Costs
from marketsim.execution.tolerance import without_rounding
from marketsim.execution.track_record import TrackRecord
from marketsim.settings.choices import FILLS, HOLDING


def buy_and_hold(close: NDArray[np.float64], costs: Costs) -> TrackRecord:
    """Buy at the close before the first evaluated bar, sell at the last close; fractions of what was paid.

    `close` `[S + 1]`, price units, oldest first. The profits add up to `close[-1] / close[0] - 1` less costs.
    """
    profit = np.diff(close) / close[0]
    bought, sold = _market_orders(costs)
    profit[0] -= bought
    profit[-1] -= sold * close[-1] / close[0]
    held = np.zeros(len(profit), np.int64)
    held[0] = 1
    won = without_rounding(profit.sum(), traded=close.max() / close[0]) > 0
    return _track(HOLDING, profit, held, held * won)


def forecast_close(
    close: NDArray[np.float64], close_move: NDArray[np.float64], shortable: bool, costs: Costs
) -> TrackRecord:
    """Hold the next bar when its predicted close is above the last one; short it when below, if possible.

    `close` `[S + 1]` and the forecasts `close_move` `[S]` made at `close[:-1]`, oldest first. A trade lasts as
    long as the position does; its profit is spread over its bars, each a fraction of the close before it.
    """
    position = np.sign(close_move) * (1.0 if shortable else close_move > 0)
    before = np.concatenate([[0.0], position[:-1]])
    after = np.concatenate([position[1:], [0.0]])
    move = np.diff(close) / close[:-1]
    bought, sold = _market_orders(costs)
    opens, closes = (position != 0) & (position != before), (position != 0) & (position != after)
    enter, leave = (np.where(position > 0, *prices) for prices in ((bought, sold), (sold, bought)))
    profit = position * move - enter * opens - leave * closes * (1 + move)
    trade = np.cumsum(opens) * (position != 0)
    won = (without_rounding(np.bincount(trade, profit)) > 0)[trade]
    return _track("forecast-close", profit, opens.astype(np.int64), (opens & won).astype(np.int64))


def _market_orders(costs: Costs) -> tuple[float, float]:
    """What buying and selling at the close costs, as fractions of it."""
    return (1 + costs.fee) * (1 + costs.slippage) - 1, 1 - (1 - costs.fee) * (1 - costs.slippage)


def _track(name: str, profit: NDArray[np.float64], trades: NDArray[np.int64], wins: NDArray[np.int64]) -> TrackRecord:
    newest_first = profit[::-1]
    return TrackRecord(name, dict.fromkeys(FILLS, newest_first), trades[::-1], trades[::-1], wins[::-1].astype(float))

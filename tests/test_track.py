"""Booking: counts by hand."""

from __future__ import annotations

import numpy as np
import pytest

from marketsim.fills import Costs, Levels, Outcomes
from marketsim.strategies import Legs
from marketsim.track import book

# opens, highs, lows and closes around a last close of 100, levels at 98 and 102
BARS = np.array(
    [
        (97, 97, 97, 97),  # filled at the open, closed there: no profit, no win
        (100, 103, 97, 97.5),  # touch takes a profit, provable closes at a loss
        (100, 101, 99, 100),  # not filled
        (100, 103, 97, 103),  # a sure win
    ]
)


def book_bars(fill: str, long: list[bool]) -> tuple[list[int], list[int], list[int], list[bool]]:
    upper, lower, *moves = (np.broadcast_to(x, 4) / 100 - 1 for x in (102, 98, *BARS.T))
    zeros = np.zeros(4)
    track = book(
        "x",
        Levels(upper, lower),
        Outcomes(*moves),
        Legs(np.array(long), None),
        Costs(0, 0),
        fill,
        (zeros, zeros),
        np.zeros(4, bool),
    )
    return track.orders.tolist(), track.trades.tolist(), track.wins.tolist(), track.ambiguous.tolist()


@pytest.mark.parametrize(("fill", "wins"), [("provable", [0, 0, 0, 1]), ("touch", [0, 1, 0, 1])])
def test_orders_trades_wins_and_ambiguous_bars(fill: str, wins: list[int]) -> None:
    expected = [1, 1, 1, 1], [1, 1, 0, 1], wins, [False, True, False, False]
    assert book_bars(fill, [True] * 4) == expected


def test_bars_without_an_order_count_nothing() -> None:
    assert book_bars("touch", [False] * 4) == ([0] * 4, [0] * 4, [0] * 4, [False] * 4)

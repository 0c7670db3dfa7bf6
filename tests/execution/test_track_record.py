"""Booking: counts by hand."""

from __future__ import annotations

import numpy as np
import pytest

from marketsim.execution.profit_terms import Costs, Outcomes
from marketsim.execution.strategies import Legs
from marketsim.execution.track_record import Track, book
from tests.problems import make_levels

# opens, highs, lows and closes around a last close of 100, levels at 98 and 102
BARS = np.array(
    [
        (97, 97, 97, 97),  # filled at the open, closed there: no profit, no win
        (100, 103, 97, 97.5),  # touch takes a profit, provable closes at a loss
        (100, 101, 99, 100),  # not filled
        (100, 103, 97, 103),  # a sure win
    ]
)


def book_bars(fill: str, long: list[bool]) -> Track:
    upper, lower, *moves = (np.broadcast_to(x, 4) / 100 - 1 for x in (102, 98, *BARS.T))
    zeros = np.zeros(4)
    return book(
        "x",
        make_levels(upper, lower),
        Outcomes(*moves),
        Legs(np.array(long), None),
        Costs(0, 0),
        fill,
        (zeros, zeros),
        np.zeros(4, bool),
    )


def counts(track: Track) -> tuple[list[int], list[int], list[float], list[bool]]:
    return track.orders.tolist(), track.trades.tolist(), track.wins.tolist(), track.ambiguous.tolist()


@pytest.mark.parametrize(("fill", "wins"), [("provable", [0, 0, 0, 1]), ("touch", [0, 1, 0, 1])])
def test_orders_trades_wins_and_ambiguous_bars(fill: str, wins: list[int]) -> None:
    expected = [1, 1, 1, 1], [1, 1, 0, 1], wins, [False, True, False, False]
    assert counts(book_bars(fill, [True] * 4)) == expected


def test_what_is_in_doubt_counts_by_its_probability() -> None:
    track = book_bars("expected", [True] * 4)
    w = track.probability
    assert np.isnan(w[[0, 2, 3]]).all() and 0 < w[1] < 1
    assert track.wins == pytest.approx([0, w[1], 0, 1])
    least, most = track.profits["provable"], track.profits["touch"]
    assert track.profits["expected"][1] == pytest.approx(least[1] + w[1] * (most[1] - least[1]))


def test_bars_without_an_order_count_nothing() -> None:
    assert counts(book_bars("touch", [False] * 4)) == ([0] * 4, [0] * 4, [0] * 4, [False] * 4)

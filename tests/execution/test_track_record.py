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


# Levels at 98 and 102 again, a long and a short on every bar; the open is 100 unless it gaps beyond a level.
BOTH = np.array(
    [
        (100, 103, 97, 100),  # both entered; whether either took its profit is in doubt
        (100, 103, 99, 101),  # the short alone, bought back at the close
        (100, 101, 97, 99),  # the long alone, sold at the close
        (103, 104, 97, 97.5),  # the short enters at the open and surely takes its profit; the long is in doubt
        (100, 101, 99, 100),  # neither
    ]
)

FREE = Costs(0, 0)


def book_both(fill: str, close_at_eod: bool = False, costs: Costs = FREE) -> Track:
    count = len(BOTH)
    upper, lower, *moves = (np.broadcast_to(x, count) / 100 - 1 for x in (102, 98, *BOTH.T))
    zeros, every = np.zeros(count), np.ones(count, bool)
    levels = make_levels(upper, lower)
    return book(
        "x", levels, Outcomes(*moves), Legs(every, every), costs, fill, (zeros, zeros), np.full(count, close_at_eod)
    )


@pytest.mark.parametrize(
    ("fill", "profits", "wins"),
    [  # in per cent of the last close
        ("touch", [4 + 4, 1, 1, 4 + 5, 0], [2, 1, 1, 2, 0]),
        ("provable", [2 + 2, 1, 1, -0.5 + 5, 0], [2, 1, 1, 1, 0]),
    ],
)
def test_a_long_and_a_short_on_one_bar_are_two_orders_and_their_profits_add_up(
    fill: str, profits: list[float], wins: list[int]
) -> None:
    track = book_both(fill)
    assert track.profits[fill] == pytest.approx(np.array(profits) / 100, abs=1e-12)
    assert counts(track) == ([2] * 5, [2, 1, 1, 2, 0], wins, [True, False, False, True, False])


def test_a_short_closed_at_the_close_pays_both_fees_and_the_slippage() -> None:
    costs = Costs(fee=0.001, slippage=0.002)
    track = book_both("touch", close_at_eod=True, costs=costs)
    short = 1.02 * (1 - 0.001) - 1.01 * (1 + 0.002) * (1 + 0.001)
    assert track.profits["touch"][1] == pytest.approx(short, abs=1e-12)
    assert track.profits["touch"][1] == track.profits["provable"][1] == track.profits["expected"][1]


def test_what_two_legs_leave_in_doubt_is_credited_leg_by_leg() -> None:
    track = book_both("expected")
    w = track.probability[0]
    assert 0 < w < 1 and track.wins[0] == pytest.approx(2)  # either closes with a profit, filled or not
    assert track.profits["expected"][0] == pytest.approx(0.04 + w * 0.04)

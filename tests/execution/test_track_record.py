"""Booking: counts by hand."""

from __future__ import annotations

import numpy as np
import pytest

from marketsim.execution.baselines import buy_and_hold
from marketsim.execution.fill_probability import take_profit_probability
from marketsim.execution.profit_terms import Costs, Outcomes
from marketsim.execution.strategies import Legs
from marketsim.execution.track_record import TrackRecord, _won, book, level_prices
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


def book_bars(fill: str, long: list[bool]) -> TrackRecord:
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


def counts(track: TrackRecord) -> tuple[list[int], list[int], list[float], list[bool]]:
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


def book_both(fill: str, close_at_eod: bool = False, costs: Costs = FREE) -> TrackRecord:
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


def test_closed_at_the_close_neither_leg_takes_a_profit_before() -> None:
    track = book_both("touch", close_at_eod=True)
    assert track.profits["touch"] == pytest.approx(np.array([2 + 2, 1, 1, -0.5 + 5.5, 0]) / 100, abs=1e-12)
    assert not track.ambiguous.any()


def test_a_short_is_booked_where_no_long_is_placed() -> None:
    upper, lower, *moves = (np.broadcast_to(x, 5) / 100 - 1 for x in (102, 98, *BOTH.T))
    zeros, nowhere, everywhere = np.zeros(5), np.zeros(5, bool), np.ones(5, bool)
    track = book(
        "short side",
        make_levels(upper, lower),
        Outcomes(*moves),
        Legs(nowhere, everywhere),
        FREE,
        "touch",
        (zeros, zeros),
        nowhere,
    )
    assert track.profits["touch"] == pytest.approx(np.array([4, 1, 0, 5, 0]) / 100, abs=1e-12)
    assert counts(track) == ([1] * 5, [1, 1, 0, 1, 0], [1, 1, 0, 1, 0], [True, False, False, False, False])
    assert (track.name, track.orders.dtype, track.trades.dtype) == ("short side", np.int64, np.int64)


def test_what_is_booked_is_w_at_the_traded_levels() -> None:
    long = book_bars("expected", [True] * 4)
    o, h, l, c, d, u = np.log(np.array([100, 103, 97, 97.5, 98, 102]) / 100)[:, None]
    levels = make_levels(np.full(1, 0.02), np.full(1, -0.02))
    w = take_profit_probability(o, h, l, c, d, u, levels.variance, levels.spread)
    assert long.probability[1] == pytest.approx(w[0], abs=1e-12)


def test_levels_are_shifted_by_the_multipliers_and_clipped_at_the_close() -> None:
    levels = make_levels(np.array([0.02, 0.01]), np.array([-0.02, -0.01]))
    shift = np.array([0.005, -0.03])
    upper, lower = level_prices(levels, np.array([100.0, 200.0]), shift, -shift)
    assert upper == pytest.approx([102.5, 200]) and lower == pytest.approx([97.5, 200])


def test_a_rounding_is_no_win_and_no_part_of_a_chance() -> None:
    exact = {"provable": np.array([-0.02, -0.02]), "touch": np.array([0.01, 0.01])}
    rounded = {fill: profit + 3e-18 for fill, profit in exact.items()}
    for share in (0.0, 1.0):
        profits = rounded | {"expected": exact["provable"] + share * 0.03 + np.array([1e-17, -1e-17])}
        wins = _won(profits, "expected")
        assert wins.tolist() == [share, share]
        track = TrackRecord("a", profits, np.ones(2, int), np.ones(2, int), wins)
        assert track.probability.tolist() == [share, share]
    even = np.array([1e-16, -1e-16])
    assert _won({"provable": even, "expected": even, "touch": even}, "expected").tolist() == [0.0, 0.0]


def test_a_holder_whom_only_rounding_favours_has_not_won() -> None:
    close = np.array([0.1, 0.2, 0.3]) + 0.1
    costless = Costs(0.0, 0.0)
    flat = np.array([close[0], close[0] * 3, close[0] * (1 + 1e-16)])
    assert buy_and_hold(flat, costless).wins.tolist() == [0.0, 0.0]
    assert buy_and_hold(close, costless).wins.sum() == 1

"""Hand-made candles for every fill rule: prices around a last close of 100, levels at 98 and 102."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from marketsim.execution.evaluation import evaluate
from marketsim.execution.fill_probability import take_profit_probability
from marketsim.execution.fills import long_leg, short_leg
from marketsim.execution.profit_terms import Costs, Leg, Levels, Outcomes, entered, one_by_one
from marketsim.settings.choices import FILLS
from tests.oracle import Bar, Rules, levels, long_trade, short_trade
from tests.problems import any_rules, bars_of_any_kind, make_levels

NO_COSTS = Costs(0.0, 0.0)
ZERO = np.zeros((1, 1))

# open, high, low, close, then the profit in price units by close_at_eod, provable and touch; None: not entered
LONG = {
    "never reached": ((100, 103, 98.5, 101), None, None, None),
    "touched is not traded through": ((100, 103, 98, 101), None, None, None),
    "entered, closed above, target not reached": ((100, 101, 97, 99), 1, 1, 1),
    "entered, closed below": ((100, 101, 97, 97), -1, -1, -1),
    "target reached, order unknown": ((100, 103, 97, 99), 1, 1, 4),
    "target touched, order unknown": ((100, 102, 97, 99), 1, 1, 4),
    "closed beyond the target": ((100, 103, 97, 102.5), 4.5, 4, 4),
    "closed on the target, traded through": ((100, 103, 97, 102), 4, 4, 4),
    "closed on the target, the high": ((100, 102, 97, 102), 4, 4, 4),
    "gap through the entry fills at the open": ((97, 101, 96, 99), 2, 2, 2),
    "gap, then the target, any order is the right one": ((97, 103, 96, 99), 2, 5, 5),
    "gap, target only touched": ((97, 102, 96, 99), 2, 2, 5),
    "gap, the open is the low": ((97, 103, 97, 99), 2, 5, 5),
    "opens on the entry: filled only when traded through": ((98, 103, 97, 99), 1, 1, 4),
    "opens on the entry, which is the low": ((98, 103, 98, 99), None, None, None),
    "opens above the target": ((104, 105, 97, 99), 1, 1, 4),
    "flat bar below the entry": ((97, 97, 97, 97), 0, 0, 0),
    "flat bar on the entry": ((98, 98, 98, 98), None, None, None),
}
SHORT = {
    "never reached": ((100, 101.5, 97, 99), None, None, None),
    "touched is not traded through": ((100, 102, 97, 99), None, None, None),
    "entered, closed below, target not reached": ((100, 103, 99, 101), 1, 1, 1),
    "entered, closed above": ((100, 103, 99, 103), -1, -1, -1),
    "target reached, order unknown": ((100, 103, 97, 101), 1, 1, 4),
    "target touched, order unknown": ((100, 103, 98, 101), 1, 1, 4),
    "closed beyond the target": ((100, 103, 97, 97.5), 4.5, 4, 4),
    "closed on the target, traded through": ((100, 103, 97, 98), 4, 4, 4),
    "gap through the entry fills at the open": ((103, 104, 99, 101), 2, 2, 2),
    "gap, then the target": ((103, 104, 97, 101), 2, 5, 5),
    "gap, target only touched": ((103, 104, 98, 101), 2, 2, 5),
    "gap, the open is the high": ((103, 103, 97, 101), 2, 5, 5),
    "opens on the entry: filled only when traded through": ((102, 103, 97, 101), 1, 1, 4),
    "opens on the entry, which is the high": ((102, 102, 97, 101), None, None, None),
    "flat bar above the entry": ((103, 103, 103, 103), 0, 0, 0),
}


def candle(prices: tuple[float, float, float, float]) -> tuple[Levels, Outcomes]:
    upper, lower, *moves = (np.array([price / 100 - 1]) for price in (102, 98, *prices))
    return make_levels(upper, lower), Outcomes(*moves)


@pytest.mark.parametrize(("terms", "name"), [(long_leg, n) for n in LONG] + [(short_leg, n) for n in SHORT])
def test_candles(terms: object, name: str) -> None:
    prices, *expected = (LONG if terms is long_leg else SHORT)[name]
    for (fill, eod), outcome in zip((("touch", True), ("provable", False), ("touch", False)), expected, strict=True):
        leg: Leg = terms(*candle(prices), NO_COSTS, fill)  # type: ignore[operator]
        leg = leg.at_close() if eod else leg
        assert entered(leg, np.zeros(1), np.zeros(1))[0] == (outcome is not None)
        assert 100 * evaluate(one_by_one(leg), ZERO, ZERO)[0, 0] == pytest.approx(outcome or 0.0, abs=1e-9)


def test_closing_at_the_end_of_day_makes_all_policies_agree() -> None:
    for prices, *_ in (*LONG.values(), *SHORT.values()):
        for terms in (long_leg, short_leg):
            found = {
                float(evaluate(one_by_one(terms(*candle(prices), NO_COSTS, fill).at_close()), ZERO, ZERO)[0, 0])
                for fill in FILLS
            }
            assert len(found) == 1


def test_costs_are_a_fee_on_both_sides_and_slippage_on_the_close_alone() -> None:
    costs = Costs.from_bps(15, 5)
    assert (costs.fee, costs.slippage) == (0.0015, 0.0005)
    at_close = evaluate(one_by_one(long_leg(*candle((100, 101, 97, 99)), costs, "touch")), ZERO, ZERO)[0, 0]
    assert at_close == pytest.approx(0.99 * (1 - 0.0005) * (1 - 0.0015) - 0.98 * (1 + 0.0015))
    at_target = evaluate(one_by_one(long_leg(*candle((100, 103, 97, 102.5)), costs, "touch")), ZERO, ZERO)[0, 0]
    assert at_target == pytest.approx(1.02 * (1 - 0.0015) - 0.98 * (1 + 0.0015))
    bought_back = evaluate(one_by_one(short_leg(*candle((100, 103, 99, 101)), costs, "touch")), ZERO, ZERO)[0, 0]
    assert bought_back == pytest.approx(1.02 * (1 - 0.0015) - 1.01 * (1 + 0.0005) * (1 + 0.0015))
    target = evaluate(one_by_one(short_leg(*candle((100, 103, 97, 97.5)), costs, "touch")), ZERO, ZERO)[0, 0]
    assert target == pytest.approx(1.02 * (1 - 0.0015) - 0.98 * (1 + 0.0015))


def test_levels_are_clipped_to_their_side_of_the_last_close() -> None:
    bar = candle((100, 100.5, 99.5, 100.25))
    upper, lower = np.array([[-0.05]]), np.array([[0.05]])  # both levels would cross the close
    assert evaluate(one_by_one(long_leg(*bar, NO_COSTS, "touch")), upper, lower)[0, 0] == 0.0
    assert evaluate(one_by_one(long_leg(*bar, NO_COSTS, "touch").at_close()), upper, lower)[0, 0] == pytest.approx(
        0.0025
    )


def test_the_far_ends_of_the_clips() -> None:
    moon = Outcomes(*(np.array([move]) for move in (0.0, 12.0, -0.5, -0.1)))
    at = make_levels(np.array([0.02]), np.array([-0.02]))
    far = np.array([[20.0]])
    taken = evaluate(one_by_one(long_leg(at, moon, NO_COSTS, "touch")), far, ZERO)[0, 0]
    assert taken == pytest.approx(10.0 + 0.02)  # the upper level stops at ten times the close
    assert not entered(long_leg(at, moon, NO_COSTS, "touch"), np.zeros(1), np.array([-5.0]))[0]
    sold = evaluate(one_by_one(short_leg(at, moon, NO_COSTS, "touch")), far, ZERO)[0, 0]
    assert sold == pytest.approx(10.0 + 0.02)
    ruin = Outcomes(*(np.array([move]) for move in (0.0, 0.5, -1.0, -0.9)))  # the lower level stops at nothing
    bought_back = evaluate(one_by_one(short_leg(at, ruin, NO_COSTS, "touch")), ZERO, -far)[0, 0]
    assert bought_back == pytest.approx(1.0 + 0.02)


ONE = np.zeros(1)


@pytest.mark.parametrize(("terms", "name"), [(long_leg, n) for n in LONG] + [(short_leg, n) for n in SHORT])
def test_expected_credits_what_is_certain_in_full_and_what_is_not_with_its_probability(
    terms: object, name: str
) -> None:
    prices, _, least, most = (LONG if terms is long_leg else SHORT)[name]
    levels, bar = candle(prices)
    leg: Leg = terms(levels, bar, NO_COSTS, "expected", (ONE, ONE))  # type: ignore[operator]
    found = 100 * evaluate(one_by_one(leg), ZERO, ZERO)[0, 0]
    w = 0.0
    if least != most:
        logs = [float(np.log(price / 100)) for price in prices]
        lower, upper = (np.log([0.98]), np.log([1.02])) if terms is long_leg else (-np.log([1.02]), -np.log([0.98]))
        o, h, l, c = (
            (np.array([x]) for x in logs) if terms is long_leg else (-np.array([logs[i]]) for i in (0, 2, 1, 3))
        )
        w = take_profit_probability(o, h, l, c, lower, upper, levels.variance, levels.spread)[0]
        assert 0 <= w <= 1
    assert found == pytest.approx((1 - w) * (least or 0) + w * (most or 0), abs=1e-9)


@pytest.mark.parametrize(("terms", "open"), [(long_leg, -0.02), (short_leg, 0.02)])
def test_a_level_that_misses_the_open_by_a_rounding_is_on_it(terms: object, open: float) -> None:
    """The entry is at the open, so that all of the bar is left for the take-profit."""
    did = Outcomes(*(np.array([move]) for move in (open, 0.03, -0.03, 0.0)))
    beyond = np.copysign(1e-15, open)
    levels = make_levels(np.array([0.02 + beyond * (open > 0)]), np.array([-0.02 + beyond * (open < 0)]))
    leg: Leg = terms(levels, did, NO_COSTS, "expected", (ONE, ONE))  # type: ignore[operator]
    assert leg.weight[0, 1, 0] == 1


def test_on_a_bar_with_room_on_both_sides_the_probability_is_inside_and_moves_with_the_levels() -> None:
    def booked(h: float, l: float) -> float:
        h_, l_ = np.array([h]), np.array([l])
        found = [
            evaluate(
                one_by_one(long_leg(*candle((100, 103, 97, 99)), NO_COSTS, fill, (h_, l_))), h_[:, None], l_[:, None]
            )[0, 0]
            for fill in FILLS
        ]
        return float((found[1] - found[0]) / (found[2] - found[0]))

    near, far, early = booked(0.0, 0.0), booked(0.009, 0.0), booked(0.0, 0.009)
    assert 0 < far < near < early < 1


@settings(max_examples=50)
@given(bars_of_any_kind(), any_rules())
def test_each_leg_equals_its_slow_twin_and_the_policies_keep_their_order(bars: list[Bar], rules: Rules) -> None:
    for bar in bars:
        at = Levels(*(np.array([x]) for x in (bar.high_move, bar.low_move, bar.variance, bar.spread)))
        did = Outcomes(*(np.array([x]) for x in (bar.open, bar.high, bar.low, bar.close)))
        costs = Costs(rules.fee, rules.slippage)
        for terms, trade in ((long_leg, long_trade), (short_leg, short_trade)):
            for traded in (None, (ONE, ONE)):
                exact = rules.fill != "expected" or traded is not None
                by_policy = [terms(at, did, costs, fill, traded) for fill in FILLS]
                if rules.close_at_eod:
                    by_policy = [leg.at_close() for leg in by_policy]
                leg = by_policy[FILLS.index(rules.fill)]
                expected = trade(bar, *levels(bar, 0.0, 0.0), rules)
                assert entered(leg, ONE, ONE)[0] == (expected is not None)
                found = evaluate(one_by_one(leg), ZERO, ZERO)[0, 0]
                assert not exact or found == pytest.approx(expected or 0.0, abs=1e-15)
                profits = [evaluate(one_by_one(each), ZERO, ZERO)[0, 0] for each in by_policy]
                assert profits[0] <= profits[1] + 1e-15 and profits[1] <= profits[2] + 1e-15

"""The exact maximum where the levels of the bar to be traded have to lie some distance apart."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from marketsim.execution.evaluation import evaluate
from marketsim.execution.floor import Floor
from marketsim.execution.profit_terms import Leg, ProfitTerms
from marketsim.optimizers.exact import Exact
from marketsim.optimizers.exact.above_floor import above_floor
from marketsim.optimizers.exact.candidates import Bounds
from marketsim.optimizers.exact.maximum import STEP, maximize
from marketsim.optimizers.exact.tuning import TUNING, Tuning
from tests.oracle import Bar, Rules, apart, brute_force_above
from tests.problems import BLOCKS, BOUNDS, GRIDS, any_rules, bars_of_any_kind, make_bars, staircase, terms_of

any_bounds = st.sampled_from([BOUNDS, ((-0.01, 0.04), (-0.05, 0.0)), ((0.01, 0.02), (-0.02, -0.005))])
any_move = st.floats(-0.03, 0.05).map(lambda x: round(x, 4))
any_distance = st.sampled_from([0.003, 0.01, 0.03, 0.06])


def floor_of(traded: Bar, distance: float) -> Floor:
    return Floor(np.array([traded.high_move]), np.array([traded.low_move]), distance)


def traded_bar(high_move: float, low_move: float) -> Bar:
    return Bar(high_move, low_move, 0.0, 0.0, 0.0, 0.0)


@settings(max_examples=80)
@given(any_move, any_move, any_distance, any_bounds, st.floats(0, 1), st.floats(0, 1))
def test_a_floor_allows_what_keeps_the_distance_and_moves_the_rest_to_it(
    high_move: float, low_move: float, distance: float, bounds: Bounds, at_h: float, at_l: float
) -> None:
    traded = traded_bar(high_move, low_move)
    floor = floor_of(traded, distance)
    h, l = (low + at * (high - low) for at, (low, high) in zip((at_h, at_l), bounds, strict=True))
    allowed = bool(floor.allows(np.array([[h]]), np.array([[l]]))[0, 0])
    assert allowed == (apart(traded, h, l) >= distance - 1e-13)
    near_h, near_l = (float(x[0, 0]) for x in floor.nearest(np.array([[h]]), np.array([[l]]), bounds))
    if allowed:
        assert (near_h, near_l) == (h, l)
    elif apart(traded, bounds[0][1], bounds[1][0]) >= distance:
        assert apart(traded, near_h, near_l) == pytest.approx(distance, abs=1e-12)
        assert h <= near_h <= bounds[0][1] and bounds[1][0] <= near_l <= l


@settings(max_examples=120)
@given(bars_of_any_kind(6), any_rules(("provable", "touch")), any_bounds, any_move, any_move, any_distance)
def test_the_maximum_above_a_floor_equals_brute_force(
    bars: list[Bar], rules: Rules, bounds: Bounds, high_move: float, low_move: float, distance: float
) -> None:
    traded = traded_bar(high_move, low_move)
    found = Exact().fit(terms_of(bars, rules), bounds, 0, floor_of(traded, distance))
    best = brute_force_above(bars, bounds, rules, traded, distance)
    kept = apart(traded, float(found.high_multiplier[0]), float(found.low_multiplier[0])) >= distance - 1e-12
    assert kept == (best > -np.inf)
    if kept:
        assert best - 2 * STEP * len(bars) - 1e-12 <= found.profit[0] <= best + 2 * STEP * len(bars) + 1e-12


@settings(max_examples=60)
@given(
    bars_of_any_kind(8),
    st.sampled_from([0.0, 0.0015]),
    any_bounds,
    any_move,
    any_move,
    any_distance,
    st.sampled_from([TUNING, GRIDS, BLOCKS]),
    st.integers(0, 9),
)
def test_no_place_above_a_floor_earns_more_on_interpolated_lattices(
    bars: list[Bar],
    fee: float,
    bounds: Bounds,
    high_move: float,
    low_move: float,
    distance: float,
    tuning: Tuning,
    seed: int,
) -> None:
    terms, floor = (
        terms_of(bars, Rules(fee, 0.0005, "expected", False)),
        floor_of(traded_bar(high_move, low_move), distance),
    )
    found = above_floor(maximize(terms, bounds, tuning=tuning), terms, bounds, floor, tuning=tuning)
    point = found.high_multiplier[:, None], found.low_multiplier[:, None]
    assert evaluate(terms, *point)[0, 0] == found.profit[0]
    rng = np.random.default_rng(seed)
    h, l = (rng.uniform(*interval, 2000) for interval in bounds)
    first, last = floor.line(bounds)
    if last > first:
        line = np.linspace(first[0], last[0], 2001)
        h, l = np.append(h, line + floor.offset[0]), np.append(l, line)
    h, l = (np.clip(x, *interval)[None] for x, interval in zip((h, l), bounds, strict=True))
    kept = floor.allows(h, l)
    if kept.any():
        assert floor.allows(*point)[0, 0]
        assert found.profit[0] >= evaluate(terms, h, l)[kept].max(initial=-np.inf) - 2 * STEP * len(bars) - 1e-9


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_best_on_the_line_may_lie_between_all_edges(mirrored: bool) -> None:
    """Weights 1 where levels are too near and 0 at the other corners: on the line `t * (1 - t)`, best half way."""
    (leg,) = staircase([[0.0, 1.0], [0.0, 0.0]]).legs
    upper, lower = np.array([0.04, 0.06])[None, None], np.array([-0.06, -0.04])[None, None]
    leg = replace(leg, upper_edges=upper, lower_edges=lower, interpolated=True)
    terms = ProfitTerms((leg if not mirrored else in_the_mirror(leg),))
    floor = Floor(np.array([0.05]), np.array([-0.05]), 0.1)
    found = Exact().fit(terms, ((-0.01, 0.01), (-0.01, 0.01)), 0, floor)
    assert found.profit[0] == pytest.approx(0.1 * 0.25)
    assert found.high_multiplier[0] == pytest.approx(0.0, abs=1e-9)
    assert found.low_multiplier[0] == pytest.approx(0.0, abs=1e-9)


def in_the_mirror(leg: Leg) -> Leg:
    """The same leg as a short's: levels of 0.05 and -0.05 are each other's mirror image."""
    return replace(leg, mirrored=True, upper_clip=(0.0, 1.0), lower_clip=(-10.0, 0.0))


def test_many_problems_at_once_equal_one_at_a_time_and_others_are_left_alone() -> None:
    problems = [
        terms_of(make_bars(seed, 40, "continuous", True, False), Rules(0.0015, 0, "expected", False))
        for seed in range(12)
    ]
    terms = ProfitTerms.concatenate(problems)
    floor = Floor(np.full(12, 0.004), np.full(12, -0.004), 0.02)
    free, found = Exact().fit(terms, BOUNDS, 0), Exact().fit(terms, BOUNDS, 0, floor)
    below = ~floor.allows(free.high_multiplier, free.low_multiplier)
    assert below.any() and not below.all()
    np.testing.assert_array_equal(found.profit[~below], free.profit[~below])
    assert (found.profit[below] < free.profit[below]).all()
    for b, problem in enumerate(problems):
        alone = Exact().fit(problem, BOUNDS, 0, floor.at(np.array([b])))
        assert (alone.profit[0], alone.high_multiplier[0]) == (found.profit[b], found.high_multiplier[b])


def test_no_line_is_searched_where_nothing_earns_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    def searched(*arguments: object) -> None:
        raise AssertionError("a line was searched")

    bars, moves = make_bars(3, 40, "continuous", True, False), (np.array([0.004]), np.array([-0.004]))
    monkeypatch.setattr(importlib.import_module("marketsim.optimizers.exact.above_floor"), "best_on_line", searched)
    dear, wide, floor = terms_of(bars, Rules(0.2, 0, "expected", False)), ((-0.5, 0.5), (-0.5, 0.5)), Floor(*moves, 0.5)
    free, found = maximize(dear, wide), Exact().fit(dear, wide, 0, floor)
    assert not floor.allows(free.high_multiplier, free.low_multiplier)[0]
    assert floor.allows(found.high_multiplier, found.low_multiplier)[0]
    assert free.profit[0] == found.profit[0] == 0.0
    with pytest.raises(AssertionError, match="a line was searched"):
        Exact().fit(terms_of(bars, Rules(0.002, 0, "expected", False)), BOUNDS, 0, Floor(*moves, 0.03))

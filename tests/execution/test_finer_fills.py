"""Fills on bars whose finer bars are known, against a replay of every finer bar."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from marketsim.execution.evaluation import evaluate
from marketsim.execution.fills import Multipliers, long_leg, profit_terms, short_leg
from marketsim.execution.lattices import PRECISIONS
from marketsim.execution.profit_terms import Costs, Leg, Levels, Outcomes, ProfitTerms, one_by_one
from marketsim.optimizers.exact.maximum import FINE, maximize
from marketsim.settings.choices import FILLS
from tests.execution.replay import Candle, Day, arrays, long_levels, long_taken

COSTS = Costs(0.001, 0.0005)
GRID = 200  # prices are moves of whole parts of it: ties and gaps are common
MULTIPLIERS = (-0.03, -0.0125, -0.005, 0.0, 0.0025, 0.005, 0.015, 0.03)


@st.composite
def candles(draw: st.DrawFn) -> Candle:
    prices = draw(st.lists(st.integers(-8, 8), min_size=4, max_size=4))
    low, high = min(prices), max(prices)
    return Candle(*(x / GRID for x in (prices[0], high, low, prices[1])))


@st.composite
def days(draw: st.DrawFn) -> Day:
    finer = tuple(draw(st.lists(candles(), min_size=1, max_size=6)))
    moves = draw(st.integers(0, 8)) / GRID, -draw(st.integers(0, 8)) / GRID
    return Day(finer, *moves, draw(st.sampled_from([1e-4, 9e-4])), draw(st.sampled_from([0.0, 0.5])))


def weight_at(leg: Leg, row: int, upper: float, lower: float) -> float:
    """The weight that a lattice of bins has at two levels, by what `Leg` says of it."""
    p = sum(upper - 1e-13 > edge for edge in leg.upper_edges[row])
    q = sum(lower - 1e-13 > edge for edge in leg.lower_edges[row])
    return float(leg.weight[row, p, q - 1]) if p < leg.weight.shape[1] and q else 0.0


def mirrored(day: Day) -> Day:
    return replace(day, high_move=-day.low_move, low_move=-day.high_move)


@pytest.mark.parametrize("fill", ["provable", "touch"])
@given(st.lists(days(), min_size=1, max_size=4))
@settings(max_examples=25, deadline=None)
def test_steps_are_those_of_a_replay(fill: str, given_days: list[Day]) -> None:
    """Every weight is the one of a replay, at all levels, of longs and shorts."""
    levels, did = arrays(given_days)
    legs = long_leg(levels, did, COSTS, fill), short_leg(levels, did, COSTS, fill)
    for (row, day), h, l in itertools.product(enumerate(given_days), MULTIPLIERS, MULTIPLIERS):
        upper, lower = long_levels(day, h, l)
        for leg, short in zip(legs, (False, True), strict=True):
            u, d = (-lower, -upper) if short else (upper, lower)
            taken = long_taken(day, u, d, fill, short)
            if taken is not None:
                assert weight_at(leg, row, u, d) == taken.part


@pytest.mark.parametrize("fill", FILLS)
@given(st.lists(days(), min_size=1, max_size=5), st.sampled_from(MULTIPLIERS), st.sampled_from(MULTIPLIERS))
@example([Day((Candle(0.0, 0.02, -0.01, 0.0), Candle(0.0, 0.005, -0.02, 0.0)), 0.01, -0.01)], 0.0, 0.0)  # touched first
@settings(max_examples=25, deadline=None)
def test_what_is_booked_is_what_a_replay_credits(fill: str, given_days: list[Day], h: float, l: float) -> None:
    """Equal to the last digit, also of w where there is one."""
    levels, did = arrays(given_days)
    traded = (np.full(len(given_days), h), np.full(len(given_days), l))
    for make_leg, short in ((long_leg, False), (short_leg, True)):
        leg = make_leg(levels, did, COSTS, fill, traded)
        for row, day in enumerate(given_days):
            upper, lower = long_levels(day, h, l)
            u, d = (-lower, -upper) if short else (upper, lower)
            taken = long_taken(day, u, d, fill, short)
            if taken is not None:
                assert abs(weight_at(leg, row, u, d) - taken.part) <= 0.0


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("traded", [None, (np.array([0.01]), np.array([-0.01]))], ids=["all", "own"])
def test_a_bar_of_which_no_finer_ones_are_known_is_as_it_was(fill: str, traded: Multipliers | None) -> None:
    levels, did = arrays([Day((Candle(0.005, 0.03, -0.03, 0.01),), 0.01, -0.01)])
    for make_leg in (long_leg, short_leg):
        ordered, plain = (
            asdict(make_leg(levels, bar, COSTS, fill, traded)) for bar in (did, replace(did, inside=None))
        )
        for name, array in plain.items():
            np.testing.assert_array_equal(ordered[name], array)


@given(st.lists(days(), min_size=1, max_size=4))
@example([Day((Candle(0.0, 0.03, -0.03, 0.03),), 0.0, 0.0, 1e-4, 0.0)])  # rises to its high: steep by the open
@settings(max_examples=15, deadline=None)
def test_the_surface_has_the_steps_of_a_replay(given_days: list[Day]) -> None:
    """Where no w is left it is exact; where there is one it is near, to the precision that windows are refitted to."""
    levels, did = arrays(given_days)
    pairs = np.array(list(itertools.product(MULTIPLIERS, MULTIPLIERS)))
    for make_leg, short in ((long_leg, False), (short_leg, True)):
        surface = one_by_one(make_leg(levels, did, Costs(0, 0), "expected", precision=PRECISIONS[-1]))
        found = evaluate(surface, pairs[None, :, 0], pairs[None, :, 1])
        for (row, day), (k, (h, l)) in itertools.product(enumerate(given_days), enumerate(pairs)):
            upper, lower = long_levels(day, h, l)
            u, d = (-lower, -upper) if short else (upper, lower)
            taken = long_taken(day, u, d, "expected", short)
            whole = day.whole.mirror if short else day.whole
            if taken is None:
                assert found[row, k] == 0.0
                continue
            meant = taken.part * u + (1 - taken.part) * whole.close - min(d, whole.open)
            assert abs(found[row, k] - meant) <= (8e-3 if taken.in_doubt else 1e-12)


@pytest.mark.parametrize("fill", FILLS)
@given(st.lists(days(), min_size=1, max_size=4), st.booleans())
@settings(max_examples=15, deadline=None)
def test_the_maximum_is_the_best_of_all_corners(fill: str, given_days: list[Day], both: bool) -> None:
    """No corner of any cell earns more than what the optimizer returns, and it attains what it claims."""
    levels, did = arrays(given_days)
    terms = profit_terms(levels, did, COSTS, fill, both).at(np.arange(len(given_days))[None])
    bounds = ((-0.03, 0.03), (-0.03, 0.03))
    found = maximize(terms, bounds, step=FINE)
    h, l = corners(terms, bounds)
    best = evaluate(terms, h[None], l[None]).max()
    assert float(found.profit[0]) >= best - 1e-11
    assert evaluate(terms, found.high_multiplier[:, None], found.low_multiplier[:, None])[0, 0] == found.profit[0]


def corners(
    terms: ProfitTerms, bounds: tuple[tuple[float, float], tuple[float, float]]
) -> tuple[np.ndarray, np.ndarray]:
    """Every pair of multipliers at which a level meets an edge, a hair before and after, and the bounds."""
    points: list[list[float]] = [[*bounds[0], 0.0], [*bounds[1], 0.0]]
    for leg in terms.legs:
        sign, upper, lower = (-1, 1, 0) if leg.mirrored else (1, 0, 1)
        for edges, move, axis in (
            (leg.upper_edges, leg.upper_move, upper),
            (leg.lower_edges, leg.lower_move, lower),
            (leg.low[..., None], leg.lower_move, lower),
            (leg.open[..., None], leg.lower_move, lower),
        ):
            meeting = sign * (edges - move[..., None]).ravel()
            points[axis] += [x + step for x in meeting.tolist() for step in (-FINE, 0.0, FINE)]
    kept = [sorted({min(max(x, low), high) for x in xs}) for xs, (low, high) in zip(points, bounds, strict=True)]
    pairs = np.array(list(itertools.product(*kept)))
    return pairs[:, 0], pairs[:, 1]


@pytest.mark.parametrize("fill", FILLS)
@given(st.lists(days(), min_size=1, max_size=4))
@settings(max_examples=12, deadline=None)
def test_the_least_and_the_most_close_in(fill: str, given_days: list[Day]) -> None:
    """On finer bars `provable` pays no less, `touch` no more, and both policies keep `expected` between them."""
    levels, did = arrays(given_days)
    coarse = replace(did, inside=None)
    for h, l in itertools.product(MULTIPLIERS[::2], MULTIPLIERS[::2]):
        least, middle, most = (profit(levels, did, each, h, l) for each in FILLS)
        assert (profit(levels, coarse, "provable", h, l) <= least + 1e-12).all()
        assert (least <= middle + 1e-12).all()
        assert (middle <= most + 1e-12).all()
        assert (most <= profit(levels, coarse, "touch", h, l) + 1e-12).all()


def profit(levels: Levels, did: Outcomes, fill: str, h: float, l: float) -> np.ndarray:
    """Of longs without costs, whose take-profits are above the close where they are in doubt."""
    at = np.full(len(did.close), h), np.full(len(did.close), l)
    leg = long_leg(levels, did, Costs(0, 0), fill, at)
    return np.asarray(evaluate(one_by_one(leg), at[0][:, None], at[1][:, None])[:, 0])

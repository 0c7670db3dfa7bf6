"""The surface against the slow twins: every candidate's profit, and the exact maximum."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from marketsim.execution.evaluation import evaluate
from marketsim.execution.floor import Floor
from marketsim.execution.profit_terms import Leg, ProfitTerms
from marketsim.optimizers.differential_evolution import DifferentialEvolution
from marketsim.optimizers.direct import Direct
from marketsim.optimizers.exact.candidates import Bounds
from marketsim.optimizers.exact.leg_profit import LegProfit
from marketsim.optimizers.exact.maximum import STEP, maximize
from marketsim.optimizers.exact.tuning import TUNING, Tuning
from marketsim.settings.choices import FILLS
from tests.decimals import UNIT, best_of_all, profit_of, whole
from tests.oracle import Bar, Rules, brute_force, profit
from tests.problems import BLOCKS, BOUNDS, GRIDS, any_rules, bars_of_any_kind, make_bars, terms_of

multiplier = st.one_of(st.floats(-0.05, 0.05).map(lambda x: round(x, 9)), st.integers(-5, 5).map(lambda n: n / 100))
any_bounds = st.sampled_from(
    [BOUNDS, ((-0.01, 0.04), (-0.05, 0.0)), ((0.01, 0.02), (-0.02, -0.005)), ((-1.0, 1.0), (-1.0, 1.0))]
)


@settings(max_examples=200)
@given(bars_of_any_kind(), any_rules(("provable", "touch")), multiplier, multiplier)
def test_evaluate_equals_the_bar_by_bar_simulator(bars: list[Bar], rules: Rules, h: float, l: float) -> None:
    found = evaluate(terms_of(bars, rules), np.array([[h]]), np.array([[l]]))[0, 0]
    assert found == pytest.approx(profit(bars, h, l, rules), abs=1e-14)


@settings(max_examples=80)
@given(bars_of_any_kind(), any_rules(), st.lists(multiplier, min_size=1), st.lists(multiplier, min_size=1))
def test_evaluate_equals_the_formula_of_a_leg(bars: list[Bar], rules: Rules, h: list[float], l: list[float]) -> None:
    terms, along_h, along_l = terms_of(bars, rules), whole(np.array(h)), whole(np.array(l))
    expected = sum(profit_of(leg, along_h, along_l) for leg in terms.legs)
    at = np.meshgrid(along_h * UNIT, along_l * UNIT)
    found = evaluate(terms, at[0].reshape(1, -1), at[1].reshape(1, -1))
    np.testing.assert_allclose(found.reshape(expected.shape), expected, rtol=0, atol=1e-8)


@settings(max_examples=120)
@given(bars_of_any_kind(6), any_rules(("provable", "touch")), any_bounds)
def test_the_maximum_equals_brute_force_and_is_attained(bars: list[Bar], rules: Rules, bounds: Bounds) -> None:
    found = maximize(terms_of(bars, rules), bounds)
    best = brute_force(bars, bounds, rules)
    h, l = float(found.high_multiplier[0]), float(found.low_multiplier[0])
    inside = 2 * STEP * len(bars) * any(bar.short for bar in bars)  # what a step inside costs beside an exact touch
    assert best - inside - 1e-12 <= found.profit[0] <= best + 1e-12
    zero_h, zero_l = (min(max(0.0, low), high) for low, high in bounds)
    for smaller in ((zero_h, l), (h, zero_l), (zero_h, zero_l)):
        assert smaller == (h, l) or profit(bars, *smaller, rules) < best - 1e-13, (
            "a tie goes to the smaller multipliers"
        )
    assert bounds[0][0] <= h <= bounds[0][1] and bounds[1][0] <= l <= bounds[1][1]
    assert profit(bars, h, l, rules) == pytest.approx(found.profit[0], abs=1e-14)


@settings(max_examples=80)
@given(bars_of_any_kind(3), any_rules(), any_bounds, st.sampled_from([TUNING, GRIDS, BLOCKS]))
def test_the_maximum_of_every_lattice_equals_brute_force(
    bars: list[Bar], rules: Rules, bounds: Bounds, tuning: Tuning
) -> None:
    terms = terms_of(bars, rules)
    found = maximize(terms, bounds, tuning=tuning)
    assert found.profit[0] == pytest.approx(best_of_all(terms, bounds), abs=1e-9)
    point = (found.high_multiplier[:, None], found.low_multiplier[:, None])
    assert evaluate(terms, *point)[0, 0] == found.profit[0]


@pytest.mark.parametrize("count", [1, 7, 60, 200])
@pytest.mark.parametrize("fill", FILLS)
def test_many_problems_at_once_equal_one_at_a_time(count: int, fill: str) -> None:
    problems = [
        terms_of(
            [*make_bars(seed, count - 1, "continuous", True, seed % 2 == 0), short],
            Rules(0.0015, 0.0005, fill, eod),
        )
        for seed, eod in ((1, False), (2, True), (3, False), (4, True))
        for short in make_bars(seed, 1, "lattice", True, False)
    ]
    together = maximize(ProfitTerms.concatenate(problems), BOUNDS)
    for b, problem in enumerate(problems):
        alone = maximize(problem, BOUNDS)
        assert together.profit[b] == alone.profit[0]
        assert together.high_multiplier[b] == alone.high_multiplier[0]
        assert together.low_multiplier[b] == alone.low_multiplier[0]


@settings(max_examples=80)
@given(st.integers(0, 10**6), st.integers(1, 60), any_rules(("provable", "touch")), st.booleans())
def test_float32_attains_what_float64_claims(seed: int, count: int, rules: Rules, shortable: bool) -> None:
    bars = make_bars(seed, count, "continuous", shortable, False)
    found = maximize(terms_of(bars, rules), BOUNDS, touching=False)
    single = terms_of(bars, rules, np.float32).map(lambda a: a.astype(np.float32))
    h, l = (x.astype(np.float32)[:, None] for x in (found.high_multiplier, found.low_multiplier))
    assert evaluate(single, h, l)[0, 0] == pytest.approx(found.profit[0], abs=3e-6 * count)


@pytest.mark.parametrize("shortable", [False, True])
@pytest.mark.parametrize("fill", FILLS)
def test_never_below_direct_or_differential_evolution(fill: str, shortable: bool) -> None:
    problems = ProfitTerms.concatenate(
        [
            terms_of(make_bars(1, 30, kind, shortable, False), Rules(0.0015, 0.0005, fill, eod))
            for kind in ("continuous", "lattice", "knife-edge")
            for eod in (False, True)
        ]
    )
    exact = maximize(problems, BOUNDS).profit
    allowance = STEP * sum((leg.per_upper - leg.per_lower).sum(1) for leg in problems.legs)
    assert (exact + allowance >= Direct().fit(problems, BOUNDS, 42).profit).all()
    assert (exact + allowance >= DifferentialEvolution().fit(problems, BOUNDS, 42).profit).all()


@settings(max_examples=40)
@given(bars_of_any_kind(), st.booleans(), st.sampled_from(FILLS))
def test_a_higher_fee_never_raises_the_maximum(bars: list[Bar], eod: bool, fill: str) -> None:
    profits = [maximize(terms_of(bars, Rules(fee, 0.0, fill, eod)), BOUNDS).profit[0] for fee in (0.0, 0.0005, 0.01)]
    assert all(dear <= cheap + 1e-15 for cheap, dear in itertools.pairwise(profits))


def test_without_a_profitable_order_the_best_is_not_to_be_filled() -> None:
    bars = [Bar(0.02, -0.02, 0.0, 0.001, -0.03, -0.03)]
    found = maximize(terms_of(bars, Rules(0.0015, 0.0005, "provable", False)), BOUNDS)
    assert found.profit[0] == 0.0
    assert bars[0].low_move + found.low_multiplier[0] <= bars[0].low


def test_a_tie_between_cells_goes_to_the_smaller_multipliers() -> None:
    bars = [Bar(0.0, -0.5, 0.0, 0.021, -0.6, 0.01)]
    bounds = ((0.005, 0.02), (-0.001, 0.001))  # every take-profit but the nearest is better, but the close is as good
    flat = maximize(terms_of(bars, Rules(0.0, 0.0, "touch", True)), bounds)
    assert flat.high_multiplier[0] == 0.005


def test_an_empty_problem_stays_at_zero() -> None:
    found = maximize(terms_of([Bar(0.01, -0.01, 0, 0, 0, 0, long=False)], Rules(0, 0, "touch", False)), BOUNDS)
    assert (found.high_multiplier[0], found.low_multiplier[0], found.profit[0]) == (0.0, 0.0, 0.0)


def make_lattice(seed: int, bars: int, upper_bins: int, lower_bins: int, mirrored: bool) -> Leg:
    """A leg of one problem with any weights: bins of all widths, none, and edges that coincide."""
    rng = np.random.default_rng(seed)
    low = -np.abs(0.03 * rng.standard_normal(bars))
    digits = rng.integers(2, 5)
    upper, lower = (np.abs(np.round(0.03 * rng.standard_normal((bars, n)), digits)) for n in (upper_bins, lower_bins))
    clips = ((0.0, 0.045), (-10.0, 0.0)) if mirrored else ((0.0, 0.045), (-1.0, 0.0))  # the upper one binds
    leg = Leg(
        mirrored,
        *clips,
        upper_move=0.02 + 0.01 * rng.standard_normal(bars),
        lower_move=-0.02 + 0.01 * rng.standard_normal(bars),
        low=low,
        open=low + np.abs(0.02 * rng.standard_normal(bars)),
        at_level=0.02 * rng.standard_normal(bars),
        per_lower=-np.ones(bars),
        gain=0.02 * rng.standard_normal(bars),
        per_upper=rng.choice([0.0, 0.5, 1.0], bars),
        upper_edges=np.sort(upper, -1),
        lower_edges=np.maximum(low[:, None], np.sort(-lower, -1)),
        weight=rng.choice([0.0, 0.25, 1.0], (bars, upper_bins, lower_bins)),
    )
    return leg.map(lambda a: a[None])


@settings(max_examples=60)
@given(
    st.integers(0, 10**6),
    st.integers(1, 5),
    st.integers(1, 6),
    st.integers(1, 6),
    st.sampled_from(["long", "short", "both"]),
)
def test_any_lattice_of_weights_is_solved_exactly(
    seed: int, bars: int, upper_bins: int, lower_bins: int, legs: str
) -> None:
    made = {"long": [False], "short": [True], "both": [False, True]}[legs]
    terms = ProfitTerms(tuple(make_lattice(seed + i, bars, upper_bins, lower_bins, m) for i, m in enumerate(made)))
    found = maximize(terms, BOUNDS)
    assert found.profit[0] == pytest.approx(best_of_all(terms, BOUNDS), abs=1e-9)


@pytest.mark.parametrize("bins", [1, 2, 5])
@pytest.mark.parametrize("mirrored", [False, True])
def test_large_grids_some_at_a_time_have_the_same_optimum(bins: int, mirrored: bool) -> None:
    """Enough candidates for several chunks; with these weights no bound holds, and whole grids are priced."""
    many = [ProfitTerms((make_lattice(seed, 60, bins, bins, mirrored),)) for seed in range(40)]
    together = maximize(ProfitTerms.concatenate(many), BOUNDS)
    for b, problem in enumerate(many[:10]):
        alone = maximize(problem, BOUNDS)
        assert together.profit[b] == pytest.approx(alone.profit[0], abs=1e-12)
        assert together.high_multiplier[b] == alone.high_multiplier[0]


@pytest.mark.parametrize("shortable", [False, True])
@pytest.mark.parametrize("kind", ["continuous", "lattice", "duplicated", "knife-edge"])
def test_blocks_that_bounds_leave_hold_the_optimum_of_the_whole_grid(kind: str, shortable: bool) -> None:
    """The two ways to the optimum of large problems, where ties and few or no profitable orders are among them."""
    whole_grids = replace(GRIDS, cells=1 << 30, interpolated_cells=1 << 30)
    problems = [
        terms_of(make_bars(seed, 70, kind, shortable, seed % 3 == 0), Rules(fee, 0.0005, fill, False))
        for fill, fee in (("expected", 0.0015), ("provable", 0.0), ("provable", 0.02))
        for seed in range(4)
    ]
    for some in (
        problems[:1],
        problems[:4],
        problems[4:],
    ):  # the first one has bars without a long, and without a short
        by_blocks = maximize(ProfitTerms.concatenate(some), BOUNDS, tuning=BLOCKS)
        by_grid = maximize(ProfitTerms.concatenate(some), BOUNDS, tuning=whole_grids)
        np.testing.assert_array_equal(by_blocks.profit, by_grid.profit)
        np.testing.assert_array_equal(by_blocks.high_multiplier, by_grid.high_multiplier)
        np.testing.assert_array_equal(by_blocks.low_multiplier, by_grid.low_multiplier)


@pytest.mark.parametrize("tuning", [BLOCKS, GRIDS])
def test_where_no_candidate_keeps_the_floor_the_best_is_one_of_them_all_the_same(tuning: Tuning) -> None:
    """Beside a problem whose floor can be kept, and which has more blocks to be priced."""
    rules = Rules(0.0015, 0.0005, "expected", False)
    terms = ProfitTerms.concatenate(
        [terms_of(make_bars(seed, 70, "continuous", False, False), rules) for seed in (0, 1)]
    )
    floor = Floor(np.array([0.01, 0.0]), np.array([-0.01, 0.0]), 0.07)
    found = maximize(terms, BOUNDS, floor=floor, tuning=tuning)
    assert floor.allows(found.high_multiplier, found.low_multiplier).tolist() == [True, False]
    assert (np.abs([found.high_multiplier, found.low_multiplier]) <= 0.03).all()
    profits = evaluate(terms, found.high_multiplier[:, None], found.low_multiplier[:, None])[:, 0]
    np.testing.assert_array_equal(found.profit, profits)


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 5), st.booleans(), st.booleans())
def test_no_candidate_of_a_block_earns_more_than_its_bound(
    seed: int, bars: int, bins: int, mirrored: bool, falling: bool
) -> None:
    """On lattices whose weights fall as the upper level rises; of others a bound is not said to hold."""
    leg = make_lattice(seed, bars, bins, bins, mirrored)
    weight = -np.sort(-leg.weight, axis=2) if falling else leg.weight
    leg = replace(leg, weight=weight, gain=np.abs(leg.gain))
    side = LegProfit.of(leg, *BOUNDS, TUNING)
    assert side.bounded()[0] == (np.diff(weight, axis=2) <= 0).all()
    if side.bounded()[0]:
        rng = np.random.default_rng(seed)
        h, l = np.sort(rng.uniform(-0.03, 0.03, (2, 1, 3, 4)).reshape(2, 1, -1)).reshape(2, 1, 3, 4)
        most = side.most(h, l, np.zeros_like(h))
        grid = side.grid(h.reshape(1, -1), l.reshape(1, -1)).reshape(1, 3, 4, 3, 4)
        assert (grid.max((2, 4)) <= most + 1e-12).all()

"""How closely the lattices of `expected` follow the probability that they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketsim.execution import lattices
from marketsim.execution.compiled import compiled_module
from marketsim.execution.evaluation import evaluate
from marketsim.execution.fills import Multipliers, long_leg, short_leg
from marketsim.execution.lattices import PRECISIONS, Precision
from marketsim.execution.profit_terms import Costs, Levels, Outcomes, one_by_one
from tests.problems import make_bars, make_levels

COSTS = Costs(0.0015, 0.0005)
BARS = 200


def some_bars(seed: int, kind: str = "continuous") -> tuple[Levels, Outcomes]:
    """Bars of a coin and levels at the last close, which multipliers take anywhere in the bar."""
    bars = make_bars(seed, BARS, kind, False, False)
    did = Outcomes(*(np.array([getattr(bar, name) for bar in bars]) for name in ("open", "high", "low", "close")))
    return make_levels(np.zeros(BARS), np.zeros(BARS)), did


def anywhere(did: Outcomes, seed: int) -> Multipliers:
    """Multipliers that take the levels of each bar anywhere between its low and its high."""
    rng = np.random.default_rng(seed)
    low, high = np.minimum(did.low, 0.0), np.maximum(did.high, 0.0)
    return rng.uniform(0, 1, BARS) * high, rng.uniform(0, 1, BARS) * low


def misses(did: Outcomes, levels: Levels, at: Multipliers, precision: Precision) -> np.ndarray:
    """What the surface of both legs pays more than is booked, in basis points a bar."""
    h, l = (x[:, None] for x in at)
    found = []
    for leg in (long_leg, short_leg):
        surface, booked = (
            evaluate(one_by_one(made), h, l)[:, 0]
            for made in (
                leg(levels, did, COSTS, "expected", precision=precision),
                leg(levels, did, COSTS, "expected", at),
            )
        )
        found.append(surface - booked)
    return 1e4 * np.concatenate(found)


@pytest.mark.parametrize(("place", "typical", "bias"), [(0, 6.0, 0.3), (1, 0.8, 0.08), (2, 0.2, 0.03)])
def test_the_surface_follows_what_is_booked_to_its_precision_and_without_a_sign(
    place: int, typical: float, bias: float
) -> None:
    errors = []
    for seed in range(6):
        levels, did = some_bars(seed)
        errors.append(misses(did, levels, anywhere(did, seed), PRECISIONS[place]))
    error = np.concatenate(errors)
    assert np.sqrt(np.mean(error**2)) < typical
    assert abs(error.mean()) < bias


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.sampled_from(["continuous", "lattice", "duplicated", "knife-edge"]))
def test_edges_and_weights_are_in_order_and_certain_where_the_bar_is(seed: int, kind: str) -> None:
    levels, did = some_bars(seed, kind)
    for leg in (long_leg(levels, did, COSTS, "expected"), short_leg(levels, did, COSTS, "expected")):
        assert leg.interpolated and np.isfinite(leg.weight).all()
        assert (np.diff(leg.upper_edges) >= 0).all() and (np.diff(leg.lower_edges) >= 0).all()
        assert (leg.weight >= 0).all() and (leg.weight <= 1).all()
        assert (np.diff(leg.weight, axis=1) <= 0).all(), "a higher target is never likelier"
        assert (np.diff(leg.weight, axis=2) >= 0).all(), "nor is one after a later entry"
        close, open_, high = (-did.close, -did.open, -did.low) if leg.mirrored else (did.close, did.open, did.high)
        assert (leg.upper_edges[:, -1] == high).all() and (leg.lower_edges[:, 0] == leg.low).all()
        assert (leg.weight[leg.upper_edges[:, 0] == close, 0] == 1).all(), "closed beyond the target"
        assert (leg.weight[open_ <= leg.lower_clip[1], :, -1] == 1).all(), "entered at the open"


def test_a_bar_that_opens_at_its_high_and_closes_at_its_low_pays_what_is_booked() -> None:
    """Where w changes over any distance however small, and bins would pay for what cannot be had."""
    levels = make_levels(np.full(1, 0.0), np.full(1, 0.0))
    did = Outcomes(*(np.array([x]) for x in (0.0, 0.0, -0.09, -0.09)))
    for drop in (1e-5, 1e-4, 1e-3, 1e-2):
        at = (np.array([0.0]), np.array([-drop]))
        leg, booked = long_leg(levels, did, COSTS, "expected"), long_leg(levels, did, COSTS, "expected", at)
        h, l = (x[:, None] for x in at)
        paid = [evaluate(one_by_one(each), h, l)[0, 0] for each in (leg, booked)]
        assert paid[0] == pytest.approx(paid[1], abs=3e-3)
        assert paid[0] < 0


def test_a_lattice_has_no_more_edges_than_its_precision_allows() -> None:
    levels, did = some_bars(0)
    for make_leg in (long_leg, short_leg):
        leg = make_leg(levels, did, COSTS, "expected", precision=Precision(16, 3, upper_error=1e-9, lower_error=1e-9))
        assert leg.weight.shape == (BARS, 1 + 3, 1 + 3 + 1)  # one more lower edge for entries at the open


def test_a_bar_that_did_not_move_takes_nothing_and_pays_the_close() -> None:
    """Below the last close, on it and above it, entered or not."""
    levels = make_levels(np.full(4, 0.01), np.full(4, -0.01))
    did = Outcomes(*(np.array([-0.02, -0.01, 0.0, 0.02]) for _ in range(4)))
    traded = np.zeros(4), np.zeros(4)
    for make_leg in (long_leg, short_leg):
        legs = (make_leg(levels, did, COSTS, "expected"), make_leg(levels, did, COSTS, "expected", traded))
        surface, booked = (evaluate(one_by_one(leg), np.zeros((4, 1)), np.zeros((4, 1)))[:, 0] for leg in legs)
        np.testing.assert_allclose(surface, booked, rtol=0, atol=1e-15)
        assert np.count_nonzero(booked) == 1


def test_entries_at_the_last_close_on_a_bar_that_opens_beyond_it_pay_what_is_booked() -> None:
    levels = make_levels(np.zeros(1), np.zeros(1))
    above = Outcomes(*(np.array([move]) for move in (0.01, 0.03, -0.02, 0.005)))
    below = Outcomes(*(np.array([move]) for move in (-0.01, 0.02, -0.03, -0.005)))
    for target in (0.008, 0.02, 0.028):
        for make_leg, did, h, l in ((long_leg, above, target, 1.0), (short_leg, below, -1.0, -target)):
            at = np.array([h]), np.array([l])
            surface = make_leg(levels, did, COSTS, "expected", precision=PRECISIONS[-1])
            booked = make_leg(levels, did, COSTS, "expected", at)
            paid = [evaluate(one_by_one(leg), at[0][:, None], at[1][:, None])[0, 0] for leg in (surface, booked)]
            assert paid[0] == pytest.approx(paid[1], abs=5e-5)


def test_a_bar_beyond_the_clips_needs_no_more_than_it_can_be_asked_for() -> None:
    levels = make_levels(np.full(2, 0.01), np.full(2, -0.01))
    did = Outcomes(*(np.array(x) for x in ([0.02, -0.05], [0.03, -0.01], [-0.04, -0.09], [-0.02, -0.07])))
    leg = long_leg(levels, did, COSTS, "expected")
    assert leg.lower_edges.max() < 0.0, "no order rests above the last close"
    assert leg.upper_edges[0, 0] == 0.0, "nor a target below it"


@pytest.mark.skipif(
    compiled_module("marketsim.execution._lattices", lattices.VERSION) is None, reason="nothing is compiled here"
)
@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1 << 30), st.integers(1, 4), st.integers(2, 9), st.integers(2, 12), st.integers(1, 5))
def test_compiled_fits_are_those_of_arrays_to_the_bit(
    seed: int, bars: int, edges: int, samples: int, size: int
) -> None:
    rng = np.random.default_rng(seed)
    at, x = (np.sort(rng.integers(0, 12, (bars, count)) / 8, axis=1) for count in (edges, samples))  # some coincide
    x[::2] = np.sort(rng.uniform(0, 1.5, x[::2].shape), axis=1)
    at[:, 0], at[:, -1] = x[:, 0], np.maximum(at[:, -1], x[:, -1])
    at = np.maximum.accumulate(at, axis=1)
    values, start, end = rng.normal(size=(bars, samples, size)), *rng.integers(0, 2, (2, bars)).astype(bool)
    found = lattices._fitted(at, x, values, start, end)
    np.testing.assert_array_equal(found, lattices._fitted_by_arrays(at, x, values, start, end))

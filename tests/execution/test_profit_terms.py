"""Legs and their terms as arrays: what is put side by side, sized, closed at the close, or entered."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import asdict, replace

from marketsim.execution.evaluation import evaluate
from marketsim.execution.profit_terms import Costs, Leg, ProfitTerms, entered, one_by_one
from marketsim.execution.strategies import Legs

LATTICE = {"upper_edges", "lower_edges", "weight"}


def some_leg(bars: int, uppers: int, lowers: int, mirrored: bool = False) -> Leg:
    """A leg with as many edges, all of whose numbers are different."""
    numbers = iter(np.random.default_rng(bars + uppers).permutation(1000) / 1000 + 0.001)

    def some(*shape: int) -> np.ndarray:
        return np.array([next(numbers) for _ in range(np.prod(shape))]).reshape(shape)

    return Leg(
        mirrored,
        (0.0, 10.0),
        (-1.0, 0.0),
        **{name: some(bars) for name in ("upper_move", "lower_move", "low", "open")},
        **{name: some(bars) for name in ("at_level", "per_lower", "gain", "per_upper")},
        upper_edges=np.sort(some(bars, uppers)),
        lower_edges=np.sort(some(bars, lowers)),
        weight=some(bars, uppers, lowers),
    )


def test_side_by_side_the_smaller_lattice_repeats_its_last_edges() -> None:
    small, large = some_leg(2, 2, 3), some_leg(3, 4, 6)
    both = Leg.concatenate([small, large])
    upper, lower = [0, 1, 1, 1], [0, 1, 2, 2, 2, 2]
    np.testing.assert_array_equal(both.upper_edges[:2], small.upper_edges[:, upper])
    np.testing.assert_array_equal(both.lower_edges[:2], small.lower_edges[:, lower])
    np.testing.assert_array_equal(both.weight[:2], small.weight[:, upper][:, :, lower])
    for name in LATTICE:
        np.testing.assert_array_equal(getattr(both, name)[2:], getattr(large, name))
    for name, array in asdict(both).items():
        if isinstance(array, np.ndarray) and name not in LATTICE:
            np.testing.assert_array_equal(array, [*getattr(small, name), *getattr(large, name)])


def test_problems_with_other_legs_are_not_put_side_by_side() -> None:
    long, short = some_leg(2, 1, 1), some_leg(2, 1, 1, mirrored=True)
    with pytest.raises(ValueError, match="zip"):
        ProfitTerms.concatenate([ProfitTerms((long, short)), ProfitTerms((long,))])


def test_an_order_of_no_size_earns_nothing_and_aims_at_nothing() -> None:
    leg = some_leg(3, 2, 2)
    size = np.array([2.0, 0.0, 1.0])
    (sized,) = ProfitTerms((leg,)).sized(size).legs
    for name in ("at_level", "per_lower", "gain", "per_upper"):
        np.testing.assert_array_equal(getattr(sized, name), getattr(leg, name) * size)
    np.testing.assert_array_equal(sized.weight, leg.weight * (size > 0)[:, None, None])


def test_closed_at_the_close_there_is_one_empty_bin() -> None:
    leg = some_leg(3, 2, 4).at_close()
    assert (leg.upper_edges.shape, leg.lower_edges.shape, leg.weight.shape) == ((3, 1), (3, 1), (3, 1, 1))
    assert not leg.weight.any()
    terms = ProfitTerms((some_leg(3, 2, 4),))
    assert terms.at_close().legs[0].weight.shape == (3, 1, 1)


def test_each_leg_is_placed_where_the_strategy_says() -> None:
    long, short = some_leg(3, 1, 1), some_leg(3, 1, 1, mirrored=True)
    on = np.array([True, False, True]), np.array([False, True, True])
    placed = ProfitTerms((long, short)).placed(Legs(*on))
    for leg, before, where in zip(placed.legs, (long, short), on, strict=True):
        np.testing.assert_array_equal(leg.gain, before.gain * where)
    assert len(placed) == 3


@pytest.mark.parametrize("mirrored", [False, True])
def test_entered_is_where_a_bar_trades_through_the_multiplied_level(mirrored: bool) -> None:
    """A long's entry moves with l, a short's with h, which is the other way in the mirror."""
    one = np.ones(4)
    low = np.array([-0.26, -0.5, -0.5 - 1e-9, -0.75])
    leg = replace(some_leg(4, 1, 1, mirrored), lower_move=-0.25 * one, low=low)
    down = 0.25 * one if mirrored else -0.25 * one
    h, l = (down, one) if mirrored else (one, down)
    assert entered(leg, h, l).tolist() == [False, False, True, True]


def test_one_by_one_are_problems_of_one_bar() -> None:
    leg = some_leg(3, 2, 2)
    terms = one_by_one(leg)
    assert terms.legs[0].weight.shape == (3, 1, 2, 2)
    h = np.zeros((3, 1))
    together = evaluate(ProfitTerms((leg,)).at(None), h[:1], h[:1])
    assert evaluate(terms, h, h).sum() == pytest.approx(together[0, 0], abs=1e-15)


def test_a_round_trip_breaks_even_where_both_fees_are_paid() -> None:
    costs = Costs(fee=0.01, slippage=0.5)
    assert (1 + costs.round_trip) * (1 - costs.fee) == pytest.approx(1 + costs.fee)

"""Which legs a strategy places."""

from __future__ import annotations

import numpy as np

from marketsim.execution.strategies import STRATEGIES

HIGH = np.array([0.03, 0.01, 0.02, -0.05])
LOW = np.array([-0.02, -0.02, -0.02, -0.01])


def test_entry_exit_is_long_where_the_high_move_is_larger_else_short() -> None:
    legs = STRATEGIES["entry-exit"](HIGH, LOW, True)
    assert legs.long.tolist() == [True, False, False, True]
    assert legs.short is not None and legs.short.tolist() == [False, True, True, False]


def test_entry_exit_stays_flat_where_shorts_are_impossible() -> None:
    legs = STRATEGIES["entry-exit"](HIGH, LOW, False)
    assert legs.long.tolist() == [True, False, False, True]
    assert legs.short is None


def test_always_on_places_both_legs_or_the_long_one_alone() -> None:
    both, long = (STRATEGIES["always-on"](HIGH, LOW, shortable) for shortable in (True, False))
    assert both.long.all() and both.short is not None and both.short.all()
    assert long.long.all() and long.short is None


def test_orders_are_kept_where_they_are_placed_on_either_side() -> None:
    legs = STRATEGIES["entry-exit"](HIGH, LOW, True).where(np.array([True, True, False, False]))
    assert legs.long.tolist() == [True, False, False, False]
    assert legs.short is not None and legs.short.tolist() == [False, True, False, False]
    assert legs.any.tolist() == [True, True, False, False]
    alone = STRATEGIES["entry-exit"](HIGH, LOW, False)
    assert alone.any.tolist() == [True, False, False, True]

"""The walk: which bars fit and which are evaluated."""

from __future__ import annotations

import numpy as np
import pytest

from marketsim.data.walk_forward import JUDGED, make_walk
from marketsim.errors import DataError


def test_each_simulation_evaluates_one_bar_and_fits_on_those_just_before() -> None:
    bars, simulations, window = 300, 70, 60
    walk = make_walk(bars, simulations, window, 2, "X")
    for s in range(simulations):
        evaluated = walk.origins[walk.evaluated[s]] + 1
        assert evaluated == bars - 1 - s
        assert list(walk.origins[walk.windows[s]] + 1) == list(range(evaluated - window, evaluated))
    plan = walk.origins[walk.windows[-1]] + 1
    assert list(plan) == list(range(bars - window, bars))


def test_every_origin_is_forecast_once_and_the_last_one_is_for_the_plan() -> None:
    walk = make_walk(1209, 70, 60, 2, "X")
    assert len(walk.origins) == 131
    assert walk.origins[-1] == 1208
    assert (np.diff(walk.origins) == 1).all()


def test_fast_rows_are_the_newest_rows() -> None:
    full, fast = make_walk(500, 70, 60, 2, "X"), make_walk(500, 35, 60, 2, "X")
    np.testing.assert_array_equal(full.origins[full.evaluated[:35]], fast.origins[fast.evaluated])
    np.testing.assert_array_equal(full.origins[full.windows[:35]], fast.origins[fast.windows[:35]])


def test_a_part_of_a_walk_is_judged_where_the_whole_is() -> None:
    full, fast = make_walk(500, 70, 60, 2, "X"), make_walk(500, 35, 60, 2, "X", whole=70)
    np.testing.assert_array_equal(full.judged, fast.judged)
    np.testing.assert_array_equal(fast.judged, np.arange(429 - JUDGED, 429))
    first = full.origins[full.evaluated].min() + 1  # bar that is evaluated
    assert full.judged[-1] + 1 == first - 1  # the newest bar that counts is the one before


def test_a_part_of_a_walk_is_judged_as_far_back_as_the_bars_go() -> None:
    longest = make_walk(110, 47, 60, 3, "X")
    for whole in (48, 70, 1000):
        np.testing.assert_array_equal(make_walk(110, 35, 60, 3, "X", whole).judged, longest.judged)
    assert longest.judged[0] == 2


def test_too_few_bars_say_how_many_are_needed_and_which_flags_lower_it() -> None:
    assert len(make_walk(140, 70, 60, 10, "X").origins) == 131
    with pytest.raises(DataError, match=r"X: 139 bars, .* need 140: lower --sims to 69 or --window to 59"):
        make_walk(139, 70, 60, 10, "X")
    with pytest.raises(DataError, match=r"X: 60 bars, .* need 321: lower --sims and --window"):
        make_walk(60, 70, 250, 1, "X")
    with pytest.raises(DataError, match=r"X: 80 bars, .* need 132: lower --sims to 18 or --window to 8$"):
        make_walk(80, 70, 60, 2, "X")
    with pytest.raises(DataError, match=r"X: 1 bars, .* need 132: too few for any"):
        make_walk(1, 70, 60, 2, "X")
    with pytest.raises(DataError, match=r"need 132: lower --sims and --window$"):
        make_walk(62, 70, 60, 2, "X")
    with pytest.raises(DataError, match=r"need 132: lower --sims and --window$"):
        make_walk(4, 70, 60, 2, "X")
    with pytest.raises(DataError, match=r"need 132: too few for any$"):
        make_walk(3, 70, 60, 2, "X")

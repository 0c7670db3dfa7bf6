"""A bar's terms rest on that bar alone, to the bit: made in any groups and order, they are those of all at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from marketsim.execution.fills import Multipliers, long_leg, profit_terms, short_leg
from marketsim.execution.lattices import PRECISIONS, Precision
from marketsim.execution.profit_terms import Costs, Leg, Levels, Outcomes
from marketsim.settings.choices import FILLS
from tests.execution.replay import Day, arrays
from tests.execution.test_finer_fills import days
from tests.problems import make_bars

COSTS = Costs(0.0015, 0.0005)
MANY = 320  # so many bars that numpy's operators exchange the factors of complex products, which get other last digits
TRADED = 1600  # the same for what is made at one pair of levels a bar, where it is in doubt
KINDS = st.sampled_from(["continuous", "lattice", "duplicated", "knife-edge"])


def some_bars(seed: int, kind: str, count: int) -> tuple[Levels, Outcomes]:
    """Bars, and levels of any width and spread."""
    bars, rng = make_bars(seed, count, kind, True, False), np.random.default_rng(seed)
    columns = {
        name: np.array([getattr(bar, name) for bar in bars])
        for name in ("high_move", "low_move", "open", "high", "low", "close")
    }
    levels = Levels(
        columns["high_move"], columns["low_move"], 10 ** rng.uniform(-5, -2, count), rng.uniform(0, 2, count)
    )
    return levels, Outcomes(*(columns[name] for name in ("open", "high", "low", "close")))


def some_groups(seed: int, count: int) -> list[NDArray[np.int64]]:
    """All bars in groups of any size, some of one bar, in any order."""
    rng = np.random.default_rng(seed)
    cuts = np.unique(rng.integers(1, count, rng.integers(0, 12))) if count > 1 else []
    return np.split(rng.permutation(count), cuts)


def assert_same(whole: Leg, parts: list[Leg], groups: list[NDArray[np.int64]]) -> None:
    """Equal to the bit once the lattices are as wide: edges that repeat the last one change nothing."""
    order = np.concatenate(groups)
    joined = Leg.concatenate([whole.map(lambda array: array[order]), *parts])
    differing: list[bool] = []

    def compare(array: NDArray[np.float64]) -> NDArray[np.float64]:
        differing.append(array[: len(order)].tobytes() != array[len(order) :].tobytes())
        return array

    joined.map(compare)
    assert not any(differing)


def assert_alone(levels: Levels, did: Outcomes, fill: str, precision: Precision, seed: int) -> None:
    groups = some_groups(seed, len(did.close))
    whole = profit_terms(levels, did, COSTS, fill, True, precision)
    parts = [profit_terms(levels.at(group), did.at(group), COSTS, fill, True, precision) for group in groups]
    for leg, of_parts in zip(whole.legs, zip(*(part.legs for part in parts), strict=True), strict=True):
        assert_same(leg, list(of_parts), groups)
    assert len(whole.legs) == 2


@pytest.mark.parametrize("fill", FILLS)
@given(st.integers(0, 10**6), KINDS, st.sampled_from([(MANY, PRECISIONS[0]), (20, PRECISIONS[1])]))
@settings(max_examples=8, deadline=None)
def test_terms_in_any_groups_are_those_of_all_bars(
    fill: str, seed: int, kind: str, bars: tuple[int, Precision]
) -> None:
    count, precision = bars
    assert_alone(*some_bars(seed, kind, count), fill, precision, seed)


@pytest.mark.parametrize("fill", FILLS)
@given(st.lists(days(), min_size=2, max_size=8), st.integers(0, 10**6))
@settings(max_examples=12, deadline=None)
def test_so_are_those_of_bars_whose_finer_bars_are_known(fill: str, some: list[Day], seed: int) -> None:
    assert_alone(*arrays(some), fill, PRECISIONS[0], seed)


@pytest.mark.parametrize("fill", FILLS)
@given(st.integers(0, 10**6), KINDS)
@settings(max_examples=8, deadline=None)
def test_and_those_that_are_booked(fill: str, seed: int, kind: str) -> None:
    levels, did = some_bars(seed, kind, TRADED)
    groups, rng = some_groups(seed, TRADED), np.random.default_rng(seed)
    traded: Multipliers = (rng.uniform(-0.02, 0.02, TRADED), rng.uniform(-0.02, 0.02, TRADED))
    for make_leg in (long_leg, short_leg):
        parts = [
            make_leg(levels.at(group), did.at(group), COSTS, fill, (traded[0][group], traded[1][group]))
            for group in groups
        ]
        assert_same(make_leg(levels, did, COSTS, fill, traded), parts, groups)

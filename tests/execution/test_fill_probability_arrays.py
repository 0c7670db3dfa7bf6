"""w on arrays: any shapes, many bars at once, and compiled code beside numpy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from marketsim.execution import fill_probability
from marketsim.execution.compiled import VARIABLE, compiled_module
from marketsim.execution.fill_probability import EXACT, FAST, take_profit_probability
from tests.execution.test_fill_probability import BARS, w

Array = NDArray[np.float64]


def test_the_unit_of_log_prices_and_the_shapes_do_not_matter() -> None:
    rng = np.random.default_rng(3)
    open, close = rng.random((2, 5, 1, 1))
    lower, upper = open * rng.random((5, 4, 1)), close + (1 - close) * rng.random((5, 1, 3))
    bar = (open, np.ones_like(open), np.zeros_like(open), close)
    grid = take_profit_probability(*bar, lower, upper, 0.3, 0.4)
    assert grid.shape == (5, 4, 3)
    moved = take_profit_probability(*(2 + 0.01 * each for each in (*bar, lower, upper)), 0.3e-4, 0.4)
    np.testing.assert_allclose(moved, grid, atol=1e-9)
    alone = take_profit_probability(*(each[2, 0, 0] for each in bar), lower[2, 1, 0], upper[2, 0, 1], 0.3, 0.4)
    assert alone == pytest.approx(grid[2, 1, 1], abs=1e-12)


@pytest.mark.parametrize("compiled", ["0", "1"])
def test_one_bar_may_have_many_variances(compiled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, compiled)
    variance, spread = np.array([0.03, 0.3, 3.0]), np.array([0.0, 0.4])
    bar = [np.array(each) for each in BARS[0]]
    found = take_profit_probability(*bar, variance, spread[:, None])
    alone = [[w(BARS[0], v, s, FAST) for v in variance] for s in spread]
    np.testing.assert_allclose(found, alone, rtol=0, atol=1e-12)


@pytest.mark.parametrize("compiled", ["0", "1"])
def test_many_bars_are_priced_as_few(compiled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than numpy's way takes at once, and so many as it takes just so."""
    monkeypatch.setenv(VARIABLE, compiled)
    rng = np.random.default_rng(5)
    uppers = 64
    for count in (fill_probability.SAMPLED // uppers, 2 * fill_probability.SAMPLED // uppers + 1):
        open, close = rng.random((2, count, 1, 1))
        bar = (open, np.ones_like(open), np.zeros_like(open), close)
        lower, upper = open * rng.random((count, 1, 2)), close + (1 - close) * rng.random((count, uppers, 1))
        for variance in (np.full((count, 1, 1), 0.3), 0.3):
            whole = take_profit_probability(*bar, lower, upper, variance, 0.4)
            parts = [
                take_profit_probability(*(each[i : i + 1] for each in (*bar, lower, upper)), 0.3, 0.4)
                for i in range(count)
            ]
            np.testing.assert_allclose(whole, np.concatenate(parts), rtol=0, atol=1e-12)


def test_on_a_grid_each_level_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, ...]] = []

    class Spy:
        def missed(self, *arguments: Any) -> None:
            *_, bars, nodes, lowers, uppers, found = arguments
            asked.append((bars, nodes, lowers, uppers))
            found[...] = 0.25

    code = {("marketsim.execution._fill_probability", fill_probability.VERSION): Spy()}
    monkeypatch.setattr(fill_probability, "compiled_module", lambda *wanted: code[wanted])
    half, ones = np.full((5, 1, 1), 0.5), np.ones((5, 1, 1))
    bar, nodes = (half, ones, 0 * ones, half), FAST[0] * FAST[1]
    grid = take_profit_probability(*bar, np.full((5, 1, 3), 0.2), np.full((5, 4, 1), 0.8), 0.3 * ones, 0.4)
    shared = take_profit_probability(*bar, np.full((1, 1, 3), 0.2), np.full((4, 1), 0.8), 0.3, 0.4)
    pairs = take_profit_probability(*bar, np.full((5, 4, 3), 0.2), np.full((5, 4, 1), 0.8), 0.3, 0.4)
    twice = take_profit_probability(*bar, np.full((2, 1, 1, 3), 0.2), np.full((5, 4, 1), 0.8), 0.3, 0.4)
    assert (grid == 0.75).all() and grid.shape == shared.shape == pairs.shape == twice.shape[1:] == (5, 4, 3)
    assert asked == [(5, nodes, 3, 4), (5, nodes, 3, 4), (60, nodes, 1, 1), (120, nodes, 1, 1)]


COMPILED = compiled_module("marketsim.execution._fill_probability", fill_probability.VERSION)
needs_compiled = pytest.mark.skipif(COMPILED is None, reason="nothing is compiled here")


@needs_compiled
@pytest.mark.parametrize("nodes", [FAST, EXACT])
def test_on_bars_as_they_occur_compiled_code_loses_no_digits(nodes: tuple[int, int], monkeypatch) -> None:
    columns = [column[:, None, None] for column in np.array(BARS).T]
    variance = np.array([0.05, 0.3, 3.0])[:, None] * (columns[1] - columns[2]) ** 2
    spread = np.array([0.0, 0.2, 0.4, 1.0, np.inf])
    compiled = take_profit_probability(*columns, variance, spread, nodes)
    monkeypatch.setenv(VARIABLE, "0")
    np.testing.assert_allclose(take_profit_probability(*columns, variance, spread, nodes), compiled, rtol=0, atol=3e-14)


@needs_compiled
@pytest.mark.parametrize("wrong", range(7))
def test_arrays_of_another_length_are_refused(wrong: int) -> None:
    bars, nodes, lowers, uppers = 2, 3, 4, 5
    lengths = [12, 12, 2, 2, 8, 10, 40]
    arrays = [np.full(length, 0.5) for length in lengths]
    COMPILED.missed(*arrays[:6], bars, nodes, lowers, uppers, arrays[6])
    arrays[wrong] = np.full(lengths[wrong] + 1, 0.5)
    with pytest.raises(ValueError, match=f"array {wrong} has"):
        COMPILED.missed(*arrays[:6], bars, nodes, lowers, uppers, arrays[6])


SHARE = st.floats(1e-3, 0.999)  # nearer to an edge both lose digits, of 1 - exp(-x)


@needs_compiled
@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(SHARE, SHARE, st.floats(-6, 5), st.sampled_from([0.0, 0.2, 1.0, np.inf])), min_size=1, max_size=5
    ),
    st.lists(SHARE, min_size=1, max_size=4),
    st.lists(SHARE, min_size=1, max_size=4),
    st.floats(-4, 0),
    st.sampled_from([FAST, EXACT]),
)
def test_compiled_code_gives_what_numpy_gives(bars, falls, rises, digits, nodes):
    open, close, decades, spread = np.array(bars).T
    high = np.full(len(bars), 10.0**digits)
    open, close, variance = open * high, close * high, high**2 * 10**decades
    lower, upper = open[:, None] * np.array(falls), close[:, None] + (high - close)[:, None] * np.array(rises)
    whole = [each[:, None, None] for each in (open, high, 0 * high, close)]
    wide = variance[:, None, None], spread[:, None, None], nodes

    def found() -> list[Array]:
        grid = take_profit_probability(*whole, lower[:, None, :], upper[:, :, None], *wide)
        pairs = take_profit_probability(open, high, 0 * high, close, lower[:, 0], upper[:, 0], variance, spread, nodes)
        mixed = take_profit_probability(*whole, lower[:, None, :], upper[:, None, :1], *wide)
        single = take_profit_probability(
            *(np.array(each[0]) for each in (open, high, 0 * high, close, lower[:, 0], upper[:, 0])),
            variance[0],
            spread[0],
            nodes,
        )
        return [grid, pairs, mixed, single]

    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(VARIABLE, "1")
        compiled = found()
        patched.setenv(VARIABLE, "0")
        for one, other in zip(compiled, found(), strict=True):
            assert one.shape == other.shape
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-10)
    grid, pairs, *_ = compiled
    np.testing.assert_array_equal(grid[:, 0, 0], pairs)  # a pair is worth the same alone and on a grid

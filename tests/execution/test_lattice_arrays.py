"""What lattices are made of: widening, joining, and the fit by least squares against numpy's."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from marketsim.execution.lattices import NARROW, RIDGE, Lattice, _crowded, _edges, _fitted, _solved

Floats = NDArray[np.float64]


def some_lattice(bars: int, uppers: int, lowers: int, interpolated: bool = False) -> Lattice:
    """A lattice whose numbers are all different."""
    numbers = np.random.default_rng(bars + uppers).permutation(bars * uppers * lowers) / 1e4
    return Lattice(
        np.sort(numbers[: bars * uppers].reshape(bars, uppers)),
        np.sort(numbers[-bars * lowers :].reshape(bars, lowers)),
        numbers.reshape(bars, uppers, lowers),
        interpolated,
    )


@pytest.mark.parametrize("interpolated", [False, True])
def test_joined_lattices_keep_their_bars_and_repeat_their_last_edges(interpolated: bool) -> None:
    own = np.random.default_rng(0).random(60) < 0.4  # so many that only a stable sort keeps their order
    small = some_lattice(own.sum(), 2, 5, interpolated)
    large = some_lattice((~own).sum(), 4, 3, interpolated)
    joined = small.joined(large, own)
    up, down = ([0, 1, 1, 1], [0, 1, 2, 3]), ([0, 1, 2, 3, 4], [0, 1, 2, 2, 2])
    for lattice, rows, upper, lower in zip((small, large), (own, ~own), up, down, strict=True):
        np.testing.assert_array_equal(joined.upper_edges[rows], lattice.upper_edges[:, upper])
        np.testing.assert_array_equal(joined.lower_edges[rows], lattice.lower_edges[:, lower])
        np.testing.assert_array_equal(joined.weight[rows], lattice.weight[:, upper][:, :, lower])
    assert joined.interpolated == interpolated


def hats(edges: Floats, x: Floats) -> Floats:
    """How much each edge `[P]` counts at each `x` `[M]` of what is linear between edges."""
    return np.stack([np.interp(x, edges, each) for each in np.eye(len(edges))], 1)


def by_definition(edges: Floats, x: Floats, values: Floats, start: bool, end: bool) -> Floats:
    """The values `[P, Q]` at the edges: least squares, with a little weight on what the samples say there."""
    width = np.diff(x)
    length = (np.append(0, width) + np.append(width, 0)) / 2
    there = np.stack([np.interp(edges, x, column) for column in values.T], 1)
    basis = hats(edges, x)
    free = np.ones(len(edges), bool)
    free[0], free[-1] = not start, not end
    some = basis[:, free]
    squares = some.T @ (length[:, None] * some)
    squares += np.diag(RIDGE * np.diag(squares) + (np.diag(squares) == 0))
    fitted = there.copy()
    fitted[free] += np.linalg.solve(squares, some.T @ (length[:, None] * (values - basis @ there)))
    return fitted


@pytest.mark.parametrize(("start", "end"), [(False, False), (True, False), (False, True), (True, True)])
def test_values_at_edges_fit_those_at_samples_by_least_squares(start: bool, end: bool) -> None:
    rng = np.random.default_rng(1)
    x = np.sort(rng.random((6, 17)))
    x[:, 0], x[:, -1] = 0.0, 1.0
    x[5, 4:8] = x[5, 4]  # samples on one place count as much as their neighbors are far
    inner = np.sort(rng.random((6, 5)))
    inner[4] = 0.5 + 1e-6 * np.arange(5)  # no sample is near
    edges = np.pad(np.pad(inner, [(0, 0), (1, 0)]), [(0, 0), (0, 1)], constant_values=1.0)
    values = rng.random((6, 17, 3))
    kept = np.full(6, start), np.full(6, end)
    found = _fitted(edges, x, values, *kept)
    for bar in range(6):
        expected = by_definition(edges[bar], x[bar], values[bar], start, end)
        np.testing.assert_allclose(found[bar], expected, rtol=0, atol=1e-9)
    repeated = np.concatenate([edges, edges[:, -1:], edges[:, -1:]], 1)
    again = _fitted(repeated, x, values, *kept)
    np.testing.assert_array_equal(again, found[:, [0, 1, 2, 3, 4, 5, 6, 6, 6]])


def test_without_a_word_no_end_is_kept() -> None:
    rng = np.random.default_rng(2)
    x, values = np.linspace(0, 1, 9)[None], rng.random((1, 9, 2))
    edges = np.linspace(0, 1, 4)[None]
    neither = np.zeros(1, bool)
    np.testing.assert_array_equal(_fitted(edges, x, values), _fitted(edges, x, values, neither, neither))


def test_tridiagonal_systems_are_solved() -> None:
    rng = np.random.default_rng(3)
    diagonal, beside, wanted = 3 + rng.random((4, 6)), rng.random((4, 6)), rng.random((4, 6, 2))
    found = _solved(diagonal, beside, wanted)
    for bar in range(4):
        off = beside[bar, :-1]
        matrix = np.diag(diagonal[bar]) + np.diag(off, 1) + np.diag(off, -1)
        np.testing.assert_allclose(matrix @ found[bar], wanted[bar], rtol=0, atol=1e-12)


def test_places_are_crowded_at_both_ends_over_the_distances_given_for_them() -> None:
    """The log of the distances from beyond the ends, one over the other, rises by equal steps."""
    start, end = np.array([0.0, -0.3, 0.1]), np.array([1.0, -0.1, 0.1])
    at_start, at_end = np.array([0.01, 0.2, 0.05]), np.array([0.5, 0.001, 0.05])
    place = _crowded(start, end, at_start, at_end, 8)
    assert (place[:, 0] == start).all() and (place[:, -1] == end).all() and (place[2] == 0.1).all()
    y = place - start[:, None]
    ratio = np.log((y + at_start[:, None]) / ((end - start + at_end)[:, None] - y))
    np.testing.assert_allclose(np.diff(ratio, 2, axis=1), 0.0, atol=1e-12)
    rng = np.random.default_rng(4)
    start, length, *distances = np.abs(0.03 * rng.standard_normal((4, 2000)))  # so many that some round beyond an end
    place = _crowded(start, start + length, *(each + 1e-6 for each in distances), 16)
    assert (np.diff(place) >= 0).all() and (place[:, 0] == start).all() and (place[:, -1] == start + length).all()


def largest_misses(edges: Floats, x: Floats, taken: Floats) -> Floats:
    """How far a line between two edges lies off what is taken there, at most."""
    off = np.abs(taken - np.interp(x, edges, np.interp(edges, x, taken)))
    return np.array([off[(x >= a) & (x <= b)].max() for a, b in itertools.pairwise(edges)])


def test_edges_lie_so_close_that_the_error_between_any_two_is_about_what_is_asked_for() -> None:
    x = np.linspace(0, 1, 801)
    constant, growing = 4.0 * x**2, np.exp(5 * x) / 50
    both = np.stack([constant, growing])[:, :, None]
    edges = _edges(np.stack([x, x]), both, 99, 1 / 1024)
    few, most = 32, 36  # a bend b misses by b w^2 / 8 on a width w: integrals of sqrt(128 b), 32.0 and 35.8
    np.testing.assert_allclose(edges[0, : few + 1], np.linspace(0, 1, few + 1), atol=1e-5)
    assert (edges[0, few:] == 1).all() and edges.shape == (2, most + 1)
    misses = largest_misses(edges[1], x, growing)
    assert misses.max() < 1.1e-3 and misses.min() > 0.8e-3
    ending = np.minimum(x, 0.5)[None]
    straight = _edges(x[None], np.where(ending < 0.5, 4 * ending**2, 4 * ending - 1)[:, :, None], 99, 1e-3)
    assert straight[0, -1] == 1 and straight[0, -2] == pytest.approx(0.5, abs=0.02), "no edge where nothing bends"


def test_edges_are_no_more_than_asked_for_and_follow_the_root_mean_square_of_all_bends() -> None:
    x = np.linspace(0, 1, 401)[None]
    flat, bent = np.zeros_like(x), 4.0 * x**2
    few = _edges(x, bent[:, :, None], 3, 1e-9)
    np.testing.assert_allclose(few[0], np.linspace(0, 1, 4), atol=1e-5)
    mixed = _edges(x, np.stack([bent, flat, flat, flat], 2), 99, 1e-3)
    assert mixed.shape[1] == 1 + 23  # half the bend: sqrt(4 / 8e-3) is 22.4
    assert _edges(x, flat[:, :, None], 99, 1e-3).tolist() == [[0.0, 1.0]]
    narrow = np.stack([0.3 + 0.9 * NARROW * x[0], 0.3 + 1.1 * NARROW * x[0]])
    counted = _edges(narrow, (1e10 * (narrow - 0.3) ** 2)[:, :, None], 5, 1e-4)
    np.testing.assert_array_equal(counted[0, 1:], narrow[0, -1])  # one bin
    assert (np.diff(counted[1]) > 0).all() and counted.shape == (2, 6)


def test_edges_of_samples_that_coincide_are_in_order() -> None:
    x = np.array([[0.0, 0.0, 0.2, 0.2, 0.2, 0.9, 1.0, 1.0]])
    edges = _edges(x, np.sqrt(x)[:, :, None], 4, 1e-5)
    assert edges[0, 0] == 0 and edges[0, -1] == 1 and (np.diff(edges) >= 0).all()

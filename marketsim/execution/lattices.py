"""Lattices of take-profit weights: the part of a take-profit that a fill policy credits, by both levels of a bar.

All of them are those of a long; a short is a long on the mirrored bar. Levels and prices are moves from the origin's
close.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.execution.compiled import compiled_module
from marketsim.execution.profit_terms import LEVEL_TIE, Outcomes

VERSION = 1  # of c/lattices.c

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Interval = tuple[float, float]
Probability = Callable[[Floats, Floats], Floats]  # w [N, P, Q] at upper levels [N, P] and lower levels [N, Q]

CERTAIN = 1e-3  # a probability that is no nearer to one is not taken for it
CROWDED = 1e-3  # of the bar's range: the least distance over which samples of w are spread
RIDGE = 1e-3  # of a fit by least squares: edges with few samples nearby keep what w is there
NO_WIDTH = 1e-100  # is divided by where edges coincide
NARROW = 1e-5  # a part of a bar that has one bin, however w runs there


def compiled_code() -> Any:
    """The compiled module; None if it is not built from these sources, or turned off."""
    return compiled_module("marketsim.execution._lattices", VERSION)


class Lattice(Struct, frozen=True):
    """Edges and weights of N bars, as a `Leg` has them."""

    upper_edges: Floats  # [N, P]
    lower_edges: Floats  # [N, Q]
    weight: Floats  # [N, P, Q]
    interpolated: bool = False

    def widened(self, upper: int, lower: int) -> Lattice:
        """The lattice with as many edges; an edge that is there again changes nothing."""
        *_, p, q = self.weight.shape
        at_upper, at_lower = np.minimum(np.arange(upper), p - 1), np.minimum(np.arange(lower), q - 1)
        return Lattice(
            self.upper_edges[:, at_upper],
            self.lower_edges[:, at_lower],
            self.weight[:, at_upper][:, :, at_lower],
            self.interpolated,
        )

    def joined(self, other: Lattice, own: NDArray[np.bool_]) -> Lattice:
        """This lattice on the bars that are its `own` `[N]`, another of its kind on the rest."""
        size = np.maximum(self.weight.shape[1:], other.weight.shape[1:]).tolist()
        parts = self.widened(*size), other.widened(*size)
        row = np.argsort(np.argsort(~own, kind="stable"))
        return Lattice(
            np.concatenate([part.upper_edges for part in parts])[row],
            np.concatenate([part.lower_edges for part in parts])[row],
            np.concatenate([part.weight for part in parts])[row],
            self.interpolated,
        )


class Precision(Struct, frozen=True):
    """How closely a lattice follows the probability w."""

    samples: int  # of w along each level, from which edges and weights are made
    bins: int  # the most along each level
    upper_error: float  # of a take-profit between two upper edges, about, as a fraction of the close
    lower_error: float  # and between two lower ones


PRECISIONS = (  # the first one for a start
    Precision(samples=16, bins=12, upper_error=4e-3, lower_error=1e-3),
    Precision(samples=32, bins=24, upper_error=2e-4, lower_error=2e-4),
    Precision(samples=64, bins=48, upper_error=4e-5, lower_error=4e-5),
)


def touch_lattice(bar: Outcomes) -> Lattice:
    """One bin: filled wherever the bar reached the level, whatever came first."""
    return Lattice(bar.high[:, None], bar.low[:, None], np.ones((len(bar.close), 1, 1)))


def provable_lattice(bar: Outcomes) -> Lattice:
    """Traded through, and after the entry for sure: the close is at or beyond it, or the entry was at the open."""
    through = bar.high - 2 * LEVEL_TIE
    upper = np.stack([np.minimum(bar.close, through), through], -1)
    weight = np.broadcast_to([[1.0, 1.0], [0.0, 1.0]], (len(bar.close), 2, 2))
    return Lattice(upper, np.stack([bar.low, bar.open], -1), weight)


def expected_at(bar: Outcomes, w: Floats) -> Lattice:
    """The calibrated fill at one pair of levels a bar, where the probability is `w` `[N]` if it is in doubt."""
    weight = np.ones((len(bar.close), 2, 2))
    weight[:, 1, 0] = w
    return Lattice(np.stack([bar.close, bar.high], -1), np.stack([bar.low, bar.open], -1), weight)


def expected_lattice(
    bar: Outcomes, probability: Probability, upper_clip: Interval, lower_clip: Interval, precision: Precision
) -> Lattice:
    """The calibrated fill at all levels: what is taken is linear between edges, which lie closest where w bends most.

    w is sampled between close and high and between low and open, as far as the clips let the levels come. The edges
    are spread so that the error between any two of them is about the same (de Boor, A Practical Guide to Splines,
    1978), and the weights are those that fit what is taken at the samples best, by least squares: the error has no
    sign, so that a fit does not seek it out.
    """
    first = np.minimum(np.maximum(bar.close, upper_clip[0]), bar.high)
    last = np.maximum(np.minimum(bar.open, lower_clip[1] - 2 * LEVEL_TIE), bar.low)
    surface = surface_of_w(bar, bar.close, first, last, probability, precision)
    weight = np.maximum.accumulate(np.minimum.accumulate(surface.weight, 1), 2)
    at_open = np.where((bar.open <= lower_clip[1])[:, None], 1.0, weight[:, :, -1])[:, :, None]
    lower = np.concatenate([surface.lower_edges, surface.lower_edges[:, -1:]], 1)
    beyond = np.arange(lower.shape[1]) > (lower < lower[:, -1:]).sum(1)[:, None]
    weight = np.where(beyond[:, None, :], at_open, np.concatenate([weight, at_open], 2))
    return Lattice(surface.upper_edges, lower, weight, interpolated=True)


def surface_of_w(
    bar: Outcomes, exit: Floats, first: Floats, last: Floats, probability: Probability, precision: Precision
) -> Lattice:
    """The part of a lattice where w is in doubt: upper levels from `first` to the high, lower ones up to `last`.

    `exit` `[N]` is where what is not taken is closed.
    """
    size = bar.high - bar.low
    least = np.maximum(CROWDED * size, 1e-12)
    above, below = np.maximum(bar.high - bar.open, least), np.maximum(bar.close - bar.low, least)
    u = _crowded(first, bar.high, below + first - bar.close, above, precision.samples)
    d = _crowded(bar.low, last, below, above + bar.open - last, precision.samples)
    w = probability(u, np.minimum(d, (last - 1e-7 * size)[:, None]))  # before the open, where w may end short of one
    stake = u - exit[:, None]
    taken = w * stake[:, :, None]
    upper = _edges(u, taken, precision.bins, precision.upper_error)
    lower = _edges(d, np.swapaxes(taken, 1, 2), precision.bins, precision.lower_error)
    continuous = np.asarray((w[:, :, -1] >= 1 - CERTAIN).all(1))  # as d comes to the open
    at_close = stake[:, 0] <= 0  # where nothing is at stake
    fitted = np.swapaxes(_fitted(lower, d, np.swapaxes(taken, 1, 2), end=continuous), 1, 2)
    fitted = _fitted(upper, u, fitted, start=at_close)
    stake = (upper - exit[:, None])[:, :, None]
    weight = np.where(stake > 0, fitted / np.maximum(stake, NO_WIDTH), 1.0)
    at_last = continuous[:, None] & (lower == lower[:, -1:])  # with the edges that repeat it
    weight = np.where(at_last[:, None, :], 1.0, np.clip(weight, 0.0, 1.0))
    return Lattice(upper, lower, weight, interpolated=True)


def _crowded(start: Floats, end: Floats, at_start: Floats, at_end: Floats, count: int) -> Floats:
    """Places `[N, count + 1]` from `start` to `end` `[N]`, crowded at both ends over the distances given for them."""
    length = end - start
    steps = np.log1p(length / at_start) + np.log1p(length / at_end)
    ratio = np.exp(np.linspace(0, 1, count + 1) * steps[:, None]) * (at_start / (length + at_end))[:, None]
    place = start[:, None] + (ratio * (length + at_end)[:, None] - at_start[:, None]) / (1 + ratio)
    place = np.minimum(place, end[:, None])
    place[:, 0], place[:, -1] = start, end
    return np.maximum.accumulate(place, 1)


def _edges(x: Floats, taken: Floats, bins: int, error: float) -> Floats:
    """Edges `[N, P]` along samples `x` `[N, M]`, for what is taken there, `[N, M, ...]`; the last ones may coincide."""
    step = np.maximum(np.diff(x, axis=1), 1e-14)
    slope = np.diff(taken, axis=1) / step[:, :, None]
    bend = np.sqrt(np.mean(np.diff(slope, axis=1) ** 2, axis=2)) / ((step[:, 1:] + step[:, :-1]) / 2)
    bend = np.pad(bend, [(0, 0), (1, 1)], "edge")
    needed = np.sqrt(np.maximum(bend[:, 1:], bend[:, :-1]) / (8 * error)) * np.diff(x, axis=1)
    needed = np.concatenate([np.zeros((len(x), 1)), np.cumsum(needed, 1)], 1)
    total = needed[:, -1]
    count = np.where(x[:, -1] - x[:, 0] < NARROW, 1.0, np.clip(np.ceil(total - 1e-9), 1, bins))
    part = np.arange(1 + int(count.max())) / count[:, None]
    target = part * total[:, None]
    place = _between(x[:, :, None], *_place(needed, target))[:, :, 0]
    return np.maximum.accumulate(np.where(part >= 1, x[:, -1:], place), 1)


def _place(edges: Floats, x: Floats) -> tuple[Rows, Floats]:
    """Between which edges `[N, P]` each `x` `[N, M]` lies: the number of the later one, and how far it is along."""
    after = np.clip((edges[:, None, :] < x[:, :, None]).sum(2), 1, edges.shape[1] - 1)
    row = np.arange(len(x))[:, None]
    start, width = edges[row, after - 1], edges[row, after] - edges[row, after - 1]
    return after, np.minimum((x - start) / np.maximum(width, NO_WIDTH), 1.0)


def _between(values: Floats, after: Rows, way: Floats) -> Floats:
    """Values `[N, M, Q]` in places `[N, M]` between edges, from those `[N, P, Q]` at the edges."""
    row, way = np.arange(len(after))[:, None], way[:, :, None]
    found: Floats = values[row, after - 1] * (1 - way) + values[row, after] * way
    return found


def _fitted(
    edges: Floats,
    x: Floats,
    values: Floats,
    start: NDArray[np.bool_] | None = None,
    end: NDArray[np.bool_] | None = None,
) -> Floats:
    """Values `[N, P, Q]` at the edges that fit those at `x` `[N, M, Q]` best, where every `x` counts by its length.

    The value at the first edge is kept where `start` `[N]` says so, that at the last one where `end` does. A bar's
    values are the same to the bit whatever bars are beside it: sums run in the order of `x`, and edges that repeat the
    last one, as many as another bar needs, change nothing. Compiled code does the same, to the bit.
    """
    never = np.zeros(len(x), bool)
    start, end = (never if kept is None else kept for kept in (start, end))
    if (code := compiled_code()) is None:
        return _fitted_by_arrays(edges, x, values, start, end)
    (bars, count), (_, samples, size) = edges.shape, values.shape
    found = np.empty((bars, count, size))
    arrays = map(np.ascontiguousarray, (edges, x, values, start, end))
    code.fitted(*arrays, RIDGE, bars, count, samples, size, found)
    return found


def _fitted_by_arrays(
    edges: Floats, x: Floats, values: Floats, start: NDArray[np.bool_], end: NDArray[np.bool_]
) -> Floats:
    """`_fitted` of all bars at once."""
    width = np.diff(x, axis=1)
    length = (np.pad(width, [(0, 0), (1, 0)]) + np.pad(width, [(0, 0), (0, 1)])) / 2
    last = (edges < edges[:, -1:]).sum(1)[:, None]  # edges beyond the last one coincide with it
    after, way = _place(edges, x)
    on_edges = _between(values, *_place(x, edges))
    left = values - _between(on_edges, after, way)
    row, before, start, end = np.arange(len(x))[:, None], after - 1, start[:, None], end[:, None]
    at_start, at_end = (
        np.where((start & (edge == 0)) | (end & (edge == last)), 0.0, share)
        for edge, share in ((before, 1 - way), (after, way))
    )

    def summed(edge: Rows, weights: Floats) -> Floats:
        """By edge `[N, P, Q]`, in the order of `x`, of weights `[N, M, Q]`."""
        sums, bar = np.zeros((*edges.shape, weights.shape[2])), row[:, 0]
        for place in range(x.shape[1]):  # of every bar, all at once
            sums[bar, edge[:, place]] += weights[:, place]
        return sums

    squares = np.stack([length * at_start**2, length * at_start * at_end], axis=2)
    diagonal, beside = np.moveaxis(summed(before, squares), 2, 0)
    diagonal = diagonal + summed(after, (length * at_end**2)[:, :, None])[:, :, 0]
    diagonal += np.where(diagonal > 0, RIDGE * diagonal, 1.0)
    wanted = summed(before, (length * at_start)[:, :, None] * left)
    wanted += summed(after, (length * at_end)[:, :, None] * left)
    fitted = on_edges + _solved(diagonal, beside, wanted)
    kept: Floats = fitted[row, np.minimum(np.arange(edges.shape[1]), last)]
    return kept


def _solved(diagonal: Floats, beside: Floats, wanted: Floats) -> Floats:
    """The answers `[N, P, Q]` to symmetric tridiagonal systems: Gauss, without pivots, for they are positive."""
    diagonal, found = diagonal.copy(), wanted.copy()
    for edge in range(1, diagonal.shape[1]):
        share = beside[:, edge - 1] / diagonal[:, edge - 1]
        diagonal[:, edge] -= share * beside[:, edge - 1]
        found[:, edge] -= share[:, None] * found[:, edge - 1]
    found[:, -1] /= diagonal[:, -1:]
    for edge in reversed(range(diagonal.shape[1] - 1)):
        found[:, edge] -= beside[:, edge, None] * found[:, edge + 1]
        found[:, edge] /= diagonal[:, edge, None]
    return found

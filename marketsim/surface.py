"""Profit over the multipliers `(h, l)`: evaluate many candidates, and find the exact maximum, batched.

Inside a cell of the arrangement of the rectangles (fills.py) profit never falls in `h` nor rises in `l`, so
its supremum sits at the upper end of the cell in `h` and at its lower end in `l`. Those ends are known: where
a level meets an actual price, and the bounds. Enumerating them finds the global maximum.

The enumeration is a prefix sum. Along one axis the rectangles are sorted by where they switch on and off; a
running sum over them, held for every candidate of the other axis, is the profit of the whole grid: O(K^2)
work for K candidates an axis. What depends on one axis alone is a running sum of straight lines.

Written against the array API: numpy arrays and torch tensors, on any device, take the same lines.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from marketsim.axis import Array, Axis, Bounds, axes, namespace
from marketsim.fills import LOWER_CLIP, UPPER_CLIP, ProfitTerms

STEP = 1e-7  # inside an open side, so that float32 attains what float64 claims (EVIDENCE.md, section 2)
TIE = 1e-12  # profits this close are equal, in whatever order a machine added them
CELLS = 1 << 14  # problems x rectangles at once: their sums then stay in a processor's cache
GRIDS = 1 << 8  # times as many cells where whole grids are held


@dataclass(frozen=True, slots=True)
class Optimum:
    """The best multipliers of B problems, and the profit that they attain when evaluated again."""

    high_multiplier: Array  # [B]
    low_multiplier: Array  # [B]
    profit: Array  # [B], sum over the window, in fractions of the origins' closes
    fallbacks: int = 0  # problems that a search gave up on and another one finished


def evaluate(terms: ProfitTerms, h: Array, l: Array) -> Array:
    """Profit `[B, P]` of candidates `(h, l)`, each `[B, P]` (or `[1, P]` for all), on terms `[B, M]`."""
    xp = namespace(terms.constant)
    u = xp.clip(terms.high_move[:, None, :] + h[:, :, None], *UPPER_CLIP)
    d = xp.clip(terms.low_move[:, None, :] + l[:, :, None], *LOWER_CLIP)
    inside = (terms.upper_from[:, None, :] < u) & (u <= terms.upper_to[:, None, :])
    inside &= (terms.lower_from[:, None, :] < d) & (d <= terms.lower_to[:, None, :])
    value = terms.constant[:, None, :] + terms.per_upper[:, None, :] * u + terms.per_lower[:, None, :] * d
    return xp.sum(xp.where(inside, value, 0.0), axis=-1)


def maximise(terms: ProfitTerms, bounds: Bounds, step: float = STEP) -> Optimum:
    """The exact maximum of every problem `[B, M]` for `bounds = ((h_min, h_max), (l_min, l_max))`.

    Candidates step `step` inside their cell. Ties go to the smaller `|h| + |l|`, then to the smaller l, then
    to the smaller h; (0, 0), or the point of the bounds nearest to it, is always a candidate.
    """
    xp = namespace(terms.constant)
    upper, lower = axes(terms, bounds, xp)
    live = (terms.constant != 0) | (upper.slope != 0) | (lower.slope != 0)
    live &= upper.reachable(xp) & lower.reachable(xp)
    constant = xp.where(live, terms.constant, 0.0)
    upper, lower = upper.only(live, xp), lower.only(live, xp)
    on_high, on_low = live & upper.matters(), live & lower.matters()
    coupled = on_high & on_low
    alone = ~xp.any(coupled, axis=1)
    h, l = xp.zeros_like(constant[:, 0]), xp.zeros_like(constant[:, 0])
    # the separable problems apart, unless all are too few for a second pass to pay
    for group in (alone, ~alone) if math.prod(alone.shape) * coupled.shape[1] > CELLS else (alone | ~alone,):
        members = xp.nonzero(group)[0]
        if not members.shape[0]:
            continue
        in_grid = xp.any(coupled[members], axis=0)
        in_high = xp.any(on_high[members], axis=0) & ~in_grid
        in_low = xp.any(live[members], axis=0) & ~in_grid & ~in_high
        parts = tuple(xp.nonzero(each)[0] for each in (in_grid, in_high, in_low))
        columns = max(1, parts[0].shape[0])
        held = columns**2 // GRIDS if xp.any(lower.slope[:, parts[0]] != 0) else columns
        size = max(1, CELLS // max(1, held))
        for first in range(0, members.shape[0], size):
            rows = members[first : first + size]
            h[rows], l[rows] = _solve(constant[rows], upper.at(rows), lower.at(rows), parts, step, xp)
    return Optimum(h, l, evaluate(terms, h[:, None], l[:, None])[:, 0])


def _solve(
    constant: Array, upper: Axis, lower: Axis, parts: tuple[Array, ...], step: float, xp: Any
) -> tuple[Array, Array]:
    """The best `(h, l)` of some problems, their columns parted into coupled, high-only and low-only ones."""
    grid, in_high, in_low = parts
    h, l = upper.ends(-step, xp), lower.ends(step, xp)
    h = _pick(h, xp.argsort(xp.abs(h), axis=1), xp)  # the first tie is the smallest
    by_high = _lines(upper.at((slice(None), in_high)), constant[:, in_high], h, xp)
    by_low = _lines(lower.at((slice(None), in_low)), constant[:, in_low], l, xp)
    upper, lower, constant = upper.at((slice(None), grid)), lower.at((slice(None), grid)), constant[:, grid]
    if xp.any(lower.slope != 0):
        peak, at = _peaks_of_both(upper, lower, constant, h, l, by_high, xp)
    else:
        peak, at = _peaks(upper, lower, constant, h, l, by_high, xp)
    profit = peak + by_low
    near = profit >= xp.max(profit, axis=1, keepdims=True) - TIE
    size = xp.abs(l) + xp.abs(_pick(h, at, xp))
    best = xp.argmin(xp.where(near, size, xp.inf), axis=1)[:, None]
    at = _pick(at, best, xp)
    return _pick(h, at, xp)[:, 0], _pick(l, best, xp)[:, 0]


def _peaks(
    upper: Axis, lower: Axis, constant: Array, h: Array, l: Array, by_high: Array, xp: Any
) -> tuple[Array, Array]:
    """The best profit over `h` for each `l` `[B, K_l]`, and where in `h` it is, without what `l` alone earns."""
    x, sums = _sweep(lower, upper, constant, h, by_high, xp)
    peaks = [_first_best(each, xp) for each in sums]
    place = _count_below(x, l, xp)
    peak, at = (_pick(xp.stack(each, axis=1), place, xp) for each in zip(*peaks, strict=True))
    return peak, at


def _peaks_of_both(
    upper: Axis, lower: Axis, constant: Array, h: Array, l: Array, by_high: Array, xp: Any
) -> tuple[Array, Array]:
    """`_peaks` where some terms gain along `l` too: those are swept along `h`, and the whole grid is held."""
    falling = (lower.slope != 0) & (upper.slope == 0)
    rest = xp.where(falling, 0.0, constant)
    some, other = (
        (slice(None), xp.nonzero(xp.any(mask, axis=0))[0])
        for mask in ((rest != 0) | (upper.slope != 0), lower.slope != 0)
    )
    by_l = _sweep(lower.at(some), upper.at(some), rest[some], h, by_high, xp)
    by_h = _sweep(upper.at(other), lower.at(other), (constant - rest)[other], l, xp.zeros_like(l), xp)
    grids = []
    for (x, sums), at in ((by_l, l), (by_h, h)):
        states = xp.stack([xp.asarray(each, copy=True) for each in sums], axis=1)
        grids.append(_pick(states, _count_below(x, at, xp), xp))
    return _first_best(grids[0] + xp.permute_dims(grids[1], (0, 2, 1)), xp)


def _first_best(profit: Array, xp: Any) -> tuple[Array, Array]:
    """The maximum along the last axis, and the first place that ties with it."""
    best = xp.max(profit, axis=-1)
    return best, xp.argmax(xp.astype(profit >= best[..., None] - TIE, xp.uint8), axis=-1)


def _sweep(
    sweep: Axis, dense: Axis, constant: Array, values: Array, start: Array, xp: Any
) -> tuple[Array, Iterator[Array]]:
    """Running sums of `constant + dense.slope * level` for multipliers `values` `[B, K]`, rectangle by rectangle.

    Returns where along `sweep` the rectangles switch, `[B, E]` increasing, and the E + 1 sums `[B, K]` before,
    between and after; they begin at `start` and are one array that changes.
    """
    on, off = sweep.switches(xp)
    leaving = xp.nonzero(xp.any(off < xp.inf, axis=0))[0]
    x, order = _ordered(xp.concat([on, off[:, leaving]], axis=1), xp)
    column = xp.concat([xp.arange(on.shape[1]), leaving])[order]
    sign = xp.where(order < on.shape[1], 1.0, -1.0)
    move, begin, end, slope, base = (
        _pick(a, column, xp) for a in (dense.move, dense.start, dense.stop, dense.slope, constant)
    )

    def sums() -> Iterator[Array]:
        total = xp.asarray(start, copy=True)
        yield total
        for e in range(x.shape[1]):
            one = slice(e, e + 1)
            level = xp.clip(move[:, one] + values, *dense.clip)
            inside = (begin[:, one] < level) & (level <= end[:, one])
            total += inside * (level * (slope * sign)[:, one] + (base * sign)[:, one])
            yield total

    return x, sums()


def _lines(axis: Axis, constant: Array, at: Array, xp: Any) -> Array:
    """Sums `[B, K]` of `constant + slope * level` over the intervals that hold at candidates `at` `[B, K]`.

    A clipped level is a line of three pieces in the multiplier; each is an offset and a rise.
    """
    on, off = axis.switches(xp)
    everywhere, flat = xp.full_like(on, xp.inf), xp.zeros_like(on)
    low, high = axis.clip
    x, offset, rise = [], [], []
    for begin, end, level, slope in (
        (-everywhere, low - axis.move, low, flat),
        (low - axis.move, high - axis.move, axis.move, axis.slope),
        (high - axis.move, everywhere, high, flat),
    ):
        begin, end = xp.maximum(on, begin), xp.minimum(off, end)
        real = begin < end
        if not xp.any(real):
            continue
        x += [xp.where(real, begin, xp.inf), xp.where(real, end, xp.inf)]
        offset += [constant + axis.slope * level, -constant - axis.slope * level]
        rise += [slope, -slope]
    if not x:
        return xp.zeros_like(at)
    places, order = _ordered(xp.concat(x, axis=1), xp)
    gain = [_pick(xp.concat(each, axis=1), order, xp) for each in (offset, rise)]
    sums = xp.cumulative_sum(xp.stack(gain, axis=2), axis=1, include_initial=True)
    sums = _pick(sums, _count_below(places, at, xp), xp)
    return sums[:, :, 0] + sums[:, :, 1] * at


def _ordered(x: Array, xp: Any) -> tuple[Array, Array]:
    """Events in order `[B, E]` with their columns, without those that never come in any problem."""
    order = xp.argsort(x, axis=1)
    x = _pick(x, order, xp)
    width = int(xp.max(xp.count_nonzero(x < xp.inf, axis=1)))
    return x[:, :width], order[:, :width]


def _count_below(x: Array, at: Array, xp: Any) -> Array:
    """How many of the increasing `x` `[B, E]` lie strictly below each of `at` `[B, K]`."""
    if x.shape[1] * at.shape[1] <= 1 << 12:  # comparing all is quicker than a loop over the problems
        return xp.count_nonzero(x[:, None, :] < at[:, :, None], axis=2)
    return xp.stack([xp.searchsorted(*pair) for pair in zip(x, at, strict=True)])


def _pick(a: Array, index: Array, xp: Any) -> Array:
    """`a[b, index[b, k]]` `[B, K, ...]`; quicker than take_along_axis for the many small arrays here."""
    return a[xp.arange(a.shape[0])[:, None], index]

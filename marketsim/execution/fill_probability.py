"""The calibrated fill: the probability that a bar reached the take-profit after the entry.

In log prices o, h, l, c and levels d, u with l <= d < o and c < u <= h, the take-profit is missed exactly by the paths
that make their high before they first reach d, and from there to the close stay below u and make their low. A
continuous martingale is Brownian motion on a clock of its own (Dambis; Dubins and Schwarz), and the order of hits
does not depend on the clock. With the total variance v the probability is a convolution in time, of the first
passage to d below a barrier at h, differentiated in h, with the transition from d to c between barriers at l and u,
differentiated in l, over the transition from o to c between l and h, differentiated in both.

Each is a series of images; but its Laplace transform in v, at lambda = k^2 / 2, is a product of hyperbolic sines (the
transforms of hitting times and Green functions in Borodin and Salminen, Handbook of Brownian Motion, are
differentiated in the barrier; sh(x) is sinh(k x)):

    missed:   2 k sh(o - d) sh(u - d) sh(u - c) / (sh(h - d)^2 sh(u - l)^2)
    the bar:  2 k (sh(h - o) sh(c - l) + sh(h - c) sh(o - l)) / sh(h - l)^3

so neither a series nor a quadrature over the hitting time is left. All poles lie at or below
lambda = -(pi / (h - l))^2 / 2. The inversion is the trapezoidal rule on a parabola to their right, placed by
Weideman and Trefethen's balance of errors (Mathematics of Computation 76, 2007), and v is integrated out by
Gauss-Hermite nodes around the mode of its posterior.

The prior of log v is a normal that is bent to the right by its own square (Fleishman, Psychometrika 43, 1978): a bar's
variance is a sum over its hours, and the logs of such sums are skewed even where those of every hour's are normal.

    log v = log variance + spread * (N + BEND * N^2),    N standard normal
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketsim.execution.compiled import compiled_module

VERSION = 1  # of c/fill_probability.c

FAST = (7, 8)  # nodes over the variance, and on the contour for each
EXACT = (20, 14)
TINY = 1e-9  # of the bar's range: the least distance of a level from the open or the close
VARIANCES = (1e-2, 1e4)  # of the squared range: beyond them w has reached its limit
SPREADS = (1e-6, 1e6)  # in effect a known variance, and the scale-free prior
NEWTON_STEPS = 12
SAMPLED = 1 << 9  # upper levels of grids whose probabilities numpy sums at once: arrays that fit a cache
FARTHEST = 10.0  # standard deviations that the mode may lie below the forecast, within the fold of the bend at -15
BEND = 1 / 30  # a skewness of 0.2; the standard deviation grows by a thousandth

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]


def compiled_code() -> Any:
    """The compiled module; None if it is not built from these sources, or turned off."""
    return compiled_module("marketsim.execution._fill_probability", VERSION)


def take_profit_probability(
    open: Array,
    high: Array,
    low: Array,
    close: Array,
    lower: Array,
    upper: Array,
    variance: Array | float,
    spread: Array | float,
    nodes: tuple[int, int] = FAST,
) -> Array:
    """The probability w that a long bought at `lower` reaches `upper` before the bar ends, given the bar.

    Prices and levels are logarithms, of one unit. `variance` is what was forecast for the log price between open
    and close, as likely too high as too low, `spread` the standard deviation of the log of that forecast's error: 0
    takes it as exact, infinity is the scale-free prior 1 / v. All shapes broadcast to that of the result; levels of
    shape `[N, K, 1]` and `[N, 1, K]` on bars of `[N, 1, 1]` share their work. `nodes` buys accuracy: `FAST` is within
    5e-4, 5e-5 on average, `EXACT` within 1e-7.

    In `low <= lower < open` and `close < upper <= high`, `lower < upper`, w is strictly inside (0, 1) but for limits.
    Elsewhere it is 1 where `low <= lower` and `upper <= high`, 0 where not. A short that is sold at `upper` is the
    mirror image: `take_profit_probability(-open, -low, -high, -close, -upper, -lower, variance, spread)`.
    """
    size = np.where(high > low, high - low, 1.0)
    start = np.maximum((open - low) / size, TINY)
    end = np.minimum((close - low) / size, 1.0 - TINY)
    fall = np.clip((open - lower) / size, TINY, start)
    rise = np.clip((upper - close) / size, TINY, 1.0 - end)
    missed = _missed(start, end, fall, rise, np.asarray(variance / size**2), np.asarray(spread), nodes)
    inside = (low <= lower) & (upper <= high)
    ambiguous = inside & (lower < open) & (close < upper) & (lower < upper)
    return np.where(ambiguous, np.clip(1.0 - missed, 0.0, 1.0), inside)


def _missed(
    start: Array, end: Array, fall: Array, rise: Array, variance: Array, spread: Array, nodes: tuple[int, int]
) -> Array:
    """1 - w in units of the range: open and close above the low, the levels' distances from them."""
    shortest = np.minimum(2 - start + end, 2 + start - end)  # path through both extremes
    v, log_weight = _variances(shortest, np.clip(variance, *VARIANCES), np.clip(spread, *SPREADS), nodes[0])
    vertex, step, log_size = _parabola(shortest[..., None] / np.sqrt(v), nodes[1])
    log_weight += log_size - np.pi**2 / 2 * v
    weight = np.exp(log_weight - log_weight.max(-1, keepdims=True)) * step / v
    m = vertex[..., None] + 1j * step[..., None] * (np.arange(nodes[1]) + 0.5)
    square = np.square(m)
    size = _product(weight[..., None] * m, np.exp(square / 2 - log_size[..., None]))
    k, size = (array.reshape(*v.shape[:-1], -1) for array in (np.sqrt(square / v[..., None] - np.pi**2), size))
    if (code := compiled_code()) is None:
        return _summed(k, size, start, end, fall, rise)
    return _compiled_sums(code.missed, k, size, start, end, fall, rise)


def _summed(k: Complex, size: Complex, start: Array, end: Array, fall: Array, rise: Array) -> Array:
    """1 - w by sums over nodes `k` `[..., K]` of those sizes, on grids of levels for a few bars at once.

    Every term but one of the missed paths is a factor of the entry times a factor of what follows, so that on grids of
    levels each is computed once for a row or a column, and joined by a product over the nodes, the last axis here.
    """
    if rise.ndim == 3 and len(rise) > (bars := max(1, SAMPLED // rise.shape[1])):
        given: tuple[NDArray[Any], ...] = (k, size, start, end, fall, rise)
        parts = (slice(first, first + bars) for first in range(0, len(rise), bars))
        return np.concatenate(
            [_summed(*(array[part] if len(array) > 1 else array for array in given)) for part in parts]
        )
    start, end, fall, rise = (array[..., None] for array in (start, end, fall, rise))
    by_high, by_low = (_product(size, k, np.exp(-k * length)) for length in (2 - start + end, 2 + start - end))
    from_open, to_close, open_high, close_high = (
        np.exp(-2 * k * distance) for distance in (start, end, 1 - start, 1 - end)
    )
    x, y = np.exp(-2 * k * fall), np.exp(-2 * k * rise)
    entry = _product(by_high, 1 - x) / np.square(1 - _product(open_high, x))
    closing = (1 - y) / np.square(1 - _product(to_close, y))
    across = _product(np.exp(2 * k * (start - end)), x)
    entry = np.concatenate([entry, -_product(entry, across)], -1)
    closing = np.concatenate([closing, _product(closing, y)], -1)
    missed = np.vecdot(
        np.concatenate([entry.real, entry.imag], -1), np.concatenate([closing.real, -closing.imag], -1)
    )  # the real part of their product
    both = _product(by_low, 1 - open_high, 1 - to_close) + _product(by_high, 1 - close_high, 1 - from_open)
    bar = (both / (1 - np.exp(-2 * k)) ** 3).real.sum(-1)
    probability: Array = missed / bar
    return probability


def _compiled_sums(
    missed: Callable[..., None], k: Complex, size: Complex, start: Array, end: Array, fall: Array, rise: Array
) -> Array:
    """`_summed` by compiled code: for grids of levels, else for one pair of levels after the other."""
    given = (start, end, fall, rise)
    shape = np.broadcast_shapes(k.shape[:-1], *(array.shape for array in given))
    shapes = [shape] * 4
    if len(shape) == 3 and k.shape[1:-1] == (1, 1):
        bars, uppers, lowers = shape
        grid = [(bars, 1, 1), (bars, 1, 1), (bars, 1, lowers), (bars, uppers, 1)]
        if list(map(np.broadcast_shapes, (array.shape for array in given), grid)) == grid:
            shapes = grid
    bars, nodes, found = math.prod(shapes[0]), k.shape[-1], np.empty(shape)
    lowers, uppers = (math.prod(array) // max(1, bars) for array in shapes[2:])
    at_nodes = (np.broadcast_to(array, (*shapes[0], nodes)).reshape(bars, nodes) for array in (k, size))
    parts = (np.stack([array.real, array.imag], axis=1) for array in at_nodes)
    arrays = (*parts, *map(np.broadcast_to, given, shapes))
    missed(*map(np.ascontiguousarray, arrays), bars, nodes, lowers, uppers, found)
    return found


def _product(*factors: NDArray[Any]) -> Complex:
    """The product of arrays, from first to last whatever their size.

    The operator of numpy exchanges the two where the second is a large array that nobody else needs, and a complex
    product is rounded otherwise then: a bar's probabilities would rest on how many others there are.
    """
    product: Complex = reduce(np.multiply, factors)
    return product


def _variances(shortest: Array, variance: Array, spread: Array, count: int) -> tuple[Array, Array]:
    """Nodes v `[..., count]` and the logs of their weights: the prior's part of the posterior times Gauss-Hermite's."""
    normal = np.zeros(())
    for _ in range(NEWTON_STEPS):  # the mode of about that posterior, after Gauss and Newton
        v, slope = variance * np.exp(spread * normal * (1 + BEND * normal)), spread * (1 + 2 * BEND * normal)
        down, up = shortest**2 / (2 * v), np.pi**2 / 2 * v
        precision = (down + up) * slope**2 + 1
        normal = np.maximum(normal + ((down - up - 1) * slope - normal) / precision, -FARTHEST)
    t, gauss = _gauss_hermite(count)
    normal = normal[..., None] + t / np.sqrt(precision)[..., None]
    v = variance[..., None] * np.exp(spread[..., None] * normal * (1 + BEND * normal))
    v = np.maximum(v, VARIANCES[0] / 3)  # far in the tail; below it an exponential overflows
    return v, np.log(gauss) + (t * t - normal**2) / 2


@cache
def _gauss_hermite(count: int) -> tuple[Array, Array]:
    """Nodes and weights for exp(-t^2 / 2), after Golub and Welsch (1969); numpy.polynomial is slow to import."""
    off_diagonal = np.sqrt(np.arange(1.0, count))
    nodes, vectors = np.linalg.eigh(np.diag(off_diagonal, -1))
    return nodes, vectors[0] ** 2


def _parabola(length: Array, count: int) -> tuple[Array, Array, Array]:
    """Vertex and step of the contour, and the log of the integrand's size on it, for a path in standard deviations."""
    digits = 2.0 * count  # in base e: what `count` nodes can give
    short = np.minimum(length, np.sqrt(2 * digits))
    frequency = np.sqrt(2 * short**2 + 4 * digits) - short
    vertex = (digits + short**2 / 2) / frequency + length - short
    return vertex, 2 * np.pi / frequency, vertex * (vertex / 2 - length)

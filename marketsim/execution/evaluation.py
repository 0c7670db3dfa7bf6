"""The profit of candidate multipliers on profit terms."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from marketsim.execution.arrays import Array, count_edges, namespace, numbers, share
from marketsim.execution.profit_terms import LEVEL_TIE, Leg, ProfitTerms
from marketsim.profiling import part


def evaluate(terms: ProfitTerms, h: Array, l: Array) -> Array:
    """Profit `[B, K]` of candidates `(h, l)`, each `[B, K]` (or `[1, K]` for all), on terms `[B, W]`."""
    with part("evaluate", terms.legs[0].low.shape[0] * h.shape[1]):
        return total_profit(terms.legs, None, h, l)


def total_profit(legs: Sequence[Leg], of: Array | None, h: Array, l: Array) -> Array:
    """Profit `[N, ...]` of candidates that broadcast, on the problems `of` `[N]`, or on each of them."""
    xp = namespace(h)
    profits = (_earned(leg, of, -l, -h) if leg.mirrored else _earned(leg, of, h, l) for leg in legs)
    return sum(xp.sum(profit, axis=-1) for profit in profits)


def _earned(leg: Leg, of: Array | None, h: Array, l: Array) -> Array:
    """Profit `[N, ..., W]` of each bar, in the leg's own coordinates."""
    xp = namespace(h)
    aligned = (slice(None), *(None,) * (h.ndim - 1))

    def at(a: Array) -> Array:
        return a[aligned] if of is None else a[of][aligned]

    u = xp.clip(at(leg.upper_move) + h[..., None], *leg.upper_clip)
    d = xp.clip(at(leg.lower_move) + l[..., None], *leg.lower_clip)
    entry = at(leg.at_level) + at(leg.per_lower) * xp.minimum(d, at(leg.open))
    taken = _between_edges(leg, at, u, d) if leg.interpolated else _in_bins(leg, at, u, d)
    taken += xp.where(d - LEVEL_TIE > at(leg.low), entry, 0.0)
    return taken


def _in_bins(leg: Leg, at: Callable[[Array], Array], u: Array, d: Array) -> Array:
    """What is taken at levels `[N, ..., W]`, from a lattice of bins."""
    xp = namespace(u)
    size, window, upper_bins, lower_bins = leg.weight.shape
    p, q = count_edges(at(leg.upper_edges), u - LEVEL_TIE), count_edges(at(leg.lower_edges), d - LEVEL_TIE)
    filled, begun = p < upper_bins, q > 0
    bar = at(xp.reshape(numbers(size * window, leg.weight), (size, window)))
    place = (bar * upper_bins + p * filled) * lower_bins + (q - 1) * begun
    taken = xp.reshape(leg.weight, (-1,))[place]
    taken *= xp.where(filled, at(leg.gain) + at(leg.per_upper) * u, 0.0)
    taken *= begun
    return taken


def _between_edges(leg: Leg, at: Callable[[Array], Array], u: Array, d: Array) -> Array:
    """What is taken at levels `[N, ..., W]`, from an interpolated lattice."""
    xp = namespace(u)
    size, window, upper_count, lower_count = leg.weight.shape
    p, q = count_edges(at(leg.upper_edges), u - LEVEL_TIE), count_edges(at(leg.lower_edges), d - LEVEL_TIE)
    bar = at(xp.reshape(numbers(size * window, leg.weight), (size, window)))
    (p_before, p_after), (q_before, q_after) = (
        (xp.clip(n - 1, 0, None), xp.clip(n, None, count - 1)) for n, count in ((p, upper_count), (q, lower_count))
    )
    upper_edges, lower_edges, weight = (xp.reshape(a, (-1,)) for a in (leg.upper_edges, leg.lower_edges, leg.weight))
    u_before, u_after = (upper_edges[bar * upper_count + n] for n in (p_before, p_after))
    d_before, d_after = (lower_edges[bar * lower_count + n] for n in (q_before, q_after))
    along = share(d, d_before, d_after)

    def taken_at(edge: Array, level: Array) -> Array:
        row = (bar * upper_count + edge) * lower_count
        before = weight[row + q_before]
        return (before + along * (weight[row + q_after] - before)) * (at(leg.gain) + at(leg.per_upper) * level)

    first = p == 0  # the first edge holds for all levels below it
    taken_before, taken_after = (
        taken_at(edge, xp.where(first, u, level)) for edge, level in ((p_before, u_before), (p_after, u_after))
    )
    taken = taken_before + share(u, u_before, u_after) * (taken_after - taken_before)
    return xp.where((p < upper_count) & (q > 0), taken, 0.0)

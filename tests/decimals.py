"""The exact maximum's slow twin: every candidate of both multipliers, where levels and prices are whole numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from marketsim.execution.profit_terms import Leg, ProfitTerms
from marketsim.optimizers.exact.maximum import STEP

UNIT = 1e-13  # of a move: all that is compared is a whole number of them

Whole = NDArray[np.int64]
Floats = NDArray[np.float64]
Bounds = tuple[tuple[float, float], tuple[float, float]]


def whole(x: Floats | float) -> Whole:
    return np.rint(np.asarray(x) / UNIT).astype(np.int64)


def best_of_all(terms: ProfitTerms, bounds: Bounds) -> float:
    """The greatest profit of one problem, of all places where a level meets an edge, and a step to either side."""
    h, l = candidates(terms, bounds)
    return float(sum(profit_of(leg, h, l) for leg in terms.legs).max())


def candidates(terms: ProfitTerms, bounds: Bounds) -> tuple[Whole, Whole]:
    """Increasing `h` and `l`."""
    places: tuple[list[Whole], list[Whole]] = ([], [])
    both = all((leg.per_lower != 0).any() for leg in terms.legs) and len(terms.legs) > 1
    step = int(whole(STEP))
    for leg in terms.legs:
        placed = leg.per_lower[0] != 0
        leg = leg.map(lambda a, placed=placed: a[:, placed])
        upper = (whole(leg.upper_edges) - whole(leg.upper_move)[..., None]).ravel()
        lower = (whole(leg.lower_edges) - whole(leg.lower_move)[..., None]).ravel()
        entry = (whole(leg.low) - whole(leg.lower_move)).ravel()
        bends = upper[(leg.upper_edges < leg.upper_edges[..., -1:]).ravel()]  # not the last one, where profit falls
        ends = [upper - step, *([bends] if leg.interpolated else [])]
        begins = [lower + step, entry + step, *([lower, entry - step] if leg.interpolated else [])]
        begins += [lower, entry] if both else []
        for axis, x in ((leg.mirrored, ends), (not leg.mirrored, begins)):
            places[axis].extend(-each if leg.mirrored else each for each in x)
    h, l = (
        np.unique(np.concatenate([*some, whole(np.array([low, high, min(max(0.0, low), high)]))]))
        for some, (low, high) in zip(places, bounds, strict=True)
    )
    inside = ((whole(low) <= x) & (x <= whole(high)) for x, (low, high) in zip((h, l), bounds, strict=True))
    keep_h, keep_l = inside
    return h[keep_h], l[keep_l]


def profit_of(leg: Leg, h: Whole, l: Whole) -> Floats:
    """What a leg `[1, W]` earns at `[K_l, K_h]`: the formula of `Leg`."""
    upper, lower = (-l, -h) if leg.mirrored else (h, l)
    u = np.clip(whole(leg.upper_move) + upper[:, None], *whole(np.array(leg.upper_clip)))  # [K, W]
    d = np.clip(whole(leg.lower_move) + lower[:, None], *whole(np.array(leg.lower_clip)))
    entry = np.where(d > whole(leg.low), leg.at_level + leg.per_lower * np.minimum(UNIT * d, leg.open), 0.0).sum(1)
    profit = sum(taken_of(leg, w, u[:, w], d[:, w]) for w in range(u.shape[1])) + entry[:, None]
    return profit.T if leg.mirrored else profit


def taken_of(leg: Leg, w: int, u: Whole, d: Whole) -> Floats:
    """What bar `w` takes at `[K_lower, K_upper]`."""
    upper, lower = whole(leg.upper_edges[0, w]), whole(leg.lower_edges[0, w])
    weight, gain, slope = leg.weight[0, w], leg.gain[0, w], leg.per_upper[0, w]
    p, q = (upper[None] < u[:, None]).sum(1), (lower[None] < d[:, None]).sum(1)
    if not leg.interpolated:
        nothing = np.pad(weight, [(0, 1), (1, 0)])  # above the upper bins, and below the lower ones
        return nothing[p[None], q[:, None]] * (gain + slope * UNIT * u)
    at_edges = weight * (gain + slope * leg.upper_edges[0, w])[:, None]
    along = shares(upper, u, p)  # [K, P]
    by_lower = shares(lower, d, q)  # [K, Q]
    first = (by_lower @ weight[0])[:, None] * (gain + slope * UNIT * u)  # up to the first edge
    taken = np.where(p == 0, first, by_lower @ at_edges.T @ along.T)
    return np.where((q > 0)[:, None] & (p < len(upper)), taken, 0.0)


def shares(edges: Whole, x: Whole, passed: Whole) -> Floats:
    """How much each of the edges `[E]` counts at `x` `[K]`, of which so many are passed: `[K, E]`."""
    last = len(edges) - 1
    before, after = np.clip(passed - 1, 0, last), np.clip(passed, 0, last)
    width = edges[after] - edges[before]
    way = np.where(width > 0, (x - edges[before]) / np.maximum(width, 1), 1.0)
    found = np.zeros((len(x), len(edges)))
    np.add.at(found, (np.arange(len(x)), before), 1 - way)
    np.add.at(found, (np.arange(len(x)), after), way)
    return found

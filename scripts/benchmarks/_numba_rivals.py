"""What a skilled user would write by hand with numba: an exact sweep, and a grid whose table is shared by the windows.

Both are for a long alone, as on crypto, and take the very arrays of a `Leg`. The sweep goes through the candidates l in
order and holds a row of sums over all candidates h, as marketsim's own does; the grid prices 41 x 41 multipliers once
on every bar and slides sums of them from window to window.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from _by_hand import GRID
from numpy.typing import NDArray

from marketsim.execution.profit_terms import LEVEL_TIE, ProfitTerms
from marketsim.optimizers.exact.candidates import Bounds
from marketsim.optimizers.exact.maximum import STEP, Optimum

Floats = NDArray[np.float64]


def sweep(terms: ProfitTerms, bounds: Bounds) -> Optimum:
    """The exact maximum of problems `[B, W]`."""
    (leg,) = terms.legs
    return Optimum(*_sweep(*leg.arrays, leg.interpolated, *leg.upper_clip, *leg.lower_clip, *bounds[0], *bounds[1]))


def grid(terms: ProfitTerms, rows: NDArray[np.int64], bounds: Bounds) -> Optimum:
    """The best of a grid, on windows `rows` `[B, W]` of bars `[N]` each of which starts a bar before the last one."""
    (leg,) = terms.legs
    h, l = (np.linspace(*ends, GRID) for ends in bounds)
    table = _table(*leg.arrays, leg.interpolated, *leg.upper_clip, *leg.lower_clip, h, l)
    return Optimum(*_slide(table, rows, h, l))


@numba.njit(fastmath=True)  # type: ignore[untyped-decorator]
def _taken(  # type: ignore[no-untyped-def]
    u: Any, d: Any, upper: Any, lower: Any, weight: Any, gain: Any, per_upper: Any, interpolated: Any
):
    p = q = 0
    while p < len(upper) and upper[p] < u - LEVEL_TIE:
        p += 1
    while q < len(lower) and lower[q] < d - LEVEL_TIE:
        q += 1
    if p == len(upper) or q == 0:
        return 0.0
    if not interpolated:
        return weight[p, q - 1] * (gain + per_upper * u)
    after = min(q, len(lower) - 1)
    width = lower[after] - lower[q - 1]
    along = (d - lower[q - 1]) / width if width > 0 else 1.0
    here = weight[p, q - 1] + along * (weight[p, after] - weight[p, q - 1])
    if p == 0:
        return here * (gain + per_upper * u)
    before = weight[p - 1, q - 1] + along * (weight[p - 1, after] - weight[p - 1, q - 1])
    width = upper[p] - upper[p - 1]
    share = (u - upper[p - 1]) / width if width > 0 else 1.0
    start, stop = before * (gain + per_upper * upper[p - 1]), here * (gain + per_upper * upper[p])
    return start + share * (stop - start)


@numba.njit(fastmath=True)  # type: ignore[untyped-decorator]
def _sweep(  # type: ignore[no-untyped-def]
    upper_move: Any,
    lower_move: Any,
    low: Any,
    open: Any,
    at_level: Any,
    per_lower: Any,
    gain: Any,
    per_upper: Any,
    upper_edges: Any,
    lower_edges: Any,
    weight: Any,
    interpolated: Any,
    u_low: Any,
    u_high: Any,
    d_low: Any,
    d_high: Any,
    h_low: Any,
    h_high: Any,
    l_low: Any,
    l_high: Any,
):
    size, window, uppers, lowers = weight.shape
    answer = np.zeros((3, size))
    for b in range(size):
        aims = np.any(weight[b] != 0)
        h_all, l_all = np.empty(window * uppers + 3), np.empty(window * 2 * (lowers + 1) + 3)
        h_all[:3], l_all[:3] = (h_low, h_high, 0.0), (l_low, l_high, 0.0)
        n_h = n_l = 3
        place, at = np.empty(window * lowers), np.empty(window * lowers, np.int64)
        events = 0
        for w in range(window):
            for p in range(uppers if aims else 0):
                bends = interpolated and p + 1 < uppers and upper_edges[b, w, p + 1] > upper_edges[b, w, p]
                h_all[n_h] = upper_edges[b, w, p] - upper_move[b, w] - (0.0 if bends else STEP)
                n_h += 1
            l_all[n_l] = low[b, w] - lower_move[b, w] + STEP
            n_l += 1
            for q in range(lowers if aims else 0):
                x = lower_edges[b, w, q] - lower_move[b, w]
                beyond = lower_edges[b, w, q] + LEVEL_TIE >= d_high  # no level comes there
                place[events], at[events] = np.inf if beyond else x + LEVEL_TIE, w * lowers + q
                events += 1
                l_all[n_l] = x + (0.0 if interpolated else STEP)
                n_l += 1
        h, l = np.unique(h_all[:n_h]), np.unique(l_all[:n_l])
        h, l = h[(h >= h_low) & (h <= h_high)], l[(l >= l_low) & (l <= l_high)]
        order = np.argsort(place[:events])
        row, slope = np.zeros(len(h)), np.zeros(len(h))
        best = -np.inf
        event = 0
        for y in l:
            entries = 0.0
            for w in range(window):
                d = min(max(lower_move[b, w] + y, d_low), d_high)
                if d - LEVEL_TIE > low[b, w]:
                    entries += at_level[b, w] + per_lower[b, w] * min(d, open[b, w])
            while event < events and place[order[event]] < y:
                w, q = divmod(at[order[event]], lowers)
                event += 1
                edge, move = lower_edges[b, w], lower_move[b, w]
                p = 0
                for k in range(len(h)):
                    u = min(max(upper_move[b, w] + h[k], u_low), u_high)
                    while p < uppers and upper_edges[b, w, p] < u - LEVEL_TIE:
                        p += 1
                    if p == uppers:
                        break
                    if not interpolated:
                        step = weight[b, w, p, q] - (weight[b, w, p, q - 1] if q else 0.0)
                        row[k] += step * (gain[b, w] + per_upper[b, w] * u)
                        continue
                    for upper in range(max(p - 1, 0), p + 1):
                        level, share = u, 1.0
                        if p > 0:
                            level = upper_edges[b, w, upper]
                            width = upper_edges[b, w, p] - upper_edges[b, w, p - 1]
                            share = (u - upper_edges[b, w, p - 1]) / width if width > 0 else 1.0
                            share = share if upper == p else 1 - share
                        worth = share * (gain[b, w] + per_upper[b, w] * level)
                        here = weight[b, w, upper, q]
                        rises = q + 1 < lowers and edge[q + 1] > edge[q]
                        after = (weight[b, w, upper, q + 1] - here) / (edge[q + 1] - edge[q]) if rises else 0.0
                        was = q > 0 and edge[q] > edge[q - 1]
                        before = (here - weight[b, w, upper, q - 1]) / (edge[q] - edge[q - 1]) if was else 0.0
                        jump = 0.0 if was else here - (weight[b, w, upper, q - 1] if q else 0.0)
                        row[k] += worth * (jump - (after - before) * (edge[q] - move))
                        slope[k] += worth * (after - before)
            for k in range(len(h)):
                profit = row[k] + y * slope[k] + entries
                if profit > best:
                    best = profit
                    answer[0, b], answer[1, b], answer[2, b] = h[k], y, profit
    return answer


@numba.njit(fastmath=True)  # type: ignore[untyped-decorator]
def _table(  # type: ignore[no-untyped-def]
    upper_move: Any,
    lower_move: Any,
    low: Any,
    open: Any,
    at_level: Any,
    per_lower: Any,
    gain: Any,
    per_upper: Any,
    upper_edges: Any,
    lower_edges: Any,
    weight: Any,
    interpolated: Any,
    u_low: Any,
    u_high: Any,
    d_low: Any,
    d_high: Any,
    h: Any,
    l: Any,
):
    table = np.zeros((len(low), len(l), len(h)))
    for n in range(len(low)):
        for j in range(len(l)):
            d = min(max(lower_move[n] + l[j], d_low), d_high)
            if d - LEVEL_TIE <= low[n]:
                continue
            entry = at_level[n] + per_lower[n] * min(d, open[n])
            for i in range(len(h)):
                u = min(max(upper_move[n] + h[i], u_low), u_high)
                table[n, j, i] = entry + _taken(
                    u, d, upper_edges[n], lower_edges[n], weight[n], gain[n], per_upper[n], interpolated
                )
    return table


@numba.njit(fastmath=True)  # type: ignore[untyped-decorator]
def _slide(table: Any, rows: Any, h: Any, l: Any):  # type: ignore[no-untyped-def]
    answer = np.zeros((3, len(rows)))
    total = np.zeros(table.shape[1:])
    for b in range(len(rows)):
        if b == 0:
            for bar in rows[0]:
                total += table[bar]
        else:
            total += table[rows[b, 0]] - table[rows[b - 1, -1]]
        best = np.argmax(total)
        answer[0, b], answer[1, b] = h[best % len(h)], l[best // len(h)]
        answer[2, b] = total.ravel()[best]
    return answer


@numba.njit(fastmath=True)  # type: ignore[untyped-decorator]
def add_rows(row: Any, more: Any, times: int) -> float:
    """A row that is added to and searched for its greatest number, again and again."""
    best = -np.inf
    for _ in range(times):
        for k in range(len(row)):
            row[k] += more[k]
            best = max(best, row[k])
    return best

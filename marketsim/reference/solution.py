"""The best multipliers of windows, kept where float32 and float64 fill the same orders."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from marketsim.execution.profit_terms import TIE
from marketsim.optimizers.exact.candidates import Bounds
from marketsim.optimizers.exact.maximum import STEP, maximize
from marketsim.reference.windows import Windows

STEPS = tuple(STEP * times for times in (1.0, 2.7, 7.3, 0.37))  # moves far above 1 need wide ones, crowded ones narrow
WORTH = 3e-7  # profit a bar that is more than a step costs, so that a level may touch a high or a low for it

Answer = tuple[float, float, float]  # high multiplier, low multiplier, profit
Floats = NDArray[np.float64]


def solve(windows: Windows, bounds: Bounds) -> list[Answer]:
    """The answer of every window; zeros, or what is nearest to them in the bounds, without bars."""
    if not windows.bars:
        h_zero, l_zero = (min(max(0.0, low), high) for low, high in bounds)
        return [(h_zero, l_zero, 0.0)] * len(windows)
    h, l, profit = _inside(windows, bounds)
    if (tied := windows.tied).size:
        some = windows.at(tied)
        found = maximize(some.terms, bounds, STEP, touching=True)
        earned, same = some.attained(found.high_multiplier, found.low_multiplier)
        better = same & (earned > profit[tied] + WORTH * windows.bars)
        rows = tied[better]
        h[rows], l[rows], profit[rows] = found.high_multiplier[better], found.low_multiplier[better], earned[better]
    answers = list(zip(h.tolist(), l.tolist(), profit.tolist(), strict=True))
    for b in windows.touching.tolist():
        answers[b] = _at_zero(windows.at([b]), bounds, answers[b])
    return answers


def _inside(windows: Windows, bounds: Bounds) -> tuple[Floats, Floats, Floats]:
    """Multipliers `[B]` a step inside their cells, and their profits `[B]`."""
    h, l, profit = (np.zeros(len(windows)) for _ in range(3))
    left = np.arange(len(windows))
    for step, margin in zip((STEP, *STEPS), (0.0, *STEPS), strict=True):
        some = windows if len(left) == len(windows) else windows.at(left)
        found = maximize(some.terms, _within(bounds, margin), step, touching=False)
        earned, same = found.profit, some.steady(found.high_multiplier, found.low_multiplier)
        if not same.all():
            unsure = np.flatnonzero(~same)
            near = found.high_multiplier[unsure], found.low_multiplier[unsure]
            earned[unsure], same[unsure] = some.at(unsure).attained(*near)
        good = same if margin else np.ones_like(same)  # where nothing will do, the first answer stands
        rows = left[good]
        h[rows], l[rows], profit[rows] = found.high_multiplier[good], found.low_multiplier[good], earned[good]
        left = left[~same]
        if not left.size:
            break
    return h, l, profit


def _within(bounds: Bounds, margin: float) -> Bounds:
    """The bounds with both ends moved inside, where there is room."""
    (h_low, h_high), (l_low, l_high) = (
        (low + margin, high - margin) if high - low > 2 * margin else (low, high) for low, high in bounds
    )
    return (h_low, h_high), (l_low, l_high)


def _at_zero(window: Windows, bounds: Bounds, inside: Answer) -> Answer:
    """The better of an answer and those with a multiplier of zero, which leave levels on the very edge of a fee."""
    _, high_pred, low_pred, high, low = window.moves[:, 0]
    (h_low, h_high), (l_low, l_high) = bounds
    h = np.clip(np.append(high - high_pred - STEP, (0.0, inside[0])), h_low, h_high)
    l = np.clip(np.append(low - low_pred + STEP, (0.0, inside[1])), l_low, l_high)
    no_h, no_l = np.full_like(l, min(max(0.0, h_low), h_high)), np.full_like(h, min(max(0.0, l_low), l_high))
    h, l = np.concatenate([h, no_h]), np.concatenate([no_l, l])
    profit, same = window.at(np.zeros(len(h), int)).attained(h, l)
    best = int(np.argmax(np.where(same, profit, -np.inf)))
    if same[best] and profit[best] > inside[2] + TIE:
        return float(h[best]), float(l[best]), float(profit[best])
    return inside

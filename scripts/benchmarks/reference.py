"""The table that the reference system published, on its own bars, beside what is found here and what there is to find.

Its searches minimize its objective as it does, sums of float32 tensors by its rule of 2025-11-06; the supremum is an
enumeration in float64. Fails when a search is not what was published, or finds more than the proof.
Run: scripts/bench reference [REPEATS]
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from scipy import optimize

from marketsim.reference import BOUNDS, optimize_entry_exit_multipliers
from marketsim.reference.benchmark import FEE, benchmark_bars

REPEATS = 5
CALLS = 20  # of ours for each of a search
STEP = 1e-12  # inside a cell, where the supremum is taken
NEAR = 1e-6  # of a published figure with as many digits

Answer = tuple[float, float, float]  # multipliers and profit


@dataclass(frozen=True, slots=True)
class Published:
    """What the reference system published of a search, on its own machine."""

    seconds: float
    profit: float


PUBLISHED = {"differential_evolution": Published(0.397, 0.3195), "direct": Published(0.261, 0.3214)}
DIGITS = {"differential_evolution": 0.320129, "direct": 0.321429}  # its profits to the digit, take-profit


def objective(close_at_eod: bool) -> Callable[[Any], float]:
    """The loss of `(h, l)`, candidate by candidate, each a pass of torch calls over the window."""
    bars = {name: torch.as_tensor(values) for name, values in benchmark_bars().items()}
    close, high, low, position = (bars[name] for name in ("close_actual", "high_actual", "low_actual", "positions"))
    long, short, size = position.clamp(0, 10), position.clamp(-10, 0), position.abs()

    def loss(x: Any) -> float:
        upper = (bars["high_pred"] + float(x[0])).clamp(0.0, 10.0)
        lower = (bars["low_pred"] + float(x[1])).clamp(-1.0, 0.0)
        below, above = lower > low, upper < high
        bought, sold = long * (close - lower) * below, short * (close - upper) * above
        if close_at_eod:
            crossed = below | above
        else:
            taken, covered = upper <= high, lower >= low
            bought = long * (upper - lower) * taken * below + bought * ~taken
            sold = short * (lower - upper) * covered * above + sold * ~covered
            crossed = below & above
        return -float((bought + sold - size * FEE * crossed).sum())

    return loss


def ours(close_at_eod: bool) -> Answer:
    bars: dict[str, Any] = {name: torch.as_tensor(values) for name, values in benchmark_bars().items()}
    return optimize_entry_exit_multipliers(**bars, close_at_eod=close_at_eod, trading_fee=FEE)


def searched(name: str, close_at_eod: bool) -> Answer:
    loss = objective(close_at_eod)
    found: Any
    if name == "direct":
        found = optimize.direct(loss, BOUNDS, maxfun=500)
    else:
        found = optimize.differential_evolution(loss, BOUNDS, maxiter=50, popsize=10, atol=1e-5, seed=42)
    return float(found.x[0]), float(found.x[1]), -float(found.fun)


def supremum(close_at_eod: bool) -> Answer:
    """The greatest profit over all places just inside of where a level meets a high or a low."""
    bars = {name: values.astype(float) for name, values in benchmark_bars().items()}
    close, high, low, size = (bars[name] for name in ("close_actual", "high_actual", "low_actual", "positions"))
    lowest, highest = BOUNDS[0]
    highs, lows = (
        np.unique(np.clip(np.append(places, [lowest, 0.0, highest]), lowest, highest))
        for places in (high - bars["high_pred"] - STEP, low - bars["low_pred"] + STEP)
    )
    upper = np.clip(bars["high_pred"] + highs[:, None], 0, 10)
    best = (0.0, 0.0, -np.inf)
    for l in lows.tolist():
        lower = np.clip(bars["low_pred"] + l, -1, 0)
        below, above = lower > low, upper < high
        sold_at = close if close_at_eod else np.where(upper <= high, upper, close)
        bought_at = close if close_at_eod else np.where(lower >= low, lower, close)
        crossed = below | above if close_at_eod else below & above
        profits = np.maximum(size, 0) * below * (sold_at - lower) + np.maximum(-size, 0) * above * (upper - bought_at)
        profit = (profits - FEE * np.abs(size) * crossed).sum(1)
        if profit.max() > best[2]:
            best = (float(highs[profit.argmax()]), l, float(profit.max()))
    return best


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Processor time of one call, the median of some."""
    taken = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def main(repeats: int) -> int:
    torch.set_num_threads(1)
    for eod in (False, True):
        objective(eod)((0.0, 0.0)), ours(eod)
    found = {name: [searched(name, eod) for eod in (False, True)] for name in PUBLISHED}
    found["marketsim"], found["supremum"] = [ours(False), ours(True)], [supremum(False), supremum(True)]
    taken = {name: seconds(partial(searched, name, False), repeats) for name in PUBLISHED}
    taken["marketsim"] = seconds(lambda: [ours(False) for _ in range(CALLS)], repeats) / CALLS
    base = taken["differential_evolution"]
    print("| method | published: seconds | profit | here: times as fast | profit | at the multipliers | end of day |")
    print("|---|---|---|---|---|---|---|")
    for name, ((h, l, profit), (*_, at_close)) in found.items():
        theirs = PUBLISHED.get(name)
        cells = [f"{theirs.seconds:.3f}", f"{theirs.profit:.4f}"] if theirs else ["", ""]
        cells += [f"{base / taken[name]:,.2f}" if name in taken else "", f"{profit:.7f}", f"({h:.7f}, {l:.7f})"]
        print(f"| {' | '.join([name, *cells, f'{at_close:.7f}'])} |")
    wrong = [name for name, profit in DIGITS.items() if abs(found[name][0][2] - profit) > NEAR]
    beaten = [
        name
        for name in PUBLISHED
        for policy in range(2)
        if not found[name][policy][2] < found["marketsim"][policy][2] < found["supremum"][policy][2]
    ]
    if wrong or beaten:
        print(f"\nFAIL: not as published: {wrong}; not below ours, or ours not below the supremum: {beaten}")
    else:
        print(
            "\nPASS: both searches find what was published, and less than marketsim, which is just below the supremum"
        )
    return int(bool(wrong or beaten))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else REPEATS))

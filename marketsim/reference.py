"""The reference system's functions under their own names, for callers that move over unchanged.

Its rule is simpler than the command line's (SEMANTICS.md, last section): `touch` fills, entries at the level
itself, one fee per entered trade, and moves instead of prices. Its optimisers searched; these solve.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketsim.axis import Bounds, namespace
from marketsim.errors import DataError
from marketsim.fills import LOWER_CLIP, UPPER_CLIP, ProfitTerms, stack
from marketsim.surface import STEP, maximise

TRADING_FEE = 0.0005  # the reference's default, a fraction per entered trade
POSITION_LIMIT = 10.0
HALVINGS = 40
BOUNDS: Bounds = ((-0.03, 0.03), (-0.03, 0.03))

Array = Any  # a tensor on any device, or an array: one dimension of a float type


def entry_exit_profit(
    close_actual: Array,
    positions: Array,
    high_actual: Array,
    high_pred: Array,
    low_actual: Array,
    low_pred: Array,
    *,
    close_at_eod: bool = False,
    trading_fee: float | None = None,
) -> Array:
    """Profit `[W]` of each bar under the reference's rule, of the inputs' type, dtype and device.

    All inputs are `[W]`, moves from the origin's close; `positions` above zero are longs, below it shorts,
    and sizes beyond 10 count as 10. The predictions are the levels: add multipliers before the call.
    """
    xp = namespace(close_actual)
    fee = TRADING_FEE if trading_fee is None else trading_fee
    upper, lower = xp.clip(high_pred, *UPPER_CLIP), xp.clip(low_pred, *LOWER_CLIP)
    long, short = xp.clip(positions, 0.0, POSITION_LIMIT), xp.clip(-positions, 0.0, POSITION_LIMIT)
    sold_at, bought_back_at = close_actual, close_actual
    if not close_at_eod:
        sold_at = xp.where(upper <= high_actual, upper, close_actual)
        bought_back_at = xp.where(lower >= low_actual, lower, close_actual)
    bought = xp.where(lower > low_actual, long * (sold_at - lower - fee), 0 * long)
    sold = xp.where(upper < high_actual, short * (upper - bought_back_at - fee), 0 * short)
    return bought + sold


def optimize_entry_exit_multipliers(
    close_actual: Array,
    positions: Array,
    high_actual: Array,
    high_pred: Array,
    low_actual: Array,
    low_pred: Array,
    *,
    close_at_eod: bool = False,
    trading_fee: float | None = None,
    bounds: Bounds = BOUNDS,
    maxiter: int = 50,
    popsize: int = 10,
    atol: float = 1e-5,
    seed: int | None = 42,
    workers: int = 1,
) -> tuple[float, float, float]:
    """The multipliers that earn most, and the profit that `entry_exit_profit` pays for them.

    Returns `(high_multiplier, low_multiplier, profit)`. The inputs are those of `entry_exit_profit`; half
    precision is computed in float32. `maxiter`, `popsize`, `atol`, `seed` and `workers` steered the
    reference's search; the exact solution needs none of them, and calls that pass them keep working.
    DataError when an input is not finite, or their lengths differ.
    """
    return _optimize(
        [positions],
        close_actual,
        high_actual,
        high_pred,
        low_actual,
        low_pred,
        close_at_eod,
        trading_fee,
        bounds,
    )


def optimize_always_on_multipliers(
    close_actual: Array,
    buy_indicator: Array,
    sell_indicator: Array,
    high_actual: Array,
    high_pred: Array,
    low_actual: Array,
    low_pred: Array,
    *,
    close_at_eod: bool = False,
    trading_fee: float | None = None,
    is_crypto: bool = False,
    bounds: Bounds = BOUNDS,
    maxiter: int = 30,
    popsize: int = 8,
    atol: float = 1e-5,
    seed: int | None = 42,
    workers: int = -1,
) -> tuple[float, float, float]:
    """As `optimize_entry_exit_multipliers`, for both legs on every bar; crypto has the buying leg alone."""
    legs = [buy_indicator] if is_crypto else [buy_indicator, sell_indicator]
    return _optimize(
        legs, close_actual, high_actual, high_pred, low_actual, low_pred, close_at_eod, trading_fee, bounds
    )


def reference_terms(
    close_actual: NDArray[np.float64],
    positions: NDArray[np.float64],
    high_actual: NDArray[np.float64],
    high_pred: NDArray[np.float64],
    low_actual: NDArray[np.float64],
    low_pred: NDArray[np.float64],
    *,
    close_at_eod: bool,
    trading_fee: float,
) -> ProfitTerms:
    """The terms `[W, 4]` whose sum is `entry_exit_profit`, for float64 arrays."""
    long, short = np.clip(positions, 0.0, POSITION_LIMIT), np.clip(-positions, 0.0, POSITION_LIMIT)
    everywhere, zero = np.full_like(close_actual, np.inf), np.zeros_like(close_actual)
    below_high, below_low = (np.nextafter(x, -np.inf) for x in (high_actual, low_actual))
    profits = 0.0 if close_at_eod else 1.0
    slots = [
        (-everywhere, everywhere, low_actual, everywhere, long * (close_actual - trading_fee), zero, -long),
        (
            -everywhere,
            high_actual,
            low_actual,
            everywhere,
            -long * close_actual * profits,
            long * profits,
            zero,
        ),
        (
            -everywhere,
            below_high,
            -everywhere,
            everywhere,
            -short * (close_actual + trading_fee),
            short,
            zero,
        ),
        (
            -everywhere,
            below_high,
            below_low,
            everywhere,
            short * close_actual * profits,
            zero,
            -short * profits,
        ),
    ]
    columns = [np.stack(column, -1) for column in zip(*slots, strict=True)]
    moves = [np.repeat(move[:, None], len(slots), 1) for move in (high_pred, low_pred)]
    return ProfitTerms(*moves, *columns)


def _optimize(
    legs: list[Array],
    close_actual: Array,
    high_actual: Array,
    high_pred: Array,
    low_actual: Array,
    low_pred: Array,
    close_at_eod: bool,
    trading_fee: float | None,
    bounds: Bounds,
) -> tuple[float, float, float]:
    fee = TRADING_FEE if trading_fee is None else float(trading_fee)
    close, high, upper, low, lower, *sizes = (
        _flat(x) for x in (close_actual, high_actual, high_pred, low_actual, low_pred, *legs)
    )
    if len({len(x) for x in (close, high, upper, low, lower, *sizes)}) > 1:
        raise DataError("the inputs differ in length")
    if not all(np.isfinite(x).all() for x in (close, high, upper, low, lower, *sizes)):
        raise DataError("an input is not finite")

    def attained(h: float, l: float) -> float:
        profits = (
            entry_exit_profit(close, size, high, upper + h, low, lower + l, close_at_eod=close_at_eod, trading_fee=fee)
            for size in sizes
        )
        return float(sum(profit.sum() for profit in profits))

    exact = [x.astype(np.float64) for x in (close, high, upper, low, lower, *sizes)]
    terms = stack(
        [
            reference_terms(exact[0], size, *exact[1:5], close_at_eod=close_at_eod, trading_fee=fee)
            for size in exact[5:]
        ],
        -1,
    ).windows(np.arange(len(close))[None])
    found = []
    for step in (STEP, 4 * float(np.finfo(close.dtype).eps)):  # moves far above 1 need the wider of the two
        optimum = maximise(terms, bounds, step)
        found.append((float(optimum.high_multiplier[0]), float(optimum.low_multiplier[0])))
    best = max(found, key=lambda point: attained(*point))
    (_, h_max), (l_min, _) = bounds
    h = _to_the_edge(lambda h: attained(h, best[1]), best[0], min(best[0] + 2 * STEP, h_max))
    l = _to_the_edge(lambda l: attained(h, l), best[1], max(best[1] - 2 * STEP, l_min))
    return h, l, attained(h, l)


def _to_the_edge(profit: Callable[[float], float], inside: float, beyond: float) -> float:
    """The multiplier nearest to `beyond` that earns no less than `inside`, by halving.

    The exact step stops short of the open end of a cell; what is left to gain there is a rounding in the
    caller's precision, but a search that is lucky would have it.
    """
    least = profit(inside)
    if profit(beyond) >= least:
        return beyond
    for _ in range(HALVINGS):
        middle = (inside + beyond) / 2
        if (gain := profit(middle)) >= least:
            inside, least = middle, gain
        else:
            beyond = middle
    return inside


def _flat(x: Array) -> NDArray[np.floating[Any]]:
    """A tensor or an array as a one-dimensional float32 or float64 array in this machine's memory."""
    if hasattr(x, "detach"):
        x = x.detach().cpu()
        x = (x if x.dtype.itemsize >= 4 else x.float()).numpy()
    array: NDArray[np.floating[Any]] = np.asarray(x).reshape(-1)
    return (
        array
        if array.dtype in (np.float32, np.float64)
        else array.astype(np.float32 if array.dtype == np.float16 else np.float64)
    )

"""The reference system's functions under their own names, for callers that move over unchanged.

Its rule is simpler than the command line's: `touch` fills, entries at the level
itself, one fee per entered trade, and moves instead of prices. Its optimisers searched; these solve.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketsim.errors import DataError
from marketsim.execution.arrays import namespace
from marketsim.execution.profit_terms import LOWER_CLIP, UPPER_CLIP, Leg, ProfitTerms, mirror
from marketsim.optimizers.exact.maximum import STEP, Bounds, maximise

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
    long: NDArray[np.float64],
    short: NDArray[np.float64],
    high_actual: NDArray[np.float64],
    high_pred: NDArray[np.float64],
    low_actual: NDArray[np.float64],
    low_pred: NDArray[np.float64],
    *,
    close_at_eod: bool,
    trading_fee: float,
) -> ProfitTerms:
    """The terms `[W]` that add up to `entry_exit_profit` of `long` and `short` sizes >= 0, for float64 arrays."""
    ones, never = np.ones_like(close_actual), np.full_like(close_actual, np.inf)
    weight = np.full((len(close_actual), 1, 1), 0.0 if close_at_eod else 1.0)
    bought = Leg(
        False,
        UPPER_CLIP,
        LOWER_CLIP,
        upper_move=high_pred,
        lower_move=low_pred,
        low=low_actual,
        open=never,
        at_level=close_actual - trading_fee,
        per_lower=-ones,
        gain=-close_actual,
        per_upper=ones,
        upper_edges=high_actual[:, None],
        lower_edges=low_actual[:, None],
        weight=weight,
    )
    sold = replace(
        bought,
        mirrored=True,
        upper_clip=mirror(LOWER_CLIP),
        lower_clip=mirror(UPPER_CLIP),
        upper_move=-low_pred,
        lower_move=-high_pred,
        low=-high_actual,
        at_level=-close_actual - trading_fee,
        gain=close_actual,
        upper_edges=-low_actual[:, None],
        lower_edges=-high_actual[:, None],
    )
    return ProfitTerms((bought.sized(long), sold.sized(short)))


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

    exact_close, exact_high, exact_upper, exact_low, exact_lower, *exact_sizes = (
        x.astype(np.float64) for x in (close, high, upper, low, lower, *sizes)
    )
    long, short = (sum(np.clip(sign * size, 0.0, POSITION_LIMIT) for size in exact_sizes) for sign in (1, -1))
    terms = reference_terms(
        exact_close,
        long,
        short,
        exact_high,
        exact_upper,
        exact_low,
        exact_lower,
        close_at_eod=close_at_eod,
        trading_fee=fee,
    ).at(None)
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

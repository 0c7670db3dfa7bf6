"""The profit of each bar under the reference system's rule, for numpy arrays and tensors on any device."""

from __future__ import annotations

from marketsim.execution.profit_terms import LOWER_CLIP, UPPER_CLIP
from marketsim.reference.arrays import Array, namespace
from marketsim.reference.fees import Fee

POSITION_LIMIT = 10.0


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
    rule: str | None = None,
) -> Array:
    """Profit of each bar, with the predictions as the levels.

    A long buys at `low_pred` where the low is strictly below it, a short sells at `high_pred` where the high is
    strictly above it. The other level is the take-profit, whichever was reached first inside the bar; without one the
    exit is the close.

    Parameters:
        close_actual, high_actual, low_actual: moves of W bars from their origins' closes. A high or a low that is
            NaN or infinite is not reached.
        positions: sizes, above zero long, below it short; those beyond 10 count as 10.
        high_pred, low_pred: moves of the levels; add multipliers before the call.
        close_at_eod: no take-profit, every exit is the close.
        trading_fee: a fraction of the position; that of the rule if None.
        rule: "2025-11-06": one fee of `abs(position) * trading_fee`, on bars where both levels are strictly crossed, or
            either of them with `close_at_eod`. "2025-11-13": one for each leg that is entered. "2025-11-24": the same,
            with a default of 0.0000278. `MARKETSIM_REFERENCE_RULE`, or else the first one, if None.

    All inputs are W values of a float type in any shape, and are flattened.

    Returns:
        The profits `[W]`, of the inputs' type, dtype and device.

    Raises:
        UsageError: when there is no such rule.

    Example:
        >>> import numpy as np
        >>> from marketsim.reference import entry_exit_profit
        >>> bar = {"close_actual": 0.01, "positions": 1, "high_actual": 0.03, "low_actual": -0.02}
        >>> bar = {name: np.array([value]) for name, value in bar.items()}
        >>> entry_exit_profit(**bar, high_pred=np.array([0.02]), low_pred=np.array([-0.01])).round(4).tolist()
        [0.0295]

    """
    xp = namespace(close_actual)
    inputs = (close_actual, positions, high_actual, high_pred, low_actual, low_pred)
    close, size, high, upper, low, lower = (xp.reshape(array, (-1,)) for array in inputs)
    return bar_profits(close, size, high, upper, low, lower, close_at_eod, Fee.of(trading_fee, rule))


def bar_profits(
    close: Array, position: Array, high: Array, upper: Array, low: Array, lower: Array, close_at_eod: bool, fee: Fee
) -> Array:
    """`entry_exit_profit` for arrays that broadcast."""
    xp = namespace(close)
    high, low = (xp.where(xp.isfinite(array), array, xp.nan) for array in (high, low))
    upper, lower = xp.clip(upper, *UPPER_CLIP), xp.clip(lower, *LOWER_CLIP)
    long, short = xp.clip(position, 0.0, POSITION_LIMIT), xp.clip(-position, 0.0, POSITION_LIMIT)
    buys, sells = lower > low, upper < high
    sold_at, bought_back_at = close, close
    if not close_at_eod:
        sold_at, bought_back_at = xp.where(upper <= high, upper, close), xp.where(lower >= low, lower, close)
    profit = xp.where(buys, long * (sold_at - lower), 0.0) + xp.where(sells, short * (upper - bought_back_at), 0.0)
    if fee.per_leg:
        charged = xp.where(buys, long, 0.0) + xp.where(sells, short, 0.0)
    else:
        charged = xp.where(buys | sells if close_at_eod else buys & sells, xp.abs(position), 0.0)
    return profit - fee.amount * charged

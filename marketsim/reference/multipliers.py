"""The best multipliers for one window or many: computed exactly, where the reference system searched."""

from __future__ import annotations

from collections.abc import Sequence

from marketsim.optimizers.exact.candidates import Bounds
from marketsim.reference.arrays import Array
from marketsim.reference.bounds import BOUNDS, checked
from marketsim.reference.fees import Fee
from marketsim.reference.solution import Answer, solve
from marketsim.reference.windows import Windows


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
    rule: str | None = None,
) -> Answer:
    """The multipliers that earn most of a window, and what `entry_exit_profit` sums up to with them.

    Parameters:
        close_actual, positions, high_actual, high_pred, low_actual, low_pred, close_at_eod, trading_fee, rule: as of
            `entry_exit_profit`. Half precision is computed in float32.
        bounds: lowest and highest multiplier of the high, and of the low; moves that are added to the predictions.
        maxiter, popsize, atol, seed, workers: steered the reference's search; the exact solution needs none of them,
            and calls that pass them keep working.

    Returns:
        `(high_multiplier, low_multiplier, profit)`. They lie a step of 1e-7 inside their cell, so that float32 and
        float64 fill the same orders; the profit is a sum over the window, in float64. Zeros without bars.

    Raises:
        DataError: when inputs differ in length, or one of them but a high or a low is not finite.
        UsageError: when bounds are reversed, missing or not finite, or there is no such rule.

    Example:
        >>> import numpy as np
        >>> from marketsim.reference import optimize_entry_exit_multipliers
        >>> close, ones = np.array([0.01, -0.01]), np.ones(2)
        >>> high, low = close + 0.02, close - 0.02
        >>> h, l, profit = optimize_entry_exit_multipliers(close, ones, high, 0 * ones, low, 0 * ones, trading_fee=0)
        >>> round(h, 4), round(l, 4), round(profit, 4)
        (0.01, -0.03, 0.04)

    """
    columns = ([close_actual], [[positions]], [high_actual], [high_pred], [low_actual], [low_pred])
    return solve(Windows.of(*columns, close_at_eod, Fee.of(trading_fee, rule)), checked(bounds))[0]


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
    rule: str | None = None,
) -> Answer:
    """As `optimize_entry_exit_multipliers`, for two positions on every bar; crypto has the buying one alone.

    Parameters:
        buy_indicator, sell_indicator: sizes of the long and of the short of W bars; a short is below zero.
        is_crypto: whether the short is left out.
        close_actual, high_actual, high_pred, low_actual, low_pred, close_at_eod, trading_fee, bounds, maxiter, popsize,
            atol, seed, workers, rule: as of `optimize_entry_exit_multipliers`.

    Returns:
        `(high_multiplier, low_multiplier, profit)`, the profit of both positions together.

    Raises:
        DataError, UsageError: as `optimize_entry_exit_multipliers`.

    Example:
        >>> import numpy as np
        >>> from marketsim.reference import optimize_always_on_multipliers
        >>> close, ones = np.array([0.01, -0.01]), np.ones(2)
        >>> bars = (close + 0.02, 0 * ones, close - 0.02, 0 * ones)
        >>> h, l, profit = optimize_always_on_multipliers(close, ones, -ones, *bars, trading_fee=0)
        >>> round(h, 4), round(l, 4), round(profit, 4)
        (0.01, -0.03, 0.08)

    """
    legs = [[buy_indicator]] if is_crypto else [[buy_indicator], [sell_indicator]]
    columns = ([close_actual], legs, [high_actual], [high_pred], [low_actual], [low_pred])
    return solve(Windows.of(*columns, close_at_eod, Fee.of(trading_fee, rule)), checked(bounds))[0]


def optimize_batch_entry_exit(
    close_actuals: Sequence[Array],
    positions_list: Sequence[Array],
    high_actuals: Sequence[Array],
    high_preds: Sequence[Array],
    low_actuals: Sequence[Array],
    low_preds: Sequence[Array],
    *,
    close_at_eod: bool = False,
    trading_fee: float | None = None,
    bounds: Bounds = BOUNDS,
    maxfun: int = 200,
    batch_size: int = 16,
    device: str = "cuda",
    rule: str | None = None,
) -> list[Answer]:
    """`optimize_entry_exit_multipliers` of many windows, which may differ in length, in one call.

    Every window has multipliers of its own.

    Parameters:
        close_actuals, positions_list, high_actuals, high_preds, low_actuals, low_preds: an array for each window; see
            `optimize_entry_exit_multipliers`, also for close_at_eod, trading_fee, bounds and rule.
        maxfun, batch_size, device: steered the reference's search; the exact solution needs none of them.

    Returns:
        `(high_multiplier, low_multiplier, profit)` of each window, in the order given.

    Raises:
        DataError, UsageError: as `optimize_entry_exit_multipliers`.

    Example:
        >>> import numpy as np
        >>> from marketsim.reference import optimize_batch_entry_exit
        >>> close, ones = np.array([0.01, -0.01]), np.ones(2)
        >>> bars = [close + 0.02], [0 * ones], [close - 0.02], [0 * ones]
        >>> ((h, l, profit),) = optimize_batch_entry_exit([close], [ones], *bars, trading_fee=0)
        >>> round(h, 4), round(l, 4), round(profit, 4)
        (0.01, -0.03, 0.04)

    """
    columns = (close_actuals, [positions_list], high_actuals, high_preds, low_actuals, low_preds)
    return solve(Windows.of(*columns, close_at_eod, Fee.of(trading_fee, rule)), checked(bounds))


def optimize_batch_always_on(
    close_actuals: Sequence[Array],
    buy_indicators: Sequence[Array],
    sell_indicators: Sequence[Array],
    high_actuals: Sequence[Array],
    high_preds: Sequence[Array],
    low_actuals: Sequence[Array],
    low_preds: Sequence[Array],
    *,
    close_at_eod: bool = False,
    trading_fee: float | None = None,
    is_crypto: bool = False,
    bounds: Bounds = BOUNDS,
    maxfun: int = 200,
    batch_size: int = 16,
    device: str = "cuda",
    rule: str | None = None,
) -> list[Answer]:
    """`optimize_always_on_multipliers` of many windows, which may differ in length, in one call.

    Parameters:
        close_actuals, buy_indicators, sell_indicators, high_actuals, high_preds, low_actuals, low_preds: an array for
            each window; see `optimize_always_on_multipliers`, also for close_at_eod, trading_fee, is_crypto, bounds and
            rule.
        maxfun, batch_size, device: steered the reference's search; the exact solution needs none of them.

    Returns:
        `(high_multiplier, low_multiplier, profit)` of each window, in the order given.

    Raises:
        DataError, UsageError: as `optimize_entry_exit_multipliers`.

    Example:
        >>> import numpy as np
        >>> from marketsim.reference import optimize_batch_always_on
        >>> close, ones = np.array([0.01, -0.01]), np.ones(2)
        >>> bars = [close + 0.02], [0 * ones], [close - 0.02], [0 * ones]
        >>> ((h, l, profit),) = optimize_batch_always_on([close], [ones], [-ones], *bars, trading_fee=0)
        >>> round(h, 4), round(l, 4), round(profit, 4)
        (0.01, -0.03, 0.08)

    """
    legs = [buy_indicators] if is_crypto else [buy_indicators, sell_indicators]
    columns = (close_actuals, legs, high_actuals, high_preds, low_actuals, low_preds)
    return solve(Windows.of(*columns, close_at_eod, Fee.of(trading_fee, rule)), checked(bounds))

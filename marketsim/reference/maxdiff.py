"""The reference system's `maxdiff` strategies: the better exit policy, with its profit on each bar."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct, field

from marketsim.reference.arrays import Array, namespace
from marketsim.reference.multipliers import optimize_always_on_multipliers, optimize_entry_exit_multipliers
from marketsim.reference.profits import entry_exit_profit


class EntryExitOptimizationResult(Struct, frozen=True):
    """The better closing policy, its multipliers, and profits of the inputs' type, dtype and device."""

    base_profit: Array  # [W] without multipliers
    final_profit: Array  # [W] with them
    best_high_multiplier: float
    best_low_multiplier: float
    best_close_at_eod: bool
    timings: dict[str, float] = field(default_factory=dict)  # seconds by policy, where they were asked for


class AlwaysOnOptimizationResult(Struct, frozen=True):
    """The better closing policy, its multipliers, and profits of the inputs' type, dtype and device."""

    buy_returns: Array  # [W]
    sell_returns: Array  # [W] zeros for crypto
    best_high_multiplier: float
    best_low_multiplier: float
    best_close_at_eod: bool
    timings: dict[str, float] = field(default_factory=dict)  # seconds by policy, where they were asked for


def optimize_maxdiff_entry_exit(
    close_actual: Array,
    maxdiff_trades: Array,
    high_actual: Array,
    high_pred: Array,
    low_actual: Array,
    low_pred: Array,
    *,
    close_at_eod_candidates: Sequence[bool] = (False, True),
    trading_fee: float | None = None,
    optim_kwargs: Mapping[str, Any] | None = None,
    log_timings: bool = False,
    rule: str | None = None,
) -> EntryExitOptimizationResult:
    """Fit the multipliers under each closing policy and keep the policy that earns more, the first one of equals.

    Parameters:
        close_actual, high_actual, high_pred, low_actual, low_pred, trading_fee, rule: as of `entry_exit_profit`.
        maxdiff_trades: its positions.
        close_at_eod_candidates: the policies.
        optim_kwargs: arguments for `optimize_entry_exit_multipliers`, such as `bounds`.
        log_timings: whether to keep the seconds of each policy.

    Returns:
        The better policy with its multipliers and its profits; zeros without a policy.

    Raises:
        DataError, UsageError: as `optimize_entry_exit_multipliers`.

    Example:
        >>> import numpy as np
        >>> from marketsim.reference import optimize_maxdiff_entry_exit
        >>> close, ones = np.array([0.01, -0.01]), np.ones(2)
        >>> found = optimize_maxdiff_entry_exit(close, ones, close + 0.02, 0 * ones, close - 0.02, 0 * ones)
        >>> found.best_close_at_eod, found.final_profit.round(3).tolist()
        (False, [0.0, 0.039])

    """
    bars = _bars(close_actual, high_actual, high_pred, low_actual, low_pred)
    given: dict[str, Any] = {"trading_fee": trading_fee, "rule": rule}

    def profits(h: float, l: float, close_at_eod: bool) -> Array:
        return entry_exit_profit(**_shifted(bars, h, l), positions=maxdiff_trades, close_at_eod=close_at_eod, **given)

    def fit(close_at_eod: bool) -> tuple[float, float, float]:
        return optimize_entry_exit_multipliers(
            **bars, positions=maxdiff_trades, close_at_eod=close_at_eod, **given, **(optim_kwargs or {})
        )

    best, timings = _better(fit, close_at_eod_candidates, log_timings)
    if best is None:
        nothing = _zeros(close_actual)
        return EntryExitOptimizationResult(nothing, nothing, 0.0, 0.0, False, timings)
    h, l, eod = best
    return EntryExitOptimizationResult(profits(0.0, 0.0, eod), profits(h, l, eod), h, l, eod, timings)


def optimize_maxdiff_always_on(
    close_actual: Array,
    buy_indicator: Array,
    sell_indicator: Array,
    high_actual: Array,
    high_pred: Array,
    low_actual: Array,
    low_pred: Array,
    *,
    is_crypto: bool = False,
    close_at_eod_candidates: Sequence[bool] = (False, True),
    trading_fee: float | None = None,
    optim_kwargs: Mapping[str, Any] | None = None,
    log_timings: bool = False,
    rule: str | None = None,
) -> AlwaysOnOptimizationResult:
    """As `optimize_maxdiff_entry_exit`, for two positions on every bar; crypto has the buying one alone.

    Parameters:
        buy_indicator, sell_indicator: sizes of the long and of the short of W bars; a short is below zero.
        is_crypto: whether the short is left out.
        optim_kwargs: arguments for `optimize_always_on_multipliers`, such as `bounds`.
        close_actual, high_actual, high_pred, low_actual, low_pred, close_at_eod_candidates, trading_fee, log_timings,
            rule: as of `optimize_maxdiff_entry_exit`.

    Returns:
        The better policy with its multipliers and the profits of both positions; zeros without a policy.

    Raises:
        DataError, UsageError: as `optimize_entry_exit_multipliers`.

    Example:
        >>> import numpy as np
        >>> from marketsim.reference import optimize_maxdiff_always_on
        >>> close, ones = np.array([0.01, -0.01]), np.ones(2)
        >>> found = optimize_maxdiff_always_on(close, ones, -ones, close + 0.02, 0 * ones, close - 0.02, 0 * ones)
        >>> found.best_close_at_eod, found.buy_returns.round(3).tolist()
        (False, [0.0, 0.039])

    """
    bars = _bars(close_actual, high_actual, high_pred, low_actual, low_pred)
    given: dict[str, Any] = {"trading_fee": trading_fee, "rule": rule}

    def profits(positions: Array, h: float, l: float, close_at_eod: bool) -> Array:
        return entry_exit_profit(**_shifted(bars, h, l), positions=positions, close_at_eod=close_at_eod, **given)

    def fit(close_at_eod: bool) -> tuple[float, float, float]:
        return optimize_always_on_multipliers(
            **bars,
            buy_indicator=buy_indicator,
            sell_indicator=sell_indicator,
            close_at_eod=close_at_eod,
            is_crypto=is_crypto,
            **given,
            **(optim_kwargs or {}),
        )

    best, timings = _better(fit, close_at_eod_candidates, log_timings)
    if best is None:
        nothing = _zeros(close_actual)
        return AlwaysOnOptimizationResult(nothing, nothing, 0.0, 0.0, False, timings)
    h, l, eod = best
    bought = profits(buy_indicator, h, l, eod)
    sold = _zeros(bought) if is_crypto else profits(sell_indicator, h, l, eod)
    return AlwaysOnOptimizationResult(bought, sold, h, l, eod, timings)


def _bars(close: Array, high: Array, high_pred: Array, low: Array, low_pred: Array) -> dict[str, Array]:
    """The bars and their predictions, by the names that the reference's functions give them."""
    return {
        "close_actual": close,
        "high_actual": high,
        "high_pred": high_pred,
        "low_actual": low,
        "low_pred": low_pred,
    }


def _shifted(bars: dict[str, Array], h: float, l: float) -> dict[str, Array]:
    """The bars with multipliers added to their predictions."""
    return bars | {"high_pred": bars["high_pred"] + h, "low_pred": bars["low_pred"] + l}


def _better(
    fit: Callable[[bool], tuple[float, float, float]], policies: Sequence[bool], timed: bool
) -> tuple[tuple[float, float, bool] | None, dict[str, float]]:
    """Multipliers and policy of the greatest profit, and the seconds of each policy."""
    best, most, timings = None, -math.inf, {}
    for policy in policies:
        start = time.perf_counter()
        h, l, profit = fit(policy)
        if profit > most:
            best, most = (h, l, policy), profit
        if timed:
            timings[f"opt_close_{policy}"] = time.perf_counter() - start
    return best, timings


def _zeros(like: Array) -> Array:
    xp = namespace(like)
    return xp.zeros_like(xp.reshape(like, (-1,)))

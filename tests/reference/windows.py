"""Windows of bars for the reference's functions, and its rule as a plain loop over them."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

KINDS = ("momentum", "perfect", "half-perfect", "rounded", "flat", "sized")
NAMES = ("close_actual", "positions", "high_actual", "high_pred", "low_actual", "low_pred")

Window = dict[str, Any]  # an array or a tensor by the name of its parameter


def make_window(seed: int, bars: int, kind: str = "momentum", dtype: type = np.float32) -> Window:
    """Momentum returns and noisy forecasts.

    Or forecasts of which all or a half are perfect, moves that are rounded, highs or lows that are the last close, or
    positions of any size.
    """
    rng = np.random.default_rng(seed)
    close = 0.02 * rng.standard_normal(bars)
    for i in range(1, bars):
        close[i] = 0.7 * close[i - 1] + 0.3 * close[i]
    high, low = (close + sign * np.abs(0.01 * rng.standard_normal(bars)) for sign in (1, -1))
    upper, lower = (0.6 * close + 0.015 * rng.standard_normal(bars) + shift for shift in (0.005, -0.005))
    size = np.where(np.abs(upper) > np.abs(lower), 1.0, -1.0)
    if kind in ("perfect", "half-perfect"):
        share = 1.0 if kind == "perfect" else 0.5
        upper, lower = (
            np.where(rng.random(bars) < share, reached, level) for reached, level in ((high, upper), (low, lower))
        )
    if kind == "rounded":
        close, high, upper, low, lower = (np.round(x, 2) for x in (close, high, upper, low, lower))
    if kind == "flat":
        high, low = (np.where(rng.random(bars) < 0.5, 0.0, reached) for reached in (high, low))
    if kind == "sized":
        size *= rng.choice([0.0, 0.5, 3.0, 12.0], bars)
    columns = (close, size, high, upper, low, lower)
    return {name: x.astype(dtype) for name, x in zip(NAMES, columns, strict=True)}


def any_windows(largest: int = 12, kinds: tuple[str, ...] = KINDS) -> st.SearchStrategy[Window]:
    return st.builds(
        make_window,
        st.integers(0, 2**32 - 1),
        st.integers(1, largest),
        st.sampled_from(kinds),
        st.sampled_from([np.float32, np.float64]),
    )


def moved(window: Window, h: float, l: float, dtype: type | None = None) -> Window:
    """The window with its levels moved, in its own precision or another."""
    cast = {name: x if dtype is None else x.astype(dtype) for name, x in window.items()}
    return cast | {"high_pred": cast["high_pred"] + h, "low_pred": cast["low_pred"] + l}


def slow_profit(
    close: float, size: float, high: float, up: float, low: float, down: float, eod: bool, fee: float, rule: str
) -> float:
    """One bar, in words of the rule."""
    up, down = min(max(up, 0.0), 10.0), min(max(down, -1.0), 0.0)
    held, total = min(abs(size), 10.0), 0.0
    reached = {"high": np.isfinite(high), "low": np.isfinite(low)}
    buys, sells = reached["low"] and low < down, reached["high"] and high > up
    if size > 0 and buys:
        total += held * ((up if not eod and reached["high"] and high >= up else close) - down)
    if size < 0 and sells:
        total += held * (up - (down if not eod and reached["low"] and low <= down else close))
    if rule == "2025-11-06":
        return total - fee * abs(size) * ((buys or sells) if eod else (buys and sells))
    return total - fee * held * (buys if size > 0 else sells)


def one_bar(**moves: float) -> Window:
    return {name: np.array([x], np.float64) for name, x in ({"positions": 1.0} | moves).items()}

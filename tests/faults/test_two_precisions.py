"""Multipliers of float32 windows earn in float64 what is claimed of them, and the reverse: they lie inside a cell."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketsim.reference import BOUNDS, entry_exit_profit, optimize_entry_exit_multipliers
from tests.reference.test_multipliers import RULE
from tests.reference.windows import Window, any_windows, make_window, moved, one_bar


@settings(max_examples=200)
@given(any_windows(), st.booleans(), RULE, st.sampled_from([None, 0.0, 0.005]))
def test_the_profit_is_attained_in_float64_and_in_float32(
    window: Window, eod: bool, rule: str, fee: float | None
) -> None:
    h, l, profit = optimize_entry_exit_multipliers(**window, close_at_eod=eod, trading_fee=fee, rule=rule)
    assert type(h) is type(l) is type(profit) is float
    assert BOUNDS[0][0] <= h <= BOUNDS[0][1] and BOUNDS[1][0] <= l <= BOUNDS[1][1]
    for dtype, tolerance in ((np.float64, 1e-9), (np.float32, 1e-6 * float(1 + np.abs(window["positions"]).sum()))):
        priced = entry_exit_profit(**moved(window, h, l, dtype), close_at_eod=eod, trading_fee=fee, rule=rule)
        assert float(priced.sum()) == pytest.approx(profit, abs=tolerance)


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.sampled_from([np.float32, np.float64]), st.booleans())
def test_the_multipliers_stay_a_step_inside_a_cell(seed: int, dtype: type, eod: bool) -> None:
    window = make_window(seed, 30, dtype=dtype)
    h, l, _ = optimize_entry_exit_multipliers(**window, close_at_eod=eod)
    exact = {name: x.astype(float) for name, x in moved(window, 0.0, 0.0).items()}
    near = np.abs(exact["high_pred"] + h - exact["high_actual"]), np.abs(exact["low_pred"] + l - exact["low_actual"])
    assert min(near[0].min(), near[1].min()) > 5e-9


def attained(window: Window, bounds: Any = BOUNDS) -> None:
    """Assert that float32 and float64 earn what is claimed, but for rounding."""
    h, l, profit = optimize_entry_exit_multipliers(**window, bounds=bounds)
    for dtype in (np.float32, np.float64):
        earned = entry_exit_profit(**moved(window, h, l, dtype))
        assert float(earned.sum()) == pytest.approx(profit, abs=3e-6 * len(earned))


@pytest.mark.parametrize("seed", range(10))
def test_moves_far_above_one_are_attained_too(seed: int) -> None:
    window = make_window(seed, 40)
    for name in ("close_actual", "high_actual", "high_pred"):
        window[name] = window[name] + np.float32(6)
    window["positions"] = np.ones(40, np.float32)
    attained(window)


def test_a_bound_that_is_the_very_edge_of_a_fill_is_kept_away_from() -> None:
    bar = one_bar(close_actual=0.02, high_actual=0.05, high_pred=0.02, low_actual=-0.02, low_pred=0.0)
    attained(bar)
    at_the_bound = (
        entry_exit_profit(**moved(bar, 0.03, -0.01)).sum(),
        entry_exit_profit(**moved(bar, 0.03, -0.01, np.float32)).sum(),
    )
    assert abs(at_the_bound[0] - at_the_bound[1]) > 1e-4  # there both precisions differ by the fee

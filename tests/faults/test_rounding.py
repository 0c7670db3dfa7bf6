"""What is only a rounding of floats is no spread, no loss and no win."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import marketsim
from marketsim.data.bars import make_bars
from marketsim.results.metrics import max_drawdown, sharpe, sortino


def test_what_is_only_a_rounding_is_no_spread_and_no_loss() -> None:
    constant = np.full(30, 0.1) + np.array([0.0, 1e-17, -1e-17] * 10)
    assert np.ptp(constant + 0.3) > 0
    assert sharpe(constant + 0.3, 252) is None
    gains = np.array([0.1, 0.2, -1e-18] * 5)
    assert sortino(gains, 252) is None
    assert max_drawdown(gains) == 0.0
    rich = 1e4 + np.array([0.0, 1e-9, 0.0, 1e-9])  # what was traded is large, and so is its rounding
    assert sharpe(rich, 252) is None
    assert sharpe(np.array([1e-9, 2e-9, 4e-9]), 252) is not None


def test_rounding_is_measured_by_the_largest_amount() -> None:
    large = np.array([1e6, -1e6, 5e-7])  # a unit in the last place of a million is 1e-10
    assert sortino(np.array([1e6, 1e6, -5e-7]), 1) is None
    assert sortino(np.array([1.0, 1.0, -5e-7]), 1) is not None
    assert max_drawdown(np.array([1e6, -5e-7])) == 0.0
    assert max_drawdown(np.array([1.0, -5e-7])) == pytest.approx(5e-7)
    assert sharpe(large, 1) is not None


def test_a_steady_rise_has_no_ratio_and_no_loss() -> None:
    """What holding earns a bar is always the same but for roundings, whose Sharpe ratio was 3.8e14."""
    close = 100 + 0.7 * np.arange(61)
    ohlcv = np.stack([close[:-1], close[1:], close[:-1], close[1:], np.ones(60)], axis=1)
    bars = make_bars("RISE", "test", np.arange("2020-01-01", "2020-03-01", dtype="datetime64[D]"), ohlcv)
    options: dict[str, Any] = {"sims": 30, "window": 20, "model": "last-bar", "fee_bps": 0, "slippage_bps": 0}
    document = marketsim.backtest(bars, cache="off", **options).to_dict()
    (held,) = (row for row in document["symbols"][0]["rows"] if row["name"] == "buy-and-hold")
    assert np.ptp(np.diff(close)) > 0  # roundings there are
    assert held["mean_bps"] == pytest.approx(1e4 * 0.7 / close[30])
    assert [held[name] for name in ("sharpe", "sharpe_low", "sharpe_high", "sortino")] == [None] * 4
    assert (held["win_rate"], held["max_drawdown"]) == (1, 0)

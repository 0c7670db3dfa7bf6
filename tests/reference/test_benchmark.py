"""The reference's published figures, on its own bars, under its own rule."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from scipy import optimize

from marketsim.reference import BOUNDS, entry_exit_profit, optimize_entry_exit_multipliers
from marketsim.reference.benchmark import FEE, benchmark_bars
from tests.reference.windows import moved

torch = pytest.importorskip("torch", reason="torch is not installed")

DIGEST = "38c7c3611f742aecf5758e603eaaee87f94b2cafe2249a6288f57aab82ca84e6"


def loss(x: Any, close_at_eod: bool = False) -> float:
    """What the reference's searches minimize: a sum of float32 tensors."""
    window = {name: torch.as_tensor(values) for name, values in benchmark_bars().items()}
    profits = entry_exit_profit(
        **moved(window, float(x[0]), float(x[1])), close_at_eod=close_at_eod, trading_fee=FEE, rule="2025-11-06"
    )
    return -float(profits.sum())


def test_the_bars_are_the_published_ones() -> None:
    assert hashlib.sha256(files("marketsim.reference").joinpath("benchmark.csv").read_bytes()).hexdigest() == DIGEST
    bars = benchmark_bars()
    assert {x.shape for x in bars.values()} == {(200,)} and {x.dtype for x in bars.values()} == {np.dtype(np.float32)}
    assert set(bars["positions"].tolist()) == {-1, 1}


@pytest.mark.parametrize(("close_at_eod", "published"), [(False, 0.321429), (True, 0.138867)])
def test_what_direct_finds(close_at_eod: bool, published: float) -> None:
    found = optimize.direct(loss, BOUNDS, args=(close_at_eod,), maxfun=500)
    assert -found.fun == pytest.approx(published, abs=5e-7)


@pytest.mark.slow
def test_what_differential_evolution_finds() -> None:
    found = optimize.differential_evolution(loss, BOUNDS, maxiter=50, popsize=10, atol=1e-5, seed=42)
    assert -found.fun == pytest.approx(0.320129, abs=5e-7)


@pytest.mark.parametrize(
    ("close_at_eod", "multipliers", "supremum", "a_step_inside"),
    [
        (False, (0.0090450, -0.0119165), 0.3230157, 0.3230102),
        (True, (0.0186631, -0.0125948), 0.1390775, 0.1390744),
    ],
)
def test_what_there_is_to_find(
    close_at_eod: bool, multipliers: tuple[float, float], supremum: float, a_step_inside: float
) -> None:
    h, l, profit = optimize_entry_exit_multipliers(**benchmark_bars(), close_at_eod=close_at_eod, trading_fee=FEE)
    assert (h, l) == pytest.approx(multipliers, abs=2e-7)
    assert profit == pytest.approx(a_step_inside, abs=5e-8)
    assert enumerated(close_at_eod) == pytest.approx(supremum, abs=5e-8)
    assert profit <= enumerated(close_at_eod)


def enumerated(close_at_eod: bool) -> float:
    """The greatest profit in float64 of every place just inside of where a level meets a high or a low."""
    window = {name: x.astype(float) for name, x in benchmark_bars().items()}
    highs, lows = (
        np.unique(np.clip(np.append(places, [-0.03, 0.0, 0.03]), -0.03, 0.03))
        for places in (
            window["high_actual"] - window["high_pred"] - 1e-12,
            window["low_actual"] - window["low_pred"] + 1e-12,
        )
    )
    size, count = window["positions"], len(highs)
    upper = np.clip(window["high_pred"] + highs[:, None], 0, 10)
    above, reached = upper < window["high_actual"], upper <= window["high_actual"]
    best = -np.inf
    for lower in np.clip(window["low_pred"] + lows[:, None], -1, 0):
        below = lower > window["low_actual"]
        sold_at, bought_at = (window["close_actual"], window["close_actual"])
        if not close_at_eod:
            sold_at = np.where(reached, upper, window["close_actual"])
            bought_at = np.where(lower >= window["low_actual"], lower, window["close_actual"])
        charged = above | below if close_at_eod else above & below
        profit = np.maximum(size, 0) * below * (sold_at - lower) + np.maximum(-size, 0) * above * (upper - bought_at)
        best = max(best, float((profit - FEE * np.abs(size) * charged).sum(1).max()))
    assert count > 100
    return best

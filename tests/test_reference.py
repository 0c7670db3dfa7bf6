"""The reference system's names: its rule by a plain loop, and its optimisers never below what searching finds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from marketsim.errors import DataError
from marketsim.reference import (
    TRADING_FEE,
    entry_exit_profit,
    optimize_always_on_multipliers,
    optimize_entry_exit_multipliers,
)

BOUNDS = ((-0.03, 0.03), (-0.03, 0.03))


def benchmark(seed: int = 42, bars: int = 200, dtype: torch.dtype = torch.float32) -> list[torch.Tensor]:
    """The reference's own benchmark: momentum returns and noisy predictions."""
    draw = torch.Generator().manual_seed(seed)

    def normal() -> torch.Tensor:
        return torch.randn(bars, generator=draw)

    close = 0.02 * normal()
    for i in range(1, bars):
        close[i] = 0.7 * close[i - 1] + 0.3 * close[i]
    high, low = close + 0.01 * normal().abs(), close - 0.01 * normal().abs()
    high_pred = 0.6 * close + 0.015 * normal() + 0.005
    low_pred = 0.6 * close + 0.015 * normal() - 0.005
    positions = torch.where(high_pred.abs() > low_pred.abs(), 1.0, -1.0)
    return [x.to(dtype) for x in (close, positions, high, high_pred, low, low_pred)]


def slow_profit(
    close: float, size: float, high: float, up: float, low: float, down: float, eod: bool, fee: float
) -> float:
    up, down, size = min(max(up, 0.0), 10.0), min(max(down, -1.0), 0.0), min(max(size, -10.0), 10.0)
    total = 0.0
    if size > 0 and down > low:
        total += size * ((up if not eod and up <= high else close) - down - fee)
    if size < 0 and up < high:
        total += -size * (up - (down if not eod and down >= low else close) - fee)
    return total


@pytest.mark.parametrize("eod", [False, True])
def test_profits_follow_the_rule_bar_by_bar(eod: bool) -> None:
    rng = np.random.default_rng(0)
    columns = rng.integers(-4, 5, (6, 400)) / 100
    columns[1] *= 500
    found = entry_exit_profit(*columns, close_at_eod=eod, trading_fee=0.0015)
    expected = [slow_profit(*column, eod, 0.0015) for column in columns.T]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def test_the_published_optimum_of_the_benchmark() -> None:
    found = [
        optimize_entry_exit_multipliers(*benchmark(), close_at_eod=eod, trading_fee=0.0015) for eod in (False, True)
    ]
    assert [round(profit, 5) for *_, profit in found] == [0.18457, 0.16168]


def search(inputs: list[Any], eod: bool, fee: float | None) -> float:
    """`direct` with 500 evaluations, polished, on the reference's own objective."""
    close, positions, high, high_pred, low, low_pred = inputs

    def loss(x: Any) -> float:
        h, l = float(x[0]), float(x[1])
        return -float(
            entry_exit_profit(
                close, positions, high, high_pred + h, low, low_pred + l, close_at_eod=eod, trading_fee=fee
            ).sum()
        )

    start = optimize.direct(loss, BOUNDS, maxfun=500)
    polished = optimize.minimize(
        loss,
        start.x,
        method="Nelder-Mead",
        bounds=BOUNDS,
        options={"initial_simplex": start.x + 1e-3 * np.array([[0, 0], [1, 0], [0, 1]])},
    )
    return -min(float(start.fun), float(polished.fun))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("bars", [1, 5, 60])
@pytest.mark.parametrize("kind", ["benchmark", "perfect", "lattice", "sized"])
@pytest.mark.parametrize("eod", [False, True])
def test_never_below_polished_direct(dtype: torch.dtype, bars: int, kind: str, eod: bool) -> None:
    inputs = benchmark(7, bars, dtype)
    if kind == "perfect":
        inputs[3], inputs[5] = inputs[2].clone(), inputs[4].clone()
    if kind == "lattice":
        inputs = [(100 * x).round() / 100 for x in inputs]
    if kind == "sized":
        inputs[1] = inputs[1] * torch.linspace(0, 15, bars, dtype=dtype)
    found = optimize_entry_exit_multipliers(*inputs, close_at_eod=eod)
    assert found[2] >= search(inputs, eod, None) * (1 - 4 * torch.finfo(dtype).eps)


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 12), st.booleans(), st.sampled_from([np.float32, np.float64]))
def test_the_profit_that_is_returned_is_what_the_multipliers_earn(seed: int, bars: int, eod: bool, dtype: type) -> None:
    close, positions, high, high_pred, low, low_pred = (x.numpy().astype(dtype) for x in benchmark(seed, bars))
    h, l, profit = optimize_entry_exit_multipliers(close, positions, high, high_pred, low, low_pred, close_at_eod=eod)
    assert profit == float(
        entry_exit_profit(close, positions, high, high_pred + h, low, low_pred + l, close_at_eod=eod).sum()
    )
    assert BOUNDS[0][0] <= h <= BOUNDS[0][1] and BOUNDS[1][0] <= l <= BOUNDS[1][1]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_any_float_type_and_column_shape(dtype: torch.dtype) -> None:
    inputs = benchmark(3, 50, dtype)
    h, l, profit = optimize_entry_exit_multipliers(*(x.reshape(-1, 1) for x in inputs))
    assert (h, l, profit) == optimize_entry_exit_multipliers(*inputs)
    assert profit == pytest.approx(optimize_entry_exit_multipliers(*benchmark(3, 50))[2], rel=0.05)


def test_always_on_adds_the_legs_and_crypto_has_no_short() -> None:
    close, _, high, high_pred, low, low_pred = benchmark(5, 80, torch.float64)
    buy, sell = torch.ones(80, dtype=torch.float64), -torch.ones(80, dtype=torch.float64)
    h, l, profit = optimize_always_on_multipliers(close, buy, sell, high, high_pred, low, low_pred, trading_fee=0.001)
    legs = [
        entry_exit_profit(close, leg, high, high_pred + h, low, low_pred + l, trading_fee=0.001) for leg in (buy, sell)
    ]
    assert profit == pytest.approx(float(legs[0].sum() + legs[1].sum()))
    crypto = optimize_always_on_multipliers(
        close, buy, sell, high, high_pred, low, low_pred, trading_fee=0.001, is_crypto=True
    )
    assert crypto == optimize_entry_exit_multipliers(close, buy, high, high_pred, low, low_pred, trading_fee=0.001)


def test_calls_that_steer_the_old_search_keep_working() -> None:
    inputs = benchmark(1, 30)
    plain = optimize_entry_exit_multipliers(*inputs)
    assert plain == optimize_entry_exit_multipliers(
        *inputs,
        trading_fee=TRADING_FEE,
        bounds=BOUNDS,
        maxiter=5,
        popsize=3,
        atol=1e-3,
        seed=None,
        workers=-1,
    )


def test_bad_inputs_are_named() -> None:
    inputs = benchmark(1, 30)
    with pytest.raises(DataError, match="differ in length"):
        optimize_entry_exit_multipliers(*inputs[:-1], inputs[-1][:-1])
    inputs[0][3] = torch.nan
    with pytest.raises(DataError, match="not finite"):
        optimize_entry_exit_multipliers(*inputs)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_tensors_on_a_gpu() -> None:
    inputs = benchmark(2, 50)
    assert optimize_entry_exit_multipliers(*(x.cuda() for x in inputs)) == optimize_entry_exit_multipliers(*inputs)

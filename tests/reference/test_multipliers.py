"""The multipliers: exact by brute force, attained in both precisions, and never below what a search finds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from marketsim.errors import DataError, MarketsimError
from marketsim.reference import (
    BOUNDS,
    RULES,
    TRADING_FEE,
    entry_exit_profit,
    optimize_always_on_multipliers,
    optimize_batch_always_on,
    optimize_batch_entry_exit,
    optimize_entry_exit_multipliers,
)
from tests.reference.windows import KINDS, Window, any_windows, make_window, moved, one_bar, slow_profit

torch = pytest.importorskip("torch", reason="torch is not installed")

RULE = st.sampled_from([*RULES])
UNROUNDED = tuple(kind for kind in KINDS if kind != "rounded")  # where no search is lucky with rounding
A_BAR = 3e-7  # what stepping inside a cell may cost


def enumerated(window: Window, eod: bool, fee: float, rule: str, steps: tuple[float, ...] = (1e-7,)) -> float:
    """The most that any place some steps inside a cell earns, one bar after the other."""
    columns = np.array([window[name] for name in window], float).T.tolist()
    highs, lows = {-0.03, 0.0, 0.03}, {-0.03, 0.0, 0.03}
    for step in steps:
        highs |= {min(max(high - up - step, -0.03), 0.03) for _, _, high, up, _, _ in columns}
        lows |= {min(max(low - down + step, -0.03), 0.03) for *_, low, down in columns}
    return max(
        sum(
            slow_profit(c, size, high, up + h, low, down + l, eod, fee, rule)
            for c, size, high, up, low, down in columns
        )
        for h in highs
        for l in lows
    )


@settings(max_examples=80)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 8),
    st.sampled_from(["momentum", "sized", "perfect", "half-perfect", "flat"]),
    st.booleans(),
    RULE,
)
def test_brute_force_finds_no_more(seed: int, bars: int, kind: str, eod: bool, rule: str) -> None:
    window = make_window(seed, bars, kind, np.float64)
    *_, profit = optimize_entry_exit_multipliers(**window, close_at_eod=eod, trading_fee=0.0015, rule=rule)
    assert profit == pytest.approx(
        enumerated(window, eod, 0.0015, rule), abs=4e-7 * np.abs(window["positions"]).sum() + 1e-9
    )


def searched(window: Window, eod: bool, rule: str) -> float:
    """DIRECT's 500 evaluations on the reference's own objective, polished."""

    def loss(x: Any) -> float:
        profits = entry_exit_profit(**moved(window, float(x[0]), float(x[1])), close_at_eod=eod, rule=rule)
        return -float(profits.sum())

    start = optimize.direct(loss, BOUNDS, maxfun=500)
    options = {"initial_simplex": start.x + 1e-3 * np.array([[0, 0], [1, 0], [0, 1]])}
    polished = optimize.minimize(loss, start.x, method="Nelder-Mead", bounds=BOUNDS, options=options)
    return -min(float(start.fun), float(polished.fun))


@pytest.mark.parametrize("rule", ["2025-11-06", "2025-11-13"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", ["momentum", "perfect", "sized"])
@pytest.mark.parametrize("eod", [False, True])
def test_never_below_polished_direct(rule: str, dtype: type, kind: str, eod: bool) -> None:
    for bars in (1, 5, 60):
        window = make_window(7, bars, kind, dtype)
        *_, profit = optimize_entry_exit_multipliers(**window, close_at_eod=eod, rule=rule)
        assert profit >= searched(window, eod, rule) - A_BAR * max(bars, np.abs(window["positions"]).sum())


@pytest.mark.parametrize("seed", [625, 866, 1325, 1835])
def test_rounded_moves_have_optima_on_the_line_where_levels_of_two_bars_meet(seed: int) -> None:
    window = make_window(seed, 7, dtype=np.float64)
    window = {name: x if name == "positions" else np.round(x, 3) for name, x in window.items()}
    *_, profit = optimize_entry_exit_multipliers(**window, trading_fee=0.005, rule="2025-11-13")
    assert profit == pytest.approx(enumerated(window, False, 0.005, "2025-11-13", steps=(0.0, 1e-7)), abs=2e-6)
    assert profit > enumerated(window, False, 0.005, "2025-11-13") + 1e-4


@pytest.mark.parametrize("seed", [5, 9, 10, 16])
def test_a_fee_is_saved_where_a_level_is_the_very_high_or_low(seed: int) -> None:
    window = make_window(seed, 3 + seed % 6, "half-perfect", np.float64)
    *_, profit = optimize_entry_exit_multipliers(**window, trading_fee=0.0015)
    assert profit == pytest.approx(enumerated(window, False, 0.0015, "2025-11-06"), abs=1e-9)


@settings(max_examples=8, deadline=None)
@given(any_windows(40, UNROUNDED), st.booleans(), st.sampled_from(["2025-11-06", "2025-11-24"]))
def test_never_below_direct_but_for_a_step(window: Window, eod: bool, rule: str) -> None:
    *_, profit = optimize_entry_exit_multipliers(**window, close_at_eod=eod, rule=rule)
    size = max(len(window["positions"]), float(np.abs(window["positions"]).sum()))
    assert profit >= searched(window, eod, rule) - A_BAR * size


def test_perfect_forecasts_need_no_multiplier_and_pay_no_fee() -> None:
    window = make_window(5, 60, "perfect")
    window["positions"] = np.ones(60, np.float32)
    h, _, profit = optimize_entry_exit_multipliers(**window)
    assert h == 0
    assert profit > optimize_entry_exit_multipliers(**window, bounds=((-0.03, -1e-6), (-0.03, 0.03)))[2]


def test_a_high_that_is_not_reached_takes_no_profit() -> None:
    bar = one_bar(close_actual=-0.05, high_actual=np.nan, high_pred=-0.01, low_actual=-0.06, low_pred=-0.05)
    *_, profit = optimize_entry_exit_multipliers(**bar, trading_fee=0.0)
    assert profit == pytest.approx(0.01, abs=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_tensors_of_any_float_type_and_shape(dtype: torch.dtype) -> None:
    window = {name: torch.as_tensor(x).to(dtype).requires_grad_() for name, x in make_window(3, 50).items()}
    found = optimize_entry_exit_multipliers(**{name: x.reshape(-1, 1) for name, x in window.items()})
    assert found == optimize_entry_exit_multipliers(**window)
    assert found[2] == pytest.approx(optimize_entry_exit_multipliers(**make_window(3, 50))[2], rel=0.05)


def test_unreached_levels_are_not_traded() -> None:
    window = make_window(4, 40)
    window["high_actual"][::3], window["low_actual"][::4] = np.nan, -np.inf
    window["high_actual"][1::9] = np.inf
    for eod in (False, True):
        h, l, profit = optimize_entry_exit_multipliers(**window, close_at_eod=eod)
        assert float(entry_exit_profit(**moved(window, h, l), close_at_eod=eod).sum()) == pytest.approx(
            profit, abs=1e-6
        )
        assert profit >= searched(window, eod, "2025-11-06") - A_BAR * 40


@pytest.mark.parametrize("rule", RULES)
def test_always_on_adds_the_legs_and_crypto_has_no_short(rule: str) -> None:
    window = make_window(5, 80, dtype=np.float64)
    del window["positions"]
    buy, sell = np.ones(80), -np.ones(80)
    for eod in (False, True):
        options: dict[str, Any] = {"trading_fee": 0.001, "rule": rule, "close_at_eod": eod}
        h, l, profit = optimize_always_on_multipliers(**window, buy_indicator=buy, sell_indicator=sell, **options)
        legs = [entry_exit_profit(**moved(window | {"positions": leg}, h, l), **options).sum() for leg in (buy, sell)]
        assert profit == pytest.approx(sum(legs), abs=1e-12)
        one = optimize_entry_exit_multipliers(**window, positions=buy, **options)
        other = optimize_entry_exit_multipliers(**window, positions=sell, **options)
        assert profit <= one[2] + other[2] + 1e-12
        crypto = optimize_always_on_multipliers(
            **window, buy_indicator=buy, sell_indicator=sell, is_crypto=True, **options
        )
        assert crypto == one


def test_many_windows_of_unequal_length_in_one_call() -> None:
    windows = [make_window(seed, bars, dtype=np.float64) for seed, bars in ((1, 7), (2, 30), (3, 1), (4, 0), (5, 30))]
    lists = {name: [window[name] for window in windows] for name in windows[0]}
    lists = {
        plural: lists[name]
        for plural, name in (
            ("close_actuals", "close_actual"),
            ("positions_list", "positions"),
            ("high_actuals", "high_actual"),
            ("high_preds", "high_pred"),
            ("low_actuals", "low_actual"),
            ("low_preds", "low_pred"),
        )
    }
    for eod in (False, True):
        found = optimize_batch_entry_exit(**lists, close_at_eod=eod, maxfun=50, batch_size=2, device="cpu")
        alone = [optimize_entry_exit_multipliers(**window, close_at_eod=eod) for window in windows]
        np.testing.assert_allclose(found, alone, rtol=0, atol=1e-12)
    positions = lists.pop("positions_list")
    both = optimize_batch_always_on(
        **lists, buy_indicators=positions, sell_indicators=[-size for size in positions], is_crypto=False
    )
    window = dict(windows[1])
    size = window.pop("positions")
    assert both[1] == pytest.approx(
        optimize_always_on_multipliers(**window, buy_indicator=size, sell_indicator=-size), abs=1e-12
    )
    assert optimize_batch_entry_exit([], [], [], [], [], []) == []


def test_nothing_earns_nothing() -> None:
    empty = make_window(1, 0)
    assert optimize_entry_exit_multipliers(**empty) == (0.0, 0.0, 0.0)
    assert optimize_entry_exit_multipliers(**empty, bounds=((0.01, 0.02), (-1, 1))) == (0.01, 0.0, 0.0)
    flat = make_window(1, 9) | {"positions": np.zeros(9)}
    assert optimize_entry_exit_multipliers(**flat) == (0.0, 0.0, 0.0)


def test_calls_that_steer_the_old_search_keep_working() -> None:
    window = make_window(1, 30)
    assert optimize_entry_exit_multipliers(**window) == optimize_entry_exit_multipliers(
        *window.values(),
        trading_fee=TRADING_FEE,
        bounds=[[-0.03, 0.03], (-0.03, 0.03)],  # type: ignore[arg-type]
        maxiter=5,
        popsize=3,
        atol=1e-3,
        seed=None,
        workers=-1,
    )


def test_whole_numbers_as_bounds_give_floats() -> None:
    found = optimize_entry_exit_multipliers(**make_window(2, 20), bounds=((-1, 0), (0, 1)))
    assert [type(x) for x in found] == [float] * 3
    assert found == optimize_entry_exit_multipliers(**make_window(2, 20), bounds=((-1.0, 0.0), (0.0, 1.0)))


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        (((0.03, -0.03), (-0.03, 0.03)), r"got \(0.03, -0.03\), must be finite, the lowest before the highest"),
        (((-0.03, 0.03), (float("nan"), 0.03)), "must be finite"),
        (((-0.03, 0.03), (-0.03, float("inf"))), "must be finite"),
        (((-0.03, 0.03),), "got 1 pair"),
        ((), "got 0 pairs"),
        (((-0.03, 0.03), (-0.03,)), "must be pairs"),
        ((-0.03, 0.03), "must be pairs"),
        (None, "got None, must be pairs"),
    ],
)
def test_wrong_bounds_are_refused(bounds: Any, words: str) -> None:
    window = make_window(1, 30)
    for error in (MarketsimError, ValueError):
        with pytest.raises(error, match=words):
            optimize_entry_exit_multipliers(**window, bounds=bounds)


def test_bad_inputs_are_named() -> None:
    window = make_window(1, 30)
    with pytest.raises(DataError, match="low_pred has 29 bars, close_actual has 30"):
        optimize_entry_exit_multipliers(**window | {"low_pred": window["low_pred"][:-1]})
    with pytest.raises(DataError, match="high_pred of bar 3 is nan, must be finite"):
        optimize_entry_exit_multipliers(**window | {"high_pred": np.where(np.arange(30) == 3, np.nan, 0.01)})
    columns = [[x, x] for x in window.values()]
    with pytest.raises(DataError, match="lists of 1 and 2 windows"):
        optimize_batch_entry_exit(*columns[:-1], columns[-1][:1])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_tensors_on_a_gpu() -> None:
    window = make_window(2, 50)
    on_gpu = {name: torch.as_tensor(x).cuda() for name, x in window.items()}
    assert optimize_entry_exit_multipliers(**on_gpu) == optimize_entry_exit_multipliers(**window)

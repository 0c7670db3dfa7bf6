"""Both closing policies in one call: the better one, with profits that add up to its own."""

from __future__ import annotations

import numpy as np
import pytest

from marketsim.reference import (
    entry_exit_profit,
    optimize_always_on_multipliers,
    optimize_entry_exit_multipliers,
    optimize_maxdiff_always_on,
    optimize_maxdiff_entry_exit,
)
from tests.reference.windows import make_window, moved

torch = pytest.importorskip("torch", reason="torch is not installed")

SEEDS = range(6)


@pytest.mark.parametrize("seed", SEEDS)
def test_entry_exit_keeps_the_better_policy(seed: int) -> None:
    window = {name: torch.as_tensor(x) for name, x in make_window(seed, 20).items()}
    trades = window.pop("positions")
    found = optimize_maxdiff_entry_exit(
        **window, maxdiff_trades=trades, close_at_eod_candidates=[True, False], trading_fee=0.001, log_timings=True
    )
    window["positions"] = trades
    alone = {
        eod: optimize_entry_exit_multipliers(**window, close_at_eod=eod, trading_fee=0.001) for eod in (True, False)
    }
    best = max((True, False), key=lambda eod: alone[eod][2])
    assert found.best_close_at_eod is best
    assert (found.best_high_multiplier, found.best_low_multiplier) == alone[best][:2]
    assert float(found.final_profit.sum()) == pytest.approx(alone[best][2], abs=1e-6)
    base = entry_exit_profit(**window, close_at_eod=best, trading_fee=0.001)
    torch.testing.assert_close(found.base_profit, base, rtol=0, atol=0)
    assert set(found.timings) == {"opt_close_True", "opt_close_False"}


@pytest.mark.parametrize(("close", "at_close"), [(0.1, True), (0.0, False)])
def test_either_policy_can_win(close: float, at_close: bool) -> None:
    window = {"close_actual": close, "maxdiff_trades": 1, "high_actual": 0.1, "low_actual": -0.01}
    bar = {name: np.array([x]) for name, x in (window | {"high_pred": 0.0, "low_pred": 0.0}).items()}
    found = optimize_maxdiff_entry_exit(**bar)
    assert found.best_close_at_eod is at_close
    assert float(found.final_profit.sum()) == pytest.approx(0.11 if at_close else 0.04, abs=1e-3)


@pytest.mark.parametrize("is_crypto", [False, True])
def test_always_on_returns_both_legs(is_crypto: bool) -> None:
    window = make_window(3, 25, dtype=np.float64)
    size = np.abs(window.pop("positions"))
    legs = {"buy_indicator": size, "sell_indicator": -size}
    bounds = ((-0.01, 0.01), (-0.01, 0.01))
    found = optimize_maxdiff_always_on(
        **window, **legs, is_crypto=is_crypto, close_at_eod_candidates=[False], trading_fee=0.001,
        optim_kwargs={"bounds": bounds, "maxiter": 3},
    )  # fmt: skip
    h, l, profit = optimize_always_on_multipliers(
        **window, **legs, is_crypto=is_crypto, trading_fee=0.001, bounds=bounds
    )
    assert (found.best_high_multiplier, found.best_low_multiplier) == (h, l)
    assert float((found.buy_returns + found.sell_returns).sum()) == pytest.approx(profit, abs=1e-12)
    np.testing.assert_array_equal(
        found.buy_returns, entry_exit_profit(**moved(window | {"positions": size}, h, l), trading_fee=0.001)
    )
    assert found.sell_returns.any() != is_crypto
    assert found.timings == {}


def test_without_a_policy_there_is_nothing() -> None:
    window = make_window(3, 5)
    window["maxdiff_trades"] = window.pop("positions")
    found = optimize_maxdiff_entry_exit(**window, close_at_eod_candidates=[])
    assert (found.best_high_multiplier, found.best_low_multiplier, found.best_close_at_eod) == (0.0, 0.0, False)
    assert not found.final_profit.any() and found.final_profit.shape == (5,)


def test_unknown_arguments_of_the_search_are_refused() -> None:
    window = make_window(3, 5)
    window["maxdiff_trades"] = window.pop("positions")
    with pytest.raises(TypeError, match="maxiters"):
        optimize_maxdiff_entry_exit(**window, optim_kwargs={"maxiters": 5})

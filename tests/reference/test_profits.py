"""Profits bar by bar: the rule of each date, any shape and type, and what is not reached."""

from __future__ import annotations

import numpy as np
import pytest

from marketsim.errors import UsageError
from marketsim.reference import RULES, entry_exit_profit
from tests.reference.windows import make_window, slow_profit

torch = pytest.importorskip("torch", reason="torch is not installed")


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("eod", [False, True])
def test_profits_follow_the_rule_bar_by_bar(rule: str, eod: bool) -> None:
    rng = np.random.default_rng(0)
    columns = rng.integers(-4, 5, (6, 600)) / 100
    columns[1] *= 500
    columns[2, ::50], columns[4, ::70] = np.nan, np.inf
    columns[2, ::90], columns[4, ::110] = np.inf, -np.inf
    found = entry_exit_profit(*columns, close_at_eod=eod, trading_fee=0.0015, rule=rule)
    expected = [slow_profit(*column, eod, 0.0015, rule) for column in columns.T.tolist()]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)


def bar(high: float, low: float, size: float = 1.0) -> dict[str, torch.Tensor]:
    """Levels 1 % above and 2 % below the origin's close, of a bar that ends 0.5 % above it."""
    values = {"close_actual": 0.005, "positions": size, "high_actual": high, "low_actual": low}
    return {name: torch.tensor([x]) for name, x in (values | {"high_pred": 0.01, "low_pred": -0.02}).items()}


@pytest.mark.parametrize(
    ("high", "low", "eod", "published", "per_leg"),
    [
        (0.02, -0.03, False, 0.029, 0.029),  # bought, taken at profit
        (0.005, -0.03, False, 0.025, 0.024),  # bought, closed at the close: one level was not crossed
        (0.01, -0.03, False, 0.03, 0.029),  # taken at profit at the very high, which is not crossed strictly
        (0.02, -0.01, False, 0.0, 0.0),
        (0.02, -0.03, True, 0.024, 0.024),
        (0.005, -0.03, True, 0.024, 0.024),
        (0.02, -0.01, True, -0.001, 0.0),  # the high was crossed, though nothing was bought
        (0.005, -0.01, True, 0.0, 0.0),
    ],
)
def test_the_fee_by_date(high: float, low: float, eod: bool, published: float, per_leg: float) -> None:
    found = [
        float(entry_exit_profit(**bar(high, low), close_at_eod=eod, trading_fee=0.001, rule=rule).sum())
        for rule in ("2025-11-06", "2025-11-13", "2025-11-24")
    ]
    assert found == pytest.approx([published, per_leg, per_leg], abs=1e-7)


def test_the_fee_of_the_published_rule_is_that_of_the_whole_position() -> None:
    held = [float(entry_exit_profit(**bar(0.02, -0.03, size), trading_fee=0.001).sum()) for size in (10.0, 15.0)]
    assert held == pytest.approx([0.29, 0.285])


@pytest.mark.parametrize(("rule", "fee"), [(None, 0.0005), ("2025-11-13", 0.0005), ("2025-11-24", 0.0000278)])
def test_each_rule_has_a_fee_of_its_own(rule: str | None, fee: float) -> None:
    assert float(entry_exit_profit(**bar(0.02, -0.03), rule=rule).sum()) == pytest.approx(0.03 - fee, abs=1e-7)


def test_the_rule_of_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARKETSIM_REFERENCE_RULE", "2025-11-24")
    inputs = bar(0.005, -0.03)
    assert float(entry_exit_profit(**inputs).sum()) == pytest.approx(0.025 - 0.0000278, abs=1e-8)
    assert float(entry_exit_profit(**inputs, rule="2025-11-06").sum()) == pytest.approx(0.025)
    monkeypatch.setenv("MARKETSIM_REFERENCE_RULE", "2025-11-14")
    with pytest.raises(UsageError, match="MARKETSIM_REFERENCE_RULE: got '2025-11-14', must be 2025-11-06 or"):
        entry_exit_profit(**inputs)


def test_an_unknown_rule_or_fee_is_refused() -> None:
    with pytest.raises(UsageError, match="rule: got 'new'"):
        entry_exit_profit(**bar(0.01, 0.01), rule="new")
    with pytest.raises(UsageError, match="trading_fee: got nan"):
        entry_exit_profit(**bar(0.01, 0.01), trading_fee=float("nan"))


@pytest.mark.parametrize("unreached", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("eod", [False, True])
def test_what_is_not_a_number_is_not_reached(unreached: float, eod: bool) -> None:
    without_high = entry_exit_profit(**bar(unreached, -0.03), close_at_eod=eod, trading_fee=0.0)
    assert float(without_high.sum()) == pytest.approx(0.025)
    assert float(entry_exit_profit(**bar(0.02, unreached), close_at_eod=eod, trading_fee=0.0).sum()) == 0
    assert float(entry_exit_profit(**bar(unreached, -0.03, -1.0), close_at_eod=eod, trading_fee=0.0).sum()) == 0


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_inputs_of_any_shape_are_flattened(dtype: torch.dtype) -> None:
    window = {name: torch.as_tensor(x, dtype=dtype) for name, x in make_window(3, 12).items()}
    plain = entry_exit_profit(**window)
    shapes = [(12, 1), (12,), (1, 12), (3, 4), (4, 3), (2, 2, 3)]
    mixed = {name: x.reshape(shape) for (name, x), shape in zip(window.items(), shapes, strict=True)}
    found = entry_exit_profit(**mixed)
    assert found.dtype == dtype and found.shape == (12,)
    torch.testing.assert_close(found, plain, rtol=0, atol=0)
    assert entry_exit_profit(**{name: x[:0] for name, x in window.items()}).shape == (0,)

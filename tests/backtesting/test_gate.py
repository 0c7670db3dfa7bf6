"""Standing aside: a simulation whose window does not show a profit places no order, and nothing else changes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from marketsim.backtesting.gate import stands_aside
from marketsim.execution.t_statistic import t_statistic
from marketsim.results.document import simulation_rows, symbol_document
from marketsim.results.schema import SimulationRow
from tests import oracle
from tests.backtesting.test_pipeline import SMALL, run_held
from tests.candles import random_bars

PROFITS = st.lists(st.sampled_from([0.0, 0.01, -0.02]) | st.floats(-0.1, 0.1), min_size=1, max_size=12)


@given(PROFITS, st.booleans(), st.randoms(use_true_random=False))
def test_t_is_the_mean_over_its_standard_error(profits, weighted, random) -> None:
    weights = [random.uniform(0.1, 1.0) if weighted else 1.0 for _ in profits]
    (t,) = t_statistic(np.array([profits]), np.array(weights) if weighted else None)
    assert t == pytest.approx(oracle.t_statistic(profits, weights), rel=1e-6, abs=1e-9)


def test_t_of_equal_weights_is_student_s() -> None:
    profits = np.array([0.01, -0.02, 0.03, 0.0, 0.0])
    expected = profits.mean() / (profits.std(ddof=1) / math.sqrt(5))
    assert t_statistic(profits[None]).tolist() == pytest.approx([expected])
    assert t_statistic(profits[None], np.full(5, 0.3)).tolist() == pytest.approx([expected])


@pytest.mark.parametrize(
    ("min_t", "expected"),
    [(0.0, [False, False, False, True]), (1.0, [True, False, False, True]), (1.5, [True, True, False, True])],
)
def test_the_gate_is_closed_below_its_t_and_where_no_levels_earn_the_costs(min_t: float, expected: list[bool]) -> None:
    assert stands_aside(np.array([0.99, 1.0, math.inf, math.nan]), min_t).tolist() == expected


def chosen(row: SimulationRow) -> tuple[float, float, bool, float, float | None]:
    return row.high_multiplier, row.low_multiplier, row.close_at_eod, row.in_sample, row.t


@pytest.mark.parametrize("crypto", [False, True])
def test_a_row_below_the_gate_trades_nothing_and_the_others_are_as_without_it(crypto: bool) -> None:
    bars = replace(random_bars(260, 12), crypto=crypto)
    settings = SMALL.replace(sims=150)
    gated, free = (list(simulation_rows(run_held(bars, settings.replace(min_t=t)))) for t in (1.0, 0.0))
    sides = set()
    for row, without in zip(gated, free, strict=True):
        assert chosen(row) == chosen(without)
        assert not without.stood_aside
        assert row.t is not None
        if row.t >= 1 or without.side == "flat":
            assert row == without
            continue
        sides.add(without.side)
        assert row.stood_aside and row.side == "flat"
        assert (row.orders, row.trades, row.provable, row.expected, row.touch) == (0, 0, 0.0, 0.0, 0.0)
    assert sides == ({"long"} if crypto else {"long", "short", "long and short"})
    assert len({row.stood_aside for row in gated}) == 2


def test_the_plan_stands_aside_too_and_says_its_t() -> None:
    bars = random_bars(260, 12)
    free = symbol_document(run_held(bars, SMALL.replace(min_t=0))).plan
    for plan, order in zip(symbol_document(run_held(bars, SMALL.replace(min_t=99))).plan, free, strict=True):
        assert (plan.t, plan.upper, plan.lower) == (order.t, order.upper, order.lower)
        assert plan.stood_aside and not order.stood_aside
        assert (plan.side, plan.entry, plan.take_profit) == ("flat", None, None)


def test_what_is_never_fitted_never_stands_aside() -> None:
    bars = random_bars(260, 12)
    gated, free = (symbol_document(run_held(bars, SMALL.replace(min_t=t))) for t in (99, 0))
    baselines = [[row for row in document.rows if row.kind == "baseline"] for document in (gated, free)]
    assert baselines[0] == baselines[1]
    for row in gated.rows[:2]:
        assert (row.orders, row.stood_aside, row.in_sample_bps, row.headline) == (0, row.bars, 0.0, 0.0)


def test_one_bar_shows_nothing() -> None:
    rows = list(simulation_rows(run_held(random_bars(260, 12), SMALL.replace(window=1))))
    assert all(row.t == 0 and row.orders == 0 for row in rows)


def test_the_t_of_a_window_does_not_depend_on_the_windows_beside_it():
    """To the last bit: a decision at the very threshold must not depend on how long the walk is."""
    rng = np.random.default_rng(0)
    profits = rng.normal(0, 0.01, (61, 9))
    for weights in (None, 0.5 ** np.arange(9.0)):
        together = t_statistic(profits, weights)
        for rows in (1, 2, 3, 7, 40):
            np.testing.assert_array_equal(t_statistic(profits[:rows], weights), together[:rows])

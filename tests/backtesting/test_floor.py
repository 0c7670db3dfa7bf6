"""A take-profit that does not pay the round trip of costs is no order."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from marketsim.execution.profit_terms import Costs
from marketsim.results.document import simulation_rows, symbol_document
from marketsim.results.schema import SimulationRow
from tests.backtesting.test_pipeline import SMALL, run_held
from tests.candles import random_bars

BARS = random_bars(260, 12)
OPEN_END = SMALL.replace(sims=150, min_t=0, close_at_eod="never", fee_bps=250)
ROUND_TRIP = 2 * 0.025 / (1 - 0.025)


def rows_of(**settings: object) -> list[SimulationRow]:
    return list(simulation_rows(run_held(BARS, OPEN_END.replace(**settings))))


def distances(rows: list[SimulationRow]) -> np.ndarray:
    """Of take-profits from entries, in fractions of the close before the bar."""
    close = dict(zip(BARS.names().tolist(), BARS.close, strict=True))
    return np.array([(row.upper - row.lower) / close[row.origin] for row in rows])


@pytest.mark.parametrize("fill", ["provable", "expected", "touch"])
def test_no_take_profit_lies_nearer_to_its_entry_than_the_costs(fill: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_of(fill=fill)
    assert {row.side for row in rows} == {"long", "short", "long and short"}
    apart = distances(rows)
    assert apart.min() >= ROUND_TRIP - 1e-12
    monkeypatch.setattr(Costs, "round_trip", 0.0)
    free = distances(rows_of(fill=fill))
    assert (free[~np.isclose(free, apart, atol=1e-12)] < ROUND_TRIP).all(), "others are as without the floor"
    near = [row for row, distance in zip(rows, free, strict=True) if distance < ROUND_TRIP]
    assert {row.side for row in near} >= {"long", "short"}


def test_a_filled_take_profit_never_loses() -> None:
    for row in rows_of(fill="touch"):
        reached = row.high >= row.upper if row.side == "long" else row.low <= row.lower
        if row.side != "long and short" and row.trades and reached:
            assert row.touch >= -1e-12


def test_an_exit_at_the_close_needs_no_distance() -> None:
    rows = rows_of(close_at_eod="always")
    assert distances(rows).min() < ROUND_TRIP
    assert all(row.orders for row in rows)


def test_where_no_take_profit_pays_the_costs_the_exit_is_the_close_or_there_is_no_order() -> None:
    tight = {"bounds": (-1e-4, 1e-4), "fee_bps": 500.0}
    for row in rows_of(**tight):
        assert (row.side, row.orders, row.trades, row.t, row.stood_aside) == ("flat", 0, 0, None, True)
    either = rows_of(**tight, close_at_eod="auto")
    assert all(row.close_at_eod and row.t is not None and row.orders for row in either)
    document = symbol_document(run_held(BARS, OPEN_END.replace(**tight)))
    assert all(plan.stood_aside and plan.t is None and plan.side == "flat" for plan in document.plan)


def test_the_distance_is_kept_on_the_bar_to_be_traded_and_asks_nothing_of_its_outcome() -> None:
    """The floor of a simulation follows from its own forecast: another forecast moves it, another outcome does not."""
    before = rows_of()
    changed = BARS.ohlcv.copy()
    changed[-1, :4] *= [1.0, 1.02, 0.9, 0.95]
    after = list(simulation_rows(run_held(replace(BARS, ohlcv=changed), OPEN_END)))
    chosen = [[(row.high_multiplier, row.low_multiplier, row.t) for row in rows] for rows in (before, after)]
    assert chosen[0] == chosen[1]

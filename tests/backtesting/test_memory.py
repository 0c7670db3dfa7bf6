"""Half-lives and windows that are left to the bars."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from marketsim.data.walk_forward import longest_window
from marketsim.errors import DataError
from marketsim.optimizers.exact.maximum import maximize
from marketsim.results.document import symbol_document
from tests import oracle
from tests.backtesting.test_pipeline import SMALL, rows_of, run_held
from tests.candles import random_bars
from tests.oracle import Bar, Rules
from tests.problems import BOUNDS, any_rules, bars_of_any_kind, terms_of

BARS = random_bars(700, 12)


@settings(max_examples=100)
@given(bars_of_any_kind(5), any_rules())
def test_a_bar_of_weight_two_counts_as_two_bars(bars: list[Bar], rules: Rules) -> None:
    weights = np.arange(len(bars)) % 3 + 1.0
    repeated = [bar for bar, weight in zip(bars, weights, strict=True) for _ in range(int(weight))]
    weighted, twice = (
        maximize(terms_of(bars, rules).sized(weights), BOUNDS),
        maximize(terms_of(repeated, rules), BOUNDS),
    )
    assert weighted.profit[0] == pytest.approx(twice.profit[0], abs=1e-9)


def decisions(**chosen: Any) -> list[dict[str, Any]]:
    return rows_of(run_held(BARS, SMALL.replace(min_t=0, **chosen)))


def test_with_a_half_life_of_next_to_nothing_the_newest_bar_alone_decides() -> None:
    """For longs and shorts, and both exits."""
    newest, alone = decisions(window=15, half_life=0.01, sims=80), decisions(window=1, sims=80)
    assert {row["side"] for row in newest} == {"long", "short", "long and short"}
    for one, other in zip(newest, alone, strict=True):
        assert one["in_sample"] == pytest.approx(15 * other["in_sample"])
        for key in ("high_multiplier", "low_multiplier", "close_at_eod"):
            assert one[key] == other[key]


def test_an_endless_half_life_is_none() -> None:
    for one, other in zip(decisions(half_life=1e9), decisions(), strict=True):
        assert one["in_sample"] == pytest.approx(other["in_sample"], abs=1e-8)
        assert one["t"] == pytest.approx(other["t"], abs=1e-5)


@pytest.mark.parametrize("crypto", [False, True])
def test_the_t_of_weighted_bars_goes_by_their_effective_number(crypto: bool) -> None:
    chosen = SMALL.replace(min_t=0, half_life=5, strategy="always-on", close_at_eod="always", window=12)
    result = run_held(replace(BARS, crypto=crypto), chosen)
    weights = [0.5 ** (age / 5) for age in range(11, -1, -1)]
    fit = result.strategies[0].fit
    for s in range(3):
        profits = [
            oracle.profit(
                [bar_of(result, position, crypto)],
                float(fit.high_multiplier[s]),
                float(fit.low_multiplier[s]),
                Rules(0.0015 if crypto else 0.0005, 0.0005, "expected", True),
            )
            for position in result.walk.windows[s]
        ]
        assert fit.t[s] == pytest.approx(oracle.t_statistic(profits, weights), rel=1e-6)
        total = sum(weights)
        assert fit.in_sample[s] == pytest.approx(12 * sum(w * x for w, x in zip(weights, profits, strict=True)) / total)


def bar_of(result: Any, position: int, crypto: bool) -> Bar:
    origin = int(result.walk.origins[position])
    moves = result.bars.ohlcv[origin + 1, :4] / result.bars.close[origin] - 1
    high, low = float(result.forecasts.high[position]), float(result.forecasts.low[position])
    return Bar(high, low, *map(float, moves), long=True, short=not crypto)


@pytest.mark.parametrize(
    ("room", "window"), [(10, 60), (60, 60), (119, 60), (120, 120), (249, 120), (250, 250), (9999, 250)]
)
def test_auto_takes_the_longest_window_that_there_is_room_for(room: int, window: int) -> None:
    assert longest_window(room) == window


def test_auto_rests_on_how_many_bars_there_are_and_not_on_what_they_did() -> None:
    automatic = SMALL.replace(window=None, min_t=0)
    fixed = SMALL.replace(window=250, min_t=0)
    assert rows_of(run_held(BARS, automatic)) == rows_of(run_held(BARS, fixed))
    assert symbol_document(run_held(BARS, automatic)).window == 250
    few = random_bars(200, 12)
    assert symbol_document(run_held(few, automatic)).window == 120
    with pytest.raises(DataError, match="window of 60"):
        run_held(random_bars(40, 12), automatic)


def test_fast_mode_takes_the_window_of_the_full_run() -> None:
    bars = random_bars(370, 12)  # room for 250 after 35 simulations, and for 120 after 70
    full, fast = (run_held(bars, SMALL.replace(window=None, sims=130, fast=fast)) for fast in (False, True))
    assert full.walk.windows.shape[1] == fast.walk.windows.shape[1] == 120

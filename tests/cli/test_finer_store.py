"""`--fine` on bars that were fetched: ccxt, pointed at a server on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.data.sources.test_ccxt import market, point_at
from tests.loopback import Answer, serve

HOUR = 3_600_000
FIRST = 1_700_006_400_000  # midnight, in milliseconds
DAYS = 40
PRICES = 100 * np.exp(np.cumsum(0.01 * np.random.default_rng(5).standard_normal(24 * DAYS + 1)))


def candles(hours: int) -> list[list[Any]]:
    """Bars of so many hours, all of the same path, as Binance has them."""
    rows = []
    for i in range(0, 24 * DAYS, hours):
        path, opens = PRICES[i : i + hours + 1], FIRST + i * HOUR
        prices = (f"{price:.4f}" for price in (path[0], path.max(), path.min(), path[-1]))
        rows.append([opens, *prices, "1", opens + hours * HOUR - 1, "0", 1, "0", "0", "0"])
    return rows


def exchange(path: str, query: dict[str, str]) -> Answer:
    if path.endswith("exchangeInfo"):
        symbols = [market("BTC", "USDT")] if path == "/api/v3/exchangeInfo" else []
        return Answer(json.dumps({"timezone": "UTC", "symbols": symbols}))
    rows = candles({"1h": 1, "1d": 24}[query["interval"]])
    return Answer(json.dumps([row for row in rows if row[0] >= int(query["startTime"])][: int(query["limit"])]))


def test_fetched_hours_settle_fetched_days_and_make_them(cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("ccxt")
    monkeypatch.setenv("MARKETSIM_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("MARKETSIM_NOW", str(np.datetime64(FIRST + 24 * DAYS * HOUR, "ms").astype("datetime64[s]")))
    shown = []
    with serve(exchange) as running:
        point_at(monkeypatch, "binance", running)
        for timeframe in ("1h", "1d"):
            fetched = ("--from", "ccxt:binance", "--timeframe", timeframe, "--since", "2023-11-15")
            assert cli("data", "fetch", "BTC/USDT", *fetched).code == 0
    for finer in (("--source", "store", "--fine", "store"), ("--fine", "store")):
        ended = cli("backtest", "BTCUSDT", "--sims", "5", "--window", "5", "--cache", "off", "--json", *finer)
        assert (ended.code, ended.err) == (0, "")
        shown.append(json.loads(ended.out)["symbols"][0])
    for symbol in shown:
        assert (symbol["fine"]["covered"], symbol["fine"]["disagreeing"]) == (10, 0)
        assert symbol["rows"] == shown[0]["rows"]
    assert [symbol["bars"]["source"].startswith("store (ccxt:binance, BTC/USDT, 1d") for symbol in shown] == [
        True,
        False,  # the days are made of hours
    ]

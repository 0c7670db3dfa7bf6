"""`data fetch`, `--source store` and `--fetch`, from a server on this machine that answers as Stooq does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from marketsim.data.calendars.calendar import open_calendar
from marketsim.data.sources import stooq
from tests.candles import random_ohlcv
from tests.loopback import Answer, Server, serve
from tests.many_symbols import OPTIONS

DAYS = open_calendar("XNYS").sessions(np.datetime64("2024-01-02"), np.datetime64("2024-06-28"))
PRICES = random_ohlcv(len(DAYS), 3)
SINCE = ("--since", "2024-01-01")


def table(path: str, query: dict[str, str]) -> Answer:
    if query["s"] not in ("aapl.us", "msft.us"):
        return Answer("No data", content_type="text/csv")
    rows = [
        f"{day},{','.join(map(str, row.tolist()))}"
        for day, row in zip(DAYS, PRICES, strict=True)
        if query["d1"] <= str(day).replace("-", "") <= query["d2"]
    ]
    return Answer("\r\n".join(["Date,Open,High,Low,Close,Volume", *rows, ""]), content_type="text/csv")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    with serve(table) as running:
        monkeypatch.setattr(stooq, "ADDRESS", running.url)
        monkeypatch.setenv("MARKETSIM_STORE", str(tmp_path / "store"))
        monkeypatch.setenv("MARKETSIM_NOW", "2024-06-26T15:00")  # the session of that day is not over
        yield running


def test_what_is_fetched_is_a_table_and_a_document(cli, server: Server, tmp_path: Path) -> None:
    ended = cli("data", "fetch", "AAPL", "msft.us", "--from", "stooq", *SINCE)
    assert (ended.code, ended.err) == (0, "")
    assert " ".join(ended.out.split()).startswith("Fetched from stooq Symbol Timeframe Bars New First Last Gaps")
    assert "AAPL 1d 122 122 2024-01-02 2024-06-26 0" in " ".join(ended.out.split())
    again = json.loads(cli("data", "fetch", "AAPL", "--from", "stooq", "--json").out)
    assert again["schema"] == "marketsim.data.fetch/1"
    assert again["symbols"] == [
        {
            "symbol": "AAPL",
            "status": "ok",
            "source": "stooq",
            "name": "aapl.us",
            "timeframe": "1d",
            "adjusted": "adjusted for splits",
            "bars": 122,
            "new": 0,
            "first": "2024-01-02",
            "last": "2024-06-26",
            "gaps": 0,
            "file": str(tmp_path / "store" / "AAPL-1d.parquet"),
            "notes": [],
        }
    ]


def test_what_fails_does_not_stop_the_others(cli, server: Server) -> None:
    ended = cli("data", "fetch", "NOSUCH", "AAPL", "--from", "stooq", *SINCE)
    assert ended.code == 4 and "AAPL" in ended.out
    assert ended.err == (
        "marketsim: stooq has no 1d bars of nosuch.us from 2024-01-01T00:00:00 on; it spells symbols as AAPL or "
        "aapl.us, 7203.jp, EURUSD, BTCUSD or ^spx\n"
    )
    assert cli("data", "fetch", "NOSUCH", "--from", "stooq", *SINCE).code == 3
    server.faults = [404]
    assert cli("data", "fetch", "AAPL", "--from", "stooq").code == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--from", "stooqq"), "unknown provider 'stooqq'; did you mean 'stooq'? (known: alpaca, ccxt, stooq, yahoo)"),
        (("--from", "stooq", "--since", "soon"), "--since soon: must be an ISO date such as 2020-12-31"),
        (("--from", "stooq", "--timeframe", "1h"), "stooq has no 1h bars; it has 1d, 1w, 1mo"),
    ],
)
def test_wrong_words(cli, server: Server, words: tuple[str, ...], message: str) -> None:
    assert cli("data", "fetch", "AAPL", *words) == (2, "", f"marketsim: {message}\n")


def test_the_store_is_backtested(cli, server: Server) -> None:
    missing = cli("backtest", "AAPL", "--source", "store", *OPTIONS)
    assert missing.code == 3
    assert missing.err.endswith("'marketsim data fetch AAPL --from yahoo' fetches them\n")
    assert "'marketsim data fetch TSM --from yahoo' fetches them, and --source store" in cli("backtest", "TSM").err
    cli("data", "fetch", "AAPL", "--from", "stooq", *SINCE)
    ended = cli("backtest", "AAPL", "--source", "store", *OPTIONS, "--json")
    assert ended.err == (
        "note: AAPL: the bar 2024-06-26 is not complete before 2024-06-26T20:00:00 UTC and is left out (--partial keep "
        "uses it)\n"
    )
    document = json.loads(ended.out)
    assert document["settings"]["now"] == "2024-06-26T15:00:00"
    (symbol,) = document["symbols"]
    assert symbol["bars"]["source"] == "store (stooq, aapl.us, 1d, adjusted for splits)"
    plan = symbol["plan"][0]
    assert (plan["bar"], plan["ends"], plan["stale"]) == ("2024-06-26", "2024-06-26T20:00:00", False)
    assert cli("data", "list", "--source", "store").out.count("AAPL") == 1


def test_a_backtest_that_fetches_first(cli, server: Server, tmp_path: Path) -> None:
    fetching = ("backtest", "AAPL", "--fetch", "stooq", "--start", "2024-01-01", *OPTIONS, "--json")
    first = cli(*fetching)
    assert first.code == 0
    assert (tmp_path / "store" / "AAPL-1d.parquet").exists()
    assert server.asked[0][1]["d1"] == "20240101"
    stored = cli("backtest", "AAPL", "--source", "store", "--start", "2024-01-01", *OPTIONS, "--json")
    assert json.loads(first.out)["symbols"] == json.loads(stored.out)["symbols"]
    cli(*fetching)
    assert server.asked[-1][1]["d1"] == "20240612"  # ten bars before the last
    assert cli("backtest", "AAPL", "--fetch", "yaho", *OPTIONS).err.startswith(
        "marketsim: --fetch: got 'yaho', must be one of alpaca, ccxt:EXCHANGE, stooq, yahoo; did you mean 'yahoo'?"
    )

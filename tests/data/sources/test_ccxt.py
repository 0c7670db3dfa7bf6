"""ccxt: the real library, pointed at a server on this machine that answers as Binance or Kraken does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from marketsim.data.calendars.timeframe import parse_timeframe
from marketsim.data.sources import Page, Provider, open_provider
from marketsim.data.sources import ccxt as source
from marketsim.data.sources.patience import Patience
from marketsim.errors import DataError, MarketsimError, UsageError
from tests.libraries import needed
from tests.loopback import HALF, SLOW, Answer, Server, serve

needed("ccxt", extra="ccxt")

HOUR = 3_600_000
FIRST = 1_700_000_000_000 // HOUR * HOUR  # of the exchange's candles, in milliseconds
CANDLES = 2_500
OUTAGE = range(1_200, 1_230)  # hours without candles
NOW = np.datetime64(FIRST + (CANDLES - 1) * HOUR + HOUR // 2, "ms").astype("datetime64[s]")
BEGIN = np.datetime64(FIRST, "ms").astype("datetime64[s]")


def kline(i: int) -> list[Any]:
    """A row as Binance has them; prices and volume are text."""
    close = 100 + i % 7
    return [
        FIRST + i * HOUR,
        "101.5",
        "120",
        "90.25",
        str(close),
        "12.5",
        FIRST + (i + 1) * HOUR - 1,
        "0",
        3,
        "0",
        "0",
        "0",
    ]


def market(base: str, quote: str) -> dict[str, Any]:
    steps = [
        {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000", "tickSize": "0.01"},
        {"filterType": "LOT_SIZE", "minQty": "0.00001", "maxQty": "9000", "stepSize": "0.00001"},
    ]
    return {
        "symbol": base + quote,
        "status": "TRADING",
        "baseAsset": base,
        "quoteAsset": quote,
        "isSpotTradingAllowed": True,
        "permissions": ["SPOT"],
        "filters": steps,
    }


def binance(path: str, query: dict[str, str]) -> Answer:
    if path == "/api/v3/exchangeInfo":
        return Answer(json.dumps({"timezone": "UTC", "symbols": [market("BTC", "USDT"), market("ETH", "USDT")]}))
    if path.endswith("exchangeInfo"):
        return Answer(json.dumps({"timezone": "UTC", "symbols": []}))
    if path == "/api/v3/klines" and query["interval"] == "1h":
        start, limit = int(query["startTime"]), int(query["limit"])
        there = [i for i in range(CANDLES) if i not in OUTAGE and FIRST + i * HOUR >= start]
        return Answer(json.dumps([kline(i) for i in there[:limit]]))
    return Answer(json.dumps({"code": -1121, "msg": "Invalid symbol."}), 400)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serve(binance) as running:
        running.faulty = lambda path: path.endswith("klines")
        point_at(monkeypatch, "binance", running)
        yield running


def point_at(monkeypatch: pytest.MonkeyPatch, name: str, running: Server) -> None:
    """Let ccxt's exchange have the server's address in all its own."""
    import ccxt

    original = getattr(ccxt, name)

    class Loopback(original):  # type: ignore[valid-type,misc]
        def describe(self) -> dict[str, Any]:
            described: dict[str, Any] = super().describe()
            api = described["urls"]["api"]
            described["urls"]["api"] = {
                key: running.url + "/" + url.split("/", 3)[3] if url.count("/") > 2 else running.url
                for key, url in api.items()
                if isinstance(url, str)
            }
            return described | {"rateLimit": 1}

    monkeypatch.setattr(ccxt, name, Loopback)


def provider(name: str = "ccxt:binance", waited: list[float] | None = None) -> Provider:
    return open_provider(name, Patience(sleep=(waited if waited is not None else []).append))


def fetched(opened: Provider, since: np.datetime64 = BEGIN, timeframe: str = "1h") -> list[Page]:
    return list(opened.pages(opened.instrument("BTC/USDT"), parse_timeframe(timeframe), since, NOW))


def test_pages_go_on_over_an_outage(server: Server) -> None:
    pages = fetched(provider())
    times = np.concatenate([page.time for page in pages])
    expected = [i for i in range(CANDLES) if i not in OUTAGE]
    np.testing.assert_array_equal(times, BEGIN + np.array(expected) * np.timedelta64(1, "h"))
    assert [len(page) for page in pages] == [1_000, 1_000, 470]
    np.testing.assert_array_equal(pages[0].ohlcv[3], [101.5, 120, 90.25, 103, 12.5])
    assert server.paths().count("/api/v3/klines") == 3


def test_only_what_was_asked_for(server: Server) -> None:
    (page,) = fetched(provider(), NOW - np.timedelta64(5, "h"))
    assert (len(page), str(page.time[-1])) == (5, str(BEGIN + np.timedelta64(CANDLES - 1, "h")))


@pytest.mark.parametrize("symbol", ["BTC/USDT", "btcusdt", "BTC-USDT"])
def test_any_spelling_of_a_symbol(server: Server, symbol: str) -> None:
    found = provider().instrument(symbol)
    assert (found.symbol, found.name, found.crypto, found.zone) == ("BTCUSDT", "BTC/USDT", True, "UTC")


def test_faults_are_waited_out(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "TIMEOUT", 0.2)
    server.faults = [429, 503, HALF, SLOW]
    waited: list[float] = []
    opened = provider(waited=waited)
    assert sum(map(len, fetched(opened))) == CANDLES - len(OUTAGE)
    assert waited == [1.0, 2.0, 4.0, 8.0]


def test_what_does_not_pass_is_told(server: Server) -> None:
    server.faults = [502] * 6
    with pytest.raises(MarketsimError, match=r"ccxt:binance did not answer in 6 tries \(ExchangeNotAvailable"):
        fetched(provider())
    with pytest.raises(DataError, match=r"ccxt:binance has no BTC/EUR; did you mean 'BTC/USDT'\?; it spells symbols"):
        provider().instrument("BTC/EUR")
    with pytest.raises(UsageError, match=r"ccxt:binance has no 7m bars; it has 1s, 1m, "):
        fetched(provider(), timeframe="7m")
    with pytest.raises(UsageError, match=r"no exchange 'binanze'; did you mean 'binance'"):
        provider("ccxt:binanze")


def test_an_exchange_that_has_only_its_newest_candles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kraken gives 720 at most, whatever is asked for, in an object of its own."""

    def kraken(path: str, query: dict[str, str]) -> Answer:
        if path == "/0/public/AssetPairs":
            pair = {
                "altname": "XBTUSD",
                "wsname": "XBT/USD",
                "base": "XXBT",
                "quote": "ZUSD",
                "pair_decimals": 1,
                "lot_decimals": 8,
                "cost_decimals": 5,
                "status": "online",
                "ordermin": "0.0001",
                "costmin": "0.5",
                "tick_size": "0.1",
                "fees": [[0, 0.4]],
                "fees_maker": [[0, 0.25]],
                "leverage_buy": [],
                "leverage_sell": [],
                "lot": "unit",
            }
            return Answer(json.dumps({"error": [], "result": {"XXBTZUSD": pair}}))
        if path == "/0/public/Assets":
            assets = {name: {"altname": name[1:], "decimals": 8, "display_decimals": 5} for name in ("XXBT", "ZUSD")}
            return Answer(json.dumps({"error": [], "result": assets}))
        rows = [
            [FIRST // 1_000 + i * 3_600, "101.5", "120", "90.25", str(100 + i % 7), "100", "12.5", 3]
            for i in range(CANDLES - 720, CANDLES)
        ]
        return Answer(json.dumps({"error": [], "result": {"XXBTZUSD": rows, "last": rows[-2][0]}}))

    with serve(kraken) as running:
        point_at(monkeypatch, "kraken", running)
        opened = provider("ccxt:kraken")
        instrument = opened.instrument("BTC/USD")
        pages = list(opened.pages(instrument, parse_timeframe("1h"), BEGIN, NOW))
    assert sum(map(len, pages)) == 720
    assert str(pages[-1].time[-1]) == str(BEGIN + np.timedelta64(CANDLES - 1, "h"))

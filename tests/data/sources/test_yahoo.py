"""Yahoo: the real yfinance with its own sessions, pointed at a server on this machine that answers as charts do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from marketsim.data.calendars.calendar import open_calendar
from marketsim.data.calendars.timeframe import parse_timeframe
from marketsim.data.calendars.zones import Stamps, to_utc
from marketsim.data.fetching import Fetcher
from marketsim.data.sources import Page, Provider, open_provider
from marketsim.data.sources import yahoo as source
from marketsim.data.sources.patience import Patience
from marketsim.data.store import Store
from marketsim.errors import DataError, MarketsimError, UsageError
from tests.libraries import needed
from tests.loopback import CUT, HALF, SLOW, Answer, Server, serve

needed("yfinance", extra="yfinance")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")

ZONE = "America/New_York"
DAYS = open_calendar("XNYS").sessions(np.datetime64("2024-01-02"), np.datetime64("2024-03-29"))
OPENS = to_utc(DAYS.astype("datetime64[s]") + np.timedelta64(34_200, "s"), ZONE)  # half past nine
SINCE, NOW = np.datetime64("2024-01-01T00:00:00"), np.datetime64("2024-03-30T12:00:00")


def chart(symbol: str, times: Stamps, interval: str) -> Answer:
    """A chart as Yahoo sends it; that of 2024-01-10 has no prices, and adjusted ones are halved before February."""
    stamps = times.astype("datetime64[s]").astype(np.int64).tolist()
    close = [100.0 + i for i in range(len(stamps))]
    gap = [i for i, time in enumerate(times) if str(time)[:10] == "2024-01-10"]
    adjusted = [value / 2 if str(time) < "2024-02-01" else value for value, time in zip(close, times, strict=True)]
    columns: dict[str, list[float | None]] = {
        "open": [value - 1 for value in close],
        "high": [value + 2 for value in close],
        "low": [value - 2 for value in close],
        "close": list(close),
        "volume": [1_000.0] * len(close),
    }
    for row in gap:
        for column in columns.values():
            column[row] = None
    adjusted_: list[float | None] = [None if i in gap else value for i, value in enumerate(adjusted)]
    period = {"timezone": "EST", "start": 1711632600, "end": 1711656000, "gmtoffset": -14400}
    meta = {
        "currency": "USD",
        "symbol": symbol,
        "exchangeName": "NMS",
        "instrumentType": "EQUITY",
        "firstTradeDate": 345479400,
        "regularMarketTime": 1711656000,
        "gmtoffset": -14400,
        "timezone": "EDT",
        "exchangeTimezoneName": ZONE,
        "regularMarketPrice": 1.0,
        "priceHint": 2,
        "currentTradingPeriod": {"pre": period, "regular": period, "post": period},
        "dataGranularity": interval,
        "range": "",
        "validRanges": ["1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max"],
    }
    indicators: dict[str, Any] = {"quote": [columns]}
    if interval[-1] in "mh":
        opens = OPENS[-5:].astype(np.int64).tolist()
        meta["tradingPeriods"] = [
            [{"timezone": "EST", "start": o, "end": o + 23_400, "gmtoffset": -14400}] for o in opens
        ]
    else:
        indicators["adjclose"] = [{"adjclose": adjusted_}]
    found = {"meta": meta, "timestamp": stamps, "indicators": indicators}
    return Answer(json.dumps({"chart": {"result": [found], "error": None}}))


def yahoo(path: str, query: dict[str, str]) -> Answer:
    symbol = path.rpartition("/")[2]
    if symbol not in ("AAPL", "BTC-USD", "LATE"):
        error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
        return Answer(json.dumps({"chart": {"result": None, "error": error}}), 404)
    if "range" in query:
        return chart(symbol, OPENS[-5:], query["interval"])
    start, end = (np.datetime64(int(query[each]), "s") for each in ("period1", "period2"))
    times = OPENS
    if query["interval"] == "1m":
        times = (times[-5:, None] + np.arange(390) * np.timedelta64(60, "s")).ravel()
    inside = times[(times >= start) & (times < end)]
    if symbol == "LATE" and end < np.datetime64("2024-03-01"):
        error = {"code": "Bad Request", "description": "Data doesn't exist for startDate = 1, endDate = 2"}
        return Answer(json.dumps({"chart": {"result": None, "error": error}}), 400)
    return chart(symbol, inside, query["interval"])


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    import yfinance
    from yfinance import base
    from yfinance.data import YfData
    from yfinance.scrapers import history, quote

    yfinance.set_tz_cache_location(str(tmp_path))
    with serve(yahoo) as running:
        monkeypatch.setattr(base, "_BASE_URL_", running.url)
        monkeypatch.setattr(history, "_BASE_URL_", running.url)
        monkeypatch.setattr(quote, "_BASE_URL_", running.url)
        monkeypatch.setattr(quote, "_QUERY1_URL_", running.url)
        monkeypatch.setattr(YfData, "_get_cookie_and_crumb", lambda self, timeout=30: (None, "basic"))
        YfData.cache_get.cache_clear()
        yield running


def provider(waited: list[float] | None = None) -> Provider:
    return open_provider("yahoo", Patience(sleep=(waited if waited is not None else []).append))


def fetched(opened: Provider, symbol: str = "AAPL", timeframe: str = "1d", since: np.datetime64 = SINCE) -> list[Page]:
    return list(opened.pages(opened.instrument(symbol), parse_timeframe(timeframe), since, NOW))


def test_days_are_adjusted_and_keep_their_zone(server: Server) -> None:
    opened = provider()
    instrument = opened.instrument("aapl")
    assert (instrument.symbol, instrument.name, instrument.zone) == ("AAPL", "AAPL", ZONE)
    (page,) = fetched(opened)
    assert len(page) == len(DAYS) - 1  # one has no prices
    assert str(page.time[0]) == "2024-01-02T05:00:00" and str(page.time[-1]) == "2024-03-28T04:00:00"
    np.testing.assert_allclose(page.ohlcv[0], [49.5, 51, 49, 50, 1_000])
    close = 100.0 + len(DAYS) - 1
    np.testing.assert_allclose(page.ohlcv[-1], [close - 1, close + 2, close - 2, close, 1_000])


def test_minutes_come_a_week_at_a_time_and_from_the_last_month_only(server: Server) -> None:
    pages = fetched(provider(), timeframe="1m")
    asked = [query for path, query in server.asked if query["interval"] == "1m"]
    assert len(asked) == 5
    first = np.datetime64(int(asked[0]["period1"]), "s")
    assert first == NOW - np.timedelta64(29, "D")
    assert sum(map(len, pages)) == 5 * 390


def test_what_is_before_the_listing_is_no_error(server: Server) -> None:
    opened = provider()
    late = opened.instrument("LATE")
    assert not list(opened.pages(late, parse_timeframe("1d"), SINCE, np.datetime64("2024-02-01T00:00:00")))


@pytest.mark.parametrize(
    ("symbol", "name"),
    [
        ("BTCUSD", "BTC-USD"),
        ("BTCUSDT", "BTC-USD"),
        ("ETHEUR", "ETH-EUR"),
        ("DOTUSD", "DOT-USD"),
        ("BNBUSD", "BNB-USD"),
        ("SHIBUSDC", "SHIB-USD"),
        ("XBTUSD", "XBT-USD"),
        ("EURUSD", "EURUSD=X"),
        ("BRK.B", "BRK-B"),
        ("7203.T", "7203.T"),
        ("^gspc", "^GSPC"),
    ],
)
def test_spelling(symbol: str, name: str) -> None:
    assert source._spelling(symbol) == name


@pytest.mark.parametrize(
    ("symbol", "told"), [("BTCUSDT", True), ("BTCUSD", False), ("BTC-USD", False), ("AAPL", False)]
)
def test_bars_of_another_quote_are_told(server: Server, tmp_path: Path, symbol: str, told: bool) -> None:
    fetcher = Fetcher(provider(), Store(str(tmp_path)), parse_timeframe("1d"), NOW)
    notes = fetcher.fetch(symbol, SINCE).notes
    assert (notes == ("BTCUSDT: Yahoo quotes coins in dollars; these are bars of BTC-USD",)) is told
    assert bool(notes) is told


def test_faults_are_waited_out(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "TIMEOUT", 0.2)
    waited: list[float] = []
    opened = provider(waited)
    instrument = opened.instrument("AAPL")
    server.faults = [429, 503, HALF, SLOW, CUT]
    (page,) = opened.pages(instrument, parse_timeframe("1d"), SINCE, NOW)
    assert len(page) == len(DAYS) - 1
    assert waited == [3.0, 2.0, 4.0, 8.0, 16.0]


def test_what_does_not_pass_is_told(server: Server) -> None:
    with pytest.raises(DataError, match=r"yahoo has no NOSUCH .*it spells symbols as AAPL, BRK-B"):
        fetched(provider(), "NOSUCH")
    server.faults = [500] * 6
    with pytest.raises(MarketsimError, match=r"yahoo did not answer in 6 tries \(HTTP 500\)"):
        fetched(provider())
    with pytest.raises(UsageError, match=r"yahoo has no 4h bars; it has 1m, 2m"):
        fetched(provider(), timeframe="4h")

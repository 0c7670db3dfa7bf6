"""Alpaca: the real alpaca-py, pointed at a server on this machine that answers as its market data does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

import numpy as np
import pytest

from marketsim.data.calendars.timeframe import parse_timeframe
from marketsim.data.sources import Page, Provider, open_provider
from marketsim.data.sources import alpaca as source
from marketsim.data.sources.patience import Patience
from marketsim.errors import DataError, MarketsimError, UsageError
from tests.loopback import CUT, HALF, SLOW, Answer, Server, serve

pytest.importorskip("alpaca.data")

SINCE, NOW = np.datetime64("2024-01-01T00:00:00"), np.datetime64("2024-01-12T12:00:00")
MINUTES = np.arange("2024-01-03T09:00", "2024-01-11T12:00", dtype="datetime64[m]").astype("datetime64[s]")


def alpaca(path: str, query: dict[str, str]) -> Answer:
    """Ten thousand bars at most, and a token where there are more."""
    name = query["symbols"]
    if name not in ("AAPL", "BTC/USD"):
        return Answer(json.dumps({"bars": {}, "next_page_token": None}))
    if name == "AAPL" and query["adjustment"] != "all":
        return Answer(json.dumps({"message": "wrong"}), 422)
    start, end = (
        np.datetime64(datetime.fromisoformat(query[each]).replace(tzinfo=None), "s") for each in ("start", "end")
    )
    times = MINUTES[(start <= MINUTES) & (end >= MINUTES)]
    if query["timeframe"] == "1Day":
        times = np.array(["2024-01-02T05:00", "2024-01-03T05:00"], "datetime64[s]")
    sent = times[: int(query["limit"])]
    bars = [
        {"c": 10.5, "h": 12, "l": 9, "n": 3, "o": 10, "t": f"{time}Z", "v": 700, "vw": 10.1}
        for time in sent.astype(str)
    ]
    return Answer(json.dumps({"bars": {name: bars}, "next_page_token": "more" if len(sent) < len(times) else None}))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serve(alpaca) as running:
        monkeypatch.setattr(source, "ADDRESS", running.url)
        monkeypatch.setenv(source.KEY, "k3y")
        monkeypatch.setenv(source.SECRET, "s3cret")
        yield running


def provider(waited: list[float] | None = None) -> Provider:
    return open_provider("alpaca", Patience(sleep=(waited if waited is not None else []).append))


def fetched(opened: Provider, symbol: str = "AAPL", timeframe: str = "1m") -> list[Page]:
    return list(opened.pages(opened.instrument(symbol), parse_timeframe(timeframe), SINCE, NOW))


def test_pages(server: Server) -> None:
    pages = fetched(provider())
    assert [len(page) for page in pages] == [10_000, len(MINUTES) - 10_000]
    np.testing.assert_array_equal(np.concatenate([page.time for page in pages]), MINUTES)
    assert pages[0].ohlcv[0].tolist() == [10, 12, 9, 10.5, 700]
    assert server.paths() == ["/v2/stocks/bars"] * 2


def test_days_and_crypto(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    (page,) = fetched(provider(), timeframe="1d")
    assert str(page.time[0]) == "2024-01-02T05:00:00"
    monkeypatch.delenv(source.KEY)
    monkeypatch.delenv(source.SECRET)
    found = provider().instrument("btcusd")
    assert (found.symbol, found.name, found.crypto) == ("BTCUSD", "BTC/USD", True)
    assert len(fetched(provider(), "BTC/USD", "1d")) == 1
    assert server.paths()[-1] == "/v1beta3/crypto/us/bars"


@pytest.mark.parametrize(
    ("symbol", "name"), [("BTCUSD", "BTC/USD"), ("dotusd", "DOT/USD"), ("SHIBUSDT", "SHIB/USDT"), ("ETHBTC", "ETH/BTC")]
)
def test_spelling_of_crypto(symbol: str, name: str) -> None:
    assert provider().instrument(symbol).name == name


def test_a_key_is_asked_for_and_never_shown(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.faults = [401]
    with pytest.raises(MarketsimError, match=r"alpaca refuses \(HTTP 401\)") as refused:
        fetched(provider())
    server.faults = [500] * 6
    with pytest.raises(MarketsimError, match=r"alpaca did not answer in 6 tries \(HTTP 500\)") as busy:
        fetched(provider())
    assert not {"k3y", "s3cret"} & set((str(refused.value) + str(busy.value)).split())
    monkeypatch.delenv(source.SECRET)
    with pytest.raises(UsageError, match=r"needs the variables APCA_API_KEY_ID and APCA_API_SECRET_KEY .*KEY'\]$"):
        fetched(provider())


def test_faults_are_waited_out(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "TIMEOUT", 0.2)
    server.faults = [429, 503, HALF, SLOW, CUT]
    waited: list[float] = []
    (page,) = fetched(provider(waited), timeframe="1d")
    assert len(page) == 2
    assert waited == [1.0, 2.0, 4.0, 8.0, 16.0]


def test_what_does_not_pass_is_told(server: Server) -> None:
    assert fetched(provider(), "NOSUCH", "1d") == []
    server.faults = [422]
    with pytest.raises(DataError, match=r"alpaca: HTTP 422"):
        fetched(provider())
    with pytest.raises(UsageError, match=r"alpaca has no 3d bars; it has 1m to 59m"):
        fetched(provider(), timeframe="3d")

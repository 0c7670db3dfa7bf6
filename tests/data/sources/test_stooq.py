"""Stooq: a server on this machine that answers as its CSV download does."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from marketsim.data.calendars.timeframe import parse_timeframe
from marketsim.data.sources import open_provider, stooq
from marketsim.data.sources.patience import Patience
from marketsim.errors import MarketsimError, UsageError
from tests.loopback import CUT, HALF, SLOW, Answer, Server, serve

TABLE = "Date,Open,High,Low,Close,Volume\r\n2024-01-02,10,12,9,11,1000\r\n2024-01-03,11,13,10,12,\r\n"
SINCE, UNTIL = np.datetime64("2024-01-01T00:00:00"), np.datetime64("2024-01-04T12:00:00")
DAY = parse_timeframe("1d")


def answer(path: str, query: dict[str, str]) -> Answer:
    bodies = {
        "aapl.us": TABLE,
        "eurusd": "Date,Open,High,Low,Close\r\n2024-01-02,1,2,1,2\r\n",
        "full.us": "Exceeded the daily hits limit",
        "key.us": "<!doctype html><html>verify</html>",
    }
    return Answer(bodies.get(query["s"], "No data"), content_type="text/csv")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serve(answer) as running:
        monkeypatch.setattr(stooq, "ADDRESS", running.url + "/q/d/l/")
        monkeypatch.delenv(stooq.KEY, raising=False)
        yield running


def fetched(symbol: str, waited: list[float] | None = None, timeframe: str = "1d") -> list:
    provider = open_provider("stooq", Patience(sleep=(waited if waited is not None else []).append))
    return list(provider.pages(provider.instrument(symbol), parse_timeframe(timeframe), SINCE, UNTIL))


def test_a_table(server: Server) -> None:
    (page,) = fetched("AAPL")
    assert page.time.astype(str).tolist() == ["2024-01-02T00:00:00", "2024-01-03T00:00:00"]
    np.testing.assert_array_equal(page.ohlcv, [[10, 12, 9, 11, 1000], [11, 13, 10, 12, np.nan]])
    assert server.asked == [("/q/d/l/", {"s": "aapl.us", "d1": "20240101", "d2": "20240104", "i": "d"})]
    assert np.isnan(fetched("EURUSD")[0].ohlcv[0, 4])
    assert fetched("XYZ") == []


@pytest.mark.parametrize(
    ("symbol", "name"),
    [("aapl.us", "aapl.us"), ("BRK.B", "brk-b.us"), ("7203.T", "7203.jp"), ("ETHUSD", "ethusd"), ("^SPX", "^spx")],
)
def test_spelling(symbol: str, name: str) -> None:
    assert open_provider("stooq", Patience()).instrument(symbol).name == name


def test_the_key_is_sent_and_never_shown(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MarketsimError, match=r"no table of bars: it asks programs for a key, set STOOQ_API_KEY"):
        fetched("KEY")
    monkeypatch.setenv(stooq.KEY, "s3cret")
    with pytest.raises(MarketsimError) as error:
        fetched("KEY")
    assert server.asked[-1][1]["apikey"] == "s3cret"
    server.faults = [CUT] * 9
    with pytest.raises(MarketsimError) as cut:
        fetched("AAPL")
    assert "s3cret" not in str(error.value) + str(cut.value)


def test_faults_are_waited_out(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stooq, "TIMEOUT", 0.2)
    server.faults = [429, 503, HALF, SLOW, CUT]
    waited: list[float] = []
    (page,) = fetched("AAPL", waited)
    assert len(page) == 2 and len(server.asked) == 6
    assert waited == [3.0, 2.0, 4.0, 8.0, 16.0]  # the first as the server asked


def test_what_does_not_pass_is_told(server: Server) -> None:
    server.faults = [503] * 6
    waited: list[float] = []
    with pytest.raises(MarketsimError, match=r"stooq did not answer in 6 tries \(HTTP 503\); received bars are kept"):
        fetched("AAPL", waited)
    assert len(waited) == 5
    server.faults = [404]
    with pytest.raises(MarketsimError, match=r"stooq refuses: HTTP 404"):
        fetched("AAPL")
    with pytest.raises(MarketsimError, match=r"its daily download limit is reached"):
        fetched("FULL")
    with pytest.raises(UsageError, match=r"stooq has no 1h bars; it has 1d, 1w, 1mo"):
        fetched("AAPL", timeframe="1h")
    with pytest.raises(UsageError, match=r"'stooq' takes no 'x'"):
        open_provider("stooq:x", Patience())

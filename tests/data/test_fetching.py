"""Fetching into the store: only what is missing, nothing lost, no past that changes without a word."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from marketsim.data import download, store
from marketsim.data.calendars.timeframe import Timeframe, parse_timeframe
from marketsim.data.fetching import FetchedSource, Fetcher
from marketsim.data.sources import Instrument, Page
from marketsim.data.store import Store, StoreSource
from marketsim.errors import DataError

DAY = np.timedelta64(1, "D")
BEGIN = np.datetime64("2024-01-01T00:00:00")
TIMES = BEGIN + np.arange(100) * DAY
NOW = TIMES[-1] + np.timedelta64(6, "h")


@dataclass
class Market:
    """A provider of made-up bars, ten a page, that remembers from when to when it was asked."""

    name: str = "market"
    spelling: str = "X/Y"
    adjusted: str = "not adjusted"
    ohlcv: np.ndarray = field(default_factory=lambda: np.array([[10, 12, 9, 10 + i % 2, 5] for i in range(100)], float))
    asked: list[tuple[str, str]] = field(default_factory=list)
    given: int = 0  # bars
    dies_after: int = 10**9  # pages

    def instrument(self, symbol: str) -> Instrument:
        if symbol == "NONE":
            raise DataError("market has no NONE")
        return Instrument(symbol, f"{symbol}/Y", crypto=True, adjusted=self.adjusted)

    def pages(
        self, instrument: Instrument, timeframe: Timeframe, since: np.datetime64, until: np.datetime64
    ) -> Iterator[Page]:
        self.asked.append((str(since)[:10], str(until)[:10]))
        rows = np.flatnonzero((since <= TIMES) & (until >= TIMES))
        for first in range(0, len(rows), 10):
            if self.dies_after == 0:
                raise KeyboardInterrupt
            self.dies_after -= 1
            part = rows[first : first + 10]
            self.given += len(part)
            yield Page(TIMES[part], self.ohlcv[part].copy())


def fetcher(market: Market, place: Path, now: np.datetime64 = NOW, replace: bool = False) -> Fetcher:
    return Fetcher(market, Store(str(place)), parse_timeframe("1d"), now, replace)


def kept(place: Path, symbol: str = "XY") -> store.StoredBars:
    found = store.read(Store(str(place)).file(symbol, parse_timeframe("1d")))
    assert found is not None
    return found


def test_first_all_and_then_what_is_missing(tmp_path: Path) -> None:
    market = Market()
    first = fetcher(market, tmp_path, TIMES[49] + np.timedelta64(6, "h")).fetch("XY", TIMES[20])
    assert (first.new, len(first.stored), market.given) == (30, 30, 30)
    again = fetcher(market, tmp_path).fetch("XY")
    assert (again.new, len(again.stored), again.notes) == (50, 80, ())
    assert market.given == 30 + 50 + download.OVERLAP
    earlier = fetcher(market, tmp_path).fetch("XY", TIMES[0])
    assert (earlier.new, len(earlier.stored)) == (20, 100)
    assert market.asked[-2:] == [("2024-01-01", "2024-01-21"), ("2024-03-31", "2024-04-09")]
    np.testing.assert_array_equal(earlier.stored.time, TIMES)
    np.testing.assert_array_equal(earlier.stored.ohlcv, market.ohlcv)
    market.asked.clear()
    assert fetcher(market, tmp_path).fetch("XY", TIMES[0]).new == 0
    assert len(market.asked) == 1
    assert not [path for path in (tmp_path / "unfinished").iterdir() if path.suffix != ".lock"]


def test_what_brings_nothing_new_reads_the_file_once_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = FetchedSource(fetcher(Market(), tmp_path), None)
    first = source.load("XY")
    calls: list[str] = []
    read, write = store.read, store.write
    monkeypatch.setattr(store, "read", lambda path: (calls.append("read"), read(path))[1])
    monkeypatch.setattr(store, "write", lambda path, stored: (calls.append("write"), write(path, stored))[1])
    again = source.load("XY")
    assert calls == ["read"]
    assert (again.ohlcv == first.ohlcv).all()


def test_a_new_symbol_is_fetched_from_three_thousand_bars_ago_but_not_from_before_1970(tmp_path: Path) -> None:
    market = Market()
    fetcher(market, tmp_path).fetch("XY")
    Fetcher(market, Store(str(tmp_path)), parse_timeframe("1w"), NOW).fetch("XY")
    assert [since for since, _ in market.asked] == [str(NOW - 3_000 * DAY)[:10], "1970-01-01"]


def test_what_was_asked_for_and_not_there_is_not_asked_for_again(tmp_path: Path) -> None:
    market = Market()
    fetcher(market, tmp_path).fetch("XY", TIMES[0] - 500 * DAY)
    market.asked.clear()
    fetcher(market, tmp_path).fetch("XY", TIMES[0] - 400 * DAY)
    assert market.asked == [("2024-03-31", "2024-04-09")]


def test_the_last_bar_is_fetched_again(tmp_path: Path) -> None:
    market = Market()
    market.ohlcv[50, 3] = 9.5
    fetcher(market, tmp_path, TIMES[50] + np.timedelta64(6, "h")).fetch("XY", TIMES[0])
    market.ohlcv[50] = [10, 15, 9, 14, 50]
    found = fetcher(market, tmp_path).fetch("XY")
    assert found.stored.ohlcv[50].tolist() == [10, 15, 9, 14, 50] and found.notes == ()


def test_a_past_that_changed_is_fetched_anew_and_told(tmp_path: Path) -> None:
    market = Market()
    fetcher(market, tmp_path, TIMES[50]).fetch("XY", TIMES[0])
    market.ohlcv[:70, :4] /= 2
    found = fetcher(market, tmp_path).fetch("XY")
    np.testing.assert_array_equal(found.stored.ohlcv, market.ohlcv)
    (note,) = found.notes
    assert note == (
        "XY: market revised its history, perhaps for a split or a dividend: 50 of 51 bars differ, the first "
        "2024-01-01T00:00:00, closes by factors of 0.5 to 0.5; all were fetched again"
    )
    assert fetcher(market, tmp_path).fetch("XY").notes == ()


def test_a_past_that_changed_is_noticed_when_earlier_bars_are_fetched(tmp_path: Path) -> None:
    market = Market()
    fetcher(market, tmp_path, TIMES[50]).fetch("XY", TIMES[20])
    market.ohlcv[:40, :4] /= 2
    found = fetcher(market, tmp_path).fetch("XY", TIMES[0])
    np.testing.assert_array_equal(found.stored.ohlcv, market.ohlcv)
    assert "20 of 31 bars differ" in found.notes[0]


def test_a_bar_that_was_revised_is_told(tmp_path: Path) -> None:
    market = Market()
    fetcher(market, tmp_path, TIMES[50]).fetch("XY", TIMES[0])
    market.ohlcv[48, 1] = 13
    found = fetcher(market, tmp_path).fetch("XY")
    assert found.notes == ("XY: market revised the bar 2024-02-18 00:00:00",)
    np.testing.assert_array_equal(found.stored.ohlcv, market.ohlcv)
    assert market.given == 51 + 49 + download.OVERLAP  # and not all of it again


def test_noise_of_adjusted_prices_is_no_change(tmp_path: Path) -> None:
    market = Market()
    fetcher(market, tmp_path, TIMES[50]).fetch("XY", TIMES[0])
    market.ohlcv[:, :4] *= 1 + 1e-6
    assert fetcher(market, tmp_path).fetch("XY").notes == ()


@pytest.mark.parametrize("pages", [0, 1, 4, 9])
def test_an_interrupted_fetch_goes_on_where_it_was(tmp_path: Path, pages: int) -> None:
    market = Market(dies_after=pages)
    with pytest.raises(KeyboardInterrupt):
        fetcher(market, tmp_path).fetch("XY", TIMES[0])
    assert market.given == 10 * pages
    market.dies_after = 10**9
    found = fetcher(market, tmp_path).fetch("XY", TIMES[0])
    np.testing.assert_array_equal(found.stored.time, TIMES)
    assert market.given <= 100 + download.OVERLAP


def test_an_interrupted_fetch_anew_leaves_the_old_bars(tmp_path: Path) -> None:
    market = Market()
    fetcher(market, tmp_path, TIMES[50]).fetch("XY", TIMES[0])
    before = kept(tmp_path)
    market.ohlcv[:, :4] /= 2
    market.dies_after = 4
    with pytest.raises(KeyboardInterrupt):
        fetcher(market, tmp_path).fetch("XY")
    np.testing.assert_array_equal(kept(tmp_path).ohlcv, before.ohlcv)
    market.dies_after, market.given = 10**9, 0
    np.testing.assert_array_equal(fetcher(market, tmp_path).fetch("XY").stored.ohlcv, market.ohlcv)
    assert market.given < 100


def test_what_came_is_saved_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "SAVE", -1.0)
    sizes = []

    class Watched(Market):
        def pages(self, *arguments) -> Iterator[Page]:
            for page in super().pages(*arguments):
                yield page
                sizes.append(len(kept(tmp_path)))

    fetcher(Watched(), tmp_path).fetch("XY", TIMES[0])
    assert sizes == list(range(10, 101, 10))


def test_bad_bars_are_left_out_and_told(tmp_path: Path) -> None:
    market = Market()
    market.ohlcv[[3, 5], 1] = [0.0, 8.0]
    found = fetcher(market, tmp_path).fetch("XY", TIMES[0])
    assert len(found.stored) == 98
    words = "column 'high': 0.0 is not a positive, finite price"
    assert found.notes == (f"XY: 2 bad bars of market left out, the first 2024-01-04T00:00:00, {words}",)


def test_bars_of_two_providers_are_not_mixed(tmp_path: Path) -> None:
    fetcher(Market(), tmp_path, TIMES[50]).fetch("XY", TIMES[0])
    other = Market("bazaar", adjusted="adjusted for splits")
    with pytest.raises(DataError, match=r"bars of market .*; those of bazaar .* are not mixed .*--replace fetches all"):
        fetcher(other, tmp_path).fetch("XY")
    found = fetcher(other, tmp_path, replace=True).fetch("XY")
    assert (found.stored.origin.source, len(found.stored)) == ("bazaar", 100)


def test_no_bars_at_all_leave_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"market has no 1d bars of XY/Y from 2025.* on; it spells symbols as X/Y"):
        fetcher(Market(), tmp_path, NOW + 999 * DAY).fetch("XY", NOW + 500 * DAY)
    assert Store(str(tmp_path)).names() == []


def test_a_damaged_file_is_told_and_replaced(tmp_path: Path) -> None:
    market = Market()
    path = fetcher(market, tmp_path).fetch("XY", TIMES[0]).path
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DataError, match=r"XY-1d.parquet is damaged.*data fetch XY --timeframe 1d --replace --from"):
        fetcher(market, tmp_path).fetch("XY")
    assert len(fetcher(market, tmp_path, replace=True).fetch("XY", TIMES[0]).stored) == 100


def test_a_source_that_fetches_first(tmp_path: Path) -> None:
    market = Market()
    source = FetchedSource(fetcher(market, tmp_path), TIMES[0])
    market.ohlcv[3, 1] = 0.0
    bars = source.load("XY")
    assert (len(bars), bars.crypto, bars.timetable.calendar.name) == (99, True, "24/7")
    assert bars.source == "store (market, XY/Y, 1d, not adjusted)"
    assert "1 bad bar of market left out" in bars.notes[0]
    assert len(StoreSource(str(tmp_path)).load("X/Y")) == 99


PROCESS = """
import sys
from pathlib import Path
from tests.data.test_fetching import Market, NOW, TIMES, fetcher
place = Path(sys.argv[1])
for day in range(20, 100, int(sys.argv[2])):
    fetcher(Market(), place, TIMES[day]).fetch("XY", TIMES[10])
fetcher(Market(), place).fetch("XY", TIMES[0])
"""


def test_several_processes_fetch_at_once(tmp_path: Path) -> None:
    started = [
        subprocess.Popen([sys.executable, "-c", PROCESS, str(tmp_path), str(step)], stderr=subprocess.PIPE, text=True)
        for step in (30, 45)
    ]
    for process in started:
        _, err = process.communicate(timeout=120)
        assert (process.returncode, err) == (0, "")
    np.testing.assert_array_equal(kept(tmp_path).time, TIMES)
    np.testing.assert_array_equal(kept(tmp_path).ohlcv, Market().ohlcv)

"""Bars: their checks, calendar, fingerprint and symbols."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from marketsim.data.bars import Bars, make_bars
from marketsim.data.calendars.zones import to_utc
from marketsim.data.symbols import is_crypto, is_currency_pair, parse_symbol
from marketsim.errors import DataError, UsageError

GOOD = [100.0, 110.0, 90.0, 105.0, 7.0]


def series(count: int, crypto: bool = True, step: int = 86_400) -> Bars:
    """`count` good bars from 2020-01-01, a Wednesday, `step` seconds apart."""
    return make_bars("X", "test", stamps(range(0, count * step, step)), np.array([GOOD] * count), crypto=crypto)


def stamps(seconds: range | list[int]) -> NDArray[np.datetime64]:
    return np.datetime64("2020-01-01", "s") + np.array(seconds, dtype="timedelta64[s]")


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        (0, np.nan, "column 'open': nan is not a positive, finite price"),
        (1, np.inf, "column 'high': inf is not a positive, finite price"),
        (2, 0.0, "column 'low': 0.0 is not a positive, finite price"),
        (3, -1.0, "column 'close': -1.0 is not a positive, finite price"),
        (1, 89.0, "column 'high': 89.0 is below the low"),
        (1, 104.0, "column 'high': 104.0 is below the open or the close"),
        (0, 111.0, "column 'high': 110.0 is below the open or the close"),
        (2, 101.0, "column 'low': 101.0 is above the open or the close"),
        (3, 89.0, "column 'low': 90.0 is above the open or the close"),
        (4, -1.0, "column 'volume': -1.0 is negative or infinite"),
        (4, np.inf, "column 'volume': inf is negative or infinite"),
    ],
)
def test_a_bad_value_is_named_or_dropped(column: int, value: float, words: str) -> None:
    ohlcv = np.array([GOOD] * 4)
    ohlcv[2, column] = value
    time = stamps(range(4))
    with pytest.raises(DataError) as error:
        make_bars("X", "test", time, ohlcv, place="x.csv, line {}".format)
    assert str(error.value).startswith(f"x.csv, line 2, {words}")
    bars = make_bars("X", "test", time, ohlcv, drop=True)
    assert (bars.dropped, bars.time.tolist()) == (1, time[[0, 1, 3]].tolist())
    assert words in bars.notes[0]


def test_edges_of_the_rules_are_good() -> None:
    flat = [5.0, 5.0, 5.0, 5.0, 0.0]
    unknown_volume = [5.0, 6.0, 5.0, 6.0, np.nan]
    assert len(make_bars("X", "test", stamps(range(2)), np.array([flat, unknown_volume]))) == 2


def test_a_repeated_stamp_is_an_error_or_the_first_is_kept() -> None:
    ohlcv = np.array([GOOD] * 3) * np.array([[1], [2], [3]])
    with pytest.raises(DataError, match=r"row 2, column 'time': .* occurs twice"):
        make_bars("X", "test", stamps([0, 1, 1]), ohlcv)
    bars = make_bars("X", "test", stamps([0, 1, 1]), ohlcv, drop=True)
    assert (bars.open.tolist(), bars.dropped) == ([100.0, 200.0], 1)


def test_of_a_repeated_stamp_the_first_good_row_is_kept() -> None:
    ohlcv = np.array([GOOD, [0.0] * 5, GOOD])
    assert make_bars("X", "test", stamps([0, 1, 1]), ohlcv, drop=True).dropped == 1


@pytest.mark.parametrize("drop", [False, True])
def test_stamps_out_of_order_are_an_error_even_when_dropping(drop: bool) -> None:
    with pytest.raises(DataError, match=r"row 2, column 'time': 2020-01-01T00:00:01 comes after .*oldest first"):
        make_bars("X", "test", stamps([0, 2, 1]), np.array([GOOD] * 3), drop=drop)


def test_nothing_left_after_dropping_is_an_error() -> None:
    with pytest.raises(DataError, match=r"no good row is left of 1"):
        make_bars("X", "test", stamps(range(1)), np.zeros((1, 5)), drop=True)


@pytest.mark.parametrize(("bad", "dropped"), [(1, True), (5, True), (6, False), (100, False)])
@pytest.mark.parametrize("drop", [False, True])
def test_more_than_one_in_twenty_bad_rows_are_a_misread_file_and_never_dropped(
    bad: int, dropped: bool, drop: bool
) -> None:
    ohlcv = np.array([GOOD] * 100)
    ohlcv[:bad, 1] = 1.0
    time = stamps(range(100))
    if dropped and drop:
        assert make_bars("X", "test", time, ohlcv, drop=True).dropped == bad
        return
    with pytest.raises(DataError) as error:
        make_bars("X", "test", time, ohlcv, drop=drop)
    assert ("of 100 rows are bad, so that the file is misread" in str(error.value)) is not dropped
    assert ("--on-bad-bars drop leaves bad rows out" in str(error.value)) is dropped


def daily(*days: str, symbol: str = "X", zone: str = "UTC") -> Bars:
    time = to_utc(np.array(days, "datetime64[s]"), zone)
    return make_bars(symbol, "test", time, np.array([GOOD] * len(days)), zone=zone)


def test_gaps_are_days_that_the_calendar_has_and_the_series_lacks() -> None:
    days = np.array([0, 1, 2, 3, 4, 7, 8, 12, 17]) * 86_400  # pauses of three, four and five days
    ohlcv = np.array([GOOD] * len(days))
    assert make_bars("X", "test", stamps(days.tolist()), ohlcv, crypto=True).gaps == 2 + 3 + 4
    assert daily("2024-07-02", "2024-07-03", "2024-07-05", "2024-07-08").gaps == 0  # a holiday and a weekend
    assert daily("2024-07-01", "2024-07-02", "2024-07-05", "2024-07-09").gaps == 2
    assert daily("2024-07-05", "2024-07-08").gaps == 0
    assert series(1).gaps == 0


def test_periods_per_year() -> None:
    assert series(9).periods_per_year == 365
    assert daily("2024-07-02", "2024-07-03").periods_per_year == 252
    assert series(1, crypto=False).periods_per_year == 252
    assert series(9, step=3_600).periods_per_year == 8_760
    assert series(9, crypto=False, step=7 * 86_400).periods_per_year == 52


def test_between_includes_both_days() -> None:
    bars = series(96, step=3_600)
    part = bars.between("2020-01-02", "2020-01-03")
    assert (str(part.time[0]), str(part.time[-1])) == ("2020-01-02T00:00:00", "2020-01-03T23:00:00")
    assert len(bars.between(None, None)) == 96
    with pytest.raises(DataError, match=r"no bar from 2021-01-01 to the last; there are bars from 2020-01-01"):
        bars.between("2021-01-01", None)
    with pytest.raises(UsageError, match=r"'soon' is neither a date such as 2020-12-31 nor a time such as"):
        bars.between("soon", None)


def test_between_stamps() -> None:
    bars = series(96, step=3_600)
    part = bars.between("2020-01-02T07:30", "2020-01-02T12:00+02:00")
    assert [str(each) for each in part.time] == [f"2020-01-02T{hour:02}:00:00" for hour in (8, 9, 10)]


def test_days_are_those_of_the_zone() -> None:
    bars = daily("2024-02-07", "2024-02-08", "2024-02-09", zone="Asia/Tokyo")
    assert bars.names().tolist() == ["2024-02-07", "2024-02-08", "2024-02-09"]
    assert bars.between("2024-02-08", "2024-02-08").names().tolist() == ["2024-02-08"]
    hours = [f"2024-02-0{day}T{hour}:00" for day in (7, 8, 9) for hour in (10, 15)]
    part = daily(*hours, zone="America/New_York").between("2024-02-08", "2024-02-08")
    assert part.names().tolist() == ["2024-02-08T15:00:00", "2024-02-08T20:00:00"]


def test_a_bar_whose_session_has_not_ended_is_left_out_unless_it_is_to_be_kept() -> None:
    bars = daily("2024-07-01", "2024-07-02", "2024-07-03")
    before, after = np.datetime64("2024-07-03T16:59:59"), np.datetime64("2024-07-03T17:00:00")
    left = bars.as_of(before)
    assert left.names().tolist() == ["2024-07-01", "2024-07-02"]
    words = "X: the bar 2024-07-03 is not complete before 2024-07-03T17:00:00 UTC"
    assert left.notes == (f"{words} and is left out (--partial keep uses it)",)
    kept = bars.as_of(before, keep_partial=True)
    assert len(kept) == 3 and kept.notes == (f"{words}; it is used as it is (--partial keep)",)
    assert len(bars.as_of(after)) == 3 and bars.as_of(after).notes == ()
    assert bars.as_of(after).is_past(bars.time[-1]) and not left.is_past(bars.time[-1])
    with pytest.raises(DataError, match=r"2024-07-03T17:00:00 UTC, and there is none before it"):
        bars.between("2024-07-03", None).as_of(before)


def test_a_bar_in_the_future_is_an_error() -> None:
    bars = daily("2024-07-01", "2024-07-02", "2024-07-03")
    with pytest.raises(DataError, match=r"X: the bar 2024-07-03 lies in the future \(it is 2024-07-02T23:59:59 UTC\)"):
        bars.as_of(np.datetime64("2024-07-02T23:59:59"), keep_partial=True)
    assert len(bars.as_of(np.datetime64("2024-07-03T00:00:00"))) == 2
    with pytest.raises(DataError, match=r"lies in the future"):
        series(3, step=3_600).as_of(np.datetime64("2020-01-01T01:59:59"))


def test_the_fingerprint_is_of_time_and_values_alone() -> None:
    bars = series(3)
    changed = bars.ohlcv.copy()
    changed[1, 4] += 1e-9
    assert replace(bars, symbol="Y", source="elsewhere").fingerprint == bars.fingerprint
    assert replace(bars, ohlcv=changed).fingerprint != bars.fingerprint
    assert replace(bars, time=bars.time + np.timedelta64(1, "s")).fingerprint != bars.fingerprint


@pytest.mark.parametrize("text", ["ETHUSDT", "ETH-USDT", "ETH/USDT", "eth/usdt", "Eth_Usdt"])
def test_forms_of_a_symbol(text: str) -> None:
    assert parse_symbol(text) == "ETHUSDT"


def test_stock_and_index_symbols_keep_their_signs() -> None:
    assert [parse_symbol(text) for text in ("aapl", "BRK.B", "^gspc")] == ["AAPL", "BRK.B", "^GSPC"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "../ETH",
        "a/b/c",
        "A\\B",
        "ETH\x1b[31m",
        "ETH\n",
        "<b>ETH</b>",
        "A" * 33,
        "\u00c9TH",
        "\ufb01",
    ],
)
def test_what_is_no_symbol(text: str) -> None:
    with pytest.raises(DataError, match=r"is not a symbol") as error:
        parse_symbol(text)
    assert str(error.value).isprintable()


def test_crypto_is_a_coin_and_a_currency() -> None:
    assert all(map(is_crypto, ["ETHUSD", "BTCUSDT", "LTCBTC", "XBTEUR", "ETHBTC"]))
    assert not any(map(is_crypto, ["ETH", "AAPL", "USD", "EURUSD", "NVDA", "SOLUS"]))
    assert series(1, crypto=False).crypto is False


def test_pairs_of_currencies() -> None:
    assert all(map(is_currency_pair, ["EURUSD", "USDJPY", "XAUUSD", "EURUSD=X"]))
    assert not any(map(is_currency_pair, ["BTCUSD", "EUR", "USDOLLAR", "GOOGLE"]))

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from marketsim.data import open_source
from marketsim.data.bars import Bars
from marketsim.errors import DataError
from tests.candles import random_bars


def frame(rows: int = 4, tz: str | None = "UTC") -> pd.DataFrame:
    index = pd.date_range("2024-01-01", periods=rows, freq="D", tz=tz)
    close = np.arange(100.0, 100.0 + rows)
    return pd.DataFrame({"Open": close, "High": close + 2, "Low": close - 2, "Close": close + 1, "Volume": 5.0}, index)


@pytest.mark.parametrize("symbol", ["ETHUSD", "NVDA"])
def test_there_and_back_again(symbol):
    bars = open_source("sample").load(symbol)
    again = Bars.from_frame(bars.to_frame(), symbol=symbol)
    assert again.fingerprint == bars.fingerprint
    assert (again.crypto, again.gaps) == (bars.crypto, bars.gaps)


def test_a_frame_is_labeled_by_opens_in_utc_and_is_a_copy():
    bars = random_bars(5)
    shown = bars.to_frame()
    assert list(shown.columns) == ["Open", "High", "Low", "Close", "Volume"]
    assert str(shown.index.tz) == "UTC"
    assert shown.index[0] == pd.Timestamp(bars.time[0], tz="UTC")
    shown.loc[:, "Close"] = 0
    assert (bars.close > 0).all()


def test_columns_in_any_case_and_order_and_no_volume():
    columns = frame()[["Close", "Low", "High", "Open"]].rename(columns={"Close": " close", "High": "HIGH"})
    bars = Bars.from_frame(columns.assign(Adjusted=1.0), symbol="NVDA")
    assert bars.close.tolist() == [101, 102, 103, 104]
    assert bars.high.tolist() == [102, 103, 104, 105]
    assert np.isnan(bars.volume).all()


def test_other_zones_are_converted_and_naive_stamps_within_a_day_are_told():
    berlin = frame().tz_convert("Europe/Berlin")
    assert Bars.from_frame(berlin, symbol="NVDA").time[0] == np.datetime64("2024-01-01")
    hourly = frame(tz=None).set_axis(pd.date_range("2024-01-02 10:00", periods=4, freq="h"))
    assert "taken as UTC" in Bars.from_frame(hourly, symbol="ETHUSD").notes[0]
    assert not Bars.from_frame(frame(tz=None), symbol="ETHUSD").notes


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: f.drop(columns="Low"), "column 'Low' is missing; the frame has Open, High, Close, Volume"),
        (lambda f: f.assign(open=1.0), "column 'Open' occurs twice"),
        (lambda f: f.reset_index(drop=True), "needs a DatetimeIndex of the bars' opens, not RangeIndex"),
        (lambda f: f.iloc[:0], "the frame has no rows"),
        (lambda f: f.iloc[::-1], "stamps must increase, oldest first"),
        (lambda f: f.assign(High=[102, 1, 104, 105]), "row 1 of the frame (2024-01-02 00:00:00+00:00), column 'high'"),
        (lambda f: f.assign(Close=["101", "x", "103", "104"]), "column 'Close' is not all numbers"),
        (lambda f: f.shift(freq="1ms"), "fractions of a second"),
    ],
)
def test_what_is_wrong_with_a_frame_is_said(change, words):
    with pytest.raises(DataError) as caught:
        Bars.from_frame(change(frame()), symbol="NVDA")
    assert words in str(caught.value)

"""Tables of forecasts: what is wrong in them is one line, and which bar a row is of."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from marketsim.errors import DataError, value_of
from marketsim.forecasting.files.forecast_files import forecasts_in_frame
from marketsim.forecasting.forecaster import Forecaster
from marketsim.forecasting.forecasts import repair
from marketsim.forecasting.requests import ForecastRequest
from marketsim.models.forecast_file import ForecastFile
from marketsim.profiling import Clock
from tests.given import forecast, har_moves, origins_of, points, tidy
from tests.models.test_forecast_file import BARS


def wrong(change):
    return lambda: change(tidy(BARS).iloc[-30:].reset_index(drop=True))


def swapped(table: pd.DataFrame) -> pd.DataFrame:
    table.loc[9, ["high_q40", "high_q50"]] = table.loc[9, ["high_q50", "high_q40"]].to_numpy()
    return table


def upside_down(table: pd.DataFrame) -> pd.DataFrame:
    for row in (9, 12):
        for level in range(10, 100, 10):
            names = [f"high_q{level}", f"low_q{level}"]
            table.loc[row, names] = table.loc[row, names[::-1]].to_numpy()
    return table


def actual(table: pd.DataFrame) -> pd.DataFrame:
    """The bars themselves, a day early."""
    origins = origins_of(BARS, 30)
    bars = BARS.ohlcv[np.minimum(origins + 1, len(BARS) - 1)]
    return pd.DataFrame({"origin": table.origin, "high": bars[:, 1], "low": bars[:, 2], "close": bars[:, 3]})


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (wrong(lambda t: t.assign(low_q10="x")), "row 1, column 'low_q10': 'x' is not a number"),
        (wrong(lambda t: t.assign(low_q10=-np.inf)), "row 1, column 'low_q10': -inf is no forecast"),
        (wrong(lambda t: t.iloc[:0]), "has no rows"),
        (
            wrong(lambda t: t.assign(**dict.fromkeys([n for n in t if "_q" in n], np.nan))),
            "every forecast in it is empty",
        ),
        (wrong(lambda t: t.assign(symbol="OTHER")), "no forecasts of TEST in DataFrame, which has OTHER"),
        (wrong(lambda t: t.assign(symbol="no symbol!")), "row 1: 'no symbol!' is not a symbol"),
        (wrong(lambda t: pd.concat([t, t.iloc[[3]]])), "row 31: the same forecast as in DataFrame, row 4"),
        (wrong(swapped), "row 10: quantiles of the high that cross: the 50 % one"),
        (
            wrong(upside_down),
            r"row 10: a high of -0\.\d+ below the low of 0\.\d+, in 2 of 30 forecasts of TEST; also row 13$",
        ),
        (
            lambda: points(BARS).assign(high=points(BARS).low, low=points(BARS).high),
            r"row 1: a high of \d+\.?\d* below the low of .*, in 60 of 60 forecasts of TEST; also row 2, .*\.\.\.",
        ),
        (wrong(lambda t: t.assign(bar=t.origin)), "row 1: its origin, .*, is not before the bar that it forecasts, "),
        (wrong(lambda t: t.assign(origin="2050-01-01")), "the same forecast as in"),
        (
            wrong(lambda t: t.assign(origin=pd.date_range("2050-01-01", periods=30))),
            "none of the 30 origins in DataFrame",
        ),
        (wrong(lambda t: t.assign(origin="yesterday")), "'yesterday' is not a date"),
        (lambda: points(BARS).assign(low=0.0), "row 1: a low of 0 among prices"),
        (wrong(actual), "are the bars themselves: look-ahead"),
        (
            lambda: tidy(BARS, unit="prices").assign(high_q90=1e5),
            "is .* times the last close, .*: prices of another scale",
        ),
        (
            lambda: tidy(BARS, unit="prices").apply(lambda own: own * 0.5 if "_q" in str(own.name) else own),
            "first 20 bars of TEST lie wholly beyond what is forecast",
        ),
        (
            lambda: tidy(BARS).apply(lambda own: own * 100 if "_q" in str(own.name) else own),
            "a move is a fraction of the last close, 0.02 for 2 %",
        ),
    ],
)
def test_a_wrong_table_is_one_clear_line(table, said):
    with pytest.raises(DataError, match=said) as raised:
        forecast(table(), BARS)
    assert "\n" not in str(raised.value)


def test_intraday_bars_are_found_by_their_opens():
    from marketsim.data import open_source
    from marketsim.data.reading.read_options import ReadOptions

    bars = open_source("sample", options=ReadOptions(timeframe="1h")).load("AAPL")
    opens = bars.time[origins_of(bars)]
    expected, _ = repair(har_moves(bars, origins_of(bars, 20)))
    table = tidy(bars).assign(origin=pd.DatetimeIndex(opens, tz="UTC").tz_convert("America/New_York"))
    assert (forecast(table, bars).moves == expected).all()
    local = table.assign(origin=table.origin.dt.tz_localize(None))
    given = forecasts_in_frame(local, None, "America/New_York")
    (outcome,) = Forecaster(ForecastFile(given), None, Clock()).forecasts([ForecastRequest(bars, origins_of(bars, 20))])
    assert (value_of(outcome).moves == expected).all()
    with pytest.raises(DataError, match=re.escape("(--timezone is of stamps without one)")):
        forecast(local.assign(origin=local.origin + pd.Timedelta(minutes=7)), bars)


def test_a_stamp_that_may_be_of_another_bar_is_of_none():
    """A coin's day begins at midnight of UTC; midnights of Tokyo are days where they say that they are Tokyo's."""
    from marketsim.data import open_source

    bars = open_source("sample").load("ETHUSD")
    table = tidy(bars)
    days = pd.DatetimeIndex(table.origin)
    expected = forecast(table, bars).moves
    assert (forecast(table.assign(origin=days.tz_localize("Asia/Tokyo")), bars).moves == expected).all()
    assert (forecast(table.assign(origin=[f"{day}+09:00" for day in days]), bars).moves == expected).all()
    hours = table.assign(origin=days.tz_localize("Asia/Tokyo").tz_convert("UTC"))
    with pytest.raises(DataError, match="none of the 60 origins in DataFrame, 2020-10-09T15:00:00 to"):
        forecast(hours, bars)


def test_any_hour_of_a_session_is_its_day():
    table = tidy(BARS)
    closes = pd.DatetimeIndex(table.origin).tz_localize("America/New_York") + pd.Timedelta(hours=16)
    assert (forecast(table.assign(origin=closes), BARS).moves == forecast(table, BARS).moves).all()


def test_a_file_of_another_symbol_is_not_offered_under_a_new_name(tmp_path):
    tidy(BARS).assign(symbol="OTHER").to_csv(tmp_path / "mine.csv", index=False)
    with pytest.raises(DataError, match=r"no forecasts of TEST in .*/mine\.csv, which has OTHER$"):
        forecast(tmp_path / "mine.csv", BARS)
    tidy(BARS).drop(columns="symbol").to_csv(tmp_path / "mine.csv", index=False)
    with pytest.raises(DataError, match=r"which has MINE; --forecasts TEST=.*/mine\.csv takes them as TEST's"):
        forecast(tmp_path / "mine.csv", BARS)
    assert (forecast(f"TEST={tmp_path}/mine.csv", BARS).moves == forecast(tidy(BARS), BARS).moves).all()

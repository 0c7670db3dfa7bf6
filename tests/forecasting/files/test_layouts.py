"""The tables of other libraries, and of the reference system, are read as what they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from marketsim.data import open_source
from marketsim.data.bars import CHANNELS
from marketsim.errors import DataError
from marketsim.forecasting.files.forecast_files import forecasts_in_frame
from marketsim.forecasting.forecasts import LEVELS, repair
from tests.given import COUNT, forecast, har_moves, origins_of, points, tidy

BARS = open_source("sample").load("ETHUSD")
ORIGINS = origins_of(BARS)
MOVES, _ = repair(har_moves(BARS, ORIGINS))
PRICES = BARS.close[ORIGINS, None, None] * (1 + MOVES)
STAMPS = pd.DatetimeIndex(BARS.time[ORIGINS])
AHEAD = STAMPS + pd.Timedelta(days=1)


def nixtla(models: int = 1, ids: str = "{symbol}_{channel}") -> pd.DataFrame:
    """As `cross_validation(level=[20, 40, 60, 80])` of statsforecast and its sisters returns it."""
    parts = []
    for i, channel in enumerate(CHANNELS):
        name = ids.format(symbol="ETHUSD", channel=channel)
        part = {"unique_id": name, "ds": AHEAD, "cutoff": STAMPS, "y": 1.0}
        for model in ("AutoARIMA", "AutoETS")[:models]:
            part[model] = PRICES[:, i, 4]
            for inside in (20, 40, 60, 80):
                part[f"{model}-lo-{inside}"] = PRICES[:, i, 4 - inside // 20]
                part[f"{model}-hi-{inside}"] = PRICES[:, i, 4 + inside // 20]
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)


def gluonts(mean: str = "mean") -> pd.DataFrame:
    """As AutoGluon's `predict` returns it: series and stamps are the index."""
    parts = []
    for i, channel in enumerate(CHANNELS):
        columns = {"item_id": f"ETHUSD_{channel}", "timestamp": AHEAD, mean: PRICES[:, i].mean(1)}
        columns |= {str(level): PRICES[:, i, k] for k, level in enumerate(LEVELS)}
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def chronos() -> pd.DataFrame:
    """As `Chronos2Pipeline.predict_df` returns it: the price in a column."""
    frame = gluonts("predictions")
    names = frame.item_id.str.split("_", expand=True)
    return frame.assign(item_id=names[0], target_name=names[1])


def darts(mark: str) -> pd.DataFrame:
    """As `TimeSeries.quantiles_df` has it, or the components of `TimeSeries.quantile`, since 0.36 with a q."""
    columns = {
        f"{channel}_{mark}{level:{'.2f' if mark else ''}}": PRICES[:, i, k]
        for i, channel in enumerate(CHANNELS)
        for k, level in enumerate(LEVELS)
    }
    return pd.DataFrame(columns, pd.DatetimeIndex(AHEAD, name="time"))


@pytest.mark.parametrize(
    ("layout", "table"),
    [
        ("", tidy(BARS)),
        ("", tidy(BARS, unit="prices")),
        ("", tidy(BARS).rename(columns=lambda name: name.replace("_q", "_move_p"))),
        ("", tidy(BARS).assign(bar=AHEAD).drop(columns="origin")),
        ("Nixtla", nixtla()),
        ("Nixtla", nixtla(ids="{channel}-{symbol}").drop(columns="cutoff")),
        ("Nixtla", nixtla().rename(columns=lambda name: name.replace("AutoARIMA-lo-40", "AutoARIMA-q-30"))),
        ("GluonTS", gluonts()),
        ("GluonTS", gluonts().set_index(["item_id", "timestamp"])),
        ("GluonTS", chronos()),
        ("Darts", darts("")),
        ("Darts", darts("q")),
    ],
)
def test_a_table_is_read_as_the_forecasts_that_it_holds(layout, table):
    found = forecast(table, BARS, COUNT)
    np.testing.assert_allclose(found.moves, MOVES, rtol=0, atol=1e-12)
    told = " as " + layout + " has them" if layout else ", 9 quantiles"
    assert told in found.model.training
    assert found.notes == ()


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet", "feather"])
@pytest.mark.parametrize("zoned", [True, False])
def test_a_file_holds_what_the_table_held(tmp_path: Path, ending, zoned):
    table = tidy(BARS).assign(origin=STAMPS.tz_localize("UTC") if zoned else STAMPS)
    path = tmp_path / f"mine.{ending}"
    if ending == "parquet":
        table.to_parquet(path)
    elif ending == "feather":
        table.to_feather(path)
    else:
        table.to_csv(path, index=False)
    assert (forecast(path, BARS, COUNT).moves == MOVES).all()


def test_a_large_csv_file_is_read_to_the_bit(tmp_path: Path):
    table = tidy(BARS, count=500)
    table.to_csv(tmp_path / "mine.csv", index=False)
    assert (tmp_path / "mine.csv").stat().st_size > 1 << 18  # more than is sniffed
    expected, _ = repair(har_moves(BARS, origins_of(BARS, 500)))
    assert (forecast(tmp_path / "mine.csv", BARS, 500).moves == expected).all()


def test_a_row_that_was_cut_is_refused(tmp_path: Path):
    path = tmp_path / "mine.csv"
    tidy(BARS).to_csv(path, index=False)
    text = path.read_text().rstrip()
    path.write_text(text.rpartition(",")[0])
    cells = text.splitlines()[-1].count(",")
    words = rf"mine.csv, line {len(text.splitlines())}: a row of {cells} cells, where others have {cells + 1}"
    with pytest.raises(DataError, match=words):
        forecast(path, BARS)


def test_a_comma_that_may_part_thousands_or_decimals_is_not_guessed(tmp_path: Path):
    path = tmp_path / "mine.csv"
    text = points(BARS).to_csv(sep=";", index=False, float_format="%.3f")
    path.write_text(text)
    read = forecast(path, BARS).moves
    path.write_text(text.replace(".", ","))
    with pytest.raises(
        DataError, match=r"line 2, column 'open': '\d{3},\d{3}' may be thousands or a fraction; write num"
    ):
        forecast(path, BARS)
    last = text.rstrip().rpartition(";")[2]
    path.write_text(text.replace(".", ",").replace(last.replace(".", ","), last.replace(".", ",") + "0"))
    assert (forecast(path, BARS).moves == read).all()


@pytest.mark.parametrize("pairs", [False, True])
def test_the_reference_systems_own_table(tmp_path: Path, pairs):
    """Its `date` is the last bar known, and its `close` the close of that bar."""
    stamps = [f"{stamp}+00:00" for stamp in STAMPS]
    if pairs:  # of a frame with two indices
        stamps = [f"('ETHUSD', Timestamp('{stamp}+0000', tz='UTC'))" for stamp in STAMPS]
    table = pd.DataFrame({"date": stamps, "close": BARS.close[ORIGINS]})
    table = table.assign(
        **{f"predicted_{name}": PRICES[:, CHANNELS.index(name), 4] for name in ("close", "high", "low")}
    )
    table.assign(maxdiff_return=0.1).to_csv(tmp_path / "ETHUSD_backtest.csv", index=False)
    found = forecast(tmp_path / "ETHUSD_backtest.csv", BARS)
    np.testing.assert_allclose(found.moves[:, 1:, 4], MOVES[-20:, 1:, 4], rtol=0, atol=1e-12)
    assert "prices as the reference system has them, points" in found.model.training
    assert found.notes == (f"{tmp_path}/ETHUSD_backtest.csv: columns that are not used: maxdiff_return",)


def test_one_of_several_models_is_named(tmp_path: Path):
    path = tmp_path / "cv.csv"
    nixtla(models=2).to_csv(path, index=False)
    with pytest.raises(DataError, match="forecasts by 2 models, AutoARIMA, AutoETS: name one, as in FILE:AutoARIMA"):
        forecast(path, BARS)
    found = forecast(f"{path}:AutoETS", BARS)
    assert found.model.name == "cv.csv:AutoETS"
    with pytest.raises(DataError, match="no forecasts by 'AutoETZ'; did you mean 'AutoETS'"):
        forecast(f"{path}:AutoETZ", BARS)


def test_a_folder_with_a_file_for_each_symbol(tmp_path: Path):
    nvda = open_source("sample").load("NVDA")
    for bars, name in ((BARS, "ETH-USD.csv"), (nvda, "NVDA_daily.csv")):
        tidy(bars).drop(columns="symbol").to_csv(tmp_path / name, index=False)
    for bars in (BARS, nvda):
        expected, _ = repair(har_moves(bars, origins_of(bars, 20)))
        assert (forecast(tmp_path, bars).moves == expected).all()


def test_longer_horizons_are_left_out_and_counted():
    later = nixtla().assign(ds=AHEAD.repeat(1).tolist() * 4)
    second = later.assign(ds=later.ds + pd.Timedelta(days=1), AutoARIMA=later.AutoARIMA * 1.1)
    found = forecast(pd.concat([later, second], ignore_index=True), BARS, COUNT)
    np.testing.assert_allclose(found.moves, MOVES, rtol=0, atol=1e-12)
    assert found.notes == (f"ETHUSD: {COUNT} forecasts in DataFrame are of bars beyond the next one and are left out",)


def test_a_holiday_that_a_library_does_not_know_is_no_bar():
    """Weekdays are counted: after a Friday comes a Monday, even where the next bar is Tuesday's."""
    nvda = open_source("sample").load("NVDA")
    table = tidy(nvda)
    days = pd.DatetimeIndex(table.origin)
    weekday = days + pd.offsets.BusinessDay(1)
    bars = pd.DatetimeIndex(nvda.time)
    holidays = int((~weekday[:-1].isin(bars)).sum())
    found = forecast(table.assign(bar=weekday), nvda, COUNT)
    assert (found.moves == forecast(table, nvda, COUNT).moves).all()
    words = "forecasts in DataFrame of times without a bar are taken as of the next bar"
    assert holidays > 1 and found.notes == (f"NVDA: {holidays} {words}",)
    both = table.assign(bar=[nvda.names(nvda.time[[min(t + 1, len(nvda) - 1)]])[0] for t in origins_of(nvda)])
    both.loc[both.index[-1], "bar"] = str(weekday[-1].date())
    early = table.assign(bar=weekday)[~weekday.isin(pd.DatetimeIndex(both.bar))]
    early = early.assign(**{name: early[name] * 2 for name in early if "_q" in name})
    exact = forecast(pd.concat([both, early]), nvda, COUNT)
    assert (exact.moves == found.moves).all()  # what is of the bar itself goes before


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.drop(columns="origin"), "no column 'origin' \\(the last bar known\\) or 'bar'"),
        (
            lambda t: t.rename(columns={"origin": "date"}),
            "'date' may be the last bar known or the bar that is forecast",
        ),
        (lambda t: t[["symbol", "origin"]], "no forecasts, such as a column high, high_q10 or 0.1"),
        (lambda t: t.rename(columns={"low_q10": "low_q100"}), "column 'low_q100': a quantile lies between 0 and 100 %"),
        (lambda t: t.assign(**{"High 0.1": 0.01}), "columns 'high_q10' and 'High 0.1' are the same forecast"),
        (
            lambda t: t.rename(columns={"low_q10": "low_move_q10", "low_q90": "low_price_q90"}),
            "some columns are prices",
        ),
    ],
)
def test_a_table_that_does_not_say_what_it_is(change, said):
    with pytest.raises(DataError, match=said):
        forecasts_in_frame(change(tidy(BARS)), None)


def test_a_series_that_does_not_say_its_price():
    with pytest.raises(DataError, match="which price is forecast\\? Name series as in ETHUSD_high"):
        forecasts_in_frame(gluonts().assign(item_id="ETHUSD"), None)


def test_a_close_beside_quantiles_is_the_bars_own():
    """It would be the answer itself."""
    table = tidy(BARS, levels=(0.1, 0.9)).assign(close=BARS.close[np.minimum(ORIGINS + 1, len(BARS) - 1)])
    assert (forecast(table, BARS).moves == forecast(table.drop(columns="close"), BARS).moves).all()


def test_point_forecasts_are_not_taken_for_bars():
    assert "points" in forecast(points(BARS), BARS).model.training

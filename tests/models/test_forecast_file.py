"""A file of forecasts as a model: what it gives, what fills the gaps, and what it refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from marketsim.data.bars import Bars
from marketsim.errors import DataError, value_of
from marketsim.forecasting.files.forecast_files import forecasts_in_frame
from marketsim.forecasting.forecaster import Forecaster
from marketsim.forecasting.forecasts import HIGH, LEVELS, LOW, OPEN, repair
from marketsim.forecasting.keys import fingerprint
from marketsim.forecasting.requests import ForecastRequest
from marketsim.models.forecast_file import ForecastFile
from marketsim.profiling import Clock
from tests.candles import random_bars
from tests.given import COUNT, forecast, har_moves, origins_of, points, tidy

BARS = random_bars(300)
NEWEST = origins_of(BARS, 20)


def day(bars: Bars, index: int) -> str:
    return str(bars.names(bars.time[[index]])[0])


def made(table: pd.DataFrame, bars: Bars, origins: np.ndarray, missing: str = "error"):
    model = ForecastFile(forecasts_in_frame(table, bars.symbol), missing)
    (outcome,) = Forecaster(model, None, Clock()).forecasts([ForecastRequest(bars, origins)])
    return value_of(outcome)


def test_prices_and_moves_are_told_apart_and_said():
    moves, prices = forecast(tidy(BARS), BARS), forecast(tidy(BARS, unit="prices"), BARS)
    np.testing.assert_allclose(moves.moves, prices.moves, atol=1e-12)
    assert moves.model.training.startswith("moves, 9") and prices.model.training.startswith("prices, 9")
    cheap = Bars(**{**{f: getattr(BARS, f) for f in BARS.__struct_fields__}, "ohlcv": BARS.ohlcv * [*[1e-6] * 4, 1.0]})
    assert forecast(tidy(cheap, unit="prices"), cheap).model.training.startswith("prices, 9")
    assert forecast(tidy(cheap), cheap).model.training.startswith("moves, 9")


def test_fewer_levels_are_interpolated_and_those_that_are_there_stay():
    found = forecast(tidy(BARS, levels=(0.1, 0.5, 0.9)), BARS).moves
    expected, _ = repair(har_moves(BARS, NEWEST))
    assert (found[..., [0, 4, 8]] == expected[..., [0, 4, 8]]).all()
    assert 0 < np.abs(found - expected).max() < 0.05


def test_points_keep_their_medians_and_have_hars_spread_until_there_are_errors_enough():
    short, long = forecast(points(BARS, count=30), BARS), forecast(points(BARS, count=200), BARS)
    expected, _ = repair(har_moves(BARS, NEWEST))
    for each in (short, long):
        np.testing.assert_allclose(each.moves[..., 4], expected[..., 4], atol=1e-12)
    assert "that of har at 10 origins with too few errors" in short.model.training
    assert long.model.training == (
        "prices, points with the spread of their last 250 errors; unverified: the file does not say when it was made"
    )
    np.testing.assert_allclose(short.moves[0], expected[0], atol=1e-12)  # a point that is har's, with har's spread
    assert np.abs(long.moves - expected).max() > 1e-4


@pytest.mark.parametrize("table", [tidy(BARS), points(BARS, count=200)])
@pytest.mark.parametrize("missing", ["error", "har"])
def test_a_forecast_rests_on_bars_up_to_its_origin_alone(table, missing):
    """Cut, scrambled, or forecast with others: not a bit changes."""
    if missing == "har":
        table = table.drop(columns=[name for name in table if name.startswith("close")]).drop(index=5)
    whole = made(table, BARS, NEWEST, missing).moves
    rng = np.random.default_rng(0)
    for row in (0, 7, 19):
        origin = int(NEWEST[row])
        scrambled = BARS.ohlcv.copy()
        later = rng.permutation(np.arange(origin + 1, len(BARS)))
        scrambled[origin + 1 :] = scrambled[later]
        fields = {f: getattr(BARS, f) for f in BARS.__struct_fields__}
        cut = Bars(**{**fields, "time": BARS.time[: origin + 1], "ohlcv": BARS.ohlcv[: origin + 1]})
        other = Bars(**{**fields, "ohlcv": scrambled})
        assert (made(table, cut, NEWEST[: row + 1], missing).moves == whole[: row + 1]).all()
        assert (made(table, other, NEWEST, missing).moves[: row + 1] == whole[: row + 1]).all()


def test_what_was_made_after_the_newest_origin_that_is_wanted_is_not_looked_at():
    table = tidy(BARS)
    table.loc[COUNT - 1, ["high_q40", "high_q50"]] = table.loc[COUNT - 1, ["high_q50", "high_q40"]].to_numpy()
    assert (made(table, BARS, NEWEST[:-1]).moves == made(tidy(BARS), BARS, NEWEST[:-1]).moves).all()
    with pytest.raises(DataError, match="quantiles of the high that cross"):
        made(table, BARS, NEWEST)


def test_what_is_missing_is_counted_and_filled_in_by_har_where_that_is_wanted():
    table = tidy(BARS)
    holes = table.drop(index=[COUNT - 3, COUNT - 7])
    first = day(BARS, int(origins_of(BARS)[COUNT - 7]))
    with pytest.raises(DataError, match=f"TEST: DataFrame lacks 2 of 20 forecasts, the first of them at {first} "):
        forecast(holes, BARS)
    filled = forecast(holes, BARS, missing="har")
    assert "2 of 20 forecasts filled in by har" in filled.model.training
    assert filled.made == 2
    expected, _ = repair(har_moves(BARS, NEWEST))
    assert (filled.moves == expected).all()
    assert filled.exposure is not None and filled.exposure.count("clean") == 2
    for gap in ("", "NaN", None):
        hole = table.astype(object)
        hole.loc[COUNT - 2, [name for name in table if name.startswith("low")]] = gap
        with pytest.raises(DataError, match="lacks 1 of 20 forecasts"):
            forecast(hole, BARS)


def test_the_newest_bar_without_a_forecast_is_no_riddle():
    with pytest.raises(DataError, match="lacks the forecast at the newest bar") as raised:
        forecast(tidy(BARS).iloc[:-1], BARS)
    assert f"--end {day(BARS, -2)} leaves that bar out" in str(raised.value)


def test_an_open_that_is_missing_is_hars_and_moves_neither_high_nor_low():
    table = tidy(BARS).drop(columns=[f"open_q{100 * level:.0f}" for level in LEVELS])
    for side in ("high", "low"):
        for level in LEVELS:
            table[f"{side}_q{100 * level:.0f}"] /= 100  # so narrow that har's open lies beyond
            table[f"close_q{100 * level:.0f}"] = 0.0
    found = forecast(table, BARS)
    assert found.model.training.startswith("moves, 9 quantiles, open by har;")
    assert not found.repaired.any()
    narrow = table.iloc[-20:]
    for channel, name in ((HIGH, "high"), (LOW, "low")):
        told = narrow[[f"{name}_q{100 * level:.0f}" for level in LEVELS]].to_numpy()
        assert (found.moves[:, channel] == (np.maximum if channel == HIGH else np.minimum)(told, 0)).all()
    assert (found.moves[:, OPEN] <= found.moves[:, HIGH]).all()


def test_made_at_is_held_against_the_bar():
    """Before the bar opened it is clean, during the bar nobody can know, after its end it does not count."""
    table = tidy(BARS).iloc[-20:].reset_index(drop=True)
    days = np.append(BARS.time[NEWEST[1:]], BARS.next_opens(1)).astype("datetime64[D]")
    opens, ends = BARS.timetable.calendar.window(days)  # New York's hours
    hour = np.timedelta64(1, "h")
    made_at = opens - hour
    made_at[2] = opens[2]
    made_at[3], made_at[4] = ends[3] - hour, np.datetime64("NaT")
    found = forecast(table.assign(made_at=made_at), BARS)
    assert [row for row, tag in enumerate(found.exposure or ()) if tag == "unknown"] == [3, 4]
    assert "18 of 20 made before their bars opened, according to the file" in found.model.training
    made_at[5] = ends[5] + hour
    with pytest.raises(DataError, match="1 of 20 forecasts in DataFrame were made after their bar had ended") as raised:
        forecast(table.assign(made_at=made_at), BARS)
    assert f"the first of them at {day(BARS, int(NEWEST[5]))}, and do not count" in str(raised.value)
    filled = forecast(table.assign(made_at=made_at), BARS, missing="har")
    assert filled.made == 1 and filled.exposure is not None and filled.exposure[5] == "clean"


def test_a_date_as_made_at_may_be_any_hour_of_that_day():
    table = tidy(BARS).iloc[-20:].reset_index(drop=True)
    days = np.append(BARS.time[NEWEST[1:]], BARS.next_opens(1)).astype("datetime64[D]")
    assert set(forecast(table.assign(made_at=days.astype(str)), BARS).exposure or ()) == {"unknown"}
    assert set(forecast(table.assign(made_at=(days - 1).astype(str)), BARS).exposure or ()) == {"clean"}
    with pytest.raises(DataError, match="20 of 20 forecasts in DataFrame were made after their bar had ended"):
        forecast(table.assign(made_at=(days + 1).astype(str)), BARS)


def test_a_bar_that_is_forecast_twice_is_refused_also_where_one_file_has_origins_and_another_bars(tmp_path):
    table = tidy(BARS).iloc[-20:]
    table.iloc[:12].to_csv(tmp_path / "a.csv", index=False)
    names = BARS.names(np.append(BARS.time[NEWEST[1:]], BARS.next_opens(1)))
    later = table.assign(bar=names).drop(columns="origin")
    later.iloc[12:].to_csv(tmp_path / "b.csv", index=False)
    assert (forecast(tmp_path, BARS).moves == forecast(table, BARS).moves).all()
    later.iloc[11:].to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(
        DataError, match=f"b.csv, line 2: a second forecast at {names[10]}, the first is .*a.csv, line 13"
    ):
        forecast(tmp_path, BARS)


def test_the_identity_is_that_of_the_rows_and_of_what_fills_in():
    def identity(table: pd.DataFrame, missing: str = "error") -> str:
        return fingerprint(ForecastFile(forecasts_in_frame(table, None), missing))

    table, singles = tidy(BARS), points(BARS)
    changed = table.copy()
    changed.loc[0, "close_q10"] = np.nextafter(changed.loc[0, "close_q10"], 0)
    prints = {
        identity(table),
        identity(table, "har"),
        identity(changed),
        identity(table.iloc[1:]),
        identity(table.assign(symbol="OTHER")),
        identity(table.assign(made_at="2020-01-01")),
        identity(table.rename(columns=lambda name: name.replace("_q10", "_q15"))),
        identity(table.rename(columns=lambda name: name.replace("_q", "_move_q"))),
        identity(singles),
        identity(singles.assign(close=singles.close * 1.001)),
    }
    assert len(prints) == 10
    shuffled = table.sample(frac=1, random_state=0)[[*table.columns[::-1]]]
    assert identity(shuffled) == identity(table)


def test_a_forecast_of_a_bar_that_has_not_begun_cannot_have_seen_it():
    fields = {f: getattr(BARS, f) for f in BARS.__struct_fields__}
    ahead = forecast(tidy(BARS), Bars(**{**fields, "read_at": BARS.timetable.ends(BARS.time[-1:])[0]}))
    assert ahead.exposure is not None
    assert (ahead.exposure[-1], set(ahead.exposure[:-1])) == ("clean", {"unknown"})
    begun = BARS.timetable.ends(BARS.next_opens(1))[0] - np.timedelta64(1, "h")
    assert (forecast(tidy(BARS), Bars(**{**fields, "read_at": begun})).exposure or ())[-1] == "unknown"


def test_a_quantile_that_is_missing_here_and_there_is_said():
    table = tidy(BARS)
    table.loc[[COUNT - 1, COUNT - 2], "high_q30"] = np.nan
    found = forecast(table, BARS)
    assert found.notes == ("TEST: 2 forecasts in DataFrame lack a quantile that others have; it is interpolated",)

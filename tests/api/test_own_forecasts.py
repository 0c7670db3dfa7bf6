"""Forecasts of one's own in Python: a DataFrame, or a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import marketsim
from marketsim.forecasting.series import Series
from marketsim.models.har import Har

SHORT = {"sims": 5, "window": 10}
COUNT = 60


def frame(symbol: str | None = None, start: int = -COUNT) -> pd.DataFrame:
    """har's quantiles of ETHUSD's moves, as a caller would have them."""
    bars = marketsim.load_bars("ETHUSD")
    origins = np.arange(len(bars) + start, len(bars))
    moves = Har().forecast(Series.of(bars), origins)
    columns = {"origin": pd.DatetimeIndex(bars.time[origins], tz="UTC")}
    for i, channel in enumerate(("open", "high", "low", "close")):
        columns |= {f"{channel}_q{level:.2f}": moves[:, i, k] for k, level in enumerate(marketsim.LEVELS)}
    return pd.DataFrame(columns if symbol is None else {"symbol": symbol} | columns)


def test_a_frame_gives_the_walk_of_the_model_that_it_holds(tmp_path: Path):
    model = marketsim.backtest("ETHUSD", **SHORT)
    frame().to_parquet(tmp_path / "ETHUSD.parquet")
    for bars in ("ETHUSD", marketsim.load_bars("ETHUSD")):
        for forecasts in (frame(), frame("eth/usd"), frame().set_index("origin"), tmp_path / "ETHUSD.parquet"):
            found = marketsim.backtest(bars, forecasts=forecasts, **SHORT)
            pd.testing.assert_frame_equal(found.summary, model.summary)
            drop = ["exposure"]
            pd.testing.assert_frame_equal(found.simulations.drop(columns=drop), model.simulations.drop(columns=drop))
    assert found.document["model"]["exposure"]["unknown"] == 5


def test_the_next_bar_and_a_comparison(tmp_path: Path):
    ahead = marketsim.forecast("ETHUSD", forecasts=frame())
    pd.testing.assert_frame_equal(ahead.prices, marketsim.forecast("ETHUSD").prices)
    assert ahead.warning is not None and ahead.warning.startswith("the file does not tell when")
    frame("ETHUSD").to_csv(tmp_path / "mine.csv", index=False)
    files = {"mine": frame(), "file": tmp_path / "mine.csv"}
    compared = marketsim.compare_models("ETHUSD", ["har"], forecasts=files, **SHORT).forecasts
    assert list(compared.index.get_level_values("model")) == ["mine", "file", "har"]
    assert compared["pinball_bps.high"].nunique() == 1
    assert compared["picked"].tolist() == ["DataFrame", "mine.csv", "har"]


def test_several_symbols_need_a_column_that_names_them():
    with pytest.raises(marketsim.DataError, match="needs a column 'symbol'"):
        marketsim.backtest_many(["ETHUSD", "NVDA"], forecasts=frame(), **SHORT)
    results = marketsim.backtest_many(["ETHUSD", "NVDA"], forecasts=frame("ETHUSD"), **SHORT)
    assert list(results) == ["ETHUSD"]
    assert str(results.failures["NVDA"]) == "no forecasts of NVDA in DataFrame, which has ETHUSD"


def test_what_is_missing_is_filled_in_where_it_may_be():
    half = frame().drop(columns=[f"low_q{level:.2f}" for level in marketsim.LEVELS])
    with pytest.raises(marketsim.DataError, match=r"ETHUSD: DataFrame has no forecasts of the low \(--missing har"):
        marketsim.backtest("ETHUSD", forecasts=half, **SHORT)
    found = marketsim.backtest("ETHUSD", forecasts=half, missing="har", **SHORT)
    assert "low by har" in found.document["model"]["training"]
    pd.testing.assert_frame_equal(found.summary, marketsim.backtest("ETHUSD", **SHORT).summary)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"forecasts": 3}, "forecasts are a DataFrame or the path of a file, not int"),
        ({"forecasts": "a.csv", "model": "last-bar"}, "takes the place of a model: leave out --model last-bar"),
        ({"forecasts": "a.csv", "model": Har()}, "forecasts take the place of a model, give one of the two"),
        ({"missing": "har"}, "is for --forecasts FILE, which is not given"),
        ({"forecasts": "a.csv"}, "--forecasts a.csv: no such file or folder"),
        ({"forecasts": pd.DataFrame({"origin": [], "high": []})}, "the DataFrame of forecasts has no rows"),
        ({"forecasts": pd.DataFrame({"origin": [1.0], "high": [1.0]}), "workers": 2}, "several processes need symbols"),
    ],
)
def test_what_cannot_be_meant_is_an_error(words, said):
    with pytest.raises(marketsim.MarketsimError, match=said):
        marketsim.backtest("ETHUSD", **words, **SHORT)

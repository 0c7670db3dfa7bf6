"""What `--fine` names, and what a run makes of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from marketsim.backtesting.chosen_bars import load, open_bars
from marketsim.data.bars import Bars
from marketsim.errors import UsageError
from marketsim.settings.groups import BarsSettings


def chosen(symbol: str, **values: str) -> Bars:
    settings = BarsSettings(now="2027-01-01", **values)
    return load(symbol, settings, open_bars(settings))


@pytest.fixture(scope="module")
def hours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's hours of AAPL as a file."""
    path = tmp_path_factory.mktemp("hours") / "AAPL.csv"
    chosen("AAPL", timeframe="1h").to_frame().to_csv(path)
    return path


def test_the_sample_brings_all_that_is_finer() -> None:
    bars = chosen("AAPL", fine="sample")
    assert [finer.timetable.spacing for finer in bars.finer] == [3600, 60]
    assert [finer.timetable.spacing for finer in chosen("AAPL", fine="1h").finer] == [3600]
    assert [finer.timetable.spacing for finer in chosen("AAPL", timeframe="1h", fine="sample").finer] == [60]


def test_a_file_alone_makes_the_longer_bars_too(hours: Path) -> None:
    bars = chosen("AAPL", fine=str(hours))
    np.testing.assert_array_equal(bars.ohlcv, chosen("AAPL").ohlcv)
    assert bars.source.endswith("AAPL.csv, 1d of 1h")
    assert [finer.timetable.spacing for finer in bars.finer] == [3600]
    with_own = chosen("AAPL", fine=str(hours), data=str(hours), timeframe="1h")
    assert with_own.finer == ()
    assert any("no finer bars" in note for note in with_own.notes)


def test_what_the_sample_lacks_is_made_of_what_is_finer() -> None:
    bars = chosen("BTCUSD", timeframe="4h", fine="sample")
    assert (bars.timetable.spacing, bars.finer[0].timetable.spacing) == (4 * 3600, 900)


def test_where_the_finer_ones_are_of_other_days_they_make_the_bars() -> None:
    """The sample's days of BTCUSD end in 2020, its quarters of an hour are of 2021."""
    bars = chosen("BTCUSD", fine="sample")
    assert str(bars.names()[0]) == "2021-09-28"
    assert [finer.timetable.spacing for finer in bars.finer] == [900]
    assert any("they are built from the finer bars" in note for note in bars.notes)


def test_a_symbol_without_finer_bars_is_run_with_a_note(hours: Path) -> None:
    bars = chosen("NVDA", fine="1h")
    assert bars.finer == ()
    assert "NVDA: no finer bars in --fine 1h" in bars.notes[-1]
    assert chosen("NVDA", fine="sample").fingerprint == chosen("NVDA").fingerprint


@pytest.mark.parametrize("fine", ["nowhere.csv", "nowhere"])
def test_a_place_that_is_not_there_is_an_error(fine: str) -> None:
    with pytest.raises(UsageError, match=f"--fine {fine}: neither sample, store, a timeframe"):
        chosen("AAPL", fine=fine)


def test_a_timeframe_needs_bars_that_have_one(hours: Path) -> None:
    with pytest.raises(UsageError, match="with --data name a file or a folder"):
        chosen("AAPL", data=str(hours), fine="1h")

"""Runs on a file of forecasts: workers elsewhere, and runs that were interrupted."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import marketsim
from marketsim.backtesting import parallel
from marketsim.backtesting.dispatcher import Dispatcher
from marketsim.backtesting.worker import silent
from marketsim.data import open_source
from marketsim.errors import MarketsimError, Success
from marketsim.forecasting.files.places import absolute, parted
from marketsim.profiling import Clock
from marketsim.results.result import FinishedSymbol
from marketsim.results.run_directory import RunDirectory
from marketsim.settings.settings import Settings
from tests.candles import random_bars
from tests.given import tidy

SYMBOLS = ("ETHUSD", "NVDA")
SHORT = {"sims": 4, "window": 8, "forecasts": "mine.csv"}


def write(path: Path, shift: float = 0.0) -> None:
    """Forecasts of the symbols; those of the newest bar of NVDA are moved."""
    path.write_text("")
    for i, symbol in enumerate(SYMBOLS):
        table = tidy(open_source("sample").load(symbol), count=20)
        if i:
            table.loc[table.index[-1], "close_q50"] += shift
        table.to_csv(path, mode="a", index=False, header=not i)


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "mine.csv")
    return tmp_path / "mine.csv"


def documents(finished: list[FinishedSymbol]) -> list[object]:
    return [each.outcome.value.document for each in finished if isinstance(each.outcome, Success)]


def interrupted(settings: Settings, directory: Path) -> None:
    """A run that ends after its first symbol, which it has kept."""
    run = RunDirectory(str(directory), settings)
    run.__enter__()
    with closing(parallel.stream(SYMBOLS, settings, Clock(), run)) as stream:
        next(stream)
    run.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)


def advance(dispatcher: Dispatcher) -> None:
    while not dispatcher.over:
        dispatcher.advance()


@pytest.mark.parametrize("changed", [False, True])
def test_what_an_interrupted_run_kept_is_used_again_if_the_file_is_the_same(tmp_path, file, changed):
    settings = Settings.of(**SHORT)
    interrupted(settings, tmp_path / "out")
    if changed:
        write(file, shift=0.001)
    with RunDirectory(str(tmp_path / "out"), settings, resume=True) as run:
        finished = list(parallel.stream(SYMBOLS, settings, Clock(), run))
        notes = [note for note in run.notes if "changed" in note]
    assert notes == (["ETHUSD: its bars or the model changed; it is run again"] if changed else [])
    assert documents(finished) == documents(list(parallel.stream(SYMBOLS, settings, Clock())))


def test_workers_find_the_file_wherever_they_run(file):
    alone = list(parallel.stream(SYMBOLS, Settings.of(**SHORT), Clock()))
    together = list(parallel.stream(SYMBOLS, Settings.of(**SHORT, workers=2), Clock()))
    assert len(documents(alone)) == 2
    assert documents(alone) == documents(together)


def test_a_file_that_changes_while_a_run_goes_on_ends_it(file):
    dispatcher = Dispatcher(SYMBOLS, Settings.of(**SHORT, workers=2), Clock(), None, silent, lambda symbol: None, False)
    write(file, shift=0.001)
    with pytest.raises(MarketsimError, match=r"the forecasts in mine\.csv on .* have changed since the run began"):
        advance(dispatcher)
    dispatcher.executor.shutdown(wait=False)


def test_a_place_has_a_symbol_and_a_model(tmp_path, monkeypatch):
    assert parted("eth/usd=mine.csv:ARIMA") == ("ETHUSD", "mine.csv", "ARIMA")
    assert parted("ETHUSD=mine.csv:ARIMA") == ("ETHUSD", "mine.csv", "ARIMA")
    assert parted("mine.csv") == ("", "mine.csv", None)
    assert absolute("ETHUSD=mine.csv:ARIMA") == f"ETHUSD={tmp_path}{os.sep}mine.csv:ARIMA"
    monkeypatch.chdir("/")
    assert absolute(f"{tmp_path}/mine.csv") == f"{tmp_path}/mine.csv"


def test_what_a_file_knows_of_the_truth_is_earned():
    """The same noise, with the truth in it or not; without costs, and closes alone decide."""
    bars = random_bars(260)
    truth = np.append(bars.close[1:] / bars.close[:-1] - 1, 0.0)
    noise = np.random.default_rng(1).normal(0, truth.std(), len(truth))

    def earned(share: float) -> float:
        close = share * truth + noise
        table = {"origin": bars.time, "high": np.maximum(0.02, close), "low": np.minimum(-0.02, close), "close": close}
        walk = {"sims": 100, "window": 20, "fee_bps": 0.0, "slippage_bps": 0.0}
        found = marketsim.backtest(bars, forecasts=pd.DataFrame(table), strategy="entry-exit", **walk)
        return float(found.summary.loc["forecast-close", "mean_bps"])

    profits = [earned(share) for share in (0.0, 0.5, 2.0)]
    assert profits == sorted(profits)
    assert profits[-1] > profits[0] + 40

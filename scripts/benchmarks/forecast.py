"""Calibration and pinball loss of models on the sample, the acceptance of the default one, and that of a candidate.

Run: scripts/bench forecast [MODEL ...], of models with weights and of ensembles those that are named, such as fracast;
scripts/bench forecast --intraday for bars shorter than a day, by the time of the day.
"""

from __future__ import annotations

import sys
import time

import _intraday
import numpy as np
from numpy.typing import NDArray

from marketsim import registry
from marketsim.data import open_source
from marketsim.data.bars import Bars
from marketsim.errors import value_of
from marketsim.forecasting.ensembles import Composite
from marketsim.forecasting.forecaster import Forecaster
from marketsim.forecasting.forecasts import CLOSE, HIGH, LEVELS, LOW, actual_moves
from marketsim.forecasting.protocols import Model
from marketsim.forecasting.requests import ForecastRequest
from marketsim.forecasting.scores import covered, pinball
from marketsim.models import open_model
from marketsim.models.har import REGRESSION_BARS
from marketsim.profiling import Clock
from marketsim.settings.groups import NetworkSettings
from marketsim.settings.settings import Settings

SYMBOLS = ("ETHUSD", "BTCUSD", "NVDA", "AMZN")
ORIGINS = 600  # the newest whose next bar is known
JUDGED = {"high": HIGH, "low": LOW, "close": CLOSE}
COVERAGE = (0.77, 0.83)  # accepted for the band from 0.1 to 0.9
DEFAULT, BASELINE = "har", "rolling-quantile"
CANDIDATE = "blend:har,arma,egarch"  # for the default, if its loss is below the default's on every symbol of the sample
LEAST = 250  # origins that a symbol must have, after the bars that models learn from, to judge the candidate

Array = NDArray[np.float64]


def score(model: Model | Composite, bars: Bars, count: int = ORIGINS) -> tuple[Array, Array, float]:
    """Coverage and pinball loss `[3]` by judged channel, and milliseconds an origin."""
    origins = np.arange(len(bars) - 1 - count, len(bars) - 1)
    start = time.perf_counter()
    channels = list(JUDGED.values())
    (outcome,) = Forecaster(model, None, Clock()).forecasts([ForecastRequest(bars, origins)])
    moves = value_of(outcome).moves[:, channels]
    seconds = time.perf_counter() - start
    actual = actual_moves(bars, origins)[:, channels]
    loss = pinball(moves, actual, LEVELS)
    return covered(moves, actual).mean(0), loss.mean(0), 1e3 * seconds / count


def opened(name: str) -> Model | Composite:
    return open_model(name, NetworkSettings(), Settings().seed)


def candidate() -> None:
    """Prints the candidate's loss over the default's on every symbol that has bars enough."""
    print(f"{CANDIDATE}: loss over that of {DEFAULT}, mean of high, low and close")
    ratios = []
    for symbol in open_source("sample").symbols():
        bars = open_source("sample").load(symbol)
        count = min(ORIGINS, len(bars) - 1 - REGRESSION_BARS)
        if count < LEAST:
            print(f"{symbol:8} {max(count, 0)} origins, too few")
            continue
        ours, theirs = (score(opened(name), bars, count)[1] for name in (CANDIDATE, DEFAULT))
        ratios.append(float((ours / theirs).mean()))
        print(f"{symbol:8} {count} origins  {ratios[-1]:.4f}")
    better = sum(ratio < 1 for ratio in ratios)
    print(
        f"mean {np.mean(ratios):.4f}, lower on {better} of {len(ratios)} symbols: "
        f"{'it may be the default' if better == len(ratios) else f'{DEFAULT} stays the default'}\n"
    )


def line(symbol: str, name: str, figures: Array) -> str:
    coverage, loss = (" ".join(f"{x:6.3f}" for x in row) for row in figures)
    return f"{symbol:8} {name:17}          {coverage}           {loss}"


def main() -> int:
    if "--intraday" in sys.argv[1:]:
        return _intraday.main()
    print(f"{ORIGINS} origins a symbol; pinball loss relative to {BASELINE}; 80 % band\n")
    names = " ".join(f"{name:>6}" for name in JUDGED)
    print(f"{'symbol':8} {'model':17} coverage {names}   pinball {names}   ms an origin")
    models = {name: opened(name) for name in (*registry.HISTORY_MODELS, *sys.argv[1:])}
    everywhere: dict[str, list[Array]] = {name: [] for name in models}
    failures = 0
    for symbol in SYMBOLS:
        bars = open_source("sample").load(symbol)
        scores = {name: score(model, bars) for name, model in models.items()}
        for name, (coverage, loss, milliseconds) in scores.items():
            everywhere[name].append(np.stack([coverage, loss / scores[BASELINE][1]]))
            print(line(symbol, name, everywhere[name][-1]) + f"   {milliseconds:12.3f}")
        coverage, loss, _ = scores[DEFAULT]
        calibrated = ((COVERAGE[0] <= coverage) & (coverage <= COVERAGE[1])).all()
        better = (loss < scores[BASELINE][1]).all()
        for passed, what in (
            (calibrated, f"every channel's coverage within {COVERAGE[0]} to {COVERAGE[1]}"),
            (better, f"every channel's pinball loss below {BASELINE}"),
        ):
            print(f"{'PASS' if passed else 'FAIL'}  {symbol} {DEFAULT}: {what}")
            failures += not passed
        print()
    candidate()
    for name, rows in everywhere.items():
        print(line("mean", name, np.mean(rows, 0)))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

"""The fill policies on real bars: those of the sample, and coarse bars whose order of events finer ones show."""

from __future__ import annotations

from multiprocessing.pool import Pool
from pathlib import Path

import numpy as np
from _walks import walk
from msgspec.structs import replace
from numpy.typing import NDArray

from marketsim.backtesting.calibration import calibration, trades_of
from marketsim.backtesting.simulation import Market
from marketsim.data import open_source, read_bars
from marketsim.data.bars import Bars
from marketsim.data.reading.read_options import ReadOptions
from marketsim.data.resample import resample
from marketsim.data.sample import SampleSource
from marketsim.execution.profit_terms import Costs
from marketsim.execution.strategies import Legs
from marketsim.execution.track_record import TrackRecord, book
from marketsim.forecasting.forecaster import make_forecasts
from marketsim.models.har import Har
from marketsim.profiling import Clock
from marketsim.settings.choices import FILLS
from marketsim.settings.settings import Settings

HISTORY = 60  # bars before the first window
MOST_BARS = 700
COARSE = (("1d", 20, 20), ("4h", 60, 20))  # timeframe, bars of a window, bars before the first one
NO_COSTS = Costs(0.0, 0.0)

Array = NDArray[np.float64]


def sample(pool: Pool) -> None:
    """The newest bars of each symbol of the sample, both sides where it can be shorted."""
    print(f"  {'symbol':6} {'bars':>6} {'ambiguous':>10} {'mean w':>8} " + " ".join(f"{fill:>9}" for fill in FILLS))
    symbols = SampleSource().symbols()
    for symbol, track in zip(symbols, pool.map(sampled, symbols, chunksize=1), strict=True):
        profits = " ".join(f"{1e4 * track.profits[fill].mean():+9.1f}" for fill in FILLS)
        share, w = track.ambiguous.mean(), track.probability[track.ambiguous].mean()
        print(f"  {symbol:6} {len(track.orders):6,} {share:10.1%} {w:8.2f} {profits}")


def sampled(symbol: str) -> TrackRecord:
    bars = SampleSource().load(symbol)
    settings = Settings.of(strategy="always-on", sims=min(len(bars) - 61 - HISTORY, MOST_BARS))
    return walk(bars, settings).strategies[0]


def finer(path: Path | None) -> None:
    """Every policy beside what finer bars show the path to have paid, without costs: of a file, or of the sample."""
    if path is None:
        fine = open_source("sample", options=ReadOptions(timeframe="15m")).load("BTCUSD")
    else:
        read = read_bars(path, "BTCUSD")
        assert isinstance(read, Bars)
        fine = read
    print(f"  {fine.source}, basis points a trade without costs; path: the least and the most that its bars allow")
    heads = " ".join(f"{fill:>8}" for fill in FILLS)
    print(f"  {'':14} {'trades':>7} {'ambiguous':>10} {'mean w':>8} {heads} {'path':>17} {'error':>7}")
    for timeframe, window, before in COARSE:
        bars = resample(fine, timeframe).with_finer(fine)
        origins = np.arange(before, len(bars) - 1)
        trades = trades_of(bars, origins, make_forecasts(Har(), bars, origins, None, Clock()))
        every = trades.trades > 0
        line(f"{timeframe}, fixed", trades.profits, trades.path, trades.w, every)
        for fill in FILLS:
            line(f"    {fill}", *fitted(bars, window, before, fill))
        found = calibration(bars, trades)
        scores = f"Brier score {found.brier:.3f}, of a constant {found.constant:.3f}"
        print(f"  {timeframe}, of {found.ambiguous:,} in doubt {found.known:,} settled: {scores}")
        for tenth in found.tenths:
            if tenth.predicted is not None and tenth.observed is not None:
                shares = f"{tenth.predicted:.3f} claimed  {tenth.observed:.3f} filled"
                print(f"    w from {tenth.above:.1f}  {tenth.cases:6,} cases  {shares}")


def line(name: str, booked: dict[str, Array], path: dict[str, Array], w: Array, entered: NDArray[np.bool_]) -> None:
    """One line of trades `[P, N]`; the error is the standard error of expected less path, by bar."""
    trades = int(entered.sum())
    open_case = ~np.isnan(w) & entered
    doubt = f"{w[open_case].mean():8.2f}" if open_case.any() else f"{'-':>8}"
    low, high = (1e4 * (path[fill] * entered).sum() / trades for fill in ("provable", "touch"))
    off = ((booked["expected"] - (path["provable"] + path["touch"]) / 2) * entered).sum(0)
    error = 1e4 * off.std(ddof=1) * np.sqrt(len(off)) / trades
    profits = " ".join(f"{1e4 * (booked[fill] * entered).sum() / trades:+8.1f}" for fill in FILLS)
    share = open_case.sum() / trades
    print(f"  {name:14} {trades:7,} {share:10.1%} {doubt} {profits} {low:+9.1f} {high:+7.1f} {error:7.1f}")


def fitted(
    bars: Bars, window: int, before: int, fill: str
) -> tuple[dict[str, Array], dict[str, Array], Array, NDArray[np.bool_]]:
    """The walk of a coin, fitted under a policy without finer bars, and what these say of its trades."""
    size = len(bars) - window - before - 1
    settings = Settings.of(
        strategy="always-on", fill=fill, window=window, sims=size, fee_bps=0.0, slippage_bps=0.0, min_t=0.0
    )
    result = walk(replace(bars, finer=()), settings)
    (track,) = result.strategies
    fit, origins = track.fit, result.walk.origins[result.walk.evaluated]
    market = Market.of(bars, result.walk, result.forecasts, settings.costs)
    at, then = market.levels.at(result.walk.evaluated), market.outcomes.at(result.walk.evaluated)
    chosen = fit.high_multiplier[:-1], fit.low_multiplier[:-1]
    legs = Legs(track.orders > 0, None)
    path = book("path", at, then, legs, NO_COSTS, "expected", chosen, fit.close_at_eod[:-1])
    assert len(origins) == size
    return (
        {name: profits[None] for name, profits in track.profits.items()},
        {name: profits[None] for name, profits in path.profits.items()},
        track.probability[None],
        track.trades[None] > 0,
    )

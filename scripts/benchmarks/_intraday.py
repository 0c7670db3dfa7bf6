"""`har` on bars shorter than a day, with and without the hour: coverage by time, loss, and the bias of `expected`.

The bias is that on noise with a busy open and close and a jump over the night, whose paths are known.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
from _noise import Paths, World, path_profit, simulate
from numpy.typing import NDArray

from marketsim.data import open_source
from marketsim.data.bars import Bars, make_bars
from marketsim.data.calendars.calendar import open_calendar
from marketsim.data.reading.read_options import ReadOptions
from marketsim.execution.bar_variance import path_variance
from marketsim.execution.profit_terms import Costs, Levels, Outcomes, lower_level, upper_level
from marketsim.execution.strategies import Legs
from marketsim.execution.track_record import book
from marketsim.forecasting.forecasts import HIGH, LEVELS, LOW, MEDIAN, actual_moves, repair
from marketsim.forecasting.scores import covered, pinball
from marketsim.forecasting.series import Series
from marketsim.models.har import Har

SAMPLE = (("AAPL", "1h", 7), ("BTCUSD", "15m", 8))  # symbol, timeframe, times of the day that are told apart
FIRST = 500  # bars before the first origin
NEEDED = 0.954  # of the loss without the hour, on AAPL's hours at most
AFTER_PAUSE = 0.75  # coverage of the 80 % band after a pause, at least
DAYS = 500
BUSY = 0.004 * np.array([2.0, 1.2, 0.8, 0.7, 0.8, 1.0, 1.5])  # volatility of noise by hour
NIGHT = 0.01  # deviation of the jump over the night
PARTS = (0.25, 0.5, 1.0)  # of the forecast high and low
NO_COSTS = Costs(0.0, 0.0)

Array = NDArray[np.float64]


def forecast(series: Series, origins: NDArray[np.int64]) -> Array:
    """Moves `[N, 4, Q]`, repaired as a run does it."""
    return repair(Har().forecast(series, origins))[0]


def blind(series: Series) -> Series:
    """The series of a model that is not told the hour."""
    return Series(series.symbol, series.times, series.ohlcv, series.zone)


def sample(symbol: str, timeframe: str, times: int) -> bool:
    """Coverage by time of the day, and the loss over that of a model without the hour."""
    bars = open_source("sample", options=ReadOptions(timeframe=timeframe)).load(symbol)
    series, origins = Series.of(bars), np.arange(FIRST, len(bars) - 1)
    actual = actual_moves(bars, origins)
    ours, before = (forecast(shown, origins) for shown in (series, blind(series)))
    loss = pinball(ours, actual, LEVELS).mean(0) / pinball(before, actual, LEVELS).mean(0)
    print(f"\n{symbol} {timeframe}, {len(origins):,} origins; loss over that without the hour: open, high, low, close")
    print(f"  {' '.join(f'{x:.3f}' for x in loss)}; mean of high, low and close {loss[1:].mean():.4f}")
    print("   from, local   bars   covered by the 80 % band: with the hour     without it")
    clock = series.local_times[origins + 1]
    hour = (clock - clock.astype("datetime64[D]")).astype(np.int64)
    seen = [covered(moves, actual) for moves in (ours, before)]
    groups = np.array_split(np.unique(hour), times)
    for group in groups:
        inside = np.isin(hour, group)
        figures = ("  ".join(f"{x:.3f}" for x in losses[inside].mean(0)) for losses in seen)
        first = f"{group[0] // 3600:02}:{group[0] % 3600 // 60:02}"
        print(f"  {first:>12} {inside.sum():6,}   {'      '.join(figures)}")
    if symbol != "AAPL":
        return True
    assert series.following is not None
    after = (series.following - series.times)[origins].astype(np.int64) > 2 * 3600
    pause = seen[0][after].mean(0)
    return verdict(loss[1:].mean() <= NEEDED, f"loss at most {NEEDED} of that without the hour") & verdict(
        pause.min() >= AFTER_PAUSE, f"after a pause the band covers {pause.min():.2f} to {pause.max():.2f}"
    )


def noise() -> bool:
    """The bias of `expected` by hour, in basis points a trade, at levels that nothing has fitted."""
    random = np.random.default_rng(5)
    calendar = open_calendar("XNYS")
    sessions = calendar.sessions(np.datetime64("2018-01-02"), np.datetime64("2022-01-01"))
    sessions = sessions[calendar.hours(sessions)[1] == 16 * 3600][:DAYS]
    hour = np.tile(np.arange(len(BUSY)), len(sessions))
    paths = simulate(World(gap=0.0), len(hour), random, BUSY[hour])
    night = np.where(hour == 0, NIGHT * random.standard_normal(len(hour)) - NIGHT**2 / 2, 0.0)
    paths = replace(paths, open=paths.open + night, close=paths.close + night)
    bars = noise_bars(paths.outcomes, paths.close, calendar.window(sessions)[0])
    origins = np.arange(FIRST, len(bars) - 1)
    known, did = paths.at(slice(FIRST + 1, None)), paths.outcomes.at(slice(FIRST + 1, None))
    series = Series.of(bars)
    print(f"\nnoise with a U-shaped day, {len(origins):,} hours; what `expected` books beyond the path, bps a trade")
    rows = {
        name: bias(shown, origins, did, known, hour) for name, shown in (("with", series), ("without", blind(series)))
    }
    print("  hour   with the hour   error   without it   error")
    good = True
    for slot in range(len(BUSY)):
        (mean, error), (other, spread) = (rows[name][slot] for name in ("with", "without"))
        print(f"  {slot + 1:4} {mean:+15.2f} {error:7.2f} {other:+12.2f} {spread:7.2f}")
        good &= abs(mean) < max(3 * error, 1)
    worst = {name: max(abs(mean) for mean, _ in found) for name, found in rows.items()}
    words = (
        f"at most {worst['with']:.1f} bps off at any hour (1, or three standard errors), {worst['without']:.1f} without"
    )
    return verdict(bool(good), words)


def noise_bars(did: Outcomes, moves: Array, opens: NDArray[np.datetime64]) -> Bars:
    """Hours of a stock that follows the paths; `moves` are the closes' log moves."""
    before = 100 * np.exp(np.cumsum(np.append(0.0, moves[:-1])))
    prices = before[:, None] * (1 + np.stack([did.open, did.high, did.low, did.close], 1))
    time = (opens[:, None] + np.arange(len(BUSY)) * np.timedelta64(1, "h")).ravel()
    return make_bars("NVDA", "noise", time, np.column_stack([prices, np.full(len(time), np.nan)]))


def bias(
    series: Series, origins: NDArray[np.int64], did: Outcomes, known: Paths, hour: NDArray[np.int64]
) -> list[tuple[float, float]]:
    """Bias and standard error by hour."""
    moves = forecast(series, origins)
    levels = Levels(moves[:, HIGH, MEDIAN], moves[:, LOW, MEDIAN], *path_variance(moves))
    zeros, every = np.zeros(len(origins)), np.ones(len(origins), bool)
    off, trades = np.zeros(len(origins)), np.zeros(len(origins))
    for low, high, short in itertools.product(PARTS, PARTS, (False, True)):
        at = Levels(high * levels.high_move, low * levels.low_move, levels.variance, levels.spread)
        legs = Legs(~every, every) if short else Legs(every, None)
        track = book("", at, did, legs, NO_COSTS, "expected", (zeros, zeros), ~every)
        lower, upper = lower_level(at.low_move, 0.0), upper_level(at.high_move, 0.0)
        paid, _ = path_profit(known, short, lower, upper, ~every, NO_COSTS)
        off += track.profits["expected"] - paid
        trades += track.trades
    found = []
    for slot in range(len(BUSY)):
        here = hour[origins + 1] == slot
        scale = 1e4 / trades[here].sum()
        found.append((float(scale * off[here].sum()), float(scale * off[here].std() * np.sqrt(here.sum()))))
    return found


def verdict(good: bool, words: str) -> bool:
    print(f"  {'PASS' if good else 'FAIL'}  {words}")
    return good


def main() -> int:
    good = [sample(*words) for words in SAMPLE] + [noise()]
    print("\nPASS" if all(good) else "\nFAIL")
    return int(not all(good))

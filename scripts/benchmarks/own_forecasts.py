"""What is earned on a file of forecasts that knows a little of the truth. Run: scripts/bench own_forecasts [WORLDS]

In worlds of noise, where nothing can be earned, a file forecasts each bar's close as the truth times the root of a
signal-to-noise ratio, plus noise as large as the truth; high and low are the usual ones, moved half as far. The walk is
the default one without costs. Forecast alpha is the profit of holding as the forecast close says beyond that of always
holding; and that of entry-exit, fitted, beyond the unfitted levels of `har`, as `compare-models` has it. Without a
signal 95 % of the 95 % intervals should hold zero, and with one alpha should rise.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
from _noise import VOLATILITY, World, simulate
from _walks import Held, noise_bars
from msgspec.structs import replace
from numpy.typing import NDArray

from marketsim.backtesting import pipeline
from marketsim.data.bars import Bars
from marketsim.forecasting.ensembles import Composite
from marketsim.forecasting.files.forecast_files import forecasts_in_frame
from marketsim.forecasting.protocols import Model
from marketsim.models.forecast_file import ForecastFile
from marketsim.models.har import Har
from marketsim.optimizers.exact import Exact
from marketsim.profiling import Clock
from marketsim.results.result import Result
from marketsim.results.significance import mean_interval
from marketsim.settings.choices import BASIS_POINTS
from marketsim.settings.settings import Settings

WORLDS = 200
RATIOS = (0.0, 0.02, 0.1)
BARS = 220
FIRST = 30  # origin of the file; its errors give it its spread
USUAL = 0.66 * VOLATILITY  # median distance of high and low from the last close
SEED = 23
SETTINGS = Settings.of(strategy="entry-exit", fee_bps=0.0, slippage_bps=0.0, cache="off")

Array = NDArray[np.float64]


def told(bars: Bars, ratio: float, noise: Array) -> pd.DataFrame:
    """The file: points of the bar after each origin."""
    truth = np.append(bars.close[1:] / bars.close[:-1] - 1, 0.0)
    close = (np.sqrt(ratio) * truth + VOLATILITY * noise) / np.sqrt(1 + ratio)
    high, low = np.maximum(USUAL + close / 2, close), np.minimum(close / 2 - USUAL, close)
    return pd.DataFrame({"origin": bars.time, "high": high, "low": low, "close": close})[FIRST:]


def walked(bars: Bars, model: Model | Composite) -> Result:
    """A run on bars in memory, without a cache."""
    return pipeline.run_symbol(bars.symbol, SETTINGS, pipeline.Tools(Held(bars), model, Exact(), None), Clock())


def profits(result: Result) -> dict[str, Array]:
    """Profits a bar `[S]`, newest first, of strategies and baselines."""
    return {track.name: track.profits[result.rules.fill] for track in (*result.strategies, *result.baselines)}


def ends(profits: Array) -> tuple[float, float]:
    """Of the 95 % interval of their mean."""
    interval = mean_interval(profits[::-1], SEED)
    assert interval is not None  # holding earns or loses on every bar
    return interval.low, interval.high


def alphas(world: int) -> Array:
    """Mean and ends of the interval of both alphas, in basis points a bar, by ratio `[R, 2, 3]`."""
    rng = np.random.default_rng([SEED, world])
    bars = replace(noise_bars(simulate(World(), BARS, rng)), crypto=False)  # so that it can be shorted
    noise, har = rng.standard_normal(BARS), walked(bars, Har()).baselines[0].profits["expected"]
    rows = []
    for ratio in RATIOS:
        file = ForecastFile(forecasts_in_frame(told(bars, ratio, noise), bars.symbol))
        own = profits(walked(bars, file))
        beyond = (own["forecast-close"] - own["buy-and-hold"], own["entry-exit"] - har)
        rows.append([(series.mean(), *ends(series)) for series in beyond])
    return BASIS_POINTS * np.array(rows)


def main() -> None:
    worlds = int(sys.argv[1]) if len(sys.argv) > 1 else WORLDS
    found = np.stack([alphas(world) for world in range(worlds)])
    print(
        f"{worlds} worlds of noise, 70 bars each, no costs: forecast alpha in bps a bar, and intervals that hold zero"
    )
    print("signal-to-noise   holding as forecast    intervals   entry-exit       intervals")
    for r, ratio in enumerate(RATIOS):
        mean, low, high = np.moveaxis(found[:, r], -1, 0)
        error = mean.std(0) / np.sqrt(worlds)
        holds = ((low <= 0) & (high >= 0)).mean(0)
        cells = (f"{mean[:, i].mean():+8.1f} +- {error[i]:4.1f}        {holds[i]:6.1%}" for i in range(2))
        print(f"{ratio:<15}   {'  '.join(cells)}")


if __name__ == "__main__":
    main()

"""The whole job against a plain loop in the reference's manner, on the same bars and model. Run: scripts/bench rival

The loop makes every simulation's forecasts anew, a call a bar, keeps none, and searches each closing policy with
`scipy.optimize.direct`, a candidate at a time. It is timed on every tenth simulation and scaled.
"""

from __future__ import annotations

import sys
import tempfile
import time
from functools import partial

import numpy as np
from scipy import optimize

from marketsim.backtesting import pipeline
from marketsim.data import open_source
from marketsim.data.bars import Bars
from marketsim.data.walk_forward import make_walk
from marketsim.errors import value_of
from marketsim.execution.bar_variance import path_variance
from marketsim.execution.evaluation import evaluate
from marketsim.execution.fills import profit_terms
from marketsim.execution.profit_terms import Costs, Levels, Outcomes, ProfitTerms
from marketsim.execution.strategies import always_on
from marketsim.forecasting.forecasts import HIGH, LOW, MEDIAN
from marketsim.forecasting.series import Series
from marketsim.models.har import Har
from marketsim.profiling import Clock
from marketsim.settings.settings import Settings

WINDOW = 60
SETTINGS = Settings.of(strategy="always-on", window=WINDOW)
BOUNDS = (SETTINGS.rules.bounds, SETTINGS.rules.bounds)
EVERY = 10


def loss(problem: ProfitTerms, x: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    return -float(evaluate(problem, x[None, :1], x[None, 1:])[0, 0])


def loop(bars: Bars, every: int = EVERY) -> tuple[float, list[float]]:
    """Seconds of all simulations, and the in-sample profit of those that were run."""
    model = Har()
    walk = make_walk(len(bars), SETTINGS.walk.simulations, WINDOW, 2, bars.symbol)
    chosen = range(0, SETTINGS.walk.simulations, every)
    found = []
    start = time.perf_counter()
    for s in chosen:
        origins = walk.origins[[*walk.windows[s], walk.evaluated[s]]]
        moves = np.stack([model.forecast(Series.of(bars).until(t), np.array([t]))[0] for t in origins])
        levels = Levels(moves[:, HIGH, MEDIAN], moves[:, LOW, MEDIAN], *path_variance(moves)).at(slice(-1))
        did = Outcomes(*(bars.ohlcv[origins[:-1] + 1, :4] / bars.close[origins[:-1], None] - 1).T)
        legs = always_on(levels.high_move, levels.low_move, False)
        best = []
        terms = profit_terms(levels, did, Costs.from_bps(15, 5), SETTINGS.rules.fill, False).placed(legs).at(None)
        for problem in (terms.at_close(), terms):
            search = optimize.direct(partial(loss, problem), BOUNDS, maxfun=500)
            best.append(-float(search.fun))
        found.append(max(best))
    return (time.perf_counter() - start) * SETTINGS.walk.simulations / len(chosen), found


def main() -> int:
    seconds, searched = loop(open_source("sample").load("ETHUSD"))
    with tempfile.TemporaryDirectory() as cache:
        settings = Settings.of(strategy="always-on", cache_dir=cache)
        times = []
        for _ in range(2):
            start = time.perf_counter()
            runs = pipeline.run(["ETHUSD"], settings, Clock())
            times.append(time.perf_counter() - start)
    result = value_of(runs[0].outcome)
    solved = result.strategies[0].fit.in_sample[:-1][::EVERY]
    print(f"a plain loop: {seconds:.1f} s for 70 simulations of ETHUSD (timed on {len(searched)} of them)")
    for name, taken in zip(("empty cache", "cached"), times, strict=True):
        print(f"marketsim, {name:<11}: {seconds / taken:>7,.0f}x as fast")
    gain = solved - np.array(searched)
    print(f"in-sample profit, solved less searched: least {gain.min():+.1e}, mean {gain.mean():+.5f}")
    return int(gain.min() < -1e-5)


if __name__ == "__main__":
    sys.exit(main())

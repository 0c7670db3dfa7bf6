"""Every sealed plan against the walk of the next evening. Run: scripts/bench evenings [--evenings N] [--fresh]

Evenings of the sample one after the other, the clock as an argument: each seals its plan into a journal, and simulation
0 of the next evening's walk must be that plan, to the bit, as must the forecast that both rest on. The entries are
compared as the journal gives them back. For `har`, `fracast`, a model of one's own in a file, and a file of forecasts
that grows by a line an evening. --fresh makes every forecast anew for every walk, in place of the cache's.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from marketsim.backtesting import pipeline
from marketsim.backtesting.past_forecasts import past_forecasts
from marketsim.backtesting.worker import finish
from marketsim.data import open_source
from marketsim.data.bars import Bars
from marketsim.errors import Success, value_of
from marketsim.forecasting.forecasts import LEVELS
from marketsim.journal.entry import SealedPlan
from marketsim.journal.journal import Journal
from marketsim.journal.sealing import plans_of
from marketsim.models.template import TEMPLATE
from marketsim.profiling import Clock
from marketsim.results.document import simulation_rows
from marketsim.results.result import Result, SymbolRun
from marketsim.results.schema import SimulationRow
from marketsim.results.walk_profits import DecidingProfits
from marketsim.results.whole_run import WholeRun
from marketsim.settings.settings import Settings

MODELS = ("har", "fracast", "own model", "own forecasts")
SYMBOLS = ("ETHUSD", "GOOG")
PLACED = ("strategy", "side", "upper", "lower", "high_multiplier", "low_multiplier", "close_at_eod", "t", "stood_aside")
LATER = np.timedelta64(30, "m")  # after the end of the newest bar


def evenings(symbol: str, count: int) -> Iterator[tuple[str, str]]:
    """The newest bar and the time of the last evenings of the sample."""
    bars: Bars = open_source("sample").load(symbol)
    for t in range(len(bars) - count, len(bars)):
        yield str(bars.time[t]), str(bars.timetable.ends(bars.time[t : t + 1])[0] + LATER)


class Forecaster:
    """A model by the name that it has here: its settings of an evening."""

    def __init__(self, model: str, symbol: str, place: Path, settings: Settings, count: int) -> None:
        self._settings = settings
        self._lines: list[str] = []
        if model == "own model":
            (place / "mine.py").write_text(TEMPLATE)
            self._settings = settings.replace(model=f"{place / 'mine.py'}:MyModel")
        elif model == "own forecasts":
            self._lines = _as_lines(symbol, settings.replace(sims=settings.walk.sims + count))
            self._file = place / "mine.csv"
            self._settings = settings.replace(forecasts=f"{symbol}={self._file}")
        else:
            self._settings = settings.replace(model=model)

    def settings(self, origin: str, now: str) -> Settings:
        """Those of the evening, whose file has no forecast of a later one."""
        if self._lines:
            header, *rows = self._lines
            known = [row for row in rows if row.partition(",")[0] <= origin]
            self._file.write_text("\n".join([header, *known]) + "\n")
        return self._settings.replace(end=origin, now=now)


def _as_lines(symbol: str, settings: Settings) -> list[str]:
    """What `har` forecasts, in a file of somebody else: quantiles of high, low and close."""
    (outcome,), _ = past_forecasts([symbol], settings, lambda what, done, total: None)
    made = value_of(outcome)
    bars, forecasts = made.bars, made.forecasts
    names = [f"{channel}_q{round(100 * level)}" for channel in ("high", "low", "close") for level in LEVELS]
    lines = [",".join(["origin", *names])]
    for origin, moves in zip(forecasts.origins, forecasts.moves, strict=True):
        prices = bars.close[origin] * (1 + moves[1:].ravel())
        lines.append(",".join([str(bars.time[origin]), *map(repr, prices.tolist())]))
    return lines


def sealed(result: Result, settings: Settings, symbol: str) -> SealedPlan:
    """The plan of a run."""
    run = finish(SymbolRun(symbol, Success(result)), "", rows=False, basis=True)
    files = value_of(run.outcome)
    (plan,) = plans_of(
        settings, {symbol: files}, WholeRun.of({symbol: DecidingProfits.of(files.profits)}, settings.seed)
    )
    return plan


def equal(plan: SealedPlan, rows: list[SimulationRow], result: Result) -> bool:
    """Whether simulation 0 of the next evening is the plan, and rests on the same forecast."""
    newest = [row for row in rows if row.simulation == 0]
    moves = result.forecasts.moves[result.walk.evaluated[0]]
    same = plan.bars.last == newest[0].origin and plan.session.bar == newest[0].evaluated
    same &= [
        *plan.forecast.open,
        *plan.forecast.high,
        *plan.forecast.low,
        *plan.forecast.close,
    ] == moves.ravel().tolist()
    fields = (
        "strategy",
        "side",
        "upper",
        "lower",
        "high_multiplier",
        "low_multiplier",
        "close_at_eod",
        "t",
        "stood_aside",
    )
    return same and [[getattr(strategy, name) for name in fields] for strategy in plan.strategies] == [
        [getattr(strategy, name) for name in fields] for strategy in newest
    ]


def compare(model: str, symbol: str, count: int, fresh: bool, sims: int, window: int) -> tuple[int, int]:
    """How many of the plans of that many evenings equal the next evening's simulation 0, and of how many."""
    with TemporaryDirectory() as folder:
        place = Path(folder)
        settings = Settings.of(
            sims=sims, window=window, cache="off" if fresh else "readwrite", cache_dir=str(place / "cache")
        )
        forecaster = Forecaster(model, symbol, place, settings, count)
        journal = Journal(str(place / "journal"))
        next_walks: list[tuple[list[SimulationRow], Result]] = []
        for origin, now in evenings(symbol, count + 1):
            own = forecaster.settings(origin, now)
            result = value_of(pipeline.run([symbol], own, Clock())[0].outcome)
            next_walks.append((list(simulation_rows(result)), result))
            assert journal.append([sealed(result, own, symbol)], now).sealed
        plans = [entry.plan for entry in journal.entries()][:-1]
        same = [equal(plan, *walk) for plan, walk in zip(plans, next_walks[1:], strict=True)]
        return sum(same), len(same)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--evenings", type=int, default=250)
    parser.add_argument("--models", nargs="*", default=MODELS)
    parser.add_argument("--symbols", nargs="*", default=SYMBOLS)
    parser.add_argument("--sims", type=int, default=Settings().walk.sims)
    parser.add_argument("--window", type=int, default=60)
    parser.add_argument("--fresh", action="store_true")
    given = parser.parse_args()
    held = []
    for model in given.models:
        for symbol in given.symbols:
            begun = time.perf_counter()
            same, of = compare(model, symbol, given.evenings, given.fresh, given.sims, given.window)
            held.append(same == of)
            print(f"{model:14} {symbol:7} {same} of {of} plans are simulation 0 of the next evening's walk", end="")
            print(f" ({time.perf_counter() - begun:.0f} s)", flush=True)
    print("PASS" if all(held) else "FAIL")
    return int(not all(held))


if __name__ == "__main__":
    sys.exit(main())

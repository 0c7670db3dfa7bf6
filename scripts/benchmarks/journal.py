"""How often the word on sealed plans is right, where the truth is known. Run: scripts/bench journal

Whole walks on worlds in which the forecasts know part of the next move, so that the backtest shows an edge: its first
part is what was promised, and the evenings after it are what came. In half of the worlds nothing changes. In the other
half the forecasts know nothing from a known evening on: where the confidence sequence promises to tell within so many
bars, at least 4 of 5 must be told within them.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
from _walks import Held
from decision import HISTORY, WINDOW, Array, Knowing, world
from msgspec import Struct

from marketsim.backtesting import pipeline
from marketsim.backtesting.pipeline import Tools
from marketsim.optimizers.exact import Exact
from marketsim.profiling import Clock
from marketsim.results.promise import WORSE, PromisedMean, bars_to_tell, kept
from marketsim.results.significance import mean_interval
from marketsim.settings.settings import Settings

STRATEGY = "entry-exit"
KNOWN = 0.009  # deviation of the part of a bar's move that the forecasts know
MOST_WRONG, LEAST_TOLD = 0.05, 0.80


class World(Struct, frozen=True):
    """What became of one world."""

    turned: int | None  # evening, from 0, after which the word was that it is worse
    within: int | None  # evenings in which a lost edge is promised to be told; None where it cannot be


def profits_of(count: int, known_until: int, seed: int) -> Array:
    """The out-of-sample profits of a walk, oldest first; after so many of them the forecasts know nothing."""
    settings = Settings.of(sims=count, window=WINDOW, strategy=STRATEGY, fee_bps=0, slippage_bps=0)
    bars, drift = world(HISTORY + WINDOW + count, KNOWN, seed)
    claimed = drift.copy()
    noise = np.random.default_rng([37, seed]).permutation(drift)
    unknown = len(drift) - count + known_until
    claimed[unknown:] = noise[unknown:]  # as sure of itself as before
    run = pipeline.run_symbol("WORLD", settings, Tools(Held(bars), Knowing(claimed), Exact(), None), Clock())
    profits: Array = run.strategies[0].profits["expected"][::-1]
    return profits


def outcome(walk: int, evenings: int, lost: int | None, seed: int) -> World:
    """The word over so many evenings after a walk; the edge is lost after `lost` of them, if at all."""
    profits = profits_of(walk + evenings, walk + (evenings if lost is None else lost), seed)
    interval = mean_interval(profits[:walk], seed)
    if interval is None:
        return World(None, None)
    promise = PromisedMean(float(profits[:walk].mean()), interval.low, interval.high, walk)
    within = None if lost is None else bars_to_tell(promise, promise.mean, start=lost)
    found = kept(promise, profits[walk:])
    return World(found.turned if found.verdict == WORSE else None, within)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument("--walk", type=int, default=500)
    parser.add_argument("--evenings", type=int, default=500)
    parser.add_argument("--lost", type=int, nargs="*", default=[0, 100])
    given = parser.parse_args()
    held: list[bool] = []
    with ProcessPoolExecutor(os.cpu_count()) as workers:

        def worlds(evenings: int, lost: int | None) -> list[World]:
            found = partial(outcome, given.walk, evenings, lost)
            return list(workers.map(found, range(given.worlds), chunksize=2))

        turned = [record.turned for record in worlds(given.evenings, None)]
        wrong = np.mean([evening is not None for evening in turned])
        held.append(bool(wrong <= MOST_WRONG))
        print(f"unchanged  {given.worlds} worlds, {given.evenings} evenings: called worse in {wrong:.1%}")
        for lost in given.lost:
            every = worlds(given.evenings + lost, lost)
            early = [record for record in every if record.turned is not None and record.turned < lost]
            told = [record for record in every if record not in early and record.within is not None]
            inside = [
                record for record in told if record.within is not None and lost + record.within <= given.evenings + lost
            ]
            right = [record.turned is not None and record.turned < lost + (record.within or 0) for record in inside]
            bars = [record.turned - lost + 1 for record in every if record.turned is not None and record.turned >= lost]
            held.append(bool(inside) and float(np.mean(right)) >= LEAST_TOLD)
            print(
                f"edge lost after {lost} evenings, {given.worlds} worlds: called worse after "
                f"{np.median(bars):.0f} evenings (median of {len(bars)}); of the {len(inside)} worlds that were "
                f"promised it within {given.evenings}, {np.mean(right):.1%} within theirs "
                f"(median {np.median([record.within or 0 for record in inside]):.0f}); wrongly before: {len(early)}"
            )
    print("PASS" if all(held) else "FAIL")
    return int(not all(held))


if __name__ == "__main__":
    sys.exit(main())

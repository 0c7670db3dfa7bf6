"""What the optimisers compete on: a symbol's real windows, or the reference system's own benchmark."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketsim.backtesting.pipeline import Progress, forecaster, open_tools, prepare
from marketsim.backtesting.simulation import POLICIES, Market, strategies_of, window_terms
from marketsim.comparison.optimizers import Contest
from marketsim.errors import DataError, MarketsimError
from marketsim.execution.track_record import book
from marketsim.optimizers.exact.maximum import Bounds
from marketsim.profiling import Clock
from marketsim.reference import reference_terms
from marketsim.settings.settings import Settings

REFERENCE_BARS, REFERENCE_SEED, REFERENCE_FEE = 200, 42, 0.0015


def real_contest(symbol: str, settings: Settings, progress: Progress) -> tuple[Contest, tuple[str, ...]]:
    """The fits of a walk over a symbol's newest bars, and remarks about those bars.

    Of `all` strategies it is `entry-exit`, or `always-on` where that one never places an order: one that does
    nothing has nothing to optimise. DataError where neither does.
    """
    clock = Clock()
    tools = open_tools(settings, clock)
    with tools.cache or nullcontext():
        ready = prepare(symbol, settings.bars, settings.walk, tools, clock)
        if isinstance(ready, MarketsimError):
            raise ready
        bars, walk = ready.bars, ready.walk
        remarks: list[str] = []
        (forecasts,) = forecaster(tools.model, tools.cache, clock, progress, remarks)([ready.wanted])
    if isinstance(forecasts, MarketsimError):
        raise forecasts
    notes = (*bars.notes, *forecasts.notes, *remarks, *(tools.cache.warnings if tools.cache else ()))
    market = Market.of(bars, walk, forecasts, settings.costs)
    rules = settings.rules
    for name in strategies_of(rules):
        legs = market.legs(name)
        used = legs.at(walk.windows[:-1])
        if used.long.any() or (used.short is not None and used.short.any()):
            break
    else:
        raise DataError(f"{bars.symbol}: {rules.strategy} places no order in any window: nothing to optimise")
    costs, terms = market.costs, window_terms([legs], market, rules)
    at, then, placed = market.levels.at(walk.evaluated), market.outcomes.at(walk.evaluated), legs.at(walk.evaluated)

    def booked(
        windows: NDArray[np.int64], h: NDArray[np.float64], l: NDArray[np.float64], eod: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        track = book(name, at.at(windows), then.at(windows), placed.at(windows), costs, rules.fill, (h, l), eod)
        return track.profits[rules.fill]

    facts: dict[str, Any] = {
        "name": bars.symbol,
        "source": bars.source,
        "fingerprint": bars.fingerprint,
        "first": str(bars.time[walk.origins[walk.evaluated[-1]] + 1].astype("datetime64[D]")),
        "last": str(bars.time[walk.origins[walk.evaluated[0]] + 1].astype("datetime64[D]")),
        "model": tools.model.name,
        "strategy": name,
        "fill": rules.fill,
        "fee_bps": market.fee_bps,
        "slippage_bps": settings.costs.slippage_bps,
    }
    windows = tuple(each.at(slice(-1)) for each in terms)
    policies = POLICIES[rules.close_at_eod]
    return Contest(facts, windows, policies, (rules.bounds, rules.bounds), booked), notes


def reference_contest(bounds: Bounds) -> Contest:
    """The reference's benchmark: 200 momentum returns of seed 42, noisy forecasts, 15 bps a trade, both policies.

    The numbers are those of torch's own generator on a CPU.
    """
    import torch

    generator = torch.Generator().manual_seed(REFERENCE_SEED)

    def normal() -> NDArray[np.float32]:
        drawn: NDArray[np.float32] = torch.randn(REFERENCE_BARS, generator=generator).numpy()
        return drawn

    close = np.float32(0.02) * normal()
    for i in range(1, REFERENCE_BARS):
        close[i] = np.float32(0.7) * close[i - 1] + np.float32(0.3) * close[i]
    high, low = (close + sign * np.abs(np.float32(0.01) * normal()) for sign in (1, -1))
    upper, lower = (np.float32(0.6) * close + np.float32(0.015) * normal() + np.float32(x) for x in (0.005, -0.005))
    inputs = [each.astype(np.float64) for each in (close, high, upper, low, lower)]
    long = np.where(np.abs(inputs[2]) > np.abs(inputs[4]), 1.0, 0.0)
    policies = (False, True)
    terms = tuple(
        reference_terms(inputs[0], long, 1 - long, *inputs[1:], close_at_eod=eod, trading_fee=REFERENCE_FEE).at(None)
        for eod in policies
    )
    facts: dict[str, Any] = {
        "name": "reference",
        "source": f"momentum returns, seed {REFERENCE_SEED}",
        "strategy": "entry-exit",
        "fill": "touch",
        "fee_bps": 1e4 * REFERENCE_FEE,  # a trade, not a side
        "slippage_bps": 0.0,
    }
    return Contest(facts, terms, policies, bounds)

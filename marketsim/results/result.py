"""What a run comes to, a symbol at a time: in arrays, or in plain values that travel and are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from marketsim.data.bars import Bars
from marketsim.data.walk_forward import Walk
from marketsim.errors import MarketsimError
from marketsim.execution.track_record import Track
from marketsim.forecasting.forecasts import Forecasts
from marketsim.settings.groups import CostSettings, TradingRules

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """One symbol's walk, and all that its numbers rest on."""

    bars: Bars
    walk: Walk
    forecasts: Forecasts
    costs: CostSettings  # with the fee that was charged
    rules: TradingRules
    optimizer: str
    seed: int  # of the bootstrap
    strategies: list[Track]
    baselines: list[Track]
    fits: int
    fallbacks: int


@dataclass(frozen=True, slots=True)
class SymbolRun:
    """One symbol of a run: its result, or the error that ended it."""

    symbol: str
    result: Result | None
    error: MarketsimError | None
    notes: tuple[str, ...] = ()  # one-line remarks for stderr


@dataclass(frozen=True, slots=True)
class Finished:
    """One symbol of a run in plain values: what travels between processes, and is kept until a run is whole."""

    symbol: str  # as it was asked for
    document: Row  # of the symbol, in `results.json`
    simulations: str = ""  # rows of `simulations.csv` under their header; "" where they were not wanted
    equity: str = ""
    model: str = ""  # fingerprint of the model that the run names
    notes: tuple[str, ...] = ()
    seconds: float = 0.0  # its own, and its share of what was done for several symbols together
    error: MarketsimError | None = None

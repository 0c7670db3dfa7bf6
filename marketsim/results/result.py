"""The result of one symbol: in arrays, or in plain values to send and store."""

from __future__ import annotations

from msgspec import Struct

from marketsim.data.bars import Bars
from marketsim.data.walk_forward import Walk
from marketsim.errors import Failure, Outcome, Success
from marketsim.execution.track_record import FittedTrackRecord, TrackRecord
from marketsim.forecasting.forecasts import Forecasts
from marketsim.results.plan_basis import PlanBasis
from marketsim.results.schema import CostsRow, FailedSymbol, FineFacts, SymbolDocument
from marketsim.results.walk_profits import WalkProfits
from marketsim.settings.groups import TradingRules


class Result(Struct, frozen=True):
    """One symbol's walk, and all that its numbers rest on."""

    bars: Bars
    walk: Walk
    forecasts: Forecasts
    costs: CostsRow
    rules: TradingRules
    optimizer: str
    seed: int  # of the bootstrap
    simulations: int  # of the whole walk, of which a fast one is the newest part
    assume_clean: bool  # the user vouches that the model was not trained on these bars
    strategies: list[FittedTrackRecord]
    baselines: list[TrackRecord]
    fits: int
    fallbacks: int
    fine: FineFacts | None = None


class SymbolRun(Struct, frozen=True):
    """One symbol of a run."""

    symbol: str
    outcome: Outcome[Result]
    notes: tuple[str, ...] = ()  # one-line remarks for stderr


class SymbolFiles(Struct, frozen=True):
    """What the files of a run say of one symbol, and what decides whether that still holds."""

    document: SymbolDocument  # in results.json
    simulations: str  # rows of simulations.csv under their header; "" where they were not wanted
    equity: str
    model: str  # fingerprint of the model that the run names
    profits: WalkProfits
    charts: str = ""  # arrays of the pictures of a report; "" where none was asked for
    basis: PlanBasis | None = None  # of the plan; None where it was not wanted


class FinishedSymbol(Struct, frozen=True):
    """One symbol of a run in plain values: what travels between processes, and is kept until a run is whole."""

    symbol: str  # as it was asked for
    outcome: Outcome[SymbolFiles]
    notes: tuple[str, ...] = ()
    seconds: float = 0.0  # its own, and its share of what was done for several symbols together

    @property
    def document(self) -> SymbolDocument | FailedSymbol:
        """Its part of results.json."""
        match self.outcome:
            case Success(files):
                return files.document
            case Failure(error):
                return FailedSymbol.of(self.symbol, error)

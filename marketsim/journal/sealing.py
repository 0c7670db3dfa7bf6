"""From a run and its orders to the plans that are sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct

from marketsim import __version__
from marketsim.backtesting.dispatcher import with_absolute_paths
from marketsim.forecasting.forecasts import CLOSE, HIGH, LEVELS, LOW, OPEN
from marketsim.journal.entry import (
    Companion,
    ForecastQuantiles,
    Promise,
    SealedBars,
    SealedModel,
    SealedOrder,
    SealedPlan,
    SealedStrategy,
    Session,
)
from marketsim.journal.libraries import with_model_packages
from marketsim.results.code import code_digest
from marketsim.results.document import deciding
from marketsim.results.orders import NoOrder, Order
from marketsim.results.plan_basis import PlanBasis
from marketsim.results.plugins import plugins_of
from marketsim.results.result import SymbolFiles
from marketsim.results.rows import Setting
from marketsim.results.schema import BarsFacts, ModelFacts, PlanRow, StrategyRow, SymbolDocument
from marketsim.results.walk_profits import WalkProfits
from marketsim.results.whole_run import WholeRun
from marketsim.settings.choices import BASIS_POINTS
from marketsim.settings.settings import Settings


class _Run(Struct, frozen=True):
    """What the plans of a run have in common."""

    settings: dict[str, Setting]
    together: list[Companion]
    orders: Sequence[Order]
    no_orders: Mapping[str, str]  # by symbol, why


def plans_of(
    settings: Settings,
    files: Mapping[str, SymbolFiles],
    whole: WholeRun,
    orders: Sequence[Order] = (),
    none: Sequence[NoOrder] = (),
) -> list[SealedPlan]:
    """The plans of a run, a symbol each.

    Parameters
    ----------
    settings
        Of the run.
    files
        What its symbols came to, by their names as they were asked for, each with the basis of its plan.
    whole
        What they come to together, which their answers count.
    orders, none
        The orders that were made of the plans, and why there are no others.
    """
    together = [Companion(asked, _basis(symbol_files).origin) for asked, symbol_files in files.items()]
    run = _Run(sealed_settings(settings), together, orders, {order.symbol: order.why for order in none})
    plans = []
    for symbol_files in files.values():
        document = whole.judged(symbol_files.document)
        assert isinstance(document, SymbolDocument)  # as it went in
        plans.append(_plan(document, symbol_files, run))
    return plans


def sealed_settings(settings: Settings) -> dict[str, Setting]:
    """The settings that a plan rests on, with paths that hold in any folder; the clock is said apart."""
    values = deciding(with_absolute_paths(settings))
    return {key: value for key, value in values.items() if key != "now"}


def _plan(document: SymbolDocument, files: SymbolFiles, run: _Run) -> SealedPlan:
    """The plan of a symbol whose answer counts all that was tried in the run."""
    first, basis = document.plan[0], _basis(files)
    orders = [_order(order) for order in run.orders if order.symbol == document.symbol]
    return SealedPlan(
        symbol=document.symbol,
        session=Session(bar=first.bar, zone=first.zone, opens=first.opens, begins=basis.begins, ends=first.ends),
        decision=document.decision,
        verdict=document.verdict,
        strategy=document.strategy,
        strategies=[_strategy(row, document, files.profits) for row in document.plan],
        orders=orders,
        no_order=None if orders else run.no_orders.get(document.symbol),
        forecast=_quantiles(basis),
        bars=_bars(document.bars, basis, first.close),
        model=_model(document.model),
        fee_bps=document.costs.fee_bps,
        slippage_bps=document.costs.slippage_bps,
        fill=document.fill,
        window=document.window,
        min_t=document.min_t,
        settings=run.settings,
        together=run.together,
        marketsim=__version__,
        code=code_digest(),
        libraries=with_model_packages(str(run.settings["model"]), document.libraries),
        plugins=plugins_of(run.settings),
        fine=None if document.fine is None else document.fine.fingerprint,
    )


def _basis(files: SymbolFiles) -> PlanBasis:
    assert files.basis is not None  # the run was asked for it
    return files.basis


def _strategy(plan: PlanRow, document: SymbolDocument, profits: WalkProfits) -> SealedStrategy:
    (row,) = [row for row in document.rows if row.kind == "strategy" and row.name == plan.strategy]
    return SealedStrategy(
        strategy=plan.strategy,
        side=plan.side,
        upper=plan.upper,
        lower=plan.lower,
        close_at_eod=plan.close_at_eod,
        high_multiplier=plan.high_multiplier,
        low_multiplier=plan.low_multiplier,
        t=plan.t,
        stood_aside=plan.stood_aside,
        promise=_promise(row, profits.headline[plan.strategy]),
    )


def _promise(row: StrategyRow, profits: Sequence[float]) -> Promise:
    return Promise(
        bars=row.bars,
        orders=row.orders,
        trades=row.trades,
        mean_bps=row.mean_bps,
        low_bps=row.low_bps,
        high_bps=row.high_bps,
        spread_bps=float(np.std(profits)) * BASIS_POINTS,
        fill_rate=row.fill_rate,
        win_rate=row.win_rate,
    )


def _order(order: Order) -> SealedOrder:
    return SealedOrder(
        strategy=order.strategy,
        side=order.side,
        entry=order.entry,
        take_profit=order.take_profit,
        exit=order.exit,
        quantity=order.quantity,
    )


def _quantiles(basis: PlanBasis) -> ForecastQuantiles:
    moves = basis.moves
    return ForecastQuantiles(
        levels=list(LEVELS), open=moves[OPEN], high=moves[HIGH], low=moves[LOW], close=moves[CLOSE]
    )


def _bars(facts: BarsFacts, basis: PlanBasis, close: float) -> SealedBars:
    return SealedBars(
        source=facts.source,
        fingerprint=basis.fingerprint,
        count=facts.count,
        first=facts.first,
        last=facts.last,
        origin=basis.origin,
        ended=basis.ended,
        close=close,
        crypto=facts.crypto,
        calendar=facts.calendar,
        zone=facts.zone,
        tick=facts.tick,
        blocks=basis.blocks,
    )


def _model(facts: ModelFacts) -> SealedModel:
    return SealedModel(
        name=facts.name,
        version=facts.version,
        parameters=facts.parameters,
        fingerprint=facts.fingerprint,
        trained_until=facts.trained_until,
        training=facts.training,
        look_ahead=facts.look_ahead,
        implausible=facts.implausible,
        sealed=facts.sealed,
    )

"""`marketsim plan`."""

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct

from marketsim.cli import options, output
from marketsim.cli.backtest import Told, names_of, sealed_forecasts
from marketsim.cli.plan_options import Steps, share, steps
from marketsim.cli.plan_table import cells, plan_table, why_not
from marketsim.errors import UsageError

if TYPE_CHECKING:
    from marketsim.cli.journal_documents import SealingReport
    from marketsim.cli.sealing import PlansToSeal
    from marketsim.forecasting.sealed_forecasts import SealedForecasts
    from marketsim.results.orders import Order
    from marketsim.results.planned_orders import PlannedOrders
    from marketsim.results.sizing import Risk
    from marketsim.results.whole_run import WholeRun
    from marketsim.settings.settings import Settings

FORMATS = ("table", "csv", "json", "alpaca")
RISKS: tuple["Risk", ...] = ("equal", "volatility")
DECISIONS = ("TRADE", "DON'T", "CAN'T TELL")
KNOWN = ", ".join(DECISIONS)
NO_ORDER = 10  # exit code


@options.takes(*options.GROUPS)
def plan(
    command: typer.Context,
    symbols: options.OptionalSymbols = None,
    symbols_file: options.SymbolsFile = None,
    all_symbols: Annotated[bool, typer.Option("--all", help="Plan every symbol of the source.")] = False,
    capital: options.Capital = None,
    risk: Annotated[
        str,
        typer.Option(
            "--risk", metavar="equal|volatility", help="Same amount for each symbol, or less for more volatile ones."
        ),
    ] = "equal",
    most: Annotated[
        str,
        typer.Option(
            "--max-per-symbol", metavar="SHARE", help="Largest share of the capital for one symbol, such as 20%."
        ),
    ] = "100%",
    tick: Annotated[
        list[str] | None,
        typer.Option("--tick", metavar="[SYMBOL=]X|FILE", help="Tick size; may be repeated. [that of the bars]"),
    ] = None,
    lot: Annotated[
        list[str] | None,
        typer.Option("--lot", metavar="[SYMBOL=]X|FILE", help="Lot size; may be repeated. [0.0001 for crypto, else 1]"),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option("--only", metavar="DECISION", help=f"Only orders of symbols with this decision: {KNOWN}."),
    ] = None,
    format: Annotated[
        str, typer.Option("--format", metavar="|".join(FORMATS), help="Format of the orders; they are never sent.")
    ] = "table",
    quiet: Annotated[bool, typer.Option("--quiet", help="Print only the orders: no headers, no remarks.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 10 if there is no order.")] = False,
    sealed: Annotated[
        bool,
        typer.Option(
            "--sealed", help="Count bars whose forecast was sealed in the journal as clean; --seal implies it."
        ),
    ] = False,
    seal: Annotated[bool, typer.Option("--seal", help="Seal the plans in the journal.")] = False,
    head: Annotated[bool, typer.Option("--head", help="With --seal: print the head of the journal.")] = False,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """Print the orders for the next session, one a line.

    Of each symbol those of the strategy that did better in the walk, with the decision of its backtest.
    """
    settings = options.settings_of(command)
    form = "json" if json else format
    _check(form, risk, only, capital)
    if head and not seal:
        raise UsageError("--head needs --seal; `marketsim journal verify` prints the head of a journal")
    rules = _Rules(
        capital, RISKS[RISKS.index(risk)], share(most), steps("--tick", tick or []), steps("--lot", lot or [])
    )
    names = names_of(symbols or [], symbols_file, all_symbols, settings, "plan")

    from marketsim.data.symbols import once_each

    names, repeated = once_each(names)
    to_seal = _to_seal(settings) if seal else None
    clean = to_seal.sealed_before() if to_seal is not None else sealed_forecasts(settings) if sealed else None
    found = _walk(names, settings, rules, only, to_seal, clean)
    report = None if to_seal is None else to_seal.seal(found.planned, found.whole)
    told, planned = found.told, found.planned
    if not quiet:
        output.notes([*repeated, *told.notes, *why_not(planned.none)])
    if form == "json":
        _document(found, rules, settings, report)
    elif form == "alpaca":
        _alpaca(found, quiet)
    else:
        _print(planned.orders, planned.ticks, form, quiet)
    unsealed = report is not None and _tell(report, head, form == "table" and not quiet)
    if told.errors:
        output.fail(f"{len(told.errors)} of {len(names)} symbols failed")
        return 4
    if unsealed:
        return 4
    return NO_ORDER if exit_code and not planned.orders else 0


class _Rules(Struct, frozen=True):
    """The rules by which orders are sized and rounded."""

    capital: float | None
    risk: "Risk"
    most: float  # share of the capital for one symbol
    ticks: Steps
    lots: Steps


class _Found(Struct, frozen=True):
    """The orders of a run, and the run."""

    planned: "PlannedOrders"
    lots: dict[str, float]  # by symbol
    whole: "WholeRun"
    told: Told


def _check(form: str, risk: str, only: str | None, capital: float | None) -> None:
    """UsageError for an option whose value is none that it knows."""
    for option, value, known in (("--format", form, FORMATS), ("--risk", risk, RISKS), ("--only", only, DECISIONS)):
        if value is not None and value not in known:
            raise UsageError(f"{option}: got {value!a}, must be one of {', '.join(known)}")
    if capital is not None and not 0 < capital < float("inf"):
        raise UsageError(f"--capital: got {capital:g}, must be an amount above 0")
    if form == "alpaca" and capital is None:
        raise UsageError("--format alpaca needs --capital AMOUNT: orders have a quantity")


def _to_seal(settings: "Settings") -> "PlansToSeal":
    from marketsim.cli.sealing import PlansToSeal

    return PlansToSeal(settings)


def _tell(report: "SealingReport", head: bool, on_stdout: bool) -> bool:
    """Say what was sealed; whether some plans were not."""
    from marketsim.cli.sealing import raise_if_refused, told

    if on_stdout:
        output.lines(*told(report, head), "")
    else:
        output.notes(told(report, head))
    return raise_if_refused(report)


def _walk(
    names: list[str],
    settings: "Settings",
    rules: _Rules,
    only: str | None,
    to_seal: "PlansToSeal | None",
    sealed: "SealedForecasts | None",
) -> _Found:
    """Backtest the symbols and plan their orders, with quantities if there is a capital."""
    from marketsim.backtesting import parallel
    from marketsim.profiling import Clock
    from marketsim.results.planned_orders import PlannedOrders
    from marketsim.results.schema import FailedSymbol
    from marketsim.results.sizing import COIN_LOT, STOCK_LOT, Sizing
    from marketsim.results.spooled_symbols import SpooledSymbols

    told, lots = Told(), dict[str, float]()
    planned = PlannedOrders(lambda document: rules.ticks.of(document.symbol, document.bars.tick), only)
    with (
        SpooledSymbols(settings.seed) as documents,
        output.progress() as progress,
        closing(
            parallel.stream(names, settings, Clock(), None, progress, basis=to_seal is not None, sealed=sealed)
        ) as stream,
    ):
        for finished in stream:
            told.add(finished)
            documents.add(finished)
            if to_seal is not None:
                to_seal.add(finished)
        whole = documents.whole()
        for document in documents.judged(whole):
            planned.add(document)
            if not isinstance(document, FailedSymbol):
                lots[document.symbol] = rules.lots.of(document.symbol, COIN_LOT if document.bars.crypto else STOCK_LOT)
    told.raise_if_all_failed(len(names))
    if rules.capital is not None:
        planned.size(Sizing(capital=rules.capital, risk=rules.risk, most=rules.most, lots=lots))
    return _Found(planned, lots, whole, told)


def _document(found: _Found, rules: _Rules, settings: "Settings", sealed: "SealingReport | None") -> None:
    from msgspec import UNSET

    from marketsim import __version__
    from marketsim.cli.plan_document import PlanDocument
    from marketsim.results.document import deciding

    output.document(
        PlanDocument(
            marketsim=__version__,
            settings=deciding(settings),
            capital=rules.capital,
            risk=rules.risk,
            max_per_symbol=rules.most,
            orders=found.planned.orders,
            no_orders=found.planned.none,
            pooled=found.whole.pooled,
            reality_check=found.whole.reality_check,
            sealed=UNSET if sealed is None else sealed,
        )
    )


def _alpaca(found: _Found, quiet: bool) -> None:
    from marketsim.results.alpaca_orders import alpaca_order, left_to_do
    from marketsim.results.encoding import to_json

    orders, ticks = found.planned.orders, found.planned.ticks
    output.text(to_json([alpaca_order(order, ticks[order.symbol], found.lots[order.symbol]) for order in orders]))
    if orders and not quiet:
        output.notes(left_to_do(orders))


def _print(orders: "list[Order]", grid: dict[str, float], form: str, quiet: bool) -> None:
    if form == "csv":
        from marketsim.results.encoding import to_csv
        from marketsim.results.orders import Order

        rows = to_csv(orders) if orders else f"{','.join(Order.__struct_fields__)}\n"
        output.text(rows.partition("\n")[2] if quiet else rows)
    elif quiet:
        for order in orders:
            output.text("  ".join(cells(order, grid[order.symbol])) + "\n")
    else:
        plan_table(orders, grid)

"""`marketsim calibration`."""

from typing import TYPE_CHECKING, Annotated

import typer

from marketsim.cli import options, output, tables
from marketsim.errors import UsageError, value_of

if TYPE_CHECKING:
    from marketsim.results.calibration_schema import CalibratedSymbol


@options.takes(
    *options.all_but(
        options.WALK, options.GIVEN, options.RULES, options.GATE, options.COSTS, options.OPTIMIZER, options.WORK
    )
)
def calibration(
    command: typer.Context,
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="Such as AAPL.")],
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Check the probabilities of fills against finer bars.

    Longs and shorts at levels that nothing has fitted are booked without and with the finer bars of --fine.
    """
    settings = options.settings_of(command)
    if settings.bars.fine is None:
        raise UsageError("calibration needs finer bars: --fine sample, store, a timeframe such as 1h, or a PATH")

    from contextlib import nullcontext

    from marketsim import __version__
    from marketsim.backtesting import calibration as calibrated
    from marketsim.backtesting import pipeline
    from marketsim.backtesting.chosen_bars import load
    from marketsim.forecasting.forecaster import Forecaster
    from marketsim.forecasting.requests import ForecastRequest
    from marketsim.profiling import Clock
    from marketsim.results.calibration_schema import CalibrationDocument

    clock = Clock()
    tools = pipeline.open_tools(settings, clock)
    with tools.cache or nullcontext(), output.progress() as progress:
        bars = load(symbol, settings.bars, tools.source)
        origins = calibrated.origins_of(bars)
        forecaster = Forecaster(tools.model, tools.cache, clock, progress, batch=settings.network.batch)
        (outcome,) = forecaster.forecasts([ForecastRequest(bars, origins)])
        found = calibrated.calibration(bars, calibrated.trades_of(bars, origins, value_of(outcome)))
    output.notes((*bars.notes, *forecaster.notes))
    if json:
        output.document(CalibrationDocument(__version__, tools.model.name, found))
        return
    _show(found)


def _show(found: "CalibratedSymbol") -> None:
    from marketsim.results import text_tables

    output.lines(
        f"{found.symbol}  {found.source}",
        f"Fine    {tables.fine(found.fine)}",
        f"Trades  {found.trades:,}, {found.ambiguous:,} with a take-profit in doubt, {found.known:,} of them settled",
        "",
    )
    reliability = text_tables.reliability(found)
    if reliability.rows:
        tables.show(reliability)
    lines = []
    if found.brier is not None and found.constant is not None:
        error = "" if found.gain_error is None else f" ± {found.gain_error:.3f}"
        gain = f"{found.constant - found.brier:+.3f}{error} better" if found.constant >= found.brier else "no better"
        lines.append(f"Brier score {found.brier:.3f}, against {found.constant:.3f} of a constant: {gain}.")
    if found.bias_bps is not None:
        bias = f"{found.bias_bps:+.1f} ± {found.bias_error_bps:.1f} bps a trade"
        left = tables.span(found.most_bps, found.least_bps)
        lines.append(f"`expected` books {bias} more than the finer bars show, which leave {left} open.")
    output.lines(*lines, "")

"""`marketsim fills`: the fills of evaluated bars, one at a time."""

from typing import TYPE_CHECKING, Annotated

import typer

from marketsim.cli import options, output, tables
from marketsim.cli.completion import dates, symbols
from marketsim.errors import UsageError, value_of

if TYPE_CHECKING:
    from marketsim.data.bars import Bars
    from marketsim.results.order_of_events import FinerView
    from marketsim.results.schema import SimulationRow

HEIGHT = 15  # lines of a drawn bar
SIDE = 4  # columns of a level on each side of the bar


@options.takes(*options.all_but(options.VOUCHING, options.WORK))
def fills(
    command: typer.Context,
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="Such as ETHUSD.", autocompletion=symbols)],
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="DATE", help="Bar to draw. [the newest with a fill in doubt]", autocompletion=dates
        ),
    ] = None,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Show the fills that bars leave in doubt, and draw one.

    The drawing has the bar's prices, its levels, the profit by each fill rule, and the probability of the take-profit.
    """
    settings = options.settings_of(command)

    from marketsim.backtesting import pipeline
    from marketsim.profiling import Clock
    from marketsim.results.document import simulation_rows

    with output.progress() as progress:
        (run,) = pipeline.run([symbol], settings, Clock(), progress)
    output.notes(run.notes)
    result = value_of(run.outcome)
    rows, caught = list(simulation_rows(result)), result.forecasts.look_ahead
    drawn = _chosen(rows, at)
    views = [_view(result.bars, row) for row in drawn]
    trades = [view.trades(row) if view and row.orders else [] for view, row in zip(views, drawn, strict=True)]
    if json:
        from marketsim.cli.run_documents import FillsDocument

        output.document(FillsDocument(symbol=run.symbol, look_ahead=caught, bars=rows, drawn=drawn, finer=trades))
        return
    output.mark(caught is not None)
    _overview(run.symbol, rows)
    for row, view, finer in zip(drawn, views, trades, strict=True):
        _outcomes(row)
        if view is None:
            output.lines(*_drawing(row), "", _words(row), "")
            continue

        from marketsim.cli.finer_drawing import drawing, words

        output.lines(
            *drawing(row, view, finer, HEIGHT), "", words(finer, view.timeframe) if row.orders else _words(row), ""
        )


def _view(bars: "Bars", row: "SimulationRow") -> "FinerView | None":
    """The finer bars of an evaluated bar; None where none are used."""
    if not bars.finer:
        return None

    from marketsim.results.order_of_events import FinerView

    return FinerView.of(bars, bars.names().tolist().index(row.evaluated))


def _chosen(rows: "list[SimulationRow]", at: str | None) -> "list[SimulationRow]":
    """The rows of the bar `at`; without it the newest ambiguous one, else the newest trade, else the newest bar."""
    if at is None:
        newest = sorted(rows, key=lambda row: row.simulation)
        return [max(newest, key=lambda row: (row.ambiguous, row.trades > 0))]
    found = [row for row in rows if row.evaluated.startswith(at)] if at else []
    if not found:
        first, last = rows[-1].evaluated, rows[0].evaluated
        raise UsageError(f"--at {at}: no evaluated bar of that date; they run from {first} to {last}")
    return [row for row in found if row.orders] or found[:1]


def _overview(symbol: str, rows: "list[SimulationRow]") -> None:
    cells = [
        (row.evaluated, row.strategy, row.side, *_profits(row), f"{100 * row.probability:.0f}")
        for row in rows
        if row.probability is not None
    ]
    if not cells:
        output.lines(f"{symbol}: no bar leaves a fill in doubt; all fill rules agree.", "")
        return
    headers = ("Bar", "Strategy", "Side", "Provable\n%", "Expected\n%", "Touch\n%", "Take-profit\nprobability %")
    output.table(f"{symbol}: bars with a take-profit in doubt", headers, cells, words=3)


def _outcomes(row: "SimulationRow") -> None:
    headers = ("Lower\nlevel", "Upper\nlevel", "Open", "High", "Low", "Close", "Provable\n%", "Expected\n%", "Touch\n%")
    prices = (row.lower, row.upper, row.open, row.high, row.low, row.close)
    cells = (*map(tables.price, prices), *_profits(row))
    output.table(f"{row.evaluated}, {row.strategy}, {row.side}", headers, [cells], words=0)


def _profits(row: "SimulationRow") -> tuple[str, ...]:
    return tuple(f"{100 * profit:+.2f}" for profit in (row.provable, row.expected, row.touch))


def _drawing(row: "SimulationRow") -> list[str]:
    """The bar as a candle with its levels, a price axis downwards and the names of the prices beside it."""
    entry = {"long": "lower", "short": "upper"}.get(row.side)
    target = {"long": "upper", "short": "lower"}.get(row.side)
    prices = {
        "high": row.high,
        "low": row.low,
        "open": row.open,
        "close": row.close,
        "upper": row.upper,
        "lower": row.lower,
    }
    names = {name: name for name in prices}
    if entry and target:
        names |= {entry: "entry", target: f"{target} level, not used" if row.close_at_eod else "take-profit"}
    top, bottom = max(prices.values()), min(prices.values())
    span = (top - bottom) or 1.0

    def line(name: str) -> int:
        place: float = (top - prices[name]) / span
        return round(place * (HEIGHT - 1))

    body_sign, wick, level_sign = tuple(output.drawable(*output.CANDLE))
    body = range(min(line("open"), line("close")), max(line("open"), line("close")) + 1)
    lines = []
    for i in range(HEIGHT):
        here = [name for name in names if line(name) == i]
        around = level_sign if any(name in ("upper", "lower") for name in here) else " "
        mark = body_sign if i in body else wick if line("high") <= i <= line("low") else around
        side = around * SIDE
        labels = ", ".join(f"{names[name]} {tables.price(prices[name])}" for name in here)
        lines.append(f"{side}{mark}{side} {labels}".rstrip())
    return lines


def _words(row: "SimulationRow") -> str:
    if row.stood_aside:
        why = "no take-profit would cover the costs" if row.t is None else f"its in-sample t was {row.t:.2f}"
        return f"No order was placed on this bar: the simulation stood aside, {why}."
    if not row.orders:
        return "No order was placed on this bar."
    if not row.trades:
        return "The price never traded through the entry: nothing happened."
    if row.close_at_eod:
        return "Entered, and closed by a market order at the close, as this simulation chose: nothing is in doubt."
    if row.probability is not None:
        return (
            "Entered, and the take-profit was reached, but the bar does not say in which order. On a continuous path "
            "with this open, high, low and close the take-profit came after the entry with probability "
            f"{100 * row.probability:.0f} %."
        )
    return "Entered; the outcome is the same whatever the path was."

"""`marketsim compare-models`."""

from typing import Annotated, Any

import typer

from marketsim.cli import options, output, tables
from marketsim.registry import ENSEMBLES
from marketsim.settings.resolution import check

Row = dict[str, Any]


@options.takes(
    options.WALK,
    options.RULES,
    options.COSTS,
    options.BARS,
    options.OPTIMIZER,
    options.SEED,
    options.NETWORK,
    options.CACHE,
    options.CACHE_PLACE,
)
def compare_models(
    command: typer.Context,
    symbols: options.Symbols,
    models: Annotated[
        list[str],
        typer.Option("--models", metavar="NAME,...", help="Which; a blend:NAME,NAME stands in a --models of its own."),
    ] = ["har,rolling-quantile,last-bar"],  # noqa: B006
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """Hold models against each other on the same bars: their forecasts, their profit, their alpha, their pace."""
    settings = options.settings_of(command)
    groups = [[each] if each.partition(":")[0] in ENSEMBLES else each.split(",") for each in models]
    names = list(dict.fromkeys(name for group in groups for name in group))
    for name in names:
        check("model", name, "--models")

    from marketsim.comparison import models as ladder

    with output.progress() as progress:
        document, notes = ladder.compare(symbols, names, settings, progress)
    output.notes(notes)
    rows = [row for symbol in document["symbols"] for row in symbol["models"]]
    failed = [row for row in rows if row["status"] != "ok"]
    if json:
        output.document(document)
    elif len(failed) < len(rows):
        for symbol in document["symbols"]:
            _show(symbol, document["fill"])
    if len(failed) == len(rows):
        output.fail(failed[0]["error"])
        return int(failed[0]["exit_code"])
    return 4 if failed else 0


def _show(symbol: Row, fill: str) -> None:
    good = [row for row in symbol["models"] if row["status"] == "ok"]
    if good:
        output.lines(
            f"{symbol['symbol']}  {symbol['source']}",
            f"Forecasts judged on {symbol['judged']} bars from {symbol['first']} to {symbol['last']}, profit on the "
            f"newest {symbol['evaluated']}, by {fill} fills.",
            "",
        )
        _forecasts(good)
        _profits(good)
    for row in symbol["models"]:
        if row["status"] != "ok":
            output.lines(f"{row['model']}: {row['error']}")
        elif row["exposure"]["clean"] < symbol["evaluated"]:
            counts = ", ".join(f"{n} {tag}" for tag, n in row["exposure"].items() if n)
            output.lines(f"{row['model']}: {row['training']}; evaluated bars: {counts}")
    output.lines("")


def _forecasts(rows: list[Row]) -> None:
    channels = ("high", "low", "close")
    best = {each: min(row["pinball_bps"][each] for row in rows) for each in channels}
    losses, bands = [], []
    for row in rows:
        loss, pace = row["pinball_bps"], row["seconds_a_forecast"]
        marks = {each: "*" if loss[each] == best[each] else " " for each in channels}
        cached = "cached" if pace is None else f"{1e3 * pace:,.2f}"
        losses.append((row["model"], *(f"{loss[each]:.1f}{marks[each]}" for each in channels), cached))
        inside = (f"{100 * row['coverage'][each]:.0f}" for each in channels)
        bands.append((row["model"], *inside, tables.percent(row["close_direction"])))
    heads = ("High", "Low", "Close")
    output.table("Pinball loss, bps (* the least), and pace", ("Model", *heads, "Milliseconds\na forecast"), losses)
    output.table(
        "Bars inside the 80 % band, %, and closes on the side\nthat was forecast, %", ("Model", *heads, "Side"), bands
    )


def _profits(rows: list[Row]) -> None:
    profits, alphas = [], []
    for row in rows:
        for each in row["strategies"]:
            name = (row["model"], each["strategy"])
            interval = tables.span(*(each["interval_bps"] or (None, None)))
            profits.append((*name, str(each["trades"]), tables.signed(each["mean_bps"]), interval))
            interval = tables.span(*(each["alpha_interval_bps"] or (None, None)))
            alphas.append((*name, each["baseline"], tables.signed(each["alpha_bps"]), interval))
    heads = ("Mean\nbps/bar", "95 % interval\nbps/bar")
    output.table("Profit", ("Model", "Strategy", "Trades", *heads), profits, words=2)
    output.table(
        "Forecast alpha: profit less the best baseline's, bar by bar",
        ("Model", "Strategy", "Best baseline", *heads),
        alphas,
        words=3,
    )

"""`marketsim report`."""

from typing import Annotated

import typer

from marketsim.cli import options, output
from marketsim.cli.output_files import check_file
from marketsim.cli.plots import Plots


@options.takes(options.CACHE, options.CACHE_PLACE)
def report(
    command: typer.Context,
    directory: Annotated[str, typer.Argument(metavar="DIR", help="Folder of a saved run (--output).")],
    file: Annotated[str | None, typer.Argument(metavar="[FILE]", help="HTML file to write. [DIR/report.html]")] = None,
    plots: Annotated[
        str | None,
        typer.Option("--plots", metavar="FOLDER", help="Save its pictures in this folder too, as PNG and SVG."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace FILE and pictures.")] = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Write the HTML report of a saved run.

    It is that of `backtest --report`, its pictures those of `--plots`. Symbols are run once more for what the files do
    not hold; what does not come out the same is left out, and said.
    """
    from pathlib import Path

    path = Path(directory) / "report.html" if file is None else Path(file)
    check_file("FILE", str(path), (".html", ".htm"), overwrite)
    pictures = Plots(plots, overwrite)

    from contextlib import nullcontext

    from msgspec.structs import asdict

    from marketsim.backtesting.charts import places_for
    from marketsim.backtesting.charts.again import charts_again
    from marketsim.backtesting.pipeline import open_tools
    from marketsim.cli.run_documents import ReportDocument
    from marketsim.profiling import Clock
    from marketsim.results import saved_runs
    from marketsim.results.html.page import environment
    from marketsim.results.html.saved_report import saved_symbols, settings_of, write_saved
    from marketsim.results.schema import SymbolDocument

    environment()
    run, given = saved_runs.read(Path(directory)), options.settings_of(command)
    settings = settings_of(run).replace(cache=given.cache, **asdict(given.cache_place))
    places = places_for(len(run.results))
    tools = open_tools(settings, Clock())
    with tools.cache or nullcontext(), output.progress() as progress:
        symbols = saved_symbols(run, lambda document: charts_again(document, settings, tools, places, progress))
        write_saved(path, run, settings, symbols)
        for symbol in symbols:
            if symbol.charts and isinstance(symbol.document, SymbolDocument):
                pictures.draw(symbol.document, symbol.simulations, symbol.equity, symbol.charts)
    missing = [symbol.missing for symbol in symbols if symbol.missing]
    output.notes(missing)
    pictures.say()
    if json:
        output.document(ReportDocument(file=str(path), symbols=list(run.statuses), missing=missing))
    else:
        output.lines(str(path))

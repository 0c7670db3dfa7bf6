"""`marketsim report`."""

from typing import Annotated

import typer

from marketsim.cli import options, output
from marketsim.cli.output_files import check_file


@options.takes(options.CACHE, options.CACHE_PLACE)
def report(
    command: typer.Context,
    directory: Annotated[str, typer.Argument(metavar="DIR", help="Folder of a run, as given to --output.")],
    file: Annotated[
        str | None, typer.Argument(metavar="[FILE]", help="Where the page is written. [DIR/report.html]")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace FILE.")] = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Write the page of a saved run.

    It is that of `backtest --report`. Symbols are run once more for the pictures that need more than the saved files;
    what does not come out the same is left out, and said.
    """
    from pathlib import Path

    path = Path(directory) / "report.html" if file is None else Path(file)
    check_file("FILE", str(path), (".html", ".htm"), overwrite)

    from contextlib import nullcontext

    from msgspec.structs import asdict

    from marketsim.backtesting.charts import places_for
    from marketsim.backtesting.charts.again import charts_again
    from marketsim.backtesting.pipeline import open_tools
    from marketsim.cli.run_documents import ReportDocument
    from marketsim.profiling import Clock
    from marketsim.results import saved_runs
    from marketsim.results.html.page import environment
    from marketsim.results.html.saved_report import settings_of, write_saved

    environment()
    run, given = saved_runs.read(Path(directory)), options.settings_of(command)
    settings = settings_of(run).replace(cache=given.cache, **asdict(given.cache_place))
    places = places_for(len(run.results))
    tools = open_tools(settings, Clock())
    with tools.cache or nullcontext(), output.progress() as progress:
        missing = write_saved(
            path, run, settings, lambda document: charts_again(document, settings, tools, places, progress)
        )
    output.notes(missing)
    if json:
        output.document(ReportDocument(file=str(path), symbols=list(run.statuses), missing=missing))
    else:
        output.lines(str(path))

"""`marketsim runs list|show|compare`."""

from typing import TYPE_CHECKING, Annotated

import typer

from marketsim.cli import backtest_screen, options, output, tables
from marketsim.cli.help import GroupedCommand
from marketsim.errors import MarketsimError
from marketsim.results.sentences import reality_check
from marketsim.results.wording import in_words

if TYPE_CHECKING:
    from marketsim.cli.run_documents import ProfitRow, SavedRunRow
    from marketsim.results.evidence_schema import Tried
    from marketsim.results.saved_runs import Difference, SavedRun
    from marketsim.results.tried_runs import TriedRow

SEED = 42  # of the draws, the same for every list

app = typer.Typer(rich_markup_mode=None, help="List, show and compare saved runs.")

Directories = Annotated[list[str], typer.Argument(metavar="DIR...", help="Folder of a saved run (--output).")]


@app.command("list", cls=GroupedCommand)
def list_(
    directories: Annotated[list[str], typer.Argument(metavar="DIR...", help="Folders to search, with all below them.")],
    json: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """List the runs in folders: date, model, settings, profit."""
    from pathlib import Path

    from marketsim.cli.run_documents import RunsListDocument
    from marketsim.results import saved_runs
    from marketsim.results.tried_runs import common_fill, count_tries

    found: list[SavedRun] = []
    errors: list[MarketsimError] = []
    for directory in dict.fromkeys(place for name in directories for place in saved_runs.find(Path(name))):
        try:
            found.append(saved_runs.read(directory))
        except MarketsimError as error:
            errors.append(error)
    rows = [_in_short(run) for run in found]
    fill = common_fill(found)
    tried, best = count_tries(found, fill, SEED)
    if json:
        output.document(RunsListDocument(runs=rows, fill=fill, tried=tried, reality_check=best))
    elif rows:
        headers = ("Run", "Finished,\nUTC", "Model", "Last bar", "Symbols", "Changed\nsettings")
        output.table("Runs", headers, map(_overview, rows), words=6)
        _tried(fill, tried, best)
    return output.failures(errors, succeeded=bool(rows))


@app.command(cls=GroupedCommand)
def show(
    directories: Directories,
    full: Annotated[bool, typer.Option("--full", help="Show all settings and tables.")] = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Show runs: versions, changed settings, results."""
    from pathlib import Path

    from marketsim.cli.run_documents import RunsShowDocument, ShownRun
    from marketsim.results import saved_runs

    found = [saved_runs.read(Path(name)) for name in directories]
    if json:
        shown = [ShownRun(directory=str(run.directory), results=run.document) for run in found]
        output.document(RunsShowDocument(runs=shown))
        return
    for run in found:
        versions = ", ".join(f"{name} {_short(version)}" for name, version in run.versions.items())
        output.lines(f"Run  {run.directory}", f"By   {versions}", "")
        _settings(run, full)
        document = run.document
        symbols, pooled, check = document.symbols, document.pooled, document.reality_check
        backtest_screen.show(symbols, len(symbols), pooled, check, full, explain=False)
    if not full:
        output.hint("`--full` shows all settings and tables, ")


@app.command(cls=GroupedCommand)
def compare(
    left: Annotated[str, typer.Argument(metavar="A", help="Folder of one run.")],
    right: Annotated[str, typer.Argument(metavar="B", help="Folder of the other run.")],
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Compare two runs: what differs, and profit."""
    from pathlib import Path

    from marketsim.cli.run_documents import RunsCompareDocument
    from marketsim.results import saved_runs

    a, b = saved_runs.read(Path(left)), saved_runs.read(Path(right))
    differences, profits = list(saved_runs.differences(a, b)), _profits(a, b)
    if json:
        output.document(
            RunsCompareDocument(a=str(a.directory), b=str(b.directory), differences=differences, profits=profits)
        )
        return
    output.lines(f"A  {a.directory}", f"B  {b.directory}", "")
    if differences:
        first = differences[0]
        values = f"A {_short(first.left)}, B {_short(first.right)}"
        output.lines(f"First difference: {first.what} {first.where}, {values}.", "")
        output.table("What differs, causes first", ("What", "Where", "A", "B"), map(_cells, differences), words=4)
    else:
        output.lines("The runs agree in settings, versions, bars, models and simulations.", "")
    rows = [(row.symbol, row.strategy, *map(_percent, (row.a, row.b, row.difference))) for row in profits]
    output.table("Out-of-sample profit", ("Symbol", "Strategy", "A %", "B %", "B - A %"), rows, words=2)


def _settings(run: "SavedRun", full: bool) -> None:
    """Those that are not at their default, or all in full."""
    if full:
        settings = [(key, in_words(value), "*" * (key in run.changed)) for key, value in run.settings.items()]
        output.table("Settings (* changed from the default)", ("Key", "Value", ""), settings, words=3)
    elif run.changed:
        changed = [(key, in_words(value)) for key, value in run.changed.items()]
        output.table("Changed settings", ("Key", "Value"), changed, words=2)
    else:
        output.lines("All settings are at their defaults.", "")


def _tried(fill: str, rows: "list[TriedRow]", best: "Tried | None") -> None:
    """All runs counted together."""
    cells = [(row.directory, row.strategy, *tables.mean(row)) for row in rows]
    headers = ("Run", "Strategy", "Mean\nbps/bar", "95 % interval", "Smallest\nedge", "Bars for\n10 bps")
    title = f"Mean over all bars of a run, {fill} fills; intervals hold for all that was tried"
    output.table(title, headers, cells, words=2)
    if best is not None:
        output.lines(reality_check(best), "")


def _in_short(run: "SavedRun") -> "SavedRunRow":
    from marketsim.cli.run_documents import RunModel, SavedRunRow

    return SavedRunRow(
        directory=str(run.directory),
        finished=f"{run.finished:%Y-%m-%dT%H:%M:%SZ}",
        versions=run.versions,
        models=[RunModel(name=name, version=version) for name, version in run.models],
        last_bar=run.last_bar,
        symbols=list(run.statuses),
        failed=len(run.statuses) - len(run.results),
        changed=run.changed,
        headline={name: sum(profits.values()) / len(profits) for name, profits in run.headlines.items()},
    )


def _overview(row: "SavedRunRow") -> tuple[str, ...]:
    count = len(row.symbols)
    symbols = "\n".join(row.symbols) if count <= 3 else f"{count:,} symbols"
    failed = f"\n{row.failed} failed" if row.failed else ""
    changed = "\n".join(f"{key} {in_words(value)}" for key, value in row.changed.items())
    models = "\n".join(f"{model.name} {model.version}" for model in row.models)
    finished = row.finished.removesuffix("Z")[:-3].replace("T", "\n")  # to the minute
    last_bar = (row.last_bar or "-").replace("T", "\n")
    return row.directory, finished, models or "-", last_bar, symbols + failed, changed or "-"


def _cells(difference: "Difference") -> tuple[str, ...]:
    where = difference.where.replace(" ", "\n")
    return difference.what, where, _short(difference.left), _short(difference.right)


def _profits(a: "SavedRun", b: "SavedRun") -> "list[ProfitRow]":
    """The headline of every symbol and strategy in both runs; None where a run has none."""
    from marketsim.cli.run_documents import ProfitRow

    rows, headlines = [], (a.headlines, b.headlines)
    strategies = dict.fromkeys((*headlines[0], *headlines[1]))
    for symbol in dict.fromkeys((*a.statuses, *b.statuses)):
        for strategy in strategies:
            left, right = (found.get(strategy, {}).get(symbol) for found in headlines)
            if left is not None or right is not None:
                difference = None if left is None or right is None else right - left
                rows.append(ProfitRow(symbol=symbol, strategy=strategy, a=left, b=right, difference=difference))
    return rows


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:+.1f}"


def _short(value: object) -> str:
    """A value as a word or two: the beginning of a fingerprint, a number as it is."""
    text = in_words(value)
    return f"{text[:12]}..." if len(text) == 64 and " " not in text else text

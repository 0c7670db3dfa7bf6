"""`marketsim runs list|show|compare`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from marketsim.cli import options, output, tables
from marketsim.cli.help import GroupedCommand
from marketsim.errors import MarketsimError

if TYPE_CHECKING:
    from marketsim.results.saved_runs import Difference, Run

app = typer.Typer(rich_markup_mode=None, help="Look back at runs that were written with --output: list, show, compare.")

Directories = Annotated[list[str], typer.Argument(metavar="DIR...", help="What --output was.")]


@app.command("list", cls=GroupedCommand)
def list_(
    directories: Annotated[list[str], typer.Argument(metavar="DIR...", help="Folders to look in, and below.")],
    json: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """List the runs in folders and below: symbols, changed settings, profit."""
    from pathlib import Path

    from marketsim.results import saved_runs as runs

    rows: list[dict[str, Any]] = []
    errors: list[MarketsimError] = []
    for directory in dict.fromkeys(place for name in directories for place in runs.find(Path(name))):
        try:
            rows.append(_facts(runs.read(directory)))
        except MarketsimError as error:
            errors.append(error)
    if json:
        output.document({"schema": "marketsim.runs.list/1", "runs": rows})
    elif rows:
        headers = ("Run", "Symbols", "Changed settings", "Strategy", "Out-of-\nsample %")
        output.table("Runs, profit as the mean over symbols", headers, map(_overview, rows), words=4)
    for failure in errors:
        output.fail(str(failure))
    return 0 if not errors else 4 if rows else errors[0].exit_code


@app.command(cls=GroupedCommand)
def show(directories: Directories, json: options.Json = False, debug: options.Debug = False) -> None:
    """Show a run: its versions, its settings and its tables."""
    from pathlib import Path

    from marketsim.results import saved_runs as runs

    found = [runs.read(Path(name)) for name in directories]
    if json:
        shown = [{"directory": str(run.directory), "results": run.document} for run in found]
        output.document({"schema": "marketsim.runs.show/1", "runs": shown})
        return
    for run in found:
        with runs.as_written(run.directory):
            versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
            output.lines(f"Run  {run.directory}", f"By   {versions}", "")
            settings = [(key, _words(value), "*" * (key in run.changed)) for key, value in run.settings.items()]
            output.table("Settings; *: not the default", ("Key", "Value", ""), settings, words=3)
            tables.backtest(run.document)


@app.command(cls=GroupedCommand)
def compare(
    left: Annotated[str, typer.Argument(metavar="A", help="What --output was of one run.")],
    right: Annotated[str, typer.Argument(metavar="B", help="And of the other.")],
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Show where two runs differ first, and the profit between them."""
    from dataclasses import asdict
    from pathlib import Path

    from marketsim.results import saved_runs as runs

    a, b = (runs.read(Path(name)) for name in (left, right))
    found, profits = list(runs.differences(a, b)), _profits(a, b)
    if json:
        document = {"a": str(a.directory), "b": str(b.directory), "differences": [asdict(each) for each in found]}
        output.document({"schema": "marketsim.runs.compare/1", **document, "profits": profits})
        return
    output.lines(f"A  {a.directory}", f"B  {b.directory}", "")
    if found:
        what, where, *values = _cells(found[0])
        output.lines("First difference: {} {}, A {}, B {}.".format(what, where.replace("\n", " "), *values), "")
        output.table("What differs, causes first", ("What", "Where", "A", "B"), map(_cells, found), words=4)
    else:
        output.lines("The runs agree in settings, versions, bars, models and simulations.", "")
    keys = ("a", "b", "difference")
    rows = [(row["symbol"], row["strategy"], *(_percent(row[key]) for key in keys)) for row in profits]
    output.table("Out-of-sample profit", ("Symbol", "Strategy", "A %", "B %", "B - A %"), rows, words=2)


def _facts(run: "Run") -> dict[str, Any]:
    """What `list` says of a run."""
    return {
        "directory": str(run.directory),
        "versions": run.versions,
        "symbols": list(run.statuses),
        "failed": sum(status != "ok" for status in run.statuses.values()),
        "changed": run.changed,
        "headline": {name: sum(each.values()) / len(each) for name, each in run.headlines.items()},
    }


def _overview(row: dict[str, Any]) -> tuple[str, ...]:
    count = len(row["symbols"])
    symbols = "\n".join(row["symbols"]) if count <= 3 else f"{count} symbols"
    failed = f"\n{row['failed']} failed" if row["failed"] else ""
    changed = "\n".join(f"{key} {_words(value)}" for key, value in row["changed"].items())
    strategies, profits = "\n".join(row["headline"]), "\n".join(map(_percent, row["headline"].values()))
    return row["directory"], symbols + failed, changed or "-", strategies or "-", profits or "-"


def _cells(each: "Difference") -> tuple[str, ...]:
    return each.what, each.where.replace(" ", "\n"), _short(each.left), _short(each.right)


def _profits(a: "Run", b: "Run") -> list[dict[str, Any]]:
    """The headline of every symbol and strategy in both runs; None where one does not have it."""
    rows = []
    for symbol in dict.fromkeys((*a.statuses, *b.statuses)):
        for strategy in dict.fromkeys((*a.headlines, *b.headlines)):
            left, right = (run.headlines.get(strategy, {}).get(symbol) for run in (a, b))
            if left is not None or right is not None:
                difference = None if left is None or right is None else right - left
                rows.append({"symbol": symbol, "strategy": strategy, "a": left, "b": right, "difference": difference})
    return rows


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:+.1f}"


def _short(value: object) -> str:
    """A value as a word or two: the beginning of a fingerprint, a number as it is."""
    text = _words(value)
    return f"{text[:12]}..." if len(text) == 64 and " " not in text else text


def _words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    return "-" if value is None else str(value).lower() if isinstance(value, bool) else str(value)

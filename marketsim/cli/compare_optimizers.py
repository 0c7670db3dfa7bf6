"""`marketsim compare-optimizers`."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from marketsim.cli import options, output
from marketsim.cli.completion import several, symbols
from marketsim.cli.output_files import check_file, write_file
from marketsim.errors import MissingExtra, UsageError
from marketsim.settings.settings import CHOICES

if TYPE_CHECKING:
    from marketsim.comparison.schema import OptimizerRow, OptimizersDocument, ProblemFacts

BUDGET = 500
FILES = ("optimizers.json", "trials.csv", "history.csv")
PICTURES = {".png": "matplotlib", ".svg": "matplotlib", ".html": "plotly"}  # by suffix, what draws it


@options.takes(*options.all_but(options.VOUCHING, options.GATE, options.OPTIMIZER, options.WORK))
def compare_optimizers(
    command: typer.Context,
    symbol: Annotated[
        str | None, typer.Argument(metavar="[SYMBOL]", help="Such as NVDA. [ETHUSD]", autocompletion=symbols)
    ] = None,
    problem: Annotated[
        str,
        typer.Option(
            metavar="real|reference", help="Fits of the symbol's windows, or the reference system's benchmark."
        ),
    ] = "real",
    optimizers: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,C", help="Optimizers to compare. [all]", autocompletion=several(CHOICES["optimizer"])
        ),
    ] = None,
    budget: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Evaluations per fit. [500, or no limit with --seconds]")
    ] = None,
    seconds: Annotated[float | None, typer.Option(metavar="S", min=0.001, help="Seconds per fit.")] = None,
    tolerance: Annotated[
        float,
        typer.Option(metavar="X", min=0, help="Gain in profit below which a search may stop, a fraction of the stake."),
    ] = 1e-5,
    seeds: Annotated[
        int, typer.Option(metavar="N", min=1, help="Number of random seeds for each stochastic optimizer.")
    ] = 3,
    patience: Annotated[
        float,
        typer.Option(metavar="S", min=1, help="Seconds for the whole comparison; slow optimizers fit fewer windows."),
    ] = 120.0,
    landscape: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Plot profit over both multipliers, with all answers: .png, .svg or .html."),
    ] = None,
    history: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Plot the best profit so far by evaluations and seconds: .png, .svg, .html or .csv."
        ),
    ] = None,
    output_directory: Annotated[
        str | None,
        typer.Option("--output", metavar="DIR", help="Save the comparison in this folder, as JSON and CSV files."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing run and files.")] = False,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Compare optimizers on the same fits.

    Shows the profit that each finds, its gap to the proven optimum, its profit out-of-sample, and its time.
    """
    settings = options.settings_of(command)
    names = _names(optimizers)
    if problem not in ("real", "reference"):
        raise UsageError(f"--problem: got '{problem}', must be real or reference")
    if problem == "reference" and symbol is not None:
        raise UsageError("--problem reference has bars of its own: leave the symbol out")
    _check_picture("--landscape", landscape, overwrite)
    _check_picture("--history", history, overwrite, (".csv",))

    from marketsim.comparison import ranking
    from marketsim.comparison.optimizers import compare
    from marketsim.comparison.problems import reference_problems, symbol_problems
    from marketsim.optimizers.objective import Limits
    from marketsim.results.document import deciding
    from marketsim.results.encoding import to_csv, to_json
    from marketsim.results.manifest import Unfinished
    from marketsim.results.output_directory import OutputDirectory

    chosen = deciding(settings) | {"seeds": seeds, "patience": patience}
    limits = Limits(BUDGET if budget is None and seconds is None else budget, seconds, tolerance)
    notes: tuple[str, ...] = ()
    with ExitStack() as stack:
        directory = None
        if output_directory is not None:
            head = Unfinished.now("compare-optimizers", chosen)
            directory = stack.enter_context(OutputDirectory(output_directory, head, FILES, overwrite=overwrite))
        progress = stack.enter_context(output.progress())
        if problem == "reference":
            problems = reference_problems((settings.rules.bounds, settings.rules.bounds))
        else:
            problems, notes = symbol_problems(symbol or "ETHUSD", settings, progress)
        optima = problems.solve()
        runs = compare(names, problems, limits, range(settings.seed, settings.seed + seeds), patience, progress)
        document = ranking.document(problems, optima, runs, limits, chosen, settings.seed)
        if directory is not None:
            directory.stage("optimizers.json", to_json(document))
            directory.stage("trials.csv", to_csv(ranking.trials(problems, optima, runs)))
            directory.stage("history.csv", to_csv(ranking.history(problems, optima, runs)))
            directory.publish()
    output.notes(notes)
    if landscape is not None:
        from marketsim.comparison.landscape_plot import draw as draw_landscape

        draw_landscape(Path(landscape), problems, optima, runs)
    if history is not None and Path(history).suffix == ".csv":
        write_file(history, to_csv(ranking.history(problems, optima, runs)))
    elif history is not None:
        from marketsim.comparison.convergence_plot import draw as draw_history

        draw_history(Path(history), problems, optima, runs)
    if json:
        output.document(document)
    else:
        output.mark(problems.facts.look_ahead is not None)
        _show(document)


def _names(words: str | None) -> list[str]:
    """The requested optimizers, in order and without repeats."""
    from marketsim.registry import OPTIMIZERS, nearest, outside

    names = list(dict.fromkeys(name.strip() for name in words.split(",") if name.strip())) if words else [*OPTIMIZERS]
    for name in names:
        if name not in OPTIMIZERS and outside("optimizer", name) is None:
            known = ", ".join(OPTIMIZERS)
            raise UsageError(f"--optimizers: unknown '{name}'{nearest(name, OPTIMIZERS)} (known: {known})")
    if not names:
        raise UsageError("--optimizers needs a name, such as exact,direct")
    return names


def _check_picture(option: str, name: str | None, overwrite: bool, others: tuple[str, ...] = ()) -> None:
    """As `check_file`, for a picture or a file with another suffix; MissingExtra where it could not be drawn."""
    if name is None:
        return
    check_file(option, name, (*PICTURES, *others), overwrite)
    if (suffix := Path(name).suffix) in PICTURES:
        from importlib.util import find_spec

        if find_spec(PICTURES[suffix]) is None:
            raise MissingExtra(option, "plots")


def _show(document: "OptimizersDocument") -> None:
    problem, rows = document.problem, document.optimizers
    _header(document)
    _profits(problem, rows)
    if any(row.out_of_sample_bps is not None for row in rows):
        _out_of_sample(problem, rows)
    _times(problem, rows)
    if any(0 < row.windows < problem.windows for row in rows):
        output.lines(
            "What ran on fewer windows, all that --patience allowed, is compared with the optimum of these "
            "windows, and its time with that of differential evolution on them. Below 10 windows it has no rank."
        )
    output.lines(*(f"{row.name}: {row.message}" for row in rows if row.message))


def _header(document: "OptimizersDocument") -> None:
    problem, limits, optimum = document.problem, document.limits, document.optimum
    count = problem.windows * len(problem.policies)
    windows = f"{problem.windows} window{'s' if problem.windows > 1 else ''} of {problem.bars} bars"
    walk = f", evaluated from {problem.first} to {problem.last}" if problem.first else ""
    ends = [f"{limits.evaluations:,} evaluations"] if limits.evaluations else []
    ends += [f"{limits.seconds:g} s"] if limits.seconds else []
    settings = document.settings
    seeds = "1 seed" if settings["seeds"] == 1 else f"{settings['seeds']} seeds"
    output.lines(
        f"{problem.name}  {problem.source}",
        f"Fits      {count}: {windows}{walk}, by {_exits(problem)}",
        f"Strategy  {problem.strategy}, {problem.fill} fills, {problem.fee_bps:g} bps a {problem.fee_per}",
        f"Limits    {' or '.join(ends)} per fit; {seeds} for stochastic optimizers; {settings['patience']:g} s in all",
        f"Optimum   {optimum.profit_bps:+.3f} bps/bar, proven; all {count} in {optimum.seconds_together:.3f} s",
        "",
    )


def _profits(problem: "ProblemFacts", rows: "list[OptimizerRow]") -> None:
    from marketsim.results.significance import LEAST_BARS

    headers = (
        "Optimizer",
        "Rank",
        "Windows",
        "Found\nbps/bar",
        "Optimum\nbps/bar",
        "Gap\nbps/bar",
        "Reached\n%",
    )
    cells = [
        (
            row.name,
            "-" if row.rank is None else f"{row.rank}{'=' if row.tie else ''}",
            _windows(row, problem),
            _number(row.found_bps, "+.2f"),
            _number(row.optimum_bps, "+.2f"),
            _number(row.gap_bps, ".3f"),
            _number(row.reached, ".0%").removesuffix("%"),
        )
        for row in rows
    ]
    output.table(f"{problem.strategy}, in-sample{_mean(problem)}; = marks ties", headers, cells)
    if any(0 < row.windows < problem.windows for row in rows):
        output.lines(
            f"An optimizer without the time for all {problem.windows} windows is compared with the optimum of those "
            f"that it ran; with fewer than {min(LEAST_BARS, problem.windows)} it has no rank.",
            "",
        )


def _out_of_sample(problem: "ProblemFacts", rows: "list[OptimizerRow]") -> None:
    headers = (
        "Optimizer",
        "Windows",
        "Out-of-sample\nbps/bar",
        "95 % interval\nbps/bar",
        "Optimum's\nbps/bar",
    )
    cells = [
        (
            row.name,
            _windows(row, problem),
            _number(row.out_of_sample_bps, "+.1f"),
            "-" if row.low_bps is None else f"{row.low_bps:+.0f} .. {row.high_bps:+.0f}",
            _number(row.optimum_out_of_sample_bps, "+.1f"),
        )
        for row in rows
    ]
    output.table(
        f"{problem.strategy}, out-of-sample on the bars after these windows,\n"
        "by the exit of which more profit was found in-sample",
        headers,
        cells,
    )


def _times(problem: "ProblemFacts", rows: "list[OptimizerRow]") -> None:
    headers = ("Optimizer", "Windows", "Seconds", "Of DE's\ntime", "Evalu-\nations", "Overhead\nµs/eval.", "Status")
    cells = [
        (
            row.name,
            _windows(row, problem),
            _number(row.seconds, ".4f"),
            _number(row.ratio, ".3f"),
            _number(row.evaluations, ",.0f"),
            _number(None if row.overhead_seconds is None else 1e6 * row.overhead_seconds, ",.0f"),
            row.status,
        )
        for row in rows
    ]
    output.table(f"Time and evaluations for a window, by {_exits(problem)}", headers, cells)


def _windows(row: "OptimizerRow", problem: "ProblemFacts") -> str:
    return f"{row.windows}/{problem.windows}" if row.trials else "-"


def _mean(problem: "ProblemFacts") -> str:
    return ", mean of both exit policies" if len(problem.policies) > 1 else f", by {_exits(problem)}"


def _exits(problem: "ProblemFacts") -> str:
    return " and ".join({"take-profit": "take-profit", "close": "exit at the close"}[name] for name in problem.policies)


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)

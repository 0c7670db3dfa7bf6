"""`marketsim compare-optimizers`."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer

from marketsim.cli import options, output
from marketsim.errors import MarketsimError, MissingExtra, UsageError

BUDGET = 500
FILES = ("optimizers.json", "trials.csv", "history.csv")
PICTURES = {".png": "matplotlib", ".html": "plotly"}  # by suffix, what draws it

Row = dict[str, Any]


@options.takes(
    options.WALK,
    options.MODEL,
    options.RULES,
    options.COSTS,
    options.BARS,
    options.SEED,
    options.NETWORK,
    options.CACHE,
    options.CACHE_PLACE,
)
def compare_optimizers(
    command: typer.Context,
    symbol: Annotated[str | None, typer.Argument(metavar="[SYMBOL]", help="Such as NVDA. [ETHUSD]")] = None,
    problem: Annotated[
        str, typer.Option(metavar="real|reference", help="The symbol's windows, or the reference's benchmark.")
    ] = "real",
    optimizers: Annotated[str | None, typer.Option(metavar="A,B,C", help="Which ones. [all]")] = None,
    budget: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Evaluations a problem. [500, or none with --seconds]")
    ] = None,
    seconds: Annotated[float | None, typer.Option(metavar="S", min=0.001, help="Seconds a problem.")] = None,
    tolerance: Annotated[
        float, typer.Option(metavar="X", min=0, help="Difference of profits that is not worth a search.")
    ] = 1e-5,
    seeds: Annotated[int, typer.Option(metavar="N", min=1, help="Of the stochastic ones.")] = 3,
    patience: Annotated[
        float, typer.Option(metavar="S", min=1, help="Seconds for all; where it is short, fewer windows.")
    ] = 120.0,
    landscape: Annotated[
        str | None, typer.Option(metavar="FILE", help="Draw profit over (h, l), and all answers: .png or .html.")
    ] = None,
    history: Annotated[
        str | None, typer.Option(metavar="FILE", help="Best so far by evaluations and seconds: .png, .html, .csv.")
    ] = None,
    output_directory: Annotated[
        str | None, typer.Option("--output", metavar="DIR", help="Write optimizers.json, trials.csv, history.csv.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run that is in DIR.")] = False,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Compare optimisers on the same fits: profit, gap to the proven optimum, out of sample, time."""
    settings = options.settings_of(command)
    names = _names(optimizers)
    if problem not in ("real", "reference"):
        raise UsageError(f"--problem: got '{problem}', must be real or reference")
    if problem == "reference" and symbol is not None:
        raise UsageError("--problem reference has bars of its own: leave the symbol out")
    _check_file("--landscape", landscape, tuple(PICTURES))
    _check_file("--history", history, (*PICTURES, ".csv"))

    from marketsim.comparison import optimizers as arena
    from marketsim.comparison import problems as contests
    from marketsim.comparison import ranking as standings
    from marketsim.optimizers.objective import Limits
    from marketsim.results.document import deciding
    from marketsim.results.encoding import to_csv, to_json
    from marketsim.results.manifest import Unfinished
    from marketsim.results.output_directory import OutputDirectory

    chosen = deciding(settings) | {"seeds": seeds, "patience": patience}
    limits = Limits(BUDGET if budget is None and seconds is None else budget, seconds, tolerance)
    with ExitStack() as stack:
        directory = None
        if output_directory is not None:
            head = Unfinished.now("compare-optimizers", chosen)
            directory = stack.enter_context(OutputDirectory(output_directory, head, FILES, overwrite=overwrite))
        progress = stack.enter_context(output.progress())
        notes: tuple[str, ...] = ()
        if problem == "reference":
            contest = contests.reference_contest((settings.rules.bounds, settings.rules.bounds))
        else:
            contest, notes = contests.real_contest(symbol or "ETHUSD", settings, progress)
        proof = arena.prove(contest)
        own = range(settings.seed, settings.seed + seeds)
        entries = arena.compete(names, contest, limits, own, patience, progress)
        document = standings.document(contest, proof, entries, limits, chosen)
        if directory is not None:
            directory.stage("optimizers.json", to_json(document))
            directory.stage("trials.csv", to_csv(standings.trials(contest, proof, entries)))
            directory.stage("history.csv", to_csv(standings.history(contest, proof, entries)))
            directory.publish()
    output.notes(notes)
    if landscape is not None:
        from marketsim.comparison.landscape_plot import draw as draw_landscape

        draw_landscape(Path(landscape), contest, proof, entries)
    if history is not None and Path(history).suffix == ".csv":
        steps = to_csv(standings.history(contest, proof, entries))
        try:
            Path(history).write_text(steps, encoding="utf-8", newline="")
        except OSError as error:
            raise MarketsimError(f"cannot write {history}: {error.strerror}") from None
    elif history is not None:
        from marketsim.comparison.convergence_plot import draw as draw_history

        draw_history(Path(history), contest, proof, entries)
    if json:
        output.text(to_json(document))
    else:
        _show(document)


def _names(words: str | None) -> list[str]:
    """The optimisers that are asked for, in order and once each."""
    from marketsim.registry import OPTIMIZERS, nearest

    names = list(dict.fromkeys(name.strip() for name in words.split(",") if name.strip())) if words else [*OPTIMIZERS]
    for name in names:
        if name not in OPTIMIZERS:
            known = ", ".join(OPTIMIZERS)
            raise UsageError(f"--optimizers: unknown '{name}'{nearest(name, OPTIMIZERS)} (known: {known})")
    if not names:
        raise UsageError("--optimizers needs a name, such as exact,direct")
    return names


def _check_file(option: str, name: str | None, suffixes: tuple[str, ...]) -> None:
    """UsageError, before anything is run, where the file could not be drawn or written."""
    if name is None:
        return
    path = Path(name)
    if path.suffix not in suffixes:
        raise UsageError(f"{option} {name}: must end in {' or '.join(suffixes)}")
    if not path.parent.is_dir() or path.is_dir():
        raise UsageError(f"{option} {name}: there is no folder {path.parent}, or it is a folder itself")
    if path.suffix in PICTURES:
        from importlib.util import find_spec

        if find_spec(PICTURES[path.suffix]) is None:
            raise MissingExtra(option, "plots")


def _show(document: Row) -> None:
    rows = document["optimizers"]
    _header(document)
    _profits(document, rows)
    _costs(document, rows)
    remarks = [f"{row['name']}: {row['message']}" for row in rows if row["message"]]
    output.lines(*remarks)


def _header(document: Row) -> None:
    problem, limits, settings = document["problem"], document["limits"], document["settings"]
    each = {"take-profit": "take-profit", "close": "exit at the close"}
    policies = " and ".join(each[policy] for policy in problem["policies"])
    count = problem["windows"] * len(problem["policies"])
    windows = f"{problem['windows']} window{'s' if problem['windows'] > 1 else ''} of {problem['bars']} bars"
    ends = [f"{limits['evaluations']:,} evaluations"] if limits["evaluations"] else []
    ends += [f"{limits['seconds']:g} s"] if limits["seconds"] else []
    walk = f", evaluated from {problem['first']} to {problem['last']}" if "first" in problem else ""
    costs = f"{problem['fee_bps']:g} bps a {'side' if 'first' in problem else 'trade'}"
    optimum = document["optimum"]
    output.lines(
        f"{problem['name']}  {problem['source']}",
        f"Problems  {count}: {windows}{walk}, by {policies}",
        f"Strategy  {problem['strategy']}, {problem['fill']} fills, {costs}",
        f"Limits    {' or '.join(ends)} a problem; {settings['seeds']} seeds where the seed matters; "
        f"{settings['patience']:g} s for all",
        f"Optimum   {optimum['profit_bps']:+.3f} bps/bar, proven; all {count} in {optimum['seconds_together']:.3f} s",
        "",
    )


def _profits(document: Row, rows: list[Row]) -> None:
    headers = (
        "Optimiser",
        "Rank",
        "Found\nbps/bar",
        "Gap\nbps/bar",
        "Reached\n%",
        "Out-of-\nsample",
        "95 %\ninterval",
    )
    cells = [
        (
            row["name"],
            "-" if row["rank"] is None else f"{row['rank']}{'=' if row['tie'] else ''}",
            _number(row["found_bps"], "+.2f"),
            _number(row["gap_bps"], ".3f"),
            _number(None if row["reached"] is None else 100 * row["reached"], ".0f"),
            _number(None if row["low_bps"] is None else row["out_of_sample_bps"], "+.1f"),
            "-" if row["low_bps"] is None else f"{row['low_bps']:+.0f} .. {row['high_bps']:+.0f}",
        )
        for row in rows
    ]
    output.table("Profit found in-sample, and out-of-sample with it; ranks with = are ties", headers, cells)


def _costs(document: Row, rows: list[Row]) -> None:
    headers = ("Optimiser", "Seconds", "Of DE's\ntime", "Evalu-\nations", "Overhead\nus/eval.", "Win-\ndows", "Status")
    cells = [
        (
            row["name"],
            _number(row["seconds"], ".4f"),
            _number(row["ratio"], ".3f"),
            _number(row["evaluations"], ",.0f"),
            _number(None if row["overhead_seconds"] is None else 1e6 * row["overhead_seconds"], ",.0f"),
            str(row["windows"]) if row["runs"] else "-",
            row["status"],
        )
        for row in rows
    ]
    policies = len(document["problem"]["policies"])
    what = "both closing policies" if policies == 2 else "the closing policy"
    output.table(f"Time and evaluations for {what} of a window", headers, cells)
    windows = document["problem"]["windows"]
    if any(0 < row["windows"] < windows for row in rows):
        output.lines(
            f"Fewer than {windows} windows are an even sample, all that --patience allowed: compare its gap, not its "
            "profits; below 10 there is no rank.",
        )


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)

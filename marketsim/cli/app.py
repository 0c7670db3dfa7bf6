"""The Typer application: one line for each command.

No file of commands postpones its annotations: Typer would compile each of them anew at every start.
"""

from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple

import typer

from marketsim import __version__


class Listed(NamedTuple):
    """A command or a group of commands, imported when it is used."""

    place: str  # as module:attribute
    help: str  # its first line


COMMANDS = {
    "backtest": Listed("marketsim.cli.backtest:backtest", "Backtest symbols walk-forward and plan the next bar."),
    "report": Listed("marketsim.cli.report:report", "Write the HTML report of a saved run."),
    "fast": Listed("marketsim.cli.backtest:fast", "Run backtest with at most 35 simulations, the newest."),
    "plan": Listed("marketsim.cli.plan:plan", "Print the orders for the next session, one a line."),
    "forecast": Listed("marketsim.cli.forecast:forecast", "Forecast the next bar of symbols, or several bars."),
    "fills": Listed("marketsim.cli.fills:fills", "Show the fills that bars leave in doubt, and draw one."),
    "calibration": Listed(
        "marketsim.cli.calibration:calibration", "Check the probabilities of fills against finer bars."
    ),
    "score-forecasts": Listed(
        "marketsim.cli.score_forecasts:score_forecasts", "Score the forecasts of models: losses and calibration."
    ),
    "compare-models": Listed(
        "marketsim.cli.compare_models:compare_models", "Compare models on the same bars: forecasts and profit."
    ),
    "compare-optimizers": Listed(
        "marketsim.cli.compare_optimizers:compare_optimizers", "Compare optimizers on the same fits."
    ),
    "evening": Listed("marketsim.cli.evening:evening", "Fetch, check, plan, seal and score in one command."),
    "score": Listed("marketsim.cli.score:score", "Score sealed plans: promised and realized profit."),
    "audit": Listed("marketsim.cli.audit:audit", "Check that a backtest cannot see the future."),
    "profile": Listed("marketsim.cli.profile:profile", "Measure where the time and memory of a backtest go."),
    "config": Listed("marketsim.cli.config:show", "Show every setting, its value and where it came from."),
    "explain": Listed("marketsim.cli.explain:explain", "Explain a column, a word of the tables, or a setting."),
}
GROUPS = {
    "models": Listed("marketsim.cli.models:app", "List the forecasting models, or create your own."),
    "data": Listed("marketsim.cli.data:app", "List, check, show, convert, resample and fetch bars."),
    "cache": Listed("marketsim.cli.cache:app", "Inspect, clear, prune and verify the forecast cache."),
    "journal": Listed("marketsim.cli.journal:app", "List, verify, replay and export sealed plans."),
    "runs": Listed("marketsim.cli.runs:app", "List, show and compare saved runs."),
}

COMPILED = {  # what is computed by compiled code where it can be used
    "exact fit": "marketsim.optimizers.exact.compiled",
    "take-profit probabilities": "marketsim.execution.fill_probability",
    "take-profit weights": "marketsim.execution.lattices",
}


def make_app(words: Sequence[str], whole: bool = False) -> typer.Typer:
    """The application for a command line; what it does not ask for is only listed, unless the `whole` one is wanted.

    Importing a command, and Typer's look at each of its options, are a good part of a start; behind the name of one
    command there is not even need for a list of the others.
    """
    asked = next((word for word in words if not word.startswith("-")), None)
    known = {**COMMANDS, **GROUPS}
    names = [asked] if not whole and asked in known and words[0] == asked else known
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    for name in names:
        wanted, listed = whole or name == asked, known[name]
        if name in GROUPS:
            app.add_typer(_import(listed.place) if wanted else typer.Typer(help=listed.help), name=name)
        elif wanted:
            from marketsim.cli.help import GroupedCommand

            dashes = {"ignore_unknown_options": True} if name == "explain" else None  # of `explain --fill`
            app.command(name, cls=GroupedCommand, context_settings=dashes)(_import(listed.place))
        else:
            app.command(name, help=listed.help)(_nothing)
    app.callback(invoke_without_command=True)(root)
    return app


def _import(place: str) -> Any:
    module, attribute = place.split(":")
    return getattr(import_module(module), attribute)


def _nothing() -> None: ...


def root(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Show the version and exit."),
    verbose: bool = typer.Option(False, "--verbose", help="With --version: also show what is compiled."),
) -> None:
    """Backtest next-bar forecasts: exact fits, honest fills, walk-forward simulations."""
    if version:
        typer.echo(f"marketsim {__version__}")
        if verbose:
            typer.echo("\n".join(_compiled_or_not()))
        raise typer.Exit
    if verbose:
        raise typer.BadParameter("goes with --version", param_hint="--verbose")
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def compiled_parts() -> dict[str, bool]:
    """Whether each of the parts that can be compiled is computed by compiled code."""
    return {name: _import(f"{module}:compiled_code")() is not None for name, module in COMPILED.items()}


def _compiled_or_not() -> list[str]:
    parts = compiled_parts()
    compiled, other = (", ".join(name for name in parts if parts[name] is wanted) for wanted in (True, False))
    lines = [f"compiled code: {compiled}"] if compiled else []
    return [*lines, f"numpy: {other} (no compiled code: the same results, more slowly)"] if other else lines

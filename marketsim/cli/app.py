"""The Typer application: one line a command.

No file of commands postpones its annotations: Typer would compile each of them anew at every start.
"""

import typer

from marketsim import __version__
from marketsim.cli import cache, config, data, runs
from marketsim.cli.backtest import backtest
from marketsim.cli.compare_models import compare_models
from marketsim.cli.compare_optimizers import compare_optimizers
from marketsim.cli.fills import fills
from marketsim.cli.profile import profile

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
app.command()(backtest)
app.command("fast", help="The same as backtest, with at most 35 simulations, the newest.")(backtest)
app.command()(fills)
app.command("compare-models")(compare_models)
app.command()(compare_optimizers)
app.command()(profile)
app.command("config")(config.show)
app.add_typer(data.app, name="data")
app.add_typer(cache.app, name="cache")
app.add_typer(runs.app, name="runs")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"marketsim {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
    ),
) -> None:
    """Backtest next-bar forecasts: exact fits, honest fills, walk-forward simulations."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())

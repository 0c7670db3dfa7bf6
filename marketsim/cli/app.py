"""The Typer application: one line a command.

No file of commands postpones its annotations: Typer would compile each of them anew at every start.
"""

from collections.abc import Callable, Sequence

import typer

from marketsim import __version__
from marketsim.cli import cache, config, data, models, runs
from marketsim.cli.audit import audit
from marketsim.cli.backtest import backtest, fast
from marketsim.cli.compare_models import compare_models
from marketsim.cli.compare_optimizers import compare_optimizers
from marketsim.cli.explain import explain
from marketsim.cli.fills import fills
from marketsim.cli.forecast import forecast
from marketsim.cli.help import GroupedCommand
from marketsim.cli.profile import profile

COMMANDS: dict[str, Callable[..., object]] = {
    "backtest": backtest,
    "fast": fast,
    "forecast": forecast,
    "fills": fills,
    "compare-models": compare_models,
    "compare-optimizers": compare_optimizers,
    "audit": audit,
    "profile": profile,
    "config": config.show,
    "explain": explain,
}
GROUPS = {"models": models.app, "data": data.app, "cache": cache.app, "runs": runs.app}
HELP = {"fast": "Run backtest with at most 35 simulations, the newest."}


def make_app(words: Sequence[str], whole: bool = False) -> typer.Typer:
    """The application for a command line; what it does not ask for is only listed, unless the `whole` one is wanted.

    Typer inspects every option of what it builds, which is a good part of a start.
    """
    asked = next((word for word in words if not word.startswith("-")), None)
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
    for name, function in COMMANDS.items():
        app.command(name, help=HELP.get(name), cls=GroupedCommand)(
            function if whole or name == asked else _listed(function)
        )
    for name, group in GROUPS.items():
        app.add_typer(group if whole or name == asked else typer.Typer(help=group.info.help), name=name)
    app.callback(invoke_without_command=True)(root)
    return app


def _listed(function: Callable[..., object]) -> Callable[[], None]:
    """A command of the same words, without options."""

    def listed() -> None: ...

    listed.__doc__ = function.__doc__
    return listed


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"marketsim {__version__}")
        raise typer.Exit


def root(
    context: typer.Context,
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
    ),
) -> None:
    """Backtest next-bar forecasts: exact fits, honest fills, walk-forward simulations."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())

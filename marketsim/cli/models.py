"""`marketsim models list`."""

import typer

from marketsim.cli import options, output
from marketsim.cli.help import GroupedCommand

app = typer.Typer(rich_markup_mode=None, help="List the forecasting models.")


@app.command("list", cls=GroupedCommand)
def list_(json: options.Json = False, debug: options.Debug = False) -> None:
    """List the models: variants, extras, training data."""
    from dataclasses import asdict

    from marketsim.models.listing import list_models
    from marketsim.registry import ENSEMBLES, members

    models = list_models()
    if json:
        output.document({"schema": "marketsim.models.list/1", "models": [asdict(model) for model in models]})
        return
    cells = [
        (
            model.name,
            "\n".join(model.variants) or "-",
            model.extra or "-",
            model.trained_until or "-",
            "yes" if model.installed else "no",
        )
        for model in models
        if model.name not in ENSEMBLES
    ]
    headers = ("Model", "Variants,\ndefault first", "Extra", "Training data\nuntil", "Installed")
    output.table("Models; use one with --model NAME or NAME:VARIANT", headers, cells, words=5)
    output.lines(
        f"auto picks one of several and blend averages them: {', '.join(members('auto'))}, or those that you name, as "
        "in blend:har,kronos. An extra is installed by pip install 'marketsim[EXTRA]'.",
        "",
    )

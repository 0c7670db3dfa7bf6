"""`marketsim models list|new`."""

from typing import Annotated

import typer

from marketsim.cli import options, output
from marketsim.cli.help import GroupedCommand

app = typer.Typer(rich_markup_mode=None, help="List the forecasting models, or create your own.")


@app.command("list", cls=GroupedCommand)
def list_(json: options.Json = False, debug: options.Debug = False) -> None:
    """List the models: variants, extras, training data."""
    from marketsim.models.listing import list_models
    from marketsim.registry import ENSEMBLES, members

    models = list_models()
    if json:
        from msgspec import convert

        from marketsim.cli.documents import ListedModelRow, ModelsListDocument

        output.document(ModelsListDocument(models=convert(models, list[ListedModelRow], from_attributes=True)))
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
        *(
            f"{model.name}:{name} has weights under {terms}."
            for model in models
            for name, terms in model.licenses.items()
        ),
        *(f"{model.name}:{name} is not offered: {why}." for model in models for name, why in model.not_offered.items()),
    )
    output.lines(
        f"auto picks one of several and blend averages them: {', '.join(members('auto'))}, or those that you name, as "
        "in blend:har,kronos. An extra is installed by pip install 'marketsim[EXTRA]'.",
        "",
    )


@app.command(cls=GroupedCommand)
def new(
    file: Annotated[str, typer.Argument(metavar="FILE.py", help="Such as mymodel.py; it must not exist yet.")],
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Write a model of your own to start from, one that works."""
    from pathlib import Path

    from marketsim.cli.output_files import write_file
    from marketsim.errors import MarketsimError, UsageError
    from marketsim.models.template import CLASS, TEMPLATE

    path = Path(file)
    if path.suffix != ".py":
        raise UsageError(f"{path} must end in .py, such as mymodel.py")
    try:
        path.open("x").close()
    except FileExistsError:
        raise UsageError(f"{path} already exists: name a new file") from None
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None
    try:
        write_file(file, TEMPLATE)
    except MarketsimError:
        path.unlink()  # still empty
        raise
    model = f"{path}:{CLASS}"
    if json:
        from marketsim.cli.documents import NewModelDocument

        output.document(NewModelDocument(file=str(path), model=model))
    else:
        output.lines(f"{path} is written. Try it: marketsim backtest ETHUSD --model {model}")

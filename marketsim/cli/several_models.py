"""The options of commands that take several models and files of forecasts."""

from collections.abc import Sequence
from typing import Annotated

import typer

from marketsim.cli.completion import several
from marketsim.registry import ENSEMBLES
from marketsim.settings.resolution import check
from marketsim.settings.settings import CHOICES

DEFAULT = ["har,rolling-quantile,last-bar"]
Models = Annotated[
    list[str],
    typer.Option(
        "--models",
        metavar="NAME,...",
        help="Models; give blend:NAME,NAME in a separate --models.",
        autocompletion=several(CHOICES["model"]),
    ),
]
Files = Annotated[
    list[str] | None,
    typer.Option("--forecasts", metavar="FILE,...", help="Files of your own forecasts, to compare too."),
]


def names_of(models: Sequence[str]) -> list[str]:
    """The models that `--models` names, without repeats; UsageError for an unknown one."""
    groups = [[model] if model.partition(":")[0] in ENSEMBLES else model.split(",") for model in models]
    names = list(dict.fromkeys(name for group in groups for name in group))
    for name in names:
        check("model", name, "--models")
    return names


def files_of(forecasts: Sequence[str] | None) -> list[str]:
    """The files that `--forecasts` names, each once."""
    return list(dict.fromkeys(file for files in forecasts or [] for file in files.split(",")))

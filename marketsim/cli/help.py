"""Parsing and help of the commands: a command's own options first, then settings by group."""

from __future__ import annotations

import re
from typing import Any

from typer import TyperException
from typer.core import TyperCommand

from marketsim.cli.options import GROUPS, option, taken_by
from marketsim.errors import UsageError
from marketsim.settings.database_url import has_password

OWN = "Options"
RANGE = re.compile(r" *\[[-\d.e<=]*x[<>=][^\]]*\]|; [-\d.e<=]*x[<>=][^\]]*(?=\])")
DEFAULT = re.compile(r" *\[default: ([^\]]*)\]")
RENAMED = {"--num-simulations": "--sims", "--num-sims": "--sims"}  # options of the reference system


class GroupedCommand(TyperCommand):
    """A command whose options stand in sections; without Rich, which would double the time that help takes.

    Its own options are those of its function; after them come those of the settings that the function takes.
    """

    def __init__(self, *words: Any, **details: Any) -> None:
        super().__init__(*words, **details)
        self.params += map(option, taken_by(self.callback))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words; UsageError for a password where it would be shown or become the name of a file."""
        try:
            left = super().parse_args(ctx, args)
        except TyperException as error:
            name = getattr(error, "option_name", "")
            if name in RENAMED:
                raise UsageError(f"{name} is called {RENAMED[name]} here") from None
            raise
        for param in self.get_params(ctx):
            words = ctx.params.get(param.name)
            words = words if isinstance(words, (list, tuple)) else (words,)
            if param.name != "cache_url" and any(isinstance(word, str) and has_password(word) for word in words):
                name = param.opts[0] if param.param_type_name == "option" else "an argument"
                raise UsageError(f"{name} holds what seems to be a password; the address of a database is --cache-url")
        return list(left)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, then the options by section."""
        sections: dict[str, list[tuple[str, str]]] = {
            title: [] for title in ("Arguments", OWN, *(group.title for group in GROUPS))
        }
        for param in self.get_params(ctx):
            if (record := param.get_help_record(ctx)) is not None:
                panel = getattr(param, "rich_help_panel", None)
                section = sections["Arguments" if param.param_type_name == "argument" else panel or OWN]
                section.append((record[0], _as_settings_say(record[1])))
        for title, records in sections.items():
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def _as_settings_say(help: str) -> str:
    """Typer's help on an option with its default in the style of settings, and without the range, which errors name.

    >>> _as_settings_say("Bars ahead.  [default: 120.0; x>=1]"), _as_settings_say("Seconds per fit.  [x>=0.001]")
    ('Bars ahead. [120]', 'Seconds per fit.')
    """
    help = RANGE.sub("", help)
    return DEFAULT.sub(lambda found: f" [{found[1].removesuffix('.0')}]", help)

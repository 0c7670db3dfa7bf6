"""`marketsim config`."""

import typer

from marketsim.cli import options, output
from marketsim.settings.settings import shown


def show(
    command: typer.Context,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Show every setting, its value and where it came from."""
    found = options.resolution_of(command)
    values = shown(found.settings)
    if json:
        from marketsim.cli.documents import ConfigDocument, ShownSetting

        entries = {key: ShownSetting(value=value, source=found.origins[key]) for key, value in values.items()}
        output.document(ConfigDocument(settings=entries))
    else:
        unset = {"fee_bps": "auto", "cache_dir": "the platform's", "journal": "the platform's"}
        rows = [
            (key, unset.get(key, "-") if value is None else _words(value), found.origins[key])
            for key, value in values.items()
        ]
        output.table("Settings", ("Key", "Value", "From"), rows, words=3)


def _words(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)

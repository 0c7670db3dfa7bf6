"""`marketsim data convert|resample`: bars as Parquet files, one per symbol."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec import Struct, field

from marketsim.cli import options
from marketsim.cli.survey import Names, survey
from marketsim.errors import UsageError

if TYPE_CHECKING:
    from marketsim.data.bars import Bars

Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing files in DIR.")]


class Folder(Struct):
    """The folder of --to."""

    path: Path
    overwrite: bool
    written: set[Path] = field(default_factory=set)  # files of this command

    def make(self) -> None:
        """Make the folder; UsageError where nothing can be written there."""
        from marketsim.settings.named_files import make_folder

        make_folder("--to", self.path)

    def check(self, symbol: str) -> None:
        """UsageError if the symbol's file exists already, and must not be replaced."""
        file = self._file(symbol)
        if file in self.written:
            raise UsageError(f"{symbol} is written to {file} already, from other bars: leave one of them out")
        if not self.overwrite and file.exists():
            raise UsageError(f"--to {self.path}: {file.name} already exists; --overwrite replaces it")

    def write(self, bars: "Bars") -> dict[str, Any]:
        """Write the bars, and return the document's entry."""
        from marketsim.data.parquet import write_bars

        file = self._file(bars.symbol)
        write_bars(bars, file)
        self.written.add(file)
        return {"file": str(file)}

    def _file(self, symbol: str) -> Path:
        from marketsim.data.symbols import parse_symbol

        return self.path / f"{parse_symbol(symbol)}.parquet"


def _place(to: str) -> Path:
    if not to.strip():
        raise UsageError("--to needs the name of a folder, not an empty one")
    return Path(to)


@options.takes(options.BARS, options.STORE)
def convert(
    command: typer.Context,
    names: Names = None,
    to: Annotated[str, typer.Option("--to", metavar="DIR", help="Folder for the Parquet files.")] = "bars",
    overwrite: Overwrite = False,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """Write bars as Parquet files, checked and adjusted, in UTC.

    There is one file per symbol.
    """
    settings = options.settings_of(command)
    folder = Folder(_place(to), overwrite)
    folder.make()
    return survey(names or [], settings, f"Written to {to}", json, before=folder.check, also=folder.write)


@options.takes(options.BARS, options.STORE)
def resample(
    command: typer.Context,
    names: Names = None,
    into: Annotated[str, typer.Option("--into", metavar="T", help="Length of the bars to make.")] = "1d",
    to: Annotated[
        str | None, typer.Option("--to", metavar="DIR", help="Folder for the Parquet files. [bars-T]")
    ] = None,
    overwrite: Overwrite = False,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """Make longer bars of shorter ones, session by session.

    A bar of which shorter ones are missing is left out. There is one Parquet file per symbol.
    """
    settings = options.settings_of(command)

    from marketsim.data.calendars.timeframe import parse_timeframe
    from marketsim.data.resample import resample as resampled

    folder = Folder(_place(f"bars-{parse_timeframe(into)}" if to is None else to), overwrite)
    folder.make()
    return survey(
        names or [],
        settings,
        f"Written to {folder.path}",
        json,
        before=folder.check,
        made=lambda bars: resampled(bars, into),
        also=folder.write,
    )

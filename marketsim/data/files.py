"""Bars of one's own: a CSV or Parquet file, or a directory of them."""

from __future__ import annotations

import shlex
import stat
from functools import cached_property
from pathlib import Path

from marketsim.data.bars import Bars, make_bars
from marketsim.data.symbols import parse_symbol
from marketsim.data.table import Table, has_symbol_column, printable, read_table
from marketsim.errors import DataError, UsageError
from marketsim.registry import nearest

SUFFIXES = (".csv", ".parquet")


class FileSource:
    """Bars from `data`, a file, or a directory whose *.csv and *.parquet are read.

    A file holds one symbol, the one that it is named after (ETHUSD.csv, eth-usd.parquet), or many, told
    apart by a column `symbol` or `ticker`.
    """

    name = "files"

    def __init__(self, data: str | None, on_bad_bars: str = "error") -> None:
        if data is None:
            raise UsageError("the source 'files' needs --data FILE or --data DIR")
        self.path = Path(data)
        self.place = printable(data)
        self.listing = f"marketsim data list --data {shlex.quote(self.place)}"
        self.drop = on_bad_bars == "drop"
        self._shared: dict[Path, Table] = {}  # tables of many symbols, read once

    def symbols(self) -> list[str]:
        """See `Source.symbols`."""
        return sorted(self._paths)

    def load(self, symbol: str, crypto: bool | None = None) -> Bars:
        """See `Source.load`."""
        symbol = parse_symbol(symbol)
        paths = self._paths.get(symbol, [])
        if not paths:
            if self.path.is_file():
                self._read(self.path)  # what is wrong with the file itself says more
            hint = nearest(symbol, self._paths)
            raise DataError(f"no bars of {symbol} in {self.place}{hint} ('{self.listing}' shows all)")
        if len(paths) > 1:
            names = " and ".join(printable(path) for path in paths)
            raise DataError(f"{symbol} is in more than one file: {names}; keep one of them")
        table = self._read(paths[0])
        rows = table.rows(symbol)
        return make_bars(
            symbol,
            self.describe(table),
            table.time[rows],
            table.ohlcv[rows],
            crypto=crypto,
            drop=self.drop,
            unreadable={i: table.unreadable[row] for i, row in enumerate(rows) if row in table.unreadable},
            place=lambda i: table.places[rows[i]],
            time_column=table.time_column,
            notes=table.notes,
        )

    def describe(self, table: Table) -> str:
        """What `Bars.source` says."""
        return table.name

    @cached_property
    def _paths(self) -> dict[str, list[Path]]:
        """The files that hold each symbol; one, unless two claim the same."""
        found: dict[str, list[Path]] = {}
        for path in self._files():
            for symbol in self._symbols_in(path):
                found.setdefault(symbol, []).append(path)
        return found

    def _files(self) -> list[Path]:
        try:
            if not stat.S_ISDIR(self.path.stat().st_mode):
                return [self.path]
            entries = sorted(self.path.iterdir())
        except OSError as error:
            raise DataError(f"{self.place}: {(error.strerror or str(error)).lower()}") from error
        files = [path for path in entries if path.suffix.lower() in SUFFIXES and path.name[0] != "."]
        if not files:
            raise DataError(f"{self.place}: no .csv or .parquet file in this directory")
        return files

    def _symbols_in(self, path: Path) -> list[str]:
        if has_symbol_column(path):
            return list(self._read(path).symbols)
        try:
            return [parse_symbol(path.stem)]
        except DataError as error:
            if path != self.path:
                return []
            raise DataError(
                f"{self.place}: a file is named after its symbol or has a column 'symbol'; {error}"
            ) from error

    def _read(self, path: Path) -> Table:
        table = self._shared.get(path) or read_table(path)
        if table.symbols:
            self._shared[path] = table
        return table

"""The sample: real bars inside the package, built by scripts/sample-data; each file states its source."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from marketsim.data.bars import Bars, make_bars
from marketsim.data.read_options import Reading
from marketsim.data.symbols import fetch_command, parse_symbol, part_place
from marketsim.errors import DataError
from marketsim.registry import nearest

SAMPLES = Path(__file__).with_name("samples")


class SampleSource:
    """The package's own bars, one file a symbol; `data` is not used.

    The files are of one plain layout and are read without the reader of files of one's own, which takes longer to
    import than a cached backtest takes.
    """

    name = "sample"

    def __init__(self, data: str | None = None, options: Reading | None = None) -> None:
        self.options = options

    def symbols(self) -> list[str]:
        """See `Source.symbols`."""
        return sorted(path.stem for path in SAMPLES.glob("*.csv"))

    def load(self, symbol: str, crypto: bool | None = None) -> Bars:
        """See `Source.load`; "AAPL=FILE" loads that file as AAPL."""
        if part_place(symbol)[1] is not None:
            from marketsim.data.files import FileSource

            return FileSource(symbol, self.options).load(symbol, crypto)
        symbol = parse_symbol(symbol)
        path = SAMPLES / f"{symbol}.csv"
        if not path.is_file():
            hint = nearest(symbol, self.symbols())
            raise DataError(
                f"no bars of {symbol} in the sample{hint} ('marketsim data list' shows all); "
                f"'{fetch_command(symbol)}' fetches them, and --source store reads them"
            )
        lines = path.read_text(encoding="utf-8").splitlines()
        rows = [line.split(",") for line in lines if not line.startswith("#")][1:]
        time = np.array([row[0] for row in rows], dtype="datetime64[s]")
        ohlcv = np.array([row[1:] for row in rows], dtype=np.float64)
        source = lines[0].removeprefix("# source: ")
        return make_bars(symbol, f"sample ({source})", time, ohlcv, crypto=crypto)

"""The sample: real bars inside the package, built by scripts/sample-data; each file states its source."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from marketsim.data.bars import Bars, make_bars
from marketsim.data.reading.read_options import Reading
from marketsim.data.symbols import fetch_command, parse_symbol
from marketsim.errors import DataError
from marketsim.registry import nearest

SAMPLES = Path(__file__).with_name("samples")
DAILY = "1d"


class SampleSource:
    """The package's own bars, one file a symbol and timeframe; `data` is not used.

    The files are of one plain layout and are read without the reader of files of one's own, which takes longer to
    import than a cached backtest takes.
    """

    name = "sample"

    def __init__(self, data: str | None = None, options: Reading | None = None) -> None:
        self.timeframe = DAILY if options is None else options.timeframe

    def symbols(self) -> list[str]:
        """See `Source.symbols`."""
        return sorted(_files(self.timeframe))

    def load(self, symbol: str, crypto: bool | None = None) -> Bars:
        """See `Source.load`."""
        symbol = parse_symbol(symbol)
        path = _files(self.timeframe).get(symbol)
        if path is None:
            raise DataError(self._missing(symbol))
        lines = _text(path).splitlines()
        rows = [line.split(",") for line in lines if not line.startswith("#")][1:]
        time = np.array([row[0] for row in rows], dtype="datetime64[s]")
        ohlcv = np.array([[*map(float, row[1:])] for row in rows])
        source = lines[0].removeprefix("# source: ")
        return make_bars(symbol, f"sample ({source})", time, ohlcv, crypto=crypto)

    def _missing(self, symbol: str) -> str:
        others = [timeframe for name, timeframe in sampled() if name == symbol]
        length = "" if self.timeframe == DAILY else f"{self.timeframe} "
        there = f"; there are {' and '.join(others)}" if others else nearest(symbol, self.symbols())
        fetch = fetch_command(symbol, self.timeframe)
        return (
            f"no {length}bars of {symbol} in the sample{there} ('marketsim data list' shows all); '{fetch}' fetches "
            "them, and --source store reads them"
        )


def _files(timeframe: str) -> dict[str, Path]:
    """The files of a timeframe by symbol."""
    folder = SAMPLES if timeframe == DAILY else SAMPLES / timeframe
    return {path.name.partition(".")[0]: path for path in folder.glob("*.csv*")}


def _text(path: Path) -> str:
    if path.suffix != ".xz":
        return path.read_text(encoding="utf-8")
    import lzma

    with lzma.open(path, "rt", encoding="utf-8") as file:
        return file.read()


def sampled() -> list[tuple[str, str]]:
    """The symbols and the timeframes that there are bars of."""
    folders = [DAILY, *sorted(path.name for path in SAMPLES.iterdir() if path.is_dir())]
    return [(symbol, timeframe) for timeframe in folders for symbol in sorted(_files(timeframe))]

"""Writing forecasts to a file that `--forecasts` reads back exactly."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketsim.data.bars import CHANNELS
from marketsim.data.reading.contents import printable
from marketsim.errors import MarketsimError, MissingExtra
from marketsim.forecasting.forecasts import LEVELS, ForecastBars
from marketsim.whole_file import whole_file

COLUMNS = tuple(f"{channel}_move_q{100 * level:.0f}" for channel in CHANNELS for level in LEVELS)

Made = Sequence[ForecastBars]


def write_forecasts(made: Made, path: Path) -> None:
    """Write forecasts to `path`, whole or not at all: symbol, origin, bar, and quantiles of moves.

    A row is an origin; `bar` is the one after it. MarketsimError where the file cannot be written.
    """
    write = _write_parquet if path.suffix == ".parquet" else _write_csv
    try:
        with whole_file(path) as new:
            write(made, new)
    except OSError as error:
        raise MarketsimError(f"--output {printable(path)}: {(error.strerror or str(error)).lower()}") from error


def _write_csv(made: Made, path: Path) -> None:
    dated = _dated(made)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("symbol", "origin", "bar", *COLUMNS))
        for symbol in made:
            stamps = (column.astype(str).tolist() for column in _stamps(symbol, dated))
            moves = symbol.forecasts.moves.reshape(-1, len(COLUMNS)).tolist()
            rows = zip(*stamps, moves, strict=True)
            writer.writerows((symbol.bars.symbol, origin, bar, *row) for origin, bar, row in rows)


def _write_parquet(made: Made, path: Path) -> None:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingExtra("Parquet files", "parquet") from None
    dated = _dated(made)
    kind = pyarrow.date32() if dated else pyarrow.timestamp("s", "UTC")
    stamps = [_stamps(symbol, dated) for symbol in made]
    moves = np.concatenate([symbol.forecasts.moves.reshape(-1, len(COLUMNS)) for symbol in made])
    columns: dict[str, Any] = {
        "symbol": [symbol.bars.symbol for symbol in made for _ in symbol.forecasts.origins],
        "origin": pyarrow.array(np.concatenate([origins for origins, _ in stamps]), kind),
        "bar": pyarrow.array(np.concatenate([bars for _, bars in stamps]), kind),
    }
    table = pyarrow.table(columns | dict(zip(COLUMNS, moves.T, strict=True)))
    parquet.write_table(table, path, write_page_checksum=True)


def _dated(made: Made) -> bool:
    """Whether all bars are called by their dates; if some are not, all are called by their opens in UTC."""
    return all(symbol.bars.timetable.named_by_date for symbol in made)


def _stamps(made: ForecastBars, dated: bool) -> tuple[NDArray[np.datetime64], NDArray[np.datetime64]]:
    """The origins `[N]` and the bars after them."""
    bars, forecasts = made.bars, made.forecasts
    opens = np.append(bars.time, bars.next_opens(1))
    if dated:
        days = bars.timetable.dates(opens)
        return days[forecasts.origins], days[forecasts.origins + 1]
    return opens[forecasts.origins].astype("datetime64[s]"), opens[forecasts.origins + 1].astype("datetime64[s]")

"""The trades in an activity statement of Interactive Brokers: many tables in one file, whose rows name their table."""

from __future__ import annotations

import csv
import io

import numpy as np

from marketsim.data.reading.cells import Cells, Heading, LoadedCells

SIGN = b"Statement,Header,"
TRADES, HEADER, DATA = "Trades", "Header", "Data"


def trades_of(name: str, content: bytes) -> Cells | None:
    """The cells of its trades; None for another file, and for a statement without trades."""
    if not content.removeprefix(b"\xef\xbb\xbf").startswith(SIGN):
        return None
    reader = csv.reader(io.StringIO(content.decode("utf-8-sig", errors="replace")))
    header: list[str] = []
    rows: list[list[str]] = []
    lines: list[int] = []
    for row in reader:
        if row[:2] == [TRADES, HEADER] and "T. Price" in row:
            header = row[2:]
        elif row[:2] == [TRADES, DATA] and header:
            cells = row[2:]
            rows.append([*cells[: len(header)], *[""] * (len(header) - len(cells))])
            lines.append(reader.line_num)
    if not rows:
        return None
    table = np.empty((len(rows), len(header)), dtype=object)
    table[:] = rows
    return LoadedCells(name, Heading(tuple(header)), tuple(table.T), lambda row: f"line {lines[row]}")

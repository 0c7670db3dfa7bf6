"""What is found out about a text file by its first bytes."""

from __future__ import annotations

from collections.abc import Sequence

from marketsim.data.reading.columns import TableKind, has_prices, resolve
from marketsim.data.reading.dialects import sniff


def test_only_rows_that_may_be_a_header_are_asked() -> None:
    asked: list[list[str]] = []

    def is_header(row: Sequence[str]) -> bool:
        asked.append(list(row))
        return has_prices(row)

    lines = ["exported by a program; all prices in USD", "date,open,high,low,close", *["2024-01-02,1,3,0.5,2"] * 60]
    dialect = sniff("bars.csv", "\n".join(lines).encode(), True, TableKind(is_header, resolve))
    assert (dialect.delimiter, dialect.width, dialect.skipped) == (",", 5, 2)
    assert asked == [lines[0].split("; "), lines[1].split(",")], "a row that is one cell is no header"

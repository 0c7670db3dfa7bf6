"""From a broker's export to its fills."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from marketsim.data.broker_fills.broker_fill import BrokerFill, BrokerFills, Side
from marketsim.data.broker_fills.columns import BY_NAME, FILLS, FillColumns, resolve
from marketsim.data.broker_fills.statement import trades_of
from marketsim.data.reading.cells import Cells, Column, Heading, LoadedCells, column_of
from marketsim.data.reading.clocks import ClockCells
from marketsim.data.reading.contents import BarFile
from marketsim.data.reading.decimals import ENGLISH, UNKNOWN, Style, styles, to_doubles, why_no_number
from marketsim.data.reading.json_tables import parsed
from marketsim.data.reading.opening import open_cells
from marketsim.data.reading.timestamps import parse_stamps
from marketsim.data.reading.wanted import Wanted
from marketsim.data.symbols import COINS, coin_and_quote, is_currency_pair, parse_symbol
from marketsim.errors import DataError, UsageError

BUYS = frozenset(("buy", "b", "bot", "bought", "buy to open", "buy to cover", "buy to close", "true", "long"))
SELLS = frozenset(("sell", "s", "sld", "sold", "sell short", "sell to open", "sell to close", "false", "short", "ss"))
NEW_YORK = "America/New_York"
IB = "Interactive Brokers"
WITH_UNIT = re.compile(r"([-+]?\s*[\d.,](?:[\d.,\s'’]*[\d.,])?)\s*((?![eE]\d)[A-Za-z]\w*)?")
NO_FILLS = frozenset(("canceled", "cancelled", "expired", "rejected", "new", "subtotal", "total", "symbol_summary"))
PARTS = ("execution", "trade")  # of orders, which are listed beside them


def read_fills(place: str, timezone: str | None = None, date_format: str | None = None) -> BrokerFills:
    """The fills in the file at `place`: CSV, JSON, or packed, of any broker whose columns are known by their names.

    Times without a zone are taken as UTC, as New York's in statements of Interactive Brokers, or as `timezone`.
    `date_format`, in the words of strptime, is for dates that can be read in two ways. Rows that are no fills are left
    out, and said; a fill that cannot be read is a DataError that names its line. UsageError where nothing is there.
    """
    path = Path(place)
    if not path.is_file():
        raise UsageError(f"--fills {place}: no such file")
    cells = _cells(BarFile(path))
    columns = resolve(cells.heading, cells.sample, cells.name)
    return _Reader(cells, columns, timezone, date_format).fills()


def _cells(file: BarFile) -> Cells:
    head = file.head().lstrip()
    if head.removeprefix(b"\xef\xbb\xbf").startswith((b"{", b"[")):
        rows = parsed(file)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows) or not rows:
            raise DataError(f"{file.name}: JSON of fills is a list of objects, one a fill")
        names = list(dict.fromkeys(name for row in rows for name in row))
        columns = (column_of([str(row.get(name, "")) for row in rows]) for name in names)
        return LoadedCells(file.name, Heading(tuple(names)), tuple(columns), lambda row: f"entry {row + 1}")
    if head.removeprefix(b"\xef\xbb\xbf").startswith(b"Statement,"):
        found = trades_of(file.name, file.read())
        if found is None:
            raise DataError(f"{file.name}: a statement without trades")
        return found
    return open_cells(file, FILLS)


class _Reader(Struct, frozen=True):
    """A table's columns, and what is said about them."""

    cells: Cells
    columns: FillColumns
    timezone: str | None
    date_format: str | None
    read: dict[str, NDArray[np.object_]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def fills(self) -> BrokerFills:
        """All fills, oldest first."""
        at = self.columns.at
        found = self.cells.read(sorted({*at.values(), *filter(None, (self.columns.clock,))}), [])
        self.read.update({role: _texts(found[position]) for role, position in at.items()})
        rows = self._once([row for row in self._fill_rows() if not self._is_empty(row)])
        if not rows:
            raise DataError(f"{self.cells.name}: no fills under the header")
        times = self._times(rows, None if self.columns.clock is None else found[self.columns.clock])
        style = self._style(rows)
        signed = self._signed(rows, style)
        fills = []
        unpriced: Counter[str] = Counter()
        for row, time in zip(rows, times, strict=True):
            symbol = self._symbol(row)
            if symbol is None:
                continue
            if row in self.cells.cut:
                raise DataError(f"{self.cells.place(row)}: {self.cells.cut[row]}")
            price, quantity = (self._number(role, row, style)[0] for role in ("price", "quantity"))
            if not price > 0:
                raise self._wrong(row, "price", "is not above zero")
            if quantity == 0:
                raise self._wrong(row, "quantity", "is zero")
            fee = self._fee(row, symbol, price, style, signed, unpriced)
            order = self._cell("order", row)
            side = self._side(row, quantity)
            fills.append(BrokerFill(symbol, time, side, price, abs(quantity), fee, order, self.cells.place(row)))
        for currency, count in unpriced.items():
            self.notes.append(
                f"{self.cells.name}: fees in {currency} are left out, as no price of it is known ({_rows(count)})"
            )
        fills.sort(key=lambda fill: fill.time)
        return BrokerFills(self.cells.name, self.columns.layout, fills, tuple(dict.fromkeys(self.notes)))

    def _cell(self, role: str, row: int) -> str:
        return str(self.read[role][row]) if role in self.read else ""

    def _is_empty(self, row: int) -> bool:
        return all(not self._cell(role, row) for role in ("time", "symbol", "price"))

    def _fill_rows(self) -> list[int]:
        """Rows that are fills: not dividends, fees, cancelled orders or sums."""
        count = len(self.read["time"])
        if "kind" not in self.read:
            return list(range(count))
        kinds = [cell.lower().replace(" ", "_") for cell in self.read["kind"]]
        if self.columns.layout == "Alpaca":
            kept = [kind in ("fill", "partial_fill") for kind in kinds]
        elif parts := [part for part in PARTS if part in kinds]:
            kept = [kind == parts[0] for kind in kinds]  # orders are sums of them
        else:
            kept = [kind not in NO_FILLS for kind in kinds]
        left = Counter(self._cell("kind", row) for row in range(count) if not kept[row])
        if left:
            what = ", ".join(f"{kind} {number}" for kind, number in left.most_common(6))
            self.notes.append(f"{self.cells.name}: left out, as they are no fills: {what}")
        return [row for row in range(count) if kept[row]]

    def _once(self, rows: list[int]) -> list[int]:
        """The rows without those that are there twice."""
        seen: dict[tuple[str, ...], int] = {}
        again = 0
        for row in rows:
            whole = tuple(str(column[row]) for column in self.read.values())
            key = (self._cell("symbol", row), self._cell("trade", row)) if self._cell("trade", row) else whole
            first = seen.setdefault(key, row)
            if first == row:
                continue
            if key is not whole and any(str(column[first]) != str(column[row]) for column in self.read.values()):
                where = self.cells.place(first)
                raise self._wrong(row, "trade", f"is the number of another fill, in {where}")
            again += 1
        if not again:
            return rows
        if "trade" in self.read:
            self.notes.append(f"{self.cells.name}: {_rows(again)} left out, whose fill is there already, by its number")
            return sorted(seen.values())
        said = "counted as fills of their own, as no column has numbers of trades"
        self.notes.append(f"{self.cells.name}: {_rows(again)} like another: {said}")
        return rows

    def _times(self, rows: list[int], clock: Column | None) -> NDArray[np.datetime64]:
        cells = np.array([re.sub(r"[;,]\s*", " ", cell) for cell in self.read["time"][rows]], dtype=object)
        of_broker = NEW_YORK if self.columns.layout == IB else "UTC"
        zone = "UTC" if self.columns.utc else self.timezone or of_broker
        name = self.cells.heading.label(self.columns.at["time"])
        clocks = None
        if clock is not None and self.columns.clock is not None:
            clocks = ClockCells(clock[rows], self.cells.heading.label(self.columns.clock))

        def place(row: int) -> str:
            return f"{self.cells.place(rows[row])}, column '{name}'"

        wanted = Wanted(self.date_format, zone, option="--fills-date-format", spaced=False)
        found = parse_stamps(cells, place, self.cells.name, wanted, clocks)
        for row, words in found.unreadable.items():
            raise DataError(f"{place(row)}: {words}")
        self.notes.extend(found.notes)
        if self.timezone is None and not self.columns.utc and found.naive:
            whose = "New York's" if of_broker == NEW_YORK else of_broker
            self.notes.append(f"{self.cells.name}: times without a zone are taken as {whose} (--fills-timezone)")
        return found.time.astype("datetime64[s]")

    def _symbol(self, row: int) -> str | None:
        """The canonical symbol; None, with a note, for other text, such as an option."""
        text, currency = self._cell("symbol", row), self._cell("currency", row).upper()
        if re.fullmatch(r"[A-Z]{3}\.[A-Z]{3}", text):  # Interactive Brokers' EUR.USD
            text = text.replace(".", "")
        if "crypto" in self._cell("category", row).lower() and text.upper() in COINS and currency:
            text += currency
        try:
            return parse_symbol(text)
        except DataError:
            self.notes.append(f"{self.cells.place(row)}: {text!a} is not a symbol; its fills are left out")
            return None

    def _side(self, row: int, quantity: float) -> Side:
        word = self._cell("side", row).lower().replace("_", " ")
        if "side" not in self.read or (not word and quantity < 0):
            return "sell" if quantity < 0 else "buy"
        if word in BUYS:
            return "buy"
        if word in SELLS:
            return "sell"
        raise self._wrong(row, "side", "is neither buy nor sell")

    def _style(self, rows: list[int]) -> Style:
        """How the file writes numbers; DataError where a comma may be either."""
        if self.columns.layout != BY_NAME:
            return ENGLISH
        there = [(role, row) for role in ("price", "quantity", "fee") if role in self.read for row in rows]
        matches = [WITH_UNIT.fullmatch(self._cell(role, row)) for role, row in there]
        found = styles(match[1] for match in matches if match)
        if len(found) > 1:
            role, row = next(cell for cell in there if re.search("[.,]", self._cell(*cell)))
            raise self._wrong(row, role, "may be thousands or a fraction; write numbers without groups of digits")
        return found[0]

    def _number(self, role: str, row: int, style: Style) -> tuple[float, str]:
        """The number in a cell, and the unit that stands behind it."""
        cell = self._cell(role, row)
        match = WITH_UNIT.fullmatch(cell.strip("$€£ "))
        values, wrong = to_doubles(np.array([match[1] if match else cell], dtype=object), style)
        if wrong or not np.isfinite(values[0]):
            raise self._wrong(row, role, why_no_number(cell))
        return float(values[0]), (match[2] or "").upper() if match else ""

    def _signed(self, rows: list[int], style: Style) -> bool:
        """Whether fees that were paid are negative: so with Interactive Brokers, and where none is positive."""
        if "fee" not in self.read:
            return False
        if self.columns.layout == IB:
            return True
        known = [self._number("fee", row, style)[0] for row in rows if self._has_fee(row)]
        negative = any(fee < 0 for fee in known) and not any(fee > 0 for fee in known)
        if negative:
            self.notes.append(f"{self.cells.name}: all fees are negative, and taken as paid")
        return negative

    def _has_fee(self, row: int) -> bool:
        return self._cell("fee", row).strip().lower() not in UNKNOWN

    def _fee(
        self, row: int, symbol: str, price: float, style: Style, signed: bool, unpriced: Counter[str]
    ) -> float | None:
        """What was paid, in the currency of the price; None where it is not known, or in what has no price here."""
        if "fee" not in self.read or not self._has_fee(row):
            return None
        fee, unit = self._number("fee", row, style)
        fee = -fee if signed and fee else fee
        currency = unit or self._cell("fee currency", row).upper()
        pair = coin_and_quote(symbol) or ((symbol[:3], symbol[3:6]) if is_currency_pair(symbol) else None)
        quote = pair[1] if pair is not None else self._cell("currency", row).upper() or "USD"
        if fee == 0 or currency in ("", quote):
            return fee
        if pair is not None and currency == pair[0]:
            return fee * price
        unpriced[currency] += 1
        return None

    def _wrong(self, row: int, role: str, words: str) -> DataError:
        name = self.cells.heading.label(self.columns.at[role])
        return DataError(f"{self.cells.place(row)}, column '{name}': {self._cell(role, row)[:40]!a} {words}")


def _texts(column: Column) -> NDArray[np.object_]:
    return np.array([str(cell).strip() for cell in column], dtype=object)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"

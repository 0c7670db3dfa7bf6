"""Bars in a JSON document: as objects, as arrays, column by column, or by date, at any depth."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from marketsim.data.reading.cells import SAMPLE, Heading
from marketsim.data.reading.columns import has_prices
from marketsim.data.reading.date_formats import kind_of
from marketsim.data.reading.formats import Layout, plain
from marketsim.data.reading.formats.names import STAMP
from marketsim.data.reading.unnamed_columns import KNOWN, unnamed_layout
from marketsim.errors import DataError

DEEPEST = 8  # levels of a document at which bars are looked for
SYMBOL = ("symbol", "ticker", "pair", "instrument", "ts code", "currency pair")
PAIRS = (("digital currency code", "market code"), ("from symbol", "to symbol"))  # Alpha Vantage
ZONE = ("exchange timezone name", "exchange timezone", "time zone", "timezone")
TICKER = re.compile(r"[A-Z0-9^][A-Z0-9.^=&_/:-]{0,31}")
CHART = Layout("Yahoo Finance chart")

Document = Any


class JsonTable(Struct, frozen=True):
    """One table in a document: its columns by name, and the symbol that is named with it or further up."""

    columns: dict[str, list[Any]]
    symbol: str | None
    heading: Heading


def find_tables(document: Document, symbol: str | None = None, depth: int = 0) -> Iterator[JsonTable]:
    """The tables of bars in a document; `symbol` is the one that was named above it."""
    if depth > DEEPEST or not isinstance(document, (dict, list)):
        return
    if isinstance(document, dict):
        symbol = _symbol_in(document) or symbol
    table = _of_object(document, symbol) if isinstance(document, dict) else _of_array(document, symbol)
    if table is not None:
        yield table
        return
    for name, value in document.items() if isinstance(document, dict) else enumerate(document):
        own = name if isinstance(name, str) and TICKER.fullmatch(name) and not name.isdigit() else None
        yield from find_tables(value, own or symbol, depth + 1)


def zone_of(document: Document, depth: int = 0) -> str | None:
    """The time zone that a document names."""
    if depth > DEEPEST:
        return None
    if isinstance(document, dict):
        for name, value in document.items():
            if isinstance(value, str) and plain(name) in ZONE and "/" in value:
                return value
    inner = document.values() if isinstance(document, dict) else document[:3] if isinstance(document, list) else ()
    return next((zone for part in inner if (zone := zone_of(part, depth + 1)) is not None), None)


def outline(document: Document) -> str:
    """What a document without bars has instead, in words: often an error of the provider."""
    if isinstance(document, dict):
        words = next((value for value in document.values() if isinstance(value, str) and " " in value), None)
        return ascii(words[:200]) if words else ", ".join(ascii(name) for name in list(document)[:8]) or "nothing"
    if isinstance(document, list):
        return f"{len(document):,} entries such as {ascii(document[0])[:80]}" if document else "nothing"
    return ascii(document)[:80]


def _of_object(document: Mapping[str, Any], symbol: str | None) -> JsonTable | None:
    """Yahoo's chart, pandas' split form, columns by name, or rows by date."""
    for find in (_chart, _split, _columns, _columns_by_row, _rows_by_key):
        columns = find(document)
        if columns is not None:
            layout = CHART if find is _chart else None
            return _table(columns, symbol, layout)
    return None


def _of_array(document: Sequence[Any], symbol: str | None) -> JsonTable | None:
    """Rows as objects, or as arrays with or without names."""
    if not document:
        return None
    if all(isinstance(row, dict) for row in document):
        objects = [_flat(row) for row in document]
        return _table(_transposed(objects), symbol) if has_prices(objects[0]) else None
    if not all(isinstance(row, list) and len(row) == len(document[0]) >= 5 for row in document):
        return None
    if any(isinstance(cell, (dict, list)) for row in document for cell in row):
        return None
    width = len(document[0])
    if has_prices(map(str, document[0])):
        names, rows = [str(name) for name in document[0]], document[1:]
        return _table({name: [row[i] for row in rows] for i, name in enumerate(names)}, symbol)
    layout = unnamed_layout([["" if cell is None else str(cell) for cell in row] for row in document[:SAMPLE]])
    if layout is None:
        return None
    names = [*layout.unnamed, *(f"column {i + 1}" for i in range(len(layout.unnamed), width))][:width]
    return _table({name: [row[i] for row in document] for i, name in enumerate(names)}, symbol, layout)


def _table(columns: dict[str, list[Any]], symbol: str | None, layout: Layout | None = None) -> JsonTable:
    names = tuple(columns)
    return JsonTable(columns, symbol, Heading(names) if layout is None else Heading(names, layout=layout))


def _chart(document: Mapping[str, Any]) -> dict[str, list[Any]] | None:
    times, indicators = document.get("timestamp"), document.get("indicators")
    if not isinstance(times, list) or not isinstance(indicators, dict):
        return None
    columns = {"timestamp": times}
    for part in ("quote", "adjclose"):
        for lists in indicators.get(part) or ():
            if isinstance(lists, dict):
                columns |= {name: value for name, value in lists.items() if isinstance(value, list)}
    return _of_length(columns, len(times)) if has_prices(columns) else None


def _split(document: Mapping[str, Any]) -> dict[str, list[Any]] | None:
    names, data, index = document.get("columns"), document.get("data"), document.get("index")
    if not isinstance(names, list) or not isinstance(data, list) or not has_prices(map(str, names)):
        return None
    if not all(isinstance(row, list) and len(row) == len(names) for row in data):
        return None
    columns = {str(name): [row[i] for row in data] for i, name in enumerate(names)}
    return _with_index(columns, index if isinstance(index, list) and len(index) == len(data) else [])


def _columns(document: Mapping[str, Any]) -> dict[str, list[Any]] | None:
    arrays = {name: value for name, value in document.items() if isinstance(value, list)}
    if not has_prices(arrays):
        return None
    return _of_length(arrays, max(map(len, arrays.values())))


def _of_length(arrays: Mapping[str, list[Any]], count: int) -> dict[str, list[Any]]:
    """The arrays of `count` values; DataError where one of another length is of times, prices or volume."""
    for name, value in arrays.items():
        if len(value) != count and plain(name) in KNOWN:
            raise DataError(f"{name!a} has {len(value):,} values where others have {count:,}")
    return {name: value for name, value in arrays.items() if len(value) == count}


def _columns_by_row(document: Mapping[str, Any]) -> dict[str, list[Any]] | None:
    """Pandas by column: {"open": {"0": 1.5}}."""
    objects = {name: value for name, value in document.items() if isinstance(value, dict)}
    if not has_prices(objects):
        return None
    keys = list(next(iter(objects.values())))
    return _with_index({name: [value.get(key) for key in keys] for name, value in objects.items()}, keys)


def _rows_by_key(document: Mapping[str, Any]) -> dict[str, list[Any]] | None:
    """Rows by date, or by number: {"2024-01-02": {"1. open": "1.5"}}."""
    rows = list(document.values())
    if not rows or not all(isinstance(row, dict) for row in rows) or not has_prices(rows[0]):
        return None
    return _with_index(_transposed(rows), list(document))


def _with_index(columns: dict[str, list[Any]], index: Sequence[Any]) -> dict[str, list[Any]]:
    """The columns, with the index as times where no column is."""
    if not index or any(plain(name) in STAMP for name in columns) or not kind_of([str(label) for label in index[:20]]):
        return columns
    return {"index": list(index)} | columns


def _transposed(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """An object without objects inside: {"mid": {"o": 1}} as {"mid o": 1}."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat |= {f"{name} {inner}": cell for inner, cell in value.items() if not isinstance(cell, (dict, list))}
        elif not isinstance(value, list):
            flat[name] = value
    return flat


def _symbol_in(document: Mapping[str, Any]) -> str | None:
    """The symbol that an object names, by itself or in its part on metadata."""
    found = {plain(name): value for name, value in document.items() if isinstance(value, str)}
    for word in SYMBOL:
        if found.get(word):
            return found[word]
    for first, second in PAIRS:
        if found.get(first) and found.get(second):
            return found[first] + found[second]
    inner = (
        value for name, value in document.items() if plain(name) in ("meta", "meta data") and isinstance(value, dict)
    )
    return next((symbol for part in inner if (symbol := _symbol_in(part))), None)

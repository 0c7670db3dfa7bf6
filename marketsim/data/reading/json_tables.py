"""The cells of bars in a JSON document."""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from marketsim.data.reading.cells import Cells, Heading, LoadedCells, column_of
from marketsim.data.reading.contents import BarFile
from marketsim.data.reading.dialects import undecodable
from marketsim.data.reading.json_documents import find_tables, outline, zone_of
from marketsim.errors import DataError


def open_json(file: BarFile) -> Cells:
    """The cells of a JSON document, or of one a line. DataError where there are no bars in it."""
    document = parsed(file)
    try:
        tables = list(find_tables(document))
    except DataError as error:
        raise DataError(f"{file.name}: {error}") from None
    if not tables:
        raise DataError(f"{file.name}: JSON without open, high, low and close; it has {outline(document)}")
    zone = zone_of(document)
    if len(tables) == 1:
        (table,) = tables
        heading = replace(table.heading, symbol=table.symbol, zone=zone)
        return LoadedCells(file.name, heading, tuple(map(column_of, table.columns.values())), _entry)
    names = list(tables[0].columns)
    same = [table for table in tables if list(table.columns) == names and table.symbol]
    if len(same) < len(tables):
        raise DataError(f"{file.name}: {len(tables)} tables of bars, and not all of them name their symbol")
    columns = [column_of([cell for table in same for cell in table.columns[name]]) for name in names]
    symbols = column_of([table.symbol for table in same for _ in table.columns[names[0]]])
    heading = Heading((*names, "symbol"), zone=zone)
    return LoadedCells(file.name, heading, (*columns, symbols), _entry)


def _entry(row: int) -> str:
    return f"entry {row + 1}"


def parsed(file: BarFile) -> Any:
    """A JSON document, or a list of those that stand one a line. DataError where it is none."""
    data = file.read()
    try:
        text = data.decode("utf-8-sig")
        try:
            return json.loads(text, object_pairs_hook=_unrepeated)
        except json.JSONDecodeError as error:
            lines = text.splitlines()
            if error.msg != "Extra data" or len(lines) < 2:
                raise
            return [json.loads(line, object_pairs_hook=_unrepeated) for line in lines if line.strip()]
    except DataError as error:
        raise DataError(f"{file.name}: {error}") from None
    except UnicodeDecodeError as error:
        raise undecodable(file.name, data, error) from None
    except json.JSONDecodeError as error:
        raise DataError(f"{file.name}, line {error.lineno}: not JSON: {error.msg.lower()}") from None
    except (RecursionError, ValueError):  # ValueError: a whole number of thousands of digits
        raise DataError(f"{file.name}: unreadable JSON: nested too deeply, or a number of too many digits") from None


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of a document. DataError where a name stands in it twice with different values, as a date may."""
    found = dict(pairs)
    if len(found) < len(pairs):
        for name, value in pairs:
            if value != found[name]:
                raise DataError(f"{name!a} stands twice in one JSON object, with different values")
    return found

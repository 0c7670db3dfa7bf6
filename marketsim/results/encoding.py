"""Documents and rows as text: JSON and CSV."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import IO, Any

import msgspec

from marketsim.results.rows import Row


def to_json(document: Row | Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> str:
    """The text of a document: the same for the same document, and never NaN."""
    return json.dumps(msgspec.to_builtins(document), indent=2, allow_nan=False) + "\n"


def to_csv(rows: Iterable[Row]) -> str:
    """Rows of one kind below their header; nothing without rows."""
    import csv  # a run without CSV files needs none

    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for i, row in enumerate(rows):
        if i == 0:
            writer.writerow(row.__struct_fields__)
        writer.writerow(msgspec.structs.astuple(row))
    return text.getvalue()


class DocumentWriter:
    """Writes the text of a document whose last field is a list, `symbols`, to `file`, a symbol at a time."""

    def __init__(self, file: IO[str], empty: Row) -> None:
        self._file = file
        self._before, self._after = to_json(empty).rsplit("]", 1)
        self._empty = True

    def add(self, document: Row) -> None:
        """The next symbol's part of the document."""
        self._file.write(f"{self._before}\n" if self._empty else ",\n")
        self._file.write("    " + to_json(document).rstrip("\n").replace("\n", "\n    "))
        self._empty = False

    def end(self) -> None:
        """Write the end of the document."""
        self._file.write((f"{self._before}]" if self._empty else "\n  ]") + self._after)

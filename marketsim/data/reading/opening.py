"""The right reader for a file, by its first bytes."""

from __future__ import annotations

from marketsim.data.reading.cells import Cells
from marketsim.data.reading.columns import BARS, TableKind
from marketsim.data.reading.contents import HEAD, BarFile
from marketsim.errors import DataError

FOREIGN = (
    (b"\x89HDF", "an HDF5 file"),
    (b"SQLite format 3", "a SQLite database"),
    (b"%PDF", "a PDF document"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook; save the sheet as CSV"),
    (b"\x93NUMPY", "a NumPy array without names"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself: 'git lfs pull' fetches it"),
    (b"<!", "a web page, not bars"),
    (b"<html", "a web page, not bars"),
    (b"<?xml", "XML, not bars"),
)


def open_cells(file: BarFile, kind: TableKind = BARS) -> Cells:
    """The cells of a file of bars, or of tables of another kind. DataError where it is none."""
    head = file.head()
    start = head.lstrip()
    if head.startswith((b"PAR1", b"ARROW1", b"FEA1")):
        from marketsim.data.reading.arrow_tables import open_arrow

        return open_arrow(file, head)
    for sign, what in FOREIGN:
        if start.startswith(sign):
            raise DataError(f"{file.name}: {what}")
    if start.removeprefix(b"\xef\xbb\xbf").startswith((b"{", b"[")):
        from marketsim.data.reading.json_tables import open_json

        return open_json(file)
    from marketsim.data.reading.delimited import open_delimited

    return open_delimited(file, head, len(head) < HEAD, kind)

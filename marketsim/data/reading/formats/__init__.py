"""Known layouts of bar files and the names of their columns; `layouts.LAYOUTS` is the table."""

from __future__ import annotations

from marketsim.data.reading.formats.layouts import (
    BY_ORDER,
    DAY_FIRST,
    LAYOUTS,
    MONTH_FIRST,
    NAMED,
    TWO_ROWS,
    Layout,
    layout_of,
)
from marketsim.data.reading.formats.names import plain

__all__ = ["BY_ORDER", "DAY_FIRST", "LAYOUTS", "MONTH_FIRST", "NAMED", "TWO_ROWS", "Layout", "layout_of", "plain"]

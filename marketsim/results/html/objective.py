"""The fits of a symbol's strategies for a page: numbers for the picture, and text beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from marketsim.results.charts import Charts, FittedWindow
from marketsim.results.figures import number, percent, signed

PLACES = 5  # of multipliers, in the picture


def objective_facts(charts: Charts) -> dict[str, Any]:
    """What `pack` takes beside the surfaces; words are columns of lines, which take less room."""
    return {
        "bounds": charts.bounds,
        "strategies": [
            {
                "name": surface.strategy,
                "h": [round(window.h, PLACES) for window in surface.windows],
                "l": [round(window.l, PLACES) for window in surface.windows],
                "floor": [None if window.floor is None else round(window.floor, PLACES) for window in surface.windows],
                "profit": [round(window.profit_bps, 2) for window in surface.windows],
                "words": _columns([_words(window) for window in surface.windows]),
            }
            for surface in charts.objective
        ],
    }


def _words(window: FittedWindow) -> tuple[str, ...]:
    return (
        window.bar,
        multiplier(window.h),
        multiplier(window.l),
        signed(window.profit_bps),
        number(window.t),
        "exit at the close" if window.close_at_eod else "take-profit",
        "stood aside" if window.stood_aside else "",
        "-" if window.plateau is None else f"{percent(window.plateau)} %",
        *map(signed, window.tick_away_bps),
    )


def multiplier(value: float) -> str:
    """A multiplier in per cent of the close.

    >>> multiplier(0.00512)
    '+0.51 %'
    """
    return f"{100 * value:+.2f} %"


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    return ["\n".join(column) for column in zip(*rows, strict=True)]

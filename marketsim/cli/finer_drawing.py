"""A drawing of a bar by its finer bars: a column each, with the levels and the fills."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from marketsim.cli import output, tables

if TYPE_CHECKING:
    from marketsim.results.order_of_events import FinerView
    from marketsim.results.schema import FinerTrade, SimulationRow

WIDTH = 48  # columns at most
NARROW = 16  # finer bars, fewer of which stand apart
BUY, SELL, DOUBT = "B", "S", "?"


def drawing(row: SimulationRow, view: FinerView, trades: Sequence[FinerTrade], height: int) -> list[str]:
    """Lines from the highest price to the lowest, and one of times."""
    high, low = max(row.high, row.upper), min(row.low, row.lower)
    span = (high - low) or 1.0

    def line(price: float) -> int:
        return round((high - price) / span * (height - 1))

    columns = _columns(view, line)
    step = 2 if len(columns) <= NARROW else 1
    levels = {"upper": line(row.upper), "lower": line(row.lower)}
    level_sign = output.drawable(*output.CANDLE)[2]
    cells = [[level_sign if i in levels.values() else " "] * (step * len(columns) + 1) for i in range(height)]
    for number, column in enumerate(columns):
        for i, mark in column.items():
            cells[i][step * number + 1] = mark
    for time, price, mark in _marks(row, trades):
        cells[line(price)][step * _column(view, time) + 1] = mark
    names = _names(row)
    lines = []
    for i, cell in enumerate(cells):
        labels = ", ".join(f"{name} {tables.price(price)}" for name, price in names.items() if line(price) == i)
        lines.append(f"  {''.join(cell)}  {labels}".rstrip())
    return [*lines, f"  {view.timeframe} bars from {view.times[0]} to {view.times[-1]} UTC; B buys, S sells"]


def words(trades: Sequence[FinerTrade], timeframe: str) -> str:
    """What happened, trade by trade."""
    said = []
    for trade in trades:
        entered = f"The {trade.side} was entered in the {timeframe} bar of {_clock(trade.entry)}"
        match trade.how:
            case "take-profit":
                said.append(f"{entered}, and the take-profit was filled in that of {_clock(trade.exit)}.")
            case "close":
                said.append(f"{entered}, and closed at the close.")
            case _:
                said.append(f"{entered}, which reached the take-profit too and does not say in which order.")
    return " ".join(said) or "The price never traded through the entry: nothing happened."


def _column(view: FinerView, time: str) -> int:
    return view.times.index(time) * min(WIDTH, len(view.times)) // len(view.times)


def _columns(view: FinerView, line: Callable[[float], int]) -> list[dict[int, str]]:
    """The marks of each column by line: the body and the wicks of a finer bar, or of several together."""
    count = min(WIDTH, len(view.times))
    groups: list[list[int]] = [[] for _ in range(count)]
    for i in range(len(view.times)):
        groups[i * count // len(view.times)].append(i)
    body, wick, _ = tuple(output.drawable(*output.CANDLE))
    columns = []
    for group in groups:
        prices = view.prices[group]
        top, bottom = line(prices[:, 1].max()), line(prices[:, 2].min())
        ends = sorted((line(prices[0, 0]), line(prices[-1, 3])))
        columns.append({i: body if ends[0] <= i <= ends[1] else wick for i in range(top, bottom + 1)})
    return columns


def _marks(row: SimulationRow, trades: Sequence[FinerTrade]) -> list[tuple[str, float, str]]:
    """When, at which price and with which letter an order filled."""
    marks = []
    for trade in trades:
        long = trade.side == "long"
        entry, target = (row.lower, row.upper) if long else (row.upper, row.lower)
        entry = min(entry, row.open) if long else max(entry, row.open)
        marks.append((trade.entry, entry, BUY if long else SELL))
        end = row.close if trade.how == "close" else target
        marks.append((trade.exit, end, DOUBT if trade.how == "in doubt" else SELL if long else BUY))
    return marks


def _names(row: SimulationRow) -> dict[str, float]:
    """The prices that are named beside the drawing."""
    entry = {"long": "lower", "short": "upper"}.get(row.side)
    other = {"long": "upper", "short": "lower"}.get(row.side)
    prices = {"high": row.high, "low": row.low, "open": row.open, "close": row.close}
    for name, price in (("upper", row.upper), ("lower", row.lower)):
        unused = ", not used" if row.close_at_eod else ""
        prices["entry" if name == entry else f"take-profit{unused}" if name == other else f"{name} level"] = price
    return prices


def _clock(time: str) -> str:
    return time.replace("T", " ")[:16]

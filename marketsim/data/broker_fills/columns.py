"""The columns of a broker's export. Names are compared in their plain form, see `formats.names.plain`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from marketsim.data.reading.cells import Heading
from marketsim.data.reading.columns import Sample, TableKind
from marketsim.data.reading.formats import plain
from marketsim.errors import DataError

ROLES = {
    "time": "transaction time|date time|time utc|date utc|datetime|trade time|exec time|execution time|filled at|"
    "fill time|timestamp|date time utc|time|date|trade date",
    "symbol": "symbol|pair|market|ticker|instrument|coin pair",
    "side": "side|buy sell|type|action|direction|is buyer",
    "price": "price|t price|trade price|fill price|execution price|avg price|average price|filled avg price",
    "quantity": "quantity|qty|executed|filled qty|filled|size|shares|volume|amount",
    "fee": "fee|fees|commission|comm fee|ib commission|ibcommission|comm in usd|commissions",
    "fee currency": "fee coin|fee currency|fee asset|commission asset|commission currency|ib commission currency|"
    "ibcommission currency",
    "currency": "currency|currency primary",
    "order": "order id|order no|order number|order|ib order id|iborder id",
    "trade": "trade id|exec id|execution id|ib exec id|ibexec id|activity id|id",
    "kind": "activity type|data discriminator|level of detail|status|order status",
    "category": "asset category|asset class",
}
NAMES = {role: tuple(names.split("|")) for role, names in ROLES.items()}
NEEDED = ("time", "symbol", "price", "quantity")
BY_NAME = "columns by name"
CLOCK = ("time", "trade time")  # of a time of day, beside a date
LAYOUTS = (  # by names that are all there; the first that fits
    ("Alpaca", ("activity type", "transaction time", "qty")),
    ("Binance", ("is buyer", "commission asset")),
    ("Binance", ("date utc", "market", "fee coin")),
    ("Binance", ("date utc", "pair", "executed")),
    ("Binance", ("time utc", "symbol", "realized profit")),
    ("Interactive Brokers", ("data discriminator", "t price")),
    ("Interactive Brokers", ("trade price", "ibcommission")),
    ("Interactive Brokers", ("trade price", "ib commission")),
)


class FillColumns(Struct, frozen=True):
    """Positions of the columns, by role; those that are not there are left out."""

    layout: str
    at: dict[str, int]
    clock: int | None  # times of day, where the column of times has dates alone
    utc: bool  # whether the name of the column of times says so


def is_header(cells: Sequence[str]) -> bool:
    """Whether a row of cells names the columns of such a table."""
    names = [plain(cell) for cell in cells]
    return all(_first(names, NAMES[role]) is not None for role in NEEDED)


def resolve(heading: Heading, sample: Sample, file: str) -> FillColumns:
    """The columns of a table. DataError that says what is missing, and what the header has."""
    names = [plain(name) for name in heading.names]
    at = {role: found for role, wanted in NAMES.items() if (found := _first(names, wanted)) is not None}
    if missing := [role for role in NEEDED if role not in at]:
        has = ", ".join(ascii(name.strip()) for name in heading.names[:12])
        raise DataError(f"{file}: no column {', '.join(missing)} of fills; the header has {has}")
    layout = next((name for name, wanted in LAYOUTS if set(wanted) <= set(names)), BY_NAME)
    clock = None
    if names[at["time"]] == "date" or names[at["time"]] == "trade date":
        clock = _first(names, CLOCK)
    elif names[at["time"]] == "time" and "date" in names:
        at["time"], clock = names.index("date"), at["time"]
    utc = names[at["time"]].endswith(" utc")
    return FillColumns(layout, at, clock, utc)


FILLS = TableKind(is_header, resolve)


def _first(names: Sequence[str], wanted: Iterable[str]) -> int | None:
    return next((names.index(name) for name in wanted if name in names), None)

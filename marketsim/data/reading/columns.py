"""The roles of a file's columns: time, prices, volume, symbol, adjustments."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from marketsim.data.reading.cells import Heading
from marketsim.data.reading.date_formats import kind_of
from marketsim.data.reading.formats import NAMED, Layout, layout_of, plain
from marketsim.data.reading.formats.names import (
    ADJUSTED,
    CLOCK,
    DIVIDEND,
    FIELDS,
    FINISHED,
    SERIES,
    SPLIT,
    STAMP,
    SYMBOL,
    TICK_VOLUME,
    UNNAMED,
    UP_AND_DOWN,
    VOLUME,
    WORDS_ONLY,
)
from marketsim.data.reading.unnamed_columns import is_number
from marketsim.data.symbols import QUOTES
from marketsim.errors import DataError

FIELD = r"adj(?:usted)?[ ._]?close|open|high|low|close|volume"
SIGNS = r"[ ._,:'\")(-]"
FLAT = re.compile(
    rf"(?i){SIGNS}*(?:(?P<field>{FIELD}){SIGNS}+(?P<group>\S.*?)|(?P<left>\S.*?){SIGNS}+(?P<last>{FIELD})){SIGNS}*"
)
QUOTED = ("bid", "ask", "mid", "offer")  # what a price is a quote of, which is no symbol
STAMPS = ("full", "midnight", "date", "digits")

Sample = Callable[[int], list[str]]


class Columns(Struct, frozen=True):
    """Positions of the columns of one symbol, or of all if a column names the symbol."""

    layout: Layout
    stamps: tuple[int, ...]  # columns of dates or stamps, the best first: the next is for when one cannot be read
    clock: int | None  # times of day, which belong to dates
    prices: tuple[int, int, int, int]  # open, high, low, close
    volume: tuple[int, ...] = ()  # what is added up
    real_volume: int | None = None  # taken in its place where it is not zero throughout
    symbol: int | None = None
    series: int | None = None  # NSE's class of a symbol
    adjusted: tuple[int | None, ...] = (None,) * 5  # open, high, low, close, volume
    split: int | None = None
    dividend: int | None = None
    finished: int | None = None
    group: str | None = None  # the symbol, where columns are of one symbol each
    base: str | None = None  # the coin that volume is counted in, where its name says so

    @property
    def texts(self) -> list[int]:
        """What is read as text: of the stamps the best, the others if it comes to that."""
        found = (self.stamps[0], self.clock, self.symbol, self.series, self.finished)
        return [column for column in found if column is not None]

    @property
    def numbers(self) -> list[int]:
        """What is read as numbers."""
        found = (*self.prices, *self.volume, self.real_volume, *self.adjusted, self.split, self.dividend)
        return [column for column in found if column is not None]


def resolve(heading: Heading, sample: Sample, name: str) -> list[Columns]:
    """The columns of a file, for each symbol if it has separate columns.

    DataError that names what is missing, and what the header has.
    """
    names = [plain(name) for name in heading.names]
    groups = heading.groups
    if not groups and _prices(names) is None:
        names, groups = _parted(heading.names)
    if not groups:
        return [_resolve(heading, names, range(len(names)), sample, name)]
    if quoted := [group for group in dict.fromkeys(groups) if plain(group) in QUOTED]:
        raise DataError(
            f"{name}: prices of {' and '.join(map(repr, quoted))}; the header has {_shown(heading.names)} (name the "
            "four that are meant open, high, low and close)"
        )
    shared = [i for i, group in enumerate(groups) if not group]
    found = []
    for group in dict.fromkeys(filter(None, groups)):
        own = [i for i, other in enumerate(groups) if other == group]
        if _prices([names[i] if i in own else "" for i in range(len(names))]) is not None:
            found.append(replace(_resolve(heading, names, [*shared, *own], sample, name), group=group))
    if not found:
        _resolve(heading, names, range(len(names)), sample, name)
    return found


class TableKind(Struct, frozen=True):
    """What a reader of text looks for."""

    is_header: Callable[[Sequence[str]], bool]  # whether a row of cells names the columns of such a table
    resolve: Callable[[Heading, Sample, str], object]  # DataError that says what a file without such a header lacks


def has_prices(names: Iterable[str]) -> bool:
    """Whether a row of cells is a header with open, high, low and close, for one symbol or for many."""
    cells = list(names)
    return _prices([plain(cell) for cell in cells]) is not None or bool(_parted(cells)[1])


BARS = TableKind(has_prices, resolve)


def describe(heading: Heading, columns: Columns, stamp: int) -> tuple[list[str], list[str]]:
    """The names of the columns that are used, `stamp` for the time, and of those that are not."""
    used = dict.fromkeys((stamp, *columns.texts[1:], *columns.numbers))
    names = [heading.label(i) for i in range(len(heading.names))]
    if columns.group is not None and heading.groups:
        rest = [i for i in range(len(names)) if i not in used and heading.groups[i] in ("", columns.group)]
    else:
        rest = [i for i in range(len(names)) if i not in used]
    return [names[i] for i in used], [names[i] for i in rest]


def _resolve(heading: Heading, names: list[str], own: Sequence[int], sample: Sample, file: str) -> Columns:
    """The columns among the positions `own`."""
    visible = [name if i in set(own) else "\0" for i, name in enumerate(names)]
    layout = layout_of(visible, heading.names) if heading.layout is NAMED else heading.layout
    prices = _prices(visible)
    stamps, clock = _times(visible, sample)
    if prices is None or not stamps:
        _refuse(heading.names, visible, bool(stamps), file)
    assert prices is not None
    for role, at in zip(FIELDS, prices, strict=True):
        if visible.count(visible[at]) > 1:
            raise DataError(f"{file}: column '{role}' occurs twice; the header has {_shown(heading.names)}")
    volume, real, base = _volume(visible)
    symbol = _symbol(visible, sample, (*stamps, *prices))
    adjusted = tuple(_first(visible, ADJUSTED[field]) for field in (*FIELDS, "volume"))
    return Columns(
        layout,
        stamps,
        clock,
        prices,
        volume,
        real,
        symbol,
        _first(visible, SERIES) if symbol is not None else None,
        tuple(None if column in prices else column for column in adjusted),
        _first(visible, SPLIT),
        _first(visible, DIVIDEND),
        _first(visible, FINISHED),
        None,
        base,
    )


def _first(names: Sequence[str], wanted: Iterable[str]) -> int | None:
    return next((names.index(name) for name in wanted if name in names), None)


def _prices(names: Sequence[str]) -> tuple[int, int, int, int] | None:
    """Where open, high, low and close stand; the adjusted close where there is no other."""
    found = [_first(names, FIELDS[role]) for role in FIELDS]
    if found[3] is None:
        found[3] = _first(names, ADJUSTED["close"])
    open_, high, low, close = found
    if open_ is None or high is None or low is None or close is None:
        return _in_dollars(names)
    return open_, high, low, close


def _in_dollars(names: Sequence[str]) -> tuple[int, int, int, int] | None:
    """Prices whose names end in a currency: "open usd"."""
    last_words = {name.rpartition(" ")[2] for name in names}
    for quote in map(str.lower, QUOTES):
        if quote not in last_words:
            continue
        found = [_first(names, [f"{role} {quote}", f"{role} price {quote}"]) for role in FIELDS]
        if None not in found:
            open_, high, low, close = (column for column in found if column is not None)
            return open_, high, low, close
    return None


def _times(names: Sequence[str], sample: Sample) -> tuple[tuple[int, ...], int | None]:
    """The columns of stamps, the best first, and that of times of day where those are dates alone."""
    named = [names.index(name) for name in dict.fromkeys(STAMP) if name in names]
    if names and names[0] in UNNAMED:
        named.append(0)
    kinds = {i: kind_of(sample(i)) for i in named}
    if not any(kinds[i] in STAMPS for i in named):
        others = [i for i, word in enumerate(names) if word != "\0" and i not in kinds]
        kinds |= {i: kind for i in others if (kind := _stamp_kind(sample(i)))}
        named += [i for i in others if i in kinds]
    clock = next(
        (i for i in map(names.index, (name for name in CLOCK if name in names)) if _is_clock(names[i], sample(i))),
        None,
    )
    rank = {"full": 0, "midnight": 0 if clock is None else 1, "date": 1, "digits": 2}
    ranked = sorted((i for i in named if kinds[i] in STAMPS and i != clock), key=lambda i: rank[kinds[i]])
    if not ranked:
        return tuple(i for i in named if i != clock or kinds[i] == "digits")[:1], None
    alone = kinds[ranked[0]] == "full"
    return tuple(ranked), None if alone else clock


def _is_clock(name: str, cells: list[str]) -> bool:
    """Whether a column named as times of day has such; digits that cannot be read as one are not passed over."""
    kind = kind_of(cells)
    unread = not kind and name != "timestamp" and any(map(str.isdigit, "".join(cells)))
    return kind in ("clock", "digits") or unread


def _stamp_kind(cells: list[str]) -> str:
    """The kind of a column that no name tells: of text with separators only, for a number may be anything."""
    kind = kind_of(cells)
    text = next((cell for cell in cells if cell.strip()), "")
    return kind if kind in STAMPS and not text.replace(".", "", 1).isdigit() else ""


def _volume(names: Sequence[str]) -> tuple[tuple[int, ...], int | None, str | None]:
    """The columns that are volume together, the one that is better where it is not zero, and the coin it counts."""
    up, down = (_first(names, [name]) for name in UP_AND_DOWN)
    at = _first(names, VOLUME)
    if at is not None:
        tick = _first(names, TICK_VOLUME)
        return ((tick,), at, None) if tick is not None and tick != at else ((at,), None, None)
    if up is not None and down is not None:
        return (up, down), None, None
    counted = {i: word.removeprefix("volume ") for i, word in enumerate(names) if word.startswith("volume ")}
    quotes = {*map(str.lower, QUOTES), "currency", "quote", "ma"} - {"btc", "eth", "bnb", "xbt"}
    base = next((i for i, unit in counted.items() if unit not in quotes and " " not in unit), None)
    if base is None:
        return (), None, None
    return (base,), None, counted[base].upper()


def _symbol(names: Sequence[str], sample: Sample, taken: Sequence[int]) -> int | None:
    """The column that names the symbol."""
    for word in SYMBOL:
        if word in names and names.index(word) not in taken:
            at = names.index(word)
            cells = [cell.strip() for cell in sample(at) if cell.strip()]
            if cells and (word not in WORDS_ONLY or any(not cell.replace(".", "").isdigit() for cell in cells)):
                return at
    return None


def _parted(cells: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Names such as "AAPL.Open", "Close_AAPL" or "('Close', 'AAPL')" as plain names and groups; no groups if none."""
    found = [FLAT.fullmatch(cell.strip()) for cell in cells]
    names = [
        plain(match["field"] or match["last"]) if match else plain(cell)
        for match, cell in zip(found, cells, strict=True)
    ]
    groups = [(match["group"] or match["left"]).strip(" '\"().,_-") if match else "" for match in found]
    whole = [
        group
        for group in dict.fromkeys(filter(None, groups))
        if _prices([name if g == group else "" for name, g in zip(names, groups, strict=True)]) is not None
    ]
    if not whole:
        return [plain(cell) for cell in cells], ()
    return names, tuple(groups)


def _refuse(header: Sequence[str], names: Sequence[str], timed: bool, file: str) -> None:
    if any(map(is_number, header)):
        raise DataError(
            f"{file}: no header, and no known order of columns fits {_shown(header)}; put a header such as "
            "date,open,high,low,close,volume above them"
        )
    missing = [role for role, wanted in FIELDS.items() if _first(names, wanted) is None]
    if not timed:
        missing.insert(0, "date (or datetime, timestamp, open time, time)")
    raise DataError(
        f"{file}: no column {', '.join(missing)}; the header has {_shown(header)} (rename the columns that are meant)"
    )


def _shown(header: Sequence[str]) -> str:
    return ", ".join(map(reprlib.repr, header[:12])) + (", ..." if len(header) > 12 else "")

"""The roles of the columns in a table of forecasts."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Sequence
from functools import partial

from msgspec import Struct

from marketsim.data.bars import CHANNELS
from marketsim.data.reading.cells import Heading
from marketsim.data.reading.columns import Sample, TableKind
from marketsim.data.reading.formats import plain
from marketsim.data.reading.formats.names import SYMBOL
from marketsim.errors import DataError
from marketsim.forecasting.files.names import (
    ASIDE,
    BAR,
    CHANNEL,
    MADE_AT,
    ORIGIN,
    UNCLEAR,
    Meaning,
    of_model,
    quantile,
    tidy,
)
from marketsim.registry import nearest

SYMBOLS = frozenset(SYMBOL) - {"index", "code", "name"} | {"series", "series id", "id"}
NIXTLA, GLUONTS, DARTS, REFERENCE = "Nixtla", "GluonTS", "Darts", "the reference system"  # whose names columns have
FRAME = {"unique id", "ds"}  # of Nixtla's frames
SHOWN = 12  # names of a header in a message


class ForecastColumns(Struct, frozen=True):
    """Positions of the columns of a table of forecasts, and what their values are."""

    values: tuple[tuple[int, Meaning], ...]  # positions, and what stands there
    layout: str  # whose names they have; "" for those of this package
    origin: int | None
    bar: int | None
    made_at: int | None
    symbol: int | None
    channel: int | None  # of names of prices
    last_close: int | None  # of the origin, in the reference system's files
    unused: tuple[str, ...]  # names of those that nothing is known of

    @property
    def texts(self) -> list[int]:
        """What is read as text."""
        found = (self.origin, self.bar, self.symbol, self.channel, self.made_at)
        return [at for at in found if at is not None]

    @property
    def numbers(self) -> list[int]:
        """What is read as numbers."""
        return [at for at, _ in self.values] + ([] if self.last_close is None else [self.last_close])


def kind_of_table(model: str | None) -> TableKind:
    """Tables of forecasts, of which those by `model` are wanted where a table has several."""
    return TableKind(_is_header, partial(resolve, model=model))


def resolve(heading: Heading, sample: Sample, file: str, model: str | None = None) -> ForecastColumns:
    """The columns of a table. DataError that says what is missing or doubtful, and what the header has."""
    header = [name.strip() for name in heading.names]
    names = [plain(word) for word in header]
    values, layout = _values(header, names, model, file)
    _check(values, header, file)
    taken = {at for at, _ in values}
    origin, bar, made_at, symbol = (_first(names, wanted, taken) for wanted in (ORIGIN, BAR, MADE_AT, SYMBOLS))
    if origin is None and bar is None:
        origin, bar = _undated(header, names, layout, file)
    channel = next((at for at in _all(names, CHANNEL, taken) if _are_channels(sample(at))), None)
    last_close = names.index("close") if layout == REFERENCE else None
    used = {*taken, origin, bar, made_at, symbol, channel, last_close}
    unused = (header[at] for at, word in enumerate(names) if at not in used and word not in {*ASIDE, *UNCLEAR})
    return ForecastColumns(tuple(values), layout, origin, bar, made_at, symbol, channel, last_close, tuple(unused))


def _is_header(cells: Sequence[str]) -> bool:
    """Whether a row of cells is a header: names of a time and of forecasts."""
    names = {plain(cell) for cell in cells}
    timed = names & {*ORIGIN, *BAR, *UNCLEAR}
    return bool(timed) and (names >= FRAME or any(tidy(cell) or quantile(cell) or of_model(cell) for cell in cells))


def _values(
    header: Sequence[str], names: Sequence[str], model: str | None, file: str
) -> tuple[list[tuple[int, Meaning]], str]:
    """The columns of forecasts, and whose names they have."""
    found = [(at, meaning) for at, word in enumerate(header) if (meaning := tidy(word))]
    levels = [(at, meaning) for at, word in enumerate(header) if (meaning := quantile(word))]
    bare = not found and all(meaning.level is None for _, meaning in levels)
    if bare and (set(names) >= FRAME or any(map(of_model, header))):
        return _of_models(header, names, model, file), NIXTLA
    if model is not None:
        raise DataError(f"{file}: its columns name no models, '{model}' neither")
    if not found:
        return levels, GLUONTS
    if any(meaning.level is not None for _, meaning in found):  # a column `close` beside them is the bar's own
        found = [(at, meaning) for at, meaning in found if meaning.rank]
    best = max(meaning.rank for _, meaning in found)
    found = [(at, meaning) for at, meaning in found if meaning.rank == best]
    if "time" in names and all("." in header[at] for at, _ in found):
        return found, DARTS
    points = all(meaning.level is None for _, meaning in found)
    return found, REFERENCE if best and points and {"date", "close"} <= set(names) else ""


def _of_models(header: Sequence[str], names: Sequence[str], model: str | None, file: str) -> list[tuple[int, Meaning]]:
    """The columns of one model in a frame of Nixtla's: its point forecast, and its quantiles."""
    own = [at for at, word in enumerate(names) if word not in {*ORIGIN, *BAR, *MADE_AT, *CHANNEL, *SYMBOLS, *ASIDE}]
    levels = {at: parts for at in own if (parts := of_model(header[at]))}
    points = {at: header[at] for at in own if at not in levels}
    models = list(dict.fromkeys((*points.values(), *(name for name, _ in levels.values()))))
    if model is not None and model not in models:
        raise DataError(f"{file}: no forecasts by '{model}'{nearest(model, models)} (there are: {', '.join(models)})")
    if model is None and len(models) > 1:
        some = ", ".join(models[:8])
        raise DataError(f"{file}: forecasts by {len(models)} models, {some}: name one, as in FILE:{models[0]}")
    chosen = model or next(iter(models), "")
    found = [(at, Meaning(None, None)) for at, name in points.items() if name == chosen]
    return found + [(at, Meaning(None, level)) for at, (name, level) in levels.items() if name == chosen]


def _check(values: Sequence[tuple[int, Meaning]], header: Sequence[str], file: str) -> None:
    """DataError where there are no forecasts, or some twice, or at no possible quantile."""
    if not values:
        raise DataError(
            f"{file}: no forecasts, such as a column high, high_q10 or 0.1; the header has {_shown(header)}"
        )
    seen: dict[tuple[int | None, float | None], int] = {}
    for at, meaning in values:
        if meaning.level is not None and not 0 < meaning.level < 1:
            raise DataError(f"{file}: column '{header[at]}': a quantile lies between 0 and 100 %")
        other = seen.setdefault((meaning.channel, meaning.level), at)
        if other != at:
            raise DataError(f"{file}: columns '{header[other]}' and '{header[at]}' are the same forecast")


def _undated(header: Sequence[str], names: Sequence[str], layout: str, file: str) -> tuple[int | None, int | None]:
    """Origin and bar where no column is called so: by the habit of the layout. DataError where there is none."""
    at = next((names.index(word) for word in UNCLEAR if word in names), None)
    if at is None:
        what = "'origin' (the last bar known) or 'bar' (the one that is forecast)"
        raise DataError(f"{file}: no column {what}; the header has {_shown(header)}")
    if layout == REFERENCE:
        return at, None
    if layout:
        return None, at
    label = header[at] or f"column {at + 1}"
    raise DataError(
        f"{file}: '{label}' may be the last bar known or the bar that is forecast: call it 'origin' or 'bar'"
    )


def _first(names: Sequence[str], wanted: Iterable[str], taken: set[int]) -> int | None:
    return next(iter(_all(names, wanted, taken)), None)


def _all(names: Sequence[str], wanted: Iterable[str], taken: set[int]) -> list[int]:
    return [at for at, name in enumerate(names) if name in set(wanted) and at not in taken]


def _are_channels(cells: Sequence[str]) -> bool:
    told = {cell.strip().lower() for cell in cells} - {""}
    return bool(told) and told <= set(CHANNELS)


def _shown(header: Sequence[str]) -> str:
    return ", ".join(map(reprlib.repr, header[:SHOWN])) + (", ..." if len(header) > SHOWN else "")

"""The basis of a plan beyond its document: the forecast of its bar, and the bars up to its origin."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from marketsim.data.bars import Bars
from marketsim.data.calendars.zones import DAY
from marketsim.digests import sha256
from marketsim.forecasting.forecasts import Forecasts
from marketsim.results.rows import Count, Row, Sha256, Stamp

DIGEST = 16  # hex digits


class BarBlock(Row, frozen=True):
    """Consecutive bars with a digest: if the whole has changed, the blocks show which part."""

    first: Stamp  # open of the first
    bars: Count
    digest: str


class PlanBasis(Row, frozen=True):
    """The newest origin of a walk: which bars were known, and what was forecast of the next."""

    origin: Stamp  # UTC, the open of the newest bar
    ended: Stamp  # UTC, when that bar was complete
    begins: Stamp  # UTC, when trade in the next bar begins, which may be after its stamp
    fingerprint: Sha256  # of the bars up to there, and of the finer ones inside them
    blocks: list[BarBlock]  # oldest first, ever shorter towards the newest
    moves: list[list[float]]  # [4, Q] of open, high, low and close at all levels, fractions of the origin's close


def basis_of(bars: Bars, forecasts: Forecasts) -> PlanBasis:
    """The basis of the plan after the newest of the `bars`, whose forecast is the last."""
    known = known_bars(bars)
    return PlanBasis(
        origin=str(bars.time[-1]),
        ended=str(bars.timetable.ends(bars.time[-1:])[0]),
        begins=str(_trade_begins(bars, bars.next_opens(1))[0]),
        fingerprint=known.fingerprint,
        blocks=blocks_of(bars),
        moves=forecasts.moves[-1].tolist(),
    )


def _trade_begins(bars: Bars, opens: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """When trade begins in bars that open then by their stamps: those of days are stamped midnight, mostly."""
    table = bars.timetable
    if table.spacing != DAY or table.calendar.all_day:
        return opens
    return np.maximum(opens, table.calendar.window(table.dates(opens))[0])


def known_bars(bars: Bars) -> Bars:
    """The bars with only those finer ones that lie inside them."""
    end = bars.timetable.ends(bars.time[-1:])[0]
    finer = []
    for series in bars.finer:
        known = series.time < end
        finer.append(replace(series, time=series.time[known], ohlcv=series.ohlcv[known]))
    return replace(bars, finer=tuple(finer))


def blocks_of(bars: Bars) -> list[BarBlock]:
    """All bars in blocks: the newest one, then one, two, four and so on before it."""
    ends = [len(bars)]
    while ends[-1] > 0:
        ends.append(max(0, ends[-1] - max(1, len(bars) - ends[-1])))
    return [_block(bars, slice(first, last)) for last, first in pairwise(ends)][::-1]


def _block(bars: Bars, rows: slice) -> BarBlock:
    return BarBlock(first=str(bars.time[rows.start]), bars=rows.stop - rows.start, digest=_digest(bars, rows))


def _digest(bars: Bars, rows: slice | NDArray[np.bool_]) -> str:
    digest = sha256(bars.time[rows].astype("<i8").tobytes())
    digest.update(np.ascontiguousarray(bars.ohlcv[rows], "<f8").tobytes())
    return digest.hexdigest()[:DIGEST]


class Revision(Struct, frozen=True):
    """How bars differ from those that a plan was made on."""

    first: str | None  # open of the first block that differs; None where only bars before all of them are new
    bars: int  # how many there were in the blocks that differ
    of: int  # of so many


def revision(bars: Bars, blocks: list[BarBlock]) -> Revision | None:
    """What has changed in the `bars` up to an origin since their `blocks` were taken; None where nothing has."""
    starts = np.array([block.first for block in blocks], "datetime64[s]")
    where = np.searchsorted(starts, bars.time, "right") - 1
    changed = [block for i, block in enumerate(blocks) if _digest(bars, where == i) != block.digest]
    total = sum(block.bars for block in blocks)
    if changed:
        return Revision(changed[0].first, sum(block.bars for block in changed), total)
    return Revision(None, 0, total) if (where < 0).any() else None

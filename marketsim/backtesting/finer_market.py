"""Finer bars of a walk: the order of prices that they show, and the number of doubtful fills they settle."""

from __future__ import annotations

import hashlib

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from marketsim.data.bars import Bars
from marketsim.data.calendars.timeframe import timeframe_of
from marketsim.data.finer_bars import Inside
from marketsim.execution.finer_bars import FinerBars
from marketsim.execution.profit_terms import Costs, Levels, Outcomes
from marketsim.execution.strategies import Legs
from marketsim.execution.track_record import book
from marketsim.results.schema import FineFacts, FineSeries
from marketsim.settings.choices import BASIS_POINTS, EXPECTED


def with_order(
    outcomes: Outcomes, bars: Bars, origins: NDArray[np.int64], levels: Levels
) -> tuple[Outcomes, FineFacts]:
    """The outcomes `[N]` of the bars after the `origins` `[N]`, with the order of their prices where it is known."""
    inside = Inside.of(bars, bars.finer, origins + 1)
    ordered = replace(outcomes, inside=finer_moves(inside, bars.close[origins]))
    return ordered, fine_facts(bars, inside, levels, ordered)


def finer_moves(inside: Inside, close: NDArray[np.float64]) -> FinerBars:
    """The finer bars of N bars as moves from the origins' closes `[N]`; each has as much variance as another."""
    moves = inside.prices / close[:, None, None] - 1
    known = np.arange(moves.shape[1]) < inside.count[:, None]
    opens, highs, lows, closes = np.moveaxis(moves, 2, 0)
    return FinerBars(opens, highs, lows, closes, known / inside.count[:, None], inside.count)


def fine_facts(bars: Bars, inside: Inside, levels: Levels, outcomes: Outcomes) -> FineFacts:
    """How far the finer bars reach, and how many doubts they settle at the levels `[N]` that nothing has fitted."""
    series = []
    for number, finer in enumerate(bars.finer):
        covered = int(np.count_nonzero(inside.used == number))
        series.append(FineSeries(timeframe=timeframe_of(finer.timetable.spacing), source=finer.source, covered=covered))
    before = _ambiguous(levels, replace(outcomes, inside=None), bars.crypto)
    after = _ambiguous(levels, outcomes, bars.crypto)
    apart = inside.apart[~np.isnan(inside.apart)]
    digest = hashlib.sha256(b"".join(bytes.fromhex(finer.fingerprint) for finer in bars.finer))
    return FineFacts(
        series=series,
        bars=len(inside.count),
        covered=int(np.count_nonzero(inside.used >= 0)),
        disagreeing=int(inside.disagreeing.sum()),
        rescaled=int(inside.rescaled.sum()),
        apart_bps=float(BASIS_POINTS * np.median(apart)) if len(apart) else None,
        ambiguous=int(before.sum()),
        settled=int((before & ~after).sum()),
        left=int(after.sum()),
        fingerprint=digest.hexdigest(),
    )


def _ambiguous(levels: Levels, outcomes: Outcomes, crypto: bool) -> NDArray[np.bool_]:
    """Which legs `[2, N]`, or `[1, N]` without shorts, leave it in doubt whether their take-profit was filled."""
    size = len(outcomes.close)
    every, zeros = np.ones(size, bool), np.zeros(size)
    legs = [Legs(every, None)] if crypto else [Legs(every, None), Legs(~every, every)]
    tracks = (book("", levels, outcomes, leg, Costs(0.0, 0.0), EXPECTED, (zeros, zeros), ~every) for leg in legs)
    return np.stack([track.ambiguous for track in tracks])

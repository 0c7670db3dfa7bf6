"""The evidence for a decision: each strategy on clean bars, corrected for everything that was tried."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from msgspec.structs import replace

from marketsim.execution.track_record import TrackRecord
from marketsim.results.blocks import Bools, Floats
from marketsim.results.evidence_schema import Evidence, TestedStrategy
from marketsim.results.reality_check import reality_check
from marketsim.results.result import Result
from marketsim.results.significance import in_bps, mean_interval
from marketsim.results.walk_profits import DecidingProfits, deciding_fill
from marketsim.settings.choices import BASIS_POINTS, HOLDING


def evidence_of(result: Result, profits: DecidingProfits, assumed: bool) -> Evidence:
    """The evidence of one symbol; `profits` are its own, on bars some of which may be `assumed` clean."""
    clean = profits.clean
    fill = deciding_fill(result.rules.fill)
    held = next(track for track in result.baselines if track.name == HOLDING).profits[fill][::-1]
    bars = int(clean.sum())
    evidence = Evidence(
        fill=fill,
        bars=bars,
        first=profits.times[int(np.argmax(clean))] if bars else None,
        assumed_clean=assumed,
        holding_bps=float(BASIS_POINTS * (held[clean] if bars else held).mean()),
        tried=0,
        strategies=[_tested(track, fill, clean, held[clean], result.seed) for track in result.strategies],
    )
    return counted(evidence, *_alone(profits, result.seed))


def counted(evidence: Evidence, p: Mapping[str, float | None], tried: int) -> Evidence:
    """The same evidence, with the p of each strategy among all `tried`."""
    strategies = [replace(strategy, p=p[strategy.strategy]) for strategy in evidence.strategies]
    return replace(evidence, tried=tried, strategies=strategies)


def _alone(profits: DecidingProfits, seed: int) -> tuple[dict[str, float | None], int]:
    names = list(profits.profits)
    check = reality_check([profits.clean_bars(name) for name in names], seed)
    p = dict(zip(names, known(check.p), strict=True))
    return p, sum(value is not None for value in p.values())


def known(p: Floats) -> list[float | None]:
    """The number, or None for NaN."""
    return [None if np.isnan(value) else float(value) for value in p]


def _tested(track: TrackRecord, fill: str, clean: Bools, held: Floats, seed: int) -> TestedStrategy:
    returns = track.profits[fill][::-1][clean]
    if not len(returns):
        returns, held = np.zeros(1), np.zeros(1)
    own, beyond = in_bps(mean_interval(returns, seed)), in_bps(mean_interval(returns - held, seed))
    return TestedStrategy(
        strategy=track.name,
        trades=int(track.trades[::-1][clean].sum()),
        mean_bps=float(BASIS_POINTS * returns.mean()),
        low_bps=None if own is None else own.low,
        high_bps=None if own is None else own.high,
        p=None,
        beyond_holding_bps=float(BASIS_POINTS * (returns - held).mean()),
        beyond_holding_low_bps=None if beyond is None else beyond.low,
        beyond_holding_high_bps=None if beyond is None else beyond.high,
    )

"""The score of sealed plans: promised and realized profit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct

from marketsim.data.bars import Bars
from marketsim.errors import Failure, MarketsimError, Outcome, Success
from marketsim.forecasting.contamination import exposure_of_sealed, tally
from marketsim.forecasting.forecasts import LEVELS
from marketsim.forecasting.scores import covered, pinball, share_interval
from marketsim.journal.booking import BookedPlan, PastPlans, book_plans, sort_plans
from marketsim.journal.entry import Promise, Sealed
from marketsim.journal.record import Record, differences, promised_mean, records_of
from marketsim.journal.score_document import (
    PlanOutcome,
    Promised,
    Realized,
    ScoredForecasts,
    ScoredStrategy,
    Sealing,
    UnscoredPlan,
)
from marketsim.results.confidence_sequence import running_interval
from marketsim.results.dated_profits import DatedProfits, side_by_side
from marketsim.results.promise import PromisedMean, difference, kept
from marketsim.results.schema import ExposureCounts
from marketsim.settings.choices import BASIS_POINTS, EXPECTED, PROVABLE, TOUCH


class Score(Struct, frozen=True):
    """The score of a journal's plans."""

    past: dict[str, PastPlans]  # by symbol
    booked: list[BookedPlan]
    records: list[Record]
    strategies: list[ScoredStrategy]
    pooled: list[ScoredStrategy]
    forecasts: list[ScoredForecasts]
    waiting: list[UnscoredPlan]
    unscored: list[UnscoredPlan]
    sealing: Sealing
    failed: list[MarketsimError]  # symbols whose bars could not be read


def score(sealed: Sequence[Sealed], bars: Mapping[str, Outcome[Bars]]) -> Score:
    """The score of `sealed` plans on the `bars` of their symbols, as they are today."""
    booked: list[BookedPlan] = []
    past: dict[str, PastPlans] = {}
    waiting: list[UnscoredPlan] = []
    unscored: list[UnscoredPlan] = []
    failed: list[MarketsimError] = []
    for symbol, outcome in bars.items():
        own = [entry for entry in sealed if entry.plan.symbol == symbol]
        match outcome:
            case Failure(error):
                failed.append(error)
                unscored += [_unscored(entry, "its bars could not be read") for entry in own]
            case Success(found):
                plans = sort_plans(own, found)
                past[symbol] = plans.past
                booked += book_plans(plans.past)
                waiting += [_unscored(entry, "its session is not over") for entry in plans.waiting]
                unscored += [_unscored(entry, "there is no bar of its session") for entry in plans.without_bar]
    found_records = records_of(booked)
    records = found_records.records
    unscored += [_unscored(entry, "its session was sealed before") for entry in found_records.again]
    words = differences(records)
    return Score(
        past=past,
        booked=booked,
        records=records,
        strategies=[_row(record, run, past[record.symbol]) for record, run in zip(records, words, strict=True)],
        pooled=_pooled(records, words),
        forecasts=[_forecasts(symbol, plans) for symbol, plans in past.items() if plans.plans],
        waiting=waiting,
        unscored=unscored,
        sealing=_sealing(past),
        failed=failed,
    )


def plan_outcomes(booked: Sequence[BookedPlan]) -> list[PlanOutcome]:
    """Every plan and what it came to, as rows."""
    return [
        PlanOutcome(
            entry=plan.sealed.entry.number,
            symbol=plan.sealed.plan.symbol,
            session=plan.sealed.plan.session.bar,
            strategy=plan.strategy.strategy,
            side=plan.strategy.side,
            upper=plan.strategy.upper,
            lower=plan.strategy.lower,
            orders=plan.orders,
            trades=plan.trades,
            provable=plan.profits[PROVABLE],
            expected=plan.profits[EXPECTED],
            touch=plan.profits[TOUCH],
            headline=plan.headline,
        )
        for plan in booked
    ]


def _unscored(sealed: Sealed, why: str) -> UnscoredPlan:
    return UnscoredPlan(sealed.entry.number, sealed.plan.symbol, sealed.plan.session.bar, why)


def _row(record: Record, run: str, past: PastPlans) -> ScoredStrategy:
    first, last = (np.datetime64(record.plans[i].sealed.plan.session.opens, "s") for i in (0, -1))
    between = int(np.count_nonzero((past.bars.time >= first) & (past.bars.time <= last)))
    promise = record.promise
    return _scored(
        symbol=record.symbol,
        strategy=record.strategy,
        run=run,
        promise=promised_mean(promise),
        promised=_promised(promise),
        profits=record.bps,
        shifted=record.bps,
        sessions=record.sessions,
        plans=record.plans,
        missed=between - len(record.plans),
    )


def _promised(promise: Promise) -> Promised:
    return Promised(
        bars=promise.bars,
        mean_bps=promise.mean_bps,
        low_bps=promise.low_bps,
        high_bps=promise.high_bps,
        fill_rate=promise.fill_rate,
        win_rate=promise.win_rate,
    )


def _pooled(records: Sequence[Record], words: Sequence[str]) -> list[ScoredStrategy]:
    """A row for each strategy and run of several symbols."""
    groups: dict[tuple[str, str], list[Record]] = {}
    for record, run in zip(records, words, strict=True):
        groups.setdefault((record.strategy, run), []).append(record)
    return [_together(members, run) for (_, run), members in groups.items() if len({m.symbol for m in members}) > 1]


def _together(members: Sequence[Record], run: str) -> ScoredStrategy:
    """Several records as one, whose bars are dates: what a date earned is the mean over its symbols.

    What is promised is the mean over the symbols; so are the ends of its interval, as if all walks erred together. On
    a date that lacks some symbols, what came is held against what the others had promised.
    """
    promises = [record.promise for record in members]
    sessions = sorted({session for record in members for session in record.sessions})
    earned = side_by_side([DatedProfits(record.sessions, record.bps) for record in members])
    mean = float(np.mean([promise.mean_bps for promise in promises]))
    ends = [promised_mean(promise) for promise in promises]
    known = [interval for interval in ends if interval is not None]
    whole = len(known) == len(ends)
    low, high = (
        float(np.mean([getattr(interval, end) for interval in known])) if whole else None for end in ("low", "high")
    )
    bars = min(promise.bars for promise in promises)
    shifted = mean + np.nanmean(earned - np.array([promise.mean_bps for promise in promises]), axis=1)
    plans = [plan for record in members for plan in record.plans]
    return _scored(
        symbol=None,
        strategy=members[0].strategy,
        run=run,
        promise=PromisedMean(mean, low, high, bars) if low is not None and high is not None else None,
        promised=Promised(bars, mean, low, high, _mean(promises, "fill_rate"), _mean(promises, "win_rate")),
        profits=np.nanmean(earned, axis=1),
        shifted=shifted,
        sessions=sessions,
        plans=plans,
        missed=0,
    )


def _mean(promises: Sequence[Promise], name: str) -> float | None:
    known = [value for promise in promises if (value := getattr(promise, name)) is not None]
    return float(np.mean(known)) if known else None


def _scored(
    *,
    symbol: str | None,
    strategy: str,
    run: str,
    promise: PromisedMean | None,
    promised: Promised,
    profits: np.ndarray,
    shifted: np.ndarray,
    sessions: Sequence[str],
    plans: Sequence[BookedPlan],
    missed: int,
) -> ScoredStrategy:
    """A row of a record: `profits` `[N]` in basis points, `shifted` where they are held against the promise."""
    judged = kept(promise, shifted)
    interval = running_interval(profits)
    apart = None if promise is None else difference(promise, shifted)
    orders, trades = sum(plan.orders for plan in plans), sum(plan.trades for plan in plans)
    rate = trades / orders if orders else None
    fills = (None, None) if rate is None else share_interval(rate, orders)
    sums = {policy: sum(plan.profits[policy] for plan in plans) for policy in (PROVABLE, EXPECTED, TOUCH)}
    return ScoredStrategy(
        symbol=symbol,
        strategy=strategy,
        run=run,
        verdict=judged.verdict,
        p=judged.p,
        bars_more=judged.bars_more,
        turned=None if judged.turned is None else sessions[judged.turned],
        worst_since=None if judged.turned is None else sessions[judged.begun],
        promised=promised,
        realized=Realized(
            bars=len(profits),
            first=sessions[0],
            last=sessions[-1],
            missed=missed,
            mean_bps=float(profits.mean()),
            low_bps=None if interval is None else interval.low,
            high_bps=None if interval is None else interval.high,
            difference_bps=float(shifted.mean()) - promised.mean_bps,
            difference_low_bps=None if apart is None else apart.low,
            difference_high_bps=None if apart is None else apart.high,
            orders=orders,
            trades=trades,
            fill_rate=rate,
            fill_low=fills[0],
            fill_high=fills[1],
            win_rate=sum(plan.wins for plan in plans) / trades if trades else None,
            **sums,
            headline=sum(plan.headline for plan in plans),
        ),
    )


def _forecasts(symbol: str, past: PastPlans) -> ScoredForecasts:
    inside = covered(past.moves, past.actual)
    share = float(inside.mean())
    low, high = share_interval(share, len(inside))
    return ScoredForecasts(
        symbol=symbol,
        model=", ".join(dict.fromkeys(sealed.plan.model.name for sealed in past.plans)),
        bars=len(inside),
        nominal=LEVELS[-1] - LEVELS[0],
        coverage=share,
        coverage_of=inside.mean(0).tolist(),
        coverage_low=low,
        coverage_high=high,
        loss_bps=BASIS_POINTS * float(pinball(past.moves, past.actual, LEVELS).mean()),
    )


def _sealing(past: Mapping[str, PastPlans]) -> Sealing:
    entries = [sealed for found in past.values() for sealed in found.plans]
    late = [_minutes(sealed.plan.session.begins, sealed.entry.sealed) for sealed in entries]
    tags = [
        exposure_of_sealed(sealed.plan.model, sealed.plan.session.opens, sealed.entry.clock == "system")
        for sealed in entries
    ]
    return Sealing(
        plans=len(entries),
        given_clock=sum(sealed.entry.clock == "given" for sealed in entries),
        begun=sum(not sealed.in_time for sealed in entries),
        latest_minutes=max((minutes for minutes in late if minutes > 0), default=0),
        revised=sum(_revised(found) for found in past.values()),
        exposure=ExposureCounts(**tally(tags)),
    )


def _minutes(begin: str, end: str) -> int:
    return int((np.datetime64(end, "s") - np.datetime64(begin, "s")) // np.timedelta64(60, "s"))


def _revised(past: PastPlans) -> int:
    then = np.array([sealed.plan.bars.close for sealed in past.plans])
    return int(np.count_nonzero(then != past.bars.close[past.origins])) if len(then) else 0

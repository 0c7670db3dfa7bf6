"""The record of a strategy since it was sealed: realized and promised profit on every bar."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from marketsim.journal.booking import BookedPlan
from marketsim.journal.entry import Promise, Sealed, SealedPlan
from marketsim.results.promise import PromisedMean
from marketsim.results.rows import Setting
from marketsim.settings.groups import BarsSettings
from marketsim.settings.settings import keys_of

# They change how long a record is, or where its bars come from, not which orders are sealed.
APART = {*keys_of(BarsSettings), "sims", "simulations", "fast", "assume_clean", "allow_lookahead"}
APART -= {"timeframe", "adjust", "asset"}

Key = tuple[str, str, tuple[tuple[str, str], ...]]  # symbol, strategy, and the settings of their run


class Record(Struct, frozen=True):
    """N sealed bars of one strategy on one symbol, by one run's settings, oldest first."""

    symbol: str
    strategy: str
    settings: dict[str, Setting]  # those that decide which orders are sealed, with the model's name
    plans: list[BookedPlan]  # [N]

    @property
    def promise(self) -> Promise:
        """What was promised when the record began: a record is held to that, whatever later evenings say."""
        return self.plans[0].strategy.promise

    @property
    def sessions(self) -> list[str]:
        """Of the bars, `[N]`."""
        return [plan.sealed.plan.session.bar for plan in self.plans]

    @property
    def bps(self) -> np.ndarray:
        """Profits `[N]`, basis points of the origin's close."""
        return np.array([plan.profit_bps for plan in self.plans])


class Records(Struct, frozen=True):
    """All records, and the plans that count in none because their session was sealed before."""

    records: list[Record]
    again: list[Sealed]


def records_of(booked: Sequence[BookedPlan]) -> Records:
    """The records that booked plans make.

    Of several plans for one session by the same settings the first that was sealed counts: nobody chooses afterwards.
    """
    found: dict[Key, Record] = {}
    again: dict[int, Sealed] = {}
    for booked_plan in sorted(booked, key=lambda one: (one.sealed.plan.session.opens, one.sealed.entry.number)):
        plan = booked_plan.sealed.plan
        settings = _deciding(plan)
        key = (
            plan.symbol,
            booked_plan.strategy.strategy,
            tuple((name, repr(value)) for name, value in settings.items()),
        )
        record = found.setdefault(key, Record(plan.symbol, booked_plan.strategy.strategy, settings, []))
        if record.plans and record.plans[-1].sealed.plan.session.opens == plan.session.opens:
            again[booked_plan.sealed.entry.number] = booked_plan.sealed
        else:
            record.plans.append(booked_plan)
    return Records(list(found.values()), list(again.values()))


def sealed_before(plans: Sequence[SealedPlan], entries: Sequence[Sealed]) -> dict[str, Sealed]:
    """By symbol the first entry for the session of one of the `plans`, from a run with the same settings."""
    found: dict[str, Sealed] = {}
    for plan in plans:
        for entry in entries:
            same = (entry.plan.symbol, entry.plan.session.opens) == (plan.symbol, plan.session.opens)
            if same and _deciding(entry.plan) == _deciding(plan):
                found.setdefault(plan.symbol, entry)
    return found


def _deciding(plan: SealedPlan) -> dict[str, Setting]:
    values = {key: value for key, value in plan.settings.items() if key not in APART}
    return values | {"model": plan.model.name}


def differences(records: Sequence[Record]) -> list[str]:
    """What tells each of the records from others of the same strategy, in words; "" where nothing has to."""
    found = []
    for record in records:
        same = [other for other in records if other.strategy == record.strategy]
        keys = [key for key in record.settings if len({repr(other.settings.get(key)) for other in same}) > 1]
        found.append(", ".join(f"{key} {record.settings[key]}" for key in keys))
    return found


def promised_mean(promise: Promise) -> PromisedMean | None:
    """The mean that was promised, in basis points; None where too little was traded for an interval."""
    if promise.low_bps is None or promise.high_bps is None:
        return None
    return PromisedMean(promise.mean_bps, promise.low_bps, promise.high_bps, promise.bars)

"""Plans to seal, with numbers that can be told apart, and journals of small entries."""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from marketsim.journal.chain import BEFORE_FIRST, hash_of, line_of
from marketsim.journal.entry import (
    Companion,
    ForecastQuantiles,
    Promise,
    SealedBars,
    SealedModel,
    SealedOrder,
    SealedPlan,
    SealedStrategy,
    Session,
)
from marketsim.results.plan_basis import BarBlock
from tests.documents import COIN, HAR

DAYS = [f"2020-08-{day:02}" for day in range(1, 29)]


def strategy(name: str, **changes: Any) -> SealedStrategy:
    promise = Promise(
        bars=70,
        orders=28,
        trades=20,
        mean_bps=33.97,
        low_bps=-21.3,
        high_bps=114.0,
        spread_bps=211.5,
        fill_rate=0.714,
        win_rate=0.7,
    )
    plan = SealedStrategy(
        strategy=name,
        side="long",
        upper=343.76,
        lower=329.43,
        close_at_eod=False,
        high_multiplier=0.01,
        low_multiplier=0.0128,
        t=1.08,
        stood_aside=False,
        promise=promise,
    )
    return replace(plan, **changes)


def sealed_plan(day: int = 0, **changes: Any) -> SealedPlan:
    """A plan for the `day` after the first of August 2020."""
    order = SealedOrder(
        strategy="always-on", side="buy", entry=329.43, take_profit=343.77, exit="take-profit, else close", quantity=2.5
    )
    bars = SealedBars(
        **COIN,
        source="sample",
        count=1079,
        last=DAYS[day],
        origin=f"{DAYS[day]}T00:00:00",
        ended=f"{DAYS[day + 1]}T00:00:00",
        close=335.02,
        blocks=[BarBlock(first=f"{DAYS[day]}T00:00:00", bars=1, digest="ab" * 8)],
    )
    opens, ends = f"{DAYS[day + 1]}T00:00:00", f"{DAYS[day + 2]}T00:00:00"
    plan = SealedPlan(
        symbol="ETHUSD",
        session=Session(bar=DAYS[day + 1], zone="UTC", opens=opens, begins=opens, ends=ends),
        decision="CAN'T TELL",
        verdict="always-on earned 34.0 bps a bar, which may be luck",
        strategy="always-on",
        strategies=[strategy("entry-exit", side="flat"), strategy("always-on")],
        orders=[order],
        no_order=None,
        forecast=ForecastQuantiles(
            levels=[0.1, 0.5, 0.9], open=[0, 0, 0], high=[0, 1, 2], low=[0, 1, 2], close=[0, 1, 2]
        ),
        bars=bars,
        model=SealedModel(**HAR, version="3"),
        fee_bps=15.0,
        slippage_bps=5.0,
        fill="expected",
        window=60,
        min_t=1.0,
        settings={"sims": 70, "bounds": [-0.03, 0.03]},
        together=[Companion(asked="ETHUSD", origin=f"{DAYS[day]}T00:00:00")],
        marketsim="0.1.0",
        code="ef" * 32,
        libraries={"numpy": "2.0"},
        plugins={},
        fine=None,
    )
    return replace(plan, **changes)


def small(number: int, previous: str, day: int, word: str = "", sealed: str | None = None) -> bytes:
    """The bytes of an entry that says little more than its place and its times."""
    entry = {
        "number": number,
        "previous": previous,
        "sealed": sealed or f"{DAYS[day + 1]}T00:30:00",
        "clock": "given",
        "plan": {
            "word": word,
            "bars": {"ended": f"{DAYS[day + 1]}T00:00:00"},
            "session": {"ends": f"{DAYS[day + 2]}T00:00:00"},
        },
    }
    return json.dumps(entry, separators=(",", ":")).encode()


def small_journal(words: list[str]) -> list[bytes]:
    """The lines of a sound journal with a small entry for each word, on consecutive days."""
    lines: list[bytes] = []
    previous = BEFORE_FIRST
    for i, word in enumerate(words):
        content = small(i + 1, previous, i, word)
        previous = hash_of(content)
        lines.append(line_of(content))
    return lines

"""What a broker filled beside what was booked, order by order."""

from __future__ import annotations

import numpy as np
import pytest

from marketsim.data import open_source
from marketsim.data.broker_fills.broker_fill import BrokerFill, BrokerFills
from marketsim.errors import Success
from marketsim.execution.profit_terms import Costs
from marketsim.journal.booking import LONG, SHORT, book_legs, sort_plans
from marketsim.journal.reality_gap import reality_gap, trades_of
from marketsim.journal.score import score
from marketsim.settings.settings import Settings
from tests.journal.evenings import seal_evenings

SETTINGS = Settings.of(sims=12, window=20, min_t=0.0, close_at_eod="always", cache="off")
HOUR = np.timedelta64(3600, "s")


def fill(side, price, quantity=10.0, at=0, fee=0.0, symbol="NVDA"):
    return BrokerFill(symbol, np.datetime64("2025-02-03T15:00:00") + at, side, price, quantity, fee, "", f"line {at}")


def test_trades_begin_flat_and_end_flat():
    long = [fill("buy", 100, 4), fill("buy", 101, 6, 1), fill("sell", 103, 10, 2)]
    found = trades_of([*long, fill("sell", 104, 5, 3), fill("buy", 99, 5, 4)])
    assert [(each.side, each.quantity, each.open) for each in found] == [(LONG, 10, 0), (SHORT, 5, 0)]


def test_a_fill_beyond_the_position_turns_it():
    found = trades_of([fill("buy", 100, 4), fill("sell", 103, 10, 1, fee=1.0), fill("buy", 99, 6, 2)])
    assert [(each.side, each.quantity, each.open) for each in found] == [(LONG, 4, 0), (SHORT, 6, 0)]
    assert [found[0].left[0].fee, found[1].entered[0].fee] == pytest.approx([0.4, 0.6])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    bars = open_source("sample", None, SETTINGS.bars).load("NVDA")
    journal = seal_evenings(tmp_path_factory.mktemp("j"), "NVDA", bars, range(len(bars) - 6, len(bars) - 1), SETTINGS)
    return bars, journal


def perfect(entries, bars, fee_bps=None):
    """Fills at the booked prices, with the booked fees and slippage: nothing that a bar leaves in doubt."""
    past = sort_plans(entries, bars).past
    found = []
    for at, sealed in enumerate(past.plans):
        plan = sealed.plan
        for order in plan.orders:
            side = LONG if order.side == "buy" else SHORT
            (strategy,) = [each for each in plan.strategies if each.strategy == order.strategy]
            costs = Costs.from_bps(plan.fee_bps, plan.slippage_bps)
            track = book_legs(past, np.array([at]), [strategy], costs, "expected", (side,))
            if not track.trades[0]:
                continue
            open_, close = bars.open[past.origins[at] + 1], bars.close[past.origins[at]]
            sign = 1 if side == LONG else -1
            entry = min(strategy.lower, open_) if side == LONG else max(strategy.upper, open_)
            rate = (plan.fee_bps if fee_bps is None else fee_bps) / 1e4
            # the exit at which the booked profit is earned: sign * (x - entry) - rate * (x + entry) = profit
            booked_rate = plan.fee_bps / 1e4
            exit_ = (track.profits["expected"][0] * close + entry * (sign + booked_rate)) / (sign - booked_rate)
            begin = np.datetime64(plan.session.begins, "s")
            for when, way, price in (
                (begin + HOUR, order.side, entry),
                (begin + 4 * HOUR, "sell" if sign > 0 else "buy", exit_),
            ):
                found.append(BrokerFill("NVDA", when, way, price, 10.0, rate * price * 10, "", "line"))
    return found


def perfect_fills(journal):
    bars = open_source("sample", None, SETTINGS.bars).load("NVDA")
    rows = [
        f"{each.time}Z,{each.symbol},{each.side},{float(each.price)!r},{each.quantity!r},{float(each.fee)!r}"
        for each in perfect(journal.entries(), bars)
    ]
    return "\n".join(["time,symbol,side,price,quantity,fee", *rows]) + "\n"


def gap_of(run, fills):
    bars, journal = run
    found = score(journal.entries(), {"NVDA": Success(bars)})
    return reality_gap(BrokerFills("broker.csv", "columns by name", fills, ()), found)


def test_fills_as_booked_leave_no_gap(run):
    bars, journal = run
    fills = perfect(journal.entries(), bars)
    gap = gap_of(run, fills)
    assert gap.filled == len(fills) // 2 > 0
    assert (gap.missed, gap.unbooked, gap.stray, gap.notes) == (0, 0, 0, [])
    assert gap.gap_bps == pytest.approx(0, abs=1e-9)
    assert [order.gap_bps for order in gap.orders] == pytest.approx([0] * len(gap.orders), abs=1e-9)
    assert gap.low_bps is None


def test_a_worse_entry_is_its_slippage(run):
    bars, journal = run
    fills = perfect(journal.entries(), bars)
    first = fills[0]
    sign = 1 if first.side == "buy" else -1
    worse = [BrokerFill(*[*_fields(first)[:3], first.price * (1 + 0.001 * sign), *_fields(first)[4:]]), *fills[1:]]
    gap = gap_of(run, worse)
    (order,) = [each for each in gap.orders if each.gap_bps < -0.1]
    assert order.entry_bps == pytest.approx(-10, rel=0.05)
    assert order.exit_bps == pytest.approx(0, abs=1e-6)
    assert order.gap_bps == pytest.approx(order.entry_bps + order.exit_bps + order.fees_bps)


def test_dearer_fees_are_a_gap_of_fees(run):
    bars, journal = run
    gap = gap_of(run, perfect(journal.entries(), bars, fee_bps=8.0))
    assert gap.fees_bps == pytest.approx(-6, rel=0.1)  # 3 bps a side beyond the booked 5
    assert gap.entry_bps == pytest.approx(0, abs=1e-9)
    assert gap.fees == pytest.approx(sum(each.fee for each in perfect(journal.entries(), bars, fee_bps=8.0)))


def test_unknown_fees_are_taken_as_booked_and_said(run):
    bars, journal = run
    fills = [BrokerFill(*[*_fields(each)[:5], None, *_fields(each)[6:]]) for each in perfect(journal.entries(), bars)]
    gap = gap_of(run, fills)
    assert gap.fees_unknown == len(fills)
    assert any("fills whose fee is not known" in note for note in gap.notes)
    assert gap.gap_bps == pytest.approx(0, abs=1.0)  # but for the fee on the booked slippage


def test_what_was_booked_and_not_filled_is_missed(run):
    bars, journal = run
    whole = gap_of(run, perfect(journal.entries(), bars))
    gap = gap_of(run, perfect(journal.entries(), bars)[2:])
    assert (gap.missed, gap.filled) == (1, whole.filled - 1)
    (missed,) = [each for each in gap.orders if each.what == "missed"]
    found = score(journal.entries(), {"NVDA": Success(bars)})
    profits = [each.profit_bps for each in found.booked if each.sealed.plan.session.bar == missed.session]
    assert any(missed.gap_bps == pytest.approx(-each) for each in profits)
    assert gap.missed_bps == pytest.approx(missed.gap_bps / (gap.filled + gap.missed))


def test_fills_of_no_sealed_order_are_stray(run):
    gap = gap_of(
        run, [fill("buy", 100, at=-(10**7)), fill("sell", 100, at=-(10**7) + 5), fill("buy", 5, symbol="TSLA")]
    )
    assert gap.stray == 3
    assert any("fills of TSLA, of which no plan is scored: 1" in note for note in gap.notes)
    assert any("fills in no session of a sealed order on their side: 2" in note for note in gap.notes)


def test_a_trade_that_stays_open_counts_at_the_close(run):
    bars, journal = run
    fills = perfect(journal.entries(), bars)[:1]
    gap = gap_of(run, fills)
    assert [each.still_open for each in gap.orders if each.what == "filled"] == [True]


def _fields(each):
    return [getattr(each, name) for name in BrokerFill.__struct_fields__]

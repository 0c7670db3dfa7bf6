"""Reasons say what the rows say, of gains and of losses."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from marketsim.results.evidence_schema import Evidence, FastError
from marketsim.results.reasons import reasons
from marketsim.results.schema import ExposureCounts
from tests.documents import EVIDENCE, baseline_row, strategy_row, symbol_document

MODEL = symbol_document().model
ROW = strategy_row("always-on", bars=50, provable=-0.05, touch=0.1, ambiguous=3)


def said(
    *rows: Any, evidence: Evidence = EVIDENCE, fill: str = "expected", fast: FastError | None = None, model: Any = MODEL
) -> str:
    return "; ".join(reasons("always-on", rows or [ROW], evidence, model, fill, fast))


def holding(**changes: Any) -> Evidence:
    tested = [replace(each, **changes) for each in EVIDENCE.strategies]
    return replace(EVIDENCE, strategies=tested)


def test_the_difference_to_holding_and_whether_it_is_chance() -> None:
    assert "92.0 bps a bar less than holding, which may be chance (-200.0 to +20.0)" in said()
    surely = holding(beyond_holding_low_bps=-150.0, beyond_holding_high_bps=-10.0)
    assert "less than holding, more than chance explains (-150.0 to -10.0)" in said(evidence=surely)
    more = holding(beyond_holding_bps=4.0, beyond_holding_low_bps=1.0, beyond_holding_high_bps=7.0)
    assert "4.0 bps a bar more than holding, more than chance explains" in said(evidence=more)
    few = holding(beyond_holding_low_bps=None, beyond_holding_high_bps=None)
    assert "than holding, on too few bars to say more" in said(evidence=few)


def test_fills_in_doubt_are_a_range_and_a_count() -> None:
    assert "fills on 3 bars are in doubt: -10.0 to +20.0 bps a bar; finer bars (--fine) may settle them" in said()
    assert "fills on 1 bar are in doubt" in said(replace(ROW, ambiguous=1))
    assert "doubt" not in said(replace(ROW, ambiguous=0))
    assert "'touch' counts fills that no bar proves" in said(fill="touch")


def test_what_the_bars_can_show() -> None:
    assert "70 bars can show an edge of 88 bps a bar or more; one of 10 bps takes 5,436 bars" in said()
    assert "5 bars can show an edge of 88" in said(evidence=replace(EVIDENCE, bars=5))
    assert "20 bars can show an edge of 7 bps" in said(evidence=replace(holding(low_bps=-5, high_bps=5), bars=20))
    assert "edge" not in said(evidence=holding(low_bps=None, high_bps=None))


def test_fast_mode_says_its_error() -> None:
    assert "1.5 times as wide as that of 70 simulations, whose mean has the same sign in about 81 % of cases" in said(
        fast=FastError(simulations=70, width=1.49, same_sign=0.812)
    )


def test_the_training_data_are_spoken_of() -> None:
    unknown = replace(MODEL, exposure=ExposureCounts(clean=0, contaminated=0, unknown=70))
    assert "may have seen the evaluated bars" in said(model=unknown)
    assert "you vouch for these bars" in said(model=unknown, evidence=replace(EVIDENCE, assumed_clean=True))
    seen = replace(MODEL, exposure=ExposureCounts(clean=20, contaminated=50, unknown=0))
    assert "50 of 70 evaluated bars lie in the model's training data" in said(model=seen)
    one = replace(MODEL, exposure=ExposureCounts(clean=69, contaminated=1, unknown=0))
    assert "1 of 70 evaluated bars lies in the model's training data" in said(model=one)
    assert "training" not in said()


@pytest.mark.parametrize(
    ("aside", "why"),
    [
        (0, "every signal was short"),
        (70, "entry-exit stood aside on 70 of 70 bars, because its in-sample t was too low or the costs too high"),
        (
            40,
            "entry-exit stood aside on 40 of 70 bars, because its in-sample t was too low or the costs too high; "
            "every other signal",
        ),
    ],
)
def test_rows_without_an_order_are_a_line(aside: int, why: str) -> None:
    none = strategy_row("entry-exit", orders=0, trades=0, stood_aside=aside)
    unfitted = baseline_row("entry-exit unfitted", orders=0, trades=0)
    assert f"entry-exit and entry-exit unfitted placed no order: {why}" in said(none, ROW, unfitted)
    assert f"entry-exit placed no order: {why}" in said(none, ROW, replace(unfitted, orders=3))
    assert "forecast-close placed no order" in said(ROW, baseline_row("forecast-close", orders=0, trades=0))
    assert "entry-exit placed 9 orders, and none was filled" in said(
        ROW, strategy_row("entry-exit", orders=9, trades=0)
    )
    assert "entry-exit placed 1 order, and none" in said(ROW, strategy_row("entry-exit", orders=1, trades=0))

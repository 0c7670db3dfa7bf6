"""The answer says what the numbers say, and no more."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from marketsim.results.decision import LEVEL, Answer, decide
from marketsim.results.schema import CostsRow, ExposureCounts
from tests.documents import EVIDENCE, strategy_row, symbol_document

MODEL = symbol_document().model
COSTS = CostsRow(fee_bps=15.0, slippage_bps=5.0)
ALONE = EVIDENCE.strategies[1]


def answer(*tested: dict[str, Any], evidence: dict[str, Any] | None = None, **model: Any) -> Answer:
    """The answer to strategies with these changes, the first of which is always-on."""
    names = ("always-on", "entry-exit")
    strategies = [replace(ALONE, strategy=name, **changes) for name, changes in zip(names, tested, strict=False)]
    rows = [strategy_row(each.strategy, trades=each.trades, mean_bps=each.mean_bps) for each in strategies]
    found = replace(EVIDENCE, strategies=strategies, **(evidence or {}))
    return decide(found, rows, COSTS, replace(MODEL, **model), found.fill)


ONE_SEEN = ExposureCounts(clean=0, contaminated=1, unknown=0)
EARNED = {"mean_bps": 30.0, "low_bps": 5.0, "high_bps": 55.0, "p": LEVEL}
LOST = {"mean_bps": -30.0, "low_bps": -55.0, "high_bps": -5.0, "p": 0.99}
LUCK = {"mean_bps": 40.0, "low_bps": -15.0, "high_bps": 95.0, "p": 0.08}


@pytest.mark.parametrize(
    ("changes", "decision", "words"),
    [
        (EARNED, "TRADE", "always-on earned 30.0 bps a bar after costs (15 bps a side, 5 slippage), more than luck"),
        (
            EARNED | {"p": LEVEL + 1e-9},
            "CAN'T TELL",
            "which may be luck for the best of 2 tried (+5.0 to +55.0, p 0.025)",
        ),
        (EARNED | {"low_bps": 0.0}, "CAN'T TELL", "which may be luck (+0.0 to +55.0); holding earned 96.5"),
        (EARNED | {"low_bps": 1e-9}, "CAN'T TELL", "which may be luck"),
        (LOST, "DON'T", "always-on lost 30.0 bps a bar after costs (15 bps a side, 5 slippage), more than bad luck"),
        (LOST | {"high_bps": 0.0}, "CAN'T TELL", "which may be luck"),
        (LOST | {"high_bps": -1e-9}, "CAN'T TELL", "which may be luck"),
        ({"low_bps": None, "high_bps": None, "p": 0.001, "trades": 5}, "CAN'T TELL", "on 5 trades, too few to tell"),
        (EARNED | {"high_bps": None}, "CAN'T TELL", "too few to tell"),
        (EARNED | {"p": None}, "CAN'T TELL", "which may be luck for the best of 2 tried (+5.0 to +55.0); holding"),
        (
            {"trades": 0},
            "CAN'T TELL",
            "no order was filled on 70 bars, so nothing was earned; holding earned 96.5 bps a bar",
        ),
    ],
)
def test_one_strategy(changes: dict[str, Any], decision: str, words: str) -> None:
    found = answer(changes)
    assert found.decision == decision
    assert words in found.why


def test_one_that_was_tried_alone_is_not_the_best_of_several() -> None:
    alone = answer(EARNED | {"p": 0.3}, evidence={"tried": 1})
    assert ", which may be luck (+5.0 to +55.0, p 0.300); holding" in alone.why


def test_the_better_strategy_is_one_to_trade_and_else_the_one_that_earned_more() -> None:
    assert answer(EARNED, LUCK).strategy == "always-on"
    assert answer(LUCK, EARNED).strategy == "entry-exit"
    assert answer(LUCK, LOST).strategy == "always-on"
    assert answer(LOST, LUCK).decision == "CAN'T TELL"
    worse = {name: value and 2 * value for name, value in LOST.items() if name != "p"}
    found = answer(LOST, worse)
    assert (found.decision, found.strategy) == ("DON'T", "always-on")
    assert found.why.startswith("always-on, the better strategy, lost 30.0")
    assert answer(EARNED, LUCK | {"trades": 0}).why.startswith("always-on earned 30.0")


def test_bars_that_the_model_may_have_seen_prove_nothing() -> None:
    unknown = ExposureCounts(clean=0, contaminated=0, unknown=70)
    found = answer(EARNED, evidence={"bars": 0}, exposure=unknown)
    assert found.decision == "CAN'T TELL"
    assert "--assume-clean" in found.why
    seen = answer(EARNED, evidence={"bars": 0}, exposure=ExposureCounts(clean=0, contaminated=70, unknown=0))
    assert (seen.decision, seen.strategy) == ("CAN'T TELL", "always-on")
    assert "all 70 bars lie in the training data of har" in seen.why
    one = decide(
        replace(EVIDENCE, bars=0),
        [strategy_row("always-on", bars=1)],
        COSTS,
        replace(MODEL, exposure=ONE_SEEN),
        "expected",
    )
    assert "but the only bar lies in the training data of har, so this proves nothing" in one.why
    doubtful = answer(EARNED, evidence={"bars": 0}, exposure=unknown, doubt="nobody says when they were made")
    assert ", but nobody says when they were made (--assume-clean vouches for them);" in doubtful.why
    assert "har may have been trained on these bars (--assume-clean vouches that it was not)" in found.why
    unfilled = replace(EVIDENCE, bars=22, strategies=[replace(ALONE, trades=0)])
    rows = [strategy_row("always-on")]
    assert decide(unfilled, rows, COSTS, MODEL, EVIDENCE.fill) == Answer(
        "CAN'T TELL",
        None,
        "on the 22 bars after its model's training data no order was filled, so nothing was earned; "
        "holding earned 96.5 bps a bar",
    )
    part = answer(EARNED, evidence={"bars": 22}, exposure=ExposureCounts(clean=22, contaminated=48, unknown=0))
    assert part.decision == "TRADE"
    assert part.why.startswith("on the 22 bars after its model's training data always-on earned")


def test_costs_are_named_as_they_are_charged() -> None:
    rows, evidence = [strategy_row("always-on")], replace(EVIDENCE, strategies=[ALONE])
    for fee, slippage, words in (
        (0, 0, " bps a bar without costs, "),
        (0.5, 0, "after costs (0.5 bps a side), "),
        (0, 0.5, "after costs (0.5 slippage), "),
        (1.5, 3, "after costs (1.5 bps a side, 3 slippage), "),
    ):
        assert words in decide(evidence, rows, CostsRow(fee_bps=fee, slippage_bps=slippage), MODEL, EVIDENCE.fill).why


@pytest.mark.parametrize(
    ("bps", "words"),
    [(-0.04, "earned 0.0"), (-0.05, "lost 0.1"), (-1.0, "lost 1.0"), (0.04, "earned 0.0"), (0.06, "earned 0.1")],
)
def test_what_is_shown_as_nothing_is_no_loss(bps: float, words: str) -> None:
    assert f"always-on {words} bps a bar" in answer(LUCK | {"mean_bps": bps}).why


def test_forecasts_that_are_hard_to_believe_are_no_reason_to_trade() -> None:
    found = answer(EARNED, implausible="the forecasts of 'x' are implausible")
    assert found.decision == "CAN'T TELL"
    assert "more than luck explains (+5.0 to +55.0), but its forecasts are implausible" in found.why
    assert answer(LOST, implausible="the same").decision == "DON'T"


def test_a_run_by_another_policy_than_the_one_that_decides_names_it() -> None:
    rows, evidence = [strategy_row("always-on")], replace(EVIDENCE, fill="expected", strategies=[ALONE])
    assert "bps a bar with expected fills after costs" in decide(evidence, rows, COSTS, MODEL, "touch").why
    assert "fills" not in decide(evidence, rows, COSTS, MODEL, "expected").why


def test_a_model_that_was_caught_earns_no_decision() -> None:
    found = answer(EARNED, look_ahead="its forecasts change with the future")
    assert (found.decision, found.strategy) == ("CAN'T TELL", None)
    assert found.why == "LOOK-AHEAD, so no profit here counts: its forecasts change with the future"

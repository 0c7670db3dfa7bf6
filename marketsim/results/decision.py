"""The decision of a backtest, and its reason in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from marketsim.execution.tolerance import without_rounding
from marketsim.results.evidence_schema import Evidence, TestedStrategy
from marketsim.results.schema import CANT_TELL, DONT, TRADE, CostsRow, Decision, ModelFacts, StrategyRow
from marketsim.results.wording import number_of
from marketsim.settings.choices import BASIS_POINTS

LEVEL = 0.025  # of the one-sided p: what a 95 % interval leaves above it


class Answer(Struct, frozen=True):
    """A decision, the strategy that it is about, and why."""

    decision: Decision
    strategy: str | None  # the better one; None where none traded
    why: str  # a sentence, without its full stop


def decide(evidence: Evidence, rows: Sequence[StrategyRow], costs: CostsRow, model: ModelFacts, fill: str) -> Answer:
    """Whether the better strategy earned or lost more than luck explains, on bars that the model cannot have seen.

    TRADE where the 95 % interval of a strategy lies above zero and, all that was tried counted, luck explains it in at
    most 2.5 % of cases; DON'T where that of the better strategy lies below zero; else CAN'T TELL. The better strategy
    is one that is to be traded, if there is one, and else the one that earned more. Forecasts that are implausible
    are no reason to trade. `rows` are the strategies on all bars, `fill` is the policy of the
    run.
    """
    if model.look_ahead is not None:
        return Answer(CANT_TELL, None, f"LOOK-AHEAD, so no profit here counts: {model.look_ahead}")
    after = _after(costs) if evidence.fill == fill else f"with {evidence.fill} fills {_after(costs)}"
    bars, holding = rows[0].bars, f"holding {_earned(evidence.holding_bps)}"
    if not any(row.trades for row in rows):
        none = f"no order was filled on {number_of(bars, 'bar')}"
        return Answer(CANT_TELL, None, f"{none}, so nothing was earned; {holding} bps a bar")
    if not evidence.bars:
        row = max((row for row in rows if row.trades), key=lambda row: row.mean_bps)
        words = _unseen(model, bars)
        why = f"{row.name} {_earned(row.mean_bps)} bps a bar {after}, but {words}; {holding}"
        return Answer(CANT_TELL, row.name, why)
    traded = [strategy for strategy in evidence.strategies if strategy.trades]
    where = (
        "" if evidence.bars == bars else f"on the {number_of(evidence.bars, 'bar')} after its model's training data "
    )
    if not traded:
        return Answer(CANT_TELL, None, f"{where}no order was filled, so nothing was earned; {holding} bps a bar")
    better = max(traded, key=lambda row: (_is_shown(row), row.mean_bps))
    decision, words = _judged(better, evidence)
    if decision == TRADE and model.implausible is not None:
        decision, words = CANT_TELL, f"{words}, but its forecasts are implausible"
    name = f"{better.strategy}, the better strategy," if len(traded) > 1 else better.strategy
    why = f"{where}{name} {_earned(better.mean_bps)} bps a bar {after}, {words}; {holding}"
    return Answer(decision, better.strategy, why)


def _judged(better: TestedStrategy, evidence: Evidence) -> tuple[Decision, str]:
    low, high = better.low_bps, better.high_bps
    if low is None or high is None:
        return CANT_TELL, f"on {number_of(better.trades, 'trade')}, too few to tell"
    span = f"{low:+.1f} to {high:+.1f}"
    if _is_shown(better):
        return TRADE, f"more than luck explains ({span})"
    if _above_zero(low):
        p = "" if better.p is None else f", p {better.p:.3f}"
        tried = (
            f"which may be luck for the best of {evidence.tried} tried" if evidence.tried > 1 else "which may be luck"
        )
        return CANT_TELL, f"{tried} ({span}{p})"
    if without_rounding(high / BASIS_POINTS) < 0:
        return DONT, f"more than bad luck explains ({span})"
    return CANT_TELL, f"which may be luck ({span})"


def _is_shown(tested: TestedStrategy) -> bool:
    return tested.low_bps is not None and _above_zero(tested.low_bps) and tested.p is not None and tested.p <= LEVEL


def _above_zero(bps: float) -> bool:
    return bool(without_rounding(bps / BASIS_POINTS) > 0)


def _earned(bps: float) -> str:
    return f"{'lost' if round(bps, 1) < 0 else 'earned'} {abs(bps):.1f}"


def _after(costs: CostsRow) -> str:
    charges = [f"{costs.fee_bps:g} bps a side"] * (costs.fee_bps > 0)
    charges += [f"{costs.slippage_bps:g} slippage"] * (costs.slippage_bps > 0)
    return f"after costs ({', '.join(charges)})" if charges else "without costs"


def _unseen(model: ModelFacts, evaluated: int) -> str:
    if model.exposure.contaminated:
        lie = "the only bar lies" if evaluated == 1 else f"all {evaluated:,} bars lie"
        return f"{lie} in the training data of {model.name}, so this proves nothing"
    if model.doubt is not None:
        return f"{model.doubt} (--assume-clean vouches for them)"
    return f"{model.name} may have been trained on these bars (--assume-clean vouches that it was not)"

"""The audit of one symbol: every check, and the profit that is due to a leak."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from msgspec import Struct

from marketsim.auditing import checks
from marketsim.auditing.audited import Audited
from marketsim.auditing.chain import Chain, profits
from marketsim.auditing.checks import Check
from marketsim.data.bars import Bars
from marketsim.data.walk_forward import Walk
from marketsim.forecasting.ensembles import is_given
from marketsim.forecasting.first_use import LOOKED_AT
from marketsim.forecasting.plausibility import Plausibility, look_at
from marketsim.models.har import Har
from marketsim.profiling import Clock

CHECKS = 12

Progress = Callable[[str, int, int], None]
Elsewhere = Callable[[Audited], Check]  # the check in other processes


class StrategyProfit(Struct, frozen=True):
    """What a strategy earned, and what it earns when no forecast can know what comes later."""

    strategy: str
    as_run: float  # basis points a bar, out of sample
    alone: float


class SymbolAudit(Struct, frozen=True):
    """The findings of the audit of one symbol."""

    audited: Audited
    checks: tuple[Check, ...]
    plausibility: Plausibility | None  # None where there are too few bars
    profits: tuple[StrategyProfit, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing moved."""
        return all(check.passed for check in self.checks)


def audit_symbol(
    chain: Chain,
    bars: Bars,
    walk: Walk,
    beside: Bars,
    cuts: int,
    seed: int,
    elsewhere: Elsewhere | None = None,
    progress: Progress = lambda what, done, total: None,
) -> SymbolAudit:
    """Audit a chain on a symbol's bars.

    Parameters
    ----------
    chain, bars, walk
        What is audited.
    beside
        Bars of another symbol, which the model forecasts first in one of the checks.
    cuts
        After how many origins the future is changed, in three ways each.
    seed
        Chooses those origins, and scrambles.
    elsewhere
        The check in other processes, where the model can be opened there.
    """
    progress(f"audit of {bars.symbol}", 0, CHECKS)
    audited = Audited.of(chain, bars, walk, seed)
    found = []
    for check in _checks(audited, cuts, beside, elsewhere):
        found.append(check)
        progress(f"audit of {bars.symbol}", len(found), CHECKS)
    return SymbolAudit(audited, tuple(found), _plausibility(audited), tuple(_profits(audited)))


def _checks(audited: Audited, cuts: int, beside: Bars, elsewhere: Elsewhere | None) -> Iterator[Check]:
    yield checks.alone(audited)
    yield from checks.other_futures(audited, audited.cuts(cuts))
    yield from checks.other_calls(audited, beside)
    yield checks.run_again(audited)
    if elsewhere is not None:
        yield elsewhere(audited)
    if not audited.is_given:  # whose prices have a unit
        yield from checks.other_units(audited)
    yield checks.key_inputs(audited)


def _plausibility(audited: Audited) -> Plausibility | None:
    """The forecasts of the walk beside those of `har`; of a file, all that it has."""
    made, model = audited.forecasts, audited.chain.tools.model
    if is_given(model) and len(origins := model.origins(audited.bars)[-LOOKED_AT:]):
        made = audited.chain.forecasts_at(audited.bars, origins)
    return look_at(audited.bars, made, Har(), Clock())


def _profits(audited: Audited) -> Iterator[StrategyProfit]:
    same = np.array_equal(audited.alone.moves, audited.forecasts.moves)
    result = audited.result if same else audited.chain.result(audited.bars, audited.walk, audited.alone)
    alone = profits(result)
    for strategy, as_run in profits(audited.result).items():
        yield StrategyProfit(strategy, as_run, alone[strategy])

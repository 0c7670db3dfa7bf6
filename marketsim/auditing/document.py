"""From the findings of an audit to the rows of schema.py."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from marketsim import __version__
from marketsim.auditing.difference import Difference
from marketsim.auditing.schema import (
    AuditedModel,
    AuditedSymbol,
    CheckRow,
    DifferenceRow,
    PlantedLeak,
    PlausibilityRow,
    RestingProfit,
    SelftestDocument,
)
from marketsim.auditing.selftest import LeakTried
from marketsim.auditing.symbol_audit import SymbolAudit
from marketsim.data.bars import Bars
from marketsim.forecasting.keys import fingerprint
from marketsim.forecasting.plausibility import Plausibility
from marketsim.forecasting.protocols import Identity
from marketsim.results.document import bars_facts


def audited_symbol(audit: SymbolAudit, changed: int) -> AuditedSymbol:
    """The audit of a symbol as a row; after `changed` origins another future was tried."""
    bars = audit.audited.bars
    return AuditedSymbol(
        symbol=bars.symbol,
        bars=bars_facts(bars),
        origins=len(audit.audited.walk.origins),
        changed=changed,
        passed=audit.passed,
        checks=[
            CheckRow(
                check=check.name,
                passed=check.passed,
                forecasts=check.found.origins,
                tolerance=check.tolerance,
                largest=check.found.largest,
                first=_difference(bars, check.found.first),
            )
            for check in audit.checks
        ],
        given=audit.audited.is_given,
        plausibility=_plausibility(audit.plausibility),
        profits=[
            RestingProfit(strategy=profit.strategy, as_run_bps=profit.as_run, alone_bps=profit.alone)
            for profit in audit.profits
        ],
    )


def _plausibility(found: Plausibility | None) -> PlausibilityRow | None:
    if found is None:
        return None
    return PlausibilityRow(
        bars=found.bars,
        loss=found.loss,
        standard_errors=found.errors,
        last_move=found.last,
        its_bar=found.next,
        bar_after=found.after,
        doubts=list(found.doubts),
    )


def audited_model(model: Identity) -> AuditedModel:
    """The model as a row."""
    return AuditedModel(
        name=model.name, version=model.version, fingerprint=fingerprint(model), parameters=dict(model.parameters)
    )


def selftest_document(tried: Sequence[LeakTried], seed: int) -> SelftestDocument:
    """Which planted leaks were caught."""
    return SelftestDocument(
        marketsim=__version__,
        seed=seed,
        passed=all(leak.passed for leak in tried),
        leaks=[_planted(leak) for leak in tried],
    )


def _planted(tried: LeakTried) -> PlantedLeak:
    caught = [check for check in tried.leak.checks if not check.passed]
    return PlantedLeak(
        leak=tried.kind.leak,
        caught=bool(caught),
        caught_by=[check.name for check in caught],
        first=_difference(tried.leak.audited.bars, caught[0].found.first) if caught else None,
        twin_passed=tried.twin.passed,
    )


def _difference(bars: Bars, found: Difference | None) -> DifferenceRow | None:
    if found is None:
        return None
    after = bars.names(np.append(bars.time, bars.next_opens(1)))
    return DifferenceRow(
        channel=found.channel,
        stage=found.stage,
        origin=str(after[found.origin]),
        bar=str(after[found.origin + 1]),
        before=found.before,
        after=found.after,
    )

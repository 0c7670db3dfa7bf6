"""The audit of a model, or of a user's own forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import to_builtins

from marketsim.api.audit_results import AuditResult
from marketsim.api.given import Given, takes, whole_number
from marketsim.auditing import symbols
from marketsim.data.bars import Bars
from marketsim.results.schema import FailedSymbol
from marketsim.settings.groups import (
    BarsSettings,
    CostSettings,
    GivenSettings,
    NetworkSettings,
    TradingRules,
    WalkSettings,
)
from marketsim.settings.settings import keys_of

ORIGINS = 5

_KEYS = (
    *(
        key
        for group in (WalkSettings, TradingRules, CostSettings, BarsSettings, NetworkSettings)
        for key in keys_of(group)
    ),
    *keys_of(GivenSettings),
    "seed",
    "workers",
)


@takes(*_KEYS)
def audit(
    bars: Bars | str | Sequence[Bars | str], *, model: Any = None, origins: int = ORIGINS, **settings: Any
) -> AuditResult:
    """Check that a backtest cannot see the future.

    Changes every bar after some origins, calls, processes and units of price; what rests on earlier bars must not move.

    Parameters
    ----------
    bars
        `Bars` or the name of a symbol, or several of either.
    model
        As in `backtest`.
    origins
        Origins after which the future is changed, in three ways each.
    **settings
        As in `backtest`, `forecasts` among them. `workers=2` adds the check in other processes, for symbols and models
        that have names.

    Returns
    -------
    AuditResult
        `passed`, and DataFrames of `checks`, `profits` and `plausibility`.

    Raises
    ------
    UsageError
        A setting is unknown or wrong.
    MarketsimError
        None of the symbols could be audited.

    Examples
    --------
    >>> import marketsim
    >>> marketsim.audit("NVDA", model="last-bar", sims=3, window=5, origins=1)
    <AuditResult last-bar on NVDA: passed>
    """
    origins = whole_number("audit(origins=...)", origins)
    given = Given.of("audit", [bars] if isinstance(bars, (Bars, str)) else bars, model, settings)
    processes = given.settings.work.workers > 1
    document, notes, errors = symbols.audit(
        given.symbols, given.settings, origins, source=given.source, model=given.model, processes=processes
    )
    if len(errors) == len(given.symbols):
        raise errors[0]
    failed = [row.symbol for row in document.symbols if isinstance(row, FailedSymbol)]
    return AuditResult(to_builtins(document), tuple(dict.fromkeys(notes)), dict(zip(failed, errors, strict=True)))

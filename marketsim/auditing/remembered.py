"""The recorded result of an audit: later runs refuse a model that was caught."""

from __future__ import annotations

from collections.abc import Sequence

from marketsim.auditing.schema import AuditedModel, AuditedSymbol, CheckRow
from marketsim.forecasting.audit_records import AuditRecord, AuditRecords, Evidence

AHEAD = ("each origin alone", "future cut", "future scrambled", "future rescaled")


def remember(symbols: Sequence[AuditedSymbol], model: AuditedModel, records: AuditRecords) -> None:
    """Keep the first forecast that moved; what was kept of a model that was caught before stays."""
    found = [(symbol, check) for symbol in symbols for check in symbol.checks if _counts(check)]
    if found:
        symbol, check = found[0]
        evidence = _evidence(symbol.symbol, check)
        records.put(
            AuditRecord(model.fingerprint, model.name, symbol=symbol.symbol, origins=symbol.origins, evidence=evidence)
        )


def _counts(check: CheckRow) -> bool:
    """Whether it is the forecast that moved, and not for another unit of price."""
    return check.first is not None and check.first.stage == "forecast" and not check.check.startswith("prices")


def _evidence(symbol: str, check: CheckRow) -> Evidence:
    first = check.first
    assert first is not None
    what = "looks ahead" if check.check in AHEAD else "forecasts otherwise when it is called otherwise"
    before, after = (f"{value:+.4%}" if isinstance(value, float) else value for value in (first.before, first.after))
    detail = f"the {first.channel} forecast for {first.bar} is {before}, but {after} in the check '{check.check}'"
    return Evidence(what, symbol, first.origin, detail)

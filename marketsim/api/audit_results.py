"""The result of an audit in Python: DataFrames, a dictionary, HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from marketsim.api.frames import copied, flat, html
from marketsim.errors import MarketsimError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AuditResult:
    """Whether anything in a backtest knows what it could not have known, as `marketsim.audit` returns it.

    Examples
    --------
    >>> import marketsim
    >>> audited = marketsim.audit("ETHUSD", sims=3, window=5, origins=1)
    >>> audited.passed, bool(audited.checks.passed.all())
    (True, True)
    """

    document: dict[str, Any]
    notes: tuple[str, ...]  # remarks on bars and forecasts
    failures: Mapping[str, MarketsimError]  # why a symbol could not be audited

    @property
    def passed(self) -> bool:
        """Whether nothing moved on any of the symbols, each of which could be audited."""
        return bool(self.document["passed"])

    @property
    def checks(self) -> pd.DataFrame:
        """A row a symbol and check: whether it passed, the tolerance and the largest move (fractions of the close).

        Where one did not pass, `first.origin`, `first.bar`, `first.channel`, `first.before` and `first.after` say what
        moved first.
        """
        rows = [{"symbol": symbol["symbol"]} | row for symbol in self._found for row in symbol["checks"]]
        return flat(rows, ["symbol", "check"])

    @property
    def profits(self) -> pd.DataFrame:
        """A row for each symbol and strategy: profit as run, and with each forecast made only at its origin (bps/bar).

        The difference rests on bars that were not known.
        """
        rows = [{"symbol": symbol["symbol"]} | row for symbol in self._found for row in symbol["profits"]]
        return flat(rows, ["symbol", "strategy"])

    @property
    def plausibility(self) -> pd.DataFrame:
        """A row a symbol: the forecasts' loss over har's, and rank correlations of the forecast close; no proof.

        A symbol of which fewer than 30 forecasts can be held against their bars has no row.
        """
        rows = [
            {"symbol": symbol["symbol"]} | symbol["plausibility"]
            for symbol in self._found
            if symbol["plausibility"] is not None
        ]
        return flat(rows, ["symbol"])

    def to_dict(self) -> dict[str, Any]:
        """The document of `marketsim audit --json`."""
        return copied(self.document)

    @property
    def _found(self) -> list[dict[str, Any]]:
        return [symbol for symbol in copied(self.document)["symbols"] if symbol["status"] == "ok"]

    def __repr__(self) -> str:
        name, symbols = self.document["model"]["name"], [symbol["symbol"] for symbol in self._found]
        words = "passed" if all(symbol["passed"] for symbol in self._found) else "defect"
        if any(symbol["plausibility"] and symbol["plausibility"]["doubts"] for symbol in self._found):
            words += ", implausible"
        failed = f", {len(self.failures)} failed" if self.failures else ""
        return f"<AuditResult {name} on {', '.join(symbols)}: {words}{failed}>"

    def _repr_html_(self) -> str:
        return f"<h4>{escape(repr(self)[1:-1])}</h4>{html(self.checks)}{html(self.profits)}"

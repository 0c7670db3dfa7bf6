"""Results of all symbols together: a pooled mean, and answers that count everything that was tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import asdict, replace

from marketsim.results.decision import decide
from marketsim.results.evidence import counted, known
from marketsim.results.evidence_schema import PooledRow, Tried
from marketsim.results.mean_profit import MeanProfit
from marketsim.results.pooling import Pooled, pool
from marketsim.results.reality_check import reality_check
from marketsim.results.reasons import reasons
from marketsim.results.schema import FailedSymbol, SymbolDocument
from marketsim.results.walk_profits import DecidingProfits


class WholeRun(Struct, frozen=True):
    """What the symbols of a run come to together."""

    pooled: list[PooledRow]  # a strategy each; none of a single symbol
    tried: int  # series that traded
    reality_check: Tried | None
    p: Mapping[str, Mapping[str, float | None]]  # by symbol and strategy, that the best of all is luck

    @classmethod
    def of(cls, profits: Mapping[str, DecidingProfits], seed: int) -> WholeRun:
        """The run of these symbols' `profits`, by symbol."""
        series = [
            (symbol, strategy) for symbol, symbol_profits in profits.items() for strategy in symbol_profits.profits
        ]
        clean = (profits[symbol].clean_bars(strategy) for symbol, strategy in series)
        values = known(reality_check(clean, seed).p)
        p: dict[str, dict[str, float | None]] = {symbol: {} for symbol in profits}
        for (symbol, strategy), value in zip(series, values, strict=True):
            p[symbol][strategy] = value
        return cls(_pooled(profits, seed), sum(value is not None for value in values), _best(series, values), p)

    def judged(self, document: SymbolDocument | FailedSymbol) -> SymbolDocument | FailedSymbol:
        """The document of one symbol, its answer such that it counts all that was tried beside it."""
        if isinstance(document, FailedSymbol) or len(self.p) < 2:
            return document
        return answered(replace(document, evidence=counted(document.evidence, self.p[document.symbol], self.tried)))


def answered(document: SymbolDocument) -> SymbolDocument:
    """The document with the answer that its evidence gives."""
    rows = [row for row in document.rows if row.kind == "strategy"]
    answer = decide(document.evidence, rows, document.costs, document.model, document.fill)
    said = reasons(
        answer.strategy,
        document.rows,
        document.evidence,
        document.model,
        document.fill,
        document.fast,
        document.fine is not None,
    )
    return replace(document, decision=answer.decision, strategy=answer.strategy, verdict=answer.why, reasons=said)


def _best(series: Sequence[tuple[str, str]], values: Sequence[float | None]) -> Tried | None:
    tried = [(value, " ".join(name)) for name, value in zip(series, values, strict=True) if value is not None]
    if not tried:
        return None
    p, best = min(tried, key=lambda pair: pair[0])
    return Tried(tried=len(tried), best=best, p=p)


def _pooled(profits: Mapping[str, DecidingProfits], seed: int) -> list[PooledRow]:
    if len(profits) < 2:
        return []
    strategies = dict.fromkeys(strategy for symbol_profits in profits.values() for strategy in symbol_profits.profits)
    return [
        _row(
            strategy,
            len(profits),
            pool((symbol_profits.all_bars(strategy) for symbol_profits in profits.values()), seed),
        )
        for strategy in strategies
    ]


def _row(strategy: str, symbols: int, pooled: Pooled) -> PooledRow:
    return PooledRow(
        strategy=strategy,
        symbols=symbols,
        bars=pooled.bars,
        dates=pooled.dates,
        **asdict(MeanProfit.of(pooled.mean, pooled.interval, pooled.bars)),
    )

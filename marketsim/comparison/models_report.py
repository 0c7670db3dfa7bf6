"""The page of a comparison of models, from its document. Imported only for a report."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from marketsim.comparison.model_tables import remarks, results, scope, tables_of
from marketsim.comparison.schema import ComparedSymbol, ModelsDocument
from marketsim.results.html.intervals import interval_picture
from marketsim.results.html.models_page import ModelsSection, models_page
from marketsim.results.sentences import reality_check


def report(document: ModelsDocument, files: Collection[str], command: str) -> Iterator[str]:
    """The text of the page, in parts; `files` are models that are files of forecasts. MissingExtra without jinja2."""
    check = None if document.reality_check is None else reality_check(document.reality_check)
    return models_page([_section(symbol, document.fill, files) for symbol in document.symbols], check, command)


def _section(symbol: ComparedSymbol, fill: str, files: Collection[str]) -> ModelsSection:
    rows = results(symbol)
    profits = [(f"{row.model} {strategy.strategy}", strategy) for row in rows for strategy in row.strategies]
    alphas = [
        (f"{row.model} {strategy.strategy} - {alpha.benchmark}", alpha)
        for row in rows
        for strategy in row.strategies
        for alpha in strategy.alphas
    ]
    return ModelsSection(
        symbol=symbol.symbol,
        lines=scope(symbol, fill)[1:],
        profits=interval_picture([*profits, *((benchmark.name, benchmark) for benchmark in symbol.benchmarks)]),
        alphas=interval_picture(alphas),
        tables=tables_of(symbol, files),
        remarks=[remark for row in symbol.models for remark in remarks(row)],
    )

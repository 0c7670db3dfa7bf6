"""Results as pages, in a file or in a notebook."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import convert

from marketsim.errors import MarketsimError, MissingExtra, Success, value_of
from marketsim.results.result import SymbolRun
from marketsim.results.schema import BacktestDocument, FailedSymbol, SymbolDocument
from marketsim.settings.settings import Settings

if TYPE_CHECKING:
    from marketsim.api.backtest_results import BacktestResult

HEIGHT = 900  # pixels of a page in a notebook

Pictures: TypeAlias = Callable[[], str]  # makes them when a page is asked for


def pictures_of(run: SymbolRun, settings: Settings) -> Pictures:
    """What makes the pictures of a run that is in memory."""

    def made() -> str:
        from marketsim.backtesting.charts import FINE, charts_of

        return charts_of(run.outcome.value, settings, None, FINE) if isinstance(run.outcome, Success) else ""

    return made


def pictures_again(document: SymbolDocument, settings: Settings) -> Pictures:
    """What makes the pictures of a run that is over, by running it once more."""

    def made() -> str:
        from contextlib import nullcontext

        from marketsim.backtesting.charts import FINE
        from marketsim.backtesting.charts.again import charts_again
        from marketsim.backtesting.pipeline import open_tools
        from marketsim.profiling import Clock

        tools = open_tools(settings, Clock())
        with tools.cache or nullcontext():
            return value_of(charts_again(document, settings, tools, FINE, lambda what, done, total: None))

    return made


def html_page(
    results: Sequence[BacktestResult],
    head: dict[str, Any],
    settings: Settings,
    failures: Mapping[str, MarketsimError] | None = None,
) -> str:
    """The page of some results."""
    from marketsim.results.code import code_digest
    from marketsim.results.html.command import command_of, last_bar
    from marketsim.results.html.page import ReportRun, ReportSymbol, environment, page

    environment()
    symbols = []
    for result in results:
        document = convert(result.document, SymbolDocument)
        charts, missing = "", ""
        try:
            charts = result.pictures()
        except MarketsimError as error:
            missing = f"no pictures of its objective, forecast and fills: {error}"
        symbols.append(ReportSymbol(document, result.simulation_rows, result.equity_rows, charts, missing))
    symbols += [ReportSymbol(FailedSymbol.of(symbol, error)) for symbol, error in (failures or {}).items()]
    documents = [files.document for files in symbols]
    command = command_of([shown.symbol for shown in documents], settings, last_bar(documents))
    run = ReportRun(convert(head | {"symbols": []}, BacktestDocument), command, code_digest())
    return "".join(page(run, lambda: iter(symbols)))


def framed(to_html: Callable[[], str]) -> str:
    """A page inside a notebook, where its scripts see nothing of it; nothing without the extra that it needs."""
    try:
        text = to_html()
    except MissingExtra:
        return ""
    return (
        f'<iframe title="marketsim report" sandbox="allow-scripts" width="100%" height="{HEIGHT}" '
        f'srcdoc="{escape(text)}"></iframe>'
    )

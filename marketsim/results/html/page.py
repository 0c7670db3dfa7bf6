"""The page of a run, symbol by symbol, from its documents and rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from msgspec import Struct, json

from marketsim.errors import MissingExtra
from marketsim.results import figures, sentences, text_tables
from marketsim.results.charts import Charts
from marketsim.results.html import chart_tables, provenance
from marketsim.results.html.assets import FOLDER, assets
from marketsim.results.html.journal_section import JournalSection
from marketsim.results.html.objective import objective_facts
from marketsim.results.html.packing import pack
from marketsim.results.html.pictures import equity_words, shown_strategy, sparkline
from marketsim.results.html.rows import rows_of
from marketsim.results.schema import BacktestDocument, FailedSymbol, SymbolDocument
from marketsim.results.timing import TimingDocument
from marketsim.results.wording import visible

if TYPE_CHECKING:
    from jinja2 import Environment

DECISION_CLASSES = {"TRADE": "trade", "DON'T": "dont", "CAN'T TELL": "unsure"}


class ReportSymbol(Struct, frozen=True):
    """The data of one symbol for a page."""

    document: SymbolDocument | FailedSymbol
    simulations: str = ""  # rows of simulations.csv under their header
    equity: str = ""  # those of equity.csv
    charts: str = ""  # the `Charts` in JSON
    missing: str = ""  # why there are none, where some were wanted


class Progress(Struct, frozen=True):
    """How far a run has come whose page is written on the way."""

    done: int
    total: int


class ReportRun(Struct, frozen=True):
    """The data of a whole run for a page."""

    head: BacktestDocument  # without its symbols
    command: str  # that makes the page again
    code: str  # digest of marketsim's own sources
    timing: TimingDocument | None = None
    progress: Progress | None = None  # None once the run is over
    journal: JournalSection | None = None  # of the plans that were sealed; None where none was scored


class Line(Struct, frozen=True):
    """A symbol in the table of many."""

    address: str
    cells: tuple[str, ...]
    failed: str | None
    decision: str
    sparkline: str  # points of an SVG polyline


def page(run: ReportRun, symbols: Callable[[], Iterable[ReportSymbol]]) -> Iterator[str]:
    """The text of the page, in parts; `symbols` are gone through twice.

    MissingExtra without jinja2.
    """
    lines = [_line(symbol) for symbol in symbols()]
    alone = _alone(lines, symbols)
    return (
        environment()
        .get_template("page.html")
        .generate(
            run=run,
            head=run.head,
            lines=lines,
            alone=alone.document if alone else None,
            charts=charts_of(alone) if alone else None,
            missing=alone.missing if alone else "",
            packed=(_packed(symbol) for symbol in symbols()),
            assets=assets(),
            command=run.command,
            version=run.head.marketsim,
        )
    )


def _shown(value: Any) -> Any:
    """What a template writes of a value: as in the terminal, what cannot be seen is spelt out."""
    return visible(value) if type(value) is str else value  # what is marked as HTML was made of shown values


@cache
def environment() -> Environment:
    """Where templates come from, and what they can call; everything that they show is escaped."""
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError:
        raise MissingExtra("a report", "report") from None
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    made.globals.update(
        address=address,
        chart_tables=chart_tables,
        one_line=one_line,
        provenance=provenance,
        decision_class=DECISION_CLASSES.get,
        equity_words=equity_words,
        figures=figures,
        sentences=sentences,
        shown_strategy=shown_strategy,
        text_tables=text_tables,
    )
    return made


def address(symbol: str, section: str = "") -> str:
    """Where a symbol, or a section of it, is in the page."""
    return f"/{quote(symbol, safe='')}{f'/{section}' if section else ''}"


def one_line(text: str) -> str:
    """The lines of a cell as one: a line that ends in the middle of a word goes on at once.

    >>> one_line("Out-of-\\nsample %"), one_line("bps/\\nbar"), one_line("always-on\\nunfitted")
    ('Out-of-sample %', 'bps/bar', 'always-on unfitted')
    """
    return text.replace("-\n", "-").replace("/\n", "/").replace("\n", " ")


def charts_of(symbol: ReportSymbol) -> Charts | None:
    """The pictures of a symbol; None where there are none."""
    return json.decode(symbol.charts, type=Charts) if symbol.charts else None


def _alone(lines: list[Line], symbols: Callable[[], Iterable[ReportSymbol]]) -> ReportSymbol | None:
    """A single symbol, which is shown without a table."""
    return next(iter(symbols())) if len(lines) == 1 and lines[0].failed is None else None


def _line(symbol: ReportSymbol) -> Line:
    document = symbol.document
    cells = text_tables.summary_row(document)
    if isinstance(document, FailedSymbol):
        return Line(address(document.symbol), cells, document.error, "failed", "")
    return Line(address(document.symbol), cells, None, document.decision, sparkline(document, symbol.equity))


def _packed(symbol: ReportSymbol) -> dict[str, Any]:
    """What the page decodes once the symbol is looked at."""
    document = symbol.document
    if isinstance(document, FailedSymbol):
        return {"address": address(document.symbol), "parts": {}}
    charts = charts_of(symbol)
    html = environment().get_template("symbol.html").render(symbol=document, charts=charts, missing=symbol.missing)
    parts = {"html": pack({"html": html}, {})}
    if symbol.simulations and symbol.equity:
        rows = rows_of(document, symbol.simulations, symbol.equity)
        parts["rows"] = pack(rows.facts, rows.arrays)
    if charts is not None:
        parts["objective"] = pack(objective_facts(charts), {})
        parts["charts"] = charts.arrays
    return {"address": address(document.symbol), "parts": parts}

"""The tables of a comparison of models, the same in the terminal and on a page."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from marketsim.comparison.schema import (
    BenchmarkRow,
    Channels,
    ComparedSymbol,
    FailedModel,
    ModelRow,
)
from marketsim.results.figures import mean, percent, skill
from marketsim.results.sentences import exposed
from marketsim.results.text_tables import TextTable
from marketsim.results.wording import LOOK_AHEAD

HEADS = ("High", "Low", "Close")
MEANS = ("Mean\nbps/bar", "95 % interval", "Smallest\nedge", "Bars for\n10 bps")


def scope(symbol: ComparedSymbol, fill: str) -> list[str]:
    """What was compared, a line each; nothing where no model has a result."""
    bars = symbol.bars
    if bars is None:
        return []
    return [
        f"{symbol.symbol}  {bars.source}",
        f"Forecasts scored on {bars.judged} bars from {bars.first} to {bars.last}, profit on the newest "
        f"{bars.evaluated}, by {fill} fills.",
    ]


def tables_of(symbol: ComparedSymbol, files: Collection[str]) -> list[TextTable]:
    """The tables of a symbol; none where no model has a result."""
    rows = results(symbol)
    return [_losses(rows, files), _bands(rows), _profits(symbol.benchmarks, rows), _alphas(rows)] if rows else []


def results(symbol: ComparedSymbol) -> list[ModelRow]:
    """The models that did not fail."""
    return [row for row in symbol.models if isinstance(row, ModelRow)]


def remarks(row: ModelRow | FailedModel) -> Iterator[str]:
    """Why a model failed, or what else a reader of its row must know."""
    if isinstance(row, FailedModel):
        yield f"{row.model}: {row.error}"
        return
    if row.look_ahead:
        yield f"{row.model}: {LOOK_AHEAD}: {row.look_ahead}"
    if row.exposure.contaminated or row.exposure.unknown:
        yield f"{row.model}: {row.training}; evaluated bars: {exposed(row.exposure)}"


def _losses(rows: Sequence[ModelRow], files: Collection[str]) -> TextTable:
    best = [min(loss) for loss in zip(*(_channels(row.pinball_bps) for row in rows), strict=True)]
    losses = []
    for row in rows:
        cells = [
            f"{x:.1f}{'*' if x == least else ' '}" for x, least in zip(_channels(row.pinball_bps), best, strict=True)
        ]
        pace, har = row.seconds_a_forecast, row.against_har
        known = "read" if row.model in files else "cached"
        told = "-" if har is None else skill(har.skill, har.verdict)
        losses.append((_name(row), *cells, told, known if pace is None else f"{1e3 * pace:,.2f}"))
    headers = ("Model", *HEADS, "Against\nhar", "Milliseconds\na forecast")
    return TextTable("Pinball loss in bps (* best), and speed", headers, losses)


def _bands(rows: Sequence[ModelRow]) -> TextTable:
    bands = [(_name(row), *map(percent, _channels(row.coverage)), percent(row.close_direction)) for row in rows]
    title = "Bars inside the 80 % band, and closes in the direction\nthat was forecast, %"
    return TextTable(title, ("Model", *HEADS, "Direction"), bands)


def _profits(benchmarks: Sequence[BenchmarkRow], rows: Sequence[ModelRow]) -> TextTable:
    cells = [
        (_name(row), strategy.strategy, str(strategy.trades), *mean(strategy))
        for row in rows
        for strategy in row.strategies
    ]
    cells += [(benchmark.name, "benchmark", "-", *mean(benchmark)) for benchmark in benchmarks]
    title = "Profit, and that of the benchmarks, which are never fitted"
    return TextTable(title, ("Model", "Strategy", "Trades", *MEANS), cells, words=2)


def _alphas(rows: Sequence[ModelRow]) -> TextTable:
    cells = [
        (_name(row), strategy.strategy, alpha.benchmark, *mean(alpha))
        for row in rows
        for strategy in row.strategies
        for alpha in strategy.alphas
    ]
    title = "Alpha: profit over a benchmark's, bar by bar"
    return TextTable(title, ("Model", "Strategy", "Benchmark", *MEANS), cells, words=3)


def _name(row: ModelRow) -> str:
    """The model, and whether it was caught."""
    return f"{row.model}\n{LOOK_AHEAD}" if row.look_ahead else row.model


def _channels(figures: Channels) -> tuple[float, float, float]:
    """What is shown; the open is not traded."""
    return figures.high, figures.low, figures.close

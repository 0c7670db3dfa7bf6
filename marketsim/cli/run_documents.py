"""Documents of the commands about saved runs and their trades; imported when one is printed."""

from __future__ import annotations

from marketsim.results.evidence_schema import Tried
from marketsim.results.rows import Count, Row, Setting, Stamp
from marketsim.results.saved_runs import Difference
from marketsim.results.schema import BacktestDocument, FinerTrade, SimulationRow
from marketsim.results.tried_runs import TriedRow


class FillsDocument(Row, frozen=True, tag_field="schema", tag="marketsim.fills/1"):
    """`marketsim fills --json`."""

    symbol: str
    look_ahead: str | None  # how the model was caught looking ahead, where that was allowed
    bars: list[SimulationRow]  # all that were evaluated
    drawn: list[SimulationRow]  # those of the bar that was asked for
    finer: list[list[FinerTrade]]  # of each of these, the trades by its finer bars, as far as there are any


class RunModel(Row, frozen=True):
    """A model of a run."""

    name: str
    version: str


class SavedRunRow(Row, frozen=True):
    """A run in short."""

    directory: str
    finished: str  # UTC, when run.json was written, which makes the directory a run
    versions: dict[str, str]
    models: list[RunModel]  # several where symbols had different ones
    last_bar: Stamp | None  # the newest of all symbols; None where all failed
    symbols: list[str]
    failed: Count
    changed: dict[str, Setting]  # settings that are not at their default
    headline: dict[str, float]  # by strategy, the mean over symbols, a fraction of the stake


class ReportDocument(Row, frozen=True, tag_field="schema", tag="marketsim.report/1"):
    """`marketsim report --json`."""

    file: str  # the page
    symbols: list[str]
    missing: list[str]  # what is not on it, and why


class RunsListDocument(Row, frozen=True, tag_field="schema", tag="marketsim.runs.list/2"):
    """`marketsim runs list --json`."""

    runs: list[SavedRunRow]
    fill: str  # by which all runs are compared: that of their decisions, or expected where these differ
    tried: list[TriedRow]  # a strategy of a run each, with intervals that hold for all at once
    reality_check: Tried | None


class ShownRun(Row, frozen=True):
    """A run in full."""

    directory: str
    results: BacktestDocument


class RunsShowDocument(Row, frozen=True, tag_field="schema", tag="marketsim.runs.show/1"):
    """`marketsim runs show --json`."""

    runs: list[ShownRun]


class ProfitRow(Row, frozen=True):
    """Out-of-sample profit in two runs, fractions of the stake; None where a run does not have it."""

    symbol: str
    strategy: str
    a: float | None
    b: float | None
    difference: float | None  # b - a


class RunsCompareDocument(Row, frozen=True, tag_field="schema", tag="marketsim.runs.compare/1"):
    """`marketsim runs compare --json`."""

    a: str  # directory
    b: str
    differences: list[Difference]  # causes before effects
    profits: list[ProfitRow]

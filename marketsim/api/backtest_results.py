"""The result of a backtest in Python: DataFrames, a dictionary, HTML."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from msgspec import to_builtins

from marketsim.api.frames import copied, frame, html, read_csv, stacked
from marketsim.api.pages import Pictures, framed, html_page
from marketsim.errors import MarketsimError
from marketsim.registry import nearest
from marketsim.results.schema import FailedSymbol
from marketsim.settings.settings import Settings

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BacktestResult:
    """One symbol's backtest, as `marketsim.backtest` returns it. In a notebook it shows itself as tables.

    Profits are fractions of one stake, after costs; names ending in `_bps` are basis points of the stake a bar.

    Examples
    --------
    >>> import marketsim
    >>> result = marketsim.backtest("ETHUSD", sims=10, window=20)
    >>> list(result.summary.index)[-1]
    'buy-and-hold'
    >>> len(result.simulations)  # two strategies
    20
    """

    symbol: str
    notes: tuple[str, ...]  # remarks on the bars, the forecasts and the cache
    document: dict[str, Any]  # of the symbol, in the document of the run
    head: dict[str, Any]  # of that document, without its symbols
    settings: Settings
    simulation_rows: str  # as CSV
    equity_rows: str
    pictures: Pictures  # makes those of a page that need more than the rows

    @property
    def summary(self) -> pd.DataFrame:
        """A row a strategy and baseline, the figures of the command's tables as columns, unrounded.

        The columns have the names of the JSON document: `headline` is the out-of-sample profit by the chosen fills,
        `low_bps` and `high_bps` are the ends of the 95 % interval of `mean_bps`. `marketsim explain NAME` has more.
        """
        return frame(self.document["rows"]).set_index("name")

    @property
    def simulations(self) -> pd.DataFrame:
        """A row a strategy and simulation, newest first: evaluated bar, multipliers, levels, profits."""
        return read_csv(self.simulation_rows, ("origin", "evaluated"))

    @property
    def equity(self) -> pd.DataFrame:
        """Summed profit after each evaluated bar: a column a strategy and baseline, by the chosen fill rule."""
        rows = read_csv(self.equity_rows, ("time",))
        wide = rows.pivot(index="time", columns="name", values=self.document["fill"])
        return wide[[row["name"] for row in self.document["rows"]]]

    @property
    def plan(self) -> pd.DataFrame:
        """A row a strategy: its orders for the bar after the newest one, prices in price units."""
        return frame(self.document["plan"]).set_index("strategy")

    @property
    def decision(self) -> str:
        """TRADE, DON'T or CAN'T TELL; with several symbols it counts all that were tried together."""
        return str(self.document["decision"])

    @property
    def verdict(self) -> str:
        """Why, in a sentence."""
        return str(self.document["verdict"])

    @property
    def reasons(self) -> tuple[str, ...]:
        """Further reasons and warnings, the most important first."""
        return tuple(self.document["reasons"])

    def to_dict(self) -> dict[str, Any]:
        """The document of `marketsim backtest --json`."""
        return copied(self.head | {"symbols": [self.document]})

    def to_html(self) -> str:
        """The page of `marketsim backtest --report`, which needs nothing beside itself; MissingExtra without jinja2.

        >>> import marketsim
        >>> result = marketsim.backtest("ETHUSD", sims=5, window=10)
        >>> result.to_html().startswith("<!doctype html>")
        True
        """
        return html_page([self], self.head, self.settings)

    def __repr__(self) -> str:
        return f"<BacktestResult {self.symbol}: {self.decision}, {self.verdict}>"

    def _repr_html_(self) -> str:
        answer = f"<h4>{escape(self.symbol)} {escape(self.decision)}</h4><p>{escape(self.verdict)}.</p>"
        return answer + html(self.plan) + html(self.summary) + framed(self.to_html)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BacktestResults(Mapping[str, BacktestResult]):
    """Several symbols' backtests by symbol, as `marketsim.backtest_many` returns them.

    Examples
    --------
    >>> import marketsim
    >>> results = marketsim.backtest_many(["ETHUSD", "NOSUCH"], sims=5, window=10)
    >>> list(results), list(results.failures)
    (['ETHUSD'], ['NOSUCH'])
    """

    results: dict[str, BacktestResult]
    failures: dict[str, MarketsimError]  # by symbol, why there is no result
    head: dict[str, Any]  # of the document of the run, without its symbols
    settings: Settings
    repeated: tuple[str, ...] = ()  # remarks on symbols that were given again

    def __getitem__(self, symbol: str) -> BacktestResult:
        if symbol in self.failures:
            raise self.failures[symbol]
        if symbol not in self.results:
            raise KeyError(f"no result of {symbol}{nearest(symbol, self.results)}")
        return self.results[symbol]

    def __iter__(self) -> Iterator[str]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    @property
    def summary(self) -> pd.DataFrame:
        """The summaries of all symbols under one another, by symbol and name."""
        return stacked({symbol: result.summary for symbol, result in self.items()})

    @property
    def plan(self) -> pd.DataFrame:
        """The plans of all symbols under one another, by symbol and strategy."""
        return stacked({symbol: result.plan for symbol, result in self.items()})

    @property
    def pooled(self) -> pd.DataFrame:
        """A row a strategy: its mean over the bars of all symbols, with an interval that counts what moves together."""
        return frame(self.head["pooled"]).set_index("strategy")

    @property
    def notes(self) -> tuple[str, ...]:
        """The remarks on all symbols, once each."""
        return tuple(dict.fromkeys((*self.repeated, *(note for result in self.values() for note in result.notes))))

    def to_dict(self) -> dict[str, Any]:
        """The document of `marketsim backtest --json`."""
        failed = [to_builtins(FailedSymbol.of(symbol, error)) for symbol, error in self.failures.items()]
        return copied(self.head | {"symbols": [*(result.document for result in self.values()), *failed]})

    def to_html(self) -> str:
        """The page of `marketsim backtest --report`, which needs nothing beside itself; MissingExtra without jinja2."""
        return html_page(list(self.values()), self.head, self.settings, self.failures)

    def __repr__(self) -> str:
        return f"<BacktestResults {', '.join(self)}; {len(self.failures)} failed>"

    def _repr_html_(self) -> str:
        failed = "".join(f"<p>{escape(symbol)} failed: {escape(str(why))}</p>" for symbol, why in self.failures.items())
        return (html(self.summary) + html(self.plan) if self else "") + failed + framed(self.to_html)

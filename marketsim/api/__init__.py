"""The Python interface: the functions behind `import marketsim`. Everything public is named in `marketsim.__all__`."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing, nullcontext
from typing import Any

from msgspec import to_builtins

from marketsim.api.audit_results import AuditResult
from marketsim.api.audits import audit
from marketsim.api.backtest_results import BacktestResult, BacktestResults
from marketsim.api.bars import load_bars, read_bars
from marketsim.api.comparisons import compare_models, score_forecasts
from marketsim.api.forecast_results import ForecastResult, ForecastScores, ModelComparison
from marketsim.api.given import Given, takes, whole_number
from marketsim.api.pages import Pictures, pictures_again, pictures_of
from marketsim.backtesting import next_bars, parallel, pipeline
from marketsim.backtesting.worker import finish
from marketsim.data.bars import Bars
from marketsim.errors import Failure, MarketsimError, Success, value_of
from marketsim.forecasting.forecasts import LEVELS
from marketsim.forecasting.keys import fingerprint
from marketsim.profiling import Clock
from marketsim.results import document
from marketsim.results.result import FinishedSymbol, SymbolFiles
from marketsim.results.walk_profits import DecidingProfits
from marketsim.results.whole_run import WholeRun
from marketsim.settings.groups import BarsSettings, CacheSettings, GivenSettings, NetworkSettings, WalkSettings
from marketsim.settings.settings import KEYS, Settings, keys_of

__all__ = [
    "LEVELS",
    "AuditResult",
    "BacktestResult",
    "BacktestResults",
    "Bars",
    "ForecastResult",
    "ForecastScores",
    "ModelComparison",
    "audit",
    "backtest",
    "backtest_many",
    "compare_models",
    "forecast",
    "load_bars",
    "read_bars",
    "score_forecasts",
]

_BARS = keys_of(BarsSettings)
_FORECAST = (
    *keys_of(WalkSettings),
    *keys_of(NetworkSettings),
    *_BARS,
    "seed",
    "cache",
    *keys_of(CacheSettings),
    *keys_of(GivenSettings),
)


@takes(*KEYS)
def backtest(bars: Bars | str, *, model: Any = None, **settings: Any) -> BacktestResult:
    """Walk forward over a symbol's newest bars: fit on each window, trade the bar after it, plan the next one.

    Parameters
    ----------
    bars
        `Bars`, or the name of a symbol as in `load_bars`.
    model
        The name of a model, such as "har" (the default) or "blend:har,last-bar"; or an object of your own with a
        method `forecast`, see docs/own-models.md.
    **settings
        Settings by the names that docs/settings.md has, such as `sims=70` (bars to evaluate), `window=60` (bars of a
        fit), `strategy`, `fill`, `fee_bps` (basis points a side), `cache`. None leaves a setting as it is: at its
        `MARKETSIM_*` variable, or else at its default. `forecasts` takes your own forecasts in a model's place: a
        DataFrame, or the path of a file, see docs/own-forecasts.md.

    Returns
    -------
    BacktestResult
        The same numbers as `marketsim backtest` prints.

    Raises
    ------
    UsageError
        A setting is unknown or wrong; the message names the nearest one.
    DataError
        There are no such bars, or too few.
    MarketsimError
        The model failed: it returned another shape, a NaN, or quantiles in the wrong order.

    Examples
    --------
    >>> import marketsim
    >>> result = marketsim.backtest("ETHUSD", sims=20, window=30, strategy="always-on")
    >>> print(f"{result.summary.headline['buy-and-hold']:+.1%}")
    +22.8%
    """
    given = Given.of("backtest", [bars], model, settings)
    tools = given.open_tools()
    with tools.cache or nullcontext():
        (run,) = pipeline.stream(given.symbols, given.settings, tools, Clock())
    files = value_of(finish(run, fingerprint(tools.model), rows=True).outcome)
    whole = WholeRun.of({files.document.symbol: DecidingProfits.of(files.profits)}, given.settings.seed)
    return _result(files, run.notes, given.settings, whole, pictures_of(run, given.settings))


@takes(*KEYS)
def backtest_many(bars: Sequence[Bars | str], *, model: Any = None, **settings: Any) -> BacktestResults:
    """Backtest several symbols; one that fails does not stop the others.

    Parameters
    ----------
    bars
        Several `Bars`, or several names of symbols.
    model, **settings
        As in `backtest`. `workers=2` uses two processes; it needs names, for what is in memory stays in this process.

    Returns
    -------
    BacktestResults
        A mapping from symbol to `BacktestResult`, with `summary`, `plan` and `failures`.

    Raises
    ------
    UsageError
        A setting is unknown or wrong.

    Examples
    --------
    >>> import marketsim
    >>> results = marketsim.backtest_many(["ETHUSD", "NVDA"], sims=10, window=20)
    >>> list(results)
    ['ETHUSD', 'NVDA']
    """
    given = Given.of("backtest_many", bars, model, settings)
    found: dict[str, tuple[SymbolFiles, tuple[str, ...]]] = {}
    pictures: dict[str, Pictures] = {}
    failures: dict[str, MarketsimError] = {}
    with closing(_finished(given)) as stream:
        for done, made in stream:
            match done.outcome:
                case Success(files):
                    found[files.document.symbol] = (files, done.notes)
                    pictures[files.document.symbol] = made or pictures_again(files.document, given.settings)
                case Failure(error):
                    failures[done.symbol] = error
    whole = WholeRun.of(
        {symbol: DecidingProfits.of(files.profits) for symbol, (files, _) in found.items()}, given.settings.seed
    )
    results = {symbol: _result(*run, given.settings, whole, pictures[symbol]) for symbol, run in found.items()}
    return BacktestResults(results, failures, _head(whole, given.settings), given.settings, tuple(given.notes))


def _result(
    files: SymbolFiles, notes: tuple[str, ...], settings: Settings, whole: WholeRun, pictures: Pictures
) -> BacktestResult:
    """A result whose answer counts all that was tried in the `whole` call."""
    own, head = to_builtins(whole.judged(files.document)), _head(whole, settings)
    return BacktestResult(own["symbol"], notes, own, head, settings, files.simulations, files.equity, pictures)


def _head(whole: WholeRun, settings: Settings) -> dict[str, Any]:
    head: dict[str, Any] = to_builtins(document.head(whole, settings))
    return head


def _finished(given: Given) -> Generator[tuple[FinishedSymbol, Pictures | None]]:
    """Every symbol's outcome, and the data of its pictures; objects in memory stay in this process."""
    if not given.in_memory:
        yield from ((done, None) for done in parallel.stream(given.symbols, given.settings, Clock(), rows=True))
        return
    tools = given.open_tools()
    with tools.cache or nullcontext():
        for run in pipeline.stream(given.symbols, given.settings, tools, Clock()):
            yield finish(run, fingerprint(tools.model), rows=True), pictures_of(run, given.settings)


@takes(*_FORECAST)
def forecast(bars: Bars | str, *, horizon: int = 1, model: Any = None, **settings: Any) -> ForecastResult:
    """Forecast the bar after the newest one, or several.

    Parameters
    ----------
    bars
        `Bars`, or the name of a symbol.
    horizon
        Bars ahead; more than 1 needs a model that draws paths, such as "kronos".
    model, **settings
        As in `backtest`; settings of fits and fills have no meaning here.

    Returns
    -------
    ForecastResult
        Quantiles of open, high, low and close, as prices and as moves from the last close.

    Raises
    ------
    UsageError
        A setting is unknown or wrong, or the model does not forecast so far ahead.

    Examples
    --------
    >>> import marketsim
    >>> print(f"{marketsim.forecast('ETHUSD').prices.loc[('2020-12-09', 'high'), 0.5]:.2f}")
    604.96
    """
    given = Given.of("forecast", [bars], model, settings)
    ahead = whole_number("forecast(horizon=...)", horizon)
    document, notes, errors = next_bars.forecast(
        given.symbols, given.settings, ahead, source=given.source, model=given.model
    )
    if errors:
        raise errors[0]
    return ForecastResult(document.symbols[0].symbol, tuple(notes), to_builtins(document))

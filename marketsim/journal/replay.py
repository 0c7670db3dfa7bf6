"""Replays of entries: today's run up to an entry's origin must give the sealed plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

from msgspec import UNSET, Struct
from msgspec.structs import asdict, replace

from marketsim.backtesting import pipeline
from marketsim.backtesting.worker import finish
from marketsim.data.bars import Bars
from marketsim.data.symbols import parse_symbol, part_place
from marketsim.errors import DataError, Failure, MarketsimError, Outcome, Success, UsageError
from marketsim.forecasting.keys import fingerprint
from marketsim.forecasting.sealed_forecasts import SealedForecasts
from marketsim.journal.entry import ForecastQuantiles, Sealed, SealedPlan, SealedStrategy
from marketsim.journal.journal import forecasts_of
from marketsim.journal.scored_bars import names_bars
from marketsim.journal.sealing import plans_of
from marketsim.profiling import Clock
from marketsim.results.plan_basis import revision
from marketsim.results.result import SymbolFiles, SymbolRun
from marketsim.results.rows import Count, Row, Setting, Stamp
from marketsim.results.saved_runs import Difference, unequal
from marketsim.results.walk_profits import DecidingProfits
from marketsim.results.whole_run import WholeRun
from marketsim.settings.settings import KEYS, MEANS, Settings

EFFECTS = ("forecast", "plan", "answer")  # of what differs; all else is a cause
Status = Literal["same", "differs", "failed"]


class Replayed(Row, frozen=True):
    """The outcome of a replayed entry."""

    entry: Count
    symbol: str
    session: Stamp
    status: Status
    revised: str | None  # how the bars up to the origin differ by now, in words; None where they do not
    differences: list[Difference]  # causes before effects; none where the plan is the same
    error: str | None  # why there is nothing to compare


def replay(
    entries: Sequence[Sealed], means: Settings, every: Sequence[Sealed] = (), elsewhere: Mapping[str, Any] = {}
) -> Iterator[Replayed]:
    """Each entry against the run of today with its settings; `means` tells the cache, which changes no plan.

    `every` are all entries of the journal, for a plan may rest on what was sealed before it. Settings of `elsewhere`
    name the bars in place of those that were sealed.
    """
    runs = _Runs(means, every, elsewhere)
    try:
        for sealed in entries:
            yield runs.replay(sealed)
    finally:
        runs.close()


class _Runs:
    """The runs of today that entries need: those that were sealed together are one run."""

    def __init__(self, means: Settings, every: Sequence[Sealed], elsewhere: Mapping[str, Any]) -> None:
        self._means = {key: value for key, value in means.values().items() if key in MEANS}
        self._every, self._elsewhere = every, elsewhere
        self._settings: Settings | None = None
        self._tools: pipeline.Tools | None = None
        self._key: tuple[str, ...] = ()
        self._found: dict[str, Outcome[_Again]] = {}

    def replay(self, sealed: Sealed) -> Replayed:
        """An entry against the run of today."""
        plan = sealed.plan
        try:
            again = self._again(sealed)
        except MarketsimError as error:
            return _told(sealed, "failed", None, [], str(error))
        revised = _revised(plan, again.bars)
        found = list(_effects(plan, again.plan))
        if not found:
            return _told(sealed, "same", revised, [], None)
        return _told(sealed, "differs", revised, [*_causes(plan, again.plan, revised), *found], None)

    def close(self) -> None:
        """Let go of the cache."""
        if self._tools is not None and self._tools.cache is not None:
            self._tools.cache.close()

    def _again(self, sealed: Sealed) -> _Again:
        plan = sealed.plan
        key = (sealed.entry.sealed, *(f"{companion.asked} {companion.origin}" for companion in plan.together))
        settings = self._settings_of(plan)
        if key != self._key or settings != self._settings:
            self._open(settings)
            self._key, self._found = key, self._run(sealed, settings)
        match self._found.get(plan.symbol):
            case Success(again):
                return again
            case Failure(error):
                raise error
        raise DataError(f"{plan.symbol}: today's run has no such symbol")

    def _settings_of(self, plan: SealedPlan) -> Settings:
        values = {key: tuple(value) if isinstance(value, list) else value for key, value in plan.settings.items()}
        values.pop("simulations", None)  # follows from others
        if unknown := values.keys() - set(KEYS):
            raise UsageError(f"this version has no setting {', '.join(sorted(unknown))}")
        if values.get("fetch"):
            values |= {"fetch": None, "source": "store"}
        return Settings.of(**values | dict(self._elsewhere) | self._means)

    def _open(self, settings: Settings) -> None:
        if self._tools is None or settings != self._settings:
            self.close()
            self._tools, self._settings = None, settings
            self._tools = pipeline.open_tools(settings, Clock())

    def _run(self, sealed: Sealed, settings: Settings) -> dict[str, Outcome[_Again]]:
        """By symbol, the plans of today of all that were sealed together, each cut at its origin."""
        assert self._tools is not None
        tools = replace(self._tools, sealed=self._sealed_before(sealed))
        model = fingerprint(tools.model)
        files: dict[str, SymbolFiles] = {}  # by symbol as it was asked for
        bars: dict[str, Bars] = {}
        found: dict[str, Outcome[_Again]] = {}
        for companion in sealed.plan.together:
            then = settings.replace(end=companion.origin, now=sealed.entry.sealed)
            asked = _symbol(companion.asked) if names_bars(self._elsewhere) else companion.asked
            (run,) = pipeline.stream([asked], then, tools, Clock())
            match run.outcome:
                case Success(result):
                    bars[result.bars.symbol] = result.bars
                    files[companion.asked] = _files(run, model)
                case Failure() as failure:
                    found[_symbol(companion.asked)] = failure
        whole = WholeRun.of(
            {symbol_files.document.symbol: DecidingProfits.of(symbol_files.profits) for symbol_files in files.values()},
            settings.seed,
        )
        for plan in plans_of(settings, files, whole):
            found[plan.symbol] = Success(_Again(plan, bars[plan.symbol]))
        return found

    def _sealed_before(self, sealed: Sealed) -> SealedForecasts | None:
        """What counted as clean for the run of an entry because it was sealed; None where no journal was asked."""
        if sealed.plan.model.sealed is UNSET:
            return None
        return forecasts_of(earlier for earlier in self._every if earlier.entry.number < sealed.entry.number)


class _Again(Struct, frozen=True):
    """A plan as the run of today has it, and its bars."""

    plan: SealedPlan
    bars: Bars


def _files(run: SymbolRun, model: str) -> SymbolFiles:
    match finish(run, model, rows=False, basis=True).outcome:
        case Success(files):
            return files
        case Failure(error):
            raise error


def _symbol(asked: str) -> str:
    return parse_symbol(part_place(asked)[0])


def _told(
    sealed: Sealed, status: Status, revised: str | None, differences: list[Difference], error: str | None
) -> Replayed:
    return Replayed(
        entry=sealed.entry.number,
        symbol=sealed.plan.symbol,
        session=sealed.plan.session.bar,
        status=status,
        revised=revised,
        differences=differences,
        error=error,
    )


def _revised(plan: SealedPlan, bars: Bars) -> str | None:
    """How the bars of today differ from those that the plan was made on; finer ones are told by their fingerprint."""
    if str(bars.time[-1]) != plan.bars.origin:
        return f"its origin, the bar {plan.bars.last}, no longer exists"
    found = revision(bars, plan.bars.blocks)
    if found is None:
        return None
    if found.first is None:
        return f"there are bars before {plan.bars.first}, which was the first"
    return f"{found.bars:,} of {found.of:,} bars or fewer, none before {found.first}"


def _causes(then: SealedPlan, now: SealedPlan, revised: str | None) -> Iterator[Difference]:
    """What may be why plans differ: bars, code, settings, libraries, the model."""
    if then.bars.fingerprint != now.bars.fingerprint:
        where = then.symbol if revised is None else f"{then.symbol} ({revised})"
        what = "finer bars" if revised is None else "bars revised"
        yield Difference(what=what, where=where, left=then.bars.fingerprint, right=now.bars.fingerprint)
    code = ({"marketsim": plan.marketsim, "code": plan.code} for plan in (then, now))
    yield from unequal("code", *code)
    yield from unequal(
        "code", *({name: plugin.digest for name, plugin in plan.plugins.items()} for plan in (then, now))
    )
    yield from unequal("setting", then.settings, now.settings)
    yield from unequal("library", then.libraries, now.libraries)
    yield from unequal("model", {"version": then.model.version}, {"version": now.model.version})
    yield from unequal("model", then.model.parameters, now.model.parameters)


def _effects(then: SealedPlan, now: SealedPlan) -> Iterator[Difference]:
    """Where the plans differ: the forecast, then what each strategy would place, then the answer."""
    yield from unequal("forecast", _quantiles(then.forecast), _quantiles(now.forecast))
    strategies = [{row.strategy: row for row in plan.strategies} for plan in (then, now)]
    for name in dict.fromkeys(name for rows in strategies for name in rows):
        yield from unequal("plan", *(_placed(name, rows.get(name)) for rows in strategies))
    yield from unequal("answer", *({"decision": plan.decision, "strategy": plan.strategy} for plan in (then, now)))


def _quantiles(forecast: ForecastQuantiles) -> dict[str, Setting]:
    rows = {"open": forecast.open, "high": forecast.high, "low": forecast.low, "close": forecast.close}
    return {
        f"{name} {level:.0%}": move
        for name, moves in rows.items()
        for level, move in zip(forecast.levels, moves, strict=True)
    }


def _placed(name: str, strategy: SealedStrategy | None) -> dict[str, Setting]:
    """What a strategy would place; nothing of what it promised, which is no part of the plan."""
    if strategy is None:
        return {}
    return {f"{name} {key}": value for key, value in asdict(strategy).items() if key not in ("strategy", "promise")}

"""Results as plain rows and documents: what the tables show, what JSON and CSV hold. No times, no terminal."""

from __future__ import annotations

import csv
import json
import platform
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from io import StringIO

import numpy as np

from marketsim import __version__
from marketsim.data.bars import Bars
from marketsim.errors import MarketsimError
from marketsim.execution.track_record import Track
from marketsim.forecasting.contamination import exposures, tally, warning
from marketsim.forecasting.forecasts import Forecasts
from marketsim.forecasting.keys import fingerprint
from marketsim.profiling import STAGES, Clock
from marketsim.results.metrics import bootstrap_interval, max_drawdown, sharpe, sortino
from marketsim.results.result import Finished, Result, Row, SymbolRun
from marketsim.results.verdict import verdict
from marketsim.settings.choices import BASIS_POINTS, FILLS
from marketsim.settings.settings import MEANS, Settings

RESULTS_SCHEMA = "marketsim.backtest/1"
TIMING_SCHEMA = "marketsim.timing/1"


def document(runs: Sequence[SymbolRun], settings: Settings) -> Row:
    """Everything that a run found, as JSON values; equal inputs give equal documents."""
    return head(settings) | {"symbols": [symbol_document(run) for run in runs]}


def head(settings: Settings) -> Row:
    """What a document says before its symbols; two runs that say the same may be joined."""
    return {
        "schema": RESULTS_SCHEMA,
        "marketsim": __version__,
        "settings": settings_row(settings),
        "libraries": {"python": platform.python_version(), "numpy": np.__version__},
    }


def finish(run: SymbolRun, model: str, rows: bool) -> Finished:
    """A run in plain values, with its `rows` if they are wanted; the seconds are not known here."""
    found = symbol_document(run)
    if run.result is None or not rows:
        return Finished(run.symbol, found, model=model, notes=run.notes, error=run.error)
    tables = to_csv(simulations(run.result)), to_csv(equity(run.result))
    return Finished(run.symbol, found, *tables, model=model, notes=run.notes)


def fail(symbol: str, error: MarketsimError) -> Finished:
    """A symbol that came to nothing."""
    return finish(SymbolRun(symbol, None, error), "", False)


def settings_row(settings: Settings) -> Row:
    """The settings that results rest on: not those that only make them sooner."""
    values = settings.values() | {"simulations": settings.walk.simulations}
    return {key: value for key, value in values.items() if key not in MEANS}


def timing(clock: Clock, symbols: int = 1, work: float | None = None) -> Row:
    """Where the time went, up to now: seconds by stage, and the seconds before the first stage as `start-up`.

    `work` is the sum of the seconds of the `symbols`. Where several processes worked at once it passes the wall time;
    stages are then sums over processes, and start-up has no place among them.
    """
    wall = clock.wall()
    seconds = {name: clock.seconds.get(name, 0.0) for name in STAGES}
    seconds = {"start-up": max(0.0, wall - sum(seconds.values()))} | seconds
    total = sum(seconds.values())
    stages = {
        name: {"seconds": spent, "share": spent / total if total else 0.0, "calls": clock.calls.get(name, 1)}
        for name, spent in seconds.items()
    }
    fits, optimise = clock.counts.get("fits", 0), seconds["optimise"]
    return {
        "schema": TIMING_SCHEMA,
        "stages": stages,
        "forecasts": {which: clock.counts.get(f"forecasts {which}", 0) for which in ("made", "reused")},
        "fits": fits,
        "fits_per_second": fits / optimise if optimise else None,
        "symbols": symbols,
        "symbol_seconds": wall if work is None else work,
        "total_seconds": total,
        "wall_seconds": wall,
    }


def to_json(document: Row) -> str:
    """The text of a document: the same for the same document, and never NaN."""
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def simulations(result: Result) -> Iterator[Row]:
    """One row a strategy and simulation, newest first. Profits are fractions of the close before the bar."""
    tags = exposures_of(result)
    opens = result.bars.names()
    for track in result.strategies:
        fit = track.fit
        assert fit is not None
        for s, position in enumerate(result.walk.evaluated):
            origin = result.walk.origins[position]
            yield {
                "symbol": result.bars.symbol,
                "strategy": track.name,
                "simulation": s,
                "origin": str(opens[origin]),
                "evaluated": str(opens[origin + 1]),
                **dict(zip(("open", "high", "low", "close"), result.bars.ohlcv[origin + 1, :4].tolist(), strict=True)),
                "side": _side(track, s),
                "high_multiplier": float(fit.high_multiplier[s]),
                "low_multiplier": float(fit.low_multiplier[s]),
                "close_at_eod": bool(fit.close_at_eod[s]),
                "upper": float(fit.upper[s]),
                "lower": float(fit.lower[s]),
                "in_sample": float(fit.in_sample[s]),
                **{fill: float(track.profits[fill][s]) for fill in FILLS},
                "orders": int(track.orders[s]),
                "trades": int(track.trades[s]),
                "ambiguous": bool(track.ambiguous[s]),
                "probability": float(track.probability[s]) if track.ambiguous[s] else None,
                "exposure": tags[s],
            }


def equity(result: Result) -> Iterator[Row]:
    """One row a track and evaluated bar, oldest first: summed profits so far, fractions of the stake."""
    opens = result.bars.names()
    for track in (*result.strategies, *result.baselines):
        sums = {fill: np.cumsum(track.profits[fill][::-1]) for fill in FILLS}
        for i, position in enumerate(result.walk.evaluated[::-1]):
            time = str(opens[result.walk.origins[position] + 1])
            profits = {fill: float(sums[fill][i]) for fill in FILLS}
            yield {"symbol": result.bars.symbol, "name": track.name, "time": time, **profits}


def symbol_document(run: SymbolRun) -> Row:
    """A symbol's part of the document: its result, or why there is none."""
    result = run.result
    if result is None:
        assert run.error is not None
        return {
            "symbol": run.symbol,
            "status": "failed",
            "error": str(run.error),
            "exit_code": run.error.exit_code,
        }
    bars, fill = result.bars, result.rules.fill
    evaluated = result.walk.origins[result.walk.evaluated] + 1
    model = identify(result.forecasts, exposures_of(result))
    rows = [_row(track, result) for track in (*result.strategies, *result.baselines)]
    return {
        "symbol": bars.symbol,
        "status": "ok",
        "bars": describe(bars),
        "model": model,
        "costs": asdict(result.costs),
        "fill": fill,
        "optimizer": {"name": result.optimizer, "fits": result.fits, "fallbacks": result.fallbacks},
        "evaluated": {
            "bars": len(evaluated),
            "first": _stamp(bars, evaluated[-1]),
            "last": _stamp(bars, evaluated[0]),
        },
        "rows": rows,
        "plan": [_plan(track, bars) for track in result.strategies],
        "verdict": "; ".join(
            [verdict(row, fill) for row in rows if row["kind"] == "strategy"]
            + [words for words in [warning(model["exposure"])] if words]
        ),
    }


def exposures_of(result: Result) -> list[str]:
    """Which evaluated bars `[S]`, newest first, the model may have seen; see `guard.exposures`."""
    origins = result.walk.origins[result.walk.evaluated]
    return exposures(result.forecasts.model, result.bars.time[origins + 1])


def describe(bars: Bars) -> Row:
    """What a document says of a symbol's bars."""
    return {
        "source": bars.source,
        "fingerprint": bars.fingerprint,
        "count": len(bars),
        "first": _stamp(bars, 0),
        "last": _stamp(bars, -1),
        "crypto": bars.crypto,
        "calendar": bars.timetable.calendar.name,
        "zone": bars.timetable.zone,
        "periods_per_year": bars.periods_per_year,
        "gaps": bars.gaps,
        "dropped": bars.dropped,
    }


def next_bar(bars: Bars) -> Row:
    """What a document says of the bar after the newest one; `stale`: it was over when the bars were read."""
    opens = bars.next_opens(1)
    return {
        "bar": str(bars.names(opens)[0]),
        "opens": str(opens[0]),
        "ends": str(bars.timetable.ends(opens)[0]),
        "stale": bars.is_past(opens[0]),
    }


def identify(forecasts: Forecasts, tags: Sequence[str]) -> Row:
    """What a document says of the model that made the forecasts; `tags` are the exposures of the bars they are for."""
    model = forecasts.model
    return {
        "name": model.name,
        "version": model.version,
        "parameters": dict(model.parameters),
        "fingerprint": fingerprint(model),
        "trained_until": model.trained_until,
        "training": model.training,
        "exposure": tally(tags),
        "repaired": int(forecasts.repaired.sum()),
    }


def _row(track: Track, result: Result) -> Row:
    returns = track.profits[result.rules.fill][::-1]
    orders, trades, wins = (each.sum().item() for each in (track.orders, track.trades, track.wins))
    interval = bootstrap_interval(returns, result.seed) if trades else None
    low, high = (None, None) if interval is None else (BASIS_POINTS * end for end in interval)
    in_sample = None
    if track.fit is not None:
        in_sample = float(BASIS_POINTS * track.fit.in_sample[:-1].mean() / result.walk.windows.shape[1])
    periods = result.bars.periods_per_year
    return {
        "name": track.name,
        "kind": "baseline" if track.fit is None else "strategy",
        "in_sample_bps": in_sample,
        **{fill: float(track.profits[fill].sum()) for fill in FILLS},
        "headline": float(track.profits[result.rules.fill].sum()),
        "mean_bps": float(BASIS_POINTS * returns.mean()),
        "low_bps": low,
        "high_bps": high,
        "bars": len(returns),
        "orders": orders,
        "trades": trades,
        "fill_rate": trades / orders if orders else None,
        "win_rate": wins / trades if trades else None,
        "ambiguous": int(track.ambiguous.sum()),
        "probability": float(track.probability[track.ambiguous].mean()) if track.ambiguous.any() else None,
        "sharpe": sharpe(returns, periods),
        "sortino": sortino(returns, periods),
        "max_drawdown": max_drawdown(returns),
    }


def _plan(track: Track, bars: Bars) -> Row:
    fit = track.fit
    assert fit is not None
    side, eod = _side(track, -1), bool(fit.close_at_eod[-1])
    upper, lower = float(fit.upper[-1]), float(fit.lower[-1])
    entry, target = {"long": (lower, upper), "short": (upper, lower)}.get(side, (None, None))
    return {
        "strategy": track.name,
        "after": _stamp(bars, -1),
        **next_bar(bars),
        "side": side,
        "close": float(bars.close[-1]),
        "entry": entry,
        "take_profit": None if eod else target,
        "upper": upper,
        "lower": lower,
        "close_at_eod": eod,
        "high_multiplier": float(fit.high_multiplier[-1]),
        "low_multiplier": float(fit.low_multiplier[-1]),
    }


def _side(track: Track, s: int) -> str:
    assert track.fit is not None
    legs = track.fit.legs
    sides = [name for name, leg in (("long", legs.long), ("short", legs.short)) if leg is not None and leg[s]]
    return " and ".join(sides) or "flat"


def _stamp(bars: Bars, index: int | np.int64) -> str:
    return str(bars.names(bars.time[np.array([index])])[0])


def to_csv(rows: Iterable[Row]) -> str:
    """Rows with the first one's keys as a CSV text; nothing without rows."""
    text = StringIO()
    writer: csv.DictWriter[str] | None = None
    for row in rows:
        if writer is None:
            writer = csv.DictWriter(text, row.keys(), lineterminator="\n")
            writer.writeheader()
        writer.writerow(row)
    return text.getvalue()

"""Results as plain rows and documents: what the tables show, what JSON and CSV hold. No times, no terminal."""

from __future__ import annotations

import csv
import json
import os
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from marketsim import __version__
from marketsim.bars import Bars
from marketsim.config import Settings
from marketsim.errors import MarketsimError, UsageError
from marketsim.fills import FILLS
from marketsim.forecasts import Forecasts, fingerprint
from marketsim.guard import EXPOSURES, exposures, warning
from marketsim.metrics import bootstrap_interval, max_drawdown, sharpe, sortino
from marketsim.profiling import STAGES, Clock
from marketsim.track import Track
from marketsim.verdict import verdict
from marketsim.walk import Walk

RESULTS_SCHEMA = "marketsim.backtest/1"
TIMING_SCHEMA = "marketsim.timing/1"
BPS = 1e4

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """One symbol's walk, and all that its numbers rest on."""

    bars: Bars
    walk: Walk
    forecasts: Forecasts
    fee_bps: float
    settings: Settings
    strategies: list[Track]
    baselines: list[Track]
    fits: int
    fallbacks: int


@dataclass(frozen=True, slots=True)
class SymbolRun:
    """One symbol of a run: its result, or the error that ended it."""

    symbol: str
    result: Result | None
    error: MarketsimError | None
    notes: tuple[str, ...] = ()  # one-line remarks for stderr


def document(runs: Sequence[SymbolRun], settings: Settings) -> Row:
    """Everything that a run found, as JSON values; equal inputs give equal documents."""
    return {
        "schema": RESULTS_SCHEMA,
        "marketsim": __version__,
        "settings": settings_row(settings),
        "libraries": {"python": platform.python_version(), "numpy": np.__version__},
        "symbols": [_symbol(run) for run in runs],
    }


def settings_row(settings: Settings) -> Row:
    """The settings that results rest on: not the cache, which only makes them sooner."""
    values = asdict(settings) | {"simulations": settings.simulations}
    return {key: value for key, value in values.items() if not key.startswith("cache")}


def timing(runs: Sequence[SymbolRun], clock: Clock) -> Row:
    """Where the time went, up to now; the seconds before the first stage are `start-up`."""
    wall = clock.wall()
    seconds = {name: clock.seconds.get(name, 0.0) for name in STAGES}
    seconds = {"start-up": max(0.0, wall - sum(seconds.values()))} | seconds
    stages = {
        name: {"seconds": spent, "share": spent / wall if wall else 0.0, "calls": clock.calls.get(name, 1)}
        for name, spent in seconds.items()
    }
    fits, optimise = clock.counts.get("fits", 0), seconds["optimise"]
    return {
        "schema": TIMING_SCHEMA,
        "stages": stages,
        "forecasts": {which: clock.counts.get(f"forecasts {which}", 0) for which in ("made", "reused")},
        "fits": fits,
        "fits_per_second": fits / optimise if optimise else None,
        "wall_seconds": wall,
    }


def to_json(document: Row) -> str:
    """The text of a document: the same for the same document, and never NaN."""
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def open_directory(directory: str) -> Path:
    """The output directory, made if need be; UsageError when nothing can be written there."""
    path = Path(directory)
    if not directory.strip():
        raise UsageError("--output needs the name of a directory")
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".marketsim-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UsageError(f"--output {directory}: cannot write there: {error.strerror}") from None
    return path


def write(directory: Path, runs: Sequence[SymbolRun], settings: Settings, clock: Clock) -> None:
    """`results.json`, `simulations.csv`, `equity.csv`, and apart from them `timing.json`; all of them or none."""
    good = [run.result for run in runs if run.result is not None]
    texts = {
        "results.json": to_json(document(runs, settings)),
        "simulations.csv": to_csv(row for result in good for row in simulations(result)),
        "equity.csv": to_csv(row for result in good for row in equity(result)),
        "timing.json": to_json(timing(runs, clock)),
    }
    write_texts(directory, texts)


def write_texts(directory: Path, texts: Mapping[str, str]) -> None:
    """Files of these names and texts; all of them or none. MarketsimError when the disk does not take them."""
    parts = {name: directory / f".{name}-{os.getpid()}" for name in texts}
    try:
        for name, text in texts.items():
            parts[name].write_text(text, encoding="utf-8", newline="")
        for name, part in parts.items():
            part.replace(directory / name)
    except OSError as error:
        for part in parts.values():
            part.unlink(missing_ok=True)
        raise MarketsimError(f"cannot write to {directory}: {error.strerror}") from None


def simulations(result: Result) -> Iterator[Row]:
    """One row a strategy and simulation, newest first. Profits are fractions of the close before the bar."""
    tags = _exposures(result)
    for track in result.strategies:
        fit = track.fit
        assert fit is not None
        for s, position in enumerate(result.walk.evaluated):
            origin = result.walk.origins[position]
            yield {
                "symbol": result.bars.symbol,
                "strategy": track.name,
                "simulation": s,
                "origin": _stamp(result.bars, origin),
                "evaluated": _stamp(result.bars, origin + 1),
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
    for track in (*result.strategies, *result.baselines):
        sums = {fill: np.cumsum(track.profits[fill][::-1]) for fill in FILLS}
        for i, position in enumerate(result.walk.evaluated[::-1]):
            time = _stamp(result.bars, result.walk.origins[position] + 1)
            profits = {fill: float(sums[fill][i]) for fill in FILLS}
            yield {"symbol": result.bars.symbol, "name": track.name, "time": time, **profits}


def _symbol(run: SymbolRun) -> Row:
    result = run.result
    if result is None:
        assert run.error is not None
        return {
            "symbol": run.symbol,
            "status": "failed",
            "error": str(run.error),
            "exit_code": run.error.exit_code,
        }
    bars, model, settings = result.bars, result.forecasts.model, result.settings
    evaluated = result.walk.origins[result.walk.evaluated] + 1
    tags = _exposures(result)
    exposure = {tag: tags.count(tag) for tag in EXPOSURES}
    rows = [_row(track, result) for track in (*result.strategies, *result.baselines)]
    return {
        "symbol": bars.symbol,
        "status": "ok",
        "bars": {
            "source": bars.source,
            "fingerprint": bars.fingerprint,
            "count": len(bars),
            "first": _stamp(bars, 0),
            "last": _stamp(bars, -1),
            "crypto": bars.crypto,
            "periods_per_year": bars.periods_per_year,
            "gaps": bars.gaps,
            "dropped": bars.dropped,
        },
        "model": {
            "name": model.name,
            "version": model.version,
            "parameters": dict(model.parameters),
            "fingerprint": fingerprint(model),
            "trained_until": model.trained_until,
            "training": model.training,
            "exposure": exposure,
            "repaired": result.forecasts.repaired,
        },
        "costs": {"fee_bps": result.fee_bps, "slippage_bps": settings.slippage_bps},
        "fill": settings.fill,
        "optimizer": {"name": settings.optimizer, "fits": result.fits, "fallbacks": result.fallbacks},
        "evaluated": {
            "bars": len(evaluated),
            "first": _stamp(bars, evaluated[-1]),
            "last": _stamp(bars, evaluated[0]),
        },
        "rows": rows,
        "plan": [_plan(track, bars) for track in result.strategies],
        "verdict": "; ".join(
            [verdict(row, settings.fill) for row in rows if row["kind"] == "strategy"]
            + [words for words in [warning(exposure)] if words]
        ),
    }


def _exposures(result: Result) -> list[str]:
    origins = result.walk.origins[result.walk.evaluated]
    return exposures(result.forecasts.model, result.bars.time[origins + 1])


def _row(track: Track, result: Result) -> Row:
    returns = track.profits[result.settings.fill][::-1]
    orders, trades, wins = (each.sum().item() for each in (track.orders, track.trades, track.wins))
    interval = bootstrap_interval(returns, result.settings.seed) if trades else None
    low, high = (None, None) if interval is None else (BPS * end for end in interval)
    in_sample = None
    if track.fit is not None:
        in_sample = float(BPS * track.fit.in_sample[:-1].mean() / result.settings.window)
    periods = result.bars.periods_per_year
    return {
        "name": track.name,
        "kind": "baseline" if track.fit is None else "strategy",
        "in_sample_bps": in_sample,
        **{fill: float(track.profits[fill].sum()) for fill in FILLS},
        "headline": float(track.profits[result.settings.fill].sum()),
        "mean_bps": float(BPS * returns.mean()),
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
    """The UTC stamp of a bar; the date alone where every bar opens at midnight."""
    days = bars.time.astype("datetime64[D]")
    return str(days[index] if (days == bars.time).all() else bars.time[index])


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

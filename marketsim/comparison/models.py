"""Models side by side: on the same bars, fills, fits and simulations, what each forecasts and what it earns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from marketsim import registry
from marketsim.backtesting import pipeline
from marketsim.data.bars import CHANNELS
from marketsim.errors import Failure, MarketsimError, Success
from marketsim.execution.track_record import Track
from marketsim.forecasting.contamination import tally
from marketsim.forecasting.forecasts import CLOSE, LEVELS, MEDIAN, actual_moves
from marketsim.forecasting.scores import covered, pinball
from marketsim.profiling import Clock
from marketsim.results.document import exposures_of
from marketsim.results.metrics import bootstrap_interval
from marketsim.results.result import Result
from marketsim.settings.choices import BASIS_POINTS
from marketsim.settings.groups import NetworkSettings
from marketsim.settings.settings import Settings

SCHEMA = "marketsim.models/1"

Row = dict[str, Any]


def compare(
    symbols: Sequence[str],
    models: Sequence[str],
    settings: Settings,
    progress: pipeline.Progress = lambda what, done, total: None,
) -> tuple[Row, list[str]]:
    """The document of a comparison, and remarks for stderr; a model that cannot be had is a row that says so.

    Options of models with weights apply to the models that have some.
    """
    rows: dict[str, list[Row]] = {symbol: [] for symbol in symbols}
    facts: dict[str, Row] = {}
    notes: list[str] = []
    for model in models:
        clock = Clock()
        try:
            runs = pipeline.run(list(rows), _settings_for(model, settings), clock, _named(progress, model))
        except MarketsimError as error:
            for each in rows.values():
                each.append(_failed(model, error))
            continue
        made = clock.counts.get("forecasts made", 0)
        seconds = clock.seconds.get("forecast/model", 0.0) / made if made else None
        for symbol, run in zip(rows, runs, strict=True):
            notes += run.notes
            match run.outcome:
                case Success(result):
                    facts.setdefault(symbol, _facts(result))
                    rows[symbol].append(_row(model, result, seconds))
                case Failure(why):
                    rows[symbol].append(_failed(model, why))
    symbols_ = [{"symbol": symbol, **facts.get(symbol, {}), "models": each} for symbol, each in rows.items()]
    return {"schema": SCHEMA, "fill": settings.rules.fill, "symbols": symbols_}, notes


def _failed(model: str, error: MarketsimError) -> Row:
    return {"model": model, "status": "failed", "error": str(error), "exit_code": error.exit_code}


def _settings_for(model: str, settings: Settings) -> Settings:
    if registry.has_weights(model):
        return replace(settings, model=model)
    return replace(
        settings, model=model, network=NetworkSettings(device=settings.network.device, batch=settings.network.batch)
    )


def _named(progress: pipeline.Progress, model: str) -> Callable[[str, int, int], None]:
    return lambda what, done, total: progress(f"{model}: {what}", done, total)


def _facts(result: Result) -> Row:
    bars, origins = result.bars, result.walk.origins
    return {
        "source": bars.source,
        "fingerprint": bars.fingerprint,
        "judged": len(origins) - 1,
        "evaluated": len(result.walk.evaluated),
        "first": str(bars.time[origins[0] + 1].astype("datetime64[D]")),
        "last": str(bars.time[-1].astype("datetime64[D]")),
    }


def _row(model: str, result: Result, seconds: float | None) -> Row:
    """Forecasts are judged on every bar of the walk that one was made for, windows included."""
    forecasts, origins = result.forecasts, result.walk.origins[:-1]
    moves, actual = forecasts.moves[:-1], actual_moves(result.bars, origins)
    loss, inside = pinball(moves, actual, LEVELS).mean(0), covered(moves, actual).mean(0)
    side, rose = np.sign(moves[:, CLOSE, MEDIAN]), np.sign(actual[:, CLOSE])
    told = (side != 0) & (rose != 0)
    return {
        "model": model,
        "status": "ok",
        "picked": forecasts.model.name,
        "training": forecasts.model.training,
        "exposure": tally(exposures_of(result)),
        "pinball_bps": dict(zip(CHANNELS, (BASIS_POINTS * loss).tolist(), strict=True)),
        "coverage": dict(zip(CHANNELS, inside.tolist(), strict=True)),
        "close_direction": float((side == rose)[told].mean()) if told.any() else None,
        "seconds_a_forecast": seconds,
        "made": forecasts.made,
        "reused": forecasts.reused,
        "strategies": list(_strategies(result)),
    }


def _strategies(result: Result) -> Iterator[Row]:
    """Profit by the headline's fills, and forecast alpha: what is earned beyond the best baseline of the same table."""
    fill, seed = result.rules.fill, result.seed
    best = max(result.baselines, key=lambda track: track.profits[fill].sum())
    for track in result.strategies:
        profit, alpha = (BASIS_POINTS * each[::-1] for each in (track.profits[fill], _beyond(track, best, fill)))
        yield {
            "strategy": track.name,
            "trades": int(track.trades.sum()),
            "mean_bps": float(profit.mean()),
            "interval_bps": bootstrap_interval(profit, seed) if track.trades.any() else None,
            "baseline": best.name,
            "alpha_bps": float(alpha.mean()),
            "alpha_interval_bps": bootstrap_interval(alpha, seed),
        }


def _beyond(track: Track, baseline: Track, fill: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Paired bar by bar, so that what moves both cancels."""
    return track.profits[fill] - baseline.profits[fill]

"""Scores of several models' forecasts: losses, calibration, and the significance of differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from types import MappingProxyType

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim import __version__
from marketsim.backtesting import pipeline
from marketsim.backtesting.chosen_bars import load, open_bars
from marketsim.comparison.models import named, settings_for
from marketsim.comparison.schema import FailedModel
from marketsim.comparison.scores_schema import (
    PriceScore,
    ScoredBars,
    ScoredModel,
    ScoredSymbol,
    ScoresDocument,
)
from marketsim.comparison.skill import SkillRow, skill_together
from marketsim.data import Source
from marketsim.data.bars import CHANNELS, Bars
from marketsim.data.walk_forward import JUDGED
from marketsim.errors import AuditError, DataError, Failure, MarketsimError, Outcome, Success
from marketsim.forecasting.contamination import exposures_of, tally
from marketsim.forecasting.decomposition import decompose
from marketsim.forecasting.ensembles import HISTORY, Composite
from marketsim.forecasting.forecasts import LEVELS, Forecasts, actual_moves
from marketsim.forecasting.keys import fingerprint
from marketsim.forecasting.loss_difference import compare_losses
from marketsim.forecasting.protocols import Model
from marketsim.forecasting.requests import ForecastRequest
from marketsim.forecasting.scores import covered, crps, pinball, places, share_interval
from marketsim.models import open_model
from marketsim.profiling import Clock
from marketsim.results.code import libraries
from marketsim.results.document import deciding
from marketsim.results.schema import ExposureCounts, FailedSymbol
from marketsim.settings.choices import BASIS_POINTS
from marketsim.settings.settings import Settings

BASELINES = ("har", "rolling-quantile", "last-bar")
FEWEST = 10  # bars that scores need

Floats = NDArray[np.float64]


class _Opened(Struct, frozen=True):
    """A model, and the settings that it runs by."""

    name: str
    model: Model | Composite
    settings: Settings


def score(
    symbols: Sequence[str],
    models: Sequence[str],
    settings: Settings,
    count: int | None = None,
    progress: pipeline.Progress = lambda what, done, total: None,
    source: Source | None = None,
    own: Mapping[str, Model | Composite] = MappingProxyType({}),
) -> tuple[ScoresDocument, list[str]]:
    """The document of the models' scores on the newest `count` bars of each symbol, and remarks for stderr.

    `count` None is 250, or half of the bars where those are fewer: the others are to learn from. The baselines are
    forecast too, and every model is scored on the same bars. A model or a symbol that cannot be had is a row that says
    so. `source` takes the place of the one that the settings name; `own` are models by name that no registry knows.
    """
    opened: dict[str, Outcome[_Opened]] = {}
    for name in dict.fromkeys((*models, *BASELINES)):
        try:
            chosen = settings_for(name, settings, own.get(name))
            model = own.get(name) or open_model(name, chosen.network, chosen.seed)
            opened[name] = Success(_Opened(name, model, chosen))
        except MarketsimError as why:
            opened[name] = Failure(why)
    there = [outcome.value for outcome in opened.values() if isinstance(outcome, Success)]
    bars_source = source or open_bars(settings.bars)
    requests = {symbol: _request(symbol, settings, bars_source, there, count) for symbol in symbols}
    wanted = [request.value for request in requests.values() if isinstance(request, Success)]
    found: dict[str, list[Outcome[Forecasts]]] = {}
    notes = [note for request in wanted for note in request.bars.notes]
    for name, opening in opened.items():
        match opening:
            case Success(one):
                found[name], told = _forecasts(one, wanted, progress)
                notes += told if name in models else ()
            case Failure():
                found[name] = [opening] * len(wanted)
    rows: list[ScoredSymbol | FailedSymbol] = []
    outcomes = zip(*found.values(), strict=True)
    for symbol, request in requests.items():
        match request:
            case Success(ready):
                rows.append(_scored(ready, models, dict(zip(found, next(outcomes), strict=True))))
            case Failure(error):
                rows.append(FailedSymbol.of(symbol, error))
    document = ScoresDocument(
        marketsim=__version__,
        settings=deciding(settings),
        libraries=libraries(),
        levels=list(LEVELS),
        baselines=list(BASELINES),
        symbols=rows,
    )
    return document, notes


def _request(
    symbol: str, settings: Settings, source: Source, models: Sequence[_Opened], count: int | None
) -> Outcome[ForecastRequest]:
    """The newest origins whose next bar is known, and those before them that `auto` picks on."""
    try:
        bars = load(symbol, settings.bars, source)
        least = max(model.model.minimum_bars for model in models)
        possible = len(bars) - least
        chosen = min(JUDGED, possible // 2) if count is None else count
        if not FEWEST <= chosen <= possible:
            raise DataError(
                f"{bars.symbol}: {len(bars)} bars; scores of {chosen} need {least + max(chosen, FEWEST)}"
                if chosen >= FEWEST
                else f"{bars.symbol}: scores need {FEWEST} bars or more, not {max(chosen, 0)}"
            )
        first = len(bars) - 1 - chosen
        before = np.arange(max(least - 1, first - HISTORY), first)
        return Success(ForecastRequest(bars, np.arange(first, len(bars) - 1), before))
    except MarketsimError as error:
        return Failure(error)


def _forecasts(
    one: _Opened, requests: Sequence[ForecastRequest], progress: pipeline.Progress
) -> tuple[list[Outcome[Forecasts]], list[str]]:
    """The model's forecasts for each request, and remarks for stderr."""
    notes: list[str] = []
    with pipeline.open_cache(one.settings.cache, one.settings.cache_place) or nullcontext() as cache:
        told = named(progress, one.name)
        forecaster = pipeline.open_forecaster(one.model, cache, one.settings, Clock(), told, notes)
        try:
            outcomes = forecaster.forecasts(requests)
        except AuditError as error:
            outcomes = [Failure(error) for _ in requests]
        notes += cache.warnings if cache is not None else ()
    for outcome in outcomes:
        notes += outcome.value.notes if isinstance(outcome, Success) else ()
    return outcomes, notes


def _scored(
    request: ForecastRequest, models: Sequence[str], outcomes: Mapping[str, Outcome[Forecasts]]
) -> ScoredSymbol:
    bars, origins = request.bars, request.origins
    actual = actual_moves(bars, origins)
    losses = {
        name: pinball(outcome.value.moves, actual, LEVELS)
        for name, outcome in outcomes.items()
        if isinstance(outcome, Success)
    }
    rows: list[ScoredModel | FailedModel] = []
    for name in models:
        match outcomes[name]:
            case Success(forecasts):
                others = {
                    baseline: losses[baseline] for baseline in BASELINES if baseline in losses and baseline != name
                }
                rows.append(_model(name, forecasts, bars, actual, losses[name], others))
            case Failure(error):
                rows.append(FailedModel.of(name, error))
    stamps = bars.names()
    return ScoredSymbol(
        symbol=bars.symbol,
        bars=ScoredBars(
            source=bars.source,
            fingerprint=bars.fingerprint,
            count=len(origins),
            first=str(stamps[origins[0] + 1]),
            last=str(stamps[-1]),
        ),
        models=rows,
    )


def _model(
    name: str, forecasts: Forecasts, bars: Bars, actual: Floats, losses: Floats, others: Mapping[str, Floats]
) -> ScoredModel:
    """The scores of one model; `losses` and those of the `others` are `[N, 4]`."""
    score, inside = crps(forecasts.moves, actual, LEVELS).mean(0), covered(forecasts.moves, actual).mean(0)
    shares = places(forecasts.moves, actual)

    def price(c: int) -> PriceScore:
        parts = decompose(forecasts.moves[:, c], actual[:, c], LEVELS)
        low, high = share_interval(float(inside[c]), len(actual))
        return PriceScore(
            pinball_bps=BASIS_POINTS * float(losses[:, c].mean()),
            crps_bps=BASIS_POINTS * float(score[c]),
            coverage=float(inside[c]),
            coverage_low=low,
            coverage_high=high,
            pit=shares[c].tolist(),
            calibration_bps=BASIS_POINTS * parts.calibration,
            resolution_bps=BASIS_POINTS * parts.resolution,
            uncertainty_bps=BASIS_POINTS * parts.uncertainty,
            skills=[
                SkillRow.of(baseline, compare_losses(losses[:, c], other[:, c])) for baseline, other in others.items()
            ],
        )

    model = forecasts.model
    tags = exposures_of(forecasts, range(len(forecasts.origins)), bars.time[forecasts.origins + 1])
    return ScoredModel(
        model=name,
        picked=model.name,
        fingerprint=fingerprint(model),
        training=model.training,
        look_ahead=forecasts.look_ahead,
        implausible=forecasts.implausible,
        exposure=ExposureCounts(**tally(tags)),
        made=forecasts.made,
        reused=forecasts.reused,
        **{channel: price(c) for c, channel in enumerate(CHANNELS)},
        together=[skill_together(baseline, losses, other) for baseline, other in others.items()],
    )

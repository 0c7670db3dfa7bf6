"""Comparisons of several models: their forecasts and their profits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct, to_builtins

from marketsim.api.forecast_results import ForecastScores, ModelComparison
from marketsim.api.given import FRAME, Given, takes, whole_number
from marketsim.comparison import forecast_scores
from marketsim.comparison import models as comparison
from marketsim.data.bars import Bars
from marketsim.errors import UsageError
from marketsim.forecasting.ensembles import Composite
from marketsim.forecasting.protocols import Model
from marketsim.settings.groups import BarsSettings, CacheSettings, GivenSettings, NetworkSettings
from marketsim.settings.settings import KEYS, keys_of

MODELS = ("har", "rolling-quantile", "last-bar")

_KEYS = tuple(key for key in KEYS if key not in ("model", "workers", "executor", "scheduler"))
_SCORES = (
    *keys_of(NetworkSettings),
    *keys_of(BarsSettings),
    "seed",
    "cache",
    "allow_lookahead",
    *keys_of(CacheSettings),
    *keys_of(GivenSettings),
)


@takes(*_KEYS)
def compare_models(
    bars: Bars | str | Sequence[Bars | str],
    models: Any = MODELS,
    **settings: Any,
) -> ModelComparison:
    """Compare models on the same bars, fills, fits and simulations.

    Parameters
    ----------
    bars
        `Bars` or the name of a symbol, or several of either.
    models
        Names of models, or objects of your own; or one of them.
    **settings
        As in `backtest`. `forecasts` stand beside the models: a DataFrame, a path, or a dictionary of several by name.

    Returns
    -------
    ModelComparison
        `forecasts` (losses, coverage) and `profits`. A model that fails is a row whose `status` is "failed".

    Raises
    ------
    UsageError
        A setting is unknown or wrong.

    Examples
    --------
    >>> import marketsim
    >>> compared = marketsim.compare_models("NVDA", ["har", "last-bar"], sims=5, window=10)
    >>> bool(compared.forecasts["pinball_bps.high"].idxmin() == ("NVDA", "har"))
    True
    """
    several = _Several.of("compare_models", bars, models, settings)
    given = several.given
    document, notes = comparison.compare(
        given.symbols, several.names, given.settings, source=given.source, own=several.own
    )
    return ModelComparison(to_builtins(document), tuple(dict.fromkeys((*given.notes, *notes))))


@takes(*_SCORES)
def score_forecasts(
    bars: Bars | str | Sequence[Bars | str],
    models: Any = MODELS,
    *,
    count: int | None = None,
    **settings: Any,
) -> ForecastScores:
    """Score the forecasts of models, without fits and trades.

    Parameters
    ----------
    bars
        `Bars` or the name of a symbol, or several of either.
    models
        Names of models, or objects of your own; or one of them.
    count
        Newest bars to score forecasts on; None is 250, or half of fewer.
    **settings
        As in `compare_models`; settings of walks, fits and fills have no meaning here.

    Returns
    -------
    ForecastScores
        `scores` (pinball loss and CRPS in basis points of the origin's close, coverage, calibration), `skills` (against
        har, rolling-quantile and last-bar, with the test of Diebold and Mariano) and `pit`. A symbol or a model that
        fails does not stop the others; `failures` says why.

    Raises
    ------
    UsageError
        A setting is unknown or wrong.

    Examples
    --------
    >>> import marketsim
    >>> scored = marketsim.score_forecasts("NVDA", ["har", "last-bar"], count=40)
    >>> bool(scored.skills.loc[("NVDA", "last-bar", "high", "har"), "skill"] < 0)
    True
    """
    count = None if count is None else whole_number("score_forecasts(count=...)", count)
    several = _Several.of("score_forecasts", bars, models, settings)
    given = several.given
    document, notes = forecast_scores.score(
        given.symbols, several.names, given.settings, count, source=given.source, own=several.own
    )
    return ForecastScores(to_builtins(document), tuple(dict.fromkeys((*given.notes, *notes))))


class _Several(Struct, frozen=True):
    """A call with several models, and perhaps with forecasts beside them."""

    given: Given
    names: list[str]  # of files first, then of models
    own: dict[str, Model | Composite]  # those that no registry knows

    @classmethod
    def of(
        cls, function: str, bars: Bars | str | Sequence[Bars | str], models: Any, settings: Mapping[str, Any]
    ) -> _Several:
        """The call of a function; UsageError where it cannot be meant."""
        models = [models] if isinstance(models, str) or hasattr(models, "forecast") else models
        forecasts = settings.get("forecasts")
        if not models and forecasts is None:
            raise UsageError(f"{function}() needs a model")
        named = settings if forecasts is None else {**settings, "forecasts": FRAME}
        given = Given.of(function, [bars] if isinstance(bars, (Bars, str)) else bars, None, named)
        own, names = Given.adopt(function, models)
        files = {} if forecasts is None else given.forecasts(forecasts)
        return cls(given, [*files, *names], {**own, **files})

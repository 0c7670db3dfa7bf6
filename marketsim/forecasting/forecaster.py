"""The forecasts of a run: by one model or by an ensemble of several, each origin once, through the cache."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from marketsim.data.bars import Bars
from marketsim.errors import Outcome, value_of
from marketsim.forecasting.ensembles import Composite, is_composite, is_given, members_of
from marketsim.forecasting.forecasts import Forecasts
from marketsim.forecasting.keys import fingerprint
from marketsim.forecasting.model_forecaster import ModelForecaster, Progress, silent
from marketsim.forecasting.protocols import Cache, Clock, Model, comes_from_outside
from marketsim.forecasting.requests import ForecastRequest

if TYPE_CHECKING:
    from marketsim.forecasting.first_use import FirstUse


class Forecaster(Struct):
    """Makes forecasts, from the cache where it has them; `notes` collects one-line remarks for stderr."""

    model: Model | Composite
    cache: Cache | None
    clock: Clock
    progress: Progress = silent
    notes: list[str] = field(default_factory=list)
    batch: int | None = None  # see `ModelForecaster`
    first_use: FirstUse | None = None  # audits models from outside; None where there are none
    _by_model: dict[str, ModelForecaster] = field(default_factory=dict)

    def forecasts(self, requests: Sequence[ForecastRequest]) -> list[Outcome[Forecasts]]:
        """The forecasts of each request, or why there are none.

        AuditError where a model from outside was caught, unless that is allowed.
        """
        if self.first_use is not None:
            self.first_use.record(self.model)  # an ensemble may have been caught as a whole
        if is_composite(self.model):
            with self.clock.stage("forecast/ensemble"):
                outcomes = self.model.forecasts(requests, self._make)
        else:
            outcomes = self._make(self.model, requests)
        if self.first_use is None:
            return outcomes
        if is_given(self.model):
            given = self.model
            self.first_use.look_at(given, requests, lambda wanted: given.forecasts(wanted, self._make))
        models = [self.model, *members_of(self.model)] if is_composite(self.model) else [self.model]
        return self.first_use.marked(models, requests, outcomes)

    def _make(self, model: Model, requests: Sequence[ForecastRequest]) -> list[Outcome[Forecasts]]:
        known = self._by_model.setdefault(
            fingerprint(model), ModelForecaster(model, self.cache, self.clock, self.progress, self.notes, self.batch)
        )
        if self.first_use is not None and comes_from_outside(model):
            return self.first_use.forecasts(model, requests, known.forecasts)
        return known.forecasts(requests)


def make_forecasts(
    model: Model, bars: Bars, origins: NDArray[np.int64], cache: Cache | None, clock: Clock
) -> Forecasts:
    """The forecasts of one model and symbol at increasing `origins` `[N]`; raises the error that they come to."""
    (outcome,) = ModelForecaster(model, cache, clock).forecasts([ForecastRequest(bars, origins)])
    return value_of(outcome)

"""The same model called differently: one origin at a time, or in another order. Its forecasts must be the same."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from marketsim.forecasting.ensembles import Composite, is_composite
from marketsim.forecasting.identity import identity_of
from marketsim.forecasting.keys import reads_contexts
from marketsim.forecasting.protocols import ContextModel, HistoryModel, Model
from marketsim.forecasting.series import Series

Rows = NDArray[np.int64]  # of one call; how they are parted and ordered
Calls = Callable[[int], list[Rows]]  # the calls to make for so many origins


def one_by_one(count: int) -> list[Rows]:
    """A call for each origin, in order."""
    return [np.array([row]) for row in range(count)]


def shuffled(count: int) -> list[Rows]:
    """One call for all origins, in random order."""
    return [np.random.default_rng(count).permutation(count)]


def called(model: Model | Composite, calls: Calls) -> Model | Composite:
    """The model, or the members of an ensemble, called as `calls` says."""
    if is_composite(model):
        return model.with_members(tuple(_called(member, calls) for member in model.members))
    return _called(model, calls)


def _called(model: Model, calls: Calls) -> Model:
    return _Contexts(model, calls) if reads_contexts(model) else _History(model, calls)


class _Called:
    def __init__(self, model: Model, calls: Calls) -> None:
        identity = identity_of(model)
        self.name, self.version = identity.name, identity.version
        self.trained_until, self.training = identity.trained_until, identity.training
        self.minimum_bars, self.parameters = identity.minimum_bars, identity.parameters
        self.calls = calls


class _History(_Called):
    def __init__(self, model: HistoryModel, calls: Calls) -> None:
        super().__init__(model, calls)
        self.model = model

    def forecast(self, series: Series, origins: NDArray[np.int64]) -> NDArray[np.float64]:
        """See `HistoryModel.forecast`."""
        calls = self.calls(len(origins))
        made = [self.model.forecast(series.until(int(origins[rows].max())), origins[rows]) for rows in calls]
        return _in_order(made, calls)


class _Contexts(_Called):
    def __init__(self, model: ContextModel, calls: Calls) -> None:
        super().__init__(model, calls)
        self.model, self.context = model, model.context

    @property
    def batch(self) -> int:
        """See `ContextModel.batch`."""
        return self.model.batch

    def forecast(self, contexts: NDArray[np.float64], times: NDArray[np.datetime64]) -> NDArray[np.float64]:
        """See `ContextModel.forecast`."""
        calls = self.calls(len(contexts))
        return _in_order([self.model.forecast(contexts[rows], times[rows]) for rows in calls], calls)


def _in_order(made: list[NDArray[np.float64]], calls: list[Rows]) -> NDArray[np.float64]:
    moves = np.concatenate(made)
    ordered = np.empty_like(moves)
    ordered[np.concatenate(calls)] = moves
    return ordered

"""A forecast cache in memory, for one audit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from marketsim.forecasting.ensembles import Composite, members_of
from marketsim.forecasting.keys import fingerprint, reads_contexts
from marketsim.forecasting.protocols import Identity, Model


class KeptForecasts:
    """A `protocols.Cache` in memory, for some models."""

    def __init__(self, models: Iterable[Model]) -> None:
        self._rows: dict[str, dict[bytes, NDArray[np.float64]]] = {fingerprint(model): {} for model in models}

    @classmethod
    def of_all(cls, model: Model | Composite) -> KeptForecasts:
        """A cache for a model, or for every member of an ensemble."""
        return cls(members_of(model))

    @classmethod
    def of_contexts(cls, model: Model | Composite) -> KeptForecasts:
        """A cache for the models that read contexts, which do not depend on later bars."""
        return cls(filter(reads_contexts, members_of(model)))

    def get(self, model_fingerprint: str, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float64]]:
        """See `Cache.get`."""
        rows = self._rows.get(model_fingerprint, {})
        return {key: rows[key] for key in keys if key in rows}

    def put(self, model: Identity, rows: Mapping[bytes, NDArray[np.float64]], symbol: str) -> None:
        """See `Cache.put`."""
        if (identity := fingerprint(model)) in self._rows:
            self._rows[identity].update({key: moves.copy() for key, moves in rows.items()})

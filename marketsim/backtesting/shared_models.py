"""The models that this process has open: one for each run, shared by its threads."""

from __future__ import annotations

import threading
from weakref import WeakValueDictionary

from marketsim.forecasting.ensembles import Composite
from marketsim.forecasting.protocols import Model
from marketsim.models import chosen_model
from marketsim.settings.settings import Settings


class SharedModel:
    """The model of a run, dropped when no thread uses it any more."""

    def __init__(self, model: Model | Composite) -> None:
        self.model = model


_opening = threading.Lock()
_open: WeakValueDictionary[str, SharedModel] = WeakValueDictionary()  # by run


def shared_model(run: str, settings: Settings) -> SharedModel:
    """The model that the settings of a `run` name, opened by the first thread that asks; see `chosen_model`."""
    with _opening:
        found = _open.get(run)
        if found is None:
            found = _open[run] = SharedModel(chosen_model(settings))
        return found

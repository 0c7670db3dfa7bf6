"""Forecast models: one file and one line in `registry.MODELS` each; networks have a second file, with torch."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from marketsim import registry
from marketsim.forecasting.ensembles import Composite
from marketsim.forecasting.protocols import Model
from marketsim.models.options import Options
from marketsim.settings.groups import NetworkSettings
from marketsim.settings.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

FOR_OWN = "model_option"
FOR_ALL = ("device", "batch")
FOR_WEIGHTS = tuple(name for name in NetworkSettings.__struct_fields__ if name not in (*FOR_ALL, FOR_OWN))


def chosen_model(settings: Settings) -> Model | Composite:
    """The model that the settings name, or their file of forecasts in its place.

    See `open_model`; DataError for a file that holds no forecasts.
    """
    if settings.given.forecasts is not None:
        return open_forecasts(settings.given.forecasts, settings)
    return open_model(settings.model, settings.network, settings.seed)


def open_forecasts(spec: str, settings: Settings) -> Composite:
    """The forecasts in the file or folder that `spec` names; see `chosen_model`."""
    from marketsim.forecasting.files.forecast_files import read_forecasts
    from marketsim.models.forecast_file import ForecastFile

    return ForecastFile(read_forecasts(spec, settings.bars.timezone), settings.given.missing)


def open_model(spec: str, network: NetworkSettings, seed: int) -> Model | Composite:
    """The model that `spec` names: `NAME`, `NAME:VARIANT`, or `auto` or `blend` of several, `blend:NAME,NAME`.

    `FILE.py:CLASS`, `MODULE:CLASS` and the names that installed packages register are models of one's own. Weights are
    looked up, not loaded. UsageError for a choice that no model of it can make use of, for weights that cannot be
    found, and for code that is no model.
    """
    name = spec.partition(":")[0]
    names = registry.members(spec)
    options = Options(**asdict(network), seed=seed)
    if not registry.has_weights(spec):
        options.unused(names[0], *FOR_WEIGHTS)
    if not registry.is_own(spec):
        options.unused(names[0], FOR_OWN)
    if name not in registry.ENSEMBLES:
        return _open(spec, options)
    members = tuple(_open(member, options) for member in names)
    ensemble: Composite = registry.load(registry.ENSEMBLES, "model", name)(members)
    return ensemble


def _open(spec: str, options: Options) -> Model:
    name, _, variant = spec.partition(":")
    if registry.is_own(spec):
        from marketsim.models.own_spec import open_own_model

        own: Model = open_own_model(registry.entry_points("models").get(spec, spec), options.model_option)
        return own
    plugin = registry.load(registry.MODELS, "model", name)
    model: Model = plugin(variant or registry.VARIANTS[name][0], options) if name in registry.VARIANTS else plugin()
    return model


class _CallablePackage(ModuleType):
    def __call__(self) -> pd.DataFrame:
        """The forecast models.

        Returns
        -------
        pandas.DataFrame
            By name: `variants`, the `extra` that installs its package (None where nothing is missing), `trained_until`
            (the date of the newest bar in its weights, "unknown" where nobody says, None where it has no weights),
            `training` in words, and whether it is `installed`.

        Examples
        --------
        >>> import marketsim.models
        >>> marketsim.models().loc["har", "training"]
        'fits on past bars only'
        """
        from marketsim.models.listing import frame

        return frame()


# `marketsim.models()` is public, but a function of that name would be overwritten when this package is imported.
sys.modules[__name__].__class__ = _CallablePackage

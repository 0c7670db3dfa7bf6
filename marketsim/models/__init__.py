"""Forecast models: one file each, one line in `registry.MODELS` each; a network has a second file, where torch is."""

from __future__ import annotations

from dataclasses import asdict, fields

from marketsim import registry
from marketsim.forecasting.ensembles import Ensemble
from marketsim.forecasting.protocols import Model
from marketsim.models.options import Options
from marketsim.settings.groups import NetworkSettings

FOR_WEIGHTS = tuple(field.name for field in fields(NetworkSettings) if field.name != "device")


def open_model(spec: str, network: NetworkSettings, seed: int) -> Model | Ensemble:
    """The model that `spec` names: `NAME`, `NAME:VARIANT`, or `auto` or `blend` of several, `blend:NAME,NAME`.

    Weights are looked up, not loaded. UsageError for a choice that no model of it can make use of, and for weights that
    cannot be found.
    """
    name = spec.partition(":")[0]
    options = Options(**asdict(network), seed=seed)
    if name not in registry.ENSEMBLES:
        return _open(spec, options)
    spared = Options() if registry.has_weights(spec) else options  # what those without weights are handed
    names = registry.members(spec)
    members = tuple(_open(each, options if registry.has_weights(each) else spared) for each in names)
    ensemble: Ensemble = registry.load(registry.ENSEMBLES, "model", name)(members)
    return ensemble


def _open(spec: str, options: Options) -> Model:
    name, _, variant = spec.partition(":")
    plugin = registry.load(registry.MODELS, "model", name)
    if name in registry.VARIANTS:
        model: Model = plugin(variant or registry.VARIANTS[name][0], options)
    else:
        options.unused(name, *FOR_WEIGHTS)
        model = plugin()
    return model

"""Forecast models: one file each, one line in `registry.MODELS` each; a network has a second file, where torch is."""

from __future__ import annotations

from dataclasses import fields

from marketsim import registry
from marketsim.config import Settings
from marketsim.forecasts import Model
from marketsim.models.options import Options

FOR_WEIGHTS = tuple(field.name for field in fields(Options) if field.name not in ("device", "seed"))


def open_model(settings: Settings) -> Model:
    """The model that the settings name, `NAME` or `NAME:VARIANT`; its weights are looked up, not loaded.

    UsageError for a choice that the model cannot make use of, and for weights that cannot be found.
    """
    name, _, variant = settings.model.partition(":")
    plugin = registry.load(registry.MODELS, "model", name)
    options = Options(**{field.name: getattr(settings, field.name) for field in fields(Options)})
    if name in registry.VARIANTS:
        model: Model = plugin(variant or registry.VARIANTS[name][0], options)
    else:
        options.unused(name, *FOR_WEIGHTS)
        model = plugin()
    return model

"""The list of models: their requirements and training data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import asdict

from marketsim import registry

if TYPE_CHECKING:
    import pandas as pd


class ListedModel(Struct, frozen=True):
    """A model of the registry."""

    name: str
    variants: tuple[str, ...]  # the first is the default
    extra: str | None  # that installs its package; None where nothing is missing
    trained_until: str | None  # ISO date, "unknown" where nobody says; None where there are no weights
    training: str  # what is known of the bars in its weights
    installed: bool
    licenses: dict[str, str] = field(default_factory=dict)  # of the weights of variants, where they differ
    not_offered: dict[str, str] = field(default_factory=dict)  # what its library has besides, and why it is no variant


def list_models() -> list[ListedModel]:
    """The models of `registry.MODELS`, those of installed packages, the ensembles; no package is imported."""
    models = [_listed(name) for name in registry.MODELS]
    models += [
        ListedModel(name, (), None, "unknown", f"registered by an installed package: {place}", True)
        for name, place in sorted(registry.entry_points("models").items())
    ]
    return models + [
        ListedModel(name, (), None, None, "that of the models that it is made of", True) for name in registry.ENSEMBLES
    ]


def frame() -> pd.DataFrame:
    """The models as a DataFrame, by name."""
    import pandas as pd

    return pd.DataFrame([asdict(model) for model in list_models()]).set_index("name")


def _listed(name: str) -> ListedModel:
    plugin: Any = registry.load(registry.MODELS, "model", name)
    variants = registry.VARIANTS.get(name, ())
    extra, licenses = registry.MODEL_EXTRAS.get(name), dict(getattr(plugin, "licenses", {}))
    installed = extra is None or plugin.installed()
    refused = registry.NOT_OFFERED.get(name, {})
    return ListedModel(name, variants, extra, plugin.trained_until, plugin.training, installed, licenses, refused)

"""A model's own description, as a value."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from marketsim.forecasting.protocols import Identity


class ModelIdentity(Struct, frozen=True):
    """See `protocols.Identity`."""

    name: str
    version: str
    trained_until: str | None
    training: str
    minimum_bars: int
    parameters: Mapping[str, float | int | str]


def identity_of(model: Identity, **parameters: float | int | str) -> ModelIdentity:
    """The identity of `model`, with further parameters."""
    return ModelIdentity(
        name=model.name,
        version=model.version,
        trained_until=model.trained_until,
        training=model.training,
        minimum_bars=model.minimum_bars,
        parameters={**model.parameters, **parameters},
    )

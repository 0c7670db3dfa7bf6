"""Options of trained models."""

from __future__ import annotations

from msgspec import Struct

from marketsim.errors import UsageError
from marketsim.settings.groups import NetworkSettings


class Options(NetworkSettings, frozen=True):
    """The choices for models with weights, and the seed of what is drawn."""

    seed: int = 42

    def unused(self, model: str, *names: str) -> None:
        """UsageError when one of `names` was chosen, because `model` does not use it."""
        for name in names:
            if getattr(self, name) != getattr(Options(), name):
                raise UsageError(f"--{name.replace('_', '-')}: model '{model}' does not use it")


class Sampling(Struct, frozen=True):
    """How a token is drawn from its logits: divided by `temperature`, then `top_k` (0 for all), then `top_p`."""

    temperature: float
    top_k: int
    top_p: float

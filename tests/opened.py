"""The model that settings name."""

from __future__ import annotations

from typing import Any

from marketsim.models import open_model
from marketsim.settings.settings import Settings


def opened(settings: Settings) -> Any:
    return open_model(settings.model, settings.network, settings.seed)

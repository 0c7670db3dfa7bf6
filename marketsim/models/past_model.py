"""The description of models without weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class PastModel:
    """The identity of a `HistoryModel` that learns from the bars before each origin, and from nothing else."""

    name: str
    version = "1"
    trained_until: str | None = None
    training = "fits on past bars only"
    minimum_bars = 2
    parameters: ClassVar[Mapping[str, float | int | str]] = {}

"""Plug-ins by name, as `module:attribute`, so that they can be listed without being imported."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable
from typing import Any

from marketsim.errors import UsageError

MODELS = {
    "chronos": "marketsim.models.chronos:Chronos",
    "fracast": "marketsim.models.fracast:Fracast",
    "har": "marketsim.models.har:Har",
    "kronos": "marketsim.models.kronos:Kronos",
    "last-bar": "marketsim.models.last_bar:LastBar",
    "rolling-quantile": "marketsim.models.rolling_quantile:RollingQuantile",
    "toto": "marketsim.models.toto:Toto",
    "toto2": "marketsim.models.toto2:Toto2",
}
ENSEMBLES = {
    "auto": "marketsim.ensemble:Auto",
    "blend": "marketsim.ensemble:Blend",
}
VARIANTS: dict[str, tuple[str, ...]] = {  # of the models with weights; the first is the default
    "chronos": ("bolt-small", "bolt-tiny", "bolt-mini", "bolt-base", "2"),
    "fracast": ("0",),
    "toto": ("base",),
    "toto2": ("22m", "4m", "313m", "1b", "2.5b"),
    "kronos": ("small", "mini", "base"),
}
HISTORY_MODELS = tuple(name for name in MODELS if name not in VARIANTS)
OPTIMIZERS = {
    "exact": "marketsim.optimizers.exact:Exact",
    "direct": "marketsim.optimizers.direct:Direct",
    "differential-evolution": "marketsim.optimizers.differential_evolution:DifferentialEvolution",
}
SOURCES = {
    "sample": "marketsim.data.sample:SampleSource",
    "files": "marketsim.data.files:FileSource",
}


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'X'?` for the known name nearest to `name`, or nothing when none is near."""
    found = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean '{found[0]}'?" if found else ""


def load(table: dict[str, str], kind: str, name: str) -> Any:
    """The plug-in that `table` registers as `name`; UsageError names the nearest known one."""
    if name not in table:
        raise UsageError(f"unknown {kind} '{name}'{nearest(name, table)} (known: {', '.join(table)})")
    module, attribute = table[name].split(":")
    return getattr(importlib.import_module(module), attribute)

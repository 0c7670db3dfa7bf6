"""Plug-ins by name, as `module:attribute`, so that they can be listed without being imported."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable
from typing import Any

from marketsim.errors import MissingExtra, UsageError

MODELS = {
    "arma": "marketsim.models.arma:Arma",
    "chronos": "marketsim.models.chronos:Chronos",
    "egarch": "marketsim.models.garch:Egarch",
    "fracast": "marketsim.models.fracast:Fracast",
    "garch": "marketsim.models.garch:Garch",
    "har": "marketsim.models.har:Har",
    "kronos": "marketsim.models.kronos:Kronos",
    "last-bar": "marketsim.models.last_bar:LastBar",
    "rolling-quantile": "marketsim.models.rolling_quantile:RollingQuantile",
    "timesfm": "marketsim.models.timesfm:Timesfm",
    "toto": "marketsim.models.toto:Toto",
    "toto2": "marketsim.models.toto2:Toto2",
    "zoo": "marketsim.models.zoo:Zoo",
}
ENSEMBLES = {
    "auto": "marketsim.forecasting.auto:Auto",
    "blend": "marketsim.forecasting.blend:Blend",
}
VARIANTS: dict[str, tuple[str, ...]] = {  # of the models with weights; the first is the default
    "chronos": ("bolt-small", "bolt-tiny", "bolt-mini", "bolt-base", "2"),
    "fracast": ("0",),
    "timesfm": ("2.5",),
    "toto": ("base",),
    "toto2": ("22m", "4m", "313m", "1b", "2.5b"),
    "kronos": ("small", "mini", "base"),
    "zoo": ("chronos-2-small", "t0", "timesfm-2.5", "timesfm-3"),
}
NOT_OFFERED = {  # variants that the library below a model has an adapter for, and why they are none
    "zoo": {
        "moirai-2": "its package uni2ts cannot be installed beside the others",
        "nori": "its weights are a pickle, and it is fitted to each series by itself, which takes 100 times as long",
        "tabicl": "its weights are a pickle, and it is fitted to each series by itself, which takes 40 times as long",
        "tabpfn-ts": "its weights need an account with their provider",
        "ts-icl": "its package tsicl needs Python 3.12",
    },
}
PATH_MODELS = ("kronos",)  # that forecast more than the next bar
HISTORY_MODELS = tuple(name for name in MODELS if name not in VARIANTS)
MODEL_EXTRAS = {name: name for name in VARIANTS} | dict.fromkeys(("arma", "egarch", "garch"), "econometrics")
USUAL_MEMBERS = tuple(name for name in MODELS if name not in MODEL_EXTRAS)  # of ensembles that name none
OPTIMIZERS = {
    "exact": "marketsim.optimizers.exact:Exact",
    "direct": "marketsim.optimizers.direct:Direct",
    "differential-evolution": "marketsim.optimizers.differential_evolution:DifferentialEvolution",
    "dual-annealing": "marketsim.optimizers.dual_annealing:DualAnnealing",
    "shgo": "marketsim.optimizers.shgo:Shgo",
    "basin-hopping": "marketsim.optimizers.basin_hopping:BasinHopping",
    "brute": "marketsim.optimizers.brute:Brute",
    "cma": "marketsim.optimizers.cma:Cma",
    "nlopt-direct-l": "marketsim.optimizers.nlopt:DirectL",
    "nlopt-crs2-lm": "marketsim.optimizers.nlopt:Crs2",
    "evotorch-cmaes": "marketsim.optimizers.evotorch:EvoCmaes",
    "evotorch-snes": "marketsim.optimizers.evotorch:Snes",
    "nevergrad-twopointsde": "marketsim.optimizers.nevergrad:TwoPointsDE",
    "nevergrad-ngopt": "marketsim.optimizers.nevergrad:NGOpt",
    "optuna": "marketsim.optimizers.optuna:Tpe",
    "botorch": "marketsim.optimizers.botorch:BayesianOptimization",
}
SOURCES = {
    "sample": "marketsim.data.sample:SampleSource",
    "files": "marketsim.data.reading.files:FileSource",
    "store": "marketsim.data.store:StoreSource",
}
EXECUTORS = {
    "local": "marketsim.backtesting.executors.local:Local",
    "processes": "marketsim.backtesting.executors.processes:Processes",
    "dask": "marketsim.backtesting.executors.dask:Dask",
}
PROVIDERS = {
    "alpaca": "marketsim.data.sources.alpaca:Alpaca",
    "ccxt": "marketsim.data.sources.ccxt:Ccxt",
    "stooq": "marketsim.data.sources.stooq:Stooq",
    "yahoo": "marketsim.data.sources.yahoo:Yahoo",
}
EXTRAS = {"optimizer": "optimizers"}  # of plug-ins that import their libraries at once, by what they are
GROUPS = {
    "optimizer": "optimizers",
    "source": "sources",
    "executor": "executors",
}  # of entry points, by what is in them


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'X'?` for the known name nearest to `name`, or nothing when none is near."""
    found = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean '{found[0]}'?" if found else ""


def members(model: str) -> tuple[str, ...]:
    """The models, `NAME` or `NAME:VARIANT`, that a setting names: those of an ensemble, or itself alone."""
    name, _, rest = model.partition(":")
    if name not in ENSEMBLES:
        return (model,)
    return tuple(rest.split(",")) if rest else USUAL_MEMBERS


def entry_points(group: str) -> dict[str, str]:
    """What installed packages offer in the entry-point group `marketsim.GROUP`, as `module:attribute` by name."""
    from importlib.metadata import entry_points as installed

    return {point.name: point.value for point in installed(group=f"marketsim.{group}")}


def names_code(model: str) -> bool:
    """Whether a model is named as `path/to/file.py:Class` or `package.module:Class`."""
    place, _, name = model.rpartition(":")
    known = place.partition(":")[0] in (*MODELS, *ENSEMBLES)
    return name.isidentifier() and not known and (place.endswith(".py") or is_module(place))


def is_module(name: str) -> bool:
    """Whether a name could be that of a module."""
    return all(part.isidentifier() for part in name.split("."))


def is_own(model: str) -> bool:
    """Whether any of the models that a setting names is none of marketsim's own."""
    return any(member.partition(":")[0] not in MODELS for member in members(model))


def has_weights(model: str) -> bool:
    """Whether any of the models that a setting names has weights, and so the options of one."""
    return any(member.partition(":")[0] in VARIANTS for member in members(model))


def draws_paths(model: str) -> bool:
    """Whether the model that a setting names forecasts more than the next bar."""
    return model.partition(":")[0] in PATH_MODELS


def outside(what: str, name: str) -> str | None:
    """`module:attribute` of somebody else's plug-in: `name` itself, or what an installed package registers as `name`.

    None where there is none, and where of `what` there are only marketsim's own.
    """
    if what not in GROUPS:
        return None
    module, _, attribute = name.partition(":")
    if attribute.isidentifier() and is_module(module):
        return name
    return entry_points(GROUPS[what]).get(name)


def load(table: dict[str, str], what: str, name: str) -> Any:
    """The plug-in that `table` registers as `name`, or one from `outside`; UsageError names the nearest known one.

    `what` the table holds, such as "model", is said where there is none. MissingExtra where the plug-in's own library
    is absent.
    """
    place = table.get(name) or outside(what, name)
    if place is None:
        raise UsageError(f"unknown {what} '{name}'{nearest(name, table)} (known: {', '.join(table)})")
    module, attribute = place.split(":")
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if name not in table:
            how = "a module is looked for where Python looks (PYTHONPATH)"
            raise UsageError(f"{what} '{name}': there is no module '{error.name}'; {how}") from None
        if what not in EXTRAS or (error.name or "").startswith("marketsim"):
            raise
        raise MissingExtra(f"{what} '{name}'", EXTRAS[what]) from None
    if name not in table and not hasattr(found, attribute):
        raise UsageError(f"{what} '{name}': there is no '{attribute}' in {module}")
    return getattr(found, attribute)

"""The arguments of the Python interface: bars or symbols, models or their names, settings."""

from __future__ import annotations

import inspect
import operator
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import wraps
from typing import Any, TypeVar, cast

import numpy as np
from msgspec import Struct

from marketsim.backtesting import pipeline
from marketsim.backtesting.pipeline import Tools
from marketsim.data import Source
from marketsim.data.bars import Bars
from marketsim.data.memory import MemorySource
from marketsim.data.symbols import once_each, parse_symbol, part_place
from marketsim.errors import UsageError
from marketsim.forecasting.ensembles import Composite
from marketsim.forecasting.protocols import Model
from marketsim.models import open_forecasts
from marketsim.models.own import adopt, is_identified
from marketsim.profiling import Clock
from marketsim.registry import nearest
from marketsim.settings.groups import NetworkSettings
from marketsim.settings.resolution import check, check_together, resolve
from marketsim.settings.settings import Settings, keys_of

F = TypeVar("F", bound=Callable[..., Any])

FRAME = "DataFrame"  # what settings say of forecasts in memory
READING = ("on_bad_bars", "date_format", "timezone", "adjust")  # settings of the reading of files


def takes(*keys: str) -> Callable[[F], F]:
    """The function accepts the settings `keys` as keywords, shown in its signature; UsageError for any other."""

    def extended(function: F) -> F:
        *own, _ = inspect.signature(function).parameters.values()  # the last is **settings
        names = [parameter.name for parameter in own]
        settings = [key for key in keys if key not in names]
        added = [inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=None) for key in settings]

        @wraps(function)
        def called(*bars: Any, **values: Any) -> Any:
            for name in values:
                if name not in names and name not in settings:
                    near = nearest(name, (*names, *settings))
                    raise UsageError(f"{function.__name__}() has no setting '{name}'{near}")
            return function(*bars, **values)

        called.__dict__["__signature__"] = inspect.Signature([*own, *added])
        return cast(F, called)

    return extended


def chosen(function: str, values: Mapping[str, Any]) -> Settings:
    """The settings of a call: its `values` that are not None, over `MARKETSIM_*` variables, over the defaults.

    UsageError for a value that is wrong.
    """
    settings = resolve({}, None, os.environ).settings
    given = {key: value for key, value in values.items() if value is not None}
    found = settings.replace(
        **{key: check(key, _plain(value), f"{function}({key}=...)") for key, value in given.items()}
    )
    check_together(found)
    return found


def whole_number(place: str, value: Any) -> int:
    """An argument that is a number of something; UsageError where it is none, or below 1."""
    try:
        number = operator.index(value)
    except TypeError:
        raise UsageError(f"{place}: got {value!r}, must be a whole number") from None
    if number < 1:
        raise UsageError(f"{place}: got {number}, must be 1 or more")
    return number


def _plain(value: Any) -> Any:
    """A value in the types of a settings file: paths as text, lists, Python numbers."""
    if isinstance(value, (os.PathLike, date)):
        return str(value)
    if isinstance(value, tuple):
        return list(value)
    return value.item() if isinstance(value, np.generic) else value


class Given(Struct, frozen=True):
    """A call, checked."""

    symbols: list[str]  # once each
    notes: list[str]  # about those that were given again
    settings: Settings
    source: Source | None  # of bars in memory; None: the one that the settings name
    model: Model | Composite | None  # in memory; None: the one that the settings name

    @classmethod
    def of(cls, function: str, bars: Sequence[Bars | str], model: Any, values: Mapping[str, Any]) -> Given:
        """The call of a function; UsageError where it cannot be meant."""
        source, symbols, notes = _source(function, bars)
        named = model is None or isinstance(model, str)
        if source is not None:
            _refuse(
                function,
                values,
                ("source", "data", *READING),
                "goes with the name of a symbol, not with bars in memory",
            )
        if not named:
            why = "has no meaning for a model in memory"
            _refuse(function, values, [key for key in keys_of(NetworkSettings) if key != "device"], why)
        frame = values.get("forecasts")
        if not (frame is None or named):
            raise UsageError(f"{function}(): forecasts take the place of a model, give one of the two")
        own: Model | Composite | None = None if named else adopt(model)
        given = {**values, "forecasts": FRAME} if _in_memory(frame) else values
        settings = chosen(function, {**given, "model": model} if named else given)
        memory = source is not None or own is not None or _in_memory(frame)
        if memory and (settings.work.workers > 1 or settings.work.executor not in ("auto", "local")):
            raise UsageError(f"{function}(): several processes need symbols and a model by name, not in memory")
        if _in_memory(frame):
            own = own_forecasts(frame, symbols, settings)
        elif own is not None:
            settings = settings.replace(model=own.name, **({} if is_identified(own) else {"cache": "off"}))
        return cls(symbols, notes, settings, source, own)

    @property
    def in_memory(self) -> bool:
        """Whether something is an object in memory rather than a name."""
        return self.source is not None or self.model is not None

    def open_tools(self) -> Tools:
        """The tools of the run; the cache is the caller's to close."""
        return pipeline.open_tools(self.settings, Clock(), self.source, self.model)

    def forecasts(self, forecasts: Any) -> dict[str, Composite]:
        """Files and DataFrames of forecasts by name: one, or a mapping of several."""
        several = forecasts if isinstance(forecasts, Mapping) else {FRAME: forecasts}
        if not isinstance(forecasts, Mapping) and not _in_memory(forecasts):
            several = {str(forecasts): forecasts}
        return {name: own_forecasts(own, self.symbols, self.settings) for name, own in several.items()}

    @staticmethod
    def adopt(function: str, models: Sequence[Any]) -> tuple[dict[str, Model], list[str]]:
        """Models in memory by name, and the names of all `models` in order; UsageError where two share one."""
        adopted = [model if isinstance(model, str) else adopt(model) for model in models]
        names = [model if isinstance(model, str) else model.name for model in adopted]
        for name in names:
            if names.count(name) > 1:
                raise UsageError(f"{function}(): '{name}' is the name of two models")
        return {model.name: model for model in adopted if not isinstance(model, str)}, names


def own_forecasts(forecasts: Any, symbols: Sequence[str], settings: Settings) -> Composite:
    """The forecasts in a DataFrame, or at a path, as a model."""
    if not _in_memory(forecasts):
        return open_forecasts(os.fspath(forecasts), settings)
    if not hasattr(forecasts, "columns"):
        raise UsageError(f"forecasts are a DataFrame or the path of a file, not {type(forecasts).__name__}")

    from marketsim.forecasting.files.forecast_files import forecasts_in_frame
    from marketsim.models.forecast_file import ForecastFile

    alone = parse_symbol(part_place(symbols[0])[0]) if len(symbols) == 1 else None
    return ForecastFile(forecasts_in_frame(forecasts, alone, settings.bars.timezone), settings.given.missing)


def _in_memory(forecasts: Any) -> bool:
    """Whether forecasts are given by themselves, not by the name of a file."""
    return not (forecasts is None or isinstance(forecasts, (str, os.PathLike)))


def _source(function: str, bars: Sequence[Bars | str]) -> tuple[Source | None, list[str], list[str]]:
    series = [given for given in bars if isinstance(given, Bars)]
    names, notes = once_each([given for given in bars if isinstance(given, str)])
    for kind in {type(given).__name__ for given in bars} - {Bars.__name__, "str"}:
        hint = "marketsim.Bars.from_frame(frame, symbol=...) makes Bars of a DataFrame"
        raise UsageError(f"{function}() takes Bars or the name of a symbol, not {kind}; {hint}")
    if series and names:
        raise UsageError(f"{function}() takes either Bars or names of symbols, not both")
    if not bars:
        raise UsageError(f"{function}() needs a symbol")
    if not series:
        return None, names, notes
    return MemorySource(series), [own.symbol for own in series], []


def _refuse(function: str, values: Mapping[str, Any], keys: Sequence[str], why: str) -> None:
    for key in keys:
        if values.get(key) is not None:
            raise UsageError(f"{function}({key}=...): {why}")

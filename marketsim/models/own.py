"""Users' models: objects with a method `forecast`, and the checks of their contract.

The contract is a page of its own, docs/own-models.md.
"""

from __future__ import annotations

import inspect
import secrets
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from marketsim import registry
from marketsim.data.bars import CHANNELS
from marketsim.errors import MarketsimError, UsageError
from marketsim.forecasting.forecasts import HIGH, LEVELS, LOW, MEDIAN
from marketsim.forecasting.protocols import Model
from marketsim.forecasting.series import Series
from marketsim.forecasting.tolerance import LARGEST
from marketsim.models.one_thread import ONE_THREAD
from marketsim.models.source_digest import INSTALLED, SourceDigest, digest_class
from marketsim.models.state_digest import digest_state

SHAPE = f"({{}}, {len(CHANNELS)}: {' '.join(CHANNELS)}, {len(LEVELS)}: quantiles {LEVELS[0]:.0%} to {LEVELS[-1]:.0%})"
ROUNDING = 1e-9  # of moves; quantiles that fall by no more are in order
BATCH = 32  # contexts a call


class OwnModel:
    """A model made of an object with a method `forecast`.

    What the object does not say of itself has a default: its class's name for `name`, 2 for `minimum_bars`, "unknown"
    for `trained_until`, so that the result says that nobody knows which bars it has seen.
    """

    def __init__(self, model: Any, parameters: Mapping[str, float | int | str], identified: bool) -> None:
        self.model = model
        self.name = str(getattr(model, "name", type(model).__name__))
        if self.name in registry.MODELS or self.name in registry.ENSEMBLES:
            raise UsageError(f"'{self.name}' is the name of one of marketsim's own models: give yours another `name`")
        self.version = str(getattr(model, "version", "1"))
        self.trained_until: str | None = getattr(model, "trained_until", "unknown")
        self.training = str(getattr(model, "training", _training(self.trained_until)))
        self.minimum_bars = int(getattr(model, "minimum_bars", 2))
        self.tolerance = _tolerance(model)
        self.outside = True
        self.parameters = parameters
        self.identified = identified  # whether the parameters tell it from others, so that its forecasts can be kept

    def checked(self, returned: Any, count: int, subject: str, places: Sequence[object]) -> NDArray[np.float64]:
        """What the object `returned` for `count` origins, called `places`, as moves `[N, 4, Q]`.

        MarketsimError for another shape, for what is no finite number, and for quantiles or channels in another order.
        """
        if returned is None:
            self.refuse(subject, "nothing; `return` is missing")
        try:
            moves = np.asarray(returned, dtype=np.float64)
        except (TypeError, ValueError):
            self.refuse(subject, f"{type(returned).__name__}, not numbers in shape {SHAPE.format(count)}")
        if moves.shape != (expected := (count, len(CHANNELS), len(LEVELS))):
            self.refuse(subject, f"shape {moves.shape}, not {expected}: {SHAPE.format('origins')}")
        if not np.isfinite(moves).all():
            row, channel, level = np.argwhere(~np.isfinite(moves))[0].tolist()
            where = f"the {LEVELS[level]:.0%} quantile of the {CHANNELS[channel]} {places[row]}"
            self.refuse(subject, f"{moves[row, channel, level]} as {where}: it must be a finite number")
        if (np.diff(moves) < -ROUNDING).any():
            row, channel, level = np.argwhere(np.diff(moves) < -ROUNDING)[0].tolist()
            fall = f"fall from {LEVELS[level]:.0%} to {LEVELS[level + 1]:.0%} {places[row]}"
            how = "they must rise (np.sort(moves, axis=-1) puts them in order)"
            self.refuse(subject, f"quantiles of the {CHANNELS[channel]} that {fall}: {how}")
        if np.count_nonzero(moves[:, HIGH, MEDIAN] < moves[:, LOW, MEDIAN]) * 2 > count:
            self.refuse(subject, f"a high below the low at most origins: the channels are {', '.join(CHANNELS)}")
        return moves

    def refuse(self, subject: str, words: str) -> NoReturn:
        """Raise what is wrong with what the object returned."""
        raise MarketsimError(f"{subject}model '{self.name}' returned {words}")

    def failed(self, subject: str, error: Exception) -> MarketsimError:
        """The object's exception, in one line."""
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if not INSTALLED.intersection(Path(frame.filename).parts)] or frames
        where = f"{Path(own[-1].filename).name}, line {own[-1].lineno}"
        return MarketsimError(f"{subject}model '{self.name}' raised {type(error).__name__}: {error} ({where})")


class OwnHistoryModel(OwnModel):
    """An object with `forecast(series, origins)`, or `forecast(ohlcv, origins)`."""

    def forecast(self, series: Series, origins: NDArray[np.int64]) -> NDArray[np.float64]:
        """See `HistoryModel.forecast`; the object gets copies, so that it cannot change the bars of others."""
        subject = f"{series.symbol}: "
        copied = Series(series.symbol, series.times.copy(), series.ohlcv.copy(), series.zone, series.following)
        given = copied.ohlcv if _first_parameter(self.model) == "ohlcv" else copied
        try:
            with own_code():
                returned = self.model.forecast(given, origins.copy())
        except MarketsimError:
            raise
        except Exception as error:
            raise self.failed(subject, error) from error
        return self.checked(returned, len(origins), subject, [f"after bar {origin}" for origin in origins])


class OwnContextModel(OwnModel):
    """An object with `context` and `forecast(contexts, times)`, trained before."""

    @property
    def context(self) -> int:
        """Bars that it reads at most."""
        return int(self.model.context)

    @property
    def batch(self) -> int:
        """Contexts that it is handed at once."""
        return int(getattr(self.model, "batch", BATCH))

    def forecast(self, contexts: NDArray[np.float64], times: NDArray[np.datetime64]) -> NDArray[np.float64]:
        """See `ContextModel.forecast`."""
        try:
            with own_code():
                returned = self.model.forecast(contexts.copy(), times.copy())
        except (MarketsimError, MemoryError):
            raise
        except Exception as error:
            raise self.failed("", error) from error
        return self.checked(returned, len(contexts), "", [f"after {stamps[-2]}" for stamps in times])


def adopt(model: Any) -> Model:
    """The model that a caller hands over: one of marketsim's own as it is, any other object as an `OwnModel`.

    Its forecasts are kept in the cache where its source file, and what it was made with, can be told; where they
    cannot, as for a class that was typed in, each such object is a model of its own.
    """
    if f"{type(model).__module__}:{type(model).__qualname__}" in registry.MODELS.values():
        builtin: Model = model
        return builtin
    check_own(model)
    source = digest_class(type(model))
    stated = getattr(model, "parameters", None)
    state = dict(stated) if isinstance(stated, Mapping) else digest_state(model)
    if source is None or source.edited is not None or state is None:
        return adapted(model, {"object": secrets.token_hex(8)}, identified=False)
    return adapted(model, {**described(source), **(state if isinstance(state, dict) else {"state": state})}, True)


def is_identified(model: object) -> bool:
    """Whether the forecasts of a model may be kept under its fingerprint: those of all but some objects may."""
    return bool(getattr(model, "identified", True))


def adapted(
    model: Any, parameters: Mapping[str, float | int | str], identified: bool
) -> OwnHistoryModel | OwnContextModel:
    """The adapter of an object for what it reads."""
    if hasattr(model, "context"):
        return OwnContextModel(model, parameters, identified)
    return OwnHistoryModel(model, parameters, identified)


def described(source: SourceDigest) -> dict[str, float | int | str]:
    """The parameters that identify the code."""
    packages = {f"package {name}": version for name, version in source.packages.items()}
    return {"source": source.digest, **packages}


@contextmanager
def own_code() -> Iterator[None]:
    """Runs a user's code: in one thread at a time, and what it prints is no data of ours."""
    with ONE_THREAD, nullcontext() if sys.stderr is None else redirect_stdout(sys.stderr):
        yield


def check_own(model: Any) -> None:
    """UsageError where the object cannot forecast."""
    if inspect.isclass(model):
        raise UsageError(f"{model.__name__} is a class: pass an object, {model.__name__}(...)")
    if not callable(getattr(model, "forecast", None)):
        raise UsageError(f"{type(model).__name__} is not a model: it needs a method `forecast(series, origins)`")


def _first_parameter(model: Any) -> str:
    """The name of the first parameter of the object's method `forecast`."""
    try:
        return next(iter(inspect.signature(model.forecast).parameters), "")
    except ValueError:  # it is not of Python
        return ""


def _tolerance(model: Any) -> float | None:
    """What the object states as its rounding; UsageError where that is more."""
    stated = getattr(model, "tolerance", None)
    if stated is None:
        return None
    if not isinstance(stated, (int, float)) or not 0 <= stated <= LARGEST:
        raise UsageError(f"{type(model).__name__}.tolerance is {stated!r}: it must be a move from 0 to {LARGEST:g}")
    return float(stated)


def _training(trained_until: str | None) -> str:
    if trained_until is None:
        return "fits on past bars only, says its author"
    if trained_until == "unknown":
        return "a model of one's own that does not say what it was trained on"
    return f"trained until {trained_until}, says its author"

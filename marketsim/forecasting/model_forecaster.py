"""The forecasts of one model: each origin once, of all symbols together, through the cache."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from marketsim.data.bars import CHANNELS
from marketsim.errors import DataError, Failure, MarketsimError, Outcome, Success, UsageError
from marketsim.forecasting.contexts import Contexts
from marketsim.forecasting.forecasts import LEVELS, Forecasts, fault, repair
from marketsim.forecasting.keys import context_keys, contexts_of, fingerprint, reads_contexts, series_keys
from marketsim.forecasting.protocols import Cache, Clock, ContextModel, HistoryModel, Model
from marketsim.forecasting.requests import ForecastRequest
from marketsim.forecasting.series import Series

SHAPE: tuple[int, ...] = (len(CHANNELS), len(LEVELS))

Progress = Callable[[str, int, int], None]


def silent(what: str, done: int, total: int) -> None:
    """The progress that nobody hears."""


class ModelForecaster(Struct):
    """A model, the cache of its forecasts, and what the device has taught about batches."""

    model: Model
    cache: Cache | None
    clock: Clock
    progress: Progress = silent
    notes: list[str] = field(default_factory=list)
    batch: int | None = None  # origins that the model is given at once; None: as many as pay
    shape: tuple[int, ...] = SHAPE  # of one forecast
    held: int | None = None  # contexts at once that the device held, once it refused more

    def forecasts(self, requests: Sequence[ForecastRequest]) -> list[Outcome[Forecasts]]:
        """The forecasts of each request, read from the cache or made now and put there.

        A context model forecasts what is missing of all symbols together, and what a batch gave is kept before the next
        one. A request fails with DataError where its first origin has fewer bars than the model needs, with
        MarketsimError where the model returned what no forecast can be.
        """
        pending = [_Pending(request, np.full((len(request.origins), *self.shape), np.nan)) for request in requests]
        for symbol in pending:
            symbol.error = _unfit(self.model, symbol.request)
            if symbol.error is None:
                self._read(symbol)
        missing = [_Missing(symbol, row) for symbol in pending for row in symbol.missing.tolist()]
        done = 0
        self._report(done, len(missing))
        for batch, moves in self.made(missing):
            start = 0
            for symbol, rows in _by_symbol(batch):
                symbol.keep(self.model.name, rows, moves[start : start + len(rows)])
                start += len(rows)
                if symbol.error is None:
                    self._write(symbol, rows)
            done += len(batch)
            self._report(done, len(missing))
        with self.clock.stage("forecast/repair"):
            return [symbol.outcome(self.model) for symbol in pending]

    def _report(self, done: int, total: int) -> None:
        if done < total:
            self.progress(f"forecasts by {self.model.name}", done, total)

    def _read(self, symbol: _Pending) -> None:
        bars, origins = symbol.request.bars, symbol.request.origins
        if reads_contexts(self.model):
            symbol.contexts = contexts_of(self.model, bars, origins)
        if self.cache is not None:
            with self.clock.stage("cache/read"):
                contexts = symbol.contexts
                symbol.keys = series_keys(Series.of(bars), origins) if contexts is None else context_keys(contexts)
                found = self.cache.get(fingerprint(self.model), symbol.keys)
                rows = {i: found[key] for i, key in enumerate(symbol.keys) if key in found}
                if not self._usable([*rows.values()]):
                    rows = {i: row for i, row in rows.items() if self._usable([row])}
                for i, row in rows.items():
                    symbol.moves[i] = row
        unknown = np.isnan(symbol.moves)
        symbol.missing = np.flatnonzero(unknown.any(tuple(range(1, unknown.ndim))))

    def _usable(self, rows: Sequence[NDArray[np.float64]]) -> bool:
        """Whether all of the `rows` are forecasts that the model may have returned, their quantiles sorted."""
        if any(row.shape != self.shape for row in rows):
            return False
        moves = np.stack(rows) if rows else np.empty((0, *self.shape))
        return fault(moves, moves.shape) is None and bool((np.diff(moves) >= 0).all())

    def _write(self, symbol: _Pending, rows: list[int]) -> None:
        if self.cache is not None:
            with self.clock.stage("cache/write"):
                new = {symbol.keys[i]: symbol.moves[i] for i in rows}
                self.cache.put(self.model, new, symbol.request.bars.symbol)

    def made(self, missing: list[_Missing]) -> Iterator[tuple[list[_Missing], NDArray[np.float64]]]:
        """The missing forecasts, made by the model."""
        if reads_contexts(self.model):
            return self._from_contexts(self.model, missing)
        return self._from_histories(self.model, missing)

    def _from_histories(
        self, model: HistoryModel, missing: list[_Missing]
    ) -> Iterator[tuple[list[_Missing], NDArray[np.float64]]]:
        """A symbol at a time, from its bars up to the newest origin."""
        for symbol, rows in self._histories(missing):
            origins = symbol.request.origins[rows]
            series = Series.of(symbol.request.bars).until(origins[-1])
            try:
                with self.clock.stage("forecast/model"):
                    moves = model.forecast(series, origins)
            except MarketsimError as error:
                symbol.error = error
                continue
            yield [_Missing(symbol, row) for row in rows], moves

    def _histories(self, missing: list[_Missing]) -> Iterator[tuple[_Pending, list[int]]]:
        """Rows of one symbol that are forecast together."""
        for symbol, rows in _by_symbol(missing):
            size = self.batch or len(rows)
            for first in range(0, len(rows), size):
                if symbol.error is None:
                    yield symbol, rows[first : first + size]

    def _from_contexts(
        self, model: ContextModel, missing: list[_Missing]
    ) -> Iterator[tuple[list[_Missing], NDArray[np.float64]]]:
        """Contexts of one length together, as many at once as pay and as the device holds."""
        by_length: dict[int, list[_Missing]] = {}
        for place in missing:
            by_length.setdefault(place.contexts.length(place.row), []).append(place)
        for same in by_length.values():
            while same:
                with self.clock.stage("forecast/preparation"):
                    batch = same[: self.held or self.batch or model.batch]
                    given = [place.contexts.at(place.row) for place in batch]
                    contexts, times = (np.stack(parts) for parts in zip(*given, strict=True))
                try:
                    with self.clock.stage("forecast/model"):
                        moves = model.forecast(contexts, times)
                except MemoryError:
                    self._halve(model, len(batch))
                    continue
                except UsageError:  # what is wrong with the model is wrong for all symbols
                    raise
                except MarketsimError as error:
                    for place in batch:
                        place.symbol.error = error
                else:
                    yield batch, moves
                same = same[len(batch) :]

    def _halve(self, model: ContextModel, refused: int) -> None:
        if refused == 1:
            raise MarketsimError(
                f"the device has no room for model '{model.name}' and one context of {model.context} bars: "
                "lower --context, or use --device cpu"
            )
        if self.held is None:
            self.notes.append(f"the device has no room for {refused} contexts of '{model.name}' at once; using fewer")
        self.held = refused // 2


class _Pending(Struct, eq=False):
    """One symbol's forecasts while they are being made."""

    request: ForecastRequest
    moves: NDArray[np.float64]  # [N, ...] of one forecast each, NaN where missing
    contexts: Contexts | None = None  # of a context model
    keys: Sequence[bytes] = ()  # [N], of the cache
    missing: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))  # rows that were to be made
    error: MarketsimError | None = None

    def keep(self, model: str, rows: Sequence[int], moves: NDArray[np.float64]) -> None:
        """Take the `moves` that the model made for `rows`, their quantiles sorted, or the error that they are."""
        if wrong := fault(moves, (len(rows), *self.moves.shape[1:])):
            self.error = MarketsimError(f"{self.request.bars.symbol}: model '{model}' returned {wrong}")
        else:
            self.moves[rows] = np.sort(moves, -1)

    def outcome(self, model: Model) -> Outcome[Forecasts]:
        """What was made and read, coherent; or what went wrong."""
        if self.error is not None:
            return Failure(self.error)
        moves, repaired = repair(self.moves)
        origins, made = self.request.origins, len(self.missing)
        return Success(Forecasts(model, origins, moves, repaired, made=made, reused=len(origins) - made))


class _Missing(Struct, frozen=True):
    """A forecast that is to be made: a symbol, and a row of it."""

    symbol: _Pending
    row: int

    @property
    def contexts(self) -> Contexts:
        """Of the symbol."""
        assert self.symbol.contexts is not None
        return self.symbol.contexts


def _by_symbol(missing: list[_Missing]) -> Iterator[tuple[_Pending, list[int]]]:
    """Symbols with their rows; rows of one symbol follow one another."""
    for symbol, group in itertools.groupby(missing, key=lambda place: place.symbol):
        yield symbol, [place.row for place in group]


def _unfit(model: Model, request: ForecastRequest) -> MarketsimError | None:
    origins, bars = request.origins, request.bars
    if len(origins) and not (np.diff(origins, prepend=-1) > 0).all() & (origins[-1] < len(bars)):
        raise ValueError("origins must be increasing bar indices")
    if len(origins) and origins[0] + 1 < model.minimum_bars:
        return DataError(
            f"{bars.symbol}: model '{model.name}' needs {model.minimum_bars} bars up to its first origin, "
            f"there are {origins[0] + 1}: lower --sims or --window"
        )
    return None

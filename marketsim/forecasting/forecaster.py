"""The one sweep that makes forecasts: each origin once, of all symbols together, through the cache."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from marketsim.data.bars import CHANNELS, Bars
from marketsim.errors import DataError, MarketsimError
from marketsim.forecasting.forecasts import LEVELS, Forecasts, fault, repair
from marketsim.forecasting.keys import contexts_of, fingerprint, keys_of, reads_contexts
from marketsim.forecasting.protocols import Cache, Clock, ContextModel, Model

if TYPE_CHECKING:
    pass

SHAPE: tuple[int, ...] = (len(CHANNELS), len(LEVELS))

Requests = Sequence[tuple[Bars, NDArray[np.int64]]]  # symbols, each with its increasing origins


@dataclass(slots=True)
class Sweep:
    """A model, the cache of its forecasts, and what the device has taught about batches."""

    model: Model
    cache: Cache | None
    clock: Clock
    progress: Callable[[str, int, int], None] = lambda what, done, total: None
    notes: list[str] = field(default_factory=list)
    most: int | None = None  # contexts at once that the device held, once it refused more
    shape: tuple[int, ...] = SHAPE  # of one forecast

    def forecasts(self, requests: Requests) -> list[Forecasts | MarketsimError]:
        """Forecasts of several symbols, each at its increasing origins, read from the cache or made now and put there.

        A context model forecasts what is missing of all symbols together, and what a batch gave is kept before the
        next one. A symbol's place holds the error that it came to: DataError where its first origin has fewer bars
        than the model needs, MarketsimError where the model returned anything but finite numbers of the right shape.
        """
        wanted = [_Wanted(bars, origins, np.full((len(origins), *self.shape), np.nan)) for bars, origins in requests]
        for each in wanted:
            each.error = _unfit(self.model, each)
            if each.error is None:
                self._read(each)
        members = [(each, row) for each in wanted for row in each.missing.tolist()]
        done = 0
        self._say(done, len(members))
        for batch, moves in self.made(members):
            start = 0
            for each, rows in _by_symbol(batch):
                each.keep(self.model, rows, moves[start : start + len(rows)])
                start += len(rows)
                if each.error is None:
                    self._write(each, rows)
            done += len(batch)
            self._say(done, len(members))
        with self.clock.stage("forecast/repair"):
            return [each.error or each.forecasts(self.model) for each in wanted]

    def _say(self, done: int, total: int) -> None:
        if done < total:
            self.progress(f"forecasts by {self.model.name}", done, total)

    def _read(self, wanted: _Wanted) -> None:
        if self.cache is not None:
            with self.clock.stage("cache/read"):
                wanted.keys = keys_of(self.model, wanted.bars, wanted.origins)
                found = self.cache.get(fingerprint(self.model), wanted.keys)
                for i, key in enumerate(wanted.keys):
                    row = found.get(key)
                    if row is not None and fault(row, self.shape) is None and (np.diff(row) >= 0).all():
                        wanted.moves[i] = row
        unknown = np.isnan(wanted.moves)
        wanted.missing = np.flatnonzero(unknown.any(tuple(range(1, unknown.ndim))))

    def _write(self, wanted: _Wanted, rows: list[int]) -> None:
        if self.cache is not None:
            with self.clock.stage("cache/write"):
                new = {wanted.keys[i]: wanted.moves[i] for i in rows}
                self.cache.put(self.model, new, wanted.bars.symbol)

    def made(self, members: _Members) -> Iterator[tuple[_Members, NDArray[np.float64]]]:
        """What is missing, as the model makes it: a symbol at a time from its history, or a batch of contexts."""
        if reads_contexts(self.model):
            yield from self._batches(self.model, members)
            return
        for each, rows in _by_symbol(members):
            with self.clock.stage("forecast/model"):
                moves = self.model.forecast(each.bars.ohlcv, each.origins[rows])
            yield [(each, row) for row in rows], moves

    def _batches(self, model: ContextModel, members: _Members) -> Iterator[tuple[_Members, NDArray[np.float64]]]:
        """Contexts of one length together, as many at once as pay and as the device holds."""
        by_length: dict[int, _Members] = {}
        for each, row in members:
            by_length.setdefault(min(model.context, int(each.origins[row]) + 1), []).append((each, row))
        for same in by_length.values():
            while same:
                with self.clock.stage("forecast/preparation"):
                    batch = same[: self.most or model.batch]
                    contexts, times = contexts_of(model, [(each.bars, each.origins[row]) for each, row in batch])
                try:
                    with self.clock.stage("forecast/model"):
                        moves = model.forecast(contexts, times)
                except MemoryError:
                    self._halve(model, len(batch))
                    continue
                yield batch, moves
                same = same[len(batch) :]

    def _halve(self, model: ContextModel, refused: int) -> None:
        if refused == 1:
            raise MarketsimError(
                f"the device has no room for model '{model.name}' and one context of {model.context} bars: "
                "lower --context, or use --device cpu"
            )
        if self.most is None:
            self.notes.append(f"the device has no room for {refused} contexts of '{model.name}' at once; using fewer")
        self.most = refused // 2


def make_forecasts(
    model: Model, bars: Bars, origins: NDArray[np.int64], cache: Cache | None, clock: Clock
) -> Forecasts:
    """The sweep of one symbol; raises the error that it comes to."""
    (found,) = Sweep(model, cache, clock).forecasts([(bars, origins)])
    if isinstance(found, MarketsimError):
        raise found
    return found


@dataclass(slots=True, eq=False)
class _Wanted:
    """One symbol's forecasts while they are being made."""

    bars: Bars
    origins: NDArray[np.int64]  # [N]
    moves: NDArray[np.float64]  # [N, ...] of one forecast each, NaN where missing
    keys: Sequence[bytes] = ()  # [N], of the cache
    missing: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))  # rows that were to be made
    error: MarketsimError | None = None

    def keep(self, model: Model, rows: Sequence[int], moves: NDArray[np.float64]) -> None:
        """Take the `moves` that the model made for `rows`, their quantiles sorted, or the error that they are."""
        if wrong := fault(moves, (len(rows), *self.moves.shape[1:])):
            self.error = MarketsimError(f"{self.bars.symbol}: model '{model.name}' returned {wrong}")
        else:
            self.moves[rows] = np.sort(moves, -1)

    def forecasts(self, model: Model) -> Forecasts:
        """What was made and read, coherent."""
        moves, repaired = repair(self.moves)
        made = len(self.missing)
        return Forecasts(model, self.origins, moves, repaired, made, len(self.origins) - made)


_Members = list[tuple[_Wanted, int]]  # a symbol, and a row of it


def _by_symbol(members: _Members) -> Iterator[tuple[_Wanted, list[int]]]:
    """Symbols with their rows; rows of one symbol follow one another."""
    for each, group in itertools.groupby(members, key=lambda member: member[0]):
        yield each, [row for _, row in group]


def _unfit(model: Model, wanted: _Wanted) -> MarketsimError | None:
    origins, bars = wanted.origins, wanted.bars
    if len(origins) and not (np.diff(origins, prepend=-1) > 0).all() & (origins[-1] < len(bars)):
        raise ValueError("origins must be increasing bar indices")
    if len(origins) and origins[0] + 1 < model.minimum_bars:
        return DataError(
            f"{bars.symbol}: model '{model.name}' needs {model.minimum_bars} bars up to its first origin, "
            f"there are {origins[0] + 1}: lower --sims or --window"
        )
    return None

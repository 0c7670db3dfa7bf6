"""Forecasts from a user's file, used like a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace
from numpy.typing import NDArray

from marketsim.data.bars import CHANNELS, Bars
from marketsim.errors import DataError, Failure, MarketsimError, Outcome, Success
from marketsim.forecasting.ensembles import Make, named_by
from marketsim.forecasting.files.forecast_files import GivenForecasts
from marketsim.forecasting.forecasts import LEVELS, Forecasts, fault, repair
from marketsim.forecasting.identity import identity_of
from marketsim.forecasting.protocols import Model
from marketsim.forecasting.requests import ForecastRequest
from marketsim.models.error_spread import WINDOW
from marketsim.models.file_draft import TRADED, FileDraft
from marketsim.models.har import Har


class ForecastFile(Struct, frozen=True):
    """The forecasts in a file, a folder or a DataFrame, as a model.

    Point forecasts get the spread of their own past errors (`error_spread.py`), quantiles at other levels are
    interpolated. What is missing is an error, or is forecast by `har` where `missing` is "har". An open that is missing
    is always `har`'s, kept between low and high: no order rests on it.
    """

    outside: ClassVar[bool] = True  # see `protocols.comes_from_outside`

    given: GivenForecasts
    missing: str = "error"
    filler: Model = field(default_factory=Har)
    trained_until: str | None = "unknown"

    @property
    def members(self) -> tuple[Model, ...]:
        """What fills in."""
        return (self.filler,)

    def with_members(self, members: tuple[Model, ...]) -> ForecastFile:
        """See `ensembles.Composite`."""
        return replace(self, filler=members[0])

    @property
    def name(self) -> str:
        """Of the file."""
        return self.given.name

    @property
    def version(self) -> str:
        """The beginning of the digest of all its forecasts."""
        return self.given.digest[:8]

    @property
    def training(self) -> str:
        """See `Identity`; more is said of the forecasts of a symbol."""
        return "forecasts that somebody else made"

    @property
    def minimum_bars(self) -> int:
        """Those that the filler needs."""
        return self.filler.minimum_bars

    @property
    def parameters(self) -> Mapping[str, float | int | str]:
        """All forecasts in the file, and what stands in for the missing."""
        return {
            "forecasts": self.given.digest,
            "missing": self.missing,
            "filler": " ".join(named_by(self.filler)),
            "errors": WINDOW,
        }

    def origins(self, bars: Bars) -> NDArray[np.int64]:
        """See `ensembles.GivenModel`: where the file has high, low and close, and what it lacks can be made."""
        draft = FileDraft.of(ForecastRequest(bars, np.arange(len(bars))), self.given)
        there = np.flatnonzero(~draft.absent[:, TRADED].any(1))
        return there[there + 1 >= self.minimum_bars]

    def forecasts(self, requests: Sequence[ForecastRequest], make: Make) -> list[Outcome[Forecasts]]:
        """See `ensembles.Composite`; a symbol fails with DataError where what is wanted of it is missing or wrong."""
        drafts = [self._draft(request) for request in requests]
        wanted = [draft.value.unfilled for draft in drafts if isinstance(draft, Success)]
        made = iter(make(self.filler, [request for request in wanted if len(request.origins)]))
        return [self._finished(draft.value, made) if isinstance(draft, Success) else draft for draft in drafts]

    def _draft(self, request: ForecastRequest) -> Outcome[FileDraft]:
        try:
            draft = FileDraft.of(request, self.given)
            if self.missing == "error":
                draft.complain()
        except MarketsimError as error:
            return Failure(error)
        return Success(draft)

    def _finished(self, draft: FileDraft, made: Iterator[Outcome[Forecasts]]) -> Outcome[Forecasts]:
        origins, quantiles, fresh = draft.request.origins, draft.quantiles, 0
        if len(draft.unfilled.origins):
            match next(made):
                case Success(others):
                    quantiles, fresh = draft.filled(others.moves), others.made
                case Failure() as failure:
                    return failure
        if wrong := fault(quantiles, (len(origins), len(CHANNELS), len(LEVELS))):
            return Failure(DataError(f"{draft.request.bars.symbol}: {self.name} has {wrong}"))
        moves, repaired = repair(quantiles)
        words = draft.described(self.filler.name)
        return Success(
            Forecasts(
                model=replace(identity_of(self), training=words),
                origins=origins,
                moves=moves,
                repaired=repaired,
                made=fresh,
                reused=len(origins) - fresh,
                notes=(*self.given.notes, *draft.notes()),
                exposure=draft.exposure,
                doubt=draft.doubt,
            )
        )

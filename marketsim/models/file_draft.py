"""The forecasts of one symbol from a file, while they are completed: given and missing ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.data.bars import CHANNELS
from marketsim.errors import DataError
from marketsim.forecasting.contamination import Exposure
from marketsim.forecasting.files.forecast_files import GivenForecasts
from marketsim.forecasting.files.matching import Matched, match
from marketsim.forecasting.files.moves import GivenMoves, moves_of
from marketsim.forecasting.files.quantiles import at_our_levels
from marketsim.forecasting.forecasts import HIGH, LOW, MEDIAN, OPEN
from marketsim.forecasting.requests import ForecastRequest
from marketsim.models.error_spread import WINDOW, spread_of_errors

UNDATED = "the file does not tell when its forecasts were made, so they may have seen the evaluated bars"
UNPROVEN = "the file does not say of all forecasts that they were made before their bars opened"
TRADED = tuple(channel for channel in range(len(CHANNELS)) if channel != OPEN)

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class FileDraft(Struct, frozen=True, eq=False):
    """What a file gives of the forecasts that are wanted, at N origins."""

    request: ForecastRequest
    given: GivenForecasts
    matched: Matched
    moves: GivenMoves
    quantiles: Floats  # [N, 4, Q] of moves, NaN where the file does not give them

    @classmethod
    def of(cls, request: ForecastRequest, given: GivenForecasts) -> FileDraft:
        """The draft of a request. DataError where the file has nothing of the symbol, or what cannot be."""
        bars, origins = request.bars, request.origins
        found = given.of(bars.symbol)
        matched = match(found, bars)
        moves = moves_of(found, bars, matched, int(origins[-1]))
        quantiles = at_our_levels(moves.quantiles[origins], moves.levels)
        if not np.isnan(moves.points[origins]).all():
            spread = spread_of_errors(moves.points, bars.ohlcv, origins)
            quantiles = np.where(np.isnan(quantiles), spread, quantiles)
        return cls(request, given, matched, moves, quantiles)

    @property
    def points(self) -> Floats:
        """Point forecasts that stand alone, `[N, 4]`."""
        return self.moves.points[self.request.origins]

    @property
    def absent(self) -> Flags:
        """Whether there is no forecast, `[N, 4]`."""
        absent: Flags = np.isnan(self.quantiles).any(-1) & np.isnan(self.points)
        return absent

    @property
    def unfilled(self) -> ForecastRequest:
        """What another model has to forecast: the origins where something is missing, a spread too."""
        rows = np.isnan(self.quantiles).any((1, 2))
        return ForecastRequest(self.request.bars, self.request.origins[rows])

    def complain(self) -> None:
        """DataError where a high, a low or a close is missing: how many, the first, and what can be done."""
        bars, origins, name = self.request.bars, self.request.origins, self.given.name
        names = bars.names()
        absent = self.absent[:, TRADED]
        nowhere = [CHANNELS[channel] for channel in TRADED if self.absent[:, channel].all()]
        if nowhere and not absent.all():
            raise DataError(
                f"{bars.symbol}: {name} has no forecasts of the {_listed(nowhere)} (--missing har makes them)"
            )
        late = self.matched.late[origins]
        if late.any():
            first = names[origins[late][0]]
            raise DataError(
                f"{bars.symbol}: {late.sum()} of {len(origins)} forecasts in {name} were made after their bar had "
                f"ended, the first of them at {first}, and do not count (--missing har replaces them)"
            )
        rows = np.flatnonzero(absent.any(1))
        if not len(rows):
            return
        first = names[origins[rows[0]]]
        words = f"{bars.symbol}: {name} lacks {len(rows)} of {len(origins)} forecasts, the first of them at {first}"
        how = "--missing har makes them"
        if len(rows) == 1 and origins[rows[0]] == len(bars) - 1:
            words = f"{bars.symbol}: {name} lacks the forecast at the newest bar, {first}, which the plan rests on"
            how = f"--end {names[-2]} leaves that bar out, --missing har makes it"
        raise DataError(f"{words} ({how})")

    def filled(self, others: Floats) -> Floats:
        """Moves `[N, 4, Q]`, what is missing by those of another model `[n, 4, Q]`, at the `unfilled` origins.

        A point without a spread has the other model's; an open that is missing is kept between low and high.
        """
        moves = self.quantiles.copy()
        rows = np.isin(self.request.origins, self.unfilled.origins)
        own, points = moves[rows], self.points[rows][..., None]
        spread = np.log1p(others) - np.log1p(others[..., MEDIAN, None])
        own = np.where(np.isnan(own), np.expm1(np.log1p(points) + spread), own)
        own = np.where(np.isnan(own), others, own)
        opens = np.clip(own[:, OPEN], own[:, LOW], np.maximum(own[:, LOW], own[:, HIGH]))
        own[:, OPEN] = np.where(self.absent[rows, OPEN, None], opens, own[:, OPEN])
        moves[rows] = own
        return moves

    @property
    def exposure(self) -> tuple[Exposure, ...]:
        """Of each of the N bars: clean where the forecast is known to be older, or is not the file's."""
        clean = self.matched.in_time[self.request.origins] | self.absent[:, TRADED].all(1)
        return tuple("clean" if is_clean else "unknown" for is_clean in clean)

    @property
    def doubt(self) -> str:
        """Why the exposure of some bars is unknown."""
        return UNPROVEN if self.matched.dated else UNDATED

    def described(self, filler: str) -> str:
        """A description of the forecasts for a reader of the result."""
        absent, count = self.absent, len(self.request.origins)
        layout = self.given.of(self.request.bars.symbol).layout
        points = ~np.isnan(self.points[:, TRADED])
        parts = [self.moves.unit + (f" as {layout} has them" if layout else "")]
        if (self._known() > 1).any():
            parts.append(f"{len(self.moves.levels)} quantiles")
        if points.any():
            short = np.isnan(self.quantiles[:, TRADED]).any(-1) & points
            parts.append(f"points with the spread of their last {WINDOW} errors")
            if short.any():
                parts.append(f"that of {filler} at {int(short.any(1).sum())} origins with too few errors")
        lacking = [CHANNELS[channel] for channel in range(len(CHANNELS)) if absent[:, channel].all()]
        if lacking:
            parts.append(f"{_listed(lacking)} by {filler}")
        some = absent & ~absent.all(0)
        if some.any():
            parts.append(f"{int(some.any(1).sum()):,} of {count:,} forecasts filled in by {filler}")
        return f"{', '.join(parts)}; {self._dated()}"

    def _dated(self) -> str:
        """When the forecasts were made, according to the file."""
        if not self.matched.dated:
            return "unverified: the file does not say when it was made"
        own = ~self.absent[:, TRADED].all(1)
        in_time = int((self.matched.in_time[self.request.origins] & own).sum())
        return f"{in_time} of {int(own.sum())} made before their bars opened, according to the file"

    def notes(self) -> tuple[str, ...]:
        """What the file has and is not used."""
        symbol, name = self.request.bars.symbol, self.given.name
        told = (
            (self.matched.further, "are of bars beyond the next one"),
            (self.matched.without_bar, "are of times without a bar"),
        )
        notes = [f"{symbol}: {n:,} forecasts in {name} {words} and are left out" for n, words in told if n]
        if moved := self.matched.moved:
            notes.append(f"{symbol}: {moved:,} forecasts in {name} of times without a bar are taken as of the next bar")
        if lacking := int(self._partly().any(1).sum()):
            notes.append(
                f"{symbol}: {lacking:,} forecasts in {name} lack a quantile that others have; it is interpolated"
            )
        return tuple(notes)

    def _partly(self) -> Flags:
        """Where some quantiles are missing that other origins have, `[N, 4]`."""
        known = self._known()
        partly: Flags = (known > 1) & (known < known.max(0))
        return partly

    def _known(self) -> NDArray[np.int64]:
        """How many quantiles the file gives, `[N, 4]`."""
        known: NDArray[np.int64] = np.count_nonzero(~np.isnan(self.moves.quantiles[self.request.origins]), axis=-1)
        return known


def _listed(names: Sequence[str]) -> str:
    """Names in a sentence."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))

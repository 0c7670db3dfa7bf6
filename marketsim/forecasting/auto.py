"""`auto`: for each symbol the model that forecast it best in the past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from msgspec import Struct

from marketsim.data.bars import Bars
from marketsim.errors import Failure, MarketsimError, Outcome, Success
from marketsim.forecasting.ensembles import Ensemble, Make, describe, named_by
from marketsim.forecasting.forecasts import CLOSE, HIGH, LEVELS, LOW, Forecasts, actual_moves
from marketsim.forecasting.requests import ForecastRequest
from marketsim.forecasting.scores import pinball

TRADED = [HIGH, LOW, CLOSE]  # channels that levels and exits rest on
LEAST = 1e-12  # loss, so that it has a logarithm


class Auto(Ensemble):
    """For each symbol the member that forecast it best before the first evaluated bar.

    The score is the geometric mean, over high, low and close, of the pinball loss on the bars that members may be
    judged on: 250, or as many as there are. The open is not traded and does not count. Ties go to the first name, and
    the order of the members never matters. Where the best member fails on the bars that are wanted, the next best takes
    its place, and a note says so. In fast mode the bars are the full run's, so that both pick the same.
    """

    name: ClassVar[str] = "auto"

    @property
    def parameters(self) -> Mapping[str, float | int | str]:
        """See `Ensemble.parameters`; the members in an order of their own."""
        return describe(sorted(self.members, key=named_by))

    def forecasts(self, requests: Sequence[ForecastRequest], make: Make) -> list[Outcome[Forecasts]]:
        """See `Ensemble.forecasts`; each made by the model that was picked."""
        judged = [ForecastRequest(request.bars, request.selection_origins) for request in requests]
        trials = zip(*(make(member, judged) for member in self.members), strict=True)
        choices = [self._choice(request, trial) for request, trial in zip(requests, trials, strict=True)]
        while any(choice.waits for choice in choices):
            for m, member in enumerate(self.members):
                mine = [choice for choice in choices if choice.waits and choice.ranking[0] == m]
                for choice, found in zip(mine, make(member, [choice.rest for choice in mine]), strict=True):
                    choice.take(found)
        return [choice.outcome([member.name for member in self.members]) for choice in choices]

    def _choice(self, request: ForecastRequest, trial: Sequence[Outcome[Forecasts]]) -> _Choice:
        judged = {m: outcome.value for m, outcome in enumerate(trial) if isinstance(outcome, Success)}
        failures = [outcome.error for outcome in trial if isinstance(outcome, Failure)]
        scores = {m: (_score(request.bars, found), *named_by(self.members[m])) for m, found in judged.items()}
        return _Choice(request, judged, sorted(scores, key=lambda m: scores[m]), failures)


class _Choice(Struct):
    """The choice of a member for one symbol, while it is made."""

    request: ForecastRequest
    judged: dict[int, Forecasts]  # by member, on the bars that a choice may rest on
    ranking: list[int]  # members that have not failed, the best first
    failures: list[MarketsimError]
    made: Forecasts | None = None  # by the first of the ranking

    @property
    def waits(self) -> bool:
        """Whether the best member that is left has still to forecast."""
        return self.made is None and bool(self.ranking)

    @property
    def rest(self) -> ForecastRequest:
        """What the members were not judged on."""
        known = np.isin(self.request.origins, self.request.selection_origins)
        return ForecastRequest(self.request.bars, self.request.origins[~known])

    def take(self, found: Outcome[Forecasts]) -> None:
        """Take what the best member made; where it failed, the next one is the best."""
        match found:
            case Success(forecasts):
                self.made = forecasts
            case Failure(error):
                self.failures.append(error)
                self.ranking.pop(0)

    def outcome(self, names: Sequence[str]) -> Outcome[Forecasts]:
        """What the picked member forecast while it was judged, as far as it is wanted, and the rest."""
        if self.made is None:
            return Failure(self.failures[-1])
        judged, rest, symbol = self.judged[self.ranking[0]], self.made, self.request.bars.symbol
        wanted = np.isin(judged.origins, self.request.origins)
        every = [*self.judged.values(), rest]
        return Success(
            Forecasts(
                model=judged.model,
                origins=np.concatenate([judged.origins[wanted], rest.origins]),
                moves=np.concatenate([judged.moves[wanted], rest.moves]),
                repaired=np.concatenate([judged.repaired[wanted], rest.repaired]),
                made=sum(part.made for part in every),
                reused=sum(part.reused for part in every),
                notes=(
                    *(f"{symbol}: auto runs without a member ({error})" for error in self.failures),
                    f"{symbol}: auto picked '{judged.model.name}' of {', '.join(names)}",
                ),
            )
        )


def _score(bars: Bars, forecasts: Forecasts) -> float:
    """The log of the geometric mean of the losses."""
    losses = pinball(forecasts.moves, actual_moves(bars, forecasts.origins), LEVELS).mean(0)
    return float(np.log(np.maximum(losses[TRADED], LEAST)).mean())

"""`blend`: several models, weighted by how well they forecast in the past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from marketsim.data.bars import Bars
from marketsim.errors import Failure, Outcome, Success
from marketsim.forecasting.ensembles import HISTORY, Ensemble, Make, describe
from marketsim.forecasting.forecasts import LEVELS, Forecasts, actual_moves, repair
from marketsim.forecasting.requests import ForecastRequest
from marketsim.forecasting.scores import pinball

RATE = 0.5  # of the exponent, by the loss of all those bars in units of their mean loss


class Blend(Ensemble):
    """Quantiles averaged over the members with softmax weights, which fall with a member's past pinball loss.

    A weight at origin t rests on the 250 forecasts before it, those of bars up to t: for each channel
    `exp(-sum(loss) / mean(loss) / 2)`, the mean over members and bars. The loss of averaged quantiles is at
    most the average of the members' losses, for it is convex in them. Exponential weights: Littlestone and
    Warmuth, "The Weighted Majority Algorithm", Information and Computation 108(2), 1994. Each channel has weights of
    its own, so that the average can contradict itself where no member does: it is repaired like any forecast.
    """

    name: ClassVar[str] = "blend"

    @property
    def parameters(self) -> Mapping[str, float | int | str]:
        """See `Ensemble.parameters`; and how weights are made."""
        return {**describe(self.members), "rate": RATE}

    def forecasts(self, requests: Sequence[ForecastRequest], make: Make) -> list[Outcome[Forecasts]]:
        """See `Ensemble.forecasts`; at origins without gaps, each with weights of its own past alone."""
        wider = [ForecastRequest(request.bars, self._with_history(request.origins)) for request in requests]
        made = zip(*(make(member, wider) for member in self.members), strict=True)
        return [self._blended(request, found) for request, found in zip(requests, made, strict=True)]

    def _with_history(self, origins: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.arange(max(self.minimum_bars - 1, origins[0] - HISTORY), origins[-1] + 1)

    def _blended(self, request: ForecastRequest, found: Sequence[Outcome[Forecasts]]) -> Outcome[Forecasts]:
        members = [outcome.value for outcome in found if isinstance(outcome, Success)]
        for outcome in found:
            if isinstance(outcome, Failure):
                return outcome
        moves, repaired = repair(_averaged(request.bars, len(request.origins), members))
        made, reused = sum(member.made for member in members), sum(member.reused for member in members)
        return Success(Forecasts(self, request.origins, moves, repaired, made=made, reused=reused))


def _averaged(bars: Bars, count: int, members: Sequence[Forecasts]) -> NDArray[np.float64]:
    """Moves `[count, 4, Q]` at the last origins."""
    origins, moves = members[0].origins, np.stack([member.moves for member in members])
    weight = _weights(pinball(moves[:, :-1], actual_moves(bars, origins[:-1]), LEVELS), count)
    averaged: NDArray[np.float64] = (weight[..., None] * moves[:, -count:]).sum(0)
    return averaged


def _weights(losses: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Weights `[M, count, 4]` at the last origins, from the losses `[M, K - 1, 4]` of the origins before each.

    Each sum is made of its own bars alone, in their order: the bits of a weight do not depend on how many there are.
    """
    padded = np.concatenate([np.zeros((len(losses), HISTORY, 4)), losses], 1)
    ends = HISTORY + np.arange(losses.shape[1] + 1 - count, losses.shape[1] + 1)
    windows = padded[:, ends[:, None] - np.arange(HISTORY, 0, -1)]
    sums = np.ascontiguousarray(windows.transpose(0, 1, 3, 2)).sum(-1)
    bars = np.clip(ends - HISTORY, 1, HISTORY)[:, None]
    exponent = -RATE * sums / np.maximum((sums / bars).mean(0), 1e-12)
    likely = np.exp(exponent - exponent.max(0))
    weight: NDArray[np.float64] = likely / likely.sum(0)
    return weight

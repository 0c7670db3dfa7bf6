"""Several models as one: the best of the past for a symbol, or all of them weighted by their past."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from marketsim.data.bars import Bars
from marketsim.errors import MarketsimError
from marketsim.forecasting.forecaster import Requests
from marketsim.forecasting.forecasts import LEVELS, Forecasts, actual_moves
from marketsim.forecasting.keys import fingerprint
from marketsim.forecasting.protocols import Model
from marketsim.forecasting.scores import pinball

HISTORY = 250  # bars that weights look back on
RATE = 0.5  # of the exponent, by the loss of all those bars in units of their mean loss

Make = Callable[[Model, Requests], list[Forecasts | MarketsimError]]
# Symbols, each with the increasing origins that members may be judged on, and those whose forecasts are wanted.
Wanted = Sequence[tuple[Bars, NDArray[np.int64], NDArray[np.int64]]]


@dataclass(frozen=True, slots=True)
class Ensemble:
    """What ensembles have in common; `members` are in the order in which ties are broken."""

    members: tuple[Model, ...]
    name: ClassVar[str]
    version: ClassVar[str] = "1"

    @property
    def trained_until(self) -> str | None:
        """The newest date of a member, "unknown" if one is unknown."""
        dates = [member.trained_until for member in self.members if member.trained_until is not None]
        return max(dates, key=lambda date: (date == "unknown", date), default=None)

    @property
    def training(self) -> str:
        """What is known of each member that has weights, or else of all."""
        known = {each.training for each in self.members if each.trained_until is not None}
        return "; ".join(sorted(known or {each.training for each in self.members}))

    @property
    def minimum_bars(self) -> int:
        """What the member that needs most needs."""
        return max(member.minimum_bars for member in self.members)

    @property
    def parameters(self) -> Mapping[str, float | int | str]:
        """The members, each with its fingerprint."""
        return {f"member {i}": f"{each.name} {fingerprint(each)}" for i, each in enumerate(self.members, 1)}

    def forecasts(self, wanted: Wanted, make: Make) -> list[Forecasts | MarketsimError]:
        """The forecasts that are wanted, of what `make` makes with the members."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Auto(Ensemble):
    """For each symbol the member with the least pinball loss on the bars that it may be judged on.

    In a walk those are the bars of the oldest simulation's window, which needs their forecasts anyway; in fast mode the
    full run's, so that both pick the same. What counts is a channel's loss as a share of the first member's, averaged
    over the channels.
    """

    name: ClassVar[str] = "auto"

    def forecasts(self, wanted: Wanted, make: Make) -> list[Forecasts | MarketsimError]:
        """As `Ensemble.forecasts`; each made by the model that was picked."""
        judged = [(bars, before) for bars, before, _ in wanted]
        tried: list[list[Forecasts | MarketsimError]] = [make(member, judged) for member in self.members]
        picked = [_least(bars, found) for (bars, _), found in zip(judged, zip(*tried, strict=True), strict=True)]
        rest: dict[int, Forecasts | MarketsimError] = {}
        for m, member in enumerate(self.members):
            mine = [i for i, choice in enumerate(picked) if choice == m]
            left = [(bars, origins[~np.isin(origins, before)]) for bars, before, origins in (wanted[i] for i in mine)]
            rest |= dict(zip(mine, make(member, left), strict=True))
        return [
            choice
            if isinstance(choice, MarketsimError)
            else self._joined(choice, bars, origins, [t[i] for t in tried], rest[i])
            for i, (choice, (bars, _, origins)) in enumerate(zip(picked, wanted, strict=True))
        ]

    def _joined(
        self,
        choice: int,
        bars: Bars,
        origins: NDArray[np.int64],
        tried: Sequence[Forecasts | MarketsimError],
        rest: Forecasts | MarketsimError,
    ) -> Forecasts | MarketsimError:
        """Those of the forecasts that the chosen member was judged on that are wanted, and the rest."""
        judged = tried[choice]
        if isinstance(rest, MarketsimError) or isinstance(judged, MarketsimError):
            return rest
        asked = np.isin(judged.origins, origins)
        every = [each for each in (*tried, rest) if isinstance(each, Forecasts)]
        names = ", ".join(member.name for member in self.members)
        return Forecasts(
            judged.model,
            np.concatenate([judged.origins[asked], rest.origins]),
            np.concatenate([judged.moves[asked], rest.moves]),
            np.concatenate([judged.repaired[asked], rest.repaired]),
            sum(each.made for each in every),
            sum(each.reused for each in every),
            (f"{bars.symbol}: auto picked '{judged.model.name}' of {names}",),
        )


@dataclass(frozen=True, slots=True)
class Blend(Ensemble):
    """Quantiles averaged over the members with softmax weights, which fall with a member's past pinball loss.

    A weight at origin t rests on the 250 forecasts before it, those of bars up to t: for each channel
    `exp(-sum(loss) / mean(loss) / 2)`, the mean over members and bars. The loss of averaged quantiles is at
    most the average of the members' losses, for it is convex in them. Exponential weights: Littlestone and
    Warmuth, "The Weighted Majority Algorithm", Information and Computation 108(2), 1994.
    """

    name: ClassVar[str] = "blend"

    @property
    def parameters(self) -> Mapping[str, float | int | str]:
        """The members, each with its fingerprint, and how weights are made."""
        return {**Ensemble.parameters.__get__(self), "history": HISTORY, "rate": RATE}

    def forecasts(self, wanted: Wanted, make: Make) -> list[Forecasts | MarketsimError]:
        """As `Ensemble.forecasts`, at origins without gaps; weights are made of the past of each of them alone."""
        first = self.minimum_bars - 1
        wider = [(bars, np.arange(max(first, origins[0] - HISTORY), origins[-1] + 1)) for bars, _, origins in wanted]
        tried = [make(member, wider) for member in self.members]
        return [
            self._blended(bars, len(origins), found)
            for (bars, _, origins), found in zip(wanted, zip(*tried, strict=True), strict=True)
        ]

    def _blended(
        self, bars: Bars, count: int, found: Sequence[Forecasts | MarketsimError]
    ) -> Forecasts | MarketsimError:
        good = [each for each in found if isinstance(each, Forecasts)]
        if len(good) < len(found):
            return next(each for each in found if isinstance(each, MarketsimError))
        origins = good[0].origins
        moves = np.stack([each.moves for each in good])
        weight = _weights(pinball(moves[:, :-1], actual_moves(bars, origins[:-1]), LEVELS), count)
        blended = (weight[..., None] * moves[:, -count:]).sum(0)
        made, reused = (sum(getattr(each, name) for each in good) for name in ("made", "reused"))
        return Forecasts(self, origins[-count:], blended, np.zeros(count, bool), made, reused)


def _least(bars: Bars, found: Sequence[Forecasts | MarketsimError]) -> int | MarketsimError:
    """The place of the forecasts with the least loss, or an error where all of them are errors."""
    losses = []
    for each in found:
        if isinstance(each, Forecasts):
            losses.append(pinball(each.moves, actual_moves(bars, each.origins), LEVELS).mean(0))
        else:
            losses.append(np.full(4, np.inf))
    if not np.isfinite(losses).any():
        return next(each for each in found if isinstance(each, MarketsimError))
    unit = next(loss for loss in losses if np.isfinite(loss).all())
    return int(np.argmin([(loss / np.maximum(unit, 1e-12)).mean() for loss in losses]))


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

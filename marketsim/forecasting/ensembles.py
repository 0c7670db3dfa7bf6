"""Several models as one: the best of the past for a symbol, or all of them weighted by their past."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from marketsim.data.bars import Bars
from marketsim.data.walk_forward import JUDGED
from marketsim.errors import MarketsimError
from marketsim.forecasting.forecaster import Requests
from marketsim.forecasting.forecasts import CLOSE, HIGH, LEVELS, LOW, Forecasts, actual_moves, repair
from marketsim.forecasting.keys import fingerprint
from marketsim.forecasting.protocols import Identity, Model
from marketsim.forecasting.scores import pinball

HISTORY = JUDGED  # bars that weights look back on
TRADED = [HIGH, LOW, CLOSE]  # channels that levels and exits rest on
RATE = 0.5  # of the exponent, by the loss of all those bars in units of their mean loss

Make = Callable[[Model, Requests], list[Forecasts | MarketsimError]]
# Symbols, each with the increasing origins that members may be judged on, and those whose forecasts are wanted.
Wanted = Sequence[tuple[Bars, NDArray[np.int64], NDArray[np.int64]]]


@dataclass(frozen=True, slots=True)
class Ensemble:
    """What ensembles have in common."""

    members: tuple[Model, ...]
    name: ClassVar[str]
    version: ClassVar[str] = "2"

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
        return _named(self.members)

    def forecasts(self, wanted: Wanted, make: Make) -> list[Forecasts | MarketsimError]:
        """The forecasts that are wanted, of what `make` makes with the members."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
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
        """The members, in no order of their own, and how they are judged."""
        return {**_named(sorted(self.members, key=_identity)), "history": HISTORY}

    def forecasts(self, wanted: Wanted, make: Make) -> list[Forecasts | MarketsimError]:
        """As `Ensemble.forecasts`; each made by the model that was picked."""
        judged = [(bars, before) for bars, before, _ in wanted]
        tried = list(zip(*(make(member, judged) for member in self.members), strict=True))
        ranked = [self._ranked(bars, found) for (bars, _), found in zip(judged, tried, strict=True)]
        made: list[list[Forecasts | MarketsimError]] = [[] for _ in wanted]  # by one member after another
        while choice := {
            i: members[len(made[i])]
            for i, members in enumerate(ranked)
            if len(made[i]) < len(members) and not any(isinstance(each, Forecasts) for each in made[i])
        }:
            for m, member in enumerate(self.members):
                mine = [i for i in choice if choice[i] == m]
                left = [(wanted[i][0], wanted[i][2][~np.isin(wanted[i][2], wanted[i][1])]) for i in mine]
                for i, found in zip(mine, make(member, left), strict=True):
                    made[i].append(found)
        return [self._joined(*wanted[i], tried[i], ranked[i], made[i]) for i in range(len(wanted))]

    def _ranked(self, bars: Bars, found: Sequence[Forecasts | MarketsimError]) -> list[int]:
        """The members that could be judged, the best first."""
        scores = {
            m: np.log(np.maximum(pinball(each.moves, actual_moves(bars, each.origins), LEVELS), 1e-12).mean(0))
            for m, each in enumerate(found)
            if isinstance(each, Forecasts)
        }
        return sorted(scores, key=lambda m: (scores[m][TRADED].mean(), _identity(self.members[m])))

    def _joined(
        self,
        bars: Bars,
        before: NDArray[np.int64],
        origins: NDArray[np.int64],
        tried: Sequence[Forecasts | MarketsimError],
        ranked: Sequence[int],
        made: Sequence[Forecasts | MarketsimError],
    ) -> Forecasts | MarketsimError:
        """What the picked member forecast while it was judged, as far as it is wanted, and the rest."""
        if not made or not isinstance(rest := made[-1], Forecasts):
            return next(each for each in (*made, *tried) if isinstance(each, MarketsimError))
        judged = tried[ranked[len(made) - 1]]
        assert isinstance(judged, Forecasts)
        asked = np.isin(judged.origins, origins)
        every = [each for each in (*tried, rest) if isinstance(each, Forecasts)]
        return Forecasts(
            model=judged.model,
            origins=np.concatenate([judged.origins[asked], rest.origins]),
            moves=np.concatenate([judged.moves[asked], rest.moves]),
            repaired=np.concatenate([judged.repaired[asked], rest.repaired]),
            made=sum(each.made for each in every),
            reused=sum(each.reused for each in every),
            notes=tuple(self._notes(bars, judged.model, [*tried, *made])),
        )

    def _notes(self, bars: Bars, picked: Identity, found: Sequence[Forecasts | MarketsimError]) -> Iterator[str]:
        for each in found:
            if isinstance(each, MarketsimError):
                yield f"{bars.symbol}: auto does without a member ({each})"
        names = ", ".join(member.name for member in self.members)
        yield f"{bars.symbol}: auto picked '{picked.name}' of {names}"


@dataclass(frozen=True, slots=True)
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
        return Forecasts(self, origins[-count:], *repair(blended), made, reused)


def _identity(member: Identity) -> tuple[str, str]:
    return member.name, fingerprint(member)


def _named(members: Sequence[Identity]) -> dict[str, str]:
    return {f"member {i}": " ".join(_identity(each)) for i, each in enumerate(members, 1)}


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

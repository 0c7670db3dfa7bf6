"""Several models as one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from marketsim.data.bars import Bars
from marketsim.data.walk_forward import JUDGED
from marketsim.errors import Outcome
from marketsim.forecasting.forecasts import Forecasts
from marketsim.forecasting.keys import fingerprint
from marketsim.forecasting.protocols import Identity, Model, comes_from_outside
from marketsim.forecasting.requests import ForecastRequest

if TYPE_CHECKING:
    from typing_extensions import TypeIs

HISTORY = JUDGED  # bars that choices and weights look back on

Make = Callable[[Model, Sequence[ForecastRequest]], list[Outcome[Forecasts]]]


class Composite(Identity, Protocol):
    """It makes forecasts of those of other models, or of a file's."""

    @property
    def members(self) -> tuple[Model, ...]:
        """The models whose forecasts it asks for."""
        ...

    def with_members(self, members: tuple[Model, ...]) -> Composite:
        """The same, but for other members in their places."""
        ...

    def forecasts(self, requests: Sequence[ForecastRequest], make: Make) -> list[Outcome[Forecasts]]:
        """What is requested, or why there is none; `make` makes the forecasts of a model.

        The forecast at an origin depends on the bars up to it alone.
        """
        ...


class GivenModel(Composite, Protocol):
    """Forecasts that somebody else made: they are there already, whatever is requested."""

    def origins(self, bars: Bars) -> NDArray[np.int64]:
        """The bars, increasing, of which it has a forecast of the next one."""
        ...


def is_composite(model: Model | Composite) -> TypeIs[Composite]:
    """Whether the model is handed requests, rather than bars."""
    return hasattr(model, "forecasts")


def is_given(model: Model | Composite) -> TypeIs[GivenModel]:
    """Whether the forecasts are somebody else's, in which nothing can be changed."""
    return is_composite(model) and comes_from_outside(model)


class Ensemble(ABC):
    """The common part of ensembles."""

    name: ClassVar[str]
    version: ClassVar[str] = "2"

    def __init__(self, members: tuple[Model, ...]) -> None:
        self.members = members

    def with_members(self, members: tuple[Model, ...]) -> Ensemble:
        """See `Composite`."""
        return type(self)(members)

    @property
    def trained_until(self) -> str | None:
        """The newest date of a member, "unknown" if one is unknown."""
        dates = [member.trained_until for member in self.members if member.trained_until is not None]
        return max(dates, key=lambda date: (date == "unknown", date), default=None)

    @property
    def training(self) -> str:
        """What is known of each member that has weights, or else of all."""
        known = {member.training for member in self.members if member.trained_until is not None}
        return "; ".join(sorted(known or {member.training for member in self.members}))

    @property
    def minimum_bars(self) -> int:
        """The greatest of the members' minimum numbers of bars."""
        return max(member.minimum_bars for member in self.members)

    @property
    def parameters(self) -> Mapping[str, float | int | str]:
        """The members, each with its fingerprint, and how far back they are judged."""
        return describe(self.members)

    @abstractmethod
    def forecasts(self, requests: Sequence[ForecastRequest], make: Make) -> list[Outcome[Forecasts]]:
        """What is requested, of what `make` makes with the members."""


def members_of(model: Model | Composite) -> Sequence[Model]:
    """The models that forecast: those that others are made of, or the one."""
    return model.members if is_composite(model) else (model,)


def describe(members: Sequence[Identity]) -> dict[str, float | int | str]:
    """What an ensemble of `members`, in this order, depends on."""
    return {**{f"member {i}": " ".join(named_by(member)) for i, member in enumerate(members, 1)}, "history": HISTORY}


def named_by(model: Identity) -> tuple[str, str]:
    """Name and fingerprint of a model, by which members are told apart and ordered."""
    return model.name, fingerprint(model)

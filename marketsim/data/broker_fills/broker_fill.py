"""A fill: an order, or part of one, executed at one price."""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from msgspec import Struct

Side: TypeAlias = Literal["buy", "sell"]


class BrokerFill(Struct, frozen=True):
    """One fill, as reported by the broker."""

    symbol: str  # canonical
    time: np.datetime64  # UTC, seconds
    side: Side
    price: float
    quantity: float  # units, above zero
    fee: float | None  # in the currency of the price; negative: a rebate; None where it cannot be told
    order: str  # the broker's number of the order; "" where the file has none
    place: str  # file and line

    @property
    def amount(self) -> float:
        """What was paid or taken, in the currency of the price."""
        return self.price * self.quantity


class BrokerFills(Struct, frozen=True):
    """All fills in a file, oldest first."""

    name: str  # of the file, printable
    layout: str  # whose export it is
    fills: list[BrokerFill]
    notes: tuple[str, ...]  # one-line remarks for stderr

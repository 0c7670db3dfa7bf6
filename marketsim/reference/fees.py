"""The reference system's single fee, by the date of its rule."""

from __future__ import annotations

import math
import os

from msgspec import Struct

from marketsim.errors import UsageError
from marketsim.registry import nearest

VARIABLE = "MARKETSIM_REFERENCE_RULE"


class FeeRule(Struct, frozen=True):
    """On which bars the fee is charged, and what it is where a caller names none."""

    name: str  # the date of the commit that brought it
    per_leg: bool  # charged for each leg that is entered, or once a bar by the levels that are crossed
    fee: float  # a fraction of the position


PUBLISHED = FeeRule("2025-11-06", per_leg=False, fee=0.0005)
RULES = {
    rule.name: rule
    for rule in (
        PUBLISHED,
        FeeRule("2025-11-13", per_leg=True, fee=0.0005),
        FeeRule("2025-11-24", per_leg=True, fee=0.0000278),
    )
}
TRADING_FEE = PUBLISHED.fee


class Fee(Struct, frozen=True):
    """A fee that is charged: how much, and on which bars."""

    amount: float  # a fraction of the position
    per_leg: bool

    @classmethod
    def of(cls, trading_fee: float | None, rule: str | None) -> Fee:
        """The fee of a call; `MARKETSIM_REFERENCE_RULE` stands in for a rule that is not named.

        Raises:
            UsageError: when there is no such rule, or the fee is not a finite number.

        """
        name = rule or os.environ.get(VARIABLE) or PUBLISHED.name
        if name not in RULES:
            source = "rule" if rule else VARIABLE
            raise UsageError(f"{source}: got '{name}', must be {' or '.join(RULES)}{nearest(name, RULES)}")
        amount = RULES[name].fee if trading_fee is None else float(trading_fee)
        if not math.isfinite(amount):
            raise UsageError(f"trading_fee: got {amount}, must be a finite number")
        return cls(amount, RULES[name].per_leg)

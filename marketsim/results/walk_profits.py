"""Profits of strategies bar by bar, in plain values, for comparisons across symbols."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import Self

import numpy as np
from msgspec import Struct

from marketsim.results.blocks import Bools, Floats
from marketsim.results.dated_profits import DatedProfits
from marketsim.results.rows import Row
from marketsim.settings.choices import EXPECTED, TOUCH


class WalkProfits(Row, frozen=True):
    """Profits of a symbol's strategies on its evaluated bars, oldest first."""

    times: list[str]
    clean: list[bool]  # whether the model cannot have seen the bar, or the user vouches for that
    headline: dict[str, list[float]]  # by strategy, by the fill policy of the run
    deciding: dict[str, list[float]]  # by the policy that a decision rests on

    def __post_init__(self) -> None:
        """ValueError unless there is a profit of every strategy for every bar, by both policies."""
        lengths = {
            len(self.times),
            len(self.clean),
            *map(len, self.headline.values()),
            *map(len, self.deciding.values()),
        }
        if len(lengths) > 1 or self.headline.keys() != self.deciding.keys():
            raise ValueError("its profits are not of the same bars and strategies")


class DecidingProfits(Struct, frozen=True):
    """Those that a decision rests on: all that is held of every symbol of a long run, and held in arrays therefore."""

    times: tuple[str, ...]  # of T evaluated bars, oldest first; shared by symbols of the same bars
    clean: Bools  # [T], read-only; shared too
    profits: dict[str, Floats]  # [T] by strategy

    @classmethod
    def of(cls, walk: WalkProfits) -> Self:
        """Those of a walk."""
        profits = {strategy: np.array(bars) for strategy, bars in walk.deciding.items()}
        return cls(*_bars(tuple(walk.times), tuple(walk.clean)), profits)

    def all_bars(self, strategy: str) -> DatedProfits:
        """A strategy's profits on all bars, under the fill rule of the decision."""
        return DatedProfits(self.times, self.profits[strategy])

    def clean_bars(self, strategy: str) -> DatedProfits:
        """A strategy's profits on clean bars, on which a decision is based."""
        if self.clean.all():
            return self.all_bars(strategy)
        times = [time for time, kept in zip(self.times, self.clean, strict=True) if kept]
        return DatedProfits(times, self.profits[strategy][self.clean])


@lru_cache(4)  # symbols in a row mostly have the same bars; a long walk has many
def _bars(times: tuple[str, ...], clean: tuple[bool, ...]) -> tuple[tuple[str, ...], Bools]:
    """The same two objects for the same bars."""
    flags = np.array(clean, bool)
    flags.flags.writeable = False
    return tuple(map(sys.intern, times)), flags


def deciding_fill(fill: str) -> str:
    """The fill policy that a decision rests on: `touch` books what no bar proves and earns on noise."""
    return EXPECTED if fill == TOUCH else fill

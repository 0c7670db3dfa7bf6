"""Profits of several series by date: a table that is made in parts, because the whole of it may be large."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Self

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.results.blocks import Floats


class DatedProfits(Struct, frozen=True):
    """Profits of one series, by the names of its bars."""

    times: Sequence[str]  # [N] of the bars, oldest first
    profits: Floats  # [N]


class ProfitTable(Struct, frozen=True):
    """Series side by side, `[D, K]` over all D dates that one of them has, oldest first; NaN where one has no bar."""

    dates: int  # D
    places: list[NDArray[np.intp]]  # [N] of a series, its dates among them; series of the same bars share theirs
    profits: list[Floats]  # [N] of a series

    @classmethod
    def of(cls, series: Iterable[DatedProfits]) -> Self:
        """The table of these series."""
        shared: dict[tuple[str, ...], tuple[str, ...]] = {}
        times, profits = [], []
        for part in series:
            own = tuple(part.times)
            times.append(shared.setdefault(own, own))
            profits.append(part.profits)
        rows = {time: row for row, time in enumerate(sorted(set().union(*shared)))}
        places = {own: np.array([rows[time] for time in own], np.intp) for own in shared}
        return cls(len(rows), [places[own] for own in times], profits)

    def columns(self, chosen: Sequence[int] | NDArray[np.intp]) -> Floats:
        """The chosen series `[D, k]`."""
        table = np.full((self.dates, len(chosen)), np.nan)
        for column, k in enumerate(chosen):
            table[self.places[k], column] = self.profits[k]
        return table

    def rows(self, first: int, last: int) -> Floats:
        """All series from date `first` to before date `last`."""
        table = np.full((last - first, len(self.places)), np.nan)
        for k, (places, profits) in enumerate(zip(self.places, self.profits, strict=True)):
            if len(places) and places[0] < last and places[-1] >= first:
                begin, end = np.searchsorted(places, (first, last))
                table[places[begin:end] - first, k] = profits[begin:end]
        return table


def side_by_side(series: Sequence[DatedProfits]) -> Floats:
    """The whole table of a few series."""
    return ProfitTable.of(series).columns(range(len(series)))

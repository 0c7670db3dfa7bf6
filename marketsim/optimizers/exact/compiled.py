"""The exact maximum and the profit of candidates in compiled code, for numpy's arrays of float64.

It is optional. Where it is not compiled, `maximum.py` and `evaluation.py` do the same;
`MARKETSIM_COMPILED=0` makes them do it everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from marketsim.execution.compiled import compiled_module
from marketsim.execution.floor import Floor
from marketsim.execution.profit_terms import Leg
from marketsim.execution.window_terms import Problems, WindowTerms

if TYPE_CHECKING:
    from marketsim.optimizers.exact.candidates import Bounds

VERSION = 3  # that of c/compiled.c

Floats = NDArray[np.float64]


def compiled_code() -> Any:
    """The compiled module; None if it is not built from these sources, or turned off."""
    return compiled_module("marketsim.optimizers.exact._compiled", VERSION)


class CompiledTerms:
    """Profit terms of B problems as the compiled code takes them."""

    _terms: tuple[object, ...]  # legs, rows, weights, B, W

    def __init__(self, terms: Problems, code: Any) -> None:
        self._code, self._problems = code, len(terms)
        if isinstance(terms, WindowTerms):
            legs, rows = terms.bars.legs, np.ascontiguousarray(terms.rows)
            self._terms = (tuple(map(_values, legs)), rows, terms.weights, *rows.shape)
        else:
            self._terms = (tuple(map(_values, terms.legs)), None, None, *terms.legs[0].low.shape)

    @classmethod
    def of(cls, terms: Problems) -> CompiledTerms | None:
        """None where the arrays' way has to be taken."""
        bars = terms.bars if isinstance(terms, WindowTerms) else terms
        low, code = bars.legs[0].low, compiled_code()
        if code is None or not isinstance(low, np.ndarray) or low.dtype != np.float64 or not low.size or not len(terms):
            return None
        return cls(terms, code)

    def maximize(self, bounds: Bounds, step: float, touching: bool, floor: Floor | None = None) -> Floats:
        """As `maximum.maximize`: multipliers h and l, and their profits, `[3, B]`."""
        found = np.empty((3, self._problems))
        line = None
        if floor is not None:
            line = *map(np.ascontiguousarray, (floor.high_move, floor.low_move)), floor.distance
        self._code.maximize(self._terms, *bounds, step, touching, line, found)
        return found

    def profits(self, h: Floats, l: Floats) -> Floats:
        """As `evaluation.evaluate`: profits `[B, K]` of candidates `[B, K]`, or `[1, K]` for all."""
        found = np.empty((self._problems, h.shape[1]))
        self._code.profits(self._terms, np.ascontiguousarray(h), np.ascontiguousarray(l), found)
        return found

    def profit(self, h: float, l: float) -> float:
        """The profit of one candidate on one problem."""
        found: float = self._code.profit(self._terms, h, l)
        return found


def _values(leg: Leg) -> tuple[object, ...]:
    return (leg.mirrored, leg.interpolated, *leg.upper_clip, *leg.lower_clip, *map(np.ascontiguousarray, leg.arrays))

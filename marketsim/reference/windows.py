"""Windows of bars as the reference's callers hand them over: flattened, checked, and padded to one length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from marketsim.errors import DataError
from marketsim.execution.profit_terms import ProfitTerms
from marketsim.reference.fees import Fee
from marketsim.reference.profits import Array, bar_profits
from marketsim.reference.terms import reference_terms

ROUNDING = 16 * float(np.finfo(np.float32).eps)  # of the moves that a bar trades: more than float32 loses in pricing it
NAMES = ("close_actual", "high_pred", "low_pred", "high_actual", "low_actual", "positions")


@dataclass(frozen=True, slots=True)
class Windows:
    """B windows of at most W bars and how they are priced; bars that a window lacks have no position."""

    moves: NDArray[np.float64]  # [5, B, W] of close, predicted high and low, high and low, from the origin's close
    positions: NDArray[np.float64]  # [I, B, W] sizes that are traded side by side
    close_at_eod: bool
    fee: Fee

    @classmethod
    def of(
        cls,
        close_actual: Sequence[Array],
        positions: Sequence[Sequence[Array]],
        high_actual: Sequence[Array],
        high_pred: Sequence[Array],
        low_actual: Sequence[Array],
        low_pred: Sequence[Array],
        close_at_eod: bool,
        fee: Fee,
    ) -> Windows:
        """The windows of B arrays or tensors an input.

        Raises:
            DataError: when the inputs differ in length, or one of them but a high or a low is not finite.

        """
        inputs = [
            [_flat(x) for x in column]
            for column in (close_actual, high_pred, low_pred, high_actual, low_actual, *positions)
        ]
        counts = {len(column) for column in inputs}
        if len(counts) > 1:
            raise DataError(
                f"the inputs are lists of {' and '.join(map(str, sorted(counts)))} windows: must be as many"
            )
        lengths = [len(x) for x in inputs[0]]
        for column, name in zip(inputs, (*NAMES, *NAMES[-1:] * (len(positions) - 1)), strict=True):
            for b, x in enumerate(column):
                if len(x) != lengths[b]:
                    raise DataError(f"{name} has {len(x)} bars, close_actual has {lengths[b]}: must be as many")
        if len(set(lengths)) == 1:
            values = np.array(inputs, np.float64)
        else:
            values = np.zeros((len(inputs), len(lengths), max(lengths, default=0)))
            for place, column in zip(values, inputs, strict=True):
                for row, x in zip(place, column, strict=True):
                    row[: len(x)] = x
        finite = np.isfinite(values)
        finite[3:5] = True
        if not finite.all():
            which, window, bar = (int(place[0]) for place in np.nonzero(~finite))
            name, value = NAMES[min(which, 5)], values[which, window, bar]
            raise DataError(f"{name} of bar {bar} is {value}, must be finite")
        return cls(values[:5], values[5:], close_at_eod, fee)

    def __len__(self) -> int:
        return int(self.moves.shape[1])

    @property
    def bars(self) -> int:
        """W, of the longest window."""
        return int(self.moves.shape[2])

    def at(self, rows: Any) -> Windows:
        """Some of the windows."""
        return Windows(self.moves[:, rows], self.positions[:, rows], self.close_at_eod, self.fee)

    @property
    def terms(self) -> ProfitTerms:
        """The profit terms `[B, W]`."""
        close, high_pred, low_pred, high, low = self.moves
        return reference_terms(
            close, self.positions, high, high_pred, low, low_pred, close_at_eod=self.close_at_eod, fee=self.fee
        )

    @property
    def touching(self) -> NDArray[np.bool_]:
        """In which windows `[B]` a predicted level equals what the bar reached, and a fee depends on it."""
        if self.fee.per_leg or not self.fee.amount:
            return np.zeros(len(self), bool)
        _, high_pred, low_pred, high, low = self.moves
        long, short = ((sign * self.positions > 0).any(0) for sign in (1, -1))
        found = (long & (high_pred == high) & (high > 0)) | (short & (low_pred == low) & (low < 0))
        touching: NDArray[np.bool_] = found.any(1)
        return touching

    def profits(self, h: NDArray[np.float64], l: NDArray[np.float64], dtype: DTypeLike) -> NDArray[Any]:
        """Profits `[I, B, W]` of multipliers `[B]`, computed in `dtype`."""
        close, high_pred, low_pred, high, low, *_ = self.moves.astype(dtype, copy=False)
        upper, lower = high_pred + h.astype(dtype)[:, None], low_pred + l.astype(dtype)[:, None]
        found: NDArray[Any] = bar_profits(
            close, self.positions.astype(dtype, copy=False), high, upper, low, lower, self.close_at_eod, self.fee
        )
        return found

    def attained(self, h: NDArray[np.float64], l: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Profit `[B]` of multipliers `[B]`, and whether each bar's is the same in float32, but for its rounding."""
        exact, single = (self.profits(h, l, dtype) for dtype in (np.float64, np.float32))
        moves = np.abs(self.moves[:3]).sum(0) + np.abs(h)[:, None] + np.abs(l)[:, None] + abs(self.fee.amount)
        same = np.abs(exact - single) <= ROUNDING * np.abs(self.positions) * moves
        return exact.sum(axis=(0, 2)), same.all(axis=(0, 2))


def _flat(x: Array) -> NDArray[Any]:
    """A tensor or an array as a flat array in this machine's memory."""
    if hasattr(x, "detach"):
        x = x.detach().cpu()
        x = (x if x.dtype.itemsize >= 4 else x.float()).numpy()
    return np.asarray(x).reshape(-1)

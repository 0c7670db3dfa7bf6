"""The windows of the reference functions' callers: flattened, checked, and padded to one length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import DTypeLike, NDArray

from marketsim.errors import DataError
from marketsim.execution.profit_terms import ProfitTerms
from marketsim.reference.arrays import Array
from marketsim.reference.fees import Fee
from marketsim.reference.profits import bar_profits
from marketsim.reference.terms import reference_terms

UNREACHED = np.array([-1.0, 1.0])[:, None, None]  # a high and a low beyond every level, for those that are not finite
NEAR = 1e-12  # moves that differ by rounding alone
EPSILON = float(np.finfo(np.float32).eps)
ROUNDING = 16 * EPSILON  # of the moves that a bar trades: more than float32 loses in pricing it
NAMES = ("close_actual", "high_pred", "low_pred", "high_actual", "low_actual", "positions")


class Windows(Struct, frozen=True):
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
        if not finite.all():
            values[3:5] = np.where(finite[3:5], values[3:5], UNREACHED)
            finite[3:5] = True
            for which, window, bar in np.argwhere(~finite).tolist():
                where = f"bar {bar}" if len(lengths) == 1 else f"window {window}, bar {bar}"
                raise DataError(f"{NAMES[min(which, 5)]} of {where} is {values[which, window, bar]}, must be finite")
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
    def tied(self) -> NDArray[np.intp]:
        """The windows in which several bars reach their high, or their low, at the same multiplier."""
        apart = self.moves[3:] - self.moves[1:3]
        apart[:, ~self.positions.any(0)] = np.nan
        apart.sort(axis=2)
        return np.flatnonzero((np.diff(apart) < NEAR).any(axis=(0, 2)))

    @property
    def touching(self) -> NDArray[np.intp]:
        """The windows in which a predicted level equals what its bar reached, where a fee depends on both levels."""
        if self.fee.per_leg or not self.fee.amount:
            return np.empty(0, np.intp)
        return np.flatnonzero((self.moves[1:3] == self.moves[3:]).any(axis=(0, 2)))

    def profits(self, h: NDArray[np.float64], l: NDArray[np.float64], dtype: DTypeLike) -> NDArray[Any]:
        """Profits `[I, B, W]` of multipliers `[B]`, computed in `dtype`."""
        close, high_pred, low_pred, high, low, *_ = self.moves.astype(dtype, copy=False)
        upper, lower = high_pred + h.astype(dtype)[:, None], low_pred + l.astype(dtype)[:, None]
        found: NDArray[Any] = bar_profits(
            close, self.positions.astype(dtype, copy=False), high, upper, low, lower, self.close_at_eod, self.fee
        )
        return found

    def steady(self, h: NDArray[np.float64], l: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether multipliers `[B]` keep every level so far from its bar's high or low that float32 fills the same."""
        predicted, reached = self.moves[1:3], self.moves[3:]
        shift = np.array((h, l))[:, :, None]
        away = np.abs(predicted + shift - reached)
        far = away > EPSILON * (np.abs(predicted) + np.abs(shift) + np.abs(reached))
        steady: NDArray[np.bool_] = np.all(far, axis=(0, 2))
        return steady

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

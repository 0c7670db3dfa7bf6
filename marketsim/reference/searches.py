"""The reference system's searches of a caller's own function, by scipy as in that system."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from scipy import optimize

from marketsim.optimizers.exact.candidates import Bounds
from marketsim.reference.bounds import BOUNDS, checked, intervals

LOG = logging.getLogger(__name__)
TRUE = ("1", "true", "yes", "on")
FEWER_EVALUATIONS = 100  # with MARKETSIM_FAST_OPTIMIZE


def optimize_entry_exit_multipliers_with_callback(
    profit_calculator: Callable[[float, float], float],
    *,
    bounds: Bounds = BOUNDS,
    maxiter: int = 50,
    popsize: int = 10,
    atol: float = 1e-5,
    seed: int | None = 42,
    workers: int = 1,
) -> tuple[float, float, float]:
    """Search the multipliers of a profit function of your own, by differential evolution.

    Parameters:
        profit_calculator: profit of `(high_multiplier, low_multiplier)`.
        bounds: lowest and highest multiplier of the high, and of the low.
        maxiter, popsize: generations, and members for each parameter.
        atol, seed: spread of the profits that ends the search; its seed.
        workers: processes; -1 for all processors. With more than one the function must be picklable.

    Returns:
        `(high_multiplier, low_multiplier, profit)` of the best that was found.

    Raises:
        BoundsError: when bounds are reversed, missing or not finite.

    Example:
        >>> from marketsim.reference import optimize_entry_exit_multipliers_with_callback
        >>> found = optimize_entry_exit_multipliers_with_callback(lambda h, l: 1 - (h - 0.01) ** 2 - (l + 0.02) ** 2)
        >>> tuple(round(x, 3) for x in found)
        (0.01, -0.02, 1.0)

    """
    (h, l), loss = _evolve(_Loss(profit_calculator), checked(bounds), maxiter, popsize, atol, seed, workers)
    return h, l, -loss


def optimize_single_parameter(
    profit_calculator: Callable[[float], float],
    *,
    bounds: tuple[float, float] = (-0.05, 0.05),
    maxiter: int = 30,
    popsize: int = 8,
    atol: float = 1e-5,
    seed: int | None = 42,
    workers: int = 1,
) -> tuple[float, float]:
    """As `optimize_entry_exit_multipliers_with_callback`, for a function of one parameter.

    Parameters:
        profit_calculator: profit of the parameter.
        bounds: its lowest and highest value.
        maxiter, popsize, atol, seed, workers: as of `optimize_entry_exit_multipliers_with_callback`.

    Returns:
        `(parameter, profit)` of the best that was found.

    Raises:
        BoundsError: when bounds are reversed, missing or not finite.

    Example:
        >>> from marketsim.reference import optimize_single_parameter
        >>> tuple(round(x, 3) for x in optimize_single_parameter(lambda x: 1 - (x - 0.01) ** 2))
        (0.01, 1.0)

    """
    (x,), loss = _evolve(_Loss(profit_calculator), intervals([bounds]), maxiter, popsize, atol, seed, workers)
    return x, -loss


def run_bounded_optimizer(
    objective: Callable[[Any], float],
    bounds: Sequence[tuple[float, float]],
    *,
    maxiter: int = 50,
    popsize: int = 10,
    atol: float = 1e-5,
    seed: int | None = 42,
    workers: int = 1,
) -> tuple[tuple[float, ...], float]:
    """Minimize a function of any number of parameters by DIRECT, or by differential evolution where that one fails.

    Parameters:
        objective: loss of a sequence of parameters.
        bounds: lowest and highest value of each parameter.
        maxiter, popsize: DIRECT is given `maxiter * popsize` evaluations, or 100 with `MARKETSIM_FAST_OPTIMIZE=1`.
        maxiter, popsize, atol, seed, workers: of differential evolution, which is first with
            `MARKETSIM_USE_DIRECT_OPTIMIZER=0`.

    Returns:
        `(parameters, loss)` of the best that was found.

    Raises:
        BoundsError: when bounds are reversed, missing or not finite.

    Example:
        >>> from marketsim.reference import run_bounded_optimizer
        >>> (x, y), loss = run_bounded_optimizer(lambda at: (at[0] - 0.25) ** 2 + at[1] ** 2, [(0, 1), (-1, 1)])
        >>> round(x, 1), abs(round(y, 1)), round(loss, 2)
        (0.2, 0.0, 0.0)

    """
    pairs = intervals(bounds)
    if _flag("MARKETSIM_USE_DIRECT_OPTIMIZER", "1"):
        evaluations = FEWER_EVALUATIONS if _flag("MARKETSIM_FAST_OPTIMIZE", "0") else maxiter * max(popsize, 1)
        try:
            found = optimize.direct(objective, _box(pairs), maxfun=evaluations)
            return tuple(map(float, found.x)), float(found.fun)
        except Exception as error:  # whatever it was, the other one may do; the objective's own errors come again
            LOG.debug("DIRECT failed (%s): differential evolution instead", error)
    return _evolve(objective, pairs, maxiter, popsize, atol, seed, workers)


class _Loss(Struct, frozen=True):
    """A profit with its sign changed; unlike a closure it can be sent to other processes."""

    profit: Callable[..., float]

    def __call__(self, x: Sequence[float]) -> float:
        return -self.profit(*map(float, x))


def _evolve(
    objective: Callable[[Any], float],
    bounds: tuple[tuple[float, float], ...],
    maxiter: int,
    popsize: int,
    atol: float,
    seed: int | None,
    workers: int,
) -> tuple[tuple[float, ...], float]:
    found = optimize.differential_evolution(
        objective,
        _box(bounds),
        maxiter=maxiter,
        popsize=popsize,
        atol=atol,
        seed=seed,
        workers=workers,
        updating="immediate" if workers == 1 else "deferred",
    )
    return tuple(map(float, found.x)), float(found.fun)


def _box(bounds: tuple[tuple[float, float], ...]) -> optimize.Bounds:
    lowest, highest = np.array(bounds).T
    return optimize.Bounds(lowest, highest)


def _flag(name: str, default: str) -> bool:
    return os.environ.get(name, default).strip().lower() in TRUE

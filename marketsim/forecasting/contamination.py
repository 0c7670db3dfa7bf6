"""Which evaluated bars a model may have seen before: they prove nothing about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from marketsim.forecasting.forecasts import Forecasts
from marketsim.forecasting.protocols import Identity

Exposure = Literal["clean", "contaminated", "unknown"]
CLEAN, CONTAMINATED, UNKNOWN = EXPOSURES = get_args(Exposure)


UNTOLD = "nobody says how far the model's training data reach, so it may have seen the evaluated bars"


def exposures_of(forecasts: Forecasts, positions: Sequence[int], evaluated: NDArray[np.datetime64]) -> list[Exposure]:
    """For the bars that the forecasts at `positions` `[S]` are of, which open at `evaluated` `[S]`."""
    if forecasts.exposure is None:
        return exposures(forecasts.model, evaluated)
    return [forecasts.exposure[position] for position in positions]


def exposures(model: Identity, evaluated: NDArray[np.datetime64]) -> list[Exposure]:
    """For the opens of the evaluated bars `[S]`: clean after the newest bar in the weights, else contaminated.

    All are clean where there are no weights, and unknown where nobody says how far the training went.
    """
    if model.trained_until is None:
        return ["clean"] * len(evaluated)
    if model.trained_until == "unknown":
        return ["unknown"] * len(evaluated)
    end = np.datetime64(model.trained_until, "D")
    return ["contaminated" if seen else "clean" for seen in evaluated.astype("datetime64[D]") <= end]


def tally(tags: Sequence[Exposure]) -> dict[Exposure, int]:
    """How many bars have each of the exposures."""
    return {tag: tags.count(tag) for tag in EXPOSURES}


def warning(counts: Mapping[Exposure, int], doubt: str | None = None) -> str | None:
    """What a reader of the headline must know of its bars, in plain words; None where all are clean.

    `doubt` says why some are unknown, where it is not for want of a model's training data.
    """
    total = sum(counts.values())
    if seen := counts["contaminated"]:
        lie = "lies" if seen == 1 else "lie"
        return f"{seen} of {total} evaluated bars {lie} in the model's training data, where a profit proves nothing"
    if counts["unknown"]:
        return doubt or UNTOLD
    return None

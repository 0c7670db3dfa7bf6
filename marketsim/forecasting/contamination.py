"""Which evaluated bars may be in a model's training data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import NDArray

from marketsim.forecasting.forecasts import Forecasts


class Trained(Protocol):
    """What has training data, or says that it has none."""

    @property
    def trained_until(self) -> str | None:
        """Date of the newest bar in the weights, "unknown" where nobody says, None where there are no weights."""
        ...


Exposure = Literal["clean", "contaminated", "unknown"]
CLEAN, CONTAMINATED, UNKNOWN = EXPOSURES = get_args(Exposure)


UNTOLD = "nobody says how far the model's training data reach, so it may have seen the evaluated bars"


def exposures_of(forecasts: Forecasts, positions: Sequence[int], evaluated: NDArray[np.datetime64]) -> list[Exposure]:
    """For the bars that the forecasts at `positions` `[S]` are of, which open at `evaluated` `[S]`.

    What was sealed before its bar was over is clean, whatever the model has seen.
    """
    if forecasts.exposure is None:
        tags = exposures(forecasts.model, evaluated)
    else:
        tags = [forecasts.exposure[position] for position in positions]
    if forecasts.sealed is None:
        return tags
    return ["clean" if forecasts.sealed[at] else tag for at, tag in zip(positions, tags, strict=True)]


def exposures(model: Trained, evaluated: NDArray[np.datetime64]) -> list[Exposure]:
    """For the opens of the evaluated bars `[S]`: clean after the newest bar in the weights, else contaminated.

    All are clean where there are no weights, and unknown where nobody says how far the training went.
    """
    if model.trained_until is None:
        return ["clean"] * len(evaluated)
    if model.trained_until == "unknown":
        return ["unknown"] * len(evaluated)
    end = np.datetime64(model.trained_until, "D")
    return ["contaminated" if seen else "clean" for seen in evaluated.astype("datetime64[D]") <= end]


def exposure_of_sealed(model: Trained, opens: str, by_own_clock: bool) -> Exposure:
    """Of a bar that opens at `opens`, UTC, whose forecast was sealed before that bar was complete.

    It is clean, whatever the model has seen: nobody trains on a bar that is not over. A time that was given in place of
    the system's clock shows nothing, so that the model's own training data tell.
    """
    if by_own_clock:
        return "clean"
    return exposures(model, np.array([np.datetime64(opens, "s")]))[0]


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

"""Whether forecasts are too good to be true, or made for another bar: figures and a warning, not a proof.

Nothing can be changed in a file, and a model can keep the future in weights of its own. What is left is to look at the
forecasts: how much better they are than `har`'s, and which bar's move the forecast close goes with.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.data.bars import CHANNELS, Bars
from marketsim.errors import value_of
from marketsim.forecasting.forecasts import CLOSE, HIGH, LEVELS, LOW, MEDIAN, Forecasts, actual_moves
from marketsim.forecasting.model_forecaster import ModelForecaster
from marketsim.forecasting.protocols import Clock, Model
from marketsim.forecasting.requests import ForecastRequest
from marketsim.forecasting.scores import pinball

FEWEST = 30  # forecasts of known bars
ERRORS = 4.0  # standard errors that a figure must stand away from chance
LOSS = 0.8  # of har's: marketsim's own models stay within a few per cent of it
ALIKE = 0.5  # rank correlation of the forecast close with what it cannot know so well
MADE, STAMPED = "was each made before its bar?", "does each have the stamp of its own bar?"
UNDONE = -0.9  # of the forecast close with the last move

Floats = NDArray[np.float64]


class Plausibility(Struct, frozen=True):
    """What forecasts look like beside those of `har` and beside the bars."""

    bars: int  # forecast, and known
    loss: dict[str, float]  # by channel, pinball loss over that of har
    errors: dict[str, float]  # by channel, by how many standard errors the loss is below har's
    last: float  # rank correlation of the forecast move of the close with the move of the origin's own bar,
    next: float  # with that of the bar that is forecast,
    after: float  # and with that of the bar after it
    slope: float  # of the forecast move, by the last move

    @property
    def doubts(self) -> tuple[str, ...]:
        """What is implausible, in words."""
        least = max(ALIKE, ERRORS / np.sqrt(self.bars))
        found = []
        better = [name for name, loss in self.loss.items() if loss < LOSS and self.errors[name] > ERRORS]
        if better:
            figures = ", ".join(f"{self.loss[name]:.2f} of har's for the {name}" for name in better)
            found.append(f"their loss is {figures}: {MADE}")
        if self.next > least:
            found.append(f"the close goes with the move of its bar (rank correlation {self.next:+.2f}): {MADE}")
        if self.after > least:
            found.append(f"the close goes with the move of the bar after its own ({self.after:+.2f}): {STAMPED}")
        if self.last < UNDONE and -1.5 < self.slope < -0.5:
            found.append(f"the close undoes the last move ({self.last:+.2f}), as if it were a bar late: {STAMPED}")
        return tuple(found)

    def __str__(self) -> str:
        return f"on {self.bars:,} bars {'; '.join(self.doubts)}"


def look_at(bars: Bars, made: Forecasts, reference: Model, clock: Clock) -> Plausibility | None:
    """Forecasts beside those of the `reference`, at the origins where that has enough bars.

    None where fewer than 30 of their bars are known.
    """
    possible = made.origins + 1 >= reference.minimum_bars
    origins = made.origins[possible]
    (others,) = ModelForecaster(reference, None, clock).forecasts([ForecastRequest(bars, origins)])
    return plausibility(bars, origins, made.moves[possible], value_of(others).moves)


def plausibility(bars: Bars, origins: NDArray[np.int64], moves: Floats, reference: Floats) -> Plausibility | None:
    """Compare forecasts `moves` with those of `har`, `reference`, both `[N, 4, Q]` at increasing `origins` `[N]`.

    None where fewer than 30 bars are known.
    """
    known = (origins >= 1) & (origins + 2 < len(bars))
    origins, moves, reference = origins[known], moves[known], reference[known]
    if len(origins) < FEWEST:
        return None
    actual = actual_moves(bars, origins)
    mine, theirs = (pinball(quantiles, actual, LEVELS) for quantiles in (moves, reference))  # [N, 4]
    gain = theirs - mine
    spread = gain.std(0, ddof=1) / np.sqrt(len(gain))
    traded = {CHANNELS[channel]: channel for channel in (HIGH, LOW, CLOSE)}
    close, forecast = bars.close, moves[:, CLOSE, MEDIAN]
    last, following, after = (close[origins + step] / close[origins + step - 1] - 1 for step in (0, 1, 2))
    return Plausibility(
        bars=len(origins),
        loss={name: float(mine[:, i].mean() / max(theirs[:, i].mean(), 1e-12)) for name, i in traded.items()},
        errors={name: float(gain[:, i].mean() / max(spread[i], 1e-12)) for name, i in traded.items()},
        last=_rank_correlation(forecast, last),
        next=_rank_correlation(forecast, following),
        after=_rank_correlation(forecast, after),
        slope=float(np.dot(forecast, last) / max(np.dot(last, last), 1e-12)),
    )


def _rank_correlation(a: Floats, b: Floats) -> float:
    """Spearman's, 0 where one of them is constant; ties share their mean rank."""
    x, y = (_ranks(sample) - (len(sample) - 1) / 2 for sample in (a, b))
    size = np.sqrt(np.dot(x, x) * np.dot(y, y))
    return float(np.dot(x, y) / size) if size else 0.0


def _ranks(values: Floats) -> Floats:
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(counts) - (counts + 1) / 2)[where]
    return ranks

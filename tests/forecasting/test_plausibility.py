"""Forecasts that are too good, or of another bar, are told by their figures; honest ones, good or bad, are not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from marketsim.forecasting.forecasts import LEVELS, MEDIAN, actual_moves
from marketsim.forecasting.plausibility import FEWEST, Plausibility, plausibility
from tests.candles import random_bars

BARS = random_bars(400)
ORIGINS = np.arange(270, 400)
SPREAD = 0.02 * (np.array(LEVELS) - 0.5)
HONEST = np.array([0.0, 0.01, -0.01, 0.0])[:, None] + SPREAD + np.zeros((len(ORIGINS), 1, 1))  # [N, 4, Q]


def actual(shift: int = 0) -> Any:
    """Moves `[N, 4]` of the bars after the origins, from the close of the origin; later ones by `shift`."""
    later = np.minimum(ORIGINS + 1 + shift, len(BARS) - 1)
    return BARS.ohlcv[later, :4] / BARS.close[ORIGINS, None] - 1


def look(moves: Any, reference: Any = HONEST) -> Plausibility:
    found = plausibility(BARS, ORIGINS, moves, reference)
    assert found is not None
    return found


def guesses(snr: float, seed: int) -> Any:
    """The truth and noise, of which the truth has the share that a regression would leave it."""
    rng = np.random.default_rng(seed)
    truth = actual()
    noisy = snr * truth + np.sqrt(snr) * rng.standard_normal(truth.shape) * truth.std(0)
    return HONEST + (noisy / (1 + snr))[..., None]


@pytest.mark.parametrize("snr", [0.0, 0.02, 0.1])
def test_skill_that_somebody_may_have_is_believed(snr: float) -> None:
    assert [look(guesses(snr, seed)).doubts for seed in range(100)] == [()] * 100


def test_what_nobody_can_know_is_not() -> None:
    for seed in range(20):
        found = look(guesses(2.0, seed))
        assert "the close goes with the move of its bar" in " ".join(found.doubts)
    truth = look(HONEST - HONEST[..., [MEDIAN]] + actual()[..., None])
    assert truth.next == pytest.approx(1.0)
    assert truth.loss["close"] < 0.5 and truth.errors["close"] > 4
    assert "their loss is 0." in truth.doubts[0] and truth.doubts[0].endswith("was each made before its bar?")


def test_forecasts_of_another_bar_are_told() -> None:
    """A file whose stamps are a bar off: each is the honest forecast of the bar before, or knows the bar after."""
    before = BARS.close[ORIGINS - 1] / BARS.close[ORIGINS] - 1
    late = look(HONEST + before[:, None, None])
    assert late.last == pytest.approx(-1.0) and late.slope == pytest.approx(-1.0, abs=0.05)
    assert late.doubts == (
        "the close undoes the last move (-1.00), as if it were a bar late: does each have the stamp of its own bar?",
    )
    following = np.minimum(ORIGINS + 1, len(BARS) - 1)
    after = BARS.close[np.minimum(ORIGINS + 2, len(BARS) - 1)] / BARS.close[following] - 1
    (doubt,) = look(HONEST + 0.1 * after[:, None, None]).doubts
    assert doubt.startswith("the close goes with the move of the bar after its own (+1.00)")


def test_honest_reversal_and_momentum_are_believed() -> None:
    last = BARS.close[ORIGINS] / BARS.close[ORIGINS - 1] - 1
    for weight in (-0.3, 0.3, 1.0):
        assert look(HONEST + weight * last[:, None, None]).doubts == ()


def test_figures_are_those_of_plain_loops() -> None:
    found = look(guesses(0.5, 3))
    kept = ORIGINS[len(BARS) > ORIGINS + 2]
    assert found.bars == len(kept)
    forecast = guesses(0.5, 3)[: len(kept), 3, MEDIAN]
    moves = actual_moves(BARS, kept)[:, 3]
    ranks = [[sorted(values).index(value) for value in values] for values in (forecast.tolist(), moves.tolist())]
    assert found.next == pytest.approx(np.corrcoef(ranks)[0, 1])


def test_too_few_bars_say_nothing_and_constant_forecasts_correlate_with_nothing() -> None:
    few = ORIGINS[-FEWEST - 1 :]
    assert plausibility(BARS, few, HONEST[: len(few)], HONEST[: len(few)]) is None
    assert look(HONEST).next == look(HONEST).last == 0.0

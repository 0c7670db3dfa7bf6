"""The test of the difference of two forecasts: its size, its power, and what it says where nothing can be said."""

import math

import numpy as np
import pytest

from marketsim.forecasting.loss_difference import compare_losses


def test_the_statistic_is_that_of_the_paper():
    rng = np.random.default_rng(0)
    losses, others = rng.exponential(size=(2, 30))
    d = losses - others
    found = compare_losses(losses, others)
    assert found.statistic == pytest.approx(math.sqrt(29 / 30) * d.mean() / (d.std() / math.sqrt(30)))
    assert found.skill == pytest.approx(1 - losses.mean() / others.mean())
    ahead = compare_losses(losses, others, ahead=3)
    c = d - d.mean()
    variance = (c @ c + 2 * (c[1:] @ c[:-1]) + 2 * (c[2:] @ c[:-2])) / 30
    corrected = math.sqrt((30 + 1 - 6 + 6 / 30) / 30)
    assert ahead.statistic == pytest.approx(corrected * d.mean() / math.sqrt(variance / 30))


@pytest.mark.parametrize("ahead", [1, 5])
def test_equally_good_forecasts_are_told_apart_in_one_of_twenty_cases(ahead):
    rng = np.random.default_rng(1)
    told = 0
    for _ in range(800):
        shocks = rng.normal(size=(2, 60 + ahead - 1))
        losses, others = (np.convolve(row, np.ones(ahead), "valid") + 10 for row in shocks)
        told += compare_losses(losses, others, ahead).verdict != "chance"
    assert 0.03 < told / 800 < 0.10


def test_a_better_forecast_is_said_to_be_better_and_the_other_worse():
    rng = np.random.default_rng(2)
    losses = rng.exponential(size=250)
    others = losses + rng.normal(0.05, 0.2, 250)
    assert (compare_losses(losses, others).verdict, compare_losses(others, losses).verdict) == ("better", "worse")
    assert compare_losses(losses, others).p == pytest.approx(compare_losses(others, losses).p)


def test_what_cannot_be_tested_has_no_p():
    losses = np.arange(1.0, 31.0)
    assert compare_losses(losses, losses).verdict == "same"
    few = compare_losses(losses[:9], losses[:9][::-1] + 1)
    assert (few.statistic, few.p, few.verdict) == (None, None, "chance")
    assert compare_losses(np.zeros(20), np.zeros(20)).verdict == "same"

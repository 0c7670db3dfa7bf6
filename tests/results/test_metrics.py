"""Figures of merit against their definitions."""

from __future__ import annotations

import numpy as np
import pytest

from marketsim.results.metrics import max_drawdown, sharpe, sortino

RETURNS = np.array([0.01, -0.02, 0.03, 0.0, -0.01])


def test_sharpe_and_sortino_by_hand() -> None:
    assert sharpe(RETURNS, 252) == pytest.approx(0.002 / np.sqrt(np.sum((RETURNS - 0.002) ** 2) / 4) * np.sqrt(252))
    assert sortino(RETURNS, 365) == pytest.approx(0.002 / np.sqrt((0.02**2 + 0.01**2) / 5) * np.sqrt(365))


def test_figures_that_a_series_cannot_carry_are_none() -> None:
    assert sharpe(np.array([0.1]), 365) is None
    assert sharpe(np.full(5, 0.1), 365) is None
    assert sortino(np.array([0.1, 0.2]), 365) is None


def test_max_drawdown_counts_from_the_start_and_from_the_highest_peak() -> None:
    assert max_drawdown(np.array([0.1, -0.2, 0.05, -0.3, 0.6])) == pytest.approx(0.45)
    assert max_drawdown(np.array([-0.1, 0.2])) == pytest.approx(0.1)
    assert max_drawdown(np.array([0.1, 0.2])) == 0.0


def test_two_returns_have_a_sharpe_and_none_has_a_figure_of_its_own() -> None:
    assert sharpe(np.array([0.0, 0.2]), 1) == pytest.approx(0.1 / np.sqrt(0.02))
    assert sortino(np.array([]), 365) is None
    assert max_drawdown(np.array([])) == 0.0

"""How much each bar of a window counts."""

from __future__ import annotations

import numpy as np
import pytest

from marketsim.execution.windows import age_weights


def test_a_bar_counts_half_as_much_for_every_half_life_of_age() -> None:
    weights = age_weights(7, 2.0)
    assert weights is not None
    assert weights[-1] == pytest.approx(2 * weights[-3]) == pytest.approx(8 * weights[0])
    assert (np.diff(weights) > 0).all(), "the newest bar counts most"
    assert weights.mean() == pytest.approx(1.0)


def test_without_a_half_life_all_bars_count_the_same() -> None:
    assert age_weights(7, None) is None
    endless = age_weights(7, 1e12)
    assert endless is not None and endless.tolist() == pytest.approx([1.0] * 7)

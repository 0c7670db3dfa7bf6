"""The evidence of a walk, told from its profits by plain loops: clean bars alone, and every strategy counted."""

from __future__ import annotations

import numpy as np
import pytest

from marketsim.models.rolling_quantile import RollingQuantile
from marketsim.results.document import symbol_document
from marketsim.results.evidence_schema import Evidence
from marketsim.results.reality_check import reality_check
from marketsim.results.result import Result
from marketsim.results.significance import mean_interval
from tests.backtesting.test_pipeline import SMALL, run_held
from tests.candles import random_bars
from tests.dated import dated

BARS = random_bars(260, 12)
SETTINGS = SMALL.replace(sims=40, min_t=0.0)
SEEN = 15  # of the evaluated bars
NAMES = BARS.names()[-40:].tolist()


class Trained(RollingQuantile):
    """A model whose training data end at a bar of the walk."""

    name = "trained"
    trained_until = NAMES[SEEN - 1]


class TrainedOnAll(Trained):
    trained_until = NAMES[-1]


@pytest.fixture(scope="module")
def result() -> Result:
    return run_held(BARS, SETTINGS, Trained())


@pytest.fixture(scope="module")
def evidence(result: Result) -> Evidence:
    return symbol_document(result).evidence


def earned(result: Result, name: str) -> list[float]:
    """What a strategy or baseline earned on the clean bars, oldest first."""
    (track,) = [each for each in (*result.strategies, *result.baselines) if each.name == name]
    return [float(profit) for profit in track.profits["expected"][::-1]][SEEN:]


def test_clean_bars_are_those_after_the_training_data(result: Result, evidence: Evidence) -> None:
    assert (evidence.bars, evidence.first, evidence.assumed_clean) == (40 - SEEN, NAMES[SEEN], False)
    assert evidence.holding_bps == pytest.approx(1e4 * np.mean(earned(result, "buy-and-hold")))


def test_a_strategy_is_judged_on_them_and_held_against_holding(result: Result, evidence: Evidence) -> None:
    held = np.array(earned(result, "buy-and-hold"))
    for tested, track in zip(evidence.strategies, result.strategies, strict=True):
        own = np.array(earned(result, tested.strategy))
        assert tested.trades == sum(track.trades[::-1].tolist()[SEEN:]) > 0
        assert tested.mean_bps == pytest.approx(1e4 * own.mean())
        assert tested.beyond_holding_bps == pytest.approx(1e4 * (own - held).mean())
        for returns, ends in (
            (own, (tested.low_bps, tested.high_bps)),
            (own - held, (tested.beyond_holding_low_bps, tested.beyond_holding_high_bps)),
        ):
            interval = mean_interval(returns, result.seed)
            assert interval is not None
            assert ends == (pytest.approx(1e4 * interval.low), pytest.approx(1e4 * interval.high))


def test_all_strategies_count_as_tried(result: Result, evidence: Evidence) -> None:
    both = np.array([earned(result, track.name) for track in result.strategies]).T
    expected = reality_check(dated(both), result.seed).p
    assert evidence.tried == 2
    assert [tested.p for tested in evidence.strategies] == pytest.approx(expected.tolist())


def test_without_a_clean_bar_holding_is_that_of_all_and_nothing_is_tried() -> None:
    result = run_held(BARS, SETTINGS, TrainedOnAll())
    found = symbol_document(result).evidence
    (held,) = [track for track in result.baselines if track.name == "buy-and-hold"]
    assert (found.bars, found.first, found.tried) == (0, None, 0)
    assert found.holding_bps == pytest.approx(1e4 * held.profits["expected"].mean())
    for tested in found.strategies:
        assert (tested.trades, tested.mean_bps, tested.low_bps, tested.high_bps, tested.p) == (0, 0.0, None, None, None)

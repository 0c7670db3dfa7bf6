"""Every planted leak is caught, by the checks that ought to see it, and no clean twin is accused."""

from __future__ import annotations

import pytest

from marketsim.auditing.leaks import (
    LEAKS,
    BackwardFill,
    CentredAverage,
    FullWindowNormalization,
    FutureSplitFactor,
    KeyWithoutCalendar,
    LateResampling,
    OriginOffByOne,
    OtherSymbol,
    ScalerFittedOnAll,
    TargetInFeatures,
    Twin,
)
from marketsim.auditing.selftest import audit_twin
from marketsim.auditing.symbol_audit import CHECKS

SEED = 7  # of bars that `marketsim audit --selftest` does not use
SEES_LATER_BARS = {"each origin alone", "future cut"}
SEEN_BY = {
    FullWindowNormalization: SEES_LATER_BARS | {"future scrambled", "future rescaled"},
    CentredAverage: SEES_LATER_BARS | {"future scrambled", "future rescaled"},
    TargetInFeatures: SEES_LATER_BARS | {"future scrambled", "future rescaled"},
    OriginOffByOne: SEES_LATER_BARS | {"future scrambled", "future rescaled"},
    LateResampling: {"each origin alone"},  # at most origins only
    BackwardFill: {"each origin alone"},
    ScalerFittedOnAll: SEES_LATER_BARS,
    FutureSplitFactor: SEES_LATER_BARS | {"future rescaled"},
    KeyWithoutCalendar: {"cache key"},
    OtherSymbol: {"after OTHER"},
}


def test_there_are_ten() -> None:
    assert len(LEAKS) == len({kind.leak for kind in LEAKS}) == 10
    assert set(SEEN_BY) == set(LEAKS)


@pytest.mark.parametrize("kind", LEAKS)
def test_a_leak_is_caught(kind: type[Twin]) -> None:
    found = audit_twin(kind(leaks=True), SEED)
    caught = {check.name for check in found.checks if not check.passed}
    assert SEEN_BY[kind] <= caught
    assert not found.passed


@pytest.mark.parametrize("kind", LEAKS)
def test_its_clean_twin_passes(kind: type[Twin]) -> None:
    found = audit_twin(kind(leaks=False), SEED)
    assert [(check.name, check.found.first) for check in found.checks if not check.passed] == []
    assert len(found.checks) == CHECKS - 1  # all but the one in other processes
    assert [profit.as_run for profit in found.profits] == [profit.alone for profit in found.profits]


def test_what_rests_on_a_leak_is_told() -> None:
    (profit,) = audit_twin(OriginOffByOne(leaks=True), 42).profits
    (honest,) = audit_twin(OriginOffByOne(leaks=False), 42).profits
    assert profit.alone == honest.as_run
    assert profit.as_run > profit.alone + 30

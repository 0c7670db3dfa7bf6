from __future__ import annotations

import time

import pytest

from marketsim import profiling
from marketsim.profiling import Clock


@pytest.fixture
def hands(monkeypatch):
    """A clock that a test moves by hand: `hands[0] += 1` is a second."""
    hands = [100.0]
    monkeypatch.setattr(profiling.time, "perf_counter", lambda: hands[0])
    return hands


def test_a_nested_stage_stops_the_outer_one(hands):
    clock = Clock()
    with clock.stage("forecast"):
        hands[0] += 1
        with clock.stage("cache"):
            hands[0] += 10
        hands[0] += 2
    hands[0] += 1000
    with clock.stage("cache"):
        hands[0] += 5
    assert clock.seconds == {"forecast": 3, "cache": 15}
    assert clock.calls == {"forecast": 1, "cache": 2}


def test_a_stage_inside_itself_is_counted_once(hands):
    clock = Clock()
    with clock.stage("load"):
        hands[0] += 1
        with clock.stage("load"):
            hands[0] += 2
    assert clock.seconds == {"load": 3}


def test_a_stage_that_raises_ends(hands):
    clock = Clock()

    def fail():
        with clock.stage("load"), clock.stage("cache"):
            hands[0] += 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with clock.stage("report"):
        hands[0] += 4
    assert clock.seconds == {"load": 0, "cache": 1, "report": 4}


def test_counts_add_up():
    clock = Clock()
    clock.count("fits", 140)
    clock.count("fits")
    assert clock.counts == {"fits": 141}


def test_wall_runs_from_the_start_of_the_process():
    first, started = Clock.wall(), time.perf_counter()
    time.sleep(0.05)
    second = Clock.wall()
    assert first > 0
    assert second - first == pytest.approx(time.perf_counter() - started, abs=0.02)


def test_wall_without_proc_runs_from_the_import(monkeypatch):
    def missing(*args, **kwargs):
        raise FileNotFoundError

    monkeypatch.setattr("builtins.open", missing)
    assert 0 < Clock.wall() <= time.perf_counter()

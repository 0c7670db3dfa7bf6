from __future__ import annotations

import time

import pytest

from marketsim import profiling
from marketsim.profiling import Clock, Recorder, Tracer, observe, observer, part, peak_bytes


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
    assert clock.calls == {"load": 1}


def test_a_part_is_charged_to_what_holds_it_too(hands):
    clock = Clock()
    with clock.stage("forecast/model"):
        hands[0] += 1
        with clock.part("load"):
            hands[0] += 10
        with clock.stage("cache/read"):
            hands[0] += 100
        with clock.part("load"):
            hands[0] += 20
    with clock.stage("forecast/repair"):
        hands[0] += 3
    assert clock.seconds == {
        "forecast": 34,
        "forecast/model": 31,
        "forecast/model/load": 30,
        "forecast/repair": 3,
        "cache": 100,
        "cache/read": 100,
    }
    assert clock.calls == {
        "forecast": 2,
        "forecast/model": 1,
        "forecast/model/load": 2,
        "forecast/repair": 1,
        "cache": 1,
        "cache/read": 1,
    }


def test_parts_reach_the_observer_and_nobody_else(hands):
    clock = Clock()
    assert observer() is None
    with part("evaluate", 3):
        hands[0] += 1
    with observe(clock):
        assert observer() is clock
        with clock.stage("optimize/search"), part("evaluate", 20):
            hands[0] += 2
        with part("alone"):
            hands[0] += 4
    with part("evaluate", 5):
        hands[0] += 8
    assert observer() is None
    assert clock.seconds == {"optimize": 2, "optimize/search": 2, "optimize/search/evaluate": 2, "alone": 4}
    assert clock.counts == {"optimize/search/evaluate": 20}


def test_a_recorder_shares_the_peak_among_the_stages(hands, monkeypatch):
    peak = [1000]
    monkeypatch.setattr(profiling, "peak_bytes", lambda: peak[0])
    clock = Recorder()
    with clock.stage("optimize"):
        hands[0] += 1
        peak[0] += 10
        with clock.stage("optimize/search"):
            hands[0] += 1
            peak[0] += 100
        with clock.stage("cache"):
            hands[0] += 1
    assert clock.base == 1000
    assert clock.bytes == {"optimize": 110, "optimize/search": 100, "cache": 0}
    assert clock.seconds == {"optimize": 2, "optimize/search": 1, "cache": 1}


def test_the_peak_grows_with_what_is_held():
    before = peak_bytes()
    held = b"x" * (before + (64 << 20))
    assert peak_bytes() >= len(held)


def test_a_tracer_keeps_every_span(hands):
    clock = Tracer()
    hands[0] += 1

    def fail():
        with clock.stage("a"):
            hands[0] += 2
            with clock.part("b"):
                hands[0] += 4
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert clock.spans == [("a/b", 3, 4), ("a", 1, 6)]


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

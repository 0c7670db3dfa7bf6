import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from marketsim.results.confidence_sequence import LEAST, log_evidence, running_interval
from marketsim.results.promise import (
    AS_PROMISED,
    EVERY,
    TOO_EARLY,
    WORSE,
    PromisedMean,
    bars_to_tell,
    difference,
    evidence,
    kept,
)

PROMISE = PromisedMean(mean=24.0, low=15.0, high=33.0, bars=500)
EDGE = 0.3  # of a deviation


def promised(walk):
    half = stats.t.ppf(0.975, len(walk) - 1) * walk.std(ddof=1) / math.sqrt(len(walk))
    return PromisedMean(walk.mean(), walk.mean() - half, walk.mean() + half, len(walk))


def draw(name, rng, count):
    match name:
        case "normal":
            return rng.standard_normal(count)
        case "fat tails":
            return rng.standard_t(4, count) / math.sqrt(2)
        case "few trades":
            return np.where(rng.random(count) < 0.2, rng.standard_t(4, count), 0.0)
        case "rare gains":
            return np.where(rng.random(count) < 0.05, 1.0, -0.05 / 0.95) / math.sqrt(0.0526)
        case "rare losses":
            return np.where(rng.random(count) < 0.05, -1.0, 0.05 / 0.95) / math.sqrt(0.0526)


@settings(max_examples=30, deadline=None)
@given(st.floats(-5, 5), st.floats(0.05, 20), st.floats(0.05, 20))
def test_the_evidence_is_a_half_normal_mixture_of_bets(fallen, variance, tuned):
    least = -2 * math.log(0.1)
    r = 1 / (tuned * (least + math.log(1 + least)))

    def bet(size):  # on a Brownian motion that has moved to S in the time V
        return (
            2
            * stats.norm.pdf(size, scale=1 / math.sqrt(r))
            * math.exp(size * fallen / variance - size**2 / 2 / variance)
        )

    wealth = integrate.quad(bet, 0, 60, points=[max(0.0, fallen)], limit=200)[0]
    found = log_evidence(np.array([fallen]), np.array([variance]), tuned)[0]
    assert math.exp(found) == pytest.approx(wealth, rel=1e-6, abs=1e-9)


def slow_evidence(promise, profits):
    """Bar by bar, part by part, in plain words."""
    found = []
    for n in range(1, len(profits) + 1):
        record, shares, total = profits[:n], 0.0, 0.0
        variance = max(float(np.var(record, ddof=1)) if n > 1 else 0.0, promise.spread**2)
        for j in range(len(profits)):
            share = 0.5 if j == 0 else 0.5 / (j * (j + 1))
            part = record[j * EVERY :]
            if len(part) < LEAST:
                continue
            fallen, error = promise.mean - part.mean(), promise.error**2 + variance / len(part)
            shares += share
            total += share * math.exp(log_evidence(np.array([fallen]), np.array([error]), promise.tuned)[0])
        found.append(total + 1 - shares)
    return found


@pytest.mark.parametrize("count", [1, 19, 20, 21, 45, 97])
def test_evidence_equals_its_slow_twin(count):
    profits = 100 * np.random.default_rng(count).standard_normal(count) - 20
    assert evidence(PROMISE, profits) == pytest.approx(slow_evidence(PROMISE, profits), rel=1e-9)


@pytest.mark.parametrize("name", ["normal", "fat tails", "few trades", "rare gains", "rare losses"])
def test_an_unchanged_world_is_wrongly_called_worse_in_at_most_5_percent_of_records(name):
    wrong = 0
    for seed in range(60):
        profits = draw(name, np.random.default_rng([5, seed]), 550) + EDGE
        wrong += kept(promised(profits[:250]), profits[250:]).verdict == WORSE
    assert wrong / 60 <= 0.05


@pytest.mark.parametrize("start", [0, 100])
def test_a_lost_edge_is_told_within_the_bars_that_are_promised(start):
    told = 0
    for seed in range(30):
        rng = np.random.default_rng([6, seed])
        promise = promised(rng.standard_normal(1500) + EDGE)
        within = bars_to_tell(promise, promise.mean, start=start)
        assert within is not None
        record = rng.standard_normal(start + within)
        record[:start] += EDGE
        found = kept(promise, record)
        told += found.verdict == WORSE
        assert found.turned is None or found.turned < len(record)
    assert told / 30 >= 0.8


def test_ordinary_intervals_would_cry_wolf():
    """Why a confidence sequence is needed: the same worlds, looked at every evening with an interval for one look."""
    wrong = ordinary = 0
    for seed in range(60):
        values = np.random.default_rng([7, seed]).standard_normal(500)
        ends = [running_interval(values[:n]) for n in range(LEAST, 501, 5)]
        wrong += any(not each.low <= 0 <= each.high for each in ends)
        ordinary += any(abs(values[:n].mean()) > 1.96 / math.sqrt(n) for n in range(LEAST, 501, 5))
    assert wrong / 60 <= 0.05
    assert ordinary / 60 > 0.25


def test_the_first_bars_say_nothing():
    found = kept(PROMISE, np.full(LEAST - 1, -1000.0))
    assert (found.verdict, found.p, found.turned) == (TOO_EARLY, 1.0, None)
    assert found.bars_more == max(PROMISE.bars, bars_to_tell(PROMISE, PROMISE.fall)) - (LEAST - 1)
    assert running_interval(np.arange(LEAST - 1.0)) is None
    assert difference(PROMISE, np.arange(LEAST - 1.0)) is None


def test_worse_stays_said_and_names_the_bars():
    record = np.concatenate([np.full(40, 24.0), np.full(60, -300.0), np.full(500, 80.0)])
    record += np.tile([90.0, -90.0], 300)
    found = kept(PROMISE, record)
    assert found.verdict == WORSE
    assert found.p <= 0.05
    assert 40 < found.turned < 100
    assert found.begun in (20, 40)
    assert kept(PROMISE, record[: found.turned]).verdict == TOO_EARLY
    assert kept(PROMISE, record[: found.turned + 1]).verdict == WORSE


def test_as_promised_takes_as_many_bars_as_a_fall_would_need():
    needed = max(PROMISE.bars, bars_to_tell(PROMISE, PROMISE.fall))
    record = 24.0 + np.tile([90.0, -90.0], needed)
    assert kept(PROMISE, record[: needed - 1]).verdict == TOO_EARLY
    assert kept(PROMISE, record[: needed - 1]).bars_more == 1
    assert kept(PROMISE, record[:needed]).verdict == AS_PROMISED


def test_below_the_promise_is_not_as_promised():
    needed = max(PROMISE.bars, bars_to_tell(PROMISE, PROMISE.fall))
    record = 10.0 + np.tile([90.0, -90.0], needed)
    found = kept(PROMISE, record[:needed])
    assert found.verdict == TOO_EARLY
    assert found.bars_more is None or found.bars_more >= 1


@pytest.mark.parametrize("promise", [None, PromisedMean(3.0, 3.0, 3.0, 70)])
def test_what_promises_nothing_is_always_too_early(promise):
    assert kept(promise, np.full(500, -100.0)).verdict == TOO_EARLY


def test_a_vague_promise_cannot_tell_that_its_edge_is_gone():
    vague = PromisedMean(12.0, -12.0, 36.0, 70)
    assert bars_to_tell(vague, vague.mean) is None
    assert bars_to_tell(vague, vague.fall) is not None
    assert vague.fall == 72.0


def test_where_the_difference_lies_below_zero_the_word_is_worse():
    for seed in range(40):
        record = 100 * np.random.default_rng([8, seed]).standard_normal(150) - seed
        ends = difference(PROMISE, record)
        if ends.high < 0:
            assert kept(PROMISE, record).verdict == WORSE
    assert difference(PROMISE, np.full(150, -100.0)).high < 0

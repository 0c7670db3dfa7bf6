"""Every optimizer is run alike, and its row says what happened, on the windows that it ran on."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from marketsim import registry
from marketsim.backtesting import pipeline
from marketsim.comparison import convergence_plot, landscape_plot, ranking
from marketsim.comparison.optimizers import WARM_UP, OptimizerTrials, Trial, compare, spread_order
from marketsim.comparison.problems import FitProblems, Optima, reference_problems, symbol_problems
from marketsim.comparison.schema import OptimizerRow, ProblemFacts
from marketsim.errors import DataError, value_of
from marketsim.optimizers import Search
from marketsim.optimizers.objective import Limits, Objective, Step
from marketsim.profiling import Clock
from marketsim.results.document import symbol_document
from marketsim.results.encoding import to_json
from marketsim.settings.settings import Settings
from tests.problems import BOUNDS, staircase

FACTS = ProblemFacts(
    name="stairs",
    look_ahead=None,
    source="",
    fingerprint=None,
    first=None,
    last=None,
    model=None,
    strategy="entry-exit",
    fill="touch",
    fee_bps=0.0,
    fee_per="side",
    slippage_bps=0.0,
    windows=6,
    bars=1,
    policies=["take-profit"],
)
STAIRS = FitProblems(FACTS, (staircase([[0.2, 0.3], [0.4, 1.0]]).at(np.zeros(6, int)),), (False,), BOUNDS)
TOP = (0.02, 0.02)
SMALL = Settings.of(sims=12, window=15, cache="off")


class Fixed(Search):
    """Looks at one place."""

    stochastic = False

    def search(self, objective: Objective, seed: int) -> None:
        objective((-0.02, -0.02))


class Random(Search):
    """Looks anywhere until it is stopped."""

    def search(self, objective: Objective, seed: int) -> None:
        rng = np.random.default_rng(seed)
        while True:
            objective(rng.uniform(-0.03, 0.03, 2))


class Sleepy(Search):
    def search(self, objective: Objective, seed: int) -> None:
        while True:
            objective(TOP)
            time.sleep(0.02)


class Broken(Search):
    def search(self, objective: Objective, seed: int) -> None:
        objective((-0.02, -0.02))
        raise ZeroDivisionError("oh")


class Idle(Search):
    def search(self, objective: Objective, seed: int) -> None:
        pass


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    own = {each.__name__.lower(): f"{__name__}:{each.__name__}" for each in (Fixed, Random, Sleepy, Broken, Idle)}
    absent = {"absent": "no_such_library:Optimizer", "torn": f"{__name__}:NoSuchClass"}
    monkeypatch.setattr(registry, "OPTIMIZERS", registry.OPTIMIZERS | own | absent)


def compared(*optimizers: str, problems: FitProblems = STAIRS, **limits: Any) -> dict[str, OptimizerTrials]:
    found = compare(optimizers, problems, Limits(**limits), (1, 2), 300.0)
    return {run.name: run for run in found}


def ranked(runs: dict[str, OptimizerTrials], problems: FitProblems = STAIRS) -> dict[str, OptimizerRow]:
    return {row.name: row for row in ranking.rank(problems, problems.solve(), list(runs.values()), 1)}


def test_each_optimizer_has_its_word_and_the_others_go_on() -> None:
    runs = compared("absent", "torn", "broken", "idle", "fixed", "random", "exact", evaluations=40)
    words = {name: run.status for name, run in runs.items()}
    assert words == {
        "absent": "not installed",
        "torn": "failed",
        "broken": "failed",
        "idle": "failed",
        "fixed": "done",
        "random": "budget",
        "exact": "done",
    }
    assert "pip install 'marketsim[optimizers]'" in runs["absent"].message
    assert runs["broken"].message == "12 of 12 trials failed: ZeroDivisionError: oh"
    assert "without a finite profit" in runs["idle"].message
    to_json(next(iter(ranked(runs).values())))


def test_seconds_end_a_search_too() -> None:
    run = compared("sleepy", evaluations=1000, seconds=0.05)["sleepy"]
    assert run.status == "timeout"
    assert all(trial.evaluations < 10 for trial in run.trials)


def test_seeds_are_for_the_stochastic_and_windows_for_all() -> None:
    runs = compared("fixed", "random", evaluations=5)
    assert sorted((trial.window, trial.seed) for trial in runs["fixed"].trials) == [(w, 1) for w in range(6)]
    assert len({(trial.window, trial.seed) for trial in runs["random"].trials}) == 12


def test_without_patience_an_even_sample_of_the_windows_is_run() -> None:
    (run,) = compare(["sleepy"], STAIRS, Limits(evaluations=4), (1,), 0.5)
    assert 1 <= len(run.trials) < 6
    assert [trial.window for trial in run.trials] == spread_order(6)[: len(run.trials)]
    assert ranked({"sleepy": run})["sleepy"].rank is None


@pytest.mark.parametrize("count", [1, 2, 7, 70])
def test_every_beginning_of_the_order_is_spread_over_the_whole(count: int) -> None:
    order = spread_order(count)
    assert sorted(order) == list(range(count))
    for some in range(2, count):
        widest = np.diff(sorted(order[:some])).max()
        assert widest <= 4 * count / some + 1


def test_rows_are_ranked_by_their_gap_and_ties_share_a_rank() -> None:
    found = ranked(compared("random", "exact", "fixed", "idle", evaluations=200))
    assert list(found) == ["exact", "random", "fixed", "idle"] or list(found) == ["random", "exact", "fixed", "idle"]
    assert [found[name].rank for name in ("exact", "random", "fixed", "idle")] == [1, 1, 3, None]
    assert [found[name].tie for name in ("exact", "random", "fixed")] == [True, True, False]
    assert found["exact"].gap_bps == 0
    assert found["fixed"].gap_bps == pytest.approx(800)
    assert (found["exact"].reached, found["fixed"].reached) == (1, 0)
    assert (found["fixed"].found_bps, found["fixed"].optimum_bps) == pytest.approx((200, 1000))
    assert (found["random"].evaluations, found["fixed"].evaluations) == (200, 1)
    assert found["random"].ratio is None  # no differential evolution to compare with


def test_the_rival_of_the_ratios_is_differential_evolution() -> None:
    found = ranked(compared("differential-evolution", "exact", evaluations=100))
    assert found["differential-evolution"].ratio == 1
    assert found["exact"].ratio == found["exact"].seconds / found["differential-evolution"].seconds


def trial(window: int, policy: int, profit: float, h: float = 0.0, seconds: float = 1.0) -> Trial:
    steps = (Step(1, seconds / 2, 0.0, 0.0, profit - 1), Step(2, seconds, h, 0.0, profit))
    return Trial(window, policy, 1, "done", "", 2, seconds, 0.0, steps)


def made_up() -> tuple[FitProblems, Optima]:
    """Three windows whose optima differ, and a market that pays the multiplier of the high."""
    terms = tuple(STAIRS.terms[0].at(np.zeros(3, int)) for _ in range(2))
    problems = FitProblems(replace(FACTS, windows=3), terms, (True, False), BOUNDS, lambda windows, h, l, eod: h)
    profit = np.array([[0.01, 0.03, 0.02], [0.02, 0.01, 0.05]])
    return problems, Optima(profit / 10, 0 * profit, profit, 1.0)


def test_what_ran_on_some_windows_is_compared_with_their_optimum_alone() -> None:
    problems, optima = made_up()
    slow = OptimizerTrials.of("slow", [trial(1, 0, 0.02, 0.4, 6.0), trial(1, 1, 0.01, 0.2, 2.0)])
    whole = [trial(w, p, 0.0, 0.1, (1.0, 2.0, 4.0)[w]) for w in range(3) for p in range(2)]
    rows = ranking.rank(problems, optima, [slow, OptimizerTrials.of(ranking.RIVAL, whole)], 1)
    found = {row.name: row for row in rows}
    assert (found["slow"].windows, found["slow"].trials, found["slow"].rank) == (1, 2, None)
    assert (found["slow"].found_bps, found["slow"].optimum_bps) == pytest.approx((150, 200))
    assert found["slow"].gap_bps == pytest.approx(50)
    assert found["slow"].out_of_sample_bps == pytest.approx(4000)  # the policy that earned more in-sample
    assert found["slow"].optimum_out_of_sample_bps == pytest.approx(1e4 * 0.003)
    assert found["slow"].ratio == pytest.approx((6 + 2) / (2 + 2))  # to the rival's time on the same window
    assert found[ranking.RIVAL].seconds == pytest.approx(4)
    assert found[ranking.RIVAL].optimum_bps == pytest.approx(1e4 * optima.profit.mean())
    assert found[ranking.RIVAL].optimum_out_of_sample_bps == pytest.approx(1e4 * (0.002 + 0.003 + 0.005) / 3)


def test_a_history_starts_at_its_median_trial_and_ends_at_zero() -> None:
    problems, optima = made_up()
    slow, quick = trial(0, 0, 0.01, seconds=8.0), [trial(w, 1, optima.profit[1, w], seconds=2.0) for w in range(2)]
    drawn = convergence_plot.curve("some", [slow, *quick], "seconds", problems, optima)
    assert (drawn.places[0], drawn.places[-1]) == pytest.approx((1.0, 8.0))
    assert drawn.gap[0] == pytest.approx(1e4)  # the median trial misses 1 at first
    assert drawn.gap[-1] == 0
    once = replace(quick[0], history=quick[0].history[-1:])
    alone = convergence_plot.curve("exact", [once], "seconds", problems, optima)
    assert (alone.places.tolist(), alone.gap.tolist()) == ([2.0], [0.0])


def test_answers_at_one_place_are_drawn_inside_each_other() -> None:
    problems, optima = reference_problems(BOUNDS), reference_problems(BOUNDS).solve()
    runs = list(compared("exact", "brute", "fixed", problems=problems, evaluations=50).values())
    drawn = landscape_plot.landscape(problems, optima, runs)
    sizes = [size for _, size in drawn.rings]
    assert sizes == sorted(sizes, reverse=True) and len(set(sizes)) == 3
    assert drawn.title == "reference, 200 bars: entry-exit, take-profit exit, touch fills"
    assert drawn.optimum.label == "proven optimum +16.15"
    assert drawn.profit.max() <= 1e4 * 0.3230158 / 200


def test_out_of_sample_is_what_the_backtest_books_with_the_same_multipliers() -> None:
    free = SMALL.replace(fee_bps=0, min_t=0)  # optimizers are compared without a gate, and without a floor
    problems, _ = symbol_problems("ETHUSD", free, lambda *at: None)
    found = ranked(compared("exact", problems=problems, evaluations=5), problems)["exact"]
    (run,) = pipeline.run(["ETHUSD"], free, Clock())
    booked = symbol_document(value_of(run.outcome)).rows[1]
    assert booked.name == problems.facts.strategy == "always-on"
    assert found.out_of_sample_bps == pytest.approx(booked.mean_bps, abs=1e-2)
    assert found.optimum_out_of_sample_bps == pytest.approx(booked.mean_bps, abs=1e-2)
    assert (found.low_bps is None) == (booked.low_bps is None)
    fit = value_of(run.outcome).strategies[1].fit
    surface_and_book = 0.5e-4 * 15  # half a basis point a bar
    np.testing.assert_allclose(problems.solve().profit.max(0), fit.in_sample[:-1], rtol=0, atol=surface_and_book)


def test_a_half_life_weighs_the_windows_as_the_backtest_does() -> None:
    at_close = SMALL.replace(min_t=0, close_at_eod="always")
    optima = []
    for settings in (at_close, at_close.replace(half_life=4.0)):
        problems, _ = symbol_problems("ETHUSD", settings, lambda *at: None)
        (run,) = pipeline.run(["ETHUSD"], settings, Clock())
        optima.append(problems.solve().profit[0])
        fit = value_of(run.outcome).strategies[1].fit
        np.testing.assert_allclose(optima[-1], fit.in_sample[:-1], rtol=0, atol=1e-5)
        found = ranked(compared("exact", problems=problems, evaluations=5), problems)["exact"]
        assert found.found_bps == pytest.approx(1e4 * optima[-1].mean() / 15, abs=1e-2), "a bar, whatever its weight"
    assert np.abs(optima[1] - optima[0]).max() > 0.01


def test_a_stock_is_compared_on_the_strategy_that_can_short() -> None:
    problems, _ = symbol_problems("NVDA", SMALL, lambda *at: None)
    assert problems.facts.strategy == "entry-exit"
    assert (problems.windows, problems.facts.bars, problems.policies) == (12, 15, (True, False))


def test_a_strategy_without_orders_is_nothing_to_optimize() -> None:
    settings = Settings.of(sims=3, window=5, strategy="entry-exit", cache="off")
    with pytest.raises(DataError, match="nothing to optimize"):
        symbol_problems("ETHUSD", settings, lambda *at: None)


def test_the_reference_problem_is_the_one_that_was_published() -> None:
    problems = reference_problems(BOUNDS)
    assert problems.policies == (False, True)
    np.testing.assert_allclose(problems.solve().profit[:, 0], [0.3230157, 0.1390775], atol=5e-8)
    found = ranked(compared("direct", problems=problems, evaluations=500), problems)["direct"]
    assert found.found_bps == pytest.approx(1e4 / 200 * (0.321429 + 0.138867) / 2, abs=1e-3)


def test_on_the_reference_problem_nothing_beats_the_exact_fit() -> None:
    problems = reference_problems(BOUNDS)
    scipy = ("exact", "direct", "differential-evolution", "dual-annealing", "brute")
    runs = compared(*scipy, problems=problems, evaluations=300)
    found, optima = ranked(runs, problems), problems.solve()
    assert next(iter(found)) == "exact"
    assert all(row.least_gap_bps >= 0 for row in found.values())
    assert all(row.found_bps <= found["exact"].found_bps for row in found.values())
    assert all(step.gap >= 0 for step in ranking.history(problems, optima, list(runs.values())))
    assert {row.status for row in ranking.trials(problems, optima, list(runs.values()))} == {"done", "budget"}


def test_progress_names_who_is_running() -> None:
    heard: list[tuple[str, int, int]] = []
    compare(["fixed"], STAIRS, Limits(evaluations=3), (1,), 5.0, lambda *at: heard.append(at))
    assert heard == [("fixed", i, 6) for i in range(6)]
    assert WARM_UP.seconds

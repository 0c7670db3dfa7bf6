"""The arena runs every optimiser alike, and its rows say what happened."""

from __future__ import annotations

import json
import time
from typing import Any

import numpy as np
import pytest

from marketsim import registry
from marketsim.backtesting import pipeline
from marketsim.comparison import optimizers as arena
from marketsim.comparison import ranking as standings
from marketsim.comparison.optimizers import Contest, Entry, compete, evenly, prove
from marketsim.comparison.problems import real_contest, reference_contest
from marketsim.errors import DataError, value_of
from marketsim.optimizers import Search
from marketsim.optimizers.objective import Limits, Objective
from marketsim.profiling import Clock
from marketsim.results.document import symbol_document
from marketsim.settings.settings import Settings
from tests.problems import BOUNDS, staircase

STAIRS = Contest({"name": "stairs"}, (staircase([[0.2, 0.3], [0.4, 1.0]]).at(np.zeros(6, int)),), (False,), BOUNDS)
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


def compared(*optimizers: str, contest: Contest = STAIRS, **limits: Any) -> dict[str, Entry]:
    found = compete(optimizers, contest, Limits(**limits), (1, 2), 20.0)
    return {entry.name: entry for entry in found}


def rows(entries: dict[str, Entry], contest: Contest = STAIRS) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in standings.standings(contest, prove(contest), list(entries.values()), 1)}


def test_each_entry_has_its_word_and_the_others_go_on() -> None:
    entries = compared("absent", "torn", "broken", "idle", "fixed", "random", "exact", evaluations=40)
    words = {name: entry.status for name, entry in entries.items()}
    assert words == {
        "absent": "not installed",
        "torn": "failed",
        "broken": "failed",
        "idle": "failed",
        "fixed": "done",
        "random": "budget",
        "exact": "done",
    }
    assert "pip install 'marketsim[optimizers]'" in entries["absent"].message
    assert entries["broken"].message == "12 of 12 runs failed: ZeroDivisionError: oh"
    assert "without a finite profit" in entries["idle"].message
    json.dumps(rows(entries), allow_nan=False)


def test_seconds_end_a_search_too() -> None:
    entry = compared("sleepy", evaluations=1000, seconds=0.05)["sleepy"]
    assert entry.status == "timeout"
    assert all(trial.evaluations < 10 for trial in entry.trials)


def test_seeds_are_for_the_stochastic_and_windows_for_all() -> None:
    entries = compared("fixed", "random", evaluations=5)
    assert sorted((trial.window, trial.seed) for trial in entries["fixed"].trials) == [(w, 1) for w in range(6)]
    assert len({(trial.window, trial.seed) for trial in entries["random"].trials}) == 12


def test_without_patience_an_even_sample_of_the_windows_is_run() -> None:
    (entry,) = compete(["sleepy"], STAIRS, Limits(evaluations=4), (1,), 0.5)
    assert 1 <= len(entry.trials) < 6
    assert [trial.window for trial in entry.trials] == evenly(6)[: len(entry.trials)]
    assert rows({"sleepy": entry})["sleepy"]["rank"] is None


@pytest.mark.parametrize("count", [1, 2, 7, 70])
def test_every_beginning_of_the_order_is_spread_over_the_whole(count: int) -> None:
    order = evenly(count)
    assert sorted(order) == list(range(count))
    for some in range(2, count):
        widest = np.diff(sorted(order[:some])).max()
        assert widest <= 4 * count / some + 1


def test_rows_are_ranked_by_their_gap_and_ties_share_a_rank() -> None:
    entries = compared("random", "exact", "fixed", "idle", evaluations=200)
    found = rows(entries)
    assert list(found) == ["exact", "random", "fixed", "idle"] or list(found) == ["random", "exact", "fixed", "idle"]
    assert [found[name]["rank"] for name in ("exact", "random", "fixed", "idle")] == [1, 1, 3, None]
    assert [found[name]["tie"] for name in ("exact", "random", "fixed")] == [True, True, False]
    assert found["exact"]["gap_bps"] == 0
    assert found["fixed"]["gap_bps"] == pytest.approx(800)
    assert (found["exact"]["reached"], found["fixed"]["reached"]) == (1, 0)
    assert found["fixed"]["found_bps"] == pytest.approx(200)
    assert (found["random"]["evaluations"], found["fixed"]["evaluations"]) == (200, 1)
    assert found["random"]["ratio"] is None  # no differential evolution to compare with


def test_the_rival_of_the_ratios_is_differential_evolution() -> None:
    found = rows(compared("differential-evolution", "exact", evaluations=100))
    assert found["differential-evolution"]["ratio"] == 1
    assert found["exact"]["ratio"] == found["exact"]["seconds"] / found["differential-evolution"]["seconds"]


def test_out_of_sample_is_what_the_backtest_books_with_the_same_multipliers() -> None:
    contest, _ = real_contest("ETHUSD", SMALL, lambda *at: None)
    found = rows(compared("exact", contest=contest, evaluations=5), contest)["exact"]
    (run,) = pipeline.run(["ETHUSD"], SMALL, Clock())
    booked = symbol_document(value_of(run.outcome)).rows[1]
    assert booked.name == contest.facts["strategy"] == "always-on"
    assert found["out_of_sample_bps"] == pytest.approx(booked.mean_bps, abs=1e-2)
    assert (found["low_bps"] is None) == (booked.low_bps is None)
    fit = value_of(run.outcome).strategies[1].fit
    np.testing.assert_allclose(prove(contest).profit.max(0), fit.in_sample[:-1], atol=1e-5)


def test_a_stock_is_compared_on_the_strategy_that_can_short() -> None:
    contest, _ = real_contest("NVDA", SMALL, lambda *at: None)
    assert contest.facts["strategy"] == "entry-exit"
    assert (contest.windows, contest.bars, contest.policies) == (12, 15, (True, False))


def test_a_strategy_without_orders_is_nothing_to_optimise() -> None:
    settings = Settings.of(sims=3, window=5, strategy="entry-exit", cache="off")
    with pytest.raises(DataError, match="nothing to optimise"):
        real_contest("ETHUSD", settings, lambda *at: None)


def test_the_reference_problem_is_the_one_that_was_measured() -> None:
    contest = reference_contest(BOUNDS)
    profit = prove(contest).profit[:, 0]
    assert contest.policies == (False, True)
    np.testing.assert_allclose(profit, [0.3230157, 0.1390775], atol=5e-8)


def test_on_the_reference_problem_nothing_beats_the_exact_fit() -> None:
    contest = reference_contest(BOUNDS)
    scipy = ("exact", "direct", "differential-evolution", "dual-annealing", "brute")
    entries = compared(*scipy, contest=contest, evaluations=300)
    found = rows(entries, contest)
    assert next(iter(found)) == "exact"
    assert all(row["least_gap_bps"] >= 0 for row in found.values())
    assert all(row["found_bps"] <= found["exact"]["found_bps"] for row in found.values())
    steps = list(standings.history(contest, prove(contest), list(entries.values())))
    assert all(step.gap >= 0 for step in steps)
    assert {trial.status for trial in standings.trials(contest, prove(contest), list(entries.values()))} == {
        "done",
        "budget",
    }


def test_progress_names_who_is_running() -> None:
    heard: list[tuple[str, int, int]] = []
    compete(["fixed"], STAIRS, Limits(evaluations=3), (1,), 5.0, lambda *at: heard.append(at))
    assert heard == [("fixed", i, 6) for i in range(6)]
    assert arena.WARM_UP.seconds

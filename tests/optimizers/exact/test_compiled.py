"""The compiled code against the arrays' way: the same cell, the same profit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketsim.backtesting import pipeline
from marketsim.data.sample import SampleSource
from marketsim.execution.compiled import VARIABLE
from marketsim.execution.evaluation import evaluate
from marketsim.execution.floor import Floor
from marketsim.execution.profit_terms import TIE, ProfitTerms
from marketsim.execution.window_terms import WindowTerms
from marketsim.execution.windows import age_weights
from marketsim.models.har import Har
from marketsim.optimizers.exact import Exact
from marketsim.optimizers.exact.candidates import Bounds
from marketsim.optimizers.exact.compiled import CompiledTerms, compiled_code
from marketsim.optimizers.exact.maximum import FINE, STEP, Optimum, maximize
from marketsim.profiling import Clock
from marketsim.results.result import Result
from marketsim.settings.choices import FILLS
from marketsim.settings.settings import Settings
from tests.oracle import Bar, Rules
from tests.problems import BOUNDS, any_rules, bars_of_any_kind, make_bars, terms_of

pytestmark = pytest.mark.skipif(compiled_code() is None, reason="nothing is compiled here")

any_bounds = st.sampled_from(
    [
        BOUNDS,
        ((-0.01, 0.04), (-0.05, 0.0)),
        ((0.01, 0.02), (-0.02, -0.005)),
        ((0.01, 0.01), (-0.02, 0.0)),
        ((-1.0, 1.0), (-1.0, 1.0)),
    ]
)


def by_arrays(
    terms: ProfitTerms, bounds: Bounds, step: float = STEP, touching: bool = True, floor: Floor | None = None
) -> Optimum:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, "0")
        return maximize(terms, bounds, step, touching, floor=floor)


def assert_same(found: Optimum, expected: Optimum) -> None:
    """Multipliers to what counts as a touch: candidates that close may earn the same, but for a sum's rounding."""
    for name in ("profit", "high_multiplier", "low_multiplier"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=0, atol=TIE + 1e-15)


@settings(max_examples=160)
@given(bars_of_any_kind(), any_rules(), any_bounds, st.sampled_from([STEP, FINE]), st.booleans())
def test_few_bars(bars: list[Bar], rules: Rules, bounds: Bounds, step: float, touching: bool) -> None:
    terms = terms_of(bars, rules)
    assert_same(maximize(terms, bounds, step, touching), by_arrays(terms, bounds, step, touching))


@settings(max_examples=25)
@given(bars_of_any_kind(120), any_rules(), any_bounds, st.booleans())
def test_many_bars(bars: list[Bar], rules: Rules, bounds: Bounds, touching: bool) -> None:
    terms = terms_of(bars, rules)
    assert_same(maximize(terms, bounds, STEP, touching), by_arrays(terms, bounds, STEP, touching))


@settings(max_examples=60)
@given(
    bars_of_any_kind(20), any_rules(), any_bounds, st.floats(-0.01, 0.03), st.floats(-0.03, 0.01), st.floats(0, 0.06)
)
def test_above_a_floor(
    bars: list[Bar], rules: Rules, bounds: Bounds, high_move: float, low_move: float, distance: float
) -> None:
    terms, floor = terms_of(bars, rules), Floor(np.array([high_move]), np.array([low_move]), distance)
    found = maximize(terms, bounds, floor=floor)
    assert_same(found, by_arrays(terms, bounds, floor=floor))
    if not floor.allows(found.high_multiplier, found.low_multiplier)[0]:
        assert not floor.allows(np.array([bounds[0][1]]), np.array([bounds[1][0]]))[0]


@settings(max_examples=40)
@given(bars_of_any_kind(20), any_rules(), st.lists(st.floats(-0.05, 0.05), min_size=1, max_size=5), st.booleans())
def test_profits_of_candidates_are_equal_to_the_last_bit(
    bars: list[Bar], rules: Rules, at: list[float], for_all: bool
) -> None:
    one = terms_of(bars, rules)
    terms = ProfitTerms.concatenate([one, one])
    h = np.array([at] if for_all else [at, at[::-1]])
    compiled = CompiledTerms.of(terms)
    assert compiled is not None
    np.testing.assert_array_equal(compiled.profits(h, -h), evaluate(terms, h, -h))


@pytest.mark.parametrize("window", [1, 7, 8, 128, 129, 300])
def test_windows_are_summed_in_the_order_of_numpy(window: int) -> None:
    terms = terms_of(make_bars(window, window, "continuous", True, False), Rules(0.0015, 0.0005, "touch", False))
    compiled = CompiledTerms.of(terms)
    assert compiled is not None
    h = np.linspace(-0.03, 0.03, 9)[None]
    np.testing.assert_array_equal(compiled.profits(h, h), evaluate(terms, h, h))


@settings(max_examples=150)
@given(
    bars_of_any_kind(40), any_rules(), any_bounds, st.integers(0, 2**32 - 1), st.sampled_from([None, 0.05, 3.0, 1e4])
)
def test_windows_share_their_bars(
    bars: list[Bar], rules: Rules, bounds: Bounds, seed: int, half_life: float | None
) -> None:
    """Neighboring windows, strange ones, bars that are there twice: each as if it had bars of its own."""
    rng = np.random.default_rng(seed)
    window, every = int(rng.integers(1, len(bars) + 1)), terms_of(bars, rules).at(0)
    newest = np.arange(len(bars) - window + 1)[::-1, None] + np.arange(window)
    rows = np.concatenate([newest[: 1 + len(bars) // 2], rng.integers(0, len(bars), (3, window)), newest[:1]])
    terms = WindowTerms(every, rows, age_weights(window, half_life))
    apart, shared = terms.gathered(), maximize(terms, bounds)
    assert_same(shared, by_arrays(apart, bounds))
    at = shared.high_multiplier[:, None], shared.low_multiplier[:, None]
    np.testing.assert_array_equal(shared.profit, evaluate(apart, *at)[:, 0])
    floor = Floor(*rng.uniform(-0.03, 0.03, (2, len(rows))), 0.02)
    assert_same(maximize(terms, bounds, floor=floor), by_arrays(apart, bounds, floor=floor))


@pytest.mark.parametrize("symbol", ["ETHUSD", "NVDA"])
def test_a_walk_is_the_same_in_both_ways(symbol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, source = Settings.of(sims=8, window=25, cache="off"), SampleSource()

    def run() -> Result:
        tools = pipeline.Tools(source, Har(), Exact(), None)
        return pipeline.run_symbol(symbol, settings, tools, Clock())

    compiled = run()
    monkeypatch.setenv(VARIABLE, "0")
    arrays = run()
    for one, other in zip(compiled.strategies, arrays.strategies, strict=True):
        for name in ("high_multiplier", "low_multiplier", "in_sample"):
            np.testing.assert_allclose(getattr(one.fit, name), getattr(other.fit, name), rtol=0, atol=1e-12)


@pytest.mark.parametrize("fill", FILLS)
def test_legs_whose_lattices_differ_in_size(fill: str) -> None:
    """Fits of a long and a short with more edges than it, together and alone."""
    terms = terms_of(make_bars(3, 12, "continuous", True, False), Rules(0.001, 0.0, fill, False))
    long, short = terms.legs
    mixed = ProfitTerms((long.at_close(), short))
    assert_same(maximize(mixed, BOUNDS), by_arrays(mixed, BOUNDS))


def test_what_is_no_lattice_is_refused() -> None:
    code = compiled_code()
    assert code is not None
    one, two = np.zeros(1), np.zeros(2)

    def leg(**other: Any) -> tuple[object, ...]:
        arrays = dict.fromkeys(
            ["upper_move", "lower_move", "low", "open", "at_level", "per_lower", "gain", "per_upper"], one
        ) | {"upper_edges": one, "lower_edges": one, "weight": one}
        return (False, False, 0.0, 1.0, -1.0, 0.0, *(arrays | other).values())

    def ask(
        *legs: object,
        rows: object = None,
        problems: int = 1,
        window: int = 1,
        sizes: object = None,
        found: object = None,
        floor: object = None,
    ) -> None:
        out = np.zeros(3 * max(problems, 0)) if found is None else found
        code.maximize((legs, rows, sizes, problems, window), *BOUNDS, STEP, True, floor, out)

    ask(leg())
    for wrong, error in (
        ({"legs": ()}, ValueError),
        ({"legs": (leg(),) * 3}, ValueError),
        ({"legs": (leg(low=two),)}, ValueError),
        ({"legs": (leg(weight=two),)}, ValueError),
        ({"legs": (leg(upper_edges=np.zeros(0)),)}, ValueError),
        ({"legs": (leg(gain=np.zeros(1, np.float32)),)}, TypeError),
        ({"legs": (leg()[:-1],)}, TypeError),
        ({"legs": ("a leg",)}, TypeError),
        ({"rows": np.array([1])}, IndexError),
        ({"rows": np.array([-1])}, IndexError),
        ({"rows": np.array([0, 0])}, ValueError),
        ({"rows": np.array([0.0])}, TypeError),
        ({"sizes": two}, ValueError),
        ({"sizes": np.array([-1.0])}, ValueError),
        ({"sizes": np.array([np.nan])}, ValueError),
        ({"sizes": np.array([1])}, TypeError),
        ({"problems": 0}, ValueError),
        ({"window": 0}, ValueError),
        ({"window": 1 << 40}, ValueError),
        ({"window": 2}, ValueError),
        ({"floor": (one, two, 0.0)}, ValueError),
        ({"floor": [one, one, 0.0]}, TypeError),
        ({"found": np.zeros(2)}, ValueError),
        ({"found": b"12345678" * 3}, (TypeError, BufferError)),
    ):
        given_ = {"legs": (leg(),)} | wrong
        legs = given_.pop("legs")
        with pytest.raises(error):
            ask(*legs, **given_)  # type: ignore[arg-type]

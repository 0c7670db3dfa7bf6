"""The plan of an evening is simulation 0 of the next evening's walk, to the bit; `scripts/bench evenings` has 250."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARK = Path(__file__).parents[2] / "scripts" / "benchmarks" / "evenings.py"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("evenings_bench", BENCHMARK)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(("model", "symbol"), [("har", "GOOG"), ("own model", "ETHUSD"), ("own forecasts", "GOOG")])
def test_every_sealed_plan_is_the_next_evening_s_newest_simulation(bench: ModuleType, model: str, symbol: str) -> None:
    assert bench.compare(model, symbol, count=3, fresh=False, sims=2, window=10) == (3, 3)


def test_so_it_is_for_a_network(bench: ModuleType) -> None:
    pytest.importorskip("fracast", reason="the extra 'fracast' is not installed")
    assert bench.compare("fracast", "ETHUSD", count=2, fresh=False, sims=1, window=3) == (2, 2)


def test_a_plan_that_is_another_is_noticed(bench: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = bench.sealed

    def one_digit_off(*words: object) -> object:
        from msgspec.structs import replace

        plan = honest(*words)
        first, *others = plan.strategies
        return replace(plan, strategies=[replace(first, upper=first.upper * (1 + 2e-16)), *others])

    monkeypatch.setattr(bench, "sealed", one_digit_off)
    assert bench.compare("har", "GOOG", count=2, fresh=False, sims=2, window=10) == (0, 2)

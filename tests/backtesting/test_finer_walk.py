"""A walk on bars whose finer bars are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from marketsim.backtesting import parallel, pipeline
from marketsim.backtesting.finer_market import finer_moves
from marketsim.backtesting.simulation import Market, fit_strategies, simulate
from marketsim.data.bars import Bars
from marketsim.data.finer_bars import Inside
from marketsim.data.memory import MemorySource
from marketsim.data.resample import resample
from marketsim.data.sample import SampleSource
from marketsim.errors import value_of
from marketsim.execution.track_record import FittedTrackRecord
from marketsim.models.har import Har
from marketsim.optimizers.exact import Exact
from marketsim.profiling import Clock
from marketsim.results.document import symbol_document
from marketsim.results.encoding import to_json
from marketsim.results.result import Result
from marketsim.results.run_directory import RunDirectory
from marketsim.settings.choices import FILLS
from marketsim.settings.settings import Settings
from tests.data.test_finer_bars import crypto_hours

SMALL = Settings.of(sims=20, window=30, min_t=0.0, fee_bps=0.0, slippage_bps=0.0, cache="off", now="2027-01-01")


def run(bars: Bars, settings: Settings = SMALL) -> Result:
    tools = pipeline.Tools(MemorySource([bars]), Har(), Exact(), None)
    return pipeline.run_symbol(bars.symbol, settings, tools, Clock())


def chosen(track: FittedTrackRecord) -> list[np.ndarray]:
    fit = track.fit
    return [fit.high_multiplier, fit.low_multiplier, fit.close_at_eod, fit.upper, fit.lower, fit.in_sample]


@pytest.fixture(scope="module")
def hours() -> Bars:
    return crypto_hours(160, seed=1)


@pytest.mark.parametrize("fill", FILLS)
def test_finer_bars_of_one_level_change_not_a_byte(fill: str) -> None:
    """Where every bar is its own finer bar, the result is that without finer ones."""
    settings = SMALL.replace(fill=fill)
    bars = SampleSource().load("NVDA")
    result = run(bars, settings)
    market = Market.of(bars, result.walk, result.forecasts, settings.costs)
    rows = result.walk.origins[:-1] + 1
    alone = finer_moves(Inside.of(bars, [], rows), bars.close[rows - 1])
    assert set(alone.count.tolist()) == {1}
    ordered = Market(**{**_fields(market), "outcomes": replace(market.outcomes, inside=alone)})
    fits, fallbacks = fit_strategies([track.name for track in result.strategies], ordered, settings.rules, Exact(), 42)
    strategies, baselines = simulate(fits, ordered, settings.rules)
    other = replace(result, strategies=strategies, baselines=baselines, fallbacks=fallbacks)
    assert to_json(symbol_document(other)) == to_json(symbol_document(result))


def _fields(market: Market) -> dict[str, object]:
    return {name: getattr(market, name) for name in Market.__struct_fields__}


@pytest.mark.parametrize("fill", FILLS)
def test_finer_bars_at_or_after_a_bar_change_nothing_decided_before_it(hours: Bars, fill: str) -> None:
    """Every later day's hours are put in another order; nothing that was chosen for the bar or an earlier one moves."""
    days, settings = resample(hours, "1d"), SMALL.replace(fill=fill, close_at_eod="never")
    before = run(days.with_finer(hours), settings)
    for simulation in (0, 5):
        first = (len(days) - 1 - simulation) * 24
        turned = hours.ohlcv.copy()
        later = turned[first:].reshape(-1, 24, 5)
        later[:, 1:-1] = later[:, -2:0:-1]
        after = run(days.with_finer(replace(hours, ohlcv=turned)), settings)
        assert after.fine is not None
        assert after.fine.disagreeing == 0
        for old, new in zip(before.strategies, after.strategies, strict=True):
            for was, now in zip(chosen(old), chosen(new), strict=True):
                np.testing.assert_array_equal(was[simulation:-1], now[simulation:-1])
            for profits in FILLS:
                earlier = slice(simulation + 1, None)
                np.testing.assert_array_equal(old.profits[profits][earlier], new.profits[profits][earlier])
    assert not all(np.array_equal(a.profits[fill], b.profits[fill]) for a, b in _pairs(before, run(days, settings)))


def _pairs(left: Result, right: Result) -> list[tuple[FittedTrackRecord, FittedTrackRecord]]:
    return list(zip(left.strategies, right.strategies, strict=True))


def test_what_is_left_open_closes_in(hours: Bars) -> None:
    """At the same levels the worst case rises, the best falls, and fewer bars are in doubt."""
    days = resample(hours, "1d")
    alone, ordered = run(days), run(days.with_finer(hours))
    for name in ("entry-exit unfitted", "always-on unfitted"):
        before, after = (next(track for track in result.baselines if track.name == name) for result in (alone, ordered))
        assert (before.profits["provable"] <= after.profits["provable"] + 1e-12).all()
        assert (after.profits["touch"] <= before.profits["touch"] + 1e-12).all()
    assert ordered.fine is not None
    facts = ordered.fine
    assert (facts.bars, facts.covered, facts.disagreeing) == (50, 50, 0)
    assert facts.settled > 0
    assert facts.settled + facts.left == facts.ambiguous


def test_a_part_of_the_bars_may_have_finer_ones(hours: Bars) -> None:
    days = resample(hours, "1d")
    half = replace(hours, time=hours.time[150 * 24 :], ohlcv=hours.ohlcv[150 * 24 :])
    result = run(days.with_finer(half))
    assert result.fine is not None
    assert result.fine.covered == 10
    assert result.fine.series[0].covered == 10
    whole, alone = run(days.with_finer(hours)), run(days)
    for mixed, ordered, plain in zip(result.baselines, whole.baselines, alone.baselines, strict=True):
        np.testing.assert_array_equal(mixed.profits["touch"][:10], ordered.profits["touch"][:10])
        np.testing.assert_array_equal(mixed.profits["touch"][10:], plain.profits["touch"][10:])


def test_a_run_is_not_resumed_on_other_finer_bars(tmp_path: Path, hours: Bars) -> None:
    """What was kept of a symbol holds for its finer bars alone."""
    file = tmp_path / "BTCUSD.csv"
    hours.to_frame().to_csv(file)
    settings = SMALL.replace(fine=str(file))
    first = _kept(tmp_path / "run", settings)
    again = _kept(tmp_path / "run", settings, resume=True)
    assert again == (first[0], ())
    replace(hours, ohlcv=hours.ohlcv * 1.01).to_frame().to_csv(file)
    document, notes = _kept(tmp_path / "run", settings, resume=True)
    assert document != first[0]
    assert any("its bars or the model changed; it is run again" in note for note in notes)


def _kept(path: Path, settings: Settings, resume: bool = False) -> tuple[bytes, tuple[str, ...]]:
    """Run BTCUSD into a directory; what it says of the symbol, and the directory's notes."""
    with RunDirectory(str(path), settings, resume=resume) as directory:
        (done,) = parallel.stream(["BTCUSD"], settings, Clock(), directory)
        return to_json(value_of(done.outcome).document).encode(), tuple(directory.notes)

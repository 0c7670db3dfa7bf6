"""Sealed plans are booked as the backtest books them, and held against what was promised."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from marketsim.backtesting import pipeline
from marketsim.cli.score import score_document
from marketsim.data import open_source
from marketsim.errors import DataError, Failure, JournalError, Success, value_of
from marketsim.journal.booking import book_plans, sort_plans
from marketsim.journal.entry import Promise
from marketsim.journal.record import promised_mean, records_of
from marketsim.journal.score import plan_outcomes, score
from marketsim.journal.section import journal_section
from marketsim.profiling import Clock
from marketsim.results.confidence_sequence import running_interval
from marketsim.settings.choices import FILLS
from marketsim.settings.settings import Settings
from tests.journal.evenings import seal_evenings

EVENINGS = 6
SETTINGS = Settings.of(sims=12, window=20, min_t=1.0, cache="off")


def played(folder: Path, symbol: str, settings: Settings):
    bars = open_source("sample", None, settings.bars).load(symbol)
    if settings.bars.fine is not None:
        from marketsim.backtesting.chosen_bars import load, open_bars

        bars = load(symbol, settings.bars, open_bars(settings.bars))
    evenings = range(len(bars) - 1 - EVENINGS, len(bars) - 1)
    journal = seal_evenings(folder, symbol, bars, evenings, settings)
    return bars, journal


@pytest.fixture(scope="module", params=["NVDA", "ETHUSD"])
def run(request, tmp_path_factory):
    symbol = request.param
    bars, journal = played(tmp_path_factory.mktemp(symbol), symbol, SETTINGS)
    (backtest,) = pipeline.run([symbol], SETTINGS.replace(sims=EVENINGS), Clock())
    return bars, journal.entries(), value_of(backtest.outcome)


def test_the_score_equals_the_rows_of_the_backtest_over_the_same_bars(run):
    bars, entries, result = run
    booked = book_plans(sort_plans(entries, bars).past)
    assert len(booked) == 2 * EVENINGS
    for track in result.strategies:
        own = [each for each in booked if each.strategy.strategy == track.name][::-1]  # newest first, as the walk
        for policy in FILLS:
            assert [each.profits[policy] for each in own] == track.profits[policy].tolist()
        assert [each.orders for each in own] == track.orders.tolist()
        assert [each.trades for each in own] == track.trades.tolist()
        assert [each.wins for each in own] == track.wins.tolist()
    assert any(each.trades for each in booked)


def test_finer_bars_tell_the_score_what_they_tell_the_backtest(tmp_path):
    settings = SETTINGS.replace(fine="sample", sims=4)
    bars, journal = played(tmp_path, "AAPL", settings)
    assert bars.finer
    (backtest,) = pipeline.run(["AAPL"], settings.replace(sims=EVENINGS), Clock())
    booked = book_plans(sort_plans(journal.entries(), bars).past)
    for track in value_of(backtest.outcome).strategies:
        own = [each for each in booked if each.strategy.strategy == track.name][::-1]
        for policy in FILLS:
            assert [each.profits[policy] for each in own] == track.profits[policy].tolist()


def test_rows_add_up(run):
    bars, entries, _ = run
    found = score(entries, {bars.symbol: Success(bars)})
    assert [row.strategy for row in found.strategies] == ["always-on", "entry-exit"]
    for row in found.strategies:
        own = [each for each in plan_outcomes(found.booked) if each.strategy == row.strategy]
        assert row.realized.bars == len(own) == EVENINGS
        assert row.realized.provable == pytest.approx(sum(each.provable for each in own))
        assert row.realized.provable <= row.realized.expected + 1e-12
        assert row.realized.expected <= row.realized.touch + 1e-12
        assert row.realized.mean_bps == pytest.approx(1e4 * row.realized.headline / EVENINGS)
        assert (row.realized.orders, row.realized.trades) == (sum(e.orders for e in own), sum(e.trades for e in own))
        assert row.realized.missed == 0
        assert row.promised.mean_bps == entries[0].plan.strategies[row.strategy == "always-on"].promise.mean_bps
        assert row.verdict == "too early"
    (forecasts,) = found.forecasts
    assert forecasts.bars == EVENINGS
    assert forecasts.coverage == pytest.approx(np.mean(forecasts.coverage_of))
    assert found.sealing.given_clock == EVENINGS
    assert found.sealing.exposure.clean == EVENINGS  # har has no weights
    assert not found.pooled


def test_what_has_no_bar_yet_waits_and_what_never_has_one_is_said(run):
    bars, entries, _ = run
    earlier = replace(bars, time=bars.time[:-2], ohlcv=bars.ohlcv[:-2], read_at=bars.time[-2])
    found = score(entries, {bars.symbol: Success(earlier)})
    assert [each.session for each in found.waiting] == [each.plan.session.bar for each in entries[-2:]]
    gone = np.arange(len(bars)) != len(bars) - 3
    holed = replace(bars, time=bars.time[gone], ohlcv=bars.ohlcv[gone])
    found = score(entries, {bars.symbol: Success(holed)})
    assert {each.why for each in found.unscored} == {"there is no bar of its session"}
    assert found.strategies[0].realized.bars == EVENINGS - 2  # the bar itself, and the one whose origin it was


def test_an_evening_that_was_left_out_is_counted(run):
    bars, entries, _ = run
    found = score([*entries[:2], *entries[4:]], {bars.symbol: Success(bars)})
    assert [row.realized.missed for row in found.strategies] == [2, 2]


def test_a_session_that_was_sealed_twice_counts_once(run):
    bars, entries, _ = run
    again = replace(entries[2], entry=replace(entries[2].entry, number=99))
    found = score([*entries, again], {bars.symbol: Success(bars)})
    assert [row.realized.bars for row in found.strategies] == [EVENINGS, EVENINGS]
    assert [(each.entry, each.why) for each in found.unscored] == [(99, "its session was sealed before")]


def test_other_settings_make_another_record(run):
    bars, entries, _ = run
    plan = entries[-1].plan
    other = replace(
        entries[-1], entry=replace(entries[-1].entry, plan=replace(plan, settings=plan.settings | {"min_t": 2.0}))
    )
    found = score([*entries[:-1], other], {bars.symbol: Success(bars)})
    assert [(row.strategy, row.run, row.realized.bars) for row in found.strategies] == [
        ("always-on", "min_t 1.0", EVENINGS - 1),
        ("entry-exit", "min_t 1.0", EVENINGS - 1),
        ("always-on", "min_t 2.0", 1),
        ("entry-exit", "min_t 2.0", 1),
    ]


def test_days_and_files_of_a_run_do_not_make_another_record(run):
    bars, entries, _ = run
    assert len({each.plan.settings["end"] for each in entries}) == EVENINGS
    assert len(records_of(book_plans(sort_plans(entries, bars).past)).records) == 2


def test_bars_that_cannot_be_read_fail_their_symbol_alone(run):
    bars, entries, _ = run
    found = score(entries, {bars.symbol: Failure(DataError("no such file"))})
    assert not found.strategies
    assert [str(each) for each in found.failed] == ["no such file"]
    assert len(found.unscored) == EVENINGS


def test_revised_closes_are_counted(run):
    bars, entries, _ = run
    ohlcv = bars.ohlcv.copy()
    ohlcv[-3, :4] *= 1.01
    found = score(entries, {bars.symbol: Success(replace(bars, ohlcv=ohlcv))})
    assert found.sealing.revised == 1


def test_several_symbols_are_pooled_by_date(run):
    bars, entries, _ = run
    other = replace(bars, symbol="OTHER")
    twins = [replace(each, entry=replace(each.entry, plan=replace(each.plan, symbol="OTHER"))) for each in entries[1:]]
    found = score([*entries, *twins], {bars.symbol: Success(bars), "OTHER": Success(other)})
    assert [(row.symbol, row.strategy) for row in found.pooled] == [(None, "always-on"), (None, "entry-exit")]
    for pooled, alone in zip(found.pooled, found.strategies, strict=False):
        assert pooled.realized.bars == EVENINGS
        assert pooled.realized.mean_bps == pytest.approx(alone.realized.mean_bps)
        assert pooled.realized.orders >= alone.realized.orders


def test_a_promise_without_an_interval_promises_nothing():
    promise = Promise(70, 5, 3, 1.0, None, None, 2.0, None, None)
    assert promised_mean(promise) is None
    assert running_interval(np.zeros(5)) is None


def test_a_broken_chain_is_refused(tmp_path):
    bars = open_source("sample", None, SETTINGS.bars).load("ETHUSD")
    journal = seal_evenings(tmp_path, "ETHUSD", bars, [len(bars) - 3, len(bars) - 2], SETTINGS.replace(sims=2))
    content = journal.path.read_bytes()
    journal.path.write_bytes(content.replace(b'"ETHUSD"', b'"ETHUSE"', 1))
    with pytest.raises(JournalError, match="entry 1 was changed"):
        journal.entries()


def test_the_section_of_a_page_shows_the_same_figures(run):
    bars, entries, _ = run
    found = score(entries, {bars.symbol: Success(bars)})
    section = journal_section(found, score_document(found, "journal.jsonl", entries, None, None))
    assert section.head == f"{EVENINGS}:{entries[-1].hash}"
    traded = [row for row in found.strategies if row.realized.orders]
    assert [each.title for each in section.pictures] == [f"{bars.symbol}, {row.strategy}" for row in traded]
    for picture, row in zip(section.pictures, traded, strict=True):
        assert f"ends at {100 * row.realized.headline:+.1f} %" in picture.words
        assert f"{row.promised.mean_bps * EVENINGS / 100:+.1f} % was promised" in picture.words
        assert len(picture.realized.split()) == EVENINGS + 1
    (forecasts,) = section.forecasts
    assert [each.channel for each in forecasts.channels] == ["open", "high", "low", "close"]
    for each, covered in zip(forecasts.channels, found.forecasts[0].coverage_of, strict=True):
        assert sum(each.pit) == pytest.approx(1)
        assert sum(each.pit[1:-1]) == pytest.approx(covered, abs=1e-9)
    assert section.tables[0].rows[0][0] == bars.symbol
    assert journal_section(score([], {}), score_document(score([], {}), "j", [], None, None)) is None

"""A bar whose forecast was sealed before it was over is clean, whatever the model has seen."""

from __future__ import annotations

import json

import numpy as np
import pytest
from msgspec.structs import replace

from marketsim.backtesting import pipeline
from marketsim.backtesting.pipeline import Tools
from marketsim.data import open_source
from marketsim.forecasting.contamination import exposures_of
from marketsim.forecasting.sealed_forecasts import SealedForecasts
from marketsim.journal.journal import Journal
from marketsim.journal.replay import replay
from marketsim.models.rolling_quantile import RollingQuantile
from marketsim.optimizers.exact import Exact
from marketsim.profiling import Clock
from marketsim.results.document import symbol_document
from marketsim.settings.settings import Settings
from tests.journal.entries import sealed_plan

SETTINGS = Settings.of(sims=8, window=20)


class Secretive(RollingQuantile):
    """A model of which nobody says what it was trained on."""

    name = "secretive"
    trained_until = "unknown"


def coming():
    """A plan whose session is not over while this is tested."""
    plan = sealed_plan()
    return replace(plan, session=replace(plan.session, ends="2999-01-01T00:00:00"))


def run(sealed=None):
    tools = Tools(open_source("sample"), Secretive(), Exact(), None, sealed)
    return pipeline.run_symbol("ETHUSD", SETTINGS, tools, Clock())


@pytest.fixture(scope="module")
def plain():
    return run()


def forecasts_of(result, positions):
    found = result.forecasts
    origins = result.bars.time[found.origins]
    return [("ETHUSD", str(origins[at]), found.moves[at]) for at in positions]


def test_without_a_journal_nothing_is_said(plain):
    document = symbol_document(plain)
    assert document.model.exposure.unknown == 8
    assert type(document.model.sealed) is not int


def test_what_was_sealed_is_clean(plain):
    sealed = SealedForecasts.of(forecasts_of(plain, plain.walk.evaluated[:3]))
    document = symbol_document(run(sealed))
    assert (document.model.exposure.clean, document.model.exposure.unknown) == (3, 5)
    assert document.model.sealed == 3
    assert document.evidence.bars == 3


def test_another_forecast_or_another_symbol_was_not_sealed(plain):
    (first, *rest) = forecasts_of(plain, plain.walk.evaluated[:3])
    symbol, origin, moves = first
    nudged = np.nextafter(moves, np.inf)
    sealed = SealedForecasts.of([(symbol, origin, nudged), *(("BTCUSD", *each[1:]) for each in rest)])
    document = symbol_document(run(sealed))
    assert (document.model.exposure.clean, document.model.sealed) == (0, 0)


def test_seals_win_over_what_a_file_says_of_its_forecasts(plain):
    forecasts = replace(plain.forecasts, exposure=["contaminated"] * len(plain.forecasts.origins))
    sealed = np.arange(len(plain.forecasts.origins)) == plain.walk.evaluated[0]
    opens = plain.bars.time[plain.walk.origins[plain.walk.evaluated] + 1]
    positions = plain.walk.evaluated.tolist()
    assert set(exposures_of(forecasts, positions, opens)) == {"contaminated"}
    tags = exposures_of(replace(forecasts, sealed=sealed), positions, opens)
    assert tags == ["clean", *["contaminated"] * 7]


def test_a_journal_vouches_by_the_systems_clock_alone(tmp_path):
    journal = Journal(str(tmp_path))
    plan = coming()
    journal.append([plan], "2020-08-02T00:30")
    assert not journal.sealed_forecasts().digests
    journal.append([replace(plan, symbol="BTCUSD")])
    moves = np.array([plan.forecast.open, plan.forecast.high, plan.forecast.low, plan.forecast.close])
    origin = np.array([np.datetime64(plan.bars.origin, "s")])
    assert journal.sealed_forecasts().among("BTCUSD", origin, moves[None]).tolist() == [True]
    assert journal.sealed_forecasts().among("ETHUSD", origin, moves[None]).tolist() == [False]


def test_the_command_asks_the_journal(cli, tmp_path):
    ended = cli("backtest", "ETHUSD", "--sims", "3", "--window", "5", "--sealed", "--journal", str(tmp_path))
    assert ended.code == 3
    assert "there is no journal" in ended.err
    Journal(str(tmp_path)).append(
        [replace(sealed_plan(), session=replace(sealed_plan().session, ends="2999-01-01T00:00:00"))]
    )
    ended = cli("backtest", "ETHUSD", "--sims", "3", "--window", "5", "--sealed", "--journal", str(tmp_path), "--json")
    assert ended.code == 0
    assert '"sealed": 0' in ended.out
    refused = cli("backtest", "ETHUSD", "--sealed", "--output", str(tmp_path / "run"), "--resume")
    assert refused.code == 2
    assert "--sealed" in refused.err


WALK = ("--sims", "12", "--window", "20", "--min-t", "0", "--model", f"{__name__}:Secretive", "--cache", "off")
EVENING = ("ETHUSD", "--end", "2020-07-31", "--now", "2020-08-01T00:30", *WALK)


def vouched(journal: Journal, filled: bool) -> int:
    """Seal the forecasts of that evening's evaluated bars, those with a trade or those without; how many."""
    settings = Settings.of(end="2020-07-31", now="2020-08-01T00:30", sims=12, window=20, min_t=0.0)
    walk = pipeline.run_symbol("ETHUSD", settings, Tools(open_source("sample"), Secretive(), Exact(), None), Clock())
    traded = np.sum([track.trades for track in walk.strategies], axis=0) > 0
    plans = []
    for _, origin, moves in forecasts_of(walk, walk.walk.evaluated[traded == filled]):
        quantiles = dict(zip(("open", "high", "low", "close"), moves.tolist(), strict=True))
        plan = coming()
        plans.append(
            replace(plan, bars=replace(plan.bars, origin=origin), forecast=replace(plan.forecast, **quantiles))
        )
    assert len(journal.append(plans).sealed) == len(plans) > 1
    return len(plans)


def test_a_plan_and_an_evening_count_sealed_bars_as_clean(cli, tmp_path):
    journal = Journal(str(tmp_path))
    place = ("--journal", str(tmp_path))
    assert cli("plan", *EVENING, *place, "--sealed").code == 3
    count = vouched(journal, filled=True)
    unasked, asked = (json.loads(cli("plan", *EVENING, *place, *more, "--json").out) for more in ((), ("--sealed",)))
    assert unasked["reality_check"] is None
    assert asked["reality_check"]["tried"] == 1
    assert cli("plan", *EVENING, *place, "--seal").code == 0
    assert cli("evening", *EVENING, *place, "--fee-bps", "1").code == 0
    assert [each.plan.model.sealed for each in journal.entries()[-2:]] == [count, count]


def test_a_replay_counts_what_was_sealed_before_its_entry(cli, tmp_path):
    journal = Journal(str(tmp_path))
    vouched(journal, filled=False)
    assert cli("plan", *EVENING, "--journal", str(tmp_path), "--seal").code == 0
    *before, sealed = journal.entries()
    assert sealed.plan.strategy is None, "on the clean bars no order was filled"
    means = Settings.of(cache="off")
    (same,) = replay([sealed], means, [*before, sealed])
    assert (same.status, same.error) == ("same", None)
    (without,) = replay([sealed], means)
    assert [(each.what, each.where) for each in without.differences] == [("answer", "strategy")]

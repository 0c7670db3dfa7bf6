"""Several models as one: what is picked and what is weighted rests on the past alone."""

import itertools

import numpy as np
import pytest

from marketsim.backtesting import next_bars, pipeline
from marketsim.data import open_source
from marketsim.data.walk_forward import make_walk
from marketsim.errors import Failure, UsageError, value_of
from marketsim.forecasting import blend as blending
from marketsim.forecasting.auto import Auto
from marketsim.forecasting.blend import Blend
from marketsim.forecasting.ensembles import HISTORY
from marketsim.forecasting.forecaster import make_forecasts
from marketsim.forecasting.forecasts import CLOSE, HIGH, LEVELS, LOW, OPEN, actual_moves
from marketsim.forecasting.keys import fingerprint
from marketsim.forecasting.model_forecaster import ModelForecaster
from marketsim.forecasting.requests import ForecastRequest
from marketsim.forecasting.scores import pinball
from marketsim.models.har import Har
from marketsim.models.last_bar import LastBar
from marketsim.models.rolling_quantile import RollingQuantile
from marketsim.optimizers.exact import Exact
from marketsim.profiling import Clock
from marketsim.results.document import simulation_rows
from marketsim.settings.settings import Settings
from tests.candles import random_bars
from tests.opened import opened

BARS = random_bars(420)


def make(model, requests):
    return ModelForecaster(model, None, Clock()).forecasts(requests)


def one(model, origins, bars=BARS):
    return make_forecasts(model, bars, origins, None, Clock())


def outcome_of(ensemble, bars=BARS, sims=20, window=30):
    walk = make_walk(len(bars), sims, window, ensemble.minimum_bars, "TEST")
    (outcome,) = ensemble.forecasts([ForecastRequest(bars, walk.origins, walk.judged)], make)
    return outcome


def forecasts(ensemble, *walk, **lengths):
    return value_of(outcome_of(ensemble, *walk, **lengths))


class Spoiled(RollingQuantile):
    """As good as its parent at first, hopeless on the newest bars."""

    name = "spoiled"

    def forecast(self, series, origins):
        return super().forecast(series, origins) * np.where(origins < 1209 - 71, 1, 9)[:, None, None]


class Broken(RollingQuantile):
    name = "broken"

    def forecast(self, series, origins):
        return np.full((len(origins), 4, len(LEVELS)), np.nan)


def test_auto_takes_the_member_that_was_best_before_the_first_evaluated_bar():
    members = (LastBar(), Har(), RollingQuantile())
    judged = np.arange(420 - 20 - 1 - HISTORY, 420 - 20 - 1)
    losses = []
    for member in members:
        made = one(member, judged)
        loss = pinball(made.moves, actual_moves(BARS, judged), LEVELS).mean(0)
        losses.append(loss[[HIGH, LOW, CLOSE]].prod())
    best = members[int(np.argmin(losses))]
    expected = one(best, forecasts(Auto(members)).origins)
    for order in itertools.permutations(members):
        found = forecasts(Auto(order))
        assert found.model is best
        np.testing.assert_array_equal(found.moves, expected.moves)
        assert f"picked '{best.name}'" in found.notes[-1]


class Shifted(RollingQuantile):
    """Its parent but for one channel, which lies far off."""

    def __init__(self, name, channel):
        self.name, self.channel = name, channel

    def forecast(self, series, origins):
        moves = super().forecast(series, origins)
        moves[:, self.channel] *= 1.5
        return moves


@pytest.mark.parametrize(("channel", "counts"), [(OPEN, False), (HIGH, True), (LOW, True), (CLOSE, True)])
def test_auto_counts_the_channels_that_are_traded(channel, counts):
    members = (Shifted("a", channel), RollingQuantile())  # a tie goes to the first name
    for order in (members, members[::-1]):
        assert forecasts(Auto(order)).model.name == ("rolling-quantile" if counts else "a")


def test_auto_is_the_same_in_any_order_of_its_members():
    members = (LastBar(), Har())
    assert fingerprint(Auto(members)) == fingerprint(Auto(members[::-1]))


def test_what_auto_picks_does_not_depend_on_evaluated_bars():
    changed = random_bars(420)
    changed.ohlcv[-20:, :4] *= np.linspace(1, 3, 20)[:, None]
    for members in ((LastBar(), Har()), (Har(), LastBar())):
        assert forecasts(Auto(members), changed).model is forecasts(Auto(members)).model


class Failing(Har):
    """Cannot forecast the newest bars."""

    name = "failing"

    def forecast(self, series, origins):
        return super().forecast(series, origins) * np.where(origins < 415, 1, np.nan)[:, None, None]


def test_where_the_best_member_fails_the_next_best_takes_its_place_and_that_is_said():
    members = (LastBar(), Failing(), RollingQuantile())
    found = forecasts(Auto(members))
    assert forecasts(Auto((LastBar(), Har(), RollingQuantile()))).model.name == "har"
    assert found.model.name == "rolling-quantile"
    expected = one(RollingQuantile(), found.origins)
    np.testing.assert_array_equal(found.moves, expected.moves)
    assert "runs without a member (TEST: model 'failing'" in found.notes[0]
    assert "picked 'rolling-quantile'" in found.notes[1]


def test_a_member_that_fails_is_not_picked_and_fails_a_blend():
    found = forecasts(Auto((Broken(), Har())))
    assert found.model.name == "har"
    assert "runs without a member (TEST: model 'broken'" in found.notes[0]
    for ensemble in (Auto((Broken(),)), Auto((Failing(),)), Blend((Har(), Broken()))):
        failed = outcome_of(ensemble)
        assert isinstance(failed, Failure)
        assert "TEST: model '" in str(failed.error)


def test_repairs_of_a_blend_are_counted(monkeypatch):
    weights = np.array([[1.0, 0, 1, 1], [0, 1, 0, 0]])  # the high is the second member's, all else the first's
    monkeypatch.setattr(blending, "_weights", lambda losses, count: np.repeat(weights[:, None], count, 1))
    members = (Told("above", 0.02), Told("below", -0.02))
    found = forecasts(Blend(members))
    assert found.repaired.all()  # though neither member is
    np.testing.assert_array_equal(found.moves[:, HIGH], found.moves[:, OPEN])
    assert not forecasts(Blend(members[::-1])).repaired.any()


class Told(RollingQuantile):
    """Forecasts the same of all channels, and is coherent."""

    def __init__(self, name, move):
        self.name, self.move = name, move

    def forecast(self, series, origins):
        return np.full((len(origins), 4, len(LEVELS)), self.move)


def test_a_blend_of_one_is_that_one_and_of_equals_is_no_other():
    alone = one(Har(), forecasts(Blend((Har(),))).origins)
    for members in ((Har(),), (Har(), Har())):
        np.testing.assert_allclose(forecasts(Blend(members)).moves, alone.moves, rtol=1e-12)


def test_a_blend_does_not_depend_on_how_many_bars_are_evaluated_nor_on_the_future():
    blend = Blend((Har(), LastBar()))
    full = forecasts(blend, sims=60)
    np.testing.assert_array_equal(forecasts(blend, sims=20).moves, full.moves[-51:])
    changed = random_bars(420)
    changed.ohlcv[-10:, :4] *= 2
    np.testing.assert_array_equal(forecasts(blend, changed, sims=60).moves[:-10], full.moves[:-10])


def test_the_newest_forecast_alone_is_that_of_a_walk():
    members = (LastBar(), Har(), RollingQuantile())
    walk = make_walk(len(BARS), 20, 30, 3, "TEST")
    for ensemble, needed in ((Auto(members), 3 * HISTORY + 1), (Blend(members), 3 * (HISTORY + 1))):
        (outcome,) = ensemble.forecasts([ForecastRequest(BARS, walk.origins[-1:], walk.judged)], make)
        alone = value_of(outcome)
        whole = forecasts(ensemble)
        assert (alone.made, alone.origins.tolist()) == (needed, [419])
        assert alone.model is whole.model
        np.testing.assert_array_equal(alone.moves, whole.moves[-1:])


def test_weights_follow_the_losses_of_the_last_bars():
    blend = Blend((Har(), LastBar()))
    found = forecasts(blend)
    origins = np.arange(found.origins[-1] - HISTORY, found.origins[-1] + 1)
    moves = np.stack([one(member, origins).moves for member in blend.members])
    loss = pinball(moves[:, :-1], actual_moves(BARS, origins[:-1]), LEVELS).sum(1)
    weight = np.exp(-loss / 2 / (loss / HISTORY).mean(0))
    weight /= weight.sum(0)
    np.testing.assert_allclose(found.moves[-1], (weight[..., None] * moves[:, -1]).sum(0), rtol=1e-9)


@pytest.mark.parametrize("symbol", open_source("sample").symbols())
def test_a_blend_is_nearly_as_good_as_its_best_member_on_the_sample(symbol):
    bars = open_source("sample").load(symbol)
    members = (Har(), RollingQuantile())
    blend = forecasts(Blend(members), bars, min(300, len(bars) - 80), 30)
    actual = actual_moves(bars, blend.origins[:-1])

    def loss(found):
        return pinball(found.moves[:-1], actual, LEVELS).mean(0)

    best = np.min([loss(one(member, blend.origins, bars)) for member in members], 0)
    assert (loss(blend) / best).mean() <= 1.003


def test_ensembles_are_told_apart_by_their_members():
    one, other = Blend((Har(), LastBar())), Blend((LastBar(), Har()))
    assert len({fingerprint(each) for each in (one, other, Auto(one.members), Auto((Har(),)))}) == 4


def test_options_of_weights_that_no_member_has_are_refused():
    for model in ("har", "auto", "blend:har,last-bar"):
        with pytest.raises(UsageError, match="--samples: model 'har' does not use it"):
            opened(Settings.of(model=model, samples=3))


@pytest.mark.parametrize("window", [20, 60])
def test_fast_mode_of_auto_is_the_newest_part_of_the_full_run(window, monkeypatch):
    auto = Auto((LastBar(), Spoiled()))  # the second is the better one until the full run begins to evaluate
    tools = pipeline.Tools(open_source("sample"), auto, Exact(), None)
    full, fast, short = (
        pipeline.run_symbol("ETHUSD", Settings.of(window=window, **length), tools, Clock())
        for length in ({}, {"fast": True}, {"sims": 35})
    )
    assert [each.forecasts.model.name for each in (full, fast, short)] == ["spoiled", "spoiled", "last-bar"]
    newest = [row for row in simulation_rows(full) if row.simulation < 35]
    assert newest == list(simulation_rows(fast))
    np.testing.assert_array_equal(full.forecasts.moves[-36 - window :], fast.forecasts.moves)
    np.testing.assert_array_equal(full.forecasts.repaired[-36 - window :], fast.forecasts.repaired)
    monkeypatch.setattr(next_bars, "chosen_model", lambda *chosen: auto)
    ahead, _, _ = next_bars.forecast(["ETHUSD"], Settings.of(window=window, fast=True, cache="off"))
    assert ahead.symbols[0].model.name == "spoiled"


def test_fast_mode_of_a_blend_is_the_newest_part_of_the_full_run():
    settings = Settings.of(model="blend:har,last-bar", strategy="always-on", cache="off")
    full, fast = (
        value_of(pipeline.run(["ETHUSD"], settings.replace(fast=fast), Clock())[0].outcome) for fast in (False, True)
    )
    for fill in full.strategies[0].profits:
        np.testing.assert_array_equal(full.strategies[0].profits[fill][:35], fast.strategies[0].profits[fill])
